"""Who may vote at a height, with what weight, and whose turn it is to propose."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import gcd
from typing import TYPE_CHECKING, Protocol

from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.rlp import decode_int, rlp_decode, rlp_encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_MEMBERS = 1_024
_MAX_WEIGHT = 2**64 - 1
_GOLDEN = 0x9E3779B97F4A7C15
"""2^64 divided by the golden ratio."""


@dataclass(frozen=True, slots=True)
class Validator:
    """One who votes."""

    address: bytes
    """20 bytes: who signs the votes."""
    weight: int
    """From 1 to 2^64 - 1."""
    vrf_key: bytes = b""
    """Ed25519 public key for verifiable randomness, 32 bytes, or empty."""

    def __post_init__(self) -> None:
        if len(self.address) != 20:
            raise InvalidInput("a validator's address has 20 bytes", actual=len(self.address))
        if not 1 <= self.weight <= _MAX_WEIGHT:
            raise InvalidInput("a validator's weight is from 1 to 2^64 - 1", actual=self.weight)
        if len(self.vrf_key) not in (0, 32):
            raise InvalidInput("a validator's VRF key has 32 bytes", actual=len(self.vrf_key))


class ValidatorSet:
    """The validators of a height: immutable, 1 to 1,024 members in ascending order of address.

    Parameters
    ----------
    members
        In any order.

    Raises
    ------
    InvalidInput
        When there are none or too many, an address comes twice, or all weights together reach 2^64.
    """

    __slots__ = ("_encoded", "_hash", "_index", "_members", "_starts", "_step", "_total", "_weights")

    def __init__(self, members: Iterable[Validator]) -> None:
        ordered = tuple(sorted(members, key=lambda member: member.address))
        if not 1 <= len(ordered) <= MAX_MEMBERS:
            raise InvalidInput("validators are from 1 to 1024", actual=len(ordered))
        for one, next_one in pairwise(ordered):
            if one.address == next_one.address:
                raise InvalidInput("a validator is listed twice", address=one.address)
        total = sum(member.weight for member in ordered)
        if total > _MAX_WEIGHT:
            raise InvalidInput("the weights of all validators together are below 2^64", actual=total)
        self._members = ordered
        self._total = total
        self._weights = {member.address: member.weight for member in ordered}
        self._index = {member.address: index for index, member in enumerate(ordered)}
        divisor = gcd(*self._weights.values())
        self._starts = tuple(accumulate(member.weight // divisor for member in ordered))
        self._step = _stride(self._starts[-1], len(ordered))
        self._encoded = rlp_encode([[one.address, one.weight, one.vrf_key] for one in ordered])
        self._hash = keccak256(self._encoded)

    @property
    def members(self) -> tuple[Validator, ...]:
        """The validators, by ascending address: the order of indices in certificates."""
        return self._members

    @property
    def total_weight(self) -> int:
        """The sum of all weights, below 2^64."""
        return self._total

    @property
    def hash(self) -> bytes:
        """keccak-256 of :meth:`encode`, 32 bytes."""
        return self._hash

    def is_quorum(self, weight: int) -> bool:
        """Tell whether a weight is more than 2/3 of the total: enough to decide."""
        return 3 * weight > 2 * self._total

    def exceeds_third(self, weight: int) -> bool:
        """Tell whether a weight is more than 1/3 of the total: not all of it is faulty."""
        return 3 * weight > self._total

    def weight_of(self, address: bytes) -> int:
        """Return a validator's weight, 0 for others."""
        return self._weights.get(address, 0)

    def index_of(self, address: bytes) -> int | None:
        """Return a validator's place in :attr:`members`, or None for others."""
        return self._index.get(address)

    def at(self, position: int) -> bytes:
        """Return the address whose turn a position is; see :func:`rotation`."""
        point = position * self._step % self._starts[-1]
        return self._members[bisect_right(self._starts, point)].address

    def encode(self) -> bytes:
        """Return RLP ``[[address, weight, vrf_key]…]``, by ascending address."""
        return self._encoded

    @classmethod
    def decode(cls, data: bytes) -> ValidatorSet:
        """Decode what :meth:`encode` gives.

        Raises
        ------
        InvalidInput
            When it is not the one encoding of a set of validators.
        """
        items = rlp_decode(data)
        if not isinstance(items, list) or len(items) > MAX_MEMBERS:
            raise InvalidInput("a set of validators is a list of at most 1024")
        members = []
        for item in items:
            match item:
                case [bytes(address), bytes(weight), bytes(vrf_key)]:
                    members.append(Validator(address, decode_int(weight, 8), vrf_key))
                case _:
                    raise InvalidInput("a validator is a list of address, weight and VRF key")
        decoded = cls(members)
        if decoded._encoded != data:
            raise InvalidInput("validators are in ascending order of address")
        return decoded

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[Validator]:
        return iter(self._members)

    def __contains__(self, address: object) -> bool:
        return address in self._weights

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ValidatorSet):
            return NotImplemented
        return self._hash == other._hash

    def __hash__(self) -> int:
        return hash(self._hash)

    def __repr__(self) -> str:
        return f"ValidatorSet(members={len(self)}, total_weight={self._total})"


def _stride(total: int, members: int) -> int:
    """Return the step of the rotation over `total` points: coprime to it, so that each point is met once.

    Near total / golden ratio the points that fall on one validator lie as far apart as they can (by
    the three-distance theorem gaps have at most three lengths). With equal weights the plain order is
    as good, and easier to follow.
    """
    if total == members:
        return 1
    nearest = total * _GOLDEN >> 64
    distance = 0
    while True:
        for step in (nearest + distance, nearest - distance):
            if step > 0 and gcd(step, total) == 1:
                return step
        distance += 1


def rotation(validators: ValidatorSet, height: int, round: int) -> bytes:
    """Return the address that proposes in a round of a height.

    Weights, divided by their greatest common divisor, are laid end to end on a circle of W points;
    each next height or round goes on by a step that is coprime to W and near W / golden ratio. Hence
    over any W consecutive positions each validator is chosen exactly as often as its divided weight,
    and its turns are spread evenly between. Equal weights give a plain rotation by address.
    """
    return validators.at(height + round)


class Membership(Protocol):
    """Says who validates a height. Answers for a height never change once given."""

    def validators(self, height: int) -> ValidatorSet:
        """Return the validators of a height.

        Raises
        ------
        UsageError
            When they are not known yet.
        """
        ...

    def proposer(self, height: int, round: int) -> bytes:
        """Return the address that proposes in a round of a height.

        Raises
        ------
        UsageError
            When it is not known yet.
        """
        ...


class FixedMembership:
    """The same validators at every height, proposing in rotation.

    Parameters
    ----------
    validators
        Who validates.
    """

    def __init__(self, validators: ValidatorSet) -> None:
        self._validators = validators

    def validators(self, height: int) -> ValidatorSet:
        """Return the validators, whatever the height."""
        return self._validators

    def proposer(self, height: int, round: int) -> bytes:
        """Return the address that proposes, by :func:`rotation`."""
        return rotation(self._validators, height, round)


if TYPE_CHECKING:
    _check: type[Membership] = FixedMembership
