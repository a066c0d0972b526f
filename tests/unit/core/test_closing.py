"""What a consensus does on the chain: extra fields, the closing of blocks, who may send, committees.

On every way a block can take: built, committed, produced, checked, appended.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from chainstack_sdk.core.archive import NodeCodec, StoredCommitment
from chainstack_sdk.core.blocks import ZERO_HASH, Block, certificate_hash
from chainstack_sdk.core.closing import NO_EXTRAS, HeaderExtras, extras_of
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.core.ledger import FlatCodec, StoredLedger
from chainstack_sdk.core.state import State
from chainstack_sdk.core.store import MemoryStore
from chainstack_sdk.primitives.errors import InvalidInput, Rejected, UsageError
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.testing import (
    AcceptAllHeaders,
    FixedFees,
    ScriptedRules,
    accounts,
    bare_chain,
    extend,
    payment,
)
from chainstack_sdk.testing.bare import PROPOSER

if TYPE_CHECKING:
    from chainstack_sdk.core.chain import Blockchain
    from chainstack_sdk.core.closing import Closing
    from chainstack_sdk.core.interfaces import ChainRules

ALICE, BOB, CAROL = accounts(3)
MINER, SOMEONE = b"\x0d" * 20, b"\x0f" * 20
EVERYBODY = (ALICE.address, BOB.address, CAROL.address, PROPOSER, MINER, SOMEONE)
FUNDS = 10**20
REWARD = 50
GENESIS = Genesis(accounts={who.address: GenesisAccount(balance=FUNDS) for who in (ALICE, BOB)})
EXTRAS = HeaderExtras(
    seed=b"\x01" * 32,
    seed_proof=b"\x02" * 80,
    parent_certificate=b"votes",
    work_commitment=b"\x03" * 40,
    extra_data=b"hello",
    attachment=b"payouts",
)


def new_chain(kind: str, rules: ChainRules | None, fees: FixedFees | None = None) -> Blockchain:
    ledger: StoredLedger | None = None
    state: State | None = None
    store, identity = MemoryStore(), keccak256(GENESIS.encode())
    if kind == "store":
        ledger = StoredLedger(store, identity, FlatCodec())
    elif kind == "archive":
        commitment = StoredCommitment(store)
        ledger, state = StoredLedger(store, identity, NodeCodec(commitment)), State(commitment)
    return bare_chain(genesis=GENESIS, rules=rules, fees=fees, ledger=ledger, state=state)


@pytest.fixture(params=["memory", "store", "archive"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param  # type: ignore[no-any-return]


def when(chain: Blockchain) -> dict[str, Any]:
    return {"timestamp_ms": chain.head.timestamp_ms + 1_000, "proposer": PROPOSER}


def picture(chain: Blockchain) -> tuple[object, ...]:
    """All that must not change when something is refused."""
    state = chain.state
    return (
        chain.head,
        chain.ledger.height,
        chain.history.root,
        state.root,
        state.checkpoint(),
        [(state.nonce(one), state.balance(one), state.storage(one, ZERO_HASH)) for one in EVERYBODY],
    )


def committee(parent_hash: bytes) -> bytes:
    return keccak256(b"committee" + parent_hash)


def pay_and_elect(closing: Closing) -> None:
    """Fees to the proposer, a reward out of nothing to the miner, a committee from the parent's hash."""
    closing.state.add_balance(closing.context.proposer, closing.base_fees + closing.tips)
    closing.state.add_balance(MINER, REWARD)
    closing.next_committee_hash = committee(closing.parent.hash)


def paying() -> ScriptedRules:
    return ScriptedRules(slot=3, extras=EXTRAS, close=pay_and_elect)


class ChainedRules(ScriptedRules):
    """Carry the parent's seal, bind the attachment by the work commitment, count slots of two blocks."""

    def slot(self, height: int) -> int:
        return (height - 1) // 2

    def extras(self, parent: Block, proposer: bytes, attachment: bytes) -> HeaderExtras:
        if len(attachment) > 9:
            raise UsageError("too long an attachment")
        commitment = keccak256(proposer + attachment)
        return HeaderExtras(parent_certificate=parent.seal, work_commitment=commitment, attachment=attachment)

    def close(self, closing: Closing) -> None:
        super().close(closing)
        bound = keccak256(closing.context.proposer + closing.extras.attachment)
        if closing.extras.work_commitment != bound:
            raise InvalidInput("the header does not commit to this attachment")


