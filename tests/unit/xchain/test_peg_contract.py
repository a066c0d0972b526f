"""Coin, tokens and collections that travel between three chains, and come back."""

import pytest

from chainstack_sdk.core.genesis import Genesis
from chainstack_sdk.paradigms import Erc20, Erc20Token, Erc721Token, Paradigm, default_registry
from chainstack_sdk.primitives.address import ZERO_ADDRESS
from chainstack_sdk.primitives.errors import Reverted, UsageError
from chainstack_sdk.primitives.units import ether
from chainstack_sdk.testing.fixed import accounts
from chainstack_sdk.testing.peg import Courier, check_conservation, pegged_chains
from chainstack_sdk.testing.xchain import hub_of
from chainstack_sdk.xchain.addresses import PEG_ADDRESS
from chainstack_sdk.xchain.custody import AssetKind
from chainstack_sdk.xchain.peg import PegApi, PeggedClass, with_peg

ALICE, BOB = accounts(2)
HOUR = 3_600_000


class Nameless(Erc20):
    """A token that does not say what it is called, or says it badly."""

    name = "nameless"

    def invoke(self, call, data):
        if data[:4] in (self.abi_function("name").selector, self.abi_function("decimals").selector):
            return b"\x01"
        if data[:4] == self.abi_function("symbol").selector:
            raise Reverted("none")
        return super().invoke(call, data)


class Deaf(Paradigm):
    """A contract that takes no tokens of collections."""

    name = "deaf"


class World:
    """Three chains with pegs, where the law is checked after every block."""

    def __init__(self, **options):
        registry = default_registry()
        registry.add(Nameless)
        registry.add(Deaf)
        funds = {ALICE: ether(10), BOB: ether(10)}
        self.chains = pegged_chains(1, 2, 3, funds=funds, registry=registry, **options)
        self.courier = Courier(*self.chains)
        self.pegs = [PegApi(chain) for chain in self.chains]
        self.late = self.chains[0].clock.now_ms() + HOUR
        for chain in self.chains:
            self.watch(chain)

    def watch(self, chain):
        seal = chain.seal

        def checked(**options):
            block = seal(**options)
            check_conservation(*self.chains)
            return block

        chain.seal = checked

    def one(self):
        """The only packet that waits."""
        (packet,) = self.courier.waiting()
        return packet

    def gold(self, owner=ALICE, **config):
        config = {"name": "Gold", "symbol": "GLD", "decimals": 6, "supply": 1_000, **config}
        return self.chains[0].erc20.issue(owner, **config)

    def cats(self, owner=ALICE):
        cats = self.chains[0].erc721.issue(owner, name="Cats", symbol="CAT")
        for number in (0, 7):
            cats.mint(owner, owner, number, f"ipfs://cat/{number}")
        return cats


@pytest.fixture
def world():
    return World()


# There and back


def test_coin_goes_there_and_back(world):
    (one, two, _), (peg, there, _) = world.chains, world.pegs
    before = one.balance(ALICE)
    receipt = peg.send_coin(ALICE, 500, chain=2, to=BOB, timeout_ms=world.late)
    (sent,) = peg.events("Sent", sender=ALICE.address)
    assert sent.args == {
        "chain": 2,
        "token": ZERO_ADDRESS,
        "sender": ALICE.address,
        "kind": AssetKind.COIN,
        "number": 500,
        "to": BOB.address,
        "sequence": 1,
    }
    assert one.balance(ALICE) == before - 500 - receipt.gas_used * receipt.effective_gas_price
    assert peg.locked(2) == one.balance(PEG_ADDRESS) == 500
    assert there.representation_of(1) is None
    world.courier.carry_all()

    coin = Erc20Token(two, there.representation_of(1))
    assert (coin.name, coin.symbol, coin.decimals) == ("Coin (chain 1)", "COIN", 18)
    assert coin.balance_of(BOB) == coin.total_supply() == 500
    assert coin.owner() == PEG_ADDRESS
    assert there.origin_of(coin) == PeggedClass(AssetKind.COIN, 1, ZERO_ADDRESS)
    (issued,) = there.events("RepresentationIssued")
    assert issued.args["representation"] == coin.address

    there.send_token(BOB, coin, 200, chain=1, to=ALICE, timeout_ms=world.late)
    assert coin.total_supply() == 300
    before = one.balance(ALICE)
    world.courier.carry_all()
    assert one.balance(ALICE) == before + 200
    assert peg.locked(2) == one.balance(PEG_ADDRESS) == 300
    assert peg.events("Received", to=ALICE.address)[0].args["number"] == 200


