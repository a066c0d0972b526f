"""What the parties of a transaction across chains agree on: its legs, its deadline, and so its id.

Encodings are RLP lists, numbers big-endian without leading zeros::

    guard        [target 20, data, comparison, value]
    leg          [chain, owner 20, recipient 20, kind, token 20, number, [guard …]]
    transaction  [initiator 20, nonce, coordinator, deadline_ms, [[chain, hash of the leg 32] …]]

The hash of a leg is keccak-256 of its encoding; the id of a transaction is keccak-256 of
``"chainstack atomic"`` and its encoding. So the id commits to everything, and each chain gets to see its own
legs only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final, Self

from chainstack_sdk.primitives.address import ZERO_ADDRESS
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.rlp import decode_int, rlp_decode, rlp_encode
from chainstack_sdk.xchain.custody import Asset, AssetKind

if TYPE_CHECKING:
    from chainstack_sdk.primitives.rlp import Encodable, RlpItem

MAX_LEGS: Final = 32
"""A transaction has at most so many."""
MAX_GUARDS: Final = 8
"""A leg has at most so many."""
MAX_GUARD_DATA: Final = 512
"""Bytes of the question that a guard asks."""
_DOMAIN = b"chainstack atomic"


class Comparison(IntEnum):
    """How a guard compares what it finds with its value."""

    EQUAL = 0
    AT_LEAST = 1


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition that must hold on a chain when one of its legs is prepared.

    Raises
    ------
    InvalidInput
        When a field does not fit.
    """

    target: bytes
    """Whose coin is looked at, or which contract is asked; 20 bytes."""
    data: bytes
    """Call data of a view whose first result is a number; empty: the target's coin is meant."""
    comparison: Comparison
    value: int
    """Below 2^256."""

    def __post_init__(self) -> None:
        _require_address(self.target)
        if len(self.data) > MAX_GUARD_DATA:
            raise InvalidInput(
                "a guard's question is too long", expected=MAX_GUARD_DATA, actual=len(self.data)
            )
        _require_number(self.value, 256)

    @classmethod
    def balance(cls, account: bytes, at_least: int) -> Self:
        """Return the condition that an account has at least so much coin, in wei."""
        return cls(account, b"", Comparison.AT_LEAST, at_least)

    def holds(self, actual: int) -> bool:
        """Tell whether a number satisfies the condition."""
        return actual == self.value if self.comparison is Comparison.EQUAL else actual >= self.value


