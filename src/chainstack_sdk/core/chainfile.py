"""A whole chain as one file: genesis, then every block.

::

    file   = "chainstack" ‖ version u8 ‖ block count u64 ‖ entry(genesis) ‖ entry(block)* ‖ check 32
    entry  = length u32 ‖ RLP
    check  = h(n), with h(0) = keccak(all before the first entry), h(i) = keccak(h(i-1) ‖ entry(i))

Integers are big-endian. The check tells a cut or damaged file early and cheaply; every block is validated
on import all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from chainstack_sdk.core.blocks import Block
from chainstack_sdk.core.genesis import Genesis
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainstack_sdk.core.chain import Blockchain
    from chainstack_sdk.core.transactions.senders import Executor

MAGIC = b"chainstack\x01"
MAX_ENTRY = 1 << 30
"""Bytes of one entry; far above any block."""
_PIECE = 1 << 20


def export_chain(
    chain: Blockchain, file: BinaryIO, progress: Callable[[int, int], None] | None = None
) -> None:
    """Write a chain from genesis to head.

    Parameters
    ----------
    file
        Open for binary writing.
    progress
        Called after each block with (blocks written, blocks in all).
    """
    start = MAGIC + chain.height.to_bytes(8, "big")
    file.write(start)
    check = _write_entry(file, chain.genesis.encode(), keccak256(start))
    for height in range(1, chain.height + 1):
        check = _write_entry(file, chain.ledger.block(height).encode(), check)
        if progress is not None:
            progress(height, chain.height)
    file.write(check)


class ChainReader:
    """Reads an exported chain: first :attr:`genesis`, then the blocks.

    Parameters
    ----------
    file
        Open for binary reading, at the start of the export.

    Raises
    ------
    InvalidInput
        When it does not start like an export.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        start = self._take(len(MAGIC) + 8)
        if not start.startswith(MAGIC):
            raise InvalidInput("not an exported chain of a known version")
        self.height = int.from_bytes(start[len(MAGIC) :], "big")
        """Height of the last block in the file."""
        self._check = keccak256(start)
        self.genesis = Genesis.decode(self._entry())
        """What the chain starts from."""
        self._read = 0

    def next_block(self) -> Block | None:
        """Return the next block, or None after the last, when the file has been checked to its end.

        Raises
        ------
        InvalidInput
            When the file is cut, damaged or goes on after its end.
        """
        if self._read < self.height:
            self._read += 1
            return Block.decode(self._entry())
        if self._read == self.height:
            self._read += 1
            if self._take(32) != self._check:
                raise InvalidInput("the exported chain is damaged: its check does not fit")
            if self._file.read(1):
                raise InvalidInput("the exported chain goes on after its end")
        return None

    def _entry(self) -> bytes:
        length = self._take(4)
        size = int.from_bytes(length, "big")
        if size > MAX_ENTRY:
            raise InvalidInput("an entry of the exported chain is too large", expected=MAX_ENTRY, actual=size)
        payload = self._take(size)
        self._check = keccak256(self._check + length + payload)
        return payload

    def _take(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            # In pieces: a damaged length must not claim memory that the file cannot fill.
            piece = self._file.read(min(size - len(data), _PIECE))
            if not piece:
                raise InvalidInput("the exported chain is cut short")
            data += piece
        return bytes(data)


def import_chain(
    chain: Blockchain,
    reader: ChainReader,
    progress: Callable[[int, int], None] | None = None,
    executor: Executor | None = None,
) -> None:
    """Append every block of an export to a chain that stands at its genesis.

    Blocks up to the first bad one stay appended.

    Parameters
    ----------
    progress
        Called after each block with (height, height of the last).
    executor
        Recovers senders in parallel when given.

    Raises
    ------
    InvalidInput
        When the export is of another genesis, damaged, or a block is invalid.
    """
    if reader.genesis.encode() != chain.genesis.encode():
        raise InvalidInput("the exported chain has another genesis")
    while (block := reader.next_block()) is not None:
        chain.append(block, executor)
        if progress is not None:
            progress(block.height, reader.height)


def _write_entry(file: BinaryIO, payload: bytes, check: bytes) -> bytes:
    length = len(payload).to_bytes(4, "big")
    file.write(length)
    file.write(payload)
    return keccak256(check + length + payload)
