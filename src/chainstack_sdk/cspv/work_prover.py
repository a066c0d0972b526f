"""Proofs of work from whoever has the chain."""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.work import DoubleSha256
from chainstack_sdk.cspv.verify.format import FinalityScheme, evidence_finality
from chainstack_sdk.cspv.work import WORK_HASHES, WorkAnchor
from chainstack_sdk.cspv.work_evidence import MinedHeader, WorkEvidence
from chainstack_sdk.cspv.work_policy import WorkPolicy
from chainstack_sdk.cspv.work_sampling import sample_count, sample_positions
from chainstack_sdk.cspv.work_tree import nodes_beside, work_before
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from chainstack_sdk.consensus.work import WorkHash
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.chain import Blockchain
    from chainstack_sdk.cspv.schemes import FinalityProver

_REMEMBERED = 1 << 14


class WorkFinality:
    """Evidence of the work on top of a block, with the chain's newest block at the end.

    Parameters
    ----------
    blockchain
        A chain whose blocks are mined and all kept.
    policy
        What its anchors demand.
    work_hash
        What the chain hashes with; double SHA-256 by default.

    Raises
    ------
    UsageError
        When verifiers do not know this hash.
    """

    scheme = FinalityScheme.WORK
    """See :class:`~chainstack_sdk.cspv.schemes.FinalityProver`."""

    def __init__(
        self,
        blockchain: Blockchain,
        policy: WorkPolicy | None = None,
        work_hash: WorkHash | None = None,
    ) -> None:
        name = (work_hash or DoubleSha256()).name
        names = [known.name for known in WORK_HASHES]
        if name not in names:
            raise UsageError("verifiers do not know this hash of work", expected=names, actual=name)
        self._blockchain = blockchain
        self._policy = policy or WorkPolicy()
        self._work_hash = names.index(name)

    def anchor(self) -> WorkAnchor:
        """Return the anchor of the chain: always the same."""
        genesis = self._blockchain.ledger.header(0)
        return WorkAnchor(genesis.chain_id, genesis.hash, self._policy, self._work_hash)

    def evidence(self, header: Header) -> bytes:
        """Return the finality part of a proof about a block of the chain.

        It ends with the chain's newest block. Costs as much as verifying it, and some 20 microseconds for
        each node shown.

        Raises
        ------
        UsageError
            When too few blocks follow the block, or the chain does not satisfy the policy: difficulties of
            the last blocks lie too far apart, or there is less work than demanded.
        """
        newest = self._blockchain.head
        if newest.height - header.height < self._policy.confirmations:
            raise UsageError(
                "too few blocks follow",
                height=header.height,
                expected=self._policy.confirmations,
                actual=newest.height - header.height,
            )
        evidence = self._shown(header.height, newest.height).encode()
        try:
            self.anchor().check(evidence, header.height, header.hash)
        except InvalidInput as error:
            raise UsageError(f"cannot be proven now: {error.message}", **error.facts) from error
        return evidence_finality(evidence)

    def _shown(self, height: int, newest: int) -> WorkEvidence:
        below = newest + 1 - self._policy.confirmations
        tail = tuple(self._mined(place) for place in range(below, newest + 1))
        chosen = sorted({0, height, *self._sampled(below, newest, tail[-1].nonce)})
        return WorkEvidence(
            newest,
            tuple((place, self._mined(place)) for place in chosen[1:]),
            tuple(nodes_beside(self._blockchain.history, below, chosen)),
            tail,
        )

    def _sampled(self, below: int, newest: int, nonce: bytes) -> list[int]:
        history = self._blockchain.history
        start = lru_cache(_REMEMBERED)(lambda place: work_before(history, place))
        total = history.total_work
        tail = total - start(below)
        count = sample_count(total, tail, self._policy.soundness_bits, self._policy.share)
        seed = self._blockchain.ledger.header(newest).hash + nonce
        return [
            bisect_right(range(below), position, key=start) - 1
            for position in sample_positions(seed, count, total, tail)
        ]

    def _mined(self, height: int) -> MinedHeader:
        block = self._blockchain.ledger.block(height)
        return MinedHeader.of(block.header, block.seal)


if TYPE_CHECKING:
    _prover: type[FinalityProver] = WorkFinality
