"""Certificates: their bytes, and one good one with everything about it broken in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
from bft_kit import CHAIN, FOUR, PRECOMMIT, A, B, precommit, who

from chainstack_sdk.consensus.bft.certificate import Certificate, CertificateRule, validate_certificate
from chainstack_sdk.consensus.bft.messages import NIL, Vote, VoteKind
from chainstack_sdk.consensus.bft.scheme import Secp256k1Scheme
from chainstack_sdk.consensus.bft.validators import FixedMembership, Validator, ValidatorSet
from chainstack_sdk.core.genesis import Genesis
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keys import Account, N

ACCOUNTS = sorted((Account.from_key(number) for number in range(1, 6)), key=lambda account: account.address)
VALIDATORS = ValidatorSet(Validator(account.address, 10) for account in ACCOUNTS[:4])
HEIGHT, ROUND = 9, 2


def signatures(*signers: int, **changes: Any) -> tuple[tuple[int, bytes], ...]:
    """Return precommits of accounts, some fields of which may be others."""
    chain_id = changes.pop("chain_id", CHAIN)
    digest = replace(Vote(PRECOMMIT, HEIGHT, ROUND, A), **changes).digest(chain_id)
    return tuple((index, ACCOUNTS[index].sign(digest)) for index in signers)


GOOD = Certificate(ROUND, signatures(0, 1, 3))


def validate(certificate: Certificate = GOOD, **changes: Any) -> tuple[bytes, ...]:
    asked: dict[str, Any] = {
        "chain_id": CHAIN,
        "height": HEIGHT,
        "block_hash": A,
        "validators": VALIDATORS,
        "scheme": Secp256k1Scheme(),
    }
    return validate_certificate(certificate, **(asked | changes))


def test_a_good_one_names_its_signers_in_order() -> None:
    assert validate() == tuple(ACCOUNTS[index].address for index in (0, 1, 3))
    assert len(validate(Certificate(ROUND, signatures(0, 1, 2, 3)))) == 4


def test_the_encoding() -> None:
    encoded = GOOD.encode()
    expected = bytes.fromhex("00000002 01 0b") + b"".join(signature for _, signature in GOOD.signatures)
    assert encoded == expected
    assert Certificate.decode(encoded) == GOOD
    far = Certificate(0, ((0, b"\1" * 65), (1023, b"\2" * 65)))
    assert far.encode()[:6] == bytes.fromhex("00000000 80 01")
    assert Certificate.decode(far.encode()) == far


def test_made_of_votes() -> None:
    votes = {who(index): precommit(index, A, ROUND) for index in (3, 0, 2)}
    made = Certificate.of(ROUND, votes, FOUR)
    assert made == Certificate(ROUND, tuple((index, votes[who(index)].signature) for index in (0, 2, 3)))


def malleated(signature: bytes) -> bytes:
    s = N - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([signature[64] ^ 1])


def with_signature(change: Callable[[bytes], bytes]) -> Certificate:
    (first, signature), *rest = GOOD.signatures
    return Certificate(ROUND, ((first, change(signature)), *rest))


def test_the_right_weight_counts_not_the_number() -> None:
    heavy = ValidatorSet(
        Validator(member.address, weight)
        for member, weight in zip(VALIDATORS.members, (10, 1, 1, 1), strict=True)
    )
    assert validate(Certificate(ROUND, signatures(0)), validators=heavy) == (ACCOUNTS[0].address,)
    with pytest.raises(InvalidInput, match="more than 2/3"):
        validate(Certificate(ROUND, signatures(1, 2, 3)), validators=heavy)


@pytest.mark.parametrize(
    ("name", "broken", "told"),
    [
        ("below quorum", lambda: validate(Certificate(ROUND, signatures(0, 1))), "more than 2/3"),
        ("wrong height", lambda: validate(height=HEIGHT + 1), "not its validator's"),
        ("wrong block", lambda: validate(block_hash=B), "not its validator's"),
        ("no block", lambda: validate(block_hash=NIL), "for a block"),
        ("wrong chain", lambda: validate(chain_id=CHAIN + 1), "not its validator's"),
        ("wrong round", lambda: validate(replace(GOOD, round=ROUND + 1)), "not its validator's"),
        (
            "prevotes",
            lambda: validate(Certificate(ROUND, signatures(0, 1, 2, kind=VoteKind.PREVOTE))),
            "not its validator's",
        ),
        (
            "a foreign signature",
            lambda: validate(Certificate(ROUND, (*signatures(0, 1), (2, signatures(4)[0][1])))),
            "not its validator's",
        ),
        (
            "a foreign index",
            lambda: validate(Certificate(ROUND, signatures(0, 1, 2, 4))),
            "not there",
        ),
        (
            "one validator's signature twice",
            lambda: validate(Certificate(ROUND, (*signatures(0, 1), (2, signatures(1)[0][1])))),
            "not its validator's",
        ),
        (
            "signatures in each other's place",
            lambda: validate(
                Certificate(ROUND, ((0, signatures(1)[0][1]), (1, signatures(0)[0][1]), *signatures(2)))
            ),
            "not its validator's",
        ),
        ("a malleated signature", lambda: validate(with_signature(malleated)), "not its validator's"),
        (
            "v as wallets write it",
            lambda: validate(with_signature(lambda good: good[:64] + bytes([good[64] + 27]))),
            "not its validator's",
        ),
        (
            "a bad one beyond a quorum",
            lambda: validate(Certificate(ROUND, (*signatures(0, 1, 2), (3, bytes(65))))),
            "not its validator's",
        ),
    ],
)
def test_what_certifies_nothing(name: str, broken: Callable[[], object], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        broken()


@pytest.mark.parametrize(
    "made",
    [
        (0, ()),
        (0, ((1, bytes(65)), (1, bytes(65)))),
        (0, ((1, bytes(65)), (0, bytes(65)))),
        (0, ((-1, bytes(65)),)),
        (0, ((1024, bytes(65)),)),
        (0, ((0, bytes(64)),)),
        (-1, ((0, bytes(65)),)),
        (2**32, ((0, bytes(65)),)),
    ],
)
def test_what_cannot_be_made(made: tuple[int, tuple[tuple[int, bytes], ...]]) -> None:
    with pytest.raises(InvalidInput):
        Certificate(*made)


ENCODED = GOOD.encode()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("nothing", b""),
        ("only a round", ENCODED[:4]),
        ("no bitmap", ENCODED[:4] + b"\0"),
        ("a cut bitmap", ENCODED[:4] + b"\2\1"),
        ("a bitmap with a zero at its end", ENCODED[:4] + b"\2\x0b\0" + ENCODED[6:]),
        ("an empty bitmap", ENCODED[:4] + b"\1\0"),
        ("a signature too few", ENCODED[:-65]),
        ("a cut signature", ENCODED[:-1]),
        ("more bytes", ENCODED + b"\0"),
        ("an index beyond all sets", ENCODED[:4] + b"\x81" + bytes(128) + b"\1" + bytes(65)),
    ],
)
def test_what_is_no_certificate(name: str, data: bytes) -> None:
    with pytest.raises(InvalidInput):
        Certificate.decode(data)


class Batching(Secp256k1Scheme):
    """Notes how it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []

    def signers(self, requests: Iterable[tuple[bytes, bytes]]) -> list[bytes | None]:
        listed = list(requests)
        self.batches.append(len(listed))
        return super().signers(listed)


