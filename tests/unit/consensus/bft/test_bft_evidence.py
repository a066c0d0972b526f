"""Evidence against one validator, and against those behind a fork."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from bft_kit import CHAIN, PRECOMMIT, PREVOTE, A, B, precommit, prevote, proposal

from chainstack_sdk.consensus.bft.certificate import Certificate
from chainstack_sdk.consensus.bft.evidence import Evidence, culprits, validate_evidence
from chainstack_sdk.consensus.bft.messages import NIL, Proposal, SignedMessage, Vote, attach
from chainstack_sdk.consensus.bft.scheme import Secp256k1Scheme
from chainstack_sdk.consensus.bft.validators import Validator, ValidatorSet
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keys import Account

ACCOUNTS = sorted((Account.from_key(number) for number in range(1, 5)), key=lambda account: account.address)
VALIDATORS = ValidatorSet(Validator(account.address, 1) for account in ACCOUNTS)
ALICE = ACCOUNTS[0]


def signed(message: Vote | Proposal, account: Account = ALICE, chain_id: int = CHAIN) -> SignedMessage:
    return attach(message, account.address, account.sign(message.digest(chain_id)))


PAIRS: list[tuple[str, int, Vote | Proposal, Vote | Proposal]] = [
    ("two prevotes", 1, Vote(PREVOTE, 5, 2, A), Vote(PREVOTE, 5, 2, B)),
    ("a prevote and one for nil", 1, Vote(PREVOTE, 5, 2, A), Vote(PREVOTE, 5, 2, NIL)),
    ("two precommits", 2, Vote(PRECOMMIT, 5, 2, A), Vote(PRECOMMIT, 5, 2, B)),
    ("two blocks", 3, Proposal(5, 2, A), Proposal(5, 2, B)),
    ("two valid rounds", 3, Proposal(5, 2, A, 0), Proposal(5, 2, A, 1)),
    ("two extras", 3, Proposal(5, 2, A, -1, b"x"), Proposal(5, 2, A, -1, b"yy")),
]


@pytest.mark.parametrize(("name", "kind", "one", "other"), PAIRS)
def test_pairs_that_prove_a_fault(name: str, kind: int, one: Vote | Proposal, other: Vote | Proposal) -> None:
    evidence = Evidence.of(signed(one), signed(other))
    assert evidence == Evidence.of(signed(other), signed(one))
    assert (evidence.kind, evidence.height, evidence.round) == (kind, 5, 2)
    assert evidence.validator == ALICE.address
    assert Evidence.decode(evidence.encode()) == evidence
    assert validate_evidence(evidence, CHAIN, Secp256k1Scheme()) == ALICE.address


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("the same vote", prevote(0, A), prevote(0, A)),
        ("two kinds", prevote(0, A), precommit(0, B)),
        ("a vote and a proposal", prevote(0, A), proposal(0, B)),
        ("two validators", prevote(0, A), prevote(1, B)),
        ("two rounds", prevote(0, A), prevote(0, B, round=1)),
        ("two heights", prevote(0, A), prevote(0, B, height=2)),
    ],
)
def test_pairs_that_prove_nothing(name: str, one: SignedMessage, other: SignedMessage) -> None:
    with pytest.raises(InvalidInput, match="exclude"):
        Evidence.of(one, other)


def test_one_vote_with_two_signatures_proves_nothing() -> None:
    vote = Vote(PREVOTE, 5, 2, A)
    with pytest.raises(InvalidInput, match="exclude"):
        Evidence.of(signed(vote), attach(vote, ALICE.address, bytes(65)))


def test_the_order_is_fixed() -> None:
    made = Evidence.of(prevote(0, A), prevote(0, B))
    with pytest.raises(InvalidInput, match="ordered"):
        Evidence(made.second, made.first)
    data = made.encode()
    with pytest.raises(InvalidInput, match="ordered"):
        Evidence.decode(data[:2] + data[132:] + data[2:132])


GOOD = Evidence.of(prevote(0, A), prevote(0, B)).encode()


@pytest.mark.parametrize(
    "data", [b"", b"\0", GOOD[:-1], GOOD + b"\0", b"\0\0" + GOOD[2:], b"\xff\xff" + GOOD[2:], GOOD[:132]]
)
def test_what_is_no_evidence(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        Evidence.decode(data)


def test_forged_accusations() -> None:
    one, other = Vote(PREVOTE, 5, 2, A), Vote(PREVOTE, 5, 2, B)
    bob = ACCOUNTS[1]
    forged = attach(other, ALICE.address, bob.sign(other.digest(CHAIN)))
    for second in (forged, signed(other, chain_id=CHAIN + 1), attach(other, ALICE.address, bytes(65))):
        with pytest.raises(InvalidInput, match="not signed by the accused"):
            validate_evidence(Evidence.of(signed(one), second), CHAIN, Secp256k1Scheme())
    with pytest.raises(InvalidInput, match="not signed by the accused"):
        validate_evidence(Evidence.of(signed(one), signed(other)), CHAIN + 1, Secp256k1Scheme())


def certified(block: bytes, round_: int, *signers: int) -> Certificate:
    digest = Vote(PRECOMMIT, 5, round_, block).digest(CHAIN)
    return Certificate(round_, tuple((index, ACCOUNTS[index].sign(digest)) for index in signers))


def fork(first: Certificate, second: Certificate, second_hash: bytes = B) -> tuple[bytes, ...]:
    return culprits(
        first,
        A,
        second,
        second_hash,
        chain_id=CHAIN,
        height=5,
        validators=VALIDATORS,
        scheme=Secp256k1Scheme(),
    )


@pytest.mark.parametrize("round_", [0, 3])
def test_a_fork_names_more_than_a_third(round_: int) -> None:
    named = fork(certified(A, 0, 0, 1, 2), certified(B, round_, 1, 2, 3))
    assert named == (ACCOUNTS[1].address, ACCOUNTS[2].address)
    assert VALIDATORS.exceeds_third(sum(map(VALIDATORS.weight_of, named)))


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("one block", lambda: fork(certified(A, 0, 0, 1, 2), certified(A, 1, 1, 2, 3), A)),
        ("too few", lambda: fork(certified(A, 0, 0, 1, 2), certified(B, 0, 2, 3))),
        ("not for that block", lambda: fork(certified(A, 0, 0, 1, 2), certified(A, 0, 1, 2, 3))),
    ],
)
def test_what_is_no_fork(name: str, broken: Callable[[], object]) -> None:
    with pytest.raises(InvalidInput):
        broken()
