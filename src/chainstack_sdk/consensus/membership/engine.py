"""PBFT among members: the engine "pbft", and the rule by which others check its blocks.

The seal of a block is the certificate of its committee, and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft import CertificateRule, rotation
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainstack_sdk.consensus.bft import BftCore, Membership, Scheme, ValidatorSet
    from chainstack_sdk.consensus.staking.slots import SlotSchedule
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.engine import EngineInput, EngineOutput
    from chainstack_sdk.core.interfaces import CandidateRule, ConsensusEngine, FinalityRule, HeaderRule


class MembersOfSlots:
    """The membership of a chain whose committees change with its slots.

    Parameters
    ----------
    schedule
        The slots.
    committee
        Returns the committee of a slot, or None when it is not known.
    """

    def __init__(self, schedule: SlotSchedule, committee: Callable[[int], ValidatorSet | None]) -> None:
        self._schedule = schedule
        self._committee = committee

    def validators(self, height: int) -> ValidatorSet:
        """Return the committee of a height's slot.

        Raises
        ------
        UsageError
            When it is not known yet, or no longer.
        """
        slot = self._schedule.slot_of(height)
        committee = self._committee(slot)
        if committee is None:
            raise UsageError("the committee of this slot is not known", slot=slot, height=height)
        return committee

    def proposer(self, height: int, round: int) -> bytes:
        """Return the member whose turn it is to propose."""
        return rotation(self.validators(height), height, round)


class PbftRule(CertificateRule):
    """Header and finality rule of "pbft".

    Parameters
    ----------
    chain_id
        The chain whose blocks are certified.
    schedule
        The slots.
    membership
        Who validates each height.
    scheme
        Checks signatures.
    has_extra_data
        Whether headers may have extra data, which the chain's rules give a meaning.
    """

    def __init__(
        self,
        chain_id: int,
        schedule: SlotSchedule,
        membership: Membership,
        scheme: Scheme,
        *,
        has_extra_data: bool = False,
    ) -> None:
        super().__init__(chain_id, membership, scheme)
        self._schedule = schedule
        self._has_extra_data = has_extra_data

    def validate_header(self, header: Header, seal: bytes, parent: Header) -> None:
        """Check the header's slot, that it claims no seed or work, and its certificate."""
        self.validate_candidate(header, parent)
        self.validate_finality(header, seal)

    def validate_candidate(self, header: Header, parent: Header) -> None:
        """Check the header's slot, and that it claims no seed or work.

        Raises
        ------
        InvalidInput
            When it names another slot, or has extra fields that this engine does not use.
        """
        slot = self._schedule.slot_of(header.height)
        if header.slot != slot:
            raise InvalidInput("wrong slot", height=header.height, expected=slot, actual=header.slot)
        extra_data = b"" if self._has_extra_data else header.extra_data
        unused = (header.seed_proof, header.work_commitment, extra_data)
        if any(unused) or any(header.seed) or any(header.parent_certificate_hash):
            raise InvalidInput("a field that this engine does not use is not empty", height=header.height)


class PbftEngine:
    """Members agree on one block after another.

    Parameters
    ----------
    core
        The votes.
    rule
        By which others check the blocks.
    """

    name = "pbft"

    def __init__(self, core: BftCore, rule: PbftRule) -> None:
        self.core = core
        self._rule = rule

    @property
    def header_rule(self) -> PbftRule:
        """The rule by which headers are checked."""
        return self._rule

    @property
    def finality_rule(self) -> PbftRule:
        """The rule by which finality is checked."""
        return self._rule

    @property
    def last_seal(self) -> bytes:
        """The certificate of the block decided last, with every precommit known by now."""
        return self.core.last_seal

    def resend(self) -> tuple[bytes, ...]:
        """Return the messages of this height that another node may lack."""
        return self.core.resend()

    def process(self, event: EngineInput) -> tuple[EngineOutput, ...]:
        """Take one input and return what the host is to do, in order."""
        return self.core.process(event)


if TYPE_CHECKING:
    _engine: type[ConsensusEngine] = PbftEngine
    _header_rule: type[HeaderRule] = PbftRule
    _finality_rule: type[FinalityRule] = PbftRule
    _candidate_rule: type[CandidateRule] = PbftRule
