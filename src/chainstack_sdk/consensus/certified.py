"""Following a committee chain: the rules for its headers, with or without a chain object.

A full node reads committees from the staking contract's storage. A light client starts from committees
that it trusts, those of genesis for instance, and learns each later one from a header that the committees
it knows have certified: :class:`KnownCommittees`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chainstack_sdk.consensus.bft.validators import ValidatorSet
    from chainstack_sdk.consensus.terms import CommitteeTerms
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.interfaces import CandidateRule, FinalityRule, HeaderRule


class Committees(Protocol):
    """Knows the committees of some slots."""

    def at(self, slot: int) -> ValidatorSet:
        """Return the committee of a slot.

        Raises
        ------
        InvalidInput
            When it is not known: not fixed yet, or forgotten.
        """
        ...


class CommitteeRule:
    """Header, candidate and finality rule of a committee chain; needs no chain object.

    Parameters
    ----------
    terms
        What the chain's members agree on.
    committees
        Who certifies.
    """

    def __init__(self, terms: CommitteeTerms, committees: Committees) -> None:
        self._terms = terms
        self._committees = committees

    def validate_candidate(self, header: Header, parent: Header) -> None:
        """Check slot, seed and the difficulty committed to: all of a header but its seal.

        Raises
        ------
        InvalidInput
            When one of them is wrong.
        """
        self._terms.validate_slot(header)
        self._terms.validate_seed(header, parent, self._committees.at(parent.slot))
        if self._terms.work is not None:
            self._terms.work.validate_candidate(header, parent)

    def validate_header(self, header: Header, seal: bytes, parent: Header) -> None:
        """Check a header and all of its seal: certificate, proof of randomness, work.

        Raises
        ------
        InvalidInput
            When anything is wrong.
        """
        self.validate_candidate(header, parent)
        self._terms.open_seal(header, seal, self._committees.at(header.slot), parent.seed)

    def validate_finality(self, header: Header, seal: bytes) -> None:
        """Check that the committee of the header's slot has certified it.

        That alone makes it final. The seed and the work of a certified header are its committee's to judge.

        Raises
        ------
        InvalidInput
            When it has not, or the committee is not known.
        """
        self._terms.validate_certified(header, seal, self._committees.at(header.slot))

    def work(self, header: Header) -> int:
        """Return the expected hashes of a header's work, or 1 where a chain asks for none; 1 for genesis."""
        if self._terms.work is None or header.height == 0:
            return 1
        return self._terms.work.difficulty(header)

    def is_right(self, header: Header, proposer: bytes, proof: bytes) -> bool:
        """Tell whether a proposer may add these bytes to its proposal of a block.

        They are to be its proof of verifiable randomness, 80 bytes, over the seed of the block's header.
        """
        try:
            committee = self._committees.at(header.slot)
        except InvalidInput:
            return False
        return self._terms.is_seed_proof(header, committee, proposer, proof)


class KnownCommittees:
    """The committees that a light client trusts or has learnt.

    Parameters
    ----------
    terms
        What the chain's members agree on.
    trusted
        Committees by slot, such as those of slots 0 and 1 from the genesis. To go on from there, two
        slots that follow each other are needed.
    """

    def __init__(self, terms: CommitteeTerms, trusted: Mapping[int, ValidatorSet]) -> None:
        self._terms = terms
        self._known = dict(trusted)

    def at(self, slot: int) -> ValidatorSet:
        """Return the committee of a slot.

        Raises
        ------
        InvalidInput
            When it is not known.
        """
        committee = self._known.get(slot)
        if committee is None:
            raise InvalidInput("the committee of this slot is not known", slot=slot)
        return committee

    def advance(self, header: Header, seal: bytes, committee: ValidatorSet) -> int:
        """Learn the newest committee that a final header fixes, and return its slot.

        Within a slot that is the next slot's committee, in its last header the one after.

        Parameters
        ----------
        header, seal
            Certified by a committee that is known.
        committee
            The one that the header commits to, from anywhere.

        Raises
        ------
        InvalidInput
            When the header is not final by what is known, or commits to another committee. Nothing has
            been learnt then.
        """
        self._terms.validate_certified(header, seal, self.at(header.slot))
        if committee.hash != header.next_committee_hash:
            raise InvalidInput(
                "the header commits to another committee",
                height=header.height,
                expected=header.next_committee_hash,
                actual=committee.hash,
            )
        slot = self._terms.schedule.newest_fixed(header.height)
        self._known[slot] = committee
        return slot


if TYPE_CHECKING:
    _header_rule: type[HeaderRule] = CommitteeRule
    _candidate_rule: type[CandidateRule] = CommitteeRule
    _finality_rule: type[FinalityRule] = CommitteeRule
    _committees: type[Committees] = KnownCommittees
