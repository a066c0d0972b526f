"""The calendar of timers: which machine is due when, in the storage of the deployer.

Seconds are found through four levels of bit maps, one level for each byte of a second's number: bit ``b`` of
a map tells whether anything waits in what begins with the map's prefix and goes on with byte ``b``. So
writing an entry, finding the first and removing it cost the same whatever else waits. Entries of one second
keep the order in which they were written.

===========================  ==========================================================================
Slot                         Value
===========================  ==========================================================================
0                            the map over the first bytes; zero: nothing waits
``level << 64 | prefix``     the map below a prefix of 1, 2 or 3 bytes, which is also its level
``4 << 64 | second``         how many entries the second has had + how many of them are gone * 2^64
``5 << 128 | second << 64``  its entries, one slot each, counted from here: firings + changes * 2^8 +
                             machine * 2^96
===========================  ==========================================================================

A second with no entries left begins afresh. Of ``changes``, the count in the machine's slot 0, an entry keeps
the lowest 88 bits; ``firings`` is how many timers, one after the other, have been paid for.

An entry is not looked for again when its machine moves on: what tells that it means nothing any more is
``changes``, when it comes first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chainstack_sdk.core import gas
from chainstack_sdk.core.native.slots import slot

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call

LAST_SECOND = (1 << 32) - 1
"""The last Unix second of the calendar, in 2106."""
INSERT_GAS = gas.STORAGE_READ + 2 * gas.STORAGE_SET + 4 * (gas.STORAGE_READ + gas.STORAGE_SET)
"""What :meth:`Calendar.insert` costs at most."""
FIRST_GAS = 6 * gas.STORAGE_READ
"""What :meth:`Calendar.first` costs at most."""
REMOVE_GAS = gas.STORAGE_READ + 2 * gas.STORAGE_RESET + 4 * (gas.STORAGE_READ + gas.STORAGE_RESET)
"""What :meth:`Calendar.remove` costs at most."""

_BUCKET, _ENTRIES = 4 << 64, 5 << 128
_COUNT = (1 << 64) - 1
_CHANGES = (1 << 88) - 1


class Entry(NamedTuple):
    """A machine that waits for its time."""

    due: int
    """Unix second."""
    place: int
    """Among the entries that its second has had, from 0."""
    machine: bytes
    """Its address, 20 bytes."""
    changes: int
    """How often it had come into a state when this was written, modulo 2^88."""
    firings: int
    """How many timers have been paid for, this one included; at most 255."""

    def is_of(self, changes: int) -> bool:
        """Tell whether the machine is still where it was, by how often it has come into a state."""
        return self.changes == changes & _CHANGES


class Calendar:
    """The calendar in the storage of a contract.

    Parameters
    ----------
    book
        A call on behalf of that contract: pays for storage, and may write.
    """

    __slots__ = ("_book",)

    def __init__(self, book: Call) -> None:
        self._book = book

    def insert(self, due: int, machine: bytes, changes: int, firings: int) -> None:
        """Write an entry, after all others of its second.

        Parameters
        ----------
        due
            Unix second, at most :data:`LAST_SECOND`.
        machine
            20 bytes.
        changes
            How often the machine has come into a state.
        firings
            How many timers have been paid for, 1 to 255.
        """
        book, bucket = self._book, slot(_BUCKET | due)
        held = book.load(bucket)
        book.store(_entry(due, held & _COUNT), _packed(machine, changes, firings))
        book.store(bucket, held + 1)
        if held:
            return
        for level in (3, 2, 1, 0):
            at, bit = _map(level, due)
            bits = book.load(at)
            book.store(at, bits | bit)
            if bits:  # then those above know
                return

    def first(self, latest: int) -> Entry | None:
        """Return the entry that comes first, or None when none is due up to a Unix second."""
        book, due = self._book, 0
        for level in range(4):
            bits = book.load(slot(level << 64 | due))
            if not bits:
                return None
            due = due << 8 | (bits & -bits).bit_length() - 1
        if due > latest:
            return None
        place = book.load(slot(_BUCKET | due)) >> 64
        word = book.load(_entry(due, place))
        return Entry(due, place, (word >> 96).to_bytes(20), word >> 8 & _CHANGES, word & 0xFF)

    def remove(self, entry: Entry) -> None:
        """Forget the entry that comes first."""
        book, due = self._book, entry.due
        bucket = slot(_BUCKET | due)
        held = book.load(bucket)
        book.store(_entry(due, entry.place), 0)
        if entry.place + 1 < held & _COUNT:
            book.store(bucket, held + (1 << 64))
            return
        book.store(bucket, 0)
        for level in (3, 2, 1, 0):
            at, bit = _map(level, due)
            bits = book.load(at) ^ bit
            book.store(at, bits)
            if bits:
                return


def _map(level: int, due: int) -> tuple[bytes, int]:
    """Return the slot of the map that leads to a second on a level, and the second's bit there."""
    rest = due >> 8 * (3 - level)
    return slot(level << 64 | rest >> 8), 1 << (rest & 0xFF)


def _entry(due: int, place: int) -> bytes:
    return slot(_ENTRIES | due << 64 | place)


def _packed(machine: bytes, changes: int, firings: int) -> int:
    return int.from_bytes(machine) << 96 | (changes & _CHANGES) << 8 | firings
