"""Attacks that once succeeded, and mistakes that once left something half done."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from chainstack_sdk import Chain, ChainStack, Reverted, UsageError, ether
from chainstack_sdk.chain.crosschain import CrossChain
from chainstack_sdk.core import MemoryStore
from chainstack_sdk.core.history import MountainRange
from chainstack_sdk.core.merkle import binary_root
from chainstack_sdk.core.native import external, slot
from chainstack_sdk.cspv import AccountKey, Proof, anchor_from_bytes, work
from chainstack_sdk.cspv.verify.format import FinalityScheme, Kind, evidence_finality
from chainstack_sdk.cspv.verify.paths import ItemPath
from chainstack_sdk.cspv.work import WorkAnchor
from chainstack_sdk.cspv.work_evidence import MinedHeader, WorkEvidence
from chainstack_sdk.cspv.work_sampling import drawn_positions, sample_positions
from chainstack_sdk.cspv.work_tree import leaf_of, parent_of
from chainstack_sdk.paradigms import Erc721, Erc721Token, Paradigm, default_registry
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.stack import OPERATOR_ALLOWANCE, local_operator
from chainstack_sdk.testing import accounts
from chainstack_sdk.testing.peg import Courier, pegged_chains
from chainstack_sdk.testing.xchain import hub_of, proof_of_receipt
from chainstack_sdk.xchain.addresses import HUB_ADDRESS, PEG_ADDRESS
from chainstack_sdk.xchain.custody import Asset, AssetKind
from chainstack_sdk.xchain.hub import Hub
from chainstack_sdk.xchain.packets import Packet
from chainstack_sdk.xchain.peg import PegApi, Transfer
from chainstack_sdk.xchain.swaps import HashKind, Swap, SwapPlan, SwapStatus, UnsafeStep, hash_secret

ALICE, MALLORY = accounts(2)
ALL = (1 << 256) - 1
FOR_EVER = (1 << 64) - 1
FUNDS = {ALICE: ether(10), MALLORY: ether(10)}


# Mined chains ------------------------------------------------------------------------------------------


class FreeChain:
    """A fork of a mined chain from genesis on, whose blocks have a difficulty of 1: any nonce will do."""

    def __init__(self, anchor: WorkAnchor) -> None:
        self.anchor = anchor
        self.history = MountainRange()
        self.history.append(anchor.genesis_hash, 1)
        self.parent = anchor.genesis_hash

    def mine(self, messages: bytes = bytes(32)) -> tuple[MinedHeader, Any]:
        height = self.history.size
        hashes = (*([b"\1" * 32] * 3), messages, self.parent)
        gas = (30_000_000, 0, 0)
        mined = MinedHeader(height, hashes, MALLORY.address, bytes(256), gas, 1, bytes(32), b"", bytes(8))
        header = mined.at(self.anchor.chain_id, height, self.history.root)
        self.history.append(header.hash, 1)
        self.parent = header.hash
        return mined, header

    def evidence(self, sample: MinedHeader, nodes: tuple[tuple[bytes, int], ...] = ()) -> bytes:
        tail = tuple(self.mine()[0] for _ in range(self.anchor.policy.confirmations))
        return WorkEvidence(self.history.size - 1, ((1, sample),), nodes, tail).encode()

    def proof(self, message: bytes) -> bytes:
        """Prove that the block after genesis carries a message."""
        mined, header = self.mine(binary_root([message]))
        roots = (header.state_root, header.transactions_root, header.receipts_root, header.rest_hash())
        where = (header.height, header.slot, header.timestamp_ms)
        finality = evidence_finality(self.evidence(mined))
        body = ItemPath(0, (), message)
        return Proof(FinalityScheme.WORK, Kind.MESSAGE, *where, roots, finality, body).to_bytes()


@pytest.fixture
def mine() -> tuple[ChainStack, Chain]:
    """A main chain, and a mined chain for which five coins of Alice's are locked."""
    stack = ChainStack.local(FUNDS, consensus="instant")
    side = stack.spawn(name="mine", consensus="pow", funds=FUNDS)
    stack.transfer(None, ALICE, to="mine", amount=ether(5))
    return stack, side