def test_a_coin_is_called_what_the_genesis_says():
    world = World(prepare=lambda genesis: with_peg(genesis, "Ducat", "DUC"))
    world.pegs[0].send_coin(ALICE, 1, chain=2, timeout_ms=world.late)
    world.courier.carry_all()
    ducat = Erc20Token(world.chains[1], world.pegs[1].representation_of(1))
    assert (ducat.name, ducat.symbol, ducat.balance_of(ALICE)) == ("Ducat (chain 1)", "DUC", 1)


def test_a_token_goes_there_and_back(world):
    gold = world.gold()
    peg, there, _ = world.pegs
    peg.send_token(ALICE, gold, 400, chain=2, to=BOB, timeout_ms=world.late)
    assert (gold.balance_of(ALICE), gold.balance_of(PEG_ADDRESS), peg.locked(2, gold)) == (600, 400, 400)
    world.courier.carry_all()
    stand_in = Erc20Token(world.chains[1], there.representation_of(1, gold))
    assert (stand_in.name, stand_in.symbol, stand_in.decimals) == ("Gold (chain 1)", "GLD", 6)
    assert stand_in.balance_of(BOB) == 400
    assert there.origin_of(gold) is None

    peg.send_token(ALICE, gold, 100, chain=2, to=BOB, timeout_ms=world.late)
    world.courier.carry_all()
    assert stand_in.balance_of(BOB) == 500
    assert len(there.events("RepresentationIssued")) == 1

    there.send_token(BOB, stand_in, 500, chain=1, timeout_ms=world.late)
    world.courier.carry_all()
    assert (stand_in.total_supply(), gold.balance_of(BOB), peg.locked(2, gold)) == (0, 500, 0)


def test_a_token_of_a_collection_goes_there_and_back(world):
    cats, (peg, there, _) = world.cats(), world.pegs
    for number in (0, 7):
        peg.send_nft(ALICE, cats, number, chain=2, to=BOB, timeout_ms=world.late)
    assert cats.owner_of(7) == PEG_ADDRESS
    assert peg.locked(2, cats, AssetKind.ERC721) == 2
    assert peg.locked_for(cats, 7) == 2
    world.courier.carry_all()
    stand_in = Erc721Token(world.chains[1], there.representation_of(1, cats, AssetKind.ERC721))
    assert (stand_in.name, stand_in.symbol) == ("Cats (chain 1)", "CAT")
    assert stand_in.owner_of(0) == stand_in.owner_of(7) == BOB.address
    assert stand_in.token_uri(7) == "ipfs://cat/7"

    there.send_nft(BOB, stand_in, 7, chain=1, timeout_ms=world.late)
    world.courier.carry_all()
    assert cats.owner_of(7) == BOB.address
    assert stand_in.tokens() == [0]
    assert peg.locked_for(cats, 7) is None
    assert peg.locked(2, cats, AssetKind.ERC721) == 1


def test_many_hops_unwind_step_by_step(world):
    gold, (first, second, third) = world.gold(), world.pegs
    first.send_token(ALICE, gold, 100, chain=2, timeout_ms=world.late)
    world.courier.carry_all()
    on_two = Erc20Token(world.chains[1], second.representation_of(1, gold))
    second.send_token(ALICE, on_two, 60, chain=3, timeout_ms=world.late)
    world.courier.carry_all()
    on_three = Erc20Token(world.chains[2], third.representation_of(2, on_two))
    assert on_three.name == "Gold (chain 1) (chain 2)"
    assert on_two.total_supply() == 100  # locked, not burnt
    assert second.locked(3, on_two) == 60

    # by another way home it is something else: chain 1 has never seen gold of chain 3
    third.send_token(ALICE, on_three, 10, chain=1, timeout_ms=world.late)
    world.courier.carry_all()
    roundabout = Erc20Token(world.chains[0], first.representation_of(3, on_three))
    assert roundabout.name == "Gold (chain 1) (chain 2) (chain 3)"
    assert gold.balance_of(ALICE) == 900
    first.send_token(ALICE, roundabout, 10, chain=3, timeout_ms=world.late)
    world.courier.carry_all()

    third.send_token(ALICE, on_three, 60, chain=2, timeout_ms=world.late)
    world.courier.carry_all()
    second.send_token(ALICE, on_two, 100, chain=1, timeout_ms=world.late)
    world.courier.carry_all()
    assert gold.balance_of(ALICE) == 1_000
    supplies = [token.total_supply() for token in (on_two, on_three, roundabout)]
    assert supplies == [0, 0, 0]


