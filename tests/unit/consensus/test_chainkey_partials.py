"""The collector of partial signatures: one check when all is well, and nobody can spoil the result."""

from __future__ import annotations

from collections import Counter

import pytest

from chainstack_sdk.consensus.chainkey import partials
from chainstack_sdk.consensus.chainkey.partials import Collector
from chainstack_sdk.consensus.chainkey.polynomial import PublicPolynomial, SecretPolynomial
from chainstack_sdk.primitives.bls import BEACON_DOMAIN, FINALITY_DOMAIN, sign, verify
from chainstack_sdk.primitives.errors import InvariantBroken

SECRET = SecretPolynomial.from_seed(b"partials" * 4, 3)
PUBLIC = SECRET.public()
MESSAGE = b"m" * 32
PARTS = {place: sign(SECRET.at(place), MESSAGE, FINALITY_DOMAIN) for place in range(1, 6)}
WRONG = [
    sign(SECRET.at(9), MESSAGE, FINALITY_DOMAIN),
    sign(SECRET.at(1), MESSAGE, BEACON_DOMAIN),
    sign(SECRET.at(1), b"other", FINALITY_DOMAIN),
    bytes(48),
    b"",
    b"\xc0" + bytes(47),
    b"\xff" * 48,
]


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count checks of pairings: of the result, and of single parts."""
    counted: Counter[str] = Counter()

    def counting(key: bytes, message: bytes, signature: bytes, domain: bytes) -> bool:
        counted["result" if key == PUBLIC.key else "part"] += 1
        return verify(key, message, signature, domain)

    monkeypatch.setattr(partials, "is_signed", counting)
    return counted


def collector() -> Collector:
    return Collector(PUBLIC, MESSAGE, FINALITY_DOMAIN)


def test_the_threshold_of_right_parts_is_enough_and_takes_one_check(checks: Counter[str]) -> None:
    one = collector()
    assert not one.add(4, PARTS[4])
    assert not one.add(4, PARTS[4])
    assert not one.add(1, PARTS[1])
    assert one.signature == b""
    assert one.add(5, PARTS[5])
    assert one.signature == sign(SECRET.at(0), MESSAGE, FINALITY_DOMAIN)
    assert checks == {"result": 1}
    assert one.add(2, b"too late to matter")
    assert one.culprits == ()


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_part_is_found_and_its_place_remembered(wrong: bytes, checks: Counter[str]) -> None:
    one = collector()
    one.add(1, wrong)
    one.add(2, PARTS[2])
    assert not one.add(3, PARTS[3])
    assert one.culprits == (1,)
    assert not one.add(1, PARTS[1]), "a place has one chance"
    assert one.add(4, PARTS[4])
    assert verify(PUBLIC.key, MESSAGE, one.signature, FINALITY_DOMAIN)
    assert checks["part"] == 3
    assert checks["result"] <= 2


def test_wrong_parts_that_come_with_enough_right_ones() -> None:
    """The first three fail together; of five, three remain."""
    one = collector()
    one.add(1, WRONG[0])
    one.add(2, WRONG[0])
    assert not one.add(3, PARTS[3])
    assert one.culprits == (1, 2)
    assert not one.add(4, PARTS[4])
    assert one.add(5, PARTS[5])


def test_of_two_different_parts_for_a_place_the_right_one_stays(checks: Counter[str]) -> None:
    one = collector()
    one.add(1, PARTS[1])
    one.add(1, WRONG[0])
    assert checks == {"part": 1}
    one.add(1, WRONG[1])
    assert checks == {"part": 1}, "settled"
    two = collector()
    two.add(2, WRONG[0])
    two.add(2, PARTS[2])
    assert checks == {"part": 3}
    assert two.culprits == ()
    two.add(3, WRONG[0])
    two.add(3, WRONG[1])
    assert checks == {"part": 5}
    assert two.culprits == (3,)
    two.add(4, PARTS[4])
    assert two.add(5, PARTS[5])


def test_parts_that_cancel_each_other_are_no_signature() -> None:
    """Two wrong parts whose errors cancel give the right result: that harms nobody."""
    shifted = SecretPolynomial([SECRET.coefficients[0], 7, *SECRET.coefficients[2:]])
    one = collector()
    for place in (1, 2):
        assert not one.add(place, sign(shifted.at(place), MESSAGE, FINALITY_DOMAIN))
    assert one.add(3, sign(shifted.at(3), MESSAGE, FINALITY_DOMAIN))
    assert one.signature == sign(SECRET.at(0), MESSAGE, FINALITY_DOMAIN)


def test_a_polynomial_that_contradicts_itself_is_a_bug() -> None:
    class Broken(PublicPolynomial):
        @property
        def key(self) -> bytes:
            return PUBLIC.at(7)

    one = Collector(Broken(PUBLIC.points), MESSAGE, FINALITY_DOMAIN)
    one.add(1, PARTS[1])
    one.add(2, PARTS[2])
    with pytest.raises(InvariantBroken):
        one.add(3, PARTS[3])
