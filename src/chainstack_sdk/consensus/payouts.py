"""Who is paid for the work on a block: a list that the block carries and its header commits to.

A master keeps count of the shares that its workers bring (see :mod:`chainstack_sdk.consensus.mapreduce`).
When it makes a candidate, the count up to that moment becomes the candidate's list of payouts, and the
list's hash goes into the header. So a worker sees, before it hashes, that the block it hashes for pays it
for the shares it has brought: :func:`validate_payouts` and :meth:`Payouts.weight_of`. The shares found
while hashing the candidate itself cannot be on its list; they count for the master's next block, and what
a committed block has paid is taken off the count. This is how pools that pay for the last shares (PPLNS)
work, with the chain and not the pool as paymaster.

The encoding is 36 bytes for each entry: address (20), weight (16, big-endian).

Caveat: a worker that keeps a winning nonce to itself loses its part of one reward and costs the others
theirs. No scheme in which workers know the target prevents that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.work import parse_work_commitment
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_PAYOUTS = 256
"""How many a block pays at most."""
_ADDRESS_BYTES = 20
_ENTRY_BYTES = 36
_MAX_WEIGHT = (1 << 128) - 1
_NO_PAYOUTS_HASH = bytes(32)


@dataclass(frozen=True, slots=True)
class Payouts:
    """The workers of a block's master and what each has brought.

    Raises
    ------
    InvalidInput
        When there are more than 256 entries, their addresses do not ascend, an address has not 20 bytes,
        or a weight is not from 1 to 2^128 - 1.
    """

    entries: tuple[tuple[bytes, int], ...] = ()
    """Address (20 bytes, ascending, each once) and weight: the hashes that its shares stand for."""

    def __post_init__(self) -> None:
        if len(self.entries) > MAX_PAYOUTS:
            raise InvalidInput("a block pays too many", expected=MAX_PAYOUTS, actual=len(self.entries))
        previous = b""
        for address, weight in self.entries:
            if len(address) != _ADDRESS_BYTES or address <= previous:
                raise InvalidInput(
                    "payouts go to addresses of 20 bytes, ascending, each once", actual=address
                )
            if not 1 <= weight <= _MAX_WEIGHT:
                raise InvalidInput("a payout's weight is from 1 to 2^128 - 1", actual=weight)
            previous = address

    @classmethod
    def of(cls, work: Mapping[bytes, int]) -> Payouts:
        """Return the list for some work by address, which is 20 bytes; of too many, those with most work.

        Raises
        ------
        InvalidInput
            When an address or an amount of work is impossible. Without work there is no entry.
        """
        entries = sorted(entry for entry in work.items() if entry[1])
        entries.sort(key=lambda entry: -entry[1])  # stable: of equals, the lower address stays first
        return cls(tuple(sorted(entries[:MAX_PAYOUTS])))

    @classmethod
    def decode(cls, data: bytes) -> Payouts:
        """Return the list that was encoded.

        Raises
        ------
        InvalidInput
            When the bytes are not exactly what :meth:`encode` gives for some list.
        """
        if len(data) % _ENTRY_BYTES or len(data) > MAX_PAYOUTS * _ENTRY_BYTES:
            raise InvalidInput("payouts take 36 bytes each, 256 of them at most", actual=len(data))
        pieces = [data[at : at + _ENTRY_BYTES] for at in range(0, len(data), _ENTRY_BYTES)]
        return cls(
            tuple((one[:_ADDRESS_BYTES], int.from_bytes(one[_ADDRESS_BYTES:], "big")) for one in pieces)
        )

    def encode(self) -> bytes:
        """Return 36 bytes for each entry, in order: address (20), weight (16, big-endian)."""
        return b"".join(address + weight.to_bytes(16, "big") for address, weight in self.entries)

    @property
    def hash(self) -> bytes:
        """What a header commits to: keccak-256 of the encoding, or 32 zeros for an empty list."""
        return keccak256(self.encode()) if self.entries else _NO_PAYOUTS_HASH

    def weight_of(self, address: bytes) -> int:
        """Return what an address has brought, 0 when it is not on the list."""
        return dict(self.entries).get(address, 0)


def validate_payouts(commitment: bytes, attachment: bytes) -> Payouts:
    """Return the payouts that a block carries, once they are those that its header commits to.

    Parameters
    ----------
    commitment
        The header's ``work_commitment``, 64 bytes.
    attachment
        The encoded list.

    Raises
    ------
    InvalidInput
        When either is malformed, or the header commits to another list.
    """
    _, expected = parse_work_commitment(commitment)
    payouts = Payouts.decode(attachment)
    if payouts.hash != expected:
        raise InvalidInput("the header commits to other payouts", expected=expected, actual=payouts.hash)
    return payouts


def split(amount: int, entries: Sequence[tuple[bytes, int]]) -> list[tuple[bytes, int]]:
    """Divide an amount in proportion to weights, to the last wei.

    Everyone gets the whole part of what is due; the wei left over go, one each, to those with the largest
    remainders, of equals to those that come first (the method of largest remainders, Hamilton's).

    Parameters
    ----------
    amount
        Wei, not negative.
    entries
        Addresses and positive weights, in any order; not empty.

    Returns
    -------
    list
        For each entry, in order, its address and wei. The wei add up to the amount exactly.

    Raises
    ------
    UsageError
        When the amount is negative, there is no entry, or a weight is not positive.
    """
    if amount < 0 or not entries or min(weight for _, weight in entries) < 1:
        raise UsageError("an amount of wei is divided among one or more positive weights", actual=amount)
    total = sum(weight for _, weight in entries)
    dues = [divmod(amount * weight, total) for _, weight in entries]
    left = amount - sum(whole for whole, _ in dues)
    by_remainder = sorted(range(len(dues)), key=lambda index: -dues[index][1])
    lucky = frozenset(by_remainder[:left])
    return [(address, dues[index][0] + (index in lucky)) for index, (address, _) in enumerate(entries)]
