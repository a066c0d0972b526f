"""Headers and blocks.

The block hash is keccak-256 of a fixed 200-byte *commitment*, so that a light proof carries little:

=============  =====  ==========================================================
field          bytes
=============  =====  ==========================================================
version            8  format of the header, 1
chain_id           8
height             8  genesis is 0
slot               8  the committee's term; 0 where an engine has no slots
timestamp_ms       8  Unix time in milliseconds
state_root        32  hexary Merkle-Patricia trie
transactions      32  binary Merkle tree over raw envelopes
receipts          32  binary Merkle tree over receipt items
messages          32  binary Merkle tree over cross-chain messages
rest_hash         32  keccak-256 of the RLP of every other header field
=============  =====  ==========================================================

All integers are big-endian. The seal (a nonce or a certificate) is outside the hash.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter, ge
from struct import Struct
from typing import Any

from chainstack_sdk.core.bloom import BLOOM_BYTES
from chainstack_sdk.core.transactions import Transaction, decode_transaction
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.rlp import (
    bytes_header,
    decode_int,
    rlp_bytes,
    rlp_decode,
    rlp_encode,
    rlp_int,
    rlp_list,
)

VERSION = 1
COMMITMENT_BYTES = 200
MAX_EXTRA_DATA = 32
"""Bytes; Ethereum clients refuse more."""
ZERO_HASH = bytes(32)


@dataclass(frozen=True, slots=True)
class Header:
    """A block's header. Every hash and root is 32 bytes, ``proposer`` 20, ``logs_bloom`` 256."""

    chain_id: int
    height: int
    slot: int
    timestamp_ms: int
    state_root: bytes
    transactions_root: bytes
    receipts_root: bytes
    messages_root: bytes
    parent_hash: bytes
    history_root: bytes
    """Root of the Merkle mountain range over all ancestors."""
    proposer: bytes
    logs_bloom: bytes
    gas_limit: int
    gas_used: int
    base_fee: int
    """Wei for each gas (EIP-1559)."""
    seed: bytes = ZERO_HASH
    """Randomness of the slot; in the genesis header, the hash of the genesis parameters."""
    seed_proof: bytes = b""
    next_committee_hash: bytes = ZERO_HASH
    parent_certificate_hash: bytes = ZERO_HASH
    work_commitment: bytes = b""
    """What a proof-of-work engine commits to; at most 64 bytes."""
    extra_data: bytes = b""
    """At most 32 bytes."""
    version: int = VERSION
    hash: bytes = field(init=False, compare=False, repr=False)
    """keccak-256 of :meth:`commitment`."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "hash", keccak256(self.commitment()))

    def rest_hash(self) -> bytes:
        """Return the hash over the fields that the commitment does not carry itself.

        Raises
        ------
        InvalidInput
            When a field has a wrong size, as on construction.
        """
        if not _is_well_formed(self):
            _fields(self)  # says what is wrong
        return keccak256(
            rlp_list(
                (
                    b"\xa0",
                    self.parent_hash,
                    b"\xa0",
                    self.history_root,
                    b"\x94",
                    self.proposer,
                    bytes_header(BLOOM_BYTES),
                    self.logs_bloom,
                    rlp_int(self.gas_limit),
                    rlp_int(self.gas_used),
                    rlp_int(self.base_fee),
                    b"\xa0",
                    self.seed,
                    rlp_bytes(self.seed_proof),
                    b"\xa0",
                    self.next_committee_hash,
                    b"\xa0",
                    self.parent_certificate_hash,
                    rlp_bytes(self.work_commitment),
                    rlp_bytes(self.extra_data),
                )
            )
        )

    def commitment(self) -> bytes:
        """Return the 200 bytes whose hash is the block hash."""
        rest_hash = self.rest_hash()
        return _COMMITMENT.pack(
            self.version,
            self.chain_id,
            self.height,
            self.slot,
            self.timestamp_ms,
            self.state_root,
            self.transactions_root,
            self.receipts_root,
            self.messages_root,
            rest_hash,
        )

    def encode(self) -> bytes:
        """Return the RLP list of all fields."""
        return rlp_encode(_fields(self))


@dataclass(frozen=True, slots=True)
class Block:
    """A header, its transactions, and what makes it final."""

    header: Header
    transactions: tuple[Transaction, ...]
    seal: bytes = b""
    """The engine's proof that this block may be appended; outside the block hash."""
    parent_certificate: bytes = b""
    """The parent's seal, for engines that pay and punish by it."""
    attachment: bytes = b""
    """What the engine adds to the block; the header commits to it in the engine's own way."""

    @property
    def hash(self) -> bytes:
        """The header's hash, 32 bytes."""
        return self.header.hash

    @property
    def height(self) -> int:
        """Height; genesis is 0."""
        return self.header.height

    @property
    def timestamp_ms(self) -> int:
        """Unix time in milliseconds."""
        return self.header.timestamp_ms

    @property
    def state_root(self) -> bytes:
        """The state root after the block, 32 bytes."""
        return self.header.state_root

    @property
    def parent_hash(self) -> bytes:
        """The parent's hash, 32 bytes."""
        return self.header.parent_hash

    def encode(self) -> bytes:
        """Return RLP ``[header, [raw transaction…], seal, parent_certificate, attachment]``."""
        raws = [transaction.raw for transaction in self.transactions]
        return rlp_encode([_fields(self.header), raws, self.seal, self.parent_certificate, self.attachment])

    @classmethod
    def decode(cls, data: bytes) -> Block:
        """Decode a whole block.

        Raises
        ------
        InvalidInput
            When anything in it is malformed. Roots and rules are the chain's to check.
        """
        match rlp_decode(data):
            case [list(header), list(raws), bytes(seal), bytes(certificate), bytes(attachment)]:
                transactions = tuple(_transaction(raw) for raw in raws)
                return cls(_header(header), transactions, seal, certificate, attachment)
        raise InvalidInput("a block is a list of header, transactions, seal, certificate and attachment")


