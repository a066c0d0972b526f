"""The check itself: it notices whatever is made or lost."""

import pytest

from chainstack_sdk.core.native import array_slot, external, mapping_slot, slot
from chainstack_sdk.paradigms import Paradigm, default_registry
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.units import ether
from chainstack_sdk.testing.fixed import accounts
from chainstack_sdk.testing.peg import ConservationBroken, Courier, check_conservation, pegged_chains
from chainstack_sdk.xchain.addresses import PEG_ADDRESS
from chainstack_sdk.xchain.custody import AssetKind
from chainstack_sdk.xchain.peg import PegApi, PeggedClass

(ALICE,) = accounts(1)
HOUR = 3_600_000
LOCKED, PLACES = 3, 6


class Vandal(Paradigm):
    """Writes into other contracts, which nothing in the library lets anybody do."""

    name = "vandal"

    @external("function put(address at, bytes32 key, uint256 value)")
    def put(self, call, at, key, value):
        call._env.state.set_storage(at, key, value)

    @external("function leave(address who, uint256 wei)")
    def leave(self, call, who, wei):
        call._env.state.set_balance(who, wei)


@pytest.fixture
def chains():
    """Of each kind something has arrived on chain 2, and something is on its way there."""
    registry = default_registry()
    registry.add(Vandal)
    chains = pegged_chains(1, 2, 3, funds={ALICE: ether(1)}, registry=registry)
    one, late = chains[0], chains[0].clock.now_ms() + HOUR
    peg, courier = PegApi(one), Courier(*chains)
    gold = one.erc20.issue(ALICE, name="Gold", symbol="GLD", supply=100, burnable=True)
    cats = one.erc721.issue(ALICE, name="Cats", symbol="CAT")
    for number in (1, 2):
        cats.mint(ALICE, ALICE, number)
        peg.send_coin(ALICE, 10, chain=2, timeout_ms=late)
        peg.send_token(ALICE, gold, 10, chain=2, timeout_ms=late)
        peg.send_nft(ALICE, cats, number, chain=2, timeout_ms=late)
        if number == 1:
            courier.carry_all()
    check_conservation(*chains)
    return chains, gold, cats


def put(chain, key, value, address=PEG_ADDRESS):
    chain.paradigm("vandal").issue(ALICE).send(ALICE, "put", address, key, value)


def leave(chain, wei):
    chain.paradigm("vandal").issue(ALICE).send(ALICE, "leave", PEG_ADDRESS, wei)


def locked_key(kind, token, chain=2):
    return mapping_slot(slot(LOCKED), PeggedClass(kind, chain, token).key)


@pytest.mark.parametrize("locked", [0, 10, 19, 21])
def test_coin_out_of_nothing(chains, locked):
    (one, *_), _, _ = chains
    put(one, locked_key(AssetKind.COIN, bytes(20)), locked)
    with pytest.raises(ConservationBroken, match=rf"COIN .*: {locked} locked, 10 represented, 10 in flight"):
        check_conservation(*chains[0])


def test_tokens_out_of_nothing(chains):
    (_, two, _), gold, _ = chains
    put(two, slot(2), 11, PegApi(two).representation_of(1, gold))
    with pytest.raises(ConservationBroken, match=r"ERC20 .*: 20 locked, 11 represented, 10 in flight"):
        check_conservation(*chains[0])


def test_coin_that_the_peg_does_not_have(chains):
    (one, *_), _, _ = chains
    leave(one, 19)
    with pytest.raises(ConservationBroken, match=r"19 of .* held, 20 due"):
        check_conservation(*chains[0])


def test_tokens_that_the_peg_does_not_have(chains):
    (one, *_), gold, _ = chains
    put(one, mapping_slot(slot(0), PEG_ADDRESS), 19, gold.address)
    with pytest.raises(ConservationBroken, match=r"19 of .* held, 20 due"):
        check_conservation(*chains[0])


def test_a_token_of_a_collection_in_two_places(chains):
    (_, two, _), _, cats = chains
    stand_in = PegApi(two).representation_of(1, cats, AssetKind.ERC721)
    put(two, array_slot(slot(8), 0), 2, stand_in)  # the list of all tokens
    with pytest.raises(ConservationBroken, match="number 2 is in 2 places"):
        check_conservation(*chains[0])


def test_a_token_of_a_collection_that_is_not_locked(chains):
    (one, *_), _, cats = chains
    put(one, mapping_slot(mapping_slot(slot(PLACES), cats.address), 1), 3)
    with pytest.raises(ConservationBroken, match="number 1 is not locked"):
        check_conservation(*chains[0])


def test_a_token_of_a_collection_that_the_peg_does_not_have(chains):
    (one, *_), _, cats = chains
    put(one, mapping_slot(slot(2), 2), int.from_bytes(ALICE.address, "big"), cats.address)
    with pytest.raises(ConservationBroken, match="number 2 is locked, but the peg does not have it"):
        check_conservation(*chains[0])


def test_a_token_of_a_collection_that_is_nowhere(chains):
    (one, *_), _, cats = chains
    put(one, locked_key(AssetKind.ERC721, cats.address), 3)
    with pytest.raises(ConservationBroken, match="3 locked, 2 elsewhere"):
        check_conservation(*chains[0])


def test_only_the_chains_that_are_given_are_looked_at(chains):
    one, two, three = chains[0]
    leave(one, 0)
    check_conservation(one, three)
    check_conservation(two, three)


def test_a_courier_carries_only_what_was_sent(chains):
    all_chains, *_ = chains
    courier = Courier(*all_chains)
    packet = courier.waiting()[0]
    with pytest.raises(UsageError):
        courier.acknowledge(packet)
    courier.deliver(packet)
    courier.carry_all()
    assert courier.waiting() == []
