"""Blocks in a key-value store.

A stored block is one atomic batch: body, receipts, indexes, the state it changed and, for flat states, the
reverse diff that undoes it.

Keys of a stored chain (heights and indexes big-endian)::

    m                        RLP [format, how the state is kept, genesis hash, height of the head]
    a ‖ address              RLP [nonce, balance, code hash]
    c ‖ code hash            code
    s ‖ address ‖ slot       storage value, without leading zeros
    h ‖ height8              RLP header
    b ‖ height8              RLP block
    r ‖ height8              RLP receipts
    d ‖ height8              RLP reverse diff, while kept
    k ‖ height8              CRC-32 of block ‖ of receipts ‖ of reverse diff, 4 bytes each: not all that
                             these hold is covered by a root
    i ‖ block hash           height8
    t ‖ hash in a receipt    height8 ‖ index4
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from zlib import crc32

from chainstack_sdk.core.blocks import Block, decode_header
from chainstack_sdk.core.diff import StateDiff
from chainstack_sdk.core.ledger.record import BlockRecord
from chainstack_sdk.core.receipts import closing_hash, decode_receipts, encode_receipt
from chainstack_sdk.core.validation import receipts_root, transactions_root
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.rlp import decode_int, list_header, rlp_decode, rlp_encode

if TYPE_CHECKING:
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.interfaces import KeyValueStore
    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.core.state import State

FORMAT = 1
CHECK_BYTES = 4
RECENT_BLOCKS = 64
"""Decoded blocks a stored ledger holds in memory."""

_KINDS = {b"b": "blocks", b"r": "receipts", b"d": "reverse diffs"}


class StateCodec(Protocol):
    """How a stored ledger keeps the state: flat values, or trie nodes."""

    @property
    def name(self) -> bytes:
        """Tells stores of different codecs apart."""
        ...

    @property
    def needs_undo(self) -> bool:
        """Whether going back takes the reverse diff of a block."""
        ...

    def writes(self, state: State, diff: StateDiff) -> tuple[dict[bytes, bytes], list[bytes]]:
        """Return the puts and deletes that bring the store to ``state``, given what changed."""
        ...

    def load(self, store: KeyValueStore, state: State, root: bytes) -> None:
        """Bring an empty state to the stored one with this root."""
        ...


class StoredLedger:
    """Blocks in a :class:`~chainstack_sdk.core.interfaces.KeyValueStore`, one atomic batch each.

    Parameters
    ----------
    store
        The ledger owns it from now on and closes it.
    genesis_hash
        Hash of the genesis parameters, 32 bytes: a store of another chain is refused.
    codec
        How the state is kept.
    keep_states
        How many of the newest blocks can be undone, or looked behind; None: all.

    Raises
    ------
    UsageError
        When the store holds a chain with another genesis, or keeps its state in another way.
    InvalidInput
        When what it holds is not a chain.
    """

    def __init__(
        self, store: KeyValueStore, genesis_hash: bytes, codec: StateCodec, *, keep_states: int | None = None
    ) -> None:
        self._store = store
        self._genesis_hash = genesis_hash
        self._codec = codec
        self._keep = keep_states
        self._recent: dict[int, BlockRecord] = {}
        self._height = self._read_head()

    @property
    def height(self) -> int:
        """Height of the newest block, -1 before genesis."""
        return self._height

    def load(self, state: State) -> None:
        """Bring an empty state to that of the newest block.

        Raises
        ------
        InvalidInput
            When the newest header is damaged, or the stored state does not have the root that it commits to.
        """
        header = self.header(self._height)
        if self.height_of(header.hash) != self._height:
            raise InvalidInput("the newest header in the store is damaged", height=self._height)
        root = header.state_root
        self._codec.load(self._store, state, root)
        if state.root != root:
            raise InvalidInput("the stored state does not match its block", expected=root, actual=state.root)

    def append(self, record: BlockRecord, state: State) -> None:
        """Write the next block, durable when this returns."""
        height = self._height + 1
        number = height.to_bytes(8, "big")
        puts, deletes = self._codec.writes(state, record.undo)
        puts[b"h" + number] = record.block.header.encode()
        block, receipts = record.block.encode(), _encode_receipts(record.receipts)
        undo = record.undo.encode() if self._codec.needs_undo else b""
        puts[b"b" + number] = block
        puts[b"r" + number] = receipts
        if undo:
            puts[b"d" + number] = undo
        puts[b"k" + number] = _check(block) + _check(receipts) + _check(undo)
        puts[b"i" + record.block.hash] = number
        for index, receipt in enumerate(record.receipts):
            puts[b"t" + receipt.transaction_hash] = number + index.to_bytes(4, "big")
        if self._keep is not None and height >= self._keep:
            deletes.append(b"d" + (height - self._keep).to_bytes(8, "big"))
        puts[b"m"] = self._head(height)
        self._store.write_batch(puts, deletes)
        self._height = height
        self._remember(height, record)

    def pop(self, state: State, redo: StateDiff) -> None:
        """Forget the newest block; the state has gone back already, ``redo`` names what changed."""
        block = self.block(self._height)
        number = self._height.to_bytes(8, "big")
        puts, deletes = self._codec.writes(state, redo)
        deletes += [prefix + number for prefix in (b"h", b"b", b"r", b"d", b"k")]
        deletes.append(b"i" + block.hash)
        deletes += [b"t" + transaction.hash for transaction in block.transactions]
        deletes.append(b"t" + closing_hash(self._height, block.parent_hash))  # whether there is one or not
        puts[b"m"] = self._head(self._height - 1)
        self._store.write_batch(puts, deletes)
        self._recent.pop(self._height, None)
        self._height -= 1

    def block(self, height: int) -> Block:
        """Return a block by height.

        Raises
        ------
        InvalidInput
            When what is stored is not the block that the header at this height commits to.
        """
        record = self._recent.get(height)
        if record:
            return record.block
        block = Block.decode(self._checked(b"b", height))
        root = transactions_root(block.transactions)
        if block.hash != self.header(height).hash or root != block.header.transactions_root:
            raise InvalidInput("a stored block is damaged", height=height)
        return block

    def header(self, height: int) -> Header:
        """Return a header by height."""
        record = self._recent.get(height)
        if record:
            return record.block.header
        return decode_header(self._required(b"h" + height.to_bytes(8, "big")))

    def receipts(self, height: int) -> tuple[Receipt, ...]:
        """Return a block's receipts, in order.

        Raises
        ------
        InvalidInput
            When what is stored is not what the header at this height commits to.
        """
        record = self._recent.get(height)
        if record:
            return record.receipts
        receipts = decode_receipts(self._checked(b"r", height))
        if receipts_root(receipts) != self.header(height).receipts_root or not _in_order(receipts, height):
            raise InvalidInput("stored receipts are damaged", height=height)
        return receipts

    def undo(self, height: int) -> StateDiff | None:
        """Return the diff that undoes a block, or None when pruned.

        Raises
        ------
        InvalidInput
            When it is damaged.
        """
        if self._store.get(b"d" + height.to_bytes(8, "big")) is None:
            return None
        return StateDiff.decode(self._checked(b"d", height))

    def height_of(self, block_hash: bytes) -> int | None:
        """Return the height of the block with this hash, if kept.

        Raises
        ------
        InvalidInput
            When the index is damaged.
        """
        number = self._store.get(b"i" + block_hash)
        if number is None:
            return None
        height = self._kept_height(number)
        if self.header(height).hash != block_hash:
            raise InvalidInput("the index of blocks is damaged", hash=block_hash)
        return height

    def locate(self, transaction_hash: bytes) -> tuple[int, int] | None:
        """Return (height, index) of a transaction or closing receipt, if kept."""
        place = self._store.get(b"t" + transaction_hash)
        if place is None:
            return None
        return self._kept_height(place[:8]), int.from_bytes(place[8:], "big")

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def _head(self, height: int) -> bytes:
        number = height.to_bytes((height.bit_length() + 7) >> 3, "big")
        return rlp_encode([bytes([FORMAT]), self._codec.name, self._genesis_hash, number])

    def _read_head(self) -> int:
        data = self._store.get(b"m")
        if data is None:
            for key, _value in self._store.iterate():
                raise InvalidInput("the store has entries, but no chain", key=key)
            return -1
        match rlp_decode(data):
            case [bytes(form), bytes(codec), bytes(genesis_hash), bytes(height)] if form == bytes([FORMAT]):
                if codec != self._codec.name:
                    raise UsageError(
                        "the store keeps its state in another way: archive or not?",
                        expected=codec.decode(errors="replace"),
                        actual=self._codec.name.decode(),
                    )
                if genesis_hash != self._genesis_hash:
                    raise UsageError(
                        "the store holds a chain with another genesis",
                        expected=self._genesis_hash,
                        actual=genesis_hash,
                    )
                newest = decode_int(height, 8)
                if self._store.get(b"h" + (newest + 1).to_bytes(9, "big")[1:]) is not None:
                    raise InvalidInput("the store holds blocks above its newest", height=newest)
                return newest
        raise InvalidInput("the store does not hold a chain of this format")

    def _kept_height(self, number: bytes) -> int:
        height = int.from_bytes(number, "big")
        if len(number) != 8 or height > self._height:
            raise InvalidInput("an index of the store is damaged", expected=self._height, actual=height)
        return height

    def _checked(self, kind: bytes, height: int) -> bytes:
        """Return the entry of a kind (``b``, ``r`` or ``d``) at a height, as it was written."""
        number = height.to_bytes(8, "big")
        data = self._required(kind + number)
        at = CHECK_BYTES * b"brd".index(kind)
        if self._required(b"k" + number)[at : at + CHECK_BYTES] != _check(data):
            raise InvalidInput(f"stored {_KINDS[kind]} are damaged", height=height)
        return data

    def _required(self, key: bytes) -> bytes:
        data = self._store.get(key)
        if data is None:
            raise InvalidInput("an entry is missing from the store", key=key)
        return data

    def _remember(self, height: int, record: BlockRecord) -> None:
        self._recent[height] = record
        self._recent.pop(height - RECENT_BLOCKS, None)


def _in_order(receipts: tuple[Receipt, ...], height: int) -> bool:
    """Tell whether what the receipts say of their places, which no root covers, is right."""
    total = 0
    for index, receipt in enumerate(receipts):
        used = receipt.cumulative_gas_used - total
        if (receipt.height, receipt.transaction_index, receipt.gas_used) != (height, index, used):
            return False
        total = receipt.cumulative_gas_used
    return True


def _check(data: bytes) -> bytes:
    return crc32(data).to_bytes(CHECK_BYTES, "big")


def _encode_receipts(receipts: tuple[Receipt, ...]) -> bytes:
    body = b"".join([encode_receipt(receipt) for receipt in receipts])
    return list_header(len(body)) + body
