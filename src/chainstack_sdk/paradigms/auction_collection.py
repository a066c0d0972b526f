"""What an auction platform does with the collection it is bound to, through the ERC-721 ABI only.

A collection may be any contract. What it answers counts only in the form that ERC-721 gives it; a question
that it refuses, as ``ownerOf`` for a token that was destroyed, is a "no". After a transfer the platform looks
whether the token has gone where it should.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chainstack_sdk.paradigms.erc721 import Erc721

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call

_ERC721_ID: Final = bytes.fromhex("80ac58cd")
_WORD = 32
_TRUE = 1
_SUPPORTS = Erc721.abi_function("supportsInterface")
_OWNER_OF = Erc721.abi_function("ownerOf")
_GET_APPROVED = Erc721.abi_function("getApproved")
_IS_APPROVED_FOR_ALL = Erc721.abi_function("isApprovedForAll")
_TRANSFER_FROM = Erc721.abi_function("transferFrom")
_SAFE_TRANSFER_FROM = Erc721.abi_function("safeTransferFrom(address,address,uint256)")


def is_collection(call: Call, address: bytes) -> bool:
    """Tell whether a contract says that it is an ERC-721 collection (ERC-165)."""
    return _ask(call, address, _SUPPORTS.encode_call(_ERC721_ID)) == _TRUE


def belongs_to(call: Call, collection: bytes, token_id: int, owner: bytes) -> bool:
    """Tell whether an account owns a token."""
    return _ask(call, collection, _OWNER_OF.encode_call(token_id)) == int.from_bytes(owner, "big")


def may_move(call: Call, collection: bytes, token_id: int, owner: bytes) -> bool:
    """Tell whether the calling contract has the right to trade a token of an owner."""
    mine = int.from_bytes(call.address, "big")
    if _ask(call, collection, _GET_APPROVED.encode_call(token_id)) == mine:
        return True
    return _ask(call, collection, _IS_APPROVED_FOR_ALL.encode_call(owner, call.address)) == _TRUE


def hand_over(call: Call, collection: bytes, token_id: int, owner: bytes, to: bytes) -> bool:
    """Give a token to a buyer, who, if it is a contract, must take it; tell whether it left its owner.

    Raises
    ------
    Reverted
        When the collection or the buyer refuses.
    """
    call.call(collection, _SAFE_TRANSFER_FROM.encode_call(owner, to, token_id))
    return not belongs_to(call, collection, token_id, owner)


def move(call: Call, collection: bytes, token_id: int, owner: bytes, to: bytes) -> bool:
    """Give a token away without asking who gets it; tell whether it arrived.

    Raises
    ------
    Reverted
        When the collection refuses.
    """
    call.call(collection, _TRANSFER_FROM.encode_call(owner, to, token_id))
    return belongs_to(call, collection, token_id, to)


def _ask(call: Call, collection: bytes, question: bytes) -> int | None:
    done, answer = call.try_call(collection, question)
    return int.from_bytes(answer, "big") if done and len(answer) == _WORD else None