def certificate_hash(certificate: bytes) -> bytes:
    """Return what a header commits to for a parent certificate: keccak-256, or zeros for none."""
    return keccak256(certificate) if certificate else ZERO_HASH


def decode_header(data: bytes) -> Header:
    """Decode an RLP header.

    Raises
    ------
    InvalidInput
        When it is malformed.
    """
    return _header(rlp_decode(data))


# Every field in wire order: its name, its greatest size in bytes, and whether it is a number ("n"), a string
# of exactly that size ("=") or one of at most that size ("<"). The first nine are those of the commitment.
_WIRE = (
    ("version", 8, "n"),
    ("chain_id", 8, "n"),
    ("height", 8, "n"),
    ("slot", 8, "n"),
    ("timestamp_ms", 8, "n"),
    ("state_root", 32, "="),
    ("transactions_root", 32, "="),
    ("receipts_root", 32, "="),
    ("messages_root", 32, "="),
    ("parent_hash", 32, "="),
    ("history_root", 32, "="),
    ("proposer", 20, "="),
    ("logs_bloom", BLOOM_BYTES, "="),
    ("gas_limit", 8, "n"),
    ("gas_used", 8, "n"),
    ("base_fee", 32, "n"),
    ("seed", 32, "="),
    ("seed_proof", 256, "<"),
    ("next_committee_hash", 32, "="),
    ("parent_certificate_hash", 32, "="),
    ("work_commitment", 64, "<"),
    ("extra_data", MAX_EXTRA_DATA, "<"),
)
_COMMITMENT = Struct(">5Q32s32s32s32s32s")
_numbers = attrgetter(*[name for name, size, kind in _WIRE if (size, kind) == (8, "n")])
_exact = attrgetter(*[name for name, _, kind in _WIRE if kind == "="])
_EXACT_SIZES = [size for _, size, kind in _WIRE if kind == "="]
_bounded = attrgetter(*[name for name, _, kind in _WIRE if kind == "<"])
_BOUNDS = [size for _, size, kind in _WIRE if kind == "<"]


def _is_well_formed(header: Header) -> bool:
    """Tell whether every field has a possible size; the same as :func:`_fields`, in a tenth of its time."""
    numbers = _numbers(header)
    return (
        min(numbers) >= 0
        and max(numbers) < 1 << 64
        and 0 <= header.base_fee < 1 << 256
        and [*map(len, _exact(header))] == _EXACT_SIZES
        and all(map(ge, _BOUNDS, map(len, _bounded(header))))
    )


def _fields(header: Header) -> list[bytes]:
    """All fields as strings in wire order."""
    fields = []
    for name, size, kind in _WIRE:
        value = getattr(header, name)
        if kind == "n":
            if not 0 <= value < 1 << (8 * size):
                raise InvalidInput(f"a header's {name} is an unsigned number of {size} bytes", actual=value)
            value = value.to_bytes((value.bit_length() + 7) >> 3, "big")
        elif len(value) > size or (kind == "=" and len(value) != size):
            raise InvalidInput(f"wrong length of a header's {name}", expected=size, actual=len(value))
        fields.append(value)
    return fields


def _header(fields: object) -> Header:
    if not isinstance(fields, list) or len(fields) != len(_WIRE):
        raise InvalidInput("a header is a list of its fields", expected=len(_WIRE))
    values: dict[str, Any] = {}
    for value, (name, size, kind) in zip(fields, _WIRE, strict=True):
        if not isinstance(value, bytes):
            raise InvalidInput(f"a header's {name} is a string")
        values[name] = decode_int(value, size) if kind == "n" else value
    if values["version"] != VERSION:
        raise InvalidInput("unknown header version", expected=VERSION, actual=values["version"])
    return Header(**values)


def _transaction(raw: object) -> Transaction:
    if not isinstance(raw, bytes):
        raise InvalidInput("a block's transactions are envelopes as strings")
    return decode_transaction(raw)
