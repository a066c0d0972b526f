"""The contract ABI: how calls, results, events and errors are encoded, and how they are declared.

Our own codec, because decoding is part of consensus: which bytes a node accepts decides the state root.
"""

from chainstack_sdk.primitives.abi.codec import Codec, codec, decode_abi, encode_abi
from chainstack_sdk.primitives.abi.entries import Constructor, ErrorType, Event, Function, Param
from chainstack_sdk.primitives.abi.revert import ERROR_SELECTOR, PANIC_SELECTOR, decode_revert, encode_revert
from chainstack_sdk.primitives.abi.signature import parse_abi, parse_signature

__all__ = [
    "ERROR_SELECTOR",
    "PANIC_SELECTOR",
    "Codec",
    "Constructor",
    "ErrorType",
    "Event",
    "Function",
    "Param",
    "codec",
    "decode_abi",
    "decode_revert",
    "encode_abi",
    "encode_revert",
    "parse_abi",
    "parse_signature",
]
