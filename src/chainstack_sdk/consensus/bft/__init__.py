"""Byzantine fault tolerant consensus: what engines with a voting committee are built around."""

from chainstack_sdk.consensus.bft.certificate import Certificate, CertificateRule, validate_certificate
from chainstack_sdk.consensus.bft.engine import BftCore
from chainstack_sdk.consensus.bft.evidence import Evidence, culprits, validate_evidence
from chainstack_sdk.consensus.bft.messages import (
    MAX_EXTRA,
    NIL,
    Proposal,
    SignedMessage,
    SignedProposal,
    SignedVote,
    Vote,
    VoteKind,
    decode_message,
)
from chainstack_sdk.consensus.bft.record import Record
from chainstack_sdk.consensus.bft.round import RoundState, Step, TimeoutKind
from chainstack_sdk.consensus.bft.scheme import Scheme, Secp256k1Scheme
from chainstack_sdk.consensus.bft.validators import (
    FixedMembership,
    Membership,
    Validator,
    ValidatorSet,
    rotation,
)
from chainstack_sdk.consensus.bft.votes import VoteKeeper

__all__ = [
    "MAX_EXTRA",
    "NIL",
    "BftCore",
    "Certificate",
    "CertificateRule",
    "Evidence",
    "FixedMembership",
    "Membership",
    "Proposal",
    "Record",
    "RoundState",
    "Scheme",
    "Secp256k1Scheme",
    "SignedMessage",
    "SignedProposal",
    "SignedVote",
    "Step",
    "TimeoutKind",
    "Validator",
    "ValidatorSet",
    "Vote",
    "VoteKeeper",
    "VoteKind",
    "culprits",
    "decode_message",
    "rotation",
    "validate_certificate",
    "validate_evidence",
]
