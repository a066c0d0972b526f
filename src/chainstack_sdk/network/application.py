"""The chain as a node sees it: blocks as bytes, built, checked, kept and handed on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainstack_sdk.core.blocks import Block, Header


class TooEarly(InvalidInput):
    """A block whose time has not come by this node's clock: no verdict yet, ask again later."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A block that may become the next one."""

    height: int
    block_hash: bytes
    """32 bytes."""
    parent_hash: bytes
    """32 bytes."""
    body: bytes
    """The encoded block."""


class Gate(Protocol):
    """Says whether the time for a block has come, for reasons that lie outside the chain."""

    def may_build(self, height: int) -> bool:
        """Tell whether a block of the next height may be built now."""
        ...

    def judge(self, header: Header) -> None:
        """Check a candidate on the head.

        Raises
        ------
        TooEarly
            When it cannot be judged yet.
        InvalidInput
            When this node is not to vote for it.
        """
        ...


class Application(Protocol):
    """What a node asks of its chain."""

    @property
    def height(self) -> int:
        """Height of the newest block."""
        ...

    @property
    def head_hash(self) -> bytes:
        """Hash of the newest block, 32 bytes."""
        ...

    def build(self, height: int) -> Candidate | None:
        """Build a block on the head, or return None when this node makes no blocks."""
        ...

    def inspect(self, body: bytes) -> Candidate:
        """Decode a block that another node has sent, without judging it.

        Raises
        ------
        InvalidInput
            When it is malformed.
        """
        ...

    def check(self, candidate: Candidate) -> None:
        """Run a block on the head, so that it may be voted on and :meth:`commit` can append it.

        Raises
        ------
        TooEarly
            When it cannot be judged yet.
        InvalidInput
            When the block is invalid.
        """
        ...

    def extra(self, candidate: Candidate) -> bytes:
        """Return what this node adds to its own proposals of a block that it has built or checked."""
        ...

    def commit(self, candidate: Candidate, seal: bytes) -> object:
        """Append a block that was built or checked here, with the seal of the engine's decision."""
        ...

    def sealed(self, height: int) -> bytes | None:
        """Return a block of the chain with its seal, encoded; None when there is none."""
        ...

    def append(self, body: bytes) -> Candidate:
        """Append the next block, decided by others, after checking all of it.

        Raises
        ------
        InvalidInput
            When it is malformed, not the next, or invalid.
        """
        ...

    def accuse(self, evidence: bytes) -> None:
        """Bring a proof that a validator broke the rules before the chain."""
        ...


class ForkingApplication(Protocol):
    """What a node asks of a chain that may go back and take another branch.

    Its blocks are those of the library, as engines that compare branches read their headers.
    """

    @property
    def height(self) -> int:
        """Height of the newest block."""
        ...

    @property
    def head_hash(self) -> bytes:
        """Hash of the newest block, 32 bytes."""
        ...

    def build(self, height: int, timestamp_ms: int | None = None) -> Candidate | None:
        """Build a block on the head, or return None when this node makes no blocks.

        Parameters
        ----------
        timestamp_ms
            Unix time in milliseconds that the block is to bear; by default the application chooses.
        """
        ...

    def commit(self, candidate: Candidate, seal: bytes) -> Block:
        """Append a block that was built here, with the seal of the engine's decision; return it."""
        ...

    def find(self, block_hash: bytes) -> Block | None:
        """Return a block of the chain with its seal, or None when the chain does not hold it."""
        ...

    def block(self, height: int) -> Block | None:
        """Return a block of the chain with its seal; None when there is none, or for genesis."""
        ...

    def decode(self, body: bytes) -> Block:
        """Decode a sealed block that another node has sent, without judging it.

        Raises
        ------
        InvalidInput
            When it is malformed, or its content is not what its header commits to.
        """
        ...

    def reorganise(self, ancestor_height: int, blocks: Sequence[Block]) -> None:
        """Go over to another branch: take off every block above a height and append others, or do nothing.

        Raises
        ------
        TooEarly
            When the time of a block has not come.
        InvalidInput
            When a block is invalid; the error's fact ``block_hash`` says which.
        """
        ...
