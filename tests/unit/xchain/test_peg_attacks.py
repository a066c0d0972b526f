"""What the peg refuses, and what liars can take."""

import pytest

from chainstack_sdk.core.native import external
from chainstack_sdk.paradigms import Erc20, Erc20Token, Erc721, Erc721Token, Paradigm, default_registry
from chainstack_sdk.primitives.address import ZERO_ADDRESS
from chainstack_sdk.primitives.errors import Reverted
from chainstack_sdk.primitives.rlp import rlp_encode
from chainstack_sdk.primitives.units import ether
from chainstack_sdk.testing.fixed import accounts
from chainstack_sdk.testing.peg import Courier, check_conservation, pegged_chains
from chainstack_sdk.testing.xchain import (
    GOVERNOR,
    chain_with_hub,
    hub_of,
    link,
    proof_of_message,
    proof_of_receipt,
    sent_messages,
)
from chainstack_sdk.xchain.addresses import PEG_ADDRESS
from chainstack_sdk.xchain.app import CrossChainApp, PacketContext, open_channel, send_packet
from chainstack_sdk.xchain.custody import Asset, AssetKind
from chainstack_sdk.xchain.packets import Acknowledgement
from chainstack_sdk.xchain.peg import PEG_CODE, Metadata, Peg, PegApi, Transfer, with_peg
from chainstack_sdk.xchain.peg.storage import store_channel

ALICE, MALLORY = accounts(2)
HOUR = 3_600_000
ALL = (1 << 256) - 1


# Tokens that do not behave -------------------------------------------------------------------------


class BadToken(Erc20):
    """Misbehaves as the cap in its config says."""

    name = "bad"
    FALSE, FEE, REVERT, GENEROUS, REENTER, GOOD = range(1, 7)

    @external("function transferFrom(address from, address to, uint256 value) returns (bool)")
    def transfer_from(self, call, sender, to, value):
        match self.config.cap:
            case self.FALSE:
                return False
            case self.FEE:
                self._transfer(call, sender, to, value - 1)
                return True
            case self.GENEROUS:
                self._transfer(call, sender, to, 1)
            case self.REVERT:
                raise call.error("not today")
            case self.REENTER:
                call.call(
                    PEG_ADDRESS, send_token(call.address, value, sender, call.block.timestamp_ms + HOUR)
                )
        return super().transfer_from(call, sender, to, value)


class Meddler(Paradigm):
    """A token that calls the peg while it is asked to move."""

    name = "meddler"
    constructor = "constructor(bytes data)"

    @external("function balanceOf(address who) view returns (uint256)")
    def balance_of(self, call, who):
        return 0

    @external("function transferFrom(address from, address to, uint256 value) returns (bool)")
    def transfer_from(self, call, sender, to, value):
        call.call(PEG_ADDRESS, self.config.data)
        return True


class StickyCats(Erc721):
    """A collection that does not give its tokens away, until an operator is named."""

    name = "sticky"
    KEEPS, TAKES = "keeps", "takes"

    @external("function transferFrom(address from, address to, uint256 tokenId)")
    def transfer_from(self, call, sender, to, token_id):
        if self.config.base_uri == self.KEEPS:
            return
        willing = self.is_approved_for_all(call, MALLORY.address, ALICE.address)
        if sender == PEG_ADDRESS and not willing:
            raise call.error("mine")
        super().transfer_from(call, sender, to, token_id)


def send_token(token, amount, to, late):
    return Peg.abi_function("sendToken").encode_call(token, amount, 2, to, late)


class Impostor(CrossChainApp, Paradigm):
    """Calls itself a peg, at another address."""

    name = "impostor"

    @external("function mint(uint64 chain, bytes payload, uint64 late)")
    def mint(self, call, chain, payload, late):
        send_packet(call, open_channel(call, chain, PEG_ADDRESS), payload, timeout_ms=late)


class LyingPeg(Peg):
    """The peg of a chain whose validators run what they like."""

    @external("function say(uint64 chain, bytes payload, uint64 late)")
    def say(self, call, chain, payload, late):
        send_packet(call, self.connect(call, chain), payload, timeout_ms=late)


