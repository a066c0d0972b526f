"""Arbitrary bytes, RLP and ABI words, text and JSON into everything that decodes, by hypothesis."""

from __future__ import annotations

from contextlib import suppress

import pytest
from fuzzing import decoders, entrances, rpc, verifiers
from fuzzing.harness import Target
from fuzzing.mutation import STRANGE_TEXTS, WORDS
from hypothesis import given
from hypothesis import strategies as st

from chainstack_sdk.primitives import rlp_encode

ALL = (*decoders.TARGETS, *verifiers.TARGETS, *entrances.TARGETS, *rpc.TARGETS)
OF_BYTES = [target for target in ALL if isinstance(target.samples()[0], bytes)]
OF_TEXT = [target for target in ALL if isinstance(target.samples()[0], str)]
(REQUESTS,) = (target for target in rpc.TARGETS if isinstance(target.samples()[0], dict))

strings = st.one_of(st.binary(max_size=40), st.sampled_from([b"", bytes(20), bytes(32), b"\1", b"\x80"]))
items = st.recursive(strings, lambda inner: st.lists(inner, max_size=12), max_leaves=40)
words = st.lists(
    st.one_of(st.sampled_from(WORDS), st.integers(0, 300), st.integers(0, 2**256 - 1)), max_size=12
)
data = st.one_of(
    st.binary(max_size=300),
    items.map(rlp_encode),
    items.map(lambda item: b"\x02" + rlp_encode(item)),
    words.map(lambda numbers: b"".join(number.to_bytes(32, "big") for number in numbers)),
)
texts = st.one_of(st.text(max_size=80), st.lists(st.sampled_from(STRANGE_TEXTS), max_size=4).map("".join))
json_values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), texts, st.binary(max_size=40).map(bytes.hex)
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=10,
)
requests = st.builds(
    lambda method, params, number: {"jsonrpc": "2.0", "id": number, "method": method, "params": params},
    st.sampled_from([request["method"] for request in rpc.requests()[:-1]]),
    st.lists(json_values, max_size=4),
    st.one_of(st.integers(), texts, st.none()),
)


def offer(target: Target, value: object) -> None:
    """Hand the value over; only a refusal may come out."""
    with suppress(*target.refusals):
        target.run(value)


@pytest.mark.parametrize("part", range(4))
def test_arbitrary_bytes(part: int) -> None:
    @given(st.sampled_from(OF_BYTES[part::4]), data)
    def check(target: Target, value: bytes) -> None:
        offer(target, value)

    check()


@given(st.sampled_from(OF_TEXT), texts)
def test_arbitrary_text(target: Target, text: str) -> None:
    offer(target, text)


@given(st.one_of(json_values, requests))
def test_arbitrary_requests(request: object) -> None:
    offer(REQUESTS, request)


def test_every_kind_of_input_has_targets() -> None:
    assert (len(OF_BYTES) > 35, len(OF_TEXT) > 5) == (True, True)