def test_a_collection_takes_two_hops(world):
    cats, (first, second, third) = world.cats(), world.pegs
    first.send_nft(ALICE, cats, 7, chain=2, timeout_ms=world.late)
    world.courier.carry_all()
    on_two = Erc721Token(world.chains[1], second.representation_of(1, cats, AssetKind.ERC721))
    second.send_nft(ALICE, on_two, 7, chain=3, to=BOB, timeout_ms=world.late)
    world.courier.carry_all()
    on_three = Erc721Token(world.chains[2], third.representation_of(2, on_two, AssetKind.ERC721))
    assert on_three.token_uri(7) == "ipfs://cat/7"
    third.send_nft(BOB, on_three, 7, chain=2, timeout_ms=world.late)
    world.courier.carry_all()
    second.send_nft(BOB, on_two, 7, chain=1, timeout_ms=world.late)
    world.courier.carry_all()
    assert cats.owner_of(7) == BOB.address


# Refunds


def test_coin_comes_back_when_time_runs_out(world):
    before = world.chains[0].balance(ALICE)
    receipt = world.pegs[0].send_coin(ALICE, 500, chain=2, timeout_ms=world.late)
    packet = world.one()
    world.courier.time_out(packet)
    paid = receipt.gas_used * receipt.effective_gas_price
    assert world.chains[0].balance(ALICE) == before - paid
    (refunded,) = world.pegs[0].events("Refunded", sender=ALICE.address)
    assert (refunded.args["number"], refunded.args["sequence"]) == (500, 1)
    with pytest.raises(Reverted, match="TimedOut"):
        world.courier.deliver(packet)
    with pytest.raises(Reverted, match="AlreadySettled"):
        world.courier.time_out(packet)


def test_tokens_come_back_when_time_runs_out(world):
    gold, cats, peg = world.gold(), world.cats(), world.pegs[0]
    peg.send_token(ALICE, gold, 400, chain=2, timeout_ms=world.late)
    peg.send_nft(ALICE, cats, 7, chain=2, timeout_ms=world.late)
    for packet in world.courier.waiting():
        world.courier.time_out(packet)
    assert gold.balance_of(ALICE) == 1_000
    assert cats.owner_of(7) == ALICE.address
    assert peg.locked(2, gold) == peg.locked(2, cats, AssetKind.ERC721) == 0


def test_what_was_burnt_is_made_again_when_time_runs_out(world):
    gold, cats, (peg, there, _) = world.gold(), world.cats(), world.pegs
    peg.send_token(ALICE, gold, 400, chain=2, timeout_ms=world.late)
    peg.send_nft(ALICE, cats, 7, chain=2, timeout_ms=world.late)
    peg.send_coin(ALICE, 30, chain=2, timeout_ms=world.late)
    world.courier.carry_all()
    token = Erc20Token(world.chains[1], there.representation_of(1, gold))
    coin = Erc20Token(world.chains[1], there.representation_of(1))
    nft = Erc721Token(world.chains[1], there.representation_of(1, cats, AssetKind.ERC721))
    there.send_token(ALICE, token, 150, chain=1, to=BOB, timeout_ms=world.late)
    there.send_token(ALICE, coin, 30, chain=1, to=BOB, timeout_ms=world.late)
    there.send_nft(ALICE, nft, 7, chain=1, to=BOB, timeout_ms=world.late)
    assert nft.total_supply() == coin.total_supply() == 0
    for packet in world.courier.waiting():
        world.courier.time_out(packet)
    assert (token.balance_of(ALICE), coin.balance_of(ALICE), nft.owner_of(7)) == (400, 30, ALICE.address)
    assert nft.token_uri(7) == "ipfs://cat/7"


def test_a_contract_that_takes_no_token_of_a_collection_sends_it_back(world):
    cats, (peg, there, _) = world.cats(), world.pegs
    deaf = world.chains[1].paradigm("deaf").issue(BOB)
    peg.send_nft(ALICE, cats, 7, chain=2, to=deaf, timeout_ms=world.late)
    packet = world.one()
    world.courier.deliver(packet)
    assert there.representation_of(1, cats, AssetKind.ERC721) is None  # nothing of it remains
    world.courier.acknowledge(packet)
    assert cats.owner_of(7) == ALICE.address
    with pytest.raises(Reverted, match="AlreadySettled"):
        world.courier.acknowledge(packet)

    # and on the way home
    peg.send_nft(ALICE, cats, 7, chain=2, timeout_ms=world.late)
    world.courier.carry_all()
    stand_in = Erc721Token(world.chains[1], there.representation_of(1, cats, AssetKind.ERC721))
    unwilling = world.chains[0].paradigm("deaf").issue(BOB)
    there.send_nft(ALICE, stand_in, 7, chain=1, to=unwilling, timeout_ms=world.late)
    world.courier.carry_all()
    assert stand_in.owner_of(7) == ALICE.address
    assert cats.owner_of(7) == PEG_ADDRESS


