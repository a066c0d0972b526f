"""How a proof is written: version 1, fixed byte by byte, numbers big-endian.

======  ====  ===========================================================================================
offset  size  field
======  ====  ===========================================================================================
0       1     version, 1; also the version of the header
1       1     scheme: 1 chain key, 2 committee, 3 work
2       1     kind: 1 receipt, 2 transaction, 3 message, 4 account, 5 storage
3       8     height
11      8     slot
19      8     timestamp in milliseconds
27      128   the roots and the hash that the header commits to (state, transactions, receipts, messages,
              rest), in this order, without the one that the body yields
155     ...   finality. Scheme 1: signature 48 ‖ count 1 ‖ links, each length 2 ‖ bytes.
              Schemes 2 and 3: length 4 ‖ evidence
then    ...   the body
======  ====  ===========================================================================================

The body of kinds 1 to 3 is ``index 4 ‖ depth 1 ‖ depth * 32 siblings, lowest first ‖ item``, the item being
all that is left; that of kind 4 ``address 20 ‖ nodes``; that of kind 5 ``address 20 ‖ slot 32 ‖ nodes of the
account ‖ nodes of the slot``. Nodes are ``count 1 ‖ each: length 2 ‖ bytes``, root first.

Each proof has exactly one encoding: what is cut short, or followed by more bytes, is refused. The chain id is
not in it: whoever verifies knows on which chain the thing should have happened.

**Caveats.** What is read here is a claim and no more, until an anchor has verified it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import TYPE_CHECKING, Self

from chainstack_sdk.cspv.verify.paths import AccountPath, Body, ItemPath, StoragePath
from chainstack_sdk.cspv.verify.reader import Reader as Reader
from chainstack_sdk.cspv.verify.reader import (
    encode_nodes,
    read_nodes,
    require_hashes,
    require_nodes,
    require_size,
)
from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSION = 1
SIGNATURE_BYTES = 48
FINALITY_OFFSET = 155
"""Where the finality part begins."""

_FIXED = Struct(">BBBQQQ32s32s32s32s")
_MAX_U64 = 2**64 - 1


class FinalityScheme(IntEnum):
    """What makes a block final, hence what evidence a proof carries."""

    CHAIN_KEY = 1
    """One signature under the chain's key, which outlives every committee."""
    COMMITTEE = 2
    """Signatures of a committee's members."""
    WORK = 3
    """Proof of work, sampled."""


class Kind(IntEnum):
    """What is proven."""

    RECEIPT = 1
    """How a transaction ended and what it emitted."""
    TRANSACTION = 2
    """That a transaction is in a block, whatever came of it."""
    MESSAGE = 3
    """That a block carries a message to another chain."""
    ACCOUNT = 4
    """What an account holds, or that there is none."""
    STORAGE = 5
    """What is in a slot of a contract."""


_BODIES: dict[Kind, type[Body]] = {
    Kind.RECEIPT: ItemPath,
    Kind.TRANSACTION: ItemPath,
    Kind.MESSAGE: ItemPath,
    Kind.ACCOUNT: AccountPath,
    Kind.STORAGE: StoragePath,
}


@dataclass(frozen=True, slots=True)
class Proof:
    """A claim about a chain with all that it takes to check it against an anchor.

    Raises
    ------
    InvalidInput
        On construction, when a part has a size or a value that no proof can have.
    """

    scheme: FinalityScheme
    """What the evidence in :attr:`finality` is."""
    kind: Kind
    """What is proven."""
    height: int
    """The block's height, below 2^64, like the next two."""
    slot: int
    """The committee's term."""
    timestamp_ms: int
    """Unix time in milliseconds."""
    hashes: tuple[bytes, ...]
    """Four of the header's five roots and hashes, 32 bytes each, in the order of the commitment."""
    finality: bytes
    """The finality part as it is written, counts and lengths included."""
    body: Body
    """The thing itself, with its path."""

    def __post_init__(self) -> None:
        if not all(0 <= number <= _MAX_U64 for number in (self.height, self.slot, self.timestamp_ms)):
            raise InvalidInput("a number in a proof has more than 64 bits", height=self.height)
        if len(self.hashes) != 4:
            raise InvalidInput("a proof has four hashes of the header", actual=len(self.hashes))
        require_hashes(self.hashes)
        if not isinstance(self.body, _BODIES[self.kind]):
            raise InvalidInput("the body is of another kind", expected=self.kind.name)
        reader = Reader(self.finality)
        _take_finality(reader, self.scheme)
        reader.finish()

    def to_bytes(self) -> bytes:
        """Return the encoding, as in the table above."""
        numbers = (VERSION, self.scheme, self.kind, self.height, self.slot, self.timestamp_ms)
        return _FIXED.pack(*numbers, *self.hashes) + self.finality + self.body.to_bytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Decode what :meth:`to_bytes` gives.

        Raises
        ------
        InvalidInput
            When it is not the encoding of a proof.
        """
        reader = Reader(data)
        version, scheme, kind, height, slot, timestamp_ms, *hashes = _FIXED.unpack(reader.take(_FIXED.size))
        if version != VERSION:
            raise InvalidInput("a proof of another version", expected=VERSION, actual=version)
        if scheme not in _SCHEMES or kind not in _KINDS:
            raise InvalidInput("a proof of an unknown scheme or kind", scheme=scheme, kind=kind)
        finality = _take_finality(reader, FinalityScheme(scheme))
        body = _BODIES[Kind(kind)].read(reader)
        where = (height, slot, timestamp_ms)
        return cls(FinalityScheme(scheme), Kind(kind), *where, tuple(hashes), finality, body)


_SCHEMES = frozenset(FinalityScheme)
_KINDS = frozenset(Kind)


def chain_key_finality(signature: bytes, links: Sequence[bytes] = ()) -> bytes:
    """Return the finality part of scheme 1: at most 255 links of at most 65,535 bytes each.

    Raises
    ------
    InvalidInput
        When the signature has other than 48 bytes, or links are too many or too long.
    """
    require_size("a signature", signature, SIGNATURE_BYTES)
    require_nodes(links)
    return signature + encode_nodes(links)


def split_chain_key_finality(finality: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    """Return the signature and the links in a finality part of scheme 1.

    Raises
    ------
    InvalidInput
        When it is none.
    """
    reader = Reader(finality)
    parts = reader.take(SIGNATURE_BYTES), read_nodes(reader)
    reader.finish()
    return parts


def evidence_finality(evidence: bytes) -> bytes:
    """Return the finality part of schemes 2 and 3: the evidence behind its length."""
    return len(evidence).to_bytes(4, "big") + evidence


def split_evidence_finality(finality: bytes) -> bytes:
    """Return the evidence in a finality part of schemes 2 and 3.

    Raises
    ------
    InvalidInput
        When it is none.
    """
    reader = Reader(finality)
    evidence = reader.take(reader.number(4))
    reader.finish()
    return evidence


def _take_finality(reader: Reader, scheme: FinalityScheme) -> bytes:
    """Return the finality part that comes next, as it is written."""
    if scheme is FinalityScheme.CHAIN_KEY:
        return reader.take(SIGNATURE_BYTES) + encode_nodes(read_nodes(reader))
    return evidence_finality(reader.take(reader.number(4)))
