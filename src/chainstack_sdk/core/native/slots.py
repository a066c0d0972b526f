"""Where values live in a contract's storage: the layout of Solidity.

A contract has 2^256 slots of 32 bytes. A plain variable takes the slot of its number. The value that a
mapping at slot ``p`` holds for a key ``k`` is at ``keccak(k ‖ p)``, with ``k`` padded to 32 bytes when it is
of a value type; a mapping inside takes that slot as its ``p``. The elements of a dynamic array at slot
``p``, whose length is in ``p`` itself, start at ``keccak(p)``. Tools that read the storage of Solidity
contracts find the same values here.

Source: the Solidity documentation, "Layout of State Variables in Storage".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call

CACHE_LIMIT = 16_384
"""Slots that a :class:`MappingSlots` remembers (about 3 MB) before it starts afresh."""

_WORD = 32
_MODULUS = 1 << 256
_SHORT_LIMIT = 31  # content up to here shares the slot with its length


def slot(number: int) -> bytes:
    """Return the slot of a plain variable: the number as 32 bytes, big-endian."""
    return number.to_bytes(_WORD, "big")


def mapping_slot(base: bytes, key: bytes | int) -> bytes:
    """Return the slot where a mapping holds the value of a key.

    Parameters
    ----------
    base
        Slot of the mapping, 32 bytes.
    key
        An integer, or up to 32 bytes, which are padded with zeros on the left: an address, or 32 bytes
        as they are.

    Raises
    ------
    UsageError
        When the key does not fit into 32 bytes.
    """
    if isinstance(key, int):
        if not 0 <= key < _MODULUS:
            raise UsageError("a mapping's key is an unsigned 256-bit integer", actual=key)
        return keccak256(key.to_bytes(_WORD, "big") + base)
    if len(key) > _WORD:
        raise UsageError("a mapping's key has at most 32 bytes", actual=len(key))
    return keccak256(key.rjust(_WORD, b"\0") + base)


def text_mapping_slot(base: bytes, key: bytes | str) -> bytes:
    """Return the slot where a mapping holds the value of a ``string`` or ``bytes`` key, not padded."""
    return keccak256((key.encode() if isinstance(key, str) else key) + base)


def array_slot(base: bytes, index: int) -> bytes:
    """Return the slot of an element of a dynamic array; the array's length is in ``base`` itself."""
    return following(keccak256(base), index)


def following(start: bytes, count: int) -> bytes:
    """Return the slot that lies ``count`` after another; slots wrap round at 2^256."""
    return ((int.from_bytes(start, "big") + count) % _MODULUS).to_bytes(_WORD, "big")


class MappingSlots(dict[bytes, bytes]):
    """The slots of one mapping by key, hashed once: ``slots[key]``.

    The same for every instance of a contract, so that it is kept beside the class. It remembers at most
    :data:`CACHE_LIMIT` slots and then starts afresh.

    Parameters
    ----------
    base
        Number of the slot that the mapping takes.
    """

    __slots__ = ("base",)

    def __init__(self, base: int) -> None:
        super().__init__()
        self.base = slot(base)

    def __missing__(self, key: bytes) -> bytes:
        found = self._derive(key)
        if len(self) >= CACHE_LIMIT:
            self.clear()
        self[key] = found
        return found

    def _derive(self, key: bytes) -> bytes:
        return mapping_slot(self.base, key)


class NestedMappingSlots(MappingSlots):
    """The slots of a mapping from address to a mapping from address: ``slots[outer + inner]``."""

    __slots__ = ()

    def _derive(self, key: bytes) -> bytes:
        return mapping_slot(mapping_slot(self.base, key[:20]), key[20:])


def load_bytes(call: Call, base: bytes) -> bytes:
    """Return the content of a ``bytes`` or ``string`` variable."""
    head = call.load(base)
    if not head & 1:
        return head.to_bytes(_WORD, "big")[: (head & 0xFF) >> 1]
    size = head >> 1
    start = keccak256(base)
    words = [call.load(following(start, at)) for at in range(_words(size))]
    return b"".join([word.to_bytes(_WORD, "big") for word in words])[:size]


def store_bytes(call: Call, base: bytes, content: bytes) -> None:
    """Write a ``bytes`` or ``string`` variable and clear what it held beyond the new content.

    Up to 31 bytes share the slot with twice their number; of longer content the slot holds twice its
    size plus one, and the bytes follow from ``keccak(base)`` on.
    """
    size = len(content)
    held = _tail_words(call.load(base))
    start = keccak256(base)
    if size <= _SHORT_LIMIT:
        call.store(base, int.from_bytes(content.ljust(_WORD, b"\0"), "big") | size << 1)
        used = 0
    else:
        call.store(base, size << 1 | 1)
        used = _words(size)
        for at in range(used):
            word = content[at * _WORD : (at + 1) * _WORD].ljust(_WORD, b"\0")
            call.store(following(start, at), int.from_bytes(word, "big"))
    for at in range(used, held):
        call.store(following(start, at), 0)


def _tail_words(head: int) -> int:
    return _words(head >> 1) if head & 1 else 0


def _words(size: int) -> int:
    return (size + _WORD - 1) // _WORD
