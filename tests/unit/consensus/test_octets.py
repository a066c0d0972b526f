"""Arguments of a fixed width."""

from __future__ import annotations

import pytest

from chainstack_sdk.consensus.octets import exact_bytes, uint_bytes
from chainstack_sdk.primitives.errors import UsageError


def test_integers_are_big_endian_and_padded() -> None:
    assert uint_bytes(0, 2, "index") == b"\0\0"
    assert uint_bytes(0x0102, 4, "round") == b"\0\0\1\2"
    assert uint_bytes(2**64 - 1, 8, "height") == b"\xff" * 8


@pytest.mark.parametrize("value", [-1, 2**16])
def test_integers_out_of_range_are_refused(value: int) -> None:
    with pytest.raises(UsageError, match="the index does not fit into 2 bytes"):
        uint_bytes(value, 2, "index")


def test_a_length_is_demanded_and_the_value_not_repeated() -> None:
    assert exact_bytes(b"ab", 2, "pair") == b"ab"
    for bad in (b"", b"abc"):
        with pytest.raises(UsageError, match="the pair has another length") as caught:
            exact_bytes(bad, 2, "pair")
        assert "0x" not in str(caught.value)
