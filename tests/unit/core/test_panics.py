import pytest

from chainstack_sdk.core.panics import DIVISION_BY_ZERO, OVERFLOW, checked, panic
from chainstack_sdk.primitives.abi import Param, encode_abi
from chainstack_sdk.primitives.errors import Reverted, UsageError


@pytest.mark.parametrize(("code", "words"), [(OVERFLOW, "overflow"), (DIVISION_BY_ZERO, "division by zero")])
def test_a_panic_says_what_solidity_says(code, words):
    refusal = panic(code)
    assert refusal.data.hex() == f"4e487b71{code:064x}"
    assert words in refusal.message


def encode(types, values):
    return checked([Param(name) for name in types], values, lambda: encode_abi(types, values))


def test_what_fits_is_encoded():
    assert encode(["uint8", "int8"], [255, -128]) == (255).to_bytes(32, "big") + b"\xff" * 31 + b"\x80"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("uint256", -1),
        ("uint256", 1 << 256),
        ("uint8", 256),
        ("int256", 1 << 255),
        ("int256", -(1 << 255) - 1),
        ("int8", 128),
        ("int8", -129),
    ],
)
def test_numbers_out_of_range_panic(name, value):
    with pytest.raises(Reverted) as caught:
        encode(["bool", name], [True, value])
    assert caught.value.data == panic(OVERFLOW).data


@pytest.mark.parametrize(
    ("types", "values"),
    [
        (["uint256"], ["1"]),
        (["uint256"], [True]),
        (["bool"], [1 << 256]),
        (["address"], [1 << 256]),
        (["bytes"], [5]),
        (["uint256"], []),
        (["uint256"], [1, 2]),
    ],
)
def test_other_mistakes_are_the_contracts(types, values):
    with pytest.raises(UsageError):
        encode(types, values)
