from decimal import Decimal

import pytest

from chainstack_sdk.primitives import UsageError, ether, format_units, gwei, parse_units, wei


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (0, 0),
        (1, 10**18),
        (10**30, 10**48),
        ("1", 10**18),
        ("0.5", 5 * 10**17),
        (".5", 5 * 10**17),
        ("2.", 2 * 10**18),
        ("1.000000000000000001", 10**18 + 1),
        ("0.1000000000000000000000", 10**17),
        ("007", 7 * 10**18),
        (Decimal("1.25"), 125 * 10**16),
        (Decimal("1E+3"), 10**21),
        (Decimal("1E-18"), 1),
    ],
)
def test_ether(amount, expected):
    assert ether(amount) == expected


def test_other_units():
    assert gwei("1.5") == 1_500_000_000
    assert gwei(30) == 30 * 10**9
    assert wei("1500") == wei(1500) == 1500
    assert parse_units("12.34", 2) == 1234
    assert parse_units("12", 0) == 12


@pytest.mark.parametrize(
    "amount",
    [
        1.0,
        True,
        None,
        b"1",
        -1,
        "-1",
        "",
        ".",
        "1e18",
        "1.2.3",
        " 1",
        "1_000",
        "\N{ARABIC-INDIC DIGIT ONE}",
        "1" * 5000,
        "0.0000000000000000001",
        Decimal("-1"),
        Decimal("NaN"),
        Decimal("Infinity"),
        Decimal("1E-19"),
        Decimal("1E+999999"),
        Decimal("1E-999999"),
    ],
)
def test_refused(amount):
    with pytest.raises(UsageError):
        ether(amount)


def test_a_unit_has_no_negative_digits():
    with pytest.raises(UsageError):
        parse_units(1, -1)
    with pytest.raises(UsageError):
        format_units(1, -1)


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (0, 18, "0"),
        (1, 18, "0.000000000000000001"),
        (10**18, 18, "1"),
        (125 * 10**16, 18, "1.25"),
        (-5 * 10**17, 18, "-0.5"),
        (1234, 2, "12.34"),
        (1200, 2, "12"),
        (100, 0, "100"),
    ],
)
def test_format(value, decimals, text):
    assert format_units(value, decimals) == text
