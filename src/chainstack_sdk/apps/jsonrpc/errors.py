"""Errors as JSON-RPC has them: a number, a sentence, sometimes data.

The numbers are those of JSON-RPC 2.0 and EIP-1474; 3 and the sentences are geth's, by which clients
recognise what happened (ethers and viem match words, web3.py looks at number and data).
"""

from __future__ import annotations

from typing import Any

from chainstack_sdk.core.environment import OutOfGas
from chainstack_sdk.primitives.errors import ChainStackError, InvalidInput, Rejected, Reverted, UsageError

PARSE_ERROR = -32700
"""The text is not JSON."""
INVALID_REQUEST = -32600
"""The JSON is not a request."""
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
SERVER_ERROR = -32000
"""The request is understood and cannot be fulfilled; refused transactions too."""
RESOURCE_NOT_FOUND = -32001
"""A block that the request builds on is not there."""
EXECUTION_REVERTED = 3
"""A contract refused; ``data`` is the revert data."""

ANSWERED = (InvalidInput, Rejected, Reverted, UsageError)
"""What may go wrong without being a bug. Anything else is one, and leaves the library as an exception."""

_REFUSALS = {
    "nonce_too_low": "nonce too low",
    "nonce_too_high": "nonce too high",
    "insufficient_funds": "insufficient funds for gas * price + value",
    "fee_too_low": "max fee per gas less than block base fee",
    "intrinsic_gas": "intrinsic gas too low",
    "gas_limit": "exceeds block gas limit",
    "wrong_chain": "invalid chain id for signer",
    "already_known": "already known",
    "underpriced": "replacement transaction underpriced",
    "pool_full": "txpool is full",
    "unsupported": "transaction type not supported",
}
"""geth's words for the codes of :class:`~chainstack_sdk.primitives.errors.Rejected`."""


class RpcError(ChainStackError):
    """A request that cannot be fulfilled, with the number to answer; never leaves this package.

    Parameters
    ----------
    message
        One sentence for a person.
    code
        One of the numbers above.
    """

    def __init__(self, message: str, *, code: int) -> None:
        self.code = code
        super().__init__(message)


def error_object(error: ChainStackError) -> dict[str, Any]:
    """Return an error as the ``error`` member of a response."""
    if isinstance(error, RpcError):
        return {"code": error.code, "message": error.message}
    if isinstance(error, OutOfGas):
        return {"code": SERVER_ERROR, "message": "out of gas"}
    if isinstance(error, Reverted):
        message = f"execution reverted: {error.message}"
        return {"code": EXECUTION_REVERTED, "message": message, "data": "0x" + error.data.hex()}
    if isinstance(error, Rejected) and error.code in _REFUSALS:
        return {"code": SERVER_ERROR, "message": f"{_REFUSALS[error.code]}: {error}"}
    return {"code": SERVER_ERROR, "message": str(error)}
