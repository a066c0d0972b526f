"""All that a verifier keeps of a mined chain: its genesis and a policy, 87 bytes.

``version 1 ‖ scheme 3 ‖ chain id 8 ‖ genesis hash 32 ‖ hash of work 1 ‖ policy 44``, big-endian; the hash of
work is 0 for double SHA-256 and 1 for Keccak-256, the policy as in :mod:`chainstack_sdk.cspv.work_policy`.
Nothing in it has to change with the chain. But blocks are cheap where nothing demands work: whoever knows how
much work the chain has by now does well to demand it, and each proof can raise what is demanded of the next
(:meth:`WorkAnchor.advance`).

A proof shows the last blocks, and older ones at places that follow from the work of the newest (FlyClient,
IACR eprint 2019/226). What is checked:

- genesis is the first block of the history, and weighs 1;
- each sampled block, and the proven one: its nonce does the work that it commits to; it commits to the
  history before it, so that no block of another chain or place can be put there; its weight in the history
  is that work; it holds no more than ``1/parts`` of the work from it to the end;
- the samples are those that the newest block asks for, no more and no less;
- each of the last blocks: its work, its history, its place behind the one before it (height, parent, time,
  gas limit, base fee); none holds more than ``1/parts`` of their work, and the newest no less than ``parts /
  confirmations**2``: new draws cost work;
- at least as many blocks follow the proven one as the policy says, and there is enough work in all.

**Caveats.** What is *not* checked: state and receipts, which miners check; that difficulty follows the
retargeting rule (it follows timestamps, which miners set; ``parts`` bounds what can be gained); blocks that
are not shown. A fork that leaves the chain within the last blocks, or one of real work throughout, is no
forgery but a branch: of two valid proofs the one with more work counts, :func:`heavier`. One proof alone
shows what its work cost.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from chainstack_sdk.consensus.work import DoubleSha256, KeccakWork, is_worked
from chainstack_sdk.core.history import MountainRange
from chainstack_sdk.core.validation import validate_lineage
from chainstack_sdk.cspv.verify.format import VERSION, FinalityScheme, Reader, split_evidence_finality
from chainstack_sdk.cspv.verify.opening import open_proof
from chainstack_sdk.cspv.work_evidence import WorkEvidence
from chainstack_sdk.cspv.work_policy import WorkPolicy
from chainstack_sdk.cspv.work_sampling import drawn_positions, sample_count
from chainstack_sdk.cspv.work_tree import fold, leaf_of
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chainstack_sdk.consensus.work import WorkHash
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.cspv.schemes import Anchor
    from chainstack_sdk.cspv.verify.facts import Proven
    from chainstack_sdk.cspv.verify.format import Proof
    from chainstack_sdk.cspv.work_evidence import MinedHeader
    from chainstack_sdk.cspv.work_tree import Node

WORK_HASHES: tuple[WorkHash, ...] = (DoubleSha256(), KeccakWork())
"""What chains hash with, by the byte that stands for it."""
ANCHOR_BYTES = 87
DEFAULT_POLICY = WorkPolicy()
GENESIS_WORK = 1
"""What genesis weighs."""


@dataclass(frozen=True, slots=True)
class WorkAnchor:
    """Checks what is deep enough in a mined chain.

    Raises
    ------
    InvalidInput
        On construction, when the chain id has more than 64 bits or the hash of genesis has not 32 bytes.
    """

    chain_id: int
    """The chain that is mined."""
    genesis_hash: bytes
    """Of its first block, 32 bytes."""
    policy: WorkPolicy = DEFAULT_POLICY
    """What is demanded."""
    work_hash: int = 0
    """What is hashed with: the place in :data:`WORK_HASHES`."""

    def __post_init__(self) -> None:
        if not 0 <= self.chain_id < 1 << 64 or len(self.genesis_hash) != 32:
            raise InvalidInput("an anchor has a chain id of 64 bits and a hash of 32 bytes")
        if not 0 <= self.work_hash < len(WORK_HASHES):
            raise InvalidInput("an unknown hash of work", actual=self.work_hash)

    def verify(self, proof: Proof | bytes) -> Proven:
        """Return what a proof proves about this chain.

        Costs some 100 microseconds for each header shown.

        Raises
        ------
        InvalidInput
            When it proves nothing.
        """
        proven, _ = self._opened(proof)
        return proven

    def work_of(self, proof: Proof | bytes) -> int:
        """Return the work of the chain that a proof shows: expected hashes, up to its newest block.

        Raises
        ------
        InvalidInput
            When it proves nothing.
        """
        _, work = self._opened(proof)
        return work

    def check(self, evidence: bytes, height: int, block_hash: bytes) -> int:
        """Check evidence that a block is in the chain and deep enough, and return the work of the chain.

        Parameters
        ----------
        evidence
            As in :mod:`chainstack_sdk.cspv.work_evidence`.
        height, block_hash
            The block in question.

        Raises
        ------
        InvalidInput
            When the evidence shows something else.
        """
        shown = WorkEvidence.decode(evidence)
        below = shown.newest + 1 - self.policy.confirmations
        if height >= below:
            raise InvalidInput(
                "too few blocks follow",
                height=height,
                expected=self.policy.confirmations,
                actual=shown.newest - height,
            )
        if len(shown.tail) != self.policy.confirmations:
            raise InvalidInput("the tail has another length", expected=self.policy.confirmations)
        samples = _Samples(self, shown, below)
        if samples.hash_at(height) != block_hash:
            raise InvalidInput("the block is not in this history", height=height, block_hash=block_hash)
        history = MountainRange.from_peaks(below, samples.peaks)
        newest = self._follow_tail(shown, history)
        tail = history.total_work - samples.work
        self._validate_weights(shown, samples, history.total_work, tail)
        count = sample_count(history.total_work, tail, self.policy.soundness_bits, self.policy.share)
        samples.validate_choice(
            height, drawn_positions(newest.hash + shown.tail[-1].nonce, count, history.total_work, tail)
        )
        return history.total_work

    def advance(self, update: bytes) -> Self:
        """Return the anchor that demands as much work as a proof shows: a fork then has to make up for that.

        Parameters
        ----------
        update
            A proof of anything.

        Raises
        ------
        InvalidInput
            When it proves nothing, which it does as well when it shows less work than is demanded already.
        """
        _, work = self._opened(update)
        return replace(self, policy=replace(self.policy, minimum_work=work))

    def to_bytes(self) -> bytes:
        """Return the encoding, 87 bytes."""
        return b"".join(
            (
                bytes((VERSION, FinalityScheme.WORK)),
                self.chain_id.to_bytes(8, "big"),
                self.genesis_hash,
                bytes((self.work_hash,)),
                self.policy.to_bytes(),
            )
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Decode what :meth:`to_bytes` gives.

        Raises
        ------
        InvalidInput
            When it is not the anchor of a mined chain.
        """
        reader = Reader(data)
        if reader.take(2) != bytes((VERSION, FinalityScheme.WORK)):
            raise InvalidInput("an anchor of another version or scheme", actual=data[:2])
        chain_id, genesis_hash, work_hash = reader.number(8), reader.take(32), reader.number(1)
        try:
            policy = WorkPolicy.read(reader)
        except UsageError as error:
            raise InvalidInput(error.message, **error.facts) from error
        reader.finish()
        return cls(chain_id, genesis_hash, policy, work_hash)

    def mined(self, shown: MinedHeader, height: int, history_root: bytes) -> Header:
        """Return the header of a block at a place, once its nonce is known to do the work.

        Raises
        ------
        InvalidInput
            When it does not, or no header has such fields.
        """
        limit, used, _ = shown.gas
        if limit < 2 or used > limit:  # no base fee follows from such a block
            raise InvalidInput(
                "a block uses more gas than it has", height=height, expected=limit, actual=used
            )
        header = shown.at(self.chain_id, height, history_root)
        nonce = int.from_bytes(shown.nonce, "big")
        if not is_worked(header.hash, nonce, shown.difficulty, WORK_HASHES[self.work_hash]):
            raise InvalidInput("the nonce does not do the work", height=height, actual=nonce)
        return header

    def _opened(self, proof: Proof | bytes) -> tuple[Proven, int]:
        opened, proven = open_proof(proof, self.chain_id, FinalityScheme.WORK)
        evidence = split_evidence_finality(opened.finality)
        return proven, self.check(evidence, proven.height, proven.block_hash)

    def _follow_tail(self, shown: WorkEvidence, history: MountainRange) -> Header:
        """Add the last blocks to the history below them, and return the newest."""
        newest = self._append(history, shown.tail[0])
        for mined in shown.tail[1:]:
            header = self._append(history, mined)
            validate_lineage(header, newest)
            newest = header
        return newest

    def _append(self, history: MountainRange, shown: MinedHeader) -> Header:
        header = self.mined(shown, history.size, history.root)
        history.append(header.hash, shown.difficulty)
        return header

    def _validate_weights(self, shown: WorkEvidence, samples: _Samples, total: int, tail: int) -> None:
        if total < self.policy.minimum_work:
            raise InvalidInput("there is too little work", expected=self.policy.minimum_work, actual=total)
        parts, confirmations = self.policy.parts, self.policy.confirmations
        heaviest = max(mined.difficulty for mined in shown.tail)
        if heaviest * parts > tail or shown.tail[-1].difficulty * confirmations**2 < tail * parts:
            raise InvalidInput("the difficulties of the last blocks lie too far apart", actual=heaviest)
        for (height, mined), start in zip(shown.samples, samples.starts[1:], strict=True):
            if mined.difficulty * parts > total - start:
                raise InvalidInput(
                    "a block is too hard for its place", height=height, actual=mined.difficulty
                )


