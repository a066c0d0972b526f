"""The RLP vectors of ethereum/tests, valid and invalid; see tests/vectors/README.md."""

import json
from pathlib import Path

import pytest

from chainstack_sdk.primitives import InvalidInput, rlp_decode, rlp_encode

VECTORS = Path(__file__).parent.parent / "vectors"
VALID = json.loads((VECTORS / "rlp_rlptest.json").read_text())
INVALID = json.loads((VECTORS / "rlp_invalidRLPTest.json").read_text())


def item_of(value):
    """Text is its bytes; '#' begins an integer too large for JSON."""
    if isinstance(value, list):
        return [item_of(member) for member in value]
    if isinstance(value, str):
        return int(value[1:]) if value.startswith("#") else value.encode()
    return value


def decoded_form(item):
    """Return the item as decoding gives it, with integers as their big-endian bytes."""
    if isinstance(item, list):
        return [decoded_form(member) for member in item]
    if isinstance(item, int):
        return item.to_bytes((item.bit_length() + 7) // 8, "big")
    return item


@pytest.mark.parametrize("name", sorted(VALID))
def test_valid(name):
    item = item_of(VALID[name]["in"])
    encoded = bytes.fromhex(VALID[name]["out"].removeprefix("0x"))
    assert rlp_encode(item) == encoded
    assert rlp_decode(encoded) == decoded_form(item)


@pytest.mark.parametrize("name", sorted(INVALID))
def test_invalid(name):
    with pytest.raises(InvalidInput):
        rlp_decode(bytes.fromhex(INVALID[name]["out"].removeprefix("0x")))


def test_all_vectors_are_there():
    assert (len(VALID), len(INVALID)) == (28, 26)
