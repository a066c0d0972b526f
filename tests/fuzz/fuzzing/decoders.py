"""Targets: everything that turns bytes or text into values.

What was accepted must encode to the very same bytes again wherever the format has one encoding only.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import Any

from fuzzing import samples
from fuzzing.harness import Target, as_fields, as_json, as_rlp, as_text

from chainstack_sdk import Account, ChainConfig, UsageError
from chainstack_sdk.core import Block, Genesis, StateDiff, decode_header, decode_transaction
from chainstack_sdk.core.blocks import COMMITMENT_BYTES
from chainstack_sdk.core.chainfile import ChainReader
from chainstack_sdk.core.native.code import paradigm_code, parse_paradigm_code
from chainstack_sdk.core.receipts import decode_receipts, encode_receipt
from chainstack_sdk.core.transactions.access_list import decode_access_list, encode_access_list
from chainstack_sdk.core.trie.decode import decode_node, encode_node
from chainstack_sdk.primitives import (
    is_address,
    keccak256,
    rlp_decode,
    rlp_encode,
    rlp_list,
    split_list,
    to_address,
    to_checksum_address,
)
from chainstack_sdk.primitives.abi import (
    decode_abi,
    decode_revert,
    encode_abi,
    encode_revert,
    parse_signature,
)
from chainstack_sdk.primitives.abi.types import abi_type
from chainstack_sdk.primitives.rlp import decode_int
from chainstack_sdk.primitives.units import format_units, parse_units

BYTES_20, BYTES_32 = samples.ALICE.address, keccak256(b"32")


def same(actual: object, expected: object) -> None:
    if actual != expected:
        raise AssertionError(f"accepted, and encodes to something else: {actual!r}")


# RLP


def rlp_samples() -> list[bytes]:
    deep: Any = b"dog"
    for _ in range(70):
        deep = [deep]
    items = [
        b"",
        b"\x00",
        b"\x7f",
        b"\x80",
        b"cat" * 20,
        b"x" * 300,
        [],
        [[], [[]]],
        [b"a", [b"b" * 60]],
        deep,
    ]
    return [rlp_encode(item) for item in items]


def run_split_list(list_at: int, data: bytes) -> None:
    payloads, offsets = split_list(data, 0, list_at)
    same(offsets[-1], len(data))
    whole = rlp_list(part if at == list_at else rlp_encode(part) for at, part in enumerate(payloads))
    same(whole, data)


def run_decode_int(data: bytes) -> None:
    number = decode_int(data, 8)
    same(number.to_bytes((number.bit_length() + 7) // 8, "big"), data)


# ABI

ABI_SAMPLES: list[tuple[tuple[str, ...], list[tuple[Any, ...]]]] = [
    (("uint8", "int16", "bool", "address", "bytes4"), [(255, -2, True, BYTES_20, b"abcd")]),
    (("uint256", "int256", "bytes32"), [(2**256 - 1, -(2**255), BYTES_32)]),
    (("string",), [("",), ("text of more than thirty-two bytes: ä" * 3,)]),
    (("bytes", "uint256", "bytes"), [(b"", 1, b"x" * 33)]),
    (("uint256[]",), [([],), ([1, 2, 3],)]),
    (("address[2]", "bool[]"), [([BYTES_20, bytes(20)], [True, False])]),
    (("string[]", "bytes[2]"), [(["a", "", "b" * 40], [b"", b"c" * 32])]),
    (("(uint8,string)[]",), [([(1, "one"), (2, "two")],)]),
    (
        ("((address,uint256)[2],bytes)", "string[][]"),
        [((([(BYTES_20, 1)] * 2), b"z"), [["x"], [], ["y", "z"]])],
    ),
    (("uint8[3][2]", "uint256[2][]"), [([[1, 2, 3], [4, 5, 6]], [[7, 8], [9, 10]])]),
    (("uint256[][][]",), [([[[1], []], [], [[2, 3]]],)]),
    (("bytes1", "bytes31", "uint64[]", "string", "bool"), [(b"a", b"b" * 31, [1], "c", False)]),
]


def run_decode_abi(types: tuple[str, ...], data: bytes) -> None:
    values = decode_abi(types, data)
    encoded = encode_abi(types, values)
    same(decode_abi(types, encoded), values)
    if len(encoded) > len(data):
        raise AssertionError("more was decoded than there is")


FUNCTION = parse_signature("function f(address to, uint256[] amounts, bytes data) returns (bool, string)")
EVENT = parse_signature("event E(address indexed from, string indexed text, uint256 value, bytes data)")
ERROR = parse_signature("error Bad(address who, uint256 needed, string[] why)")
LOG = EVENT.encode(BYTES_20, "text", 5, b"data")
CUSTOM_REVERT = ERROR.encode(BYTES_20, 7, ["because", "of"])


def run_decode_revert(data: bytes) -> None:
    same(type(decode_revert(data, [ERROR])), str)


# The chain's formats


def run_transaction(raw: bytes) -> None:
    transaction = decode_transaction(raw)
    same(transaction.encode(), raw)
    same(transaction.hash, keccak256(raw))
    same(len(transaction.sender), 20)


def run_header(data: bytes) -> None:
    header = decode_header(data)
    same(header.encode(), data)
    same(len(header.commitment()), COMMITMENT_BYTES)
    same(header.hash, keccak256(header.commitment()))


def run_receipts(data: bytes) -> None:
    same(rlp_list(encode_receipt(receipt) for receipt in decode_receipts(data)), data)


def receipts() -> list[bytes]:
    chain = samples.story().chain
    return [
        rlp_list(encode_receipt(receipt) for receipt in chain.receipts(height))
        for height in range(chain.height + 1)
    ]


def diffs() -> list[bytes]:
    return [value for key, value in samples.stored_story(False).items() if key[:1] == b"d"]


def run_file(data: bytes) -> None:
    reader = ChainReader(BytesIO(data))
    blocks = []
    while (block := reader.next_block()) is not None:
        blocks.append(block)
    same(len(blocks), reader.height)
    same(data, samples.export())


def trie_nodes() -> list[bytes]:
    stored = [value for key, value in samples.stored_story(True).items() if key[:1] == b"n"]
    return [node for node in stored if len(node) < 300]


def paradigm_codes() -> list[bytes]:
    chain = samples.story().chain
    return [chain.code(address) for address in samples.story().contracts]


def run_paradigm_code(data: bytes) -> None:
    same(paradigm_code(*parse_paradigm_code(data)), data)


def round_trip(decode: Callable[[bytes], Any], encode: Callable[[Any], bytes]) -> Callable[[bytes], None]:
    """Return a run that demands the one encoding."""
    return lambda data: same(encode(decode(data)), data)


# Text of people


def run_address(value: Any) -> None:
    address = to_address(value)
    same(to_address(to_checksum_address(address)), address)
    same(is_address(value), True)


def run_config(text: str) -> None:
    config = ChainConfig.parse(text)
    genesis = config.genesis()
    same(Genesis.decode(genesis.encode()), genesis)
    same(ChainConfig.parse(config.model_dump_json()), config)


def run_config_fields(fields: Any) -> None:
    run_config(json.dumps(fields))


def run_key(secret: Any) -> None:
    same(len(Account.from_key(secret).secret_key), 32)


def run_units(text: str) -> None:
    same(parse_units(format_units(parse_units(text))), parse_units(text))


SIGNATURES = [
    "function transfer(address to, uint256 value) external returns (bool)",
    "event Transfer(address indexed from, address indexed to, uint256 value)",
    "error Bad(tuple(address who, uint8[3][] what)[] list, string memory why);",
    "constructor(string name, (uint256,bool) pair) payable",
]

TARGETS = [
    Target("rlp_decode", rlp_samples, round_trip(rlp_decode, rlp_encode), damage=as_rlp, share=9),
    Target(
        "split_list", lambda: [rlp_encode([b"", b"a", b"b" * 60])], partial(run_split_list, -1), damage=as_rlp
    ),
    Target(
        "split_list with a list",
        lambda: [rlp_encode([b"a", [b"b", []]])],
        partial(run_split_list, 1),
        damage=as_rlp,
    ),
    Target("decode_int", lambda: [b"", b"\1", b"\xff" * 8], run_decode_int),
    *[
        Target(
            f"decode_abi {','.join(types)}",
            lambda types=types, values=values: [encode_abi(types, each) for each in values],
            partial(run_decode_abi, types),
        )
        for types, values in ABI_SAMPLES
    ],
    Target(
        "Function.decode_input",
        lambda: [FUNCTION.encode_call(BYTES_20, [1, 2], b"x")[4:]],
        FUNCTION.decode_input,
    ),
    Target("Function.decode_output", lambda: [FUNCTION.encode_output((True, "x"))], FUNCTION.decode_output),
    Target(
        "Event.decode", lambda: [(list(LOG[0]), LOG[1])], lambda log: EVENT.decode(*log), damage=as_fields
    ),
    Target("ErrorType.decode", lambda: [CUSTOM_REVERT], ERROR.decode),
    Target(
        "decode_revert", lambda: [CUSTOM_REVERT, encode_revert("no"), b""], run_decode_revert, refusals=()
    ),
    Target("decode_transaction and sender", samples.transactions, run_transaction, damage=as_rlp, share=24),
    Target(
        "decode_access_list",
        lambda: [encode_access_list(((BYTES_20, (BYTES_32,) * 2), (bytes(20), ())))],
        round_trip(decode_access_list, encode_access_list),
        damage=as_rlp,
    ),
    Target(
        "decode_header",
        lambda: [samples.story().chain.block(height).header.encode() for height in range(5)],
        run_header,
        damage=as_rlp,
        share=9,
    ),
    Target(
        "Block.decode", samples.all_blocks, round_trip(Block.decode, Block.encode), damage=as_rlp, share=12
    ),
    Target("decode_receipts", receipts, run_receipts, damage=as_rlp, share=9),
    Target("StateDiff.decode", diffs, round_trip(StateDiff.decode, StateDiff.encode), damage=as_rlp, share=6),
    Target(
        "Genesis.decode",
        lambda: [samples.story().chain.blockchain.genesis.encode(), Genesis().encode()],
        round_trip(Genesis.decode, Genesis.encode),
        damage=as_rlp,
        share=6,
    ),
    Target("exported chain", lambda: [samples.export()], run_file, share=6),
    Target("decode_node", trie_nodes, round_trip(decode_node, encode_node), damage=as_rlp, share=6),
    Target("parse_paradigm_code", paradigm_codes, run_paradigm_code),
    Target(
        "to_address",
        lambda: [samples.ALICE.checksum_address, "0x" + "ab" * 20],
        run_address,
        refusals=(UsageError,),
        damage=as_text,
    ),
    Target("to_address of bytes", lambda: [BYTES_20], run_address, refusals=(UsageError,)),
    Target(
        "ChainConfig.parse",
        lambda: [samples.CONFIG.model_dump_json(), "{}"],
        run_config,
        refusals=(UsageError,),
        damage=as_text,
        share=6,
    ),
    Target(
        "ChainConfig.parse of fields",
        lambda: [json.loads(samples.CONFIG.model_dump_json())],
        run_config_fields,
        refusals=(UsageError,),
        damage=as_json,
        share=6,
    ),
    Target(
        "Account.from_key",
        lambda: [("0x" + "1f" * 32,), (b"\x1f" * 32,), (2**200,)],
        lambda secret: run_key(secret[0]),
        refusals=(UsageError,),
        damage=as_fields,
    ),
    Target(
        "parse_units", lambda: ["1.5", "0", "123456789.000000000000000001"], run_units, (UsageError,), as_text
    ),
    Target(
        "Account.from_mnemonic",
        lambda: ["test test test test test test test test test test test junk", "word " * 24],
        Account.from_mnemonic,
        (UsageError,),
        as_text,
        share=1,
    ),
    Target("parse_signature", lambda: SIGNATURES, parse_signature, (UsageError,), as_text, share=6),
    Target(
        "abi_type", lambda: ["uint256[3][]", "(address,(bool,bytes)[2])"], abi_type, (UsageError,), as_text
    ),
]
