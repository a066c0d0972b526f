"""Asking a contract whether it takes a token, so that none is sent where nobody can move it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.environment import OutOfGas
from chainstack_sdk.primitives.abi import Function, Param
from chainstack_sdk.primitives.errors import Reverted

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call

ON_RECEIVED = Function(
    "onERC721Received",
    (
        Param("address", "operator"),
        Param("address", "from"),
        Param("uint256", "tokenId"),
        Param("bytes", "data"),
    ),
    (Param("bytes4"),),
)
"""What a contract must have to receive ERC-721 tokens safely; it returns its own selector."""


def accepts(call: Call, sender: bytes, to: bytes, token_id: int, data: bytes) -> bool:
    """Tell whether a recipient takes an ERC-721 token that it has just got.

    An account takes everything. A contract is called and must return the selector of
    :data:`ON_RECEIVED`.

    Parameters
    ----------
    call
        The token contract's; its caller is the operator that the recipient is told of.
    sender
        Who owned the token before; the zero address for a new one.

    Raises
    ------
    Reverted
        When the recipient refuses and says why; that a contract has no such function says nothing.
    """
    if not call.is_contract(to):
        return True
    try:
        answer = call.call(to, ON_RECEIVED.encode_call(call.caller, sender, token_id, data))
    except OutOfGas:
        raise
    except Reverted as refusal:
        if refusal.data:
            raise
        return False
    return answer == ON_RECEIVED.selector.ljust(32, b"\0")
