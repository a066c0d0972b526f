"""Byzantine fault tolerant consensus: what engines with a voting committee are built around."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives import _lazy

if TYPE_CHECKING:
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
else:
    __getattr__, __dir__ = _lazy.exports(
        __name__,
        {
            "MAX_EXTRA": "messages",
            "NIL": "messages",
            "BftCore": "engine",
            "Certificate": "certificate",
            "CertificateRule": "certificate",
            "Evidence": "evidence",
            "FixedMembership": "validators",
            "Membership": "validators",
            "Proposal": "messages",
            "Record": "record",
            "RoundState": "round",
            "Scheme": "scheme",
            "Secp256k1Scheme": "scheme",
            "SignedMessage": "messages",
            "SignedProposal": "messages",
            "SignedVote": "messages",
            "Step": "round",
            "TimeoutKind": "round",
            "Validator": "validators",
            "ValidatorSet": "validators",
            "Vote": "messages",
            "VoteKeeper": "votes",
            "VoteKind": "messages",
            "culprits": "evidence",
            "decode_message": "messages",
            "rotation": "validators",
            "validate_certificate": "certificate",
            "validate_evidence": "evidence",
        },
    )

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
