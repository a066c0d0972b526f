"""The joints of the house: every part that may be replaced, as a Protocol.

Layer 2 packages do not import each other; what they share is declared here and wired together by the
composition root. ``chainstack_sdk.testing`` holds a do-nothing or scripted implementation of each, for
the tests of those who embed the library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from chainstack_sdk.core.blocks import Block, Header
    from chainstack_sdk.core.call import Call
    from chainstack_sdk.core.closing import Closing, HeaderExtras
    from chainstack_sdk.core.diff import StateDiff
    from chainstack_sdk.core.engine import EngineInput, EngineOutput
    from chainstack_sdk.core.environment import Environment
    from chainstack_sdk.core.genesis import Genesis
    from chainstack_sdk.core.ledger import BlockRecord
    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.core.state import State
    from chainstack_sdk.core.view import ChainView


class KeyValueStore(Protocol):
    """A durable ordered map from bytes to bytes."""

    def get(self, key: bytes) -> bytes | None:
        """Return the value, or None when the key is absent."""
        ...

    def write_batch(self, puts: Mapping[bytes, bytes], deletes: Iterable[bytes] = ()) -> None:
        """Delete, then put, all or nothing; durable when it returns."""
        ...

    def iterate(self, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Yield the entries whose key starts with ``prefix``, keys ascending, from a snapshot."""
        ...

    def close(self) -> None:
        """Release the store; calling it again does nothing."""
        ...


class StateTrie(Protocol):
    """A map from bytes to non-empty bytes with a root that commits to its whole contents."""

    def get(self, key: bytes) -> bytes | None:
        """Return the value, or None when the key is absent."""
        ...

    def update(self, changes: Mapping[bytes, bytes]) -> bytes:
        """Write a batch, an empty value deleting its key, and return the new 32-byte root."""
        ...

    @property
    def root(self) -> bytes:
        """The 32-byte root."""
        ...

    def prove(self, key: bytes) -> tuple[bytes, ...]:
        """Return the RLP nodes from the root that prove the key's value or its absence."""
        ...


class Contract(Protocol):
    """Native code behind an address."""

    def invoke(self, call: Call, data: bytes) -> bytes:
        """Run one call with ABI-encoded ``data`` and return the ABI-encoded result.

        Raises
        ------
        Reverted
            To refuse; the chain undoes whatever the call changed.
        """
        ...


class ContractRuntime(Protocol):
    """Finds the contract that an account's code stands for."""

    def resolve(self, code: bytes) -> Contract | None:
        """Return the contract for ``0xEF43 ‖ kind ‖ version ‖ body``, or None when unknown here."""
        ...

    def close_block(self, env: Environment) -> None:
        """Do what contracts have asked for the end of a block; mostly there is nothing to do.

        Called once a block, after its last transaction and before fees are handed out. Whatever it logs
        makes the block's closing receipt; see :func:`~chainstack_sdk.core.receipts.closing_hash`. The work
        is bounded and was paid for when it was asked for.

        Parameters
        ----------
        env
            The state, the block, this runtime, no gas. Nobody's transaction: its origin is the zero
            address.
        """
        ...


class FeePolicy(Protocol):
    """Who gets a block's fees."""

    def distribute(self, proposer: bytes, base_fees: int, tips: int) -> Sequence[tuple[bytes, int]]:
        """Return the credits in wei, by address; their sum is at most ``base_fees + tips``.

        What is not handed out is burnt. Called once a block, after its last transaction.
        """
        ...


class ChainRules(Protocol):
    """What a consensus does on the chain itself, besides deciding on blocks.

    All of it is a function of the chain: every node that runs a block again does the same.
    """

    def slot(self, height: int) -> int:
        """Return the committee's term in which a block of this height lies."""
        ...

    def extras(self, parent: Block, proposer: bytes, attachment: bytes) -> HeaderExtras:
        """Return what goes into the header of a block on ``parent``, the head.

        Raises
        ------
        UsageError
            When ``attachment`` is not one that this consensus understands.
        """
        ...

    def admit(self, state: State, sender: bytes) -> None:
        """Let an account send, or refuse it.

        Raises
        ------
        Rejected
            With code ``not_permitted``.
        """
        ...

    def close(self, closing: Closing) -> None:
        """Hand out fees and rewards, punish, elect; called once a block, after its last transaction.

        Raises
        ------
        InvalidInput
            When the block carries what it may not, such as a parent certificate that proves nothing.
        """
        ...


