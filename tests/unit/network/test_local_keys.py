"""A chain's key in one process: hand-overs, going back, coming back from a record."""

from __future__ import annotations

import pytest

from chainstack_sdk import Chain, ChainConfig, InvalidInput, ether
from chainstack_sdk.consensus.chainkey import CHAIN_KEY_ADDRESS, ChainKeyContract, read_key_state
from chainstack_sdk.consensus.kinds.members import PbftChain
from chainstack_sdk.core import MemoryStore
from chainstack_sdk.core.view import ChainView
from chainstack_sdk.cspv import AccountKey
from chainstack_sdk.network.final_blocks import MAX_TOLD, FinalBlocks
from chainstack_sdk.network.hosting import HostedConsensus, keyed_of, local_members
from chainstack_sdk.network.local import local_consensus
from chainstack_sdk.network.record import MemoryRecord
from chainstack_sdk.primitives.errors import InvariantBroken
from chainstack_sdk.testing import accounts

ALICE, BOB = accounts(2)


def keyed(name: str = "pbft", blocks_per_slot: int = 8, **options) -> Chain:
    consensus = local_consensus(name, blocks_per_slot=blocks_per_slot, **options)
    return Chain.in_memory({ALICE: ether(1)}, consensus=consensus)


def seal(chain: Chain, height: int) -> None:
    while chain.height < height:
        chain.seal()


def key_of(chain: Chain):
    return read_key_state(chain.blockchain.state)


def balance_proven(chain: Chain, height: int | None = None) -> int:
    return chain.anchor.verify(chain.prove(AccountKey(ALICE.address), height=height)).balance


@pytest.mark.parametrize("name", ["dpow", "pos", "pbft", "dpos"])
def test_the_key_stays_and_its_holders_change(name: str) -> None:
    slot = 16 if name == "dpos" else 8  # delegates' blocks are final some blocks later
    chain = keyed(name, slot)
    key = key_of(chain).holders.key
    seal(chain, 2 * slot + 4)
    holders = key_of(chain).holders
    assert (holders.key, holders.round, holders.generation) == (key, 2, 1)
    final = chain.finalized_height
    assert balance_proven(chain, final) == balance_proven(chain, 1) == ether(1)


def test_seats_may_be_fewer_than_members_and_weights_unequal() -> None:
    chain = keyed("pos", validators=6, seats=4)
    seal(chain, 20)
    assert key_of(chain).holders.round == 2
    assert balance_proven(chain) == ether(1)


def test_a_chain_that_goes_back_hands_over_again() -> None:
    chain = keyed()
    seal(chain, 3)
    early = chain.snapshot()
    seal(chain, 8)
    handed_over, first = chain.snapshot(), key_of(chain).holders
    seal(chain, 19)
    chain.revert(handed_over)
    assert balance_proven(chain) == ether(1)
    seal(chain, 19)
    assert key_of(chain).holders.round == 2
    assert balance_proven(chain, 8) == balance_proven(chain) == ether(1)
    chain.revert(early)
    chain.transfer(ALICE, BOB, 1)
    seal(chain, 17)
    again = key_of(chain).holders
    assert (again.key, again.round) == (first.key, 2)
    assert balance_proven(chain) < ether(1)


def test_another_block_of_the_same_height_is_signed_too() -> None:
    chain = keyed()
    seal(chain, 4)
    before = chain.snapshot()
    one = chain.seal()
    assert balance_proven(chain) == ether(1)
    chain.revert(before)
    chain.transfer(ALICE, BOB, 1)
    other = chain.seal() if chain.height < one.height else chain.head
    assert (other.height, other.hash != one.hash) == (one.height, True)
    assert balance_proven(chain, other.height) < ether(1)