def test_a_paused_token_that_comes_home_goes_back(world):
    gold, (peg, there, _) = world.gold(pausable=True), world.pegs
    peg.send_token(ALICE, gold, 400, chain=2, timeout_ms=world.late)
    world.courier.carry_all()
    stand_in = Erc20Token(world.chains[1], there.representation_of(1, gold))
    there.send_token(ALICE, stand_in, 100, chain=1, timeout_ms=world.late)
    gold.pause(ALICE)
    world.courier.carry_all()
    assert stand_in.balance_of(ALICE) == 400
    assert peg.locked(2, gold) == 400


def test_a_refund_that_a_token_refuses_is_owed(world):
    gold, peg = world.gold(pausable=True), world.pegs[0]
    for amount in (400, 100):
        peg.send_token(ALICE, gold, amount, chain=2, timeout_ms=world.late)
    gold.pause(ALICE)
    for packet in world.courier.waiting():
        world.courier.time_out(packet)
    assert (peg.owed(gold, ALICE), peg.locked(2, gold), gold.balance_of(ALICE)) == (500, 0, 500)
    assert [owed.args["number"] for owed in peg.events("Owed", account=ALICE.address)] == [400, 100]
    with pytest.raises(Reverted, match="TransferRefused"):
        peg.claim_token(ALICE, gold)
    gold.unpause(ALICE)
    with pytest.raises(Reverted, match="NothingOwed"):
        peg.claim_token(BOB, gold)
    peg.claim_token(ALICE, gold)
    assert (peg.owed(gold, ALICE), gold.balance_of(ALICE)) == (0, 1_000)
    assert peg.events("Claimed")[0].args["number"] == 500
    with pytest.raises(Reverted, match="NothingOwed"):
        peg.claim_token(ALICE, gold)


# What tokens say of themselves


def test_a_token_without_names_travels_all_the_same(world):
    token = (
        world.chains[0]
        .paradigm("nameless")
        .issue(
            ALICE,
            name="x",
            symbol="x",
            decimals=3,
            supply=9,
            owner=ALICE.address,
        )
    )
    world.pegs[0].send_token(ALICE, token, 9, chain=2, timeout_ms=world.late)
    world.courier.carry_all()
    stand_in = Erc20Token(world.chains[1], world.pegs[1].representation_of(1, token))
    assert (stand_in.name, stand_in.symbol, stand_in.decimals) == (" (chain 1)", "", 0)


def test_long_names_are_cut(world):
    gold = world.gold(name="ü" * 200, symbol="S" * 40)
    world.pegs[0].send_token(ALICE, gold, 9, chain=2, timeout_ms=world.late)
    world.courier.carry_all()
    stand_in = Erc20Token(world.chains[1], world.pegs[1].representation_of(1, gold))
    assert (stand_in.name, stand_in.symbol) == ("ü" * 49 + " (chain 1)", "S" * 32)


def test_a_uri_that_is_too_long_stays_at_home(world):
    cats = world.cats()
    cats.mint(ALICE, ALICE, 9, "u" * 4_097)
    with pytest.raises(Reverted, match="InvalidTransfer"):
        world.pegs[0].send_nft(ALICE, cats, 9, chain=2, timeout_ms=world.late)


# Channels and genesis


def test_a_first_sending_opens_the_channel():
    from chainstack_sdk.testing.xchain import linked_chains
    from chainstack_sdk.xchain.peg import PEG_CODE, Peg

    one, two = linked_chains(1, 2, contracts={PEG_CODE: Peg()}, prepare=with_peg, funds={ALICE: ether(1)})
    peg, late = PegApi(one), one.clock.now_ms() + HOUR
    assert peg.channel_to(2) is None
    peg.send_coin(ALICE, 5, chain=2, timeout_ms=late)
    channel = peg.channel_to(2)
    courier = Courier(one, two)
    (packet,) = courier.waiting()
    with pytest.raises(Reverted, match="UnknownChannel"):
        courier.deliver(packet)
    PegApi(two).connect(ALICE, 1)
    assert PegApi(two).channel_to(1) == channel
    PegApi(two).connect(ALICE, 1)
    assert len(PegApi(two).events("Connected", chain=1)) == 1
    courier.carry_all()
    assert hub_of(one).read("inFlight", channel) == 0
    check_conservation(one, two)


def test_a_genesis_has_one_peg_and_its_coin_a_name():
    with pytest.raises(UsageError):
        with_peg(with_peg(Genesis(5, {})))
    for name in ("", "n" * 32):
        with pytest.raises(UsageError):
            with_peg(Genesis(5, {}), name)