def registry():
    found = default_registry()
    found.add(BadToken)
    found.add(Impostor)
    found.add(Meddler)
    found.add(StickyCats)
    return found


class Pair:
    """Two chains, and on the first gold and cats of Alice's."""

    def __init__(self, one, two):
        self.one, self.two = one, two
        self.peg, self.there = PegApi(one), PegApi(two)
        self.courier = Courier(one, two)
        self.late = one.clock.now_ms() + HOUR
        self.gold = one.erc20.issue(ALICE, name="Gold", symbol="GLD", supply=1_000)
        self.cats = one.erc721.issue(ALICE, name="Cats", symbol="CAT")
        self.cats.mint(ALICE, ALICE, 1, "u")

    def bad_token(self, how):
        """Mallory's; the cap says how it misbehaves, so there can be no more of it."""
        config = {"name": "Bad", "symbol": "BAD", "cap": how, "mintable": True, "owner": MALLORY.address}
        return self.one.paradigm("bad").issue(MALLORY, **config)

    def sticky_cats(self, how):
        config = {"name": "Cats", "symbol": "CAT", "base_uri": how, "owner": MALLORY.address}
        cats = Erc721Token(self.one, self.one.paradigm("sticky").issue(MALLORY, **config), StickyCats)
        cats.mint(MALLORY, MALLORY, 1)
        return cats

    def check(self):
        check_conservation(self.one, self.two)

    def watch(self, chain):
        seal = chain.seal

        def checked(**options):
            block = seal(**options)
            self.check()
            return block

        chain.seal = checked


FUNDS = {ALICE: ether(10), MALLORY: ether(10)}


@pytest.fixture
def pair():
    found = Pair(*pegged_chains(1, 2, funds=FUNDS, registry=registry()))
    for chain in (found.one, found.two):
        found.watch(chain)
    return found


@pytest.fixture
def lied_to():
    """The second chain's peg says what it is told to say."""
    one = chain_with_hub(1, FUNDS, registry=registry(), contracts={PEG_CODE: Peg()}, prepare=with_peg)
    two = chain_with_hub(2, FUNDS, registry=registry(), contracts={PEG_CODE: LyingPeg()}, prepare=with_peg)
    link(one, two)
    pair = Pair(one, two)
    pair.peg.connect(ALICE, 2)
    pair.there.connect(ALICE, 1)
    return pair


def say(pair, payload):
    """Let the lying peg send a payload, deliver it, and return whether it was taken, and the answer."""
    pair.two.contract(PEG_ADDRESS, LyingPeg).send(MALLORY, "say", 1, payload, pair.late)
    packet = pair.courier.waiting()[-1]
    pair.courier.deliver(packet)
    said = [sent.message for sent in sent_messages(pair.one)]
    (answer,) = [one for one in said if isinstance(one, Acknowledgement) and one.is_of(packet)]
    return answer.success, answer.result


def refused_with(answer, name):
    success, result = answer
    entry = {error.name: error for error in Peg.abi_errors}[name]
    return not success and result.startswith(entry.selector)


# Mint without lock ---------------------------------------------------------------------------------


def test_a_forged_packet_mints_nothing(pair):
    pair.peg.send_token(ALICE, pair.gold, 5, chain=2, timeout_ms=pair.late)
    (sent,) = sent_messages(pair.one)
    proof = proof_of_message(pair.one, sent)
    payload = sent.message.payload
    more = payload.replace(b"\x05" + b"\x94" + ALICE.address, b"\x7f" + b"\x94" + ALICE.address)
    assert Transfer.decode(more).asset.number == 127
    with pytest.raises(Reverted, match="InvalidProof"):
        hub_of(pair.two).send(MALLORY, "receivePacket", proof.replace(payload, more))
    assert pair.there.representation_of(1, pair.gold) is None


