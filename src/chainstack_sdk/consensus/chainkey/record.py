"""The durable record of a key machine: what a member must not lose, and what it must not keep.

It is written before anything that depends on it is sent. It holds

- the seed from which the secrets of the next ceremony will come; with each ceremony it is replaced by a hash
  of itself, so that the seeds of ceremonies before cannot be found from it;
- the shares of keys, by the public polynomial that they are on;
- of the ceremony that runs: its seed, the dealings that were acknowledged, the acknowledgements that own
  dealings got, and the own logs once they are closed.

::

    record     RLP [version, chain id, address 20, height, seed 32, keys, ceremony] ‖ keccak-256 of that
    keys       [[keccak-256 of the polynomial 32, [[place, share 32]…]]…]
    ceremony   [] or [hash 32, seed 32, closed, received, acks, logs]
    received   [[dealer's place, commitments, [share 32…], acknowledgement 65]…]
    acks       [[own place, [[index of player, acknowledgement 65]…]]…]
    logs       [[own place, log]…]

Integers are in the form of RLP, lists in ascending order of what they begin with.

**Caveats.** A record is as secret as a share. A member that goes on from an old copy of its record deals,
within a ceremony, what it dealt before, which does no harm; but where the copy is from before an
acknowledgement, it has signed for shares that it does not have.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.rlp import decode_int, rlp_decode, rlp_encode

if TYPE_CHECKING:
    from chainstack_sdk.primitives.rlp import Encodable, RlpItem

_VERSION = 1
_HASH_BYTES = 32
_SHARE_BYTES = 32


@dataclass(frozen=True, slots=True)
class Received:
    """A dealing that was acknowledged."""

    commitments: bytes
    """The encoded public polynomial that the shares were checked against."""
    shares: tuple[int, ...]
    """One for each of the member's seats."""
    acknowledgement: bytes
    """65 bytes: the signature given for it, the only one that will be given in this ceremony."""


@dataclass(slots=True)
class CeremonyRecord:
    """What is durable of one ceremony."""

    hash: bytes
    """The ceremony's, 32 bytes."""
    seed: bytes
    """Where the member's secrets in this ceremony come from, 32 bytes."""
    closed: bool = False
    """Whether the time of dealing is over: acknowledgements are not taken any more."""
    received: dict[int, Received] = field(default_factory=dict)
    """By the dealer's place."""
    acks: dict[int, dict[int, bytes]] = field(default_factory=dict)
    """Acknowledgements of own dealings: by the own place, then by the player's index."""
    logs: dict[int, bytes] = field(default_factory=dict)
    """Encoded logs of own dealings, by the own place."""


@dataclass(slots=True)
class KeyRecord:
    """What is durable."""

    chain_id: int
    address: bytes
    """Whose record it is: 20 bytes."""
    seed: bytes
    """32 bytes: where the seeds of ceremonies to come will come from."""
    height: int = 0
    """Of the newest final block that was taken into account."""
    keys: dict[bytes, dict[int, int]] = field(default_factory=dict)
    """Shares by place, by keccak-256 of the public polynomial that they are on."""
    ceremony: CeremonyRecord | None = None
    """The newest ceremony; None before the first."""

    def begin(self, ceremony: bytes) -> CeremonyRecord:
        """Replace the ceremony by one that is given by its hash, and the seed by its successor."""
        self.ceremony = CeremonyRecord(ceremony, keccak256(self.seed + b"ceremony" + ceremony))
        self.seed = keccak256(self.seed + b"next")
        return self.ceremony

    def encode(self) -> bytes:
        """Return the bytes laid out in the module's description."""
        keys = [[name, _listed(_share_items(shares))] for name, shares in sorted(self.keys.items())]
        ceremony = [] if self.ceremony is None else _ceremony_items(self.ceremony)
        head = (_VERSION, self.chain_id, self.address, self.height, self.seed)
        body = rlp_encode([*head, keys, ceremony])
        return body + keccak256(body)

    @classmethod
    def decode(cls, data: bytes) -> KeyRecord:
        """Decode what :meth:`encode` gives.

        Raises
        ------
        InvalidInput
            When the checksum is wrong or the contents are not a record's.
        """
        body = bytes(data[:-_HASH_BYTES])
        if keccak256(body) != data[-_HASH_BYTES:]:
            raise InvalidInput("the key record is damaged")
        match rlp_decode(body):
            case [
                b"\x01",
                bytes(chain),
                bytes(address),
                bytes(height),
                bytes(seed),
                list(keys),
                list(ceremony),
            ]:
                shares = {name: _shares(item) for name, item in _pairs(keys)}
                record = cls(decode_int(chain, 8), address, seed, decode_int(height, 8), shares)
                record.ceremony = _ceremony(ceremony) if ceremony else None
            case _:
                raise InvalidInput("unknown form of key record")
        if record.encode() != data:
            raise InvalidInput("the key record is not in its canonical form")
        return record


def _listed(items: dict[int, Encodable]) -> list[Encodable]:
    return [[key, items[key]] for key in sorted(items)]


def _share_items(shares: dict[int, int]) -> dict[int, Encodable]:
    return {place: share.to_bytes(_SHARE_BYTES, "big") for place, share in shares.items()}


def _ceremony_items(ceremony: CeremonyRecord) -> list[Encodable]:
    received: list[Encodable] = []
    for place, dealing in sorted(ceremony.received.items()):
        shares = [share.to_bytes(_SHARE_BYTES, "big") for share in dealing.shares]
        received.append([place, dealing.commitments, shares, dealing.acknowledgement])
    acks = {place: _listed(dict(signatures)) for place, signatures in ceremony.acks.items()}
    logs = _listed(dict(ceremony.logs))
    return [ceremony.hash, ceremony.seed, int(ceremony.closed), received, _listed(dict(acks)), logs]


def _ceremony(items: list[RlpItem]) -> CeremonyRecord:
    match items:
        case [bytes(name), bytes(seed), bytes(closed), list(received), list(acks), list(logs)]:
            return CeremonyRecord(
                name,
                seed,
                bool(decode_int(closed, 1)),
                dict(map(_received, received)),
                {decode_int(place, 2): _signatures(item) for place, item in _pairs(acks)},
                {decode_int(place, 2): _string(log) for place, log in _pairs(logs)},
            )
    raise InvalidInput("unknown form of ceremony in a key record")


def _received(item: RlpItem) -> tuple[int, Received]:
    match item:
        case [bytes(place), bytes(commitments), list(shares), bytes(acknowledgement)]:
            return decode_int(place, 2), Received(commitments, tuple(map(_share, shares)), acknowledgement)
    raise InvalidInput("unknown form of dealing in a key record")


def _shares(item: RlpItem) -> dict[int, int]:
    return {decode_int(place, 2): _share(share) for place, share in _pairs(item)}


def _signatures(item: RlpItem) -> dict[int, bytes]:
    return {decode_int(index, 2): _string(signature) for index, signature in _pairs(item)}


def _pairs(item: RlpItem) -> list[tuple[bytes, RlpItem]]:
    pairs = []
    for pair in item if isinstance(item, list) else [item]:
        match pair:
            case [bytes(key), value]:
                pairs.append((key, value))
            case _:
                raise InvalidInput("unknown form of list in a key record")
    return pairs


def _share(item: RlpItem) -> int:
    share = _string(item)
    if len(share) != _SHARE_BYTES:
        raise InvalidInput("a share in a key record has 32 bytes", actual=len(share))
    return int.from_bytes(share, "big")


def _string(item: RlpItem) -> bytes:
    if not isinstance(item, bytes):
        raise InvalidInput("a list in a key record where a string should be")
    return item
