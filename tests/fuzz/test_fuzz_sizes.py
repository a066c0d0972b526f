"""Large and deep inputs, and small ones that claim to be large: time and memory stay in proportion."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from functools import cache
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from fuzzing import samples
from fuzzing.harness import MAX_SECONDS
from fuzzing.mutation import nested_lists

from chainstack_sdk import Account, Chain, ChainConfig, ChainStackError, InvalidInput, UsageError
from chainstack_sdk.apps.jsonrpc import JsonRpc
from chainstack_sdk.core import (
    BinaryMerkleProof,
    Block,
    Genesis,
    MountainRangeProof,
    StateDiff,
    decode_header,
    decode_transaction,
    verify_proof,
)
from chainstack_sdk.core.receipts import decode_receipts
from chainstack_sdk.core.transactions.access_list import decode_access_list
from chainstack_sdk.machines.standard import Disclosure
from chainstack_sdk.primitives import keccak256, rlp_bytes, rlp_decode, rlp_list, split_list, to_address
from chainstack_sdk.primitives.abi import decode_abi, decode_revert, encode_revert, parse_signature
from chainstack_sdk.primitives.abi.types import abi_type
from chainstack_sdk.primitives.units import parse_units

SMALL_CLAIM_MEMORY = 64 * 1024
"""Bytes that decoding an input of a few bytes may take."""
MEMORY_PER_BYTE = 100
"""Bytes that decoding may take for each byte of a large input; an empty list, one byte of RLP, takes 64."""
LARGE, MEDIUM = 15_000, 4_000

DECODERS: dict[str, Callable[[bytes], Any]] = {
    "rlp_decode": rlp_decode,
    "split_list": lambda data: split_list(data, 0),
    "decode_transaction": decode_transaction,
    "typed decode_transaction": lambda data: decode_transaction(b"\x02" + data),
    "decode_access_list": decode_access_list,
    "decode_header": decode_header,
    "Block.decode": Block.decode,
    "decode_receipts": decode_receipts,
    "StateDiff.decode": StateDiff.decode,
    "Genesis.decode": Genesis.decode,
    "BinaryMerkleProof.from_bytes": BinaryMerkleProof.from_bytes,
    "MountainRangeProof.from_bytes": MountainRangeProof.from_bytes,
    "Disclosure.from_bytes": Disclosure.from_bytes,
    "verify_proof": lambda data: verify_proof(keccak256(data), bytes(32), [data]),
    "decode_abi of arrays": lambda data: decode_abi(["uint256[][]", "bytes"], data),
    "decode_abi of structs": lambda data: decode_abi(["(bytes,string)[]"], data),
    "decode_abi of fixed arrays": lambda data: decode_abi(
        ["uint8[999999999][999999999]", "string[99999999]"], data
    ),
    "decode_revert": lambda data: decode_revert(encode_revert("")[:4] + data),
}

CLAIMS = {
    "string of 4 GiB": b"\xbb\xff\xff\xff\xff",
    "string of 16 EiB": b"\xbf" + b"\xff" * 8,
    "list of 4 GiB": b"\xfb\xff\xff\xff\xff",
    "list of 16 EiB": b"\xff" * 9,
    "list of 16 EiB in a list": rlp_list([b"\xff" * 9]),
    "array of 2**256 - 1": (64).to_bytes(32, "big") + (96).to_bytes(32, "big") + b"\xff" * 64,
    "array of 2**24": (64).to_bytes(32, "big") * 2 + (2**24).to_bytes(32, "big") * 4,
    "proof of 255 levels": bytes(8) + b"\xff",
    "history of 2**63 - 1": bytes(8) + (2**63 - 1).to_bytes(8, "big"),
}


@cache
def large_inputs(size: int) -> dict[str, bytes]:
    """Return inputs of about so many bytes that are as much work as possible for some decoder."""
    pairs = [rlp_list([rlp_bytes(number.to_bytes(20, "big")), b"\1"]) for number in range(size // 23)]
    words = size // 64
    one_tail = (
        [(64).to_bytes(32, "big")] * 2
        + [words.to_bytes(32, "big")]
        + [(32 * words).to_bytes(32, "big")] * words
    )
    return {
        "zeros": bytes(size),
        "ones": b"\xff" * size,
        "empty lists": rlp_list([b"\xc0"] * size),
        "empty strings": rlp_list([b"\x80"] * size),
        "lists in lists": nested_lists(size // 4),
        "pairs": rlp_list(pairs),
        "one string": rlp_bytes(b"x" * size),
        "in four lists": rlp_list([rlp_list([b"\xc2\x01\x02"] * (size // 12))] * 4),
        "offsets that all point at one tail": b"".join(one_tail) + bytes(size // 2),
        "offsets that point at themselves": (32).to_bytes(32, "big") * (size // 32),
    }


def attempt(decode: Callable[[bytes], Any], data: bytes) -> None:
    """Decode; the outcome is success or InvalidInput."""
    text = ""
    try:
        decode(data)
    except InvalidInput as refusal:
        text = str(refusal)
    assert len(text) < 2_000


def memory_of(decode: Callable[[bytes], Any], data: bytes) -> int:
    """Return how many bytes decoding takes at most at one time."""
    tracemalloc.start()
    try:
        attempt(decode, data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("decoder", DECODERS)
def test_claims_cost_nothing(decoder: str) -> None:
    for claim in CLAIMS.values():
        assert memory_of(DECODERS[decoder], claim) < SMALL_CLAIM_MEMORY


@pytest.mark.parametrize("decoder", DECODERS)
def test_time_of_large_inputs(decoder: str) -> None:
    for data in large_inputs(LARGE).values():
        start = process_time()
        attempt(DECODERS[decoder], data)
        assert process_time() - start < MAX_SECONDS


@pytest.mark.parametrize("decoder", DECODERS)
def test_memory_of_large_inputs(decoder: str) -> None:
    for data in large_inputs(MEDIUM).values():
        assert memory_of(DECODERS[decoder], data) < SMALL_CLAIM_MEMORY + len(data) * MEMORY_PER_BYTE


@pytest.mark.parametrize("size", [2**30, 2**30 + 1, 2**32 - 1])
def test_a_file_that_claims_a_gigabyte(size: int, tmp_path: Path) -> None:
    path = tmp_path / "chain"
    path.write_bytes(samples.export()[:19] + size.to_bytes(4, "big") + b"short")
    tracemalloc.start()
    try:
        with pytest.raises(InvalidInput):
            Chain.load(path)
        assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
    finally:
        tracemalloc.stop()


TEXTS: dict[str, tuple[Callable[[str], Any], list[str]]] = {
    "ChainConfig.parse": (
        ChainConfig.parse,
        [
            "[" * LARGE,
            '{"a":' * LARGE,
            '{"gas_limit": ' + "9" * LARGE + "}",
            '{"funds": {"' + "f" * LARGE + '": 1}}',
        ],
    ),
    "parse_signature": (
        parse_signature,
        ["(" * LARGE, "function f(" + "(" * LARGE, "function f(uint8" + "[]" * MEDIUM, "a " * LARGE],
    ),
    "abi_type": (
        abi_type,
        ["(" * LARGE, "uint8" + "[]" * LARGE, "(" * 40 + "bool" + ")" * 40, "uint" + "9" * LARGE],
    ),
    "to_address": (to_address, ["0x" * LARGE]),
    "parse_units": (parse_units, ["9" * LARGE, "0." + "0" * LARGE]),
    "Account.from_key": (Account.from_key, ["f" * LARGE, "9" * LARGE]),
}


@pytest.mark.parametrize("name", TEXTS)
def test_long_texts(name: str) -> None:
    parse, texts = TEXTS[name]
    for text in texts:
        start = process_time()
        with pytest.raises(UsageError) as refusal:
            parse(text)
        assert process_time() - start < MAX_SECONDS
        assert len(str(refusal.value)) < 2 * LARGE


@pytest.mark.parametrize(
    "text",
    ["[" * LARGE, '{"a":' * LARGE, "9" * LARGE, '{"id": ' + "9" * 5000 + "}", "[" + "{}," * 9999 + "0]"],
)
def test_long_requests(text: str) -> None:
    start = process_time()
    assert b"error" in JsonRpc(samples.story().chain).handle_bytes(text.encode())
    assert process_time() - start < MAX_SECONDS


def test_a_large_transaction_is_admitted_or_refused_in_time() -> None:
    """A hundred times the usual size: as much data, or as long an access list, as a block has gas for."""
    story, start = samples.tell(Chain.in_memory(config=samples.CONFIG, auto_seal=True)), process_time()
    chain = story.chain
    entries = [(number.to_bytes(20, "big"), [number.to_bytes(32, "big")]) for number in range(5_000)]
    for fields in ({"data": b"\x01" * LARGE}, {"access_list": entries}):
        transaction = samples.sign(
            samples.ALICE, chain.next_nonce(samples.ALICE), to=story.token.address, gas=30_000_000, **fields
        )
        try:
            chain.send(transaction.raw)
        except ChainStackError as refusal:
            pytest.fail(str(refusal))
        receipt_of = chain.seal().transactions[-1].hash
        assert chain.receipt(receipt_of).status == 0
    assert process_time() - start < 2 * MAX_SECONDS