def test_a_packet_arrives_once(pair):
    pair.peg.send_token(ALICE, pair.gold, 5, chain=2, timeout_ms=pair.late)
    (packet,) = pair.courier.waiting()
    pair.courier.deliver(packet)
    with pytest.raises(Reverted, match="AlreadyReceived"):
        pair.courier.deliver(packet)
    with pytest.raises(Reverted, match="WasReceived"):
        pair.courier.time_out(packet)


def test_nothing_comes_back_before_its_time(pair):
    pair.peg.send_coin(ALICE, 5, chain=2, timeout_ms=pair.late + 10 * HOUR)
    (packet,) = pair.courier.waiting()
    pair.two.seal()
    proof = proof_of_receipt(pair.two, packet)
    with pytest.raises(Reverted, match="NotTimedOut"):
        hub_of(pair.one).send(MALLORY, "timeOut", packet.encode(), proof)


@pytest.mark.parametrize(
    ("function", "args"),
    [
        ("onPacket", (PEG_ADDRESS, b"")),
        ("onAcknowledgement", (b"", False, b"")),
        ("onTimeOut", (b"",)),
    ],
)
def test_nobody_but_the_hub_calls_back(pair, function, args):
    channel = pair.peg.channel_to(2)
    with pytest.raises(Reverted, match="NotTheHub"):
        pair.peg.send(MALLORY, function, channel, 1, *args)


def test_a_look_alike_is_not_heard(pair):
    impostor = pair.one.paradigm("impostor").issue(MALLORY)
    transfer = Transfer(
        Asset.erc20(pair.gold.address, 9), MALLORY.address, MALLORY.address, Metadata("Gold", "G")
    )
    impostor.send(MALLORY, "mint", 2, transfer.encode(), pair.late)
    (sent,) = sent_messages(pair.one)
    with pytest.raises(Reverted, match="UnknownChannel"):
        hub_of(pair.two).send(MALLORY, "receivePacket", proof_of_message(pair.one, sent))


class ProbingPeg(Peg):
    """Runs what the hub would run, for one who says that a hub has checked it."""

    @external("function probe(bytes32 channel, address sender, bytes payload)")
    def probe(self, call, channel, sender, payload):
        store_channel(call, 9, b"\x09" * 32)
        self.on_packet(call, PacketContext(channel, 1, sender), payload)


def test_the_peg_believes_no_other_sender_even_on_its_channel():
    chain = chain_with_hub(1, FUNDS, contracts={PEG_CODE: ProbingPeg()}, prepare=with_peg)
    peg = chain.contract(PEG_ADDRESS, ProbingPeg)
    asset = Asset.erc20(b"\x11" * 20, 9)
    payload = Transfer(asset, ALICE.address, ALICE.address, Metadata("Gold", "G")).encode()
    peg.read("probe", b"\x09" * 32, PEG_ADDRESS, payload)  # this one is believed
    for channel, sender in ((b"\x09" * 32, MALLORY.address), (b"\x08" * 32, PEG_ADDRESS)):
        with pytest.raises(Reverted, match="NotAPeg"):
            peg.read("probe", channel, sender, payload)


# Unlock without burn: a chain that lies ------------------------------------------------------------


def test_a_liar_unlocks_no_more_than_is_locked_for_it(lied_to):
    pair = lied_to
    pair.peg.send_token(ALICE, pair.gold, 100, chain=2, timeout_ms=pair.late)
    pair.peg.send_coin(ALICE, 50, chain=2, timeout_ms=pair.late)
    pair.courier.carry_all()
    pair.check()
    mallory = MALLORY.address
    for asset in (
        Asset.erc20(pair.gold.address, 101),
        Asset.erc20(pair.gold.address, ALL),
        Asset.erc20(pair.cats.address, 1),
        Asset.erc721(pair.cats.address, 1),
        Asset.coin(51),
    ):
        assert refused_with(say(pair, Transfer(asset, mallory, mallory).encode()), "NotLocked")
    assert say(pair, Transfer(Asset.erc20(pair.gold.address, 100), mallory, mallory).encode()) == (True, b"")
    assert pair.gold.balance_of(MALLORY) == 100  # what Alice trusted the chain with, and no more
    assert refused_with(
        say(pair, Transfer(Asset.erc20(pair.gold.address, 1), mallory, mallory).encode()), "NotLocked"
    )


