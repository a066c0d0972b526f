"""What is shown of a mined chain in a proof, as bytes.

::

    evidence   RLP [newest height, [[height, fields]…], nodes, [fields…]]
                    newest height  of the block whose work and history all this leads to
                    samples        the block in question and the sampled ones, heights ascending
                    nodes          hash 32 ‖ work 32 each, of the history below the tail (work_tree.py)
                    tail           the last blocks, ascending; the last one is the newest
    fields     [timestamp_ms, state_root, transactions_root, receipts_root, messages_root, parent_hash,
                proposer, logs_bloom, gas_limit, gas_used, base_fee, difficulty, payouts, extra_data, nonce]

A header is shown without what its verifier knows or computes: version and chain id, its height, the root of
the history before it, and the fields that no mined block uses. A bloom of zeros and a hash of no payouts are
empty; a nonce has 8 bytes, other numbers are without leading zeros.

**Caveats.** Decoding checks the form only.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Self

from chainstack_sdk.consensus.work import parse_work_commitment
from chainstack_sdk.core.blocks import ZERO_HASH, Header
from chainstack_sdk.core.bloom import BLOOM_BYTES
from chainstack_sdk.core.history import pack_node
from chainstack_sdk.cspv.work_tree import unpack_nodes
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.rlp import decode_int, rlp_decode, rlp_encode

if TYPE_CHECKING:
    from typing import TypeAlias

    from chainstack_sdk.cspv.work_tree import Node
    from chainstack_sdk.primitives.rlp import RlpItem

    Fields: TypeAlias = list[bytes | int]

NONCE_BYTES = 8
_NO_BLOOM = bytes(BLOOM_BYTES)
_HASHES = 5
"""State, transactions, receipts, messages, parent."""
_FIELDS = 15


@dataclass(frozen=True, slots=True)
class MinedHeader:
    """A header of a mined block without what its place on a chain tells, and its nonce."""

    timestamp_ms: int
    """Unix time in milliseconds."""
    hashes: tuple[bytes, ...]
    """State, transactions, receipts and messages root, parent hash: 32 bytes each."""
    proposer: bytes
    """20 bytes."""
    logs_bloom: bytes
    """256 bytes."""
    gas: tuple[int, int, int]
    """Gas limit, gas used, base fee in wei."""
    difficulty: int
    """Expected hashes, at least 1."""
    payouts: bytes
    """Hash of the list of payouts, 32 bytes."""
    extra_data: bytes
    """At most 32 bytes."""
    nonce: bytes
    """The proof of work, 8 bytes."""

    @classmethod
    def of(cls, header: Header, nonce: bytes) -> Self:
        """Return what is shown of a block.

        Raises
        ------
        InvalidInput
            When the header commits to no work.
        """
        difficulty, payouts = parse_work_commitment(header.work_commitment)
        return cls(
            header.timestamp_ms,
            (
                header.state_root,
                header.transactions_root,
                header.receipts_root,
                header.messages_root,
                header.parent_hash,
            ),
            header.proposer,
            header.logs_bloom,
            (header.gas_limit, header.gas_used, header.base_fee),
            difficulty,
            payouts,
            header.extra_data,
            nonce,
        )

    def at(self, chain_id: int, height: int, history_root: bytes) -> Header:
        """Return the whole header of such a block at a place.

        Raises
        ------
        InvalidInput
            When a field has a size that no header has.
        """
        state, transactions, receipts, messages, parent = self.hashes
        return Header(
            chain_id=chain_id,
            height=height,
            slot=0,
            timestamp_ms=self.timestamp_ms,
            state_root=state,
            transactions_root=transactions,
            receipts_root=receipts,
            messages_root=messages,
            parent_hash=parent,
            history_root=history_root,
            proposer=self.proposer,
            logs_bloom=self.logs_bloom,
            gas_limit=self.gas[0],
            gas_used=self.gas[1],
            base_fee=self.gas[2],
            work_commitment=self.difficulty.to_bytes(32, "big") + self.payouts,
            extra_data=self.extra_data,
        )

    def fields(self) -> Fields:
        """Return the fields as they are written."""
        return [
            self.timestamp_ms,
            *self.hashes,
            self.proposer,
            b"" if self.logs_bloom == _NO_BLOOM else self.logs_bloom,
            *self.gas,
            self.difficulty,
            b"" if self.payouts == ZERO_HASH else self.payouts,
            self.extra_data,
            self.nonce,
        ]

    @classmethod
    def from_fields(cls, fields: RlpItem) -> Self:
        """Read what :meth:`fields` gives.

        Raises
        ------
        InvalidInput
            When it is no mined header in its one form.
        """
        items = _strings(fields, _FIELDS)
        proposer, bloom, *gas, difficulty, payouts, extra_data, nonce = items[1 + _HASHES :]
        if bloom == _NO_BLOOM or payouts == ZERO_HASH:
            raise InvalidInput("zeros in a mined header are left out")
        if len(payouts) not in (0, len(ZERO_HASH)) or len(nonce) != NONCE_BYTES:
            raise InvalidInput("a mined header has a hash of payouts and a nonce of 8 bytes")
        if not difficulty:
            raise InvalidInput("a difficulty is at least 1")
        limit, used, base_fee = (decode_int(number) for number in gas)
        return cls(
            decode_int(items[0], 8),
            tuple(items[1 : 1 + _HASHES]),
            proposer,
            bloom or _NO_BLOOM,
            (limit, used, base_fee),
            decode_int(difficulty),
            payouts or ZERO_HASH,
            extra_data,
            nonce,
        )


@dataclass(frozen=True, slots=True)
class WorkEvidence:
    """All that a proof shows of a mined chain."""

    newest: int
    """Height of the newest block."""
    samples: tuple[tuple[int, MinedHeader], ...]
    """Blocks below the tail with their heights, ascending; genesis is not among them."""
    nodes: tuple[Node, ...]
    """The nodes beside genesis and the samples."""
    tail: tuple[MinedHeader, ...]
    """The last blocks, the newest last."""

    def encode(self) -> bytes:
        """Return the encoding."""
        samples = [[height, *header.fields()] for height, header in self.samples]
        nodes = b"".join(pack_node(*node) for node in self.nodes)
        return rlp_encode([self.newest, samples, nodes, [header.fields() for header in self.tail]])

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Decode what :meth:`encode` gives.

        Raises
        ------
        InvalidInput
            When it is no evidence in its one form.
        """
        match rlp_decode(data):
            case [bytes(newest), list(samples), bytes(nodes), list(tail)]:
                return cls(
                    decode_int(newest, 8),
                    _samples(samples),
                    unpack_nodes(nodes),
                    tuple(MinedHeader.from_fields(fields) for fields in tail),
                )
        raise InvalidInput("evidence of work is a list of a height, samples, nodes and a tail")


def _samples(items: list[RlpItem]) -> tuple[tuple[int, MinedHeader], ...]:
    found = []
    for item in items:
        if not isinstance(item, list) or not item or not isinstance(item[0], bytes):
            raise InvalidInput("a sample is a list that begins with a height")
        found.append((decode_int(item[0], 8), MinedHeader.from_fields(item[1:])))
    heights = [0, *(height for height, _ in found)]
    for before, after in pairwise(heights):
        if before >= after:
            raise InvalidInput("samples are above genesis, in ascending order", height=after)
    return tuple(found)


def _strings(item: RlpItem, count: int) -> list[bytes]:
    if not isinstance(item, list) or len(item) != count:
        raise InvalidInput("a mined header is a list of its fields", expected=count)
    found = [one for one in item if isinstance(one, bytes)]
    if len(found) != count:
        raise InvalidInput("a mined header's fields are strings")
    return found
