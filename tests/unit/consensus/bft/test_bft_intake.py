"""Which messages are believed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bft_kit import CHAIN, FOUR, A, TrustingScheme, prevote, proposal, signature_of

from chainstack_sdk.consensus.bft.intake import Intake
from chainstack_sdk.consensus.bft.messages import SignedMessage, SignedProposal
from chainstack_sdk.consensus.bft.scheme import Secp256k1Scheme
from chainstack_sdk.consensus.bft.validators import FixedMembership
from chainstack_sdk.primitives.keys import Account

INTAKE = Intake(CHAIN, FixedMembership(FOUR), TrustingScheme(), None)


@pytest.mark.parametrize(
    ("name", "message", "expected"),
    [
        ("a validator's vote", prevote(0, A), True),
        ("nobody's vote", prevote(7, A), False),
        ("the proposer's proposal", proposal(1, A), True),
        ("a proposal out of turn", proposal(2, A), False),
        ("whose turn it is depends on the round", proposal(2, A, 1), True),
        ("and on the height", proposal(2, A, height=2), True),
        ("nobody's proposal", proposal(7, A), False),
    ],
)
def test_who_may_speak(name: str, message: SignedMessage, expected: bool) -> None:
    assert INTAKE.is_entitled(message, FOUR) is expected


def test_signatures_bind_the_chain() -> None:
    account = Account.from_key(5)
    vote = replace(prevote(0, A), validator=account.address)
    real = replace(vote, signature=account.sign(vote.vote.digest(CHAIN)))
    membership, scheme = FixedMembership(FOUR), Secp256k1Scheme()
    assert Intake(CHAIN, membership, scheme, None).is_signed(real)
    assert not Intake(CHAIN + 1, membership, scheme, None).is_signed(real)
    assert not Intake(CHAIN, membership, scheme, None).is_signed(replace(real, signature=signature_of(0)))
    assert not Intake(CHAIN, membership, scheme, None).is_signed(replace(real, validator=bytes(20)))


def test_the_further_condition_is_on_proposals_only() -> None:
    def never(message: SignedProposal) -> bool:
        return False

    strict = Intake(CHAIN, FixedMembership(FOUR), TrustingScheme(), never)
    assert strict.is_acceptable(prevote(0, A))
    assert not strict.is_acceptable(proposal(1, A))
    assert INTAKE.is_acceptable(proposal(1, A))
