from __future__ import annotations

import pytest

from chainstack_sdk.apps.jsonrpc.errors import RpcError, error_object
from chainstack_sdk.core.environment import OutOfGas
from chainstack_sdk.primitives.abi import encode_revert
from chainstack_sdk.primitives.errors import InvalidInput, Rejected, Reverted, UsageError

CASES = [
    (RpcError("block not found", code=-32001), {"code": -32001, "message": "block not found"}),
    (OutOfGas(), {"code": -32000, "message": "out of gas"}),
    (
        Reverted("closed", data=encode_revert("closed")),
        {
            "code": 3,
            "message": "execution reverted: closed",
            "data": "0x" + encode_revert("closed").hex(),
        },
    ),
    (
        Reverted("no such function"),
        {"code": 3, "message": "execution reverted: no such function", "data": "0x"},
    ),
    (
        Rejected("below", code="nonce_too_low", expected=3, actual=2),
        {"code": -32000, "message": "nonce too low: below (expected 3, actual 2)"},
    ),
    (Rejected("a rule of its own", code="strange"), {"code": -32000, "message": "a rule of its own"}),
    (
        UsageError("the state has been pruned", height=3),
        {"code": -32000, "message": "the state has been pruned (height 3)"},
    ),
    (InvalidInput("malformed"), {"code": -32000, "message": "malformed"}),
]


@pytest.mark.parametrize(("error", "expected"), CASES, ids=lambda value: type(value).__name__)
def test_errors_as_objects(error, expected) -> None:
    assert error_object(error) == expected
