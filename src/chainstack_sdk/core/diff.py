"""The reverse diff of a block: old values of everything it changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.rlp import decode_int, rlp_decode, rlp_encode

if TYPE_CHECKING:
    from collections.abc import Iterable

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class StateDiff:
    """Values by address (20 bytes) and slot (32 bytes); zero and empty mean "was not there"."""

    nonces: dict[bytes, int] = field(default_factory=dict)
    balances: dict[bytes, int] = field(default_factory=dict)
    codes: dict[bytes, bytes] = field(default_factory=dict)
    storage: dict[bytes, dict[bytes, int]] = field(default_factory=dict)

    def addresses(self) -> Iterable[bytes]:
        """Return every address the diff names, each once, in a fixed order."""
        return {**self.nonces, **self.balances, **self.codes, **self.storage}

    def encode(self) -> bytes:
        """Return RLP ``[nonces, balances, codes, storage]``, each a list of pairs in key order."""
        return rlp_encode(
            [
                _pairs(self.nonces),
                _pairs(self.balances),
                [[address, code] for address, code in sorted(self.codes.items())],
                [[address, _pairs(slots)] for address, slots in sorted(self.storage.items())],
            ]
        )

    @classmethod
    def decode(cls, data: bytes) -> StateDiff:
        """Decode what :meth:`encode` wrote.

        Raises
        ------
        InvalidInput
            When the bytes are not a diff.
        """
        match rlp_decode(data):
            case [list(nonces), list(balances), list(codes), list(storage)]:
                return cls(
                    nonces=_numbers(nonces, 20),
                    balances=_numbers(balances, 20),
                    codes=dict(_entries(codes, 20)),
                    storage=dict(_ascending([_storage(entry) for entry in storage])),
                )
        raise InvalidInput("malformed state diff")


def _pairs(table: dict[bytes, int]) -> list[list[bytes]]:
    return [
        [key, value.to_bytes((value.bit_length() + 7) >> 3, "big")] for key, value in sorted(table.items())
    ]


def _entries(items: Iterable[object], size: int) -> list[tuple[bytes, bytes]]:
    entries = []
    for item in items:
        match item:
            case [bytes(key), bytes(value)] if len(key) == size:
                entries.append((key, value))
            case _:
                raise InvalidInput("malformed entry in a state diff")
    return _ascending(entries)


def _ascending(entries: list[tuple[bytes, V]]) -> list[tuple[bytes, V]]:
    """Return the entries if each key is above the one before: a diff has one encoding."""
    for (key, _), (following, _) in pairwise(entries):
        if following <= key:
            raise InvalidInput("the keys of a state diff are not in ascending order", key=following)
    return entries


def _numbers(items: Iterable[object], size: int) -> dict[bytes, int]:
    return {key: decode_int(value) for key, value in _entries(items, size)}


def _storage(item: object) -> tuple[bytes, dict[bytes, int]]:
    match item:
        case [bytes(address), list(slots)] if len(address) == 20:
            return address, _numbers(slots, 32)
    raise InvalidInput("malformed storage in a state diff")