# Into the header and back --------------------------------------------------------------------------------


def test_extras_are_in_the_header_and_come_back(kind: str) -> None:
    chain, twin = new_chain(kind, paying()), new_chain(kind, paying())
    candidate = chain.build([payment(chain, ALICE, BOB, 5)], **when(chain))
    header = candidate.block.header
    assert extras_of(candidate.block) == EXTRAS
    assert (header.seed, header.seed_proof, header.extra_data) == (b"\x01" * 32, b"\x02" * 80, b"hello")
    assert (header.work_commitment, header.slot) == (b"\x03" * 40, 3)
    assert header.parent_certificate_hash == certificate_hash(b"votes")
    assert (candidate.block.parent_certificate, candidate.block.attachment) == (b"votes", b"payouts")
    block = chain.commit(candidate, b"seal")
    twin.append(Block.decode(block.encode()))
    for ledger in (chain.ledger, twin.ledger):
        assert ledger.block(1) == block
        assert extras_of(ledger.block(1)) == EXTRAS
    assert picture(twin) == picture(chain)
    assert chain.context(1).slot == 3


def test_a_block_without_rules_has_no_extras() -> None:
    chain = new_chain("memory", None)
    assert extras_of(extend(chain, payment(chain, ALICE, BOB, 5))) == NO_EXTRAS
    assert chain.head.next_committee_hash == ZERO_HASH


def test_rules_see_the_parent_and_the_attachment(kind: str) -> None:
    chain, twin = new_chain(kind, ChainedRules()), new_chain(kind, ChainedRules())
    blocks = []
    for height in range(1, 5):
        attachment = b"pay %d" % height
        candidate = chain.build([], attachment=attachment, **when(chain))
        blocks.append(chain.commit(candidate, b"seal %d" % height))
    for height, block in enumerate(blocks, 1):
        assert block.parent_certificate == (b"seal %d" % (height - 1) if height > 1 else b"")
        assert block.attachment == b"pay %d" % height
        assert block.header.work_commitment == keccak256(PROPOSER + block.attachment)
        assert block.header.slot == (height - 1) // 2
        assert chain.context(height).slot == block.header.slot
        twin.append(block)
    assert chain.next_context(timestamp_ms=5, proposer=PROPOSER).slot == 2
    assert picture(twin) == picture(chain)


def test_an_attachment_that_the_rules_do_not_understand(kind: str) -> None:
    chain = new_chain(kind, ChainedRules())
    before = picture(chain)
    for act in (
        lambda: chain.build([], attachment=b"ten bytes!", **when(chain)),
        lambda: chain.produce([], attachment=b"ten bytes!", decide=lambda header: b"", **when(chain)),
    ):
        with pytest.raises(UsageError, match="too long"):
            act()
        assert picture(chain) == before


def test_another_attachment_than_the_header_commits_to(kind: str) -> None:
    chain = new_chain(kind, ChainedRules())
    before = picture(chain)
    block = chain.build([payment(chain, ALICE, BOB, 5)], attachment=b"mine", **when(chain)).block
    for attachment in (b"", b"thine"):
        other = replace(block, attachment=attachment)
        assert other.hash == block.hash
        refuse(chain, other, "does not commit", before)
    chain.append(block)


def test_an_attachment_without_rules_is_refused(kind: str) -> None:
    chain = new_chain(kind, None)
    before = picture(chain)
    for act in (
        lambda: chain.build([], attachment=b"payouts", **when(chain)),
        lambda: chain.produce([], attachment=b"payouts", decide=lambda header: b"", **when(chain)),
    ):
        with pytest.raises(UsageError, match="attachment"):
            act()
        assert picture(chain) == before
    block = chain.build([payment(chain, ALICE, BOB, 5)], **when(chain)).block
    refuse(chain, replace(block, attachment=b"payouts"), "no rule of this chain", before)
    chain.append(block)


