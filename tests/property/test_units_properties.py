from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from chainstack_sdk.primitives import format_units, parse_units


@given(st.integers(0, 2**256 - 1), st.integers(0, 40))
def test_parse_inverts_format(value, decimals):
    text = format_units(value, decimals)
    assert parse_units(text, decimals) == value
    assert parse_units(Decimal(text), decimals) == value
    assert format_units(-value, decimals) == ("-" + text if value else "0")