def test_shares_outlive_the_process_in_a_record() -> None:
    record, kept = MemoryRecord(), {}

    class Kept(MemoryStore):
        def __init__(self) -> None:
            super().__init__()
            if kept:
                self.write_batch(kept)

        def close(self) -> None:
            kept.clear()
            kept.update(self.iterate())

    def reopened() -> Chain:
        config = ChainConfig(funds={ALICE.checksum_address: ether(1)})
        consensus = local_consensus("pbft", blocks_per_slot=8, record=record)
        return Chain.open(Kept(), config, consensus=consensus)

    with reopened() as chain:
        seal(chain, 13)
        key = key_of(chain).holders.key
    with reopened() as chain:
        assert chain.height == 13
        seal(chain, 26)
        holders = key_of(chain).holders
        assert (holders.key, holders.round) == (key, 3)
        assert balance_proven(chain) == balance_proven(chain, 20) == ether(1)


def test_the_beginning_of_a_chain_is_lived_through_again() -> None:
    kept = {}

    class Kept(MemoryStore):
        def __init__(self) -> None:
            super().__init__()
            self.write_batch(kept)

        def close(self) -> None:
            kept.update(self.iterate())

    def opened() -> Chain:
        config = ChainConfig(funds={ALICE.checksum_address: ether(1)})
        return Chain.open(Kept(), config, consensus=local_consensus("pbft", blocks_per_slot=4))

    with opened() as chain:
        seal(chain, 9)
        key = key_of(chain).holders.key
    with opened() as chain:
        seal(chain, 21)
        assert (key_of(chain).holders.key, key_of(chain).holders.round) == (key, 5)


def test_without_a_record_the_members_make_another_key() -> None:
    stores = []

    class Shared(MemoryStore):
        def close(self) -> None:
            stores.append(dict(self.iterate()))

    config = ChainConfig(funds={ALICE.checksum_address: ether(1)})

    def opened() -> Chain:
        store = Shared()
        if stores:
            store.write_batch(stores[-1])
        return Chain.open(store, config, consensus=local_consensus("pbft", blocks_per_slot=4))

    with opened() as chain:
        seal(chain, MAX_TOLD + 5)
        old = chain.anchor
    with opened() as chain:
        assert chain.height == MAX_TOLD + 5
        seal(chain, MAX_TOLD + 25)
        assert key_of(chain).holders.generation == 2
        assert chain.anchor != old
        proof = chain.prove(AccountKey(ALICE.address), anchor=old)
        assert old.verify(proof).balance == ether(1)
        assert len(proof.to_bytes()) > len(chain.prove(AccountKey(ALICE.address)).to_bytes())


def test_a_record_of_other_members_is_refused() -> None:
    record = MemoryRecord(b"\xc2\x80\x80")
    chain = keyed(record=record)
    with pytest.raises(InvalidInput, match="this many members"):
        chain.seal()


def test_members_who_are_not_here_are_done_without() -> None:
    hosted = local_consensus("pbft", blocks_per_slot=8)
    hosted.members = hosted.members[:3]
    chain = Chain.in_memory({ALICE: ether(1)}, consensus=hosted)
    seal(chain, 20)
    assert key_of(chain).holders.round == 2
    assert balance_proven(chain) == ether(1)


def test_shares_of_a_key_that_the_genesis_does_not_have_are_no_use() -> None:
    members = local_members(4)
    kind = PbftChain([one.address for one in members], blocks_per_slot=4, chain_key=True)
    hosted = HostedConsensus(kind, members, first_shares=lambda committee: {0: {1: 5}})
    chain = Chain.in_memory({ALICE: ether(1)}, consensus=hosted)
    seal(chain, 6)
    assert balance_proven(chain) == ether(1)


def test_a_chain_without_a_key_tells_nothing() -> None:
    chain = keyed(chain_key=False)
    seal(chain, 3)
    view = ChainView(chain.blockchain.state)
    view.bind(chain.blockchain)
    final = FinalBlocks(view)
    assert (list(final.new()), final.go_back(), final.height) == ([], False, 3)
    with pytest.raises(InvariantBroken):
        keyed_of(None)


def test_the_contract_answers_about_the_key() -> None:
    chain = keyed()
    seal(chain, 9)
    contract = chain.contract(CHAIN_KEY_ADDRESS, ChainKeyContract)
    assert contract.read("groupKey") == chain.anchor.key
    assert contract.read("threshold") == 3
