"""What shards report, and how requests to them and their answers are written.

Both are RLP lists of byte strings, numbers big-endian without leading zeros. No Python object crosses from
one process to another: what a shard is told and what it tells are transactions, proofs, hashes and sums.

=========  ===========================================  ==================================================
request    arguments                                    answer
=========  ===========================================  ==================================================
``OPEN``   shards, first chain, shard, seed, supply,    the shard's anchor
           ``[account, wei]``…
``MEET``   ``[shard, anchor]``…                         nothing
``ADMIT``  transaction…                                 for each: its hash, or ``[code, message]``
``SEAL``   proof…                                       height, block hash, state root, transactions, gas,
                                                        failed hashes, shipments sent, shipments
                                                        received, wei astray, ``[shard, proof]``…
``LOOK``   account                                      wei, nonce of the next transaction, base fee
``COUNT``  nothing                                      wei on the shard
``FIND``   hash of a transaction                        0 before it is in a block, 1 failed, 2 succeeded
=========  ===========================================  ==================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, cast

from chainstack_sdk.primitives.errors import InvalidInput, Rejected
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    Items: TypeAlias = list[bytes | "Items"]
    """What RLP lists hold."""

OPEN, MEET, ADMIT, SEAL, LOOK, COUNT, FIND = range(1, 8)
"""The requests."""
MALFORMED = "malformed"
"""The code of a transaction that is none; the others are those of :class:`~chainstack_sdk.Rejected`."""


@dataclass(frozen=True, slots=True)
class Shipment:
    """Coin in a packet from one shard's bank to another's."""

    source: int
    """The shard that sent it."""
    destination: int
    """The shard that is to pay it out."""
    sequence: int
    """Counts those of this source to this destination, from 1."""
    amount: int
    """Wei."""

    def to_items(self) -> Items:
        """Return the fields as RLP takes them."""
        return [number_bytes(field) for field in (self.source, self.destination, self.sequence, self.amount)]

    @classmethod
    def from_items(cls, items: Items) -> Self:
        """Return the shipment with these fields."""
        return cls(*map(number, items))


@dataclass(frozen=True, slots=True)
class Sealed:
    """A shard's new block, in short."""

    height: int
    block_hash: bytes
    """32 bytes."""
    state_root: bytes
    """32 bytes."""
    transactions: int
    """How many of the users' are in the block."""
    gas_used: int
    """By them and by what the shard carried between hubs."""
    failed: tuple[bytes, ...]
    """The hashes of those whose contract refused, 32 bytes each."""
    sent: tuple[Shipment, ...]
    """Coin that left in this block."""
    received: tuple[Shipment, ...]
    """Coin that arrived in this block."""
    astray: int
    """Wei on the shard that belongs to accounts of others and could not leave in this block."""
    mail: tuple[tuple[int, bytes], ...]
    """For each message in the block: the shard that it is for, and its proof."""

    def encode(self) -> bytes:
        """Return the report as an answer."""
        return rlp_encode(
            [
                number_bytes(self.height),
                *(self.block_hash, self.state_root),
                *(number_bytes(self.transactions), number_bytes(self.gas_used)),
                list(self.failed),
                [shipment.to_items() for shipment in self.sent],
                [shipment.to_items() for shipment in self.received],
                number_bytes(self.astray),
                [[number_bytes(shard), proof] for shard, proof in self.mail],
            ]
        )

    @classmethod
    def decode(cls, answer: bytes) -> Self:
        """Return the report that an answer has."""
        height, block_hash, root, count, gas, failed, sent, received, astray, mail = decoded(answer)
        return cls(
            number(height),
            *(cast("bytes", block_hash), cast("bytes", root)),
            *(number(count), number(gas)),
            tuple(cast("list[bytes]", failed)),
            tuple(Shipment.from_items(items) for items in cast("list[Items]", sent)),
            tuple(Shipment.from_items(items) for items in cast("list[Items]", received)),
            number(astray),
            tuple((number(shard), cast("bytes", proof)) for shard, proof in cast("list[Items]", mail)),
        )


def request(kind: int, *arguments: bytes | Items) -> bytes:
    """Return a request as bytes."""
    return rlp_encode([number_bytes(kind), *arguments])


def decoded(data: bytes) -> Items:
    """Return what a request or an answer lists."""
    return cast("Items", rlp_decode(data))


def number(item: bytes | Items) -> int:
    """Return the number that an item is."""
    return int.from_bytes(cast("bytes", item), "big")


def number_bytes(value: int) -> bytes:
    """Return a number as an item."""
    return value.to_bytes((value.bit_length() + 7) >> 3, "big")


def outcome_items(outcomes: Sequence[bytes | Exception]) -> Items:
    """Return what became of transactions: hashes, and refusals as pairs of code and message."""
    return [one if isinstance(one, bytes) else _refusal_items(one) for one in outcomes]


def outcome_of(item: bytes | Items) -> bytes | Rejected | InvalidInput:
    """Return the hash of a transaction that was admitted, or the refusal."""
    if isinstance(item, bytes):
        return item
    code, message = (cast("bytes", part).decode() for part in item)
    return InvalidInput(message) if code == MALFORMED else Rejected(message, code=code)


def _refusal_items(refusal: Exception) -> Items:
    code = refusal.code if isinstance(refusal, Rejected) else MALFORMED
    return [code.encode(), str(refusal).encode()]
