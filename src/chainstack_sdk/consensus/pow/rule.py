"""What a header with proof of work has to satisfy, and when its block counts as settled."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.sealed import decode_branch
from chainstack_sdk.consensus.work import DoubleSha256, is_worked, parse_work_commitment
from chainstack_sdk.core.blocks import ZERO_HASH
from chainstack_sdk.core.validation import expect, validate_lineage
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from chainstack_sdk.consensus.retarget import Retarget
    from chainstack_sdk.consensus.sealed import SealedHeader
    from chainstack_sdk.consensus.work import WorkHash
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.interfaces import CandidateRule, FinalityRule, HeaderRule

    Headers: TypeAlias = Callable[[bytes], Header | None]

SEAL_BYTES = 8
"""A seal is a nonce, big-endian."""
DEFAULT_CONFIRMATIONS = 6


@dataclass(frozen=True, slots=True)
class WorkRule:
    """Header and finality rule of proof of work; needs headers only, no chain.

    A block's seal is its nonce, 8 bytes, big-endian. The header's ``work_commitment`` names the difficulty
    that the retargeting rule asks for. The fields of other engines are empty: slot 0, no seed, no parent
    certificate. ``extra_data`` is the miner's own.

    Raises
    ------
    UsageError
        When ``confirmations`` is less than 1.
    """

    retarget: Retarget
    """How difficult a block has to be."""
    headers: Headers
    """Returns the header with a hash, or None; asked for ancestors, as far back as the retargeting looks."""
    work_hash: WorkHash = field(default_factory=DoubleSha256)
    """What is hashed with."""
    confirmations: int = DEFAULT_CONFIRMATIONS
    """How many blocks must follow one that counts as final."""

    def __post_init__(self) -> None:
        if self.confirmations < 1:
            raise UsageError("finality takes at least one block more", actual=self.confirmations)

    def with_headers(self, headers: Headers) -> WorkRule:
        """Return the same rule with ancestors looked up elsewhere."""
        return replace(self, headers=headers)

    def validate_candidate(self, header: Header, parent: Header) -> None:
        """Check everything but the seal.

        Raises
        ------
        InvalidInput
            When the difficulty is not what the retargeting asks for, an ancestor that it needs is unknown,
            or a field of other engines is used.
        """
        difficulty, _ = parse_work_commitment(header.work_commitment)
        expect(difficulty, self.retarget.next_difficulty(parent, self.headers), "difficulty", header)
        expect(header.slot, 0, "slot", header)
        expect(header.seed, ZERO_HASH, "seed", header)
        expect(header.seed_proof, b"", "seed proof", header)
        expect(header.next_committee_hash, ZERO_HASH, "next committee hash", header)
        expect(header.parent_certificate_hash, ZERO_HASH, "parent certificate hash", header)

    def validate_header(self, header: Header, seal: bytes, parent: Header) -> None:
        """Check the header and that its nonce does the work.

        Raises
        ------
        InvalidInput
            When the seal is not 8 bytes or its work falls short; or as for :meth:`validate_candidate`.
        """
        if len(seal) != SEAL_BYTES:
            raise InvalidInput("the seal is a nonce of eight bytes", height=header.height, actual=len(seal))
        self.validate_candidate(header, parent)
        nonce = int.from_bytes(seal, "big")
        if not is_worked(header.hash, nonce, self.work(header), self.work_hash):
            raise InvalidInput("the nonce does not do the work", height=header.height, actual=nonce)

    def work(self, header: Header) -> int:
        """Return the difficulty, which is the number of hashes expected; 1 for genesis.

        Raises
        ------
        InvalidInput
            When another header commits to no work.
        """
        if not header.height:
            return 1
        return parse_work_commitment(header.work_commitment)[0]

    def validate_finality(self, header: Header, seal: bytes) -> None:
        """Check the headers that follow a block.

        They are enough when they are at least :attr:`confirmations` and add at least as many times the
        block's own work. How sure that makes its holder is a matter of the hash power that an attacker has:
        the proof shows work, and no proof of work excludes that a heavier branch turns up.

        Parameters
        ----------
        header
            The block's, validated already.
        seal
            In place of the seal, the proof: :func:`~chainstack_sdk.consensus.sealed.encode_branch` of the
            headers that follow, oldest first, at most 4,096.

        Raises
        ------
        InvalidInput
            When one of them is invalid, or they are too few or too light.
        """
        following = decode_branch(seal)
        if len(following) < self.confirmations:
            raise InvalidInput(
                "too few blocks follow",
                height=header.height,
                expected=self.confirmations,
                actual=len(following),
            )
        self._validate_branch(header, following)
        expected = self.confirmations * self.work(header)
        actual = sum(self.work(one.header) for one in following)
        if actual < expected:
            raise InvalidInput(
                "too little work follows", height=header.height, expected=expected, actual=actual
            )

    def _validate_branch(self, header: Header, following: Sequence[SealedHeader]) -> None:
        known = {header.hash: header}
        rule = self.with_headers(lambda block_hash: known.get(block_hash) or self.headers(block_hash))
        parent = header
        for one in following:
            validate_lineage(one.header, parent)
            rule.validate_header(one.header, one.seal, parent)
            parent = known[one.header.hash] = one.header


if TYPE_CHECKING:
    _header_rule: type[HeaderRule] = WorkRule
    _candidate_rule: type[CandidateRule] = WorkRule
    _finality_rule: type[FinalityRule] = WorkRule