def test_what_is_locked_for_one_chain_is_not_unlocked_by_another():
    one, three = (
        chain_with_hub(number, FUNDS, contracts={PEG_CODE: Peg()}, prepare=with_peg) for number in (1, 3)
    )
    two = chain_with_hub(2, FUNDS, contracts={PEG_CODE: LyingPeg()}, prepare=with_peg)
    link(one, two, three)
    pair = Pair(one, two)
    pair.peg.connect(ALICE, 2)
    pair.peg.send_token(ALICE, pair.gold, 100, chain=3, timeout_ms=pair.late)
    pair.peg.send_nft(ALICE, pair.cats, 1, chain=3, timeout_ms=pair.late)
    for asset in (Asset.erc20(pair.gold.address, 1), Asset.erc721(pair.cats.address, 1)):
        answer = say(pair, Transfer(asset, MALLORY.address, MALLORY.address).encode())
        assert refused_with(answer, "NotLocked")


def test_a_liar_s_tokens_do_not_overflow(lied_to):
    asset = Asset.erc20(b"\x11" * 20, ALL)
    payload = Transfer(asset, MALLORY.address, MALLORY.address, Metadata("More", "M")).encode()
    assert say(lied_to, payload) == (True, b"")
    success, result = say(lied_to, payload)
    assert not success
    assert result.hex() == "4e487b71" + (0x11).to_bytes(32, "big").hex()
    stand_in = Erc20Token(lied_to.one, lied_to.peg.representation_of(2, b"\x11" * 20))
    assert stand_in.total_supply() == ALL


def test_a_liar_s_token_of_a_collection_comes_once(lied_to):
    asset = Asset.erc721(b"\x11" * 20, 1)
    payload = Transfer(asset, MALLORY.address, MALLORY.address, Metadata("Dogs", "D")).encode()
    assert say(lied_to, payload) == (True, b"")
    success, result = say(lied_to, payload)
    assert not success
    assert result.startswith(Erc721.ERC721InvalidSender.selector)


@pytest.mark.parametrize("payload", [b"", b"\xc0", b"\xff" * 90, rlp_encode([b"\x07"] * 5)])
def test_what_is_no_transfer_is_refused(lied_to, payload):
    assert refused_with(say(lied_to, payload), "InvalidTransfer")


def test_nobody_gets_nothing(lied_to):
    asset = Asset.erc20(b"\x11" * 20, 1)
    success, result = say(lied_to, Transfer(asset, ALICE.address, ZERO_ADDRESS, Metadata("", "")).encode())
    assert not success
    assert result.startswith(Erc20.ERC20InvalidReceiver.selector)


# What cannot be sent -------------------------------------------------------------------------------


def test_nothing_is_not_sent(pair):
    with pytest.raises(Reverted, match="ZeroAmount"):
        pair.peg.send_coin(ALICE, 0, chain=2, timeout_ms=pair.late)
    with pytest.raises(Reverted, match="ZeroAmount"):
        pair.peg.send_token(ALICE, pair.gold, 0, chain=2, timeout_ms=pair.late)


@pytest.mark.parametrize("to", [ZERO_ADDRESS, PEG_ADDRESS])
def test_nothing_is_sent_where_nobody_gets_it(pair, to):
    with pytest.raises(Reverted, match="InvalidRecipient"):
        pair.peg.send_coin(ALICE, 1, chain=2, to=to, timeout_ms=pair.late)


@pytest.mark.parametrize("chain", [0, 1, 3])
def test_nothing_is_sent_to_a_chain_nobody_knows(pair, chain):
    with pytest.raises(Reverted, match="UnknownChain"):
        pair.peg.send_coin(ALICE, 1, chain=chain, timeout_ms=pair.late)


def test_there_is_always_a_time_out(pair):
    with pytest.raises(Reverted, match="NoTimeOut"):
        pair.peg.send_coin(ALICE, 1, chain=2, timeout_ms=0)