def refuse(chain: Blockchain, block: Block, told: str, before: tuple[object, ...]) -> None:
    """Offer a block made elsewhere in both ways; nothing may change."""
    for act in (lambda: chain.append(block), lambda: chain.check(block, AcceptAllHeaders())):
        with pytest.raises(InvalidInput, match=told):
            act()
        assert picture(chain) == before


# Closing -------------------------------------------------------------------------------------------------


def test_all_ways_close_a_block_alike(kind: str) -> None:
    rules = [paying() for _ in range(4)]
    built, produced, checked, appended = (new_chain(kind, one) for one in rules)
    run = [payment(built, ALICE, BOB, 5, tip=7), payment(built, BOB, CAROL, 6, tip=8)]
    base_fee = built.next_base_fee
    block = built.commit(built.build(run, **when(built)), b"seal")
    assert produced.produce(run, decide=lambda header: b"seal", **when(produced)) == (block, ())
    assert checked.commit(checked.check(replace(block, seal=b""), AcceptAllHeaders()), b"seal") == block
    appended.append(block)
    assert picture(built) == picture(produced) == picture(checked) == picture(appended)
    for chain, one in zip((built, produced, checked, appended), rules, strict=True):
        closing = one.closings[-1]
        assert (closing.state, closing.parent) == (chain.state, chain.ledger.header(0))
        assert (closing.context, closing.extras) == (chain.context(1), EXTRAS)
        assert (closing.base_fees, closing.tips) == (42_000 * base_fee, 21_000 * (7 + 8))
        assert chain.state.balance(PROPOSER) == closing.base_fees + closing.tips
        assert chain.state.balance(MINER) == REWARD
        assert sum(chain.state.balance(who) for who in EVERYBODY) == 2 * FUNDS + REWARD
        assert chain.head.next_committee_hash == committee(chain.ledger.header(0).hash)
    again = kind == "archive"  # where the states of candidates are not kept
    assert [len(one.closings) for one in rules] == [1 + again, 1, 1 + again, 1]


def test_a_reward_is_undone_with_its_block(kind: str) -> None:
    chain = new_chain(kind, paying())
    pictures = [picture(chain)]
    for _ in range(3):
        extend(chain, payment(chain, ALICE, BOB, 5))
        pictures.append(picture(chain))
    assert chain.state.balance(MINER) == 3 * REWARD
    with chain.state_at(1) as state:
        assert state.balance(MINER) == REWARD
    for height in (2, 1, 0):
        chain.undo()
        assert picture(chain) == pictures[height]


def test_rules_take_the_place_of_the_fee_policy() -> None:
    chain = new_chain("memory", ScriptedRules(), FixedFees({SOMEONE: 100}))
    extend(chain, payment(chain, ALICE, BOB, 5))
    assert chain.state.balance(SOMEONE) == 0
    assert chain.state.supply() < 2 * FUNDS, "the script hands nothing out"
    without = new_chain("memory", None, FixedFees({SOMEONE: 100}))
    extend(without, payment(without, ALICE, BOB, 5))
    assert without.state.balance(SOMEONE) == 2 * FUNDS - chain.state.supply()


class Refusing(ScriptedRules):
    """Change the state, and then refuse the block, once told so."""

    def __init__(self) -> None:
        super().__init__(extras=EXTRAS, close=pay_and_elect)
        self.told = False

    def close(self, closing: Closing) -> None:
        super().close(closing)
        if self.told:
            closing.state.set_storage(SOMEONE, ZERO_HASH, 9)
            raise InvalidInput("a certificate that proves nothing")