def test_blocks_that_cost_nothing_unlock_nothing(mine: tuple[ChainStack, Chain]) -> None:
    stack, side = mine
    here, there = stack.main.chain_id, side.chain_id
    channel = PegApi(stack.main).channel_to(there)
    assert channel is not None
    theft = Transfer(Asset.coin(ether(5)), MALLORY.address, MALLORY.address).encode()
    packet = Packet(there, here, channel, 1, PEG_ADDRESS, PEG_ADDRESS, theft, timeout_ms=FOR_EVER).encode()
    fresh = side.anchor
    assert isinstance(fresh, WorkAnchor)
    proof = FreeChain(fresh).proof(packet)
    fresh.verify(proof)  # to who knows nothing but genesis, it is as good as the real chain
    with pytest.raises(Reverted, match="too little work"):
        hub_of(stack.main).send(MALLORY, "receivePacket", proof)
    assert PegApi(stack.main).locked(there) == ether(5)


def test_a_hub_demands_what_the_best_proof_has_shown(mine: tuple[ChainStack, Chain]) -> None:
    stack, side = mine
    hub = hub_of(stack.main)

    def held() -> WorkAnchor:
        anchor = anchor_from_bytes(hub.read("anchorOf", side.chain_id))
        assert isinstance(anchor, WorkAnchor)
        return anchor

    before = held()
    assert before.policy.minimum_work > 64 * 6
    older = side.prove(AccountKey(ALICE.address), height=1)
    side.seal()
    newer = side.prove(AccountKey(ALICE.address), height=1)
    hub.send(MALLORY, "updateAnchor", side.chain_id, newer.to_bytes())
    assert held().policy.minimum_work == before.work_of(newer) > before.policy.minimum_work
    assert held() == before.advance(newer.to_bytes())
    with pytest.raises(Reverted, match="too little work"):
        hub.send(MALLORY, "updateAnchor", side.chain_id, older.to_bytes())
    with pytest.raises(InvalidInput):
        before.advance(b"")


def test_proofs_of_one_work_move_the_anchor_once(mine: tuple[ChainStack, Chain]) -> None:
    stack, side = mine
    moves = hub_of(stack.main).events
    stack.relay()
    before = len(moves("AnchorUpdated"))
    for _ in range(2):
        stack.transfer(None, ALICE, source="mine", to="main", amount=1, relay=False)
    for _ in range(8):
        side.seal()
    stack.relay(limit=2)
    assert len(moves("AnchorUpdated")) == before + 1


def test_draws_are_made_one_by_one() -> None:
    drawn = drawn_positions(b"s" * 40, 1 << 60, 1 << 200, 3)
    assert tuple(islice(drawn, 50)) == sample_positions(b"s" * 40, 50, 1 << 200, 3)