@dataclass(frozen=True, slots=True)
class Leg:
    """One movement on one chain.

    Raises
    ------
    InvalidInput
        When a field does not fit, there are too many guards, or the recipient is the zero address.
    """

    chain: int
    """Where it happens, below 2^64."""
    owner: bytes
    """Who prepares it with funds of its own, 20 bytes."""
    recipient: bytes
    """Who gets them when the transaction is committed, 20 bytes."""
    asset: Asset
    """No coin at all makes a leg of nothing but its guards."""
    guards: tuple[Guard, ...] = ()

    def __post_init__(self) -> None:
        _require_number(self.chain, 64)
        _require_address(self.owner)
        _require_address(self.recipient)
        if ZERO_ADDRESS in (self.owner, self.recipient):
            raise InvalidInput("a leg goes from somebody to somebody")
        if len(self.guards) > MAX_GUARDS:
            raise InvalidInput("a leg has too many guards", expected=MAX_GUARDS, actual=len(self.guards))

    @property
    def hash(self) -> bytes:
        """32 bytes."""
        return keccak256(self.encode())

    def encode(self) -> bytes:
        """Return the encoding, as in the module."""
        asset = self.asset
        guards: list[Encodable] = [
            [guard.target, guard.data, guard.comparison, guard.value] for guard in self.guards
        ]
        return rlp_encode(
            [self.chain, self.owner, self.recipient, asset.kind, asset.token, asset.number, guards]
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Decode what :meth:`encode` gives.

        Raises
        ------
        InvalidInput
            When it is no leg.
        """
        match rlp_decode(data):
            case [
                bytes(chain),
                bytes(owner),
                bytes(recipient),
                bytes(kind),
                bytes(token),
                bytes(number),
                list(guards),
            ]:
                asset = _asset(decode_int(kind, 1), token, decode_int(number))
                return cls(decode_int(chain, 8), owner, recipient, asset, tuple(map(_guard, guards)))
        raise InvalidInput("not a leg")


@dataclass(frozen=True, slots=True)
class AtomicTerms:
    """A transaction across chains.

    Raises
    ------
    InvalidInput
        When a field does not fit, or there is no leg or too many.
    """

    initiator: bytes
    """Who may call it off before the deadline, 20 bytes."""
    nonce: int
    """Tells transactions of the same initiator apart; below 2^64."""
    coordinator: int
    """The chain that decides, below 2^64."""
    deadline_ms: int
    """Unix time in milliseconds: blocks of the coordinator from it on commit nothing. Below 2^64."""
    legs: tuple[tuple[int, bytes], ...]
    """Chain and hash of each leg."""

    def __post_init__(self) -> None:
        _require_address(self.initiator)
        for number in (self.nonce, self.coordinator, self.deadline_ms):
            _require_number(number, 64)
        if not 1 <= len(self.legs) <= MAX_LEGS:
            raise InvalidInput("a transaction has from 1 to 32 legs", actual=len(self.legs))
        for chain, leg_hash in self.legs:
            _require_number(chain, 64)
            if len(leg_hash) != 32:
                raise InvalidInput("the hash of a leg has 32 bytes", actual=leg_hash)

    @classmethod
    def of(
        cls, initiator: bytes, nonce: int, coordinator: int, deadline_ms: int, legs: Sequence[Leg]
    ) -> Self:
        """Return the terms of a transaction of these legs."""
        pairs = tuple((leg.chain, leg.hash) for leg in legs)
        return cls(initiator, nonce, coordinator, deadline_ms, pairs)

    @property
    def id(self) -> bytes:
        """32 bytes."""
        return keccak256(_DOMAIN + self.encode())

    @property
    def chains(self) -> tuple[int, ...]:
        """The chains that take part, each once, in order of their first legs."""
        return tuple(dict.fromkeys(chain for chain, _ in self.legs))

    def legs_on(self, chain: int) -> tuple[int, ...]:
        """Return the numbers of the legs on a chain."""
        return tuple(index for index, (where, _) in enumerate(self.legs) if where == chain)

    def encode(self) -> bytes:
        """Return the encoding, as in the module."""
        return rlp_encode([self.initiator, self.nonce, self.coordinator, self.deadline_ms, self.legs])

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Decode what :meth:`encode` gives.

        Raises
        ------
        InvalidInput
            When it is no transaction.
        """
        match rlp_decode(data):
            case [bytes(initiator), bytes(nonce), bytes(coordinator), bytes(deadline), list(legs)]:
                return cls(
                    initiator,
                    decode_int(nonce, 8),
                    decode_int(coordinator, 8),
                    decode_int(deadline, 8),
                    tuple(map(_pair, legs)),
                )
        raise InvalidInput("not a transaction across chains")


def encode_message(number: int, transaction: bytes) -> bytes:
    """Return what a vote or a decision says to the other chain: ``[number, transaction]``.

    Parameters
    ----------
    number
        Of a vote: the leg that it is for. Of a decision: its value.
    transaction
        The encoding of the whole transaction.
    """
    return rlp_encode([number, transaction])


def decode_message(payload: bytes) -> tuple[int, bytes]:
    """Return what :func:`encode_message` was given.

    Raises
    ------
    InvalidInput
        When it is nothing of the kind.
    """
    match rlp_decode(payload):
        case [bytes(number), bytes(transaction)]:
            return decode_int(number, 1), transaction
    raise InvalidInput("neither a vote nor a decision")


def _asset(kind: int, token: bytes, number: int) -> Asset:
    if (
        len(token) != 20
        or kind not in tuple(AssetKind)
        or (kind == AssetKind.COIN) != (token == ZERO_ADDRESS)
    ):
        raise InvalidInput("not an asset", actual=kind, token=token)
    return Asset(AssetKind(kind), token, number)


def _guard(item: RlpItem) -> Guard:
    match item:
        case [bytes(target), bytes(data), bytes(comparison), bytes(value)] if comparison in (b"", b"\x01"):
            return Guard(target, data, Comparison(len(comparison)), decode_int(value))
    raise InvalidInput("not a guard")


def _pair(item: RlpItem) -> tuple[int, bytes]:
    match item:
        case [bytes(chain), bytes(leg_hash)]:
            return decode_int(chain, 8), leg_hash
    raise InvalidInput("not the chain and the hash of a leg")


def _require_number(number: int, bits: int) -> None:
    if not 0 <= number < 1 << bits:
        raise InvalidInput(f"a number has at most {bits} bits", actual=number)


def _require_address(address: bytes) -> None:
    if len(address) != 20:
        raise InvalidInput("an address has 20 bytes", actual=address)