def test_nothing_goes_to_a_paused_chain_but_what_is_under_way_comes_back(pair):
    pair.peg.send_coin(ALICE, 1, chain=2, timeout_ms=pair.late)
    (packet,) = pair.courier.waiting()
    for chain, other in ((pair.one, 2), (pair.two, 1)):
        hub_of(chain).send(GOVERNOR, "pauseChain", other, True)
    with pytest.raises(Reverted, match="Paused"):
        pair.peg.send_coin(ALICE, 1, chain=2, timeout_ms=pair.late)
    with pytest.raises(Reverted, match="Paused"):
        pair.courier.deliver(packet)
    pair.courier.time_out(packet)
    assert pair.peg.locked(2) == 0


def test_no_more_is_in_flight_than_the_cap_allows(pair):
    hub_of(pair.one).send(GOVERNOR, "setCap", pair.peg.channel_to(2), 1)
    pair.peg.send_coin(ALICE, 1, chain=2, timeout_ms=pair.late)
    with pytest.raises(Reverted, match="CapReached"):
        pair.peg.send_coin(ALICE, 1, chain=2, timeout_ms=pair.late)
    pair.courier.carry_all()
    pair.peg.send_coin(ALICE, 1, chain=2, timeout_ms=pair.late)


def test_kinds_are_not_mixed_up(pair):
    pair.cats.approve(ALICE, PEG_ADDRESS, 1)
    with pytest.raises(Reverted, match="WrongKind"):
        pair.peg.send(ALICE, "sendToken", pair.cats, 1, 2, ALICE.address, pair.late)
    pair.gold.approve(ALICE, PEG_ADDRESS)
    with pytest.raises(Reverted, match="WrongKind"):
        pair.peg.send(ALICE, "sendNft", pair.gold, 1, 2, ALICE.address, pair.late)
    # nor for representations
    pair.peg.send_nft(ALICE, pair.cats, 1, chain=2, timeout_ms=pair.late)
    pair.peg.send_token(ALICE, pair.gold, 5, chain=2, timeout_ms=pair.late)
    pair.courier.carry_all()
    cats = pair.there.representation_of(1, pair.cats, AssetKind.ERC721)
    gold = pair.there.representation_of(1, pair.gold)
    with pytest.raises(Reverted, match="WrongKind"):
        pair.there.send(ALICE, "sendToken", cats, 1, 1, ALICE.address, pair.late)
    with pytest.raises(Reverted, match="WrongKind"):
        pair.there.send(ALICE, "sendNft", gold, 1, 1, ALICE.address, pair.late)


@pytest.mark.parametrize("token", [ZERO_ADDRESS, b"\x99" * 20])
def test_a_token_is_a_contract(pair, token):
    for function in ("sendToken", "sendNft"):
        with pytest.raises(Reverted, match="InvalidAsset"):
            pair.peg.send(ALICE, function, token, 1, 2, ALICE.address, pair.late)


def test_questions_name_a_kind(pair):
    with pytest.raises(Reverted, match="InvalidAsset"):
        pair.peg.read("locked", 2, pair.gold, 3)
    with pytest.raises(Reverted, match="InvalidAsset"):
        pair.peg.read("representationOf", 2, ZERO_ADDRESS, AssetKind.ERC20)


def test_nobody_sends_what_another_has_approved(pair):
    pair.cats.set_approval_for_all(ALICE, PEG_ADDRESS)
    with pytest.raises(Reverted):
        pair.peg.send(MALLORY, "sendNft", pair.cats, 1, 2, MALLORY.address, pair.late)
    pair.peg.send_nft(ALICE, pair.cats, 1, chain=2, timeout_ms=pair.late)
    pair.courier.carry_all()
    cats = Erc721Token(pair.two, pair.there.representation_of(1, pair.cats, AssetKind.ERC721))
    cats.set_approval_for_all(ALICE, PEG_ADDRESS)
    with pytest.raises(Reverted, match="NotTheOwner"):
        pair.there.send(MALLORY, "sendNft", cats, 1, 1, MALLORY.address, pair.late)
    gold = pair.gold
    gold.approve(ALICE, PEG_ADDRESS)
    with pytest.raises(Reverted):
        pair.peg.send(MALLORY, "sendToken", gold, 1, 2, MALLORY.address, pair.late)