class HeaderRule(Protocol):
    """Is this header well formed and sealed? All that a header-following client needs."""

    def validate_header(self, header: Header, seal: bytes, parent: Header) -> None:
        """Check what the engine demands beyond the rules common to every chain.

        Chain id, height, parent hash, gas limit, base fee and the order of timestamps have been
        checked when it is called.

        Raises
        ------
        InvalidInput
            When the header or its seal breaks the rule.
        """
        ...

    def work(self, header: Header) -> int:
        """Return the weight the block adds to its chain: expected hashes, or 1 without work."""
        ...


class CandidateRule(Protocol):
    """Says whether an engine may vote on a block, or work on it, before it is sealed."""

    def validate_candidate(self, header: Header, parent: Header) -> None:
        """Check what the engine demands of a header, all but its seal.

        Raises
        ------
        InvalidInput
            When the header breaks the rule.
        """
        ...


class FinalityRule(Protocol):
    """Is this block final? Usable without a chain object."""

    def validate_finality(self, header: Header, seal: bytes) -> None:
        """Check the proof of finality that the seal carries.

        Raises
        ------
        InvalidInput
            When the seal does not make the block final.
        """
        ...


class ConsensusEngine(Protocol):
    """A sans-IO state machine that decides which block comes next.

    It has no clock, randomness, keys or sockets: a host feeds inputs and carries out outputs.
    """

    @property
    def name(self) -> str:
        """The name by which a genesis chooses the engine."""
        ...

    @property
    def header_rule(self) -> HeaderRule:
        """The rule by which others check this engine's headers."""
        ...

    @property
    def finality_rule(self) -> FinalityRule:
        """The rule by which others check this engine's finality."""
        ...

    def process(self, event: EngineInput) -> tuple[EngineOutput, ...]:
        """Take one input and return what the host is to do, in order."""
        ...


class Consensus(Protocol):
    """A whole way to agree on blocks, for one chain: everything that goes with an engine."""

    @property
    def name(self) -> str:
        """The engine's name."""
        ...

    def prepare(self, genesis: Genesis) -> Genesis:
        """Return the genesis with this engine's name, parameters, and system contracts."""
        ...

    def contracts(self) -> Mapping[bytes, Contract]:
        """Return the system contracts that it brings, by their code."""
        ...

    def header_rule(self, genesis: Genesis, view: ChainView) -> HeaderRule:
        """Return the rule by which the chain checks headers."""
        ...

    def rules(self, genesis: Genesis, view: ChainView) -> ChainRules | None:
        """Return what it does on the chain; None: nothing, and fees follow the chain's fee policy."""
        ...

    def engine(self, genesis: Genesis, view: ChainView) -> ConsensusEngine:
        """Return the engine; called last, once the view is bound to the chain."""
        ...


class Clock(Protocol):
    """Where block timestamps come from; a host's business, never read inside the core."""

    def now_ms(self) -> int:
        """Return Unix time in milliseconds."""
        ...

    def next_block_ms(self, parent_ms: int) -> int:
        """Return the timestamp for a block on a parent; greater than the parent's."""
        ...


class Ledger(Protocol):
    """Keeps blocks, receipts and what is needed to undo them; one chain writes to it.

    Where a height is asked for it is between 0 and :attr:`height`.
    """

    @property
    def height(self) -> int:
        """Height of the newest block kept, -1 before genesis."""
        ...

    def load(self, state: State) -> None:
        """Bring an empty state to that of the newest block, where the ledger keeps it.

        Raises
        ------
        InvalidInput
            When what is kept does not have the root that the block commits to.
        """
        ...

    def append(self, record: BlockRecord, state: State) -> None:
        """Keep the next block, all or nothing; ``state`` is the one after it."""
        ...

    def pop(self, state: State, redo: StateDiff) -> None:
        """Forget the newest block, all or nothing; ``state`` has gone back, ``redo`` is what changed."""
        ...

    def block(self, height: int) -> Block:
        """Return a block."""
        ...

    def header(self, height: int) -> Header:
        """Return a block's header."""
        ...

    def receipts(self, height: int) -> tuple[Receipt, ...]:
        """Return the receipts of a block in the order of its transactions, a closing receipt last."""
        ...

    def undo(self, height: int) -> StateDiff | None:
        """Return the diff that undoes a block, or None when it is no longer kept."""
        ...

    def height_of(self, block_hash: bytes) -> int | None:
        """Return the height of the block with this hash, or None when there is none."""
        ...

    def locate(self, transaction_hash: bytes) -> tuple[int, int] | None:
        """Return (height, index) of a transaction or closing receipt, or None when no block holds it."""
        ...

    def close(self) -> None:
        """Release what the ledger holds; calling it again does nothing."""
        ...