def test_all_signatures_are_checked_in_one_call_and_the_cheap_first() -> None:
    scheme = Batching()
    validate(scheme=scheme)
    assert scheme.batches == [3]
    with pytest.raises(InvalidInput):
        validate(Certificate(ROUND, signatures(0, 1)), scheme=scheme)
    assert scheme.batches == [3]


class TestRule:
    """The rule by which others check headers, without a chain object."""

    header = replace(Genesis().header(bytes(32)), height=HEIGHT, chain_id=CHAIN)
    seal = Certificate(ROUND, signatures(0, 1, 2, block_hash=header.hash)).encode()

    def rule(self) -> CertificateRule:
        return CertificateRule(CHAIN, FixedMembership(VALIDATORS), Secp256k1Scheme())

    def test_a_certified_header(self) -> None:
        rule = self.rule()
        rule.validate_header(self.header, self.seal, self.header)
        rule.validate_finality(self.header, self.seal)
        assert rule.work(self.header) == 1

    @pytest.mark.parametrize("seal", [b"", seal[:-65], seal[:-1] + bytes([seal[-1] ^ 1]), ENCODED])
    def test_seals_that_are_not_its(self, seal: bytes) -> None:
        with pytest.raises(InvalidInput):
            self.rule().validate_header(self.header, seal, self.header)

    def test_another_header(self) -> None:
        with pytest.raises(InvalidInput, match="not its validator's"):
            self.rule().validate_finality(replace(self.header, gas_used=1), self.seal)

    def test_another_chain(self) -> None:
        with pytest.raises(InvalidInput, match="another chain's"):
            self.rule().validate_finality(replace(self.header, chain_id=CHAIN + 1), self.seal)

    def test_validators_that_are_not_known_yet(self) -> None:
        class Later(FixedMembership):
            def validators(self, height: int) -> ValidatorSet:
                raise UsageError("not yet", height=height)

        rule = CertificateRule(CHAIN, Later(VALIDATORS), Secp256k1Scheme())
        with pytest.raises(InvalidInput, match="not known yet"):
            rule.validate_finality(self.header, self.seal)
