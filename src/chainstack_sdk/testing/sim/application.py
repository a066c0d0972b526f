"""A tiny chain for simulated validators: each block adds an amount to a running total.

A block is 84 bytes, and its hash is keccak-256 of them; all integers are big-endian::

    height u64 ‖ parent hash 32 ‖ proposer 20 ‖ amount u64 ‖ total u128

It is valid when it follows the newest block, the amount is at least 1, and the total is that of the parent
plus the amount. Before height 1 the total is 0 and the hash is all zeros.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from struct import Struct
from typing import TYPE_CHECKING

from chainstack_sdk.network.application import Candidate
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainstack_sdk.network.application import Application

_LAYOUT = Struct(">Q32s20sQ16s")
_MAX_AMOUNT = 2**64 - 1
_MAX_TOTAL = 2**128 - 1


@dataclass(frozen=True, slots=True)
class TallyBlock:
    """A block of the tiny chain."""

    height: int
    parent_hash: bytes
    """32 bytes."""
    proposer: bytes
    """20 bytes."""
    amount: int
    """Below 2^64."""
    total: int
    """Below 2^128."""

    def encode(self) -> bytes:
        """Return the 84 bytes."""
        total = self.total.to_bytes(16, "big")
        return _LAYOUT.pack(self.height, self.parent_hash, self.proposer, self.amount, total)

    @classmethod
    def decode(cls, body: bytes) -> TallyBlock:
        """Decode the 84 bytes.

        Raises
        ------
        InvalidInput
            When there are fewer or more.
        """
        if len(body) != _LAYOUT.size:
            raise InvalidInput("a block of a tally has 84 bytes", actual=len(body))
        height, parent_hash, proposer, amount, total = _LAYOUT.unpack(body)
        return cls(height, parent_hash, proposer, amount, int.from_bytes(total, "big"))

    def candidate(self) -> Candidate:
        """Return the block as nodes handle it."""
        body = self.encode()
        return Candidate(self.height, keccak256(body), self.parent_hash, body)


_GENESIS = TallyBlock(0, bytes(32), bytes(20), 0, 0)


@dataclass(slots=True)
class TallyDisk:
    """What is left of the chain when its process dies: the blocks with their seals, from height 1 on."""

    blocks: list[tuple[bytes, bytes]] = field(default_factory=list)
    """(body, seal)."""


class Tally:
    """The tiny chain behind a node.

    Parameters
    ----------
    disk
        The blocks so far.
    proposer
        Whose blocks these are, 20 bytes.
    label
        What the amounts of its blocks follow from; nodes with the same key need different ones to build
        different blocks.
    check_seal
        Raises InvalidInput unless a seal makes the block of a height and hash final.
    """

    def __init__(
        self,
        disk: TallyDisk,
        proposer: bytes,
        label: str,
        check_seal: Callable[[int, bytes, bytes], object],
    ) -> None:
        self.disk = disk
        self._proposer = proposer
        self._label = label
        self._check_seal = check_seal
        blocks = disk.blocks
        self._head = TallyBlock.decode(blocks[-1][0]) if blocks else _GENESIS
        self._head_hash = keccak256(blocks[-1][0]) if blocks else bytes(32)

    @property
    def height(self) -> int:
        """Height of the newest block."""
        return self._head.height

    @property
    def head_hash(self) -> bytes:
        """Hash of the newest block, 32 bytes."""
        return self._head_hash

    def build(self, height: int) -> Candidate:
        """Build the next block; the amount follows from the label and the height."""
        amount = 1 + int.from_bytes(keccak256(f"{self._label} {height}".encode())[:2], "big")
        total = self._head.total + amount
        return TallyBlock(height, self._head_hash, self._proposer, amount, total).candidate()

    def inspect(self, body: bytes) -> Candidate:
        """Decode a block that another node has sent, without judging it; a seal after it is left alone."""
        return TallyBlock.decode(body[: _LAYOUT.size]).candidate()

    def check(self, candidate: Candidate) -> None:
        """Refuse a block that does not follow, or whose sum is wrong."""
        self._check(TallyBlock.decode(candidate.body))

    def extra(self, candidate: Candidate) -> bytes:
        """Return nothing: proposals carry the block only."""
        return b""

    def commit(self, candidate: Candidate, seal: bytes) -> None:
        """Append a block that was built or checked here."""
        block = TallyBlock.decode(candidate.body)
        self._check(block)
        self.disk.blocks.append((candidate.body, seal))
        self._head, self._head_hash = block, candidate.block_hash

    def sealed(self, height: int) -> bytes | None:
        """Return a block followed by its seal; None when there is none at that height."""
        return b"".join(self.disk.blocks[height - 1]) if 0 < height <= len(self.disk.blocks) else None

    def append(self, body: bytes) -> Candidate:
        """Append the next block, decided by others, after checking it and its seal."""
        candidate, seal = self.inspect(body), body[_LAYOUT.size :]
        self.check(candidate)
        self._check_seal(candidate.height, candidate.block_hash, seal)
        self.commit(candidate, seal)
        return candidate

    def accuse(self, evidence: bytes) -> None:
        """Do nothing: nobody has anything to lose here."""

    def _check(self, block: TallyBlock) -> None:
        parent = self._head
        if (block.height, block.parent_hash) != (parent.height + 1, self._head_hash):
            raise InvalidInput("the block is not the next one", height=block.height)
        if block.amount < 1 or block.total != parent.total + block.amount:
            raise InvalidInput("the sum is wrong", expected=parent.total + block.amount, actual=block.total)


def other_block(body: bytes) -> bytes:
    """Return another valid block in place of one: it adds one more."""
    block = TallyBlock.decode(body)
    return TallyBlock(
        block.height, block.parent_hash, block.proposer, block.amount + 1, block.total + 1
    ).encode()


def false_block(body: bytes) -> bytes:
    """Return an invalid block in place of one: its total is too high."""
    block = TallyBlock.decode(body)
    return TallyBlock(block.height, block.parent_hash, block.proposer, block.amount, block.total + 1).encode()


def adds_up(disk: TallyDisk, height: int, block_hash: bytes) -> bool:
    """Tell whether a disk has a block of this hash at this height, and all blocks up to it are valid.

    It does the sums over the raw bytes again and trusts nothing that a node has found.
    """
    total, parent_hash = 0, bytes(32)
    for number, (body, _) in enumerate(disk.blocks[:height], 1):
        total += int.from_bytes(body[60:68], "big")
        claimed = int.from_bytes(body[:8], "big"), body[8:40], int.from_bytes(body[68:], "big")
        if claimed != (number, parent_hash, total) or body[60:68] == bytes(8):
            return False
        parent_hash = keccak256(body)
    return len(disk.blocks) >= height > 0 and parent_hash == block_hash


if TYPE_CHECKING:
    _check: type[Application] = Tally