def test_a_closing_that_refuses_the_block(kind: str) -> None:
    rules = Refusing()
    chain = new_chain(kind, rules)
    extend(chain, payment(chain, ALICE, BOB, 5))
    before = picture(chain)
    run = [payment(chain, ALICE, BOB, 5), payment(chain, BOB, CAROL, 6)]
    candidate = chain.build(run, **when(chain))
    rules.told = True
    acts: list[Callable[[], object]] = [
        lambda: chain.build(run, **when(chain)),
        lambda: chain.produce(run, decide=lambda header: b"", **when(chain)),
        lambda: chain.append(candidate.block),
        lambda: chain.check(candidate.block, AcceptAllHeaders()),
    ]
    if kind == "archive":  # where a candidate is run again
        acts.append(lambda: chain.commit(candidate))
    for act in acts:
        with pytest.raises(InvalidInput, match="proves nothing"):
            act()
        assert picture(chain) == before
    rules.told = False
    assert chain.commit(candidate).header == candidate.block.header
    assert chain.state.balance(MINER) == 2 * REWARD


@pytest.mark.parametrize("claimed", [ZERO_HASH, committee(b"another parent")])
def test_the_next_committee_is_checked(kind: str, claimed: bytes) -> None:
    chain = new_chain(kind, paying())
    before = picture(chain)
    block = chain.build([payment(chain, ALICE, BOB, 5)], **when(chain)).block
    other = replace(block, header=replace(block.header, next_committee_hash=claimed))
    refuse(chain, other, "wrong next committee hash", before)
    chain.append(block)


def test_a_reward_that_a_block_does_not_pay(kind: str) -> None:
    honest, greedy = (
        new_chain(kind, paying()),
        new_chain(kind, ScriptedRules(slot=3, extras=EXTRAS, close=greed)),
    )
    before = picture(honest)
    refuse(honest, greedy.build([], **when(greedy)).block, "wrong state root", before)


def greed(closing: Closing) -> None:
    pay_and_elect(closing)
    closing.state.add_balance(MINER, 1)


# Who may send --------------------------------------------------------------------------------------------


def test_who_may_not_send_is_left_out(kind: str) -> None:
    chain = new_chain(kind, ScriptedRules(refused=[BOB.address]))
    allowed, refused = payment(chain, ALICE, BOB, 5), payment(chain, BOB, CAROL, 6)
    candidate = chain.build([refused, allowed], **when(chain))
    assert candidate.block.transactions == (allowed,)
    ((left_out, error),) = candidate.rejected
    assert (left_out, error.code) == (refused, "not_permitted")
    block, rejected = chain.produce([refused, allowed], decide=lambda header: b"", **when(chain))
    assert block == candidate.block
    assert [one for one, _ in rejected] == [refused]
    assert (chain.state.nonce(BOB.address), chain.state.balance(CAROL.address)) == (0, 0)


def test_a_block_with_a_sender_who_may_not_send(kind: str) -> None:
    open_to_all = new_chain(kind, ScriptedRules())
    run = [payment(open_to_all, ALICE, BOB, 5), payment(open_to_all, BOB, CAROL, 6)]
    block = open_to_all.build(run, **when(open_to_all)).block
    chain = new_chain(kind, ScriptedRules(refused=[BOB.address]))
    before = picture(chain)
    refuse(chain, block, "may not run", before)
    with pytest.raises(InvalidInput) as caught:
        chain.append(block)
    assert (caught.value.code, caught.value.index, caught.value.height) == ("not_permitted", 1, 1)


class MembersOnly(ScriptedRules):
    """Only those may send whom the state names."""

    def admit(self, state: State, sender: bytes) -> None:
        if not state.storage(SOMEONE, sender.rjust(32, b"\0")):
            raise Rejected("no member", code="not_permitted")


def join(closing: Closing) -> None:
    closing.state.set_storage(SOMEONE, BOB.address.rjust(32, b"\0"), 1)


def test_permission_is_a_matter_of_the_state(kind: str) -> None:
    """Bob is made a member when block 1 closes."""
    chain, twin = (new_chain(kind, MembersOnly(close=join)) for _ in range(2))
    with pytest.raises(Rejected) as caught:
        extend(chain, payment(chain, BOB, CAROL, 6))
    assert caught.value.code == "not_permitted"
    twin.append(extend(chain))
    twin.append(extend(chain, payment(chain, BOB, CAROL, 6)))
    assert chain.state.balance(CAROL.address) == twin.state.balance(CAROL.address) == 6
    with pytest.raises(Rejected):
        extend(chain, payment(chain, ALICE, CAROL, 6))
