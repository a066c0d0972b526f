"""A real chain behind a node: blocks from a mempool, run before they are voted on."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.chainkey.payload import validate_carried
from chainstack_sdk.consensus.payouts import validate_payouts
from chainstack_sdk.core.blocks import Block, certificate_hash
from chainstack_sdk.core.reorganise import reorganise
from chainstack_sdk.core.validation import expect, transactions_root
from chainstack_sdk.network.application import Candidate, TooEarly
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.building import Candidate as Built
    from chainstack_sdk.core.chain import Blockchain
    from chainstack_sdk.core.interfaces import CandidateRule, Clock
    from chainstack_sdk.core.mempool import Mempool
    from chainstack_sdk.core.transactions import Transaction
    from chainstack_sdk.network.application import Application, ForkingApplication, Gate

MAX_AHEAD_MS = 5_000
"""How far a block's timestamp may run ahead of a node's clock."""
_MAY_RUN_LATER = ("nonce_too_high", "gas_limit")


def validate_content(block: Block) -> None:
    """Check that all there is in a block is what its header commits to.

    A block's hash is that of its header. Content that does not match is the fault of whoever sent it, and
    says nothing of the block that has this hash.

    Raises
    ------
    InvalidInput
        When transactions, parent certificate or attachment are others. An attachment is a list of payouts.
    """
    _validate_content(block, block.attachment)


def validate_keyed_content(block: Block) -> None:
    """Check the same of a block of a chain with a key, whose attachment carries a payload for the key too.

    Raises
    ------
    InvalidInput
        When transactions, parent certificate, payload or the attachment around it are others.
    """
    _validate_content(block, validate_carried(block.header, block.attachment))


def _validate_content(block: Block, attachment: bytes) -> None:
    header = block.header
    expect(header.transactions_root, transactions_root(block.transactions), "transactions root", header)
    certificate = certificate_hash(block.parent_certificate)
    expect(header.parent_certificate_hash, certificate, "parent certificate hash", header)
    if header.work_commitment:
        validate_payouts(header.work_commitment, attachment)
    elif attachment:
        raise InvalidInput("nothing in the header commits to an attachment", height=header.height)


class ChainApplication:
    """Builds, checks and keeps the blocks of a chain for a node.

    Parameters
    ----------
    blockchain
        The chain.
    pool
        Where transactions wait.
    rule
        What the engine demands of a header before it is sealed.
    clock
        Where timestamps come from.
    proposer
        Earns what this node's blocks earn, 20 bytes.
    producing
        Whether this node makes blocks.
    prove
        Returns what this node adds to its own proposals of a block; nothing by default.
    attachment
        Returns the attachment of the next block, such as whom to pay for work; empty by default.
    content
        Refuses a block whose content is not what its header commits to. Chains with a key need
        :func:`validate_keyed_content`, engines that put something else than payouts into attachments need
        their own.
    on_evidence
        Told of each proof that a validator broke the rules.
    gate
        Holds blocks back whose time has not come, for reasons that lie outside the chain.
    """

    def __init__(
        self,
        blockchain: Blockchain,
        pool: Mempool,
        *,
        rule: CandidateRule,
        clock: Clock,
        proposer: bytes,
        producing: bool = True,
        prove: Callable[[Header], bytes] | None = None,
        attachment: Callable[[], bytes] | None = None,
        content: Callable[[Block], None] = validate_content,
        on_evidence: Callable[[bytes], None] | None = None,
        gate: Gate | None = None,
    ) -> None:
        self.blockchain = blockchain
        self.pool = pool
        self._rule = rule
        self._clock = clock
        self._proposer = proposer
        self._producing = producing
        self._prove = prove
        self._attachment = attachment
        self._content = content
        self._on_evidence = on_evidence
        self._gate = gate
        self._built: dict[bytes, Built] = {}

    @property
    def height(self) -> int:
        """Height of the newest block."""
        return self.blockchain.height

    @property
    def head_hash(self) -> bytes:
        """Hash of the newest block, 32 bytes."""
        return self.blockchain.head.hash

    def header(self, block_hash: bytes) -> Header | None:
        """Return the header of a block of the chain, or of one built or checked on the head."""
        built = self._built.get(block_hash)
        return self.blockchain.header_of(block_hash) if built is None else built.block.header

    # Making and checking candidates

    def build(self, height: int, timestamp_ms: int | None = None) -> Candidate | None:
        """Build a block on the head from the mempool; None when this node makes no blocks.

        Parameters
        ----------
        timestamp_ms
            Unix time in milliseconds that the block is to bear; the clock's by default.
        """
        if not self._producing or height != self.height + 1:
            return None
        if self._gate is not None and not self._gate.may_build(height):
            return None
        built = None
        while built is None:
            chosen = self.pool.take(self.blockchain.next_base_fee, self.blockchain.head.gas_limit)
            built = self._build(chosen, timestamp_ms)
        return self._hold(built)

    def _build(self, chosen: list[Transaction], timestamp_ms: int | None) -> Built | None:
        """Build a block; what may still run stays in the pool until a block with it is appended.

        None when contract code crashed: its transaction is dropped, and the rest may be tried again.
        """
        chain, dropped = self.blockchain, set[bytes]()
        if timestamp_ms is None:
            timestamp_ms = self._clock.next_block_ms(chain.head.timestamp_ms)
        try:
            built = chain.build(
                chosen,
                timestamp_ms=timestamp_ms,
                proposer=self._proposer,
                attachment=b"" if self._attachment is None else self._attachment(),
            )
            dropped |= {each.hash for each, error in built.rejected if error.code not in _MAY_RUN_LATER}
            return built
        except UsageError as error:
            crashed = error.facts.get("transaction_hash")
            if not isinstance(crashed, bytes):
                raise
            dropped.add(crashed)
            return None
        finally:
            self.pool.put_back([each for each in chosen if each.hash not in dropped])

    def inspect(self, body: bytes) -> Candidate:
        """Decode a block that another node has sent, without judging it; see :func:`validate_content`."""
        block = self.decode(body)
        return Candidate(block.height, block.hash, block.parent_hash, body)

    def decode(self, body: bytes) -> Block:
        """Decode a block that another node has sent, without judging it; see :func:`validate_content`."""
        block = Block.decode(body)
        self._content(block)
        return block

    def check(self, candidate: Candidate) -> None:
        """Run a block on the head."""
        block = Block.decode(candidate.body)
        self._await(block)
        if self._gate is not None:
            self._gate.judge(block.header)
        with _crashes_refused((block,)):
            self._hold(self.blockchain.check(block, self._rule))

    def extra(self, candidate: Candidate) -> bytes:
        """Return what this node adds to its own proposals of a block."""
        if self._prove is None:
            return b""
        return self._prove(self._built[candidate.block_hash].block.header)

    # The chain

    def commit(self, candidate: Candidate, seal: bytes) -> Block:
        """Append a block that was built or checked here, and return it with its seal."""
        block = self.blockchain.commit(self._built[candidate.block_hash], seal)
        self._moved([block])
        return block

    def append(self, body: bytes) -> Candidate:
        """Append the next block, decided by others."""
        block = Block.decode(body)
        with _crashes_refused((block,)):
            self.blockchain.append(block)
        self._moved([block])
        return Candidate(block.height, block.hash, block.parent_hash, body)

    def reorganise(self, ancestor_height: int, blocks: Sequence[Block]) -> None:
        """Go over to another branch; transactions that are only on the old one wait for a block again."""
        for block in blocks:
            self._await(block)
        with _crashes_refused(blocks):
            outcome = reorganise(self.blockchain, ancestor_height, blocks)
        self._moved(outcome.added)
        nonce = self.blockchain.state.nonce
        self.pool.put_back(each for each in outcome.dropped() if each.nonce >= nonce(each.sender))

    def block(self, height: int) -> Block | None:
        """Return a block of the chain with its seal; None when there is none, or for genesis."""
        return self.blockchain.ledger.block(height) if 0 < height <= self.height else None

    def sealed(self, height: int) -> bytes | None:
        """Return a block of the chain with its seal, encoded; None when there is none, or for genesis."""
        block = self.block(height)
        return None if block is None else block.encode()

    def find(self, block_hash: bytes) -> Block | None:
        """Return a block of the chain with its seal, or None when there is none with this hash."""
        height = self.blockchain.ledger.height_of(block_hash)
        return None if height is None else self.block(height)

    def accuse(self, evidence: bytes) -> None:
        """Hand on a proof that a validator broke the rules."""
        if self._on_evidence is not None:
            self._on_evidence(evidence)

    # Inside

    def _await(self, block: Block) -> None:
        latest = self._clock.now_ms() + MAX_AHEAD_MS
        if block.timestamp_ms > latest:
            raise TooEarly("a block from the future", expected=latest, actual=block.timestamp_ms)

    def _hold(self, built: Built) -> Candidate:
        block = built.block
        self._built[block.hash] = built
        return Candidate(block.height, block.hash, block.parent_hash, block.encode())

    def _moved(self, added: Sequence[Block]) -> None:
        self._built.clear()
        for block in added:
            self.pool.on_block(block.transactions)


@contextmanager
def _crashes_refused(blocks: Sequence[Block]) -> Iterator[None]:
    """Treat a block whose transaction crashes contract code as invalid, as every node finds it to be."""
    try:
        yield
    except UsageError as error:
        crashed = error.facts.get("transaction_hash")
        for block in blocks:
            if any(transaction.hash == crashed for transaction in block.transactions):
                raise InvalidInput(error.message, height=block.height, block_hash=block.hash) from error
        raise


if TYPE_CHECKING:
    _check: type[Application] = ChainApplication
    _forking: type[ForkingApplication] = ChainApplication