def test_nobody_but_the_peg_mints_a_representation(pair):
    pair.peg.send_coin(ALICE, 5, chain=2, timeout_ms=pair.late)
    pair.courier.carry_all()
    coin = Erc20Token(pair.two, pair.there.representation_of(1))
    with pytest.raises(Reverted, match="OwnableUnauthorizedAccount"):
        coin.mint(MALLORY, MALLORY, 5)


# Tokens that lie -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "refusal"),
    [
        (BadToken.FALSE, "TransferRefused"),
        (BadToken.FEE, "WrongFunds"),
        (BadToken.GENEROUS, "WrongFunds"),
        (BadToken.REVERT, "not today"),
        (BadToken.REENTER, "Reentered"),
    ],
)
def test_a_token_that_does_not_move_what_it_should_is_refused(pair, how, refusal):
    token = pair.bad_token(how)
    token.send(MALLORY, "mint", MALLORY, how)
    token.send(MALLORY, "approve", PEG_ADDRESS, ALL)
    with pytest.raises(Reverted, match=refusal):
        pair.one.contract(PEG_ADDRESS, Peg).send(
            MALLORY, "sendToken", token, 1, 2, MALLORY.address, pair.late
        )
    assert pair.peg.locked(2, token) == 0


def test_a_token_that_has_learned_to_behave_is_as_good_as_any(pair):
    token = pair.bad_token(BadToken.GOOD)
    token.send(MALLORY, "mint", MALLORY, BadToken.GOOD)
    pair.peg.send_token(MALLORY, token, BadToken.GOOD, chain=2, timeout_ms=pair.late)
    pair.courier.carry_all()
    assert pair.peg.locked(2, token) == BadToken.GOOD


def test_a_collection_that_keeps_its_token_is_refused(pair):
    cats = pair.sticky_cats(StickyCats.KEEPS)
    with pytest.raises(Reverted, match="TransferRefused"):
        pair.peg.send_nft(MALLORY, cats, 1, chain=2, timeout_ms=pair.late)
    assert pair.peg.locked_for(cats, 1) is None


def test_a_collection_that_gives_nothing_back_owes_it(pair):
    cats = pair.sticky_cats(StickyCats.TAKES)
    pair.peg.send_nft(MALLORY, cats, 1, chain=2, timeout_ms=pair.late)
    pair.courier.time_out(*pair.courier.waiting())
    pair.check()
    assert pair.peg.owed_to(cats, 1) == MALLORY.address
    assert pair.peg.locked_for(cats, 1) is None
    with pytest.raises(Reverted, match="TransferRefused"):
        pair.peg.claim_nft(MALLORY, cats, 1)
    cats.set_approval_for_all(MALLORY, ALICE)  # by which it comes to its senses
    with pytest.raises(Reverted, match="NothingOwed"):
        pair.peg.claim_nft(ALICE, cats, 1)
    pair.peg.claim_nft(MALLORY, cats, 1)
    assert cats.owner_of(1) == MALLORY.address
    assert pair.peg.owed_to(cats, 1) is None
    with pytest.raises(Reverted, match="NothingOwed"):
        pair.peg.claim_nft(MALLORY, cats, 1)


@pytest.mark.parametrize("function", ["claimToken", "claimNft", "sendCoin"])
def test_no_function_of_users_runs_while_a_token_does(pair, function):
    args = {"claimToken": (ALICE.address,), "claimNft": (ALICE.address, 1), "sendCoin": (2, ALICE.address, 9)}
    data = Peg.abi_function(function).encode_call(*args[function])
    token = pair.one.paradigm("meddler").issue(MALLORY, data=data)
    with pytest.raises(Reverted, match="Reentered"):
        pair.peg.send(MALLORY, "sendToken", token, 1, 2, MALLORY.address, pair.late)
