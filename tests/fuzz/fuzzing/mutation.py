"""Making bad inputs of good ones.

Three levels, because a damage that one level makes is stopped at the outermost check of the next: plain
bytes; bytes that are RLP, where an item is changed and every length around it is put right again; and nested
Python values (JSON requests, lists of trie nodes, fields of a proof).
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from chainstack_sdk.primitives import rlp_decode, rlp_encode

MAX_STACKED = 3
"""Mutations of one input, at most."""
NESTING = 20_000
"""Levels of the deep nestings: beyond any recursion limit."""
# Bytes that RLP, transactions and tries give a meaning, and their neighbours.
MEANINGFUL = bytes.fromhex("000102031b1c202425267f80818488949fa0a1b7b8b9bfc0c1c2d5dfe1f7f8f9fafbfeff")
LENGTHS = (0, 1, 31, 32, 33, 55, 56, 255, 256, 2**16, 2**31 - 1, 2**32 - 1, 2**32, 2**63 - 1, 2**64 - 1)
WORDS = (*LENGTHS, 64, 96, 2**128, 2**160, 2**255 - 1, 2**255, 2**256 - 32, 2**256 - 1)
NUMBERS = (-1, 1 << 256, 1 << 64, -(1 << 255), *WORDS)
UNPRINTABLE = 10**5000
"""More digits than the interpreter turns into text."""


def nested_lists(levels: int, inside: bytes = b"") -> bytes:
    """Return RLP lists inside each other, every length right."""
    headers = []
    size = len(inside)
    for _ in range(levels):
        if size < 56:
            header = bytes([0xC0 + size])
        else:
            length = size.to_bytes((size.bit_length() + 7) // 8, "big")
            header = bytes([0xF7 + len(length)]) + length
        headers.append(header)
        size += len(header)
    return b"".join(reversed(headers)) + inside


class ByteMutator:
    """Damages byte strings.

    Parameters
    ----------
    rng
        Decides everything.
    samples
        What pieces are taken from for splices.
    """

    def __init__(self, rng: Random, samples: Sequence[bytes] = (b"",)) -> None:
        self.rng = rng
        self.samples = samples

    def mutate(self, data: bytes) -> bytes:
        """Return the data with one to three damages."""
        for _ in range(self.rng.randint(1, MAX_STACKED)):
            data = self.rng.choice(_BYTE_DAMAGES)(self, bytearray(data))
        return data

    def _place(self, data: bytearray) -> int:
        return self.rng.randrange(len(data)) if data else 0

    def _range(self, data: bytearray, most: int = 64) -> tuple[int, int]:
        start = self._place(data)
        return start, min(len(data), start + self.rng.randint(1, most))

    def _flip_bit(self, data: bytearray) -> bytes:
        if data:
            data[self._place(data)] ^= 1 << self.rng.randrange(8)
        return bytes(data)

    def _set_byte(self, data: bytearray) -> bytes:
        if data:
            data[self._place(data)] = self.rng.choice(MEANINGFUL)
        return bytes(data)

    def _randomise(self, data: bytearray) -> bytes:
        start, stop = self._range(data, 8)
        data[start:stop] = self.rng.randbytes(stop - start)
        return bytes(data)

    def _truncate(self, data: bytearray) -> bytes:
        return bytes(data[: self._place(data)])

    def _behead(self, data: bytearray) -> bytes:
        return bytes(data[self._place(data) :])

    def _insert(self, data: bytearray) -> bytes:
        start = self._place(data)
        data[start:start] = self.rng.randbytes(self.rng.randint(1, 40))
        return bytes(data)

    def _append(self, data: bytearray) -> bytes:
        return bytes(data) + self.rng.choice((b"\0", b"\x80", b"\xc0", bytes(32), self.rng.randbytes(5)))

    def _delete(self, data: bytearray) -> bytes:
        start, stop = self._range(data)
        del data[start:stop]
        return bytes(data)

    def _duplicate(self, data: bytearray) -> bytes:
        start, stop = self._range(data)
        at = self._place(data)
        data[at:at] = data[start:stop] * self.rng.randint(1, 3)
        return bytes(data)

    def _splice(self, data: bytearray) -> bytes:
        other = self.rng.choice(self.samples)
        return bytes(data[: self._place(data)]) + other[self._place(bytearray(other)) :]

    def _tamper_with_length(self, data: bytearray) -> bytes:
        """Write a number over bytes that may be a length, or move the one that is there a little."""
        size = self.rng.choice((1, 2, 4, 8))
        start = self._place(data)
        held = int.from_bytes(data[start : start + size], "big")
        number = self.rng.choice((held + 1, held - 1, held * 2, self.rng.choice(LENGTHS)))
        data[start : start + size] = (number % (1 << 8 * size)).to_bytes(size, "big")
        return bytes(data)

    def _tamper_with_word(self, data: bytearray) -> bytes:
        """Write a number over a whole 32-byte word, aligned as ABI data are, or a word from elsewhere."""
        start = self._place(data) // 32 * 32 + self.rng.choice((0, 0, 4))
        other = self._place(data) // 32 * 32
        number = self.rng.choice((*WORDS, self.rng.randrange(len(data) + 64)))
        word = self.rng.choice((number.to_bytes(32, "big"), bytes(data[other : other + 32])))
        data[start : start + 32] = word
        return bytes(data)

    def _claim_much(self, data: bytearray) -> bytes:
        """Put an RLP header in front that claims far more bytes than follow."""
        at = self._place(data)
        header = bytes([self.rng.choice((0xBB, 0xBF, 0xFB, 0xFF))])
        return bytes(data[:at]) + header + b"\xff" * (header[0] & 7) + bytes(data[at:])

    def _replace(self, data: bytearray) -> bytes:
        return self.rng.randbytes(self.rng.choice((0, 1, 2, 20, 31, 32, 33, 65, 200)))


_BYTE_DAMAGES: list[Callable[[ByteMutator, bytearray], bytes]] = [
    ByteMutator._flip_bit,
    ByteMutator._flip_bit,
    ByteMutator._set_byte,
    ByteMutator._set_byte,
    ByteMutator._randomise,
    ByteMutator._truncate,
    ByteMutator._behead,
    ByteMutator._insert,
    ByteMutator._append,
    ByteMutator._delete,
    ByteMutator._duplicate,
    ByteMutator._splice,
    ByteMutator._tamper_with_length,
    ByteMutator._tamper_with_word,
    ByteMutator._claim_much,
    ByteMutator._replace,
]


class TreeMutator:
    """Damages nested values: bytes, text, numbers, None, lists, tuples and dicts of these.

    Parameters
    ----------
    rng
        Decides everything.
    samples
        Where pieces for splices come from.
    strangers
        Values of other types that may take the place of any other.
    numbers
        Numbers to try besides :data:`NUMBERS`.
    """

    def __init__(
        self,
        rng: Random,
        samples: Sequence[Any],
        *,
        strangers: Sequence[Any] = (),
        numbers: Sequence[int] = (),
    ) -> None:
        self.rng = rng
        self.strangers = strangers
        self.numbers = (*NUMBERS, *numbers)
        self.leaves = [leaf for sample in samples for leaf in _leaves(sample)]
        self.bytes = ByteMutator(rng, [leaf for leaf in self.leaves if isinstance(leaf, bytes)] or [b""])

    def mutate(self, value: Any) -> Any:
        """Return the value with one to three damages; the original stays as it is."""
        for _ in range(self.rng.randint(1, MAX_STACKED)):
            value = self._damage(value)
        return value

    def _damage(self, value: Any) -> Any:
        if isinstance(value, dict):
            return self._damage_dict(value)
        if isinstance(value, list | tuple):
            return type(value)(self._damage_items(list(value)))
        if self.strangers and self.rng.random() < 0.1:
            return self.rng.choice(self.strangers)
        return self._damage_leaf(value)

    def _damage_items(self, items: list[Any]) -> list[Any]:
        if not items:
            return [self.rng.choice(self.leaves)]
        at, choice = self.rng.randrange(len(items)), self.rng.random()
        if choice < 0.7:
            items[at] = self._damage(items[at])
        elif choice < 0.77:
            del items[at]
        elif choice < 0.84:
            items.insert(self.rng.randrange(len(items) + 1), items[at])
        elif choice < 0.91:
            other = self.rng.randrange(len(items))
            items[at], items[other] = items[other], items[at]
        else:
            items[at] = self.rng.choice([*self.leaves, [], [items[at]], *self.strangers])
        return items

    def _damage_dict(self, value: dict[Any, Any]) -> dict[Any, Any]:
        if not value:
            return {"stranger": None}
        key, choice = self.rng.choice(list(value)), self.rng.random()
        if choice < 0.8:
            return {**value, key: self._damage(value[key])}
        rest = {name: entry for name, entry in value.items() if name != key}
        return rest if choice < 0.9 else {**rest, self._damage_leaf(key): value[key]}

    def _damage_leaf(self, leaf: Any) -> Any:
        if isinstance(leaf, bytes):
            return self.bytes.mutate(leaf)
        if isinstance(leaf, str):
            return mutate_text(self.rng, leaf)
        if isinstance(leaf, int) and not isinstance(leaf, bool):
            return self.rng.choice((leaf + 1, leaf - 1, leaf ^ 1 << self.rng.randrange(64), *self.numbers))
        return self.rng.choice(self.leaves)


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [leaf for item in value for leaf in _leaves(item)]
    return [value]


def items_of(data: bytes) -> Any:
    """Return the item that RLP stands for; of a typed transaction (EIP-2718) its fields."""
    return rlp_decode(data[1:] if data[:1] in (b"\1", b"\2") else data)


def mutate_rlp(mutator: TreeMutator, data: bytes) -> bytes:
    """Return RLP in which an item has changed and all lengths fit, now and then nested in lists."""
    rng = mutator.rng
    encoded = rlp_encode(mutator.mutate(items_of(data)))
    if rng.random() < 0.02:
        encoded = nested_lists(rng.choice((1, 2, NESTING)), encoded)
    return data[:1] + encoded if data[0] < 0x80 else encoded


def mutate_text(rng: Random, text: str) -> str:
    """Return the text with a few characters changed."""
    for _ in range(rng.randint(1, MAX_STACKED)):
        at = rng.randrange(len(text) + 1)
        until = at + rng.choice((0, 0, 1, 1, 2, 10))
        piece = rng.choice((rng.choice(string.printable), rng.choice(STRANGE_TEXTS), text[at : at + 9]))
        text = text[:at] + piece + text[until:]
    return text


STRANGE_TEXTS = (
    "",
    "0x",
    "\0",
    "\ud800",
    "é",
    "٣",
    "²",
    "-1",
    "1e400",
    "[" * 300,
    "(" * 300,
    "9" * 5000,
    "[]" * 40,
)
