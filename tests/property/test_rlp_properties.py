"""RLP against pyrlp: the same encodings, the same refusals."""

import itertools

import rlp as oracle
from hypothesis import given
from hypothesis import strategies as st

from chainstack_sdk.primitives import InvalidInput, rlp_decode, rlp_encode, rlp_list, split_list

strings = st.one_of(
    st.binary(max_size=70), st.integers(0, 1 << 16).map(lambda n: n.to_bytes(3, "big").lstrip(b"\0"))
)
items = st.recursive(strings, lambda inner: st.lists(inner, max_size=8), max_leaves=40)


@st.composite
def nearly_valid(draw):
    """Return an encoding with a few bytes changed, cut off or added."""
    data = bytearray(rlp_encode(draw(items)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return bytes(data)


def outcome(decode, data, refusals):
    try:
        return decode(data)
    except refusals:
        return "refused"


@given(items)
def test_encodings_are_the_oracles(item):
    encoded = rlp_encode(item)
    assert encoded == oracle.encode(item)
    assert rlp_decode(encoded) == item


@given(st.one_of(st.binary(max_size=40), nearly_valid()))
def test_arbitrary_bytes_decode_as_the_oracle_says(data):
    ours = outcome(rlp_decode, data, InvalidInput)
    assert ours == outcome(oracle.decode, data, oracle.DecodingError)
    if ours != "refused":
        assert rlp_encode(ours) == data  # there is one encoding of each item


@given(st.one_of(st.binary(max_size=60), nearly_valid(), st.lists(strings).map(rlp_encode)))
def test_split_list_accepts_exactly_flat_lists(data):
    item = outcome(rlp_decode, data, InvalidInput)
    flat = isinstance(item, list) and all(isinstance(member, bytes) for member in item)
    split = outcome(lambda d: split_list(d, 0), data, InvalidInput)
    assert split == ("refused" if not flat else (item, split[1]))


@given(st.lists(strings, max_size=5), items, st.lists(strings, max_size=5), st.binary(max_size=3))
def test_split_list_with_a_list_inside(before, inner, after, prefix):
    raw = rlp_encode(inner)
    parts = [rlp_encode(s) for s in before] + [raw] + [rlp_encode(s) for s in after]
    data = prefix + rlp_list(parts)
    split = outcome(lambda d: split_list(d, len(prefix), len(before)), data, InvalidInput)
    if isinstance(inner, list):
        payloads, offsets = split
        assert payloads == [*before, raw, *after]
        assert [data[a:b] for a, b in itertools.pairwise(offsets)] == parts
    else:
        assert split == "refused"