class _Samples:
    """The blocks below the tail that are shown, genesis among them, each with its place on the line of work.

    Parameters
    ----------
    anchor
        Knows genesis and checks the nonces.
    shown
        The evidence.
    size
        How many blocks are below the tail.
    """

    def __init__(self, anchor: WorkAnchor, shown: WorkEvidence, size: int) -> None:
        self._anchor = anchor
        self._mined = dict(shown.samples)
        self.heights = [0, *self._mined]
        if self.heights[-1] >= size:
            raise InvalidInput("a sample is in the tail", height=self.heights[-1])
        self.starts: list[int] = []
        """The work before each of them."""
        self._hashes: list[bytes] = []
        self.peaks: tuple[Node, ...] = fold(size, self.heights, shown.nodes, self._leaf)
        """Those of the history below the tail."""
        self.work = sum([work for _, work in self.peaks])
        """That of all blocks below the tail."""

    def hash_at(self, height: int) -> bytes | None:
        """Return the hash of the block that is shown at a height, if there is one."""
        return self._hashes[self.heights.index(height)] if height in self.heights else None

    def validate_choice(self, proven: int, positions: Iterable[int]) -> None:
        """Check that the blocks shown are genesis, the proven one and those that hold the positions."""
        asked = {0, proven}
        for position in positions:
            place = bisect_right(self.starts, position) - 1
            height = self.heights[place]
            if position >= self.starts[place] + self._weight(height):
                raise InvalidInput("a sampled block is missing", actual=position)
            asked.add(height)
        if len(asked) != len(self.heights):
            raise InvalidInput("blocks are shown that nothing asks for", expected=len(asked))

    def _leaf(self, height: int, before: tuple[Node, ...]) -> Node:
        self.starts.append(sum([work for _, work in before]))
        if not height:
            self._hashes.append(self._anchor.genesis_hash)
        else:
            history_root = MountainRange.from_peaks(height, before).root
            self._hashes.append(self._anchor.mined(self._mined[height], height, history_root).hash)
        return leaf_of(self._hashes[-1], self._weight(height))

    def _weight(self, height: int) -> int:
        return self._mined[height].difficulty if height else GENESIS_WORK


def heavier(anchor: WorkAnchor, one: Proof | bytes, other: Proof | bytes) -> Proof | bytes:
    """Return the proof that shows more work; the first one where both show the same.

    Of two branches the one with more work counts. A proof that is invalid counts for nothing.

    Raises
    ------
    InvalidInput
        When both are invalid.
    """
    try:
        work = anchor.work_of(one)
    except InvalidInput:
        anchor.work_of(other)
        return other
    try:
        return other if anchor.work_of(other) > work else one
    except InvalidInput:
        return one


if TYPE_CHECKING:
    _anchor: type[Anchor] = WorkAnchor
