"""A chain: genesis, blocks built here, blocks made elsewhere, and the way back.

:class:`Blockchain` knows nothing of mempools, accounts' keys or consensus. It builds and validates blocks
on its head; an engine decides which of them is appended. Whatever goes wrong, the state is that of the
head.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from chainstack_sdk.core.blocks import ZERO_HASH, Block, Header
from chainstack_sdk.core.building import Candidate, build_block
from chainstack_sdk.core.context import BlockContext
from chainstack_sdk.core.diff import StateDiff
from chainstack_sdk.core.execution import BlockExecution
from chainstack_sdk.core.fees import next_base_fee
from chainstack_sdk.core.history import MountainRange
from chainstack_sdk.core.ledger import BlockRecord, MemoryLedger
from chainstack_sdk.core.ruling import Ruling
from chainstack_sdk.core.state import State
from chainstack_sdk.core.transactions import recover_senders
from chainstack_sdk.core.validation import (
    context_of,
    expect,
    run_strictly,
    validate_block,
    validate_outcome,
)
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from chainstack_sdk.core.building import LeftOut
    from chainstack_sdk.core.closing import HeaderExtras
    from chainstack_sdk.core.genesis import Genesis
    from chainstack_sdk.core.interfaces import (
        CandidateRule,
        ChainRules,
        ContractRuntime,
        FeePolicy,
        HeaderRule,
        Ledger,
    )
    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.core.transactions import Transaction
    from chainstack_sdk.core.transactions.senders import Executor


class Blockchain:
    """The validated chain over a state and a ledger.

    Parameters
    ----------
    genesis
        What the chain starts from; a ledger that holds blocks already must start from the same.
    runtime
        Resolves the code of native contracts.
    header_rule
        The engine's demands on headers.
    fees
        Who gets the fees, where there are no ``rules``.
    rules
        What the consensus does on the chain: extra fields, rewards, penalties, elections, permissions.
    ledger
        Where blocks are kept; in memory by default.
    state
        An empty state, which the ledger fills if it can, or that of the ledger's newest block; in memory
        by default.

    Raises
    ------
    UsageError
        When the ledger holds a chain with another genesis, or the state is not that of its newest block.
    InvalidInput
        When the ledger's contents are damaged.
    """

    def __init__(
        self,
        genesis: Genesis,
        *,
        runtime: ContractRuntime,
        header_rule: HeaderRule,
        fees: FeePolicy,
        rules: ChainRules | None = None,
        ledger: Ledger | None = None,
        state: State | None = None,
    ) -> None:
        self.genesis = genesis
        self.runtime = runtime
        self.header_rule = header_rule
        self.fees = fees
        self.rules = rules
        self.ledger: Ledger = MemoryLedger() if ledger is None else ledger
        self.state = State() if state is None else state
        self.history = MountainRange()
        self._head: Header
        self._candidate: Header | None = None
        if self.ledger.height < 0:
            self._begin()
        else:
            self._resume()

    @property
    def head(self) -> Header:
        """Header of the newest block."""
        return self._head

    @property
    def height(self) -> int:
        """Height of the newest block; genesis is 0."""
        return self._head.height

    def header_of(self, block_hash: bytes) -> Header | None:
        """Return the header of a block of this chain, or of the candidate built last; None if unknown."""
        if self._candidate is not None and self._candidate.hash == block_hash:
            return self._candidate
        height = self.ledger.height_of(block_hash)
        return None if height is None else self.ledger.header(height)

    # Building

    def build(
        self,
        transactions: Sequence[Transaction],
        *,
        timestamp_ms: int,
        proposer: bytes,
        attachment: bytes = b"",
    ) -> Candidate:
        """Build a block of the transactions that may run, in the order given.

        Parameters
        ----------
        transactions
            Those the rules refuse are left out and reported.
        timestamp_ms
            Unix time in milliseconds, after the parent's.
        proposer
            Who earns the fees, 20 bytes.
        attachment
            What the engine adds to the block, such as a list of whom to pay for work.

        Raises
        ------
        UsageError
            When the timestamp is not after the parent's, or the state is wound back.
        InvalidInput
            When a transaction's signature has no sender, or a field does not fit a header.
        """
        record, rejected = self._build(transactions, timestamp_ms, proposer, attachment)
        redo = self.state.restore(record.undo, self._head.state_root)
        return Candidate(record.block, record.receipts, rejected, redo)

    def commit(self, candidate: Candidate, seal: bytes = b"") -> Block:
        """Append a candidate that an engine has decided on.

        Raises
        ------
        UsageError
            When it was not built on the present head, or the state is wound back.
        InvalidInput
            When the seal breaks the engine's rule.
        """
        header, parent = candidate.block.header, self._head
        if header.parent_hash != parent.hash:
            raise UsageError("the candidate is not a child of the head", height=header.height)
        block = replace(candidate.block, seal=seal)
        if self.state.lazy:
            self.append(block)  # what the candidate wrote has been dropped
            return block
        self._require_head_state()
        self.header_rule.validate_header(header, seal, parent)
        undo = self.state.restore(candidate.redo, header.state_root)
        try:
            self._append(BlockRecord(block, candidate.receipts, undo))
        except BaseException:
            self.state.restore(undo, parent.state_root)
            raise
        return block

    def produce(
        self,
        transactions: Sequence[Transaction],
        *,
        timestamp_ms: int,
        proposer: bytes,
        decide: Callable[[Header], bytes],
        attachment: bytes = b"",
    ) -> tuple[Block, LeftOut]:
        """Build a block and append it at once with the seal that ``decide`` returns.

        The same as :meth:`build` and :meth:`commit`, for engines that decide without waiting; the state
        is computed once only. Returns the block and the transactions left out.
        """
        record, rejected = self._build(transactions, timestamp_ms, proposer, attachment)
        header = record.block.header
        try:
            seal = decide(header)
            self.header_rule.validate_header(header, seal, self._head)
            if seal:
                record = replace(record, block=replace(record.block, seal=seal))
            self._append(record)
        except BaseException:
            self.state.restore(record.undo, self._head.state_root)
            raise
        return record.block, rejected

    # Blocks made elsewhere

    def append(self, block: Block, executor: Executor | None = None) -> tuple[Receipt, ...]:
        """Validate a block made elsewhere by running it again, append it, and return its receipts.

        Parameters
        ----------
        executor
            Recovers senders in parallel when given.

        Raises
        ------
        InvalidInput
            When anything in it is wrong: lineage, fees, seal, a signature, a transaction the rules
            refuse, or any root. The chain is as it was.
        """
        header, parent = block.header, self._head
        self._require_head_state()
        validate_block(block, parent, self.history.root)
        self.header_rule.validate_header(header, block.seal, parent)
        record = self._run(block, executor)
        try:
            self._append(record)
        except BaseException:
            self.state.restore(record.undo, parent.state_root)
            raise
        return record.receipts

    def check(self, block: Block, rule: CandidateRule, executor: Executor | None = None) -> Candidate:
        """Validate a block that has no seal yet, so that an engine may decide on it; see :meth:`commit`.

        Parameters
        ----------
        rule
            What the engine demands of a header before it is sealed.
        executor
            Recovers senders in parallel when given.

        Raises
        ------
        InvalidInput
            When anything in it is wrong. The chain stays as it is in any case.
        """
        parent = self._head
        self._require_head_state()
        validate_block(block, parent, self.history.root)
        rule.validate_candidate(block.header, parent)
        record = self._run(block, executor)
        redo = self.state.restore(record.undo, parent.state_root)
        return Candidate(replace(record.block, seal=b""), record.receipts, (), redo)

    def _run(self, block: Block, executor: Executor | None) -> BlockRecord:
        """Run a block made elsewhere; the caller keeps the outcome or restores the parent's state."""
        header = block.header
        extras = self._ruling.validate(block)
        for index, error in enumerate(recover_senders(block.transactions, executor)):
            if error is not None:
                raise InvalidInput("a transaction's signature is invalid", height=header.height, index=index)
        execution = BlockExecution(self.state, context_of(header), self.runtime, self._ruling.admit)
        try:
            run_strictly(execution, block)
            next_committee_hash = self._finish(execution, extras)
            undo = self.state.commit()
        except BaseException:
            self.state.rollback(0)
            raise
        try:
            validate_outcome(header, execution, self.state.root, next_committee_hash)
        except BaseException:
            self.state.restore(undo, self._head.state_root)
            raise
        return BlockRecord(block, tuple(execution.receipts), undo)

    def undo(self) -> Block:
        """Take the newest block off the chain and return it.

        Raises
        ------
        UsageError
            At genesis, when the block's reverse diff has been pruned, or the state is wound back.
        InvalidInput
            When the ledger's contents are damaged; the chain is as it was.
        """
        height = self.height
        if height == 0:
            raise UsageError("genesis cannot be undone")
        self._require_head_state()
        block = self.ledger.block(height)
        parent = self.ledger.header(height - 1)
        redo = self.state.restore(self._undo_diff(height), parent.state_root)
        try:
            if self.state.root != parent.state_root:
                raise InvalidInput("the reverse diff of a block does not lead to its parent", height=height)
            self.ledger.pop(self.state, redo)
        except BaseException:
            self.state.restore(redo, self._head.state_root)
            raise
        self.history.truncate(height)
        self._head = parent
        return block

    # Looking back

    @contextmanager
    def state_at(self, height: int, *, proofs: bool = False) -> Iterator[State]:
        """Give the state as of a block, for reading and for trying calls.

        The chain's own state is wound back and forth; whatever is written to it inside is undone.

        Parameters
        ----------
        height
            A block whose state is kept.
        proofs
            Also wind the tries back, so that roots and proofs are those of the block.

        Raises
        ------
        UsageError
            When there is no such block or its state has been pruned.
        InvalidInput
            When the ledger's contents are damaged.
        """
        if not 0 <= height <= self.height:
            raise UsageError("no such block", expected=f"0 to {self.height}", actual=height)
        self._require_head_state()
        state = self.state
        if state.lazy and height != self.height:
            yield State(state.commitment.at(self.ledger.header(height).state_root))
            return
        diffs = [self._undo_diff(above) for above in range(self.height, height, -1)]
        mark = state.checkpoint()
        try:
            for diff in diffs:
                state.rewind(diff)
            if proofs and diffs:
                yield from self._with_tries(state, height)
            else:
                yield state
        finally:
            state.rollback(mark)

    def _with_tries(self, state: State, height: int) -> Iterator[State]:
        redo = state.commit()
        mark = state.checkpoint()
        try:
            if state.root != self.ledger.header(height).state_root:
                raise InvalidInput("reverse diffs do not lead to the state of a block", height=height)
            yield state
        finally:
            state.rollback(mark)
            state.restore(redo, self._head.state_root)

    def context(self, height: int) -> BlockContext:
        """Return the block context in which a block's transactions ran."""
        return context_of(self.ledger.header(height))

    def next_context(self, *, timestamp_ms: int, proposer: bytes) -> BlockContext:
        """Return the block context of a block on the head."""
        parent = self._head
        slot = self._ruling.slot(parent.height + 1)
        return BlockContext(
            chain_id=parent.chain_id,
            height=parent.height + 1,
            timestamp_ms=timestamp_ms,
            proposer=proposer,
            gas_limit=parent.gas_limit,
            base_fee=self.next_base_fee,
            parent_hash=parent.hash,
            slot=slot,
        )

    @property
    def next_base_fee(self) -> int:
        """Wei for each gas in the next block (EIP-1559)."""
        return next_base_fee(self._head.base_fee, self._head.gas_used, self._head.gas_limit)

    # Inside

    def _begin(self) -> None:
        self.genesis.fill(self.state)
        undo = self.state.commit()
        self._append(BlockRecord(Block(self.genesis.header(self.state.root), ()), (), undo))

    def _resume(self) -> None:
        ledger, parent_hash = self.ledger, ZERO_HASH
        seed = self.genesis.header(ZERO_HASH).seed
        if ledger.header(0).seed != seed:
            raise UsageError(
                "the ledger holds a chain with another genesis", expected=seed, actual=ledger.header(0).seed
            )
        for height in range(ledger.height + 1):
            header = self._head = ledger.header(height)
            expect(header.height, height, "height", header)
            expect(header.parent_hash, parent_hash, "parent hash", header)
            parent_hash = header.hash
            self.history.append(parent_hash, self.header_rule.work(header))
        ledger.load(self.state)
        if self.state.root != self._head.state_root:
            raise UsageError(
                "the state is not that of the ledger's newest block",
                expected=self._head.state_root,
                actual=self.state.root,
            )

    def _build(
        self,
        transactions: Sequence[Transaction],
        timestamp_ms: int,
        proposer: bytes,
        attachment: bytes,
    ) -> tuple[BlockRecord, LeftOut]:
        """Run and commit to the state; the caller appends the block or restores its parent's state."""
        self._require_head_state()
        parent = self._head
        if timestamp_ms <= parent.timestamp_ms:
            raise UsageError(
                "a block is younger than its parent", expected=parent.timestamp_ms, actual=timestamp_ms
            )
        extras = self._ruling.extras(self.ledger, proposer, attachment)
        record, rejected = build_block(
            self.state,
            self.next_context(timestamp_ms=timestamp_ms, proposer=proposer),
            transactions,
            runtime=self.runtime,
            admit=self._ruling.admit,
            finish=self._finish,
            extras=extras,
            history_root=self.history.root,
        )
        self._candidate = record.block.header
        return record, rejected

    @property
    def _ruling(self) -> Ruling:
        return Ruling(self.rules, self.fees)

    def _finish(self, execution: BlockExecution, extras: HeaderExtras) -> bytes:
        execution.run_due()
        return self._ruling.finish(execution, self._head, extras)

    def _append(self, record: BlockRecord) -> None:
        header = record.block.header
        work = self.header_rule.work(header)
        self.ledger.append(record, self.state)
        self._head = header
        self.history.append(header.hash, work)

    def _require_head_state(self) -> None:
        """Refuse to work on a state that :meth:`state_at` has wound back, or that has loose changes."""
        if self.state.checkpoint() or self.state.root != self._head.state_root:
            raise UsageError("the state is wound back or has changes; finish that first")

    def _undo_diff(self, height: int) -> StateDiff:
        if self.state.lazy:
            return StateDiff()
        diff = self.ledger.undo(height)
        if diff is None:
            raise UsageError("the state before this block has been pruned", height=height)
        return diff
