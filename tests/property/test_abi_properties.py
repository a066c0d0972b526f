"""The ABI codec against eth-abi.

The encodings must be equal. Our decoder is stricter than eth-abi's in one respect: parts of the data may
not overlap. Whatever ours accepts, eth-abi must accept and read alike; what eth-abi accepts and ours
refuses must be an overlap.
"""

import eth_abi
import eth_abi.exceptions
from hypothesis import given
from hypothesis import strategies as st

from chainstack_sdk.primitives import InvalidInput, codec, decode_revert, parse_signature

sizes = st.integers(1, 32)
words = st.one_of(
    sizes.map(lambda n: f"uint{8 * n}"),
    sizes.map(lambda n: f"int{8 * n}"),
    sizes.map(lambda n: f"bytes{n}"),
    st.sampled_from(["address", "bool"]),
)


def compound(inner):
    return st.one_of(
        inner.map(lambda t: f"{t}[]"),
        st.builds(lambda t, k: f"{t}[{k}]", inner, st.integers(1, 3)),
        st.lists(inner, min_size=1, max_size=3).map(lambda ts: f"({','.join(ts)})"),
    )


types = st.recursive(st.one_of(words, st.sampled_from(["bytes", "string"])), compound, max_leaves=5)


def values_of(kind):
    """Return a strategy of the values of a type, as our codec gives them."""
    if kind.endswith("[]"):
        return st.lists(values_of(kind[:-2]), max_size=3).map(tuple)
    if kind.endswith("]"):
        element, _, count = kind[:-1].rpartition("[")
        return st.tuples(*[values_of(element)] * int(count))
    if kind.startswith("("):
        return st.tuples(*[values_of(part) for part in split(kind)])
    if kind.startswith("uint"):
        return st.integers(0, 2 ** int(kind[4:]) - 1)
    if kind.startswith("int"):
        return st.integers(-(2 ** (int(kind[3:]) - 1)), 2 ** (int(kind[3:]) - 1) - 1)
    if kind == "bool":
        return st.booleans()
    if kind == "string":
        return st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
    size = {"bytes": None, "address": 20}.get(kind, int(kind[5:] or 0) if kind.startswith("bytes") else 0)
    return st.binary(max_size=70) if size is None else st.binary(min_size=size, max_size=size)


def split(kind):
    return [part.to_type_str() for part in eth_abi.grammar.parse(kind).components]


def as_ours(kind, value):
    """Return eth-abi's value as our codec gives it: addresses as bytes."""
    if kind.endswith("]"):
        element = kind[: kind.rindex("[")]
        return tuple(as_ours(element, member) for member in value)
    if kind.startswith("("):
        return tuple(as_ours(part, member) for part, member in zip(split(kind), value, strict=True))
    return bytes.fromhex(value[2:]) if kind == "address" else value


@st.composite
def typed_values(draw):
    kinds = tuple(draw(st.lists(types, max_size=4)))
    return kinds, tuple(draw(values_of(kind)) for kind in kinds)


@st.composite
def typed_data(draw):
    """Return types and data that is arbitrary, or an encoding of these types with a few words changed."""
    kinds, values = draw(typed_values())
    if draw(st.booleans()):
        return kinds, draw(st.binary(max_size=300))
    data = bytearray(codec(kinds).encode(values))
    for _ in range(draw(st.integers(0, 2))):
        at = 32 * draw(st.integers(0, len(data) // 32))
        small = draw(st.integers(0, 12)) * 32 + draw(st.sampled_from([0, 0, 0, 1, 31]))
        data[at : at + 32] = draw(st.sampled_from([small.to_bytes(32, "big"), b"\xff" * 32, b"", bytes(5)]))
    return kinds, bytes(data)


@given(typed_values())
def test_encodings_are_the_oracles(example):
    kinds, values = example
    data = codec(kinds).encode(values)
    assert data == eth_abi.encode(kinds, values)
    assert codec(kinds).decode(data) == values


@given(typed_data())
def test_arbitrary_data_decodes_as_the_oracle_says(example):
    kinds, data = example
    try:
        ours = codec(kinds).decode(data)
    except InvalidInput as refusal:
        ours = refusal
    try:
        decoded = eth_abi.decode(kinds, data)
        oracle = tuple(as_ours(kind, value) for kind, value in zip(kinds, decoded, strict=True))
    except (eth_abi.exceptions.DecodingError, UnicodeDecodeError, OverflowError) as refusal:
        oracle = refusal
    if isinstance(ours, InvalidInput):
        assert isinstance(oracle, Exception) or "overlapping" in ours.message, (ours, oracle)
    else:
        assert ours == oracle


ERRORS = [parse_signature("error A(string, uint8[])"), parse_signature("error B(address, bytes4)")]
selectors = st.sampled_from(
    [bytes.fromhex("08c379a0"), bytes.fromhex("4e487b71"), *[e.selector for e in ERRORS]]
)


@given(st.one_of(st.binary(), st.builds(lambda s, d: s + d, selectors, st.binary(max_size=200))))
def test_any_revert_data_has_a_reason(data):
    assert isinstance(decode_revert(data, ERRORS), str)


@given(typed_values())
def test_topics_of_indexed_values(example):
    """Whatever the type, an indexed value is one word, and words are read back."""
    kinds, values = example
    for kind, value in zip(kinds, values, strict=True):
        event = parse_signature(f"event E({kind} indexed a)")
        topics, data = event.encode(value)
        assert [len(topic) for topic in topics] == [32, 32]
        hashed = kind.endswith(("]", ")")) or kind in ("bytes", "string")
        assert event.decode(topics, data)["a"] == (topics[1] if hashed else value)