def test_a_fork_without_work_is_refused_at_its_first_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of draws grows with the work that a fork claims, and may be in the thousands."""
    anchor, draws = WorkAnchor(9, b"\7" * 32), []

    def counted(*args: Any) -> Iterator[int]:
        for position in drawn_positions(*args):
            draws.append(position)
            yield position

    monkeypatch.setattr(work, "drawn_positions", counted)
    fork = FreeChain(anchor)
    sample, header = fork.mine()
    claimed = (b"\5" * 32, 1 << 250)  # two blocks that nobody has seen
    peak = parent_of(parent_of(leaf_of(anchor.genesis_hash, 1), leaf_of(header.hash, 1)), claimed)
    fork.history = MountainRange.from_peaks(4, (peak,))
    with pytest.raises(InvalidInput, match="a sampled block is missing"):
        anchor.check(fork.evidence(sample, (claimed,)), 1, header.hash)
    assert 1 <= len(draws) < 100


# Refunds -----------------------------------------------------------------------------------------------


class Liar(Paradigm):
    """A token that has as much as one asks for, and gives nothing back."""

    name = "liar"

    @external("function allowance(address owner, address spender) view returns (uint256)")
    def allowance(self, call, owner, spender):
        return ALL

    @external("function balanceOf(address who) view returns (uint256)")
    def balance_of(self, call, who):
        return call.load(slot(0))

    @external("function transferFrom(address from, address to, uint256 value) returns (bool)")
    def transfer_from(self, call, sender, to, value):
        call.store(slot(0), value)
        return True

    @external("function forget()")
    def forget(self, call):
        call.store(slot(0), 0)


class TwiceTaken(Erc721):
    """A collection that lets go of a token whose owner it is not."""

    name = "twice"

    @external("function transferFrom(address from, address to, uint256 tokenId)")
    def transfer_from(self, call, sender, to, token_id):
        if self._owner_of(call, token_id) != to:
            super().transfer_from(call, sender, to, token_id)


class Deep(Paradigm):
    """Calls somebody from as many calls below as it is told."""

    name = "deep"

    @external("function reach(uint256 depth, address to, bytes data)")
    def reach(self, call, depth, to, data):
        if depth:
            again = Deep.abi_function("reach").encode_call(depth - 1, to, data)
            call.call(call.address, again)
        else:
            call.call(to, data)


@pytest.fixture
def chains() -> list[Chain]:
    registry = default_registry()
    for paradigm in (Liar, TwiceTaken, Deep):
        registry.add(paradigm)
    return pegged_chains(1, 2, funds=FUNDS, registry=registry)


def test_refunds_that_add_up_to_more_than_there_can_be_stay_in_no_flight(chains: list[Chain]) -> None:
    one, _ = chains
    peg, courier = PegApi(one), Courier(*chains)
    token = one.paradigm("liar").issue(MALLORY)
    for _ in range(2):
        token.send(MALLORY, "forget")
        peg.send_token(MALLORY, token.address, ALL, chain=2, timeout_ms=1)
        courier.time_out(*courier.waiting())
    assert courier.waiting() == []
    assert peg.owed(token.address, MALLORY) == ALL
    with pytest.raises(Reverted, match="TransferRefused"):
        peg.claim_token(MALLORY, token.address)


def test_a_token_of_a_collection_is_locked_once(chains: list[Chain]) -> None:
    one, _ = chains
    peg, courier = PegApi(one), Courier(*chains)
    address = one.paradigm("twice").issue(MALLORY, name="Cats", symbol="CAT", owner=MALLORY.address)
    cats = Erc721Token(one, address, TwiceTaken)
    cats.mint(MALLORY, MALLORY, 1)
    peg.send_nft(MALLORY, cats, 1, chain=2, timeout_ms=1)
    with pytest.raises(Reverted, match="TransferRefused"):
        peg.send(MALLORY, "sendNft", cats, 1, 2, MALLORY.address, 1)
    assert peg.locked(2, cats, AssetKind.ERC721) == 1
    courier.time_out(*courier.waiting())
    assert peg.locked_for(cats, 1) is None


def test_packets_are_settled_in_transactions_of_their_own(chains: list[Chain]) -> None:
    """With no depth of calls left, a refund would fail that could have been paid."""
    one, two = chains
    peg, courier = PegApi(one), Courier(*chains)
    gold = one.erc20.issue(ALICE, name="Gold", symbol="GLD", supply=10)
    deep = one.paradigm("deep").issue(MALLORY)
    late = two.head.timestamp_ms + 1
    peg.send_token(ALICE, gold, 5, chain=2, timeout_ms=late)
    (packet,) = courier.waiting()
    while two.head.timestamp_ms < late:
        two.seal()
    proof = proof_of_receipt(two, packet)
    data = Hub.abi_function("timeOut").encode_call(packet.encode(), proof)
    refusal = Hub.NotDirect.selector
    for depth in (0, 29):
        with pytest.raises(Reverted) as caught:
            deep.send(MALLORY, "reach", depth, HUB_ADDRESS, data)
        assert caught.value.data.startswith(refusal)
    hub_of(one).send(MALLORY, "timeOut", packet.encode(), proof)
    assert (peg.owed(gold, ALICE), gold.balance_of(ALICE)) == (0, 10)


# Swaps -------------------------------------------------------------------------------------------------


def test_a_lock_counts_once_it_is_final() -> None:
    stack = ChainStack.local(FUNDS, consensus="instant")
    mined = stack.spawn(name="mine", consensus="pow", work={"confirmations": 3}, funds=FUNDS)
    secret = b"\7" * 32
    plan = SwapPlan.agree(
        ALICE.address,
        MALLORY.address,
        gives=Asset.coin(3),
        gets=Asset.coin(4),
        digest=hash_secret(HashKind.KECCAK256, secret),
        hash_kind=HashKind.KECCAK256,
        now_ms=max(mined.head.timestamp_ms, stack.main.head.timestamp_ms),
        margin_ms=3_600_000,
    )
    swap = Swap(plan, mined, mined)

    def bury() -> None:
        height = mined.height
        while mined.finalized_height < height:
            mined.seal()

    swap.lock_first(ALICE)
    assert swap.statuses == (SwapStatus.UNKNOWN, SwapStatus.UNKNOWN)
    with pytest.raises(UnsafeStep):
        swap.lock_second(MALLORY)
    with pytest.raises(Reverted):
        swap.lock_first(ALICE)
    bury()
    swap.lock_second(MALLORY)
    with pytest.raises(UnsafeStep):
        swap.claim_second(ALICE, secret)
    bury()
    swap.claim_second(ALICE, secret)
    swap.claim_first(MALLORY)  # the secret is known to all: nothing is gained by waiting
    assert swap.statuses == (SwapStatus.CLAIMED, SwapStatus.CLAIMED)


# Systems -----------------------------------------------------------------------------------------------


@pytest.fixture
def stack() -> ChainStack:
    return ChainStack.local(FUNDS, consensus="instant")


def side_chain(chain_id: int) -> Chain:
    setup = CrossChain(local_operator().address, allowance=OPERATOR_ALLOWANCE)
    return Chain.in_memory(FUNDS, chain_id=chain_id, auto_seal=True, crosschain=setup)


def test_a_chain_that_cannot_be_registered_is_not_served(stack: ChainStack) -> None:
    side = side_chain(500)
    with pytest.raises(Reverted, match="InvalidName"):
        stack.join("x" * 65, side)
    assert list(stack.chains) == ["main"]
    assert not stack.relay().blocks
    stack.join("side", side)
    assert stack.transfer(None, ALICE, to="side", amount=5).token is not None


def test_the_registry_is_heeded_by_who_comes_later(stack: ChainStack) -> None:
    shop = stack.spawn(name="shop", funds=FUNDS)
    later = ChainStack(stack.main)
    assert later.spawn(name="other").chain_id == shop.chain_id + 1
    for name, chain_id in (("shop", 500), ("stall", shop.chain_id)):
        with pytest.raises(UsageError, match="another chain is registered"):
            later.spawn(name=name, chain_id=chain_id)
    with pytest.raises(UsageError, match="another chain is registered"):
        later.spawn(name="shop")  # of its id, with another genesis
    assert list(later.chains) == ["main", "other"]
    later.join("shop", shop)
    assert later.chain("shop") is shop


def test_a_chain_with_senseless_demands_is_not_begun(stack: ChainStack) -> None:
    store = MemoryStore()
    with pytest.raises(UsageError, match="share"):
        stack.spawn(name="mine", consensus="pow", work={"share": (1, 1)}, store=store)
    assert store.get(b"m") is None
