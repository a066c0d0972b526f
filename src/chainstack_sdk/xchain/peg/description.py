"""Asking tokens what they are and what they are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from chainstack_sdk.paradigms.erc20 import Erc20
from chainstack_sdk.paradigms.erc721 import Erc721
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.xchain.custody import AssetKind
from chainstack_sdk.xchain.peg.storage import load_coin_name
from chainstack_sdk.xchain.peg.transfer import MAX_NAME, MAX_SYMBOL, Metadata, cut

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call
    from chainstack_sdk.primitives.abi import Function
    from chainstack_sdk.xchain.custody import Asset

COIN_DECIMALS: Final = 18
"""A coin is shown in units of 10^18 wei."""
_COLLECTION = bytes.fromhex("80ac58cd")  # ERC-165 identifier of ERC-721
_SUPPORTS = Erc721.abi_function("supportsInterface")
_NAME = Erc20.abi_function("name")
_SYMBOL = Erc20.abi_function("symbol")
_DECIMALS = Erc20.abi_function("decimals")
_TOKEN_URI = Erc721.abi_function("tokenURI")


def is_collection(call: Call, token: bytes) -> bool:
    """Tell whether a contract says of itself that it is an ERC-721 collection (ERC-165)."""
    return bool(_ask(call, token, _SUPPORTS, False, _COLLECTION))


def describe(call: Call, asset: Asset) -> Metadata:
    """Return how an asset is shown to people.

    Names are optional in both standards: what a contract does not tell is empty, or 0 decimals. Names that
    are too long to be carried are cut.

    Raises
    ------
    InvalidInput
        When the URI of a token of a collection is too long to be carried.
    """
    if asset.kind is AssetKind.COIN:
        return Metadata(*load_coin_name(call), COIN_DECIMALS)
    token = asset.token
    name = cut(_ask(call, token, _NAME, ""), MAX_NAME)
    symbol = cut(_ask(call, token, _SYMBOL, ""), MAX_SYMBOL)
    if asset.kind is AssetKind.ERC20:
        return Metadata(name, symbol, _ask(call, token, _DECIMALS, 0))
    return Metadata(name, symbol, uri=_ask(call, token, _TOKEN_URI, "", asset.number))


def _ask(call: Call, token: bytes, function: Function, otherwise: Any, *args: Any) -> Any:
    done, answer = call.try_call(token, function.encode_call(*args))
    if not done:
        return otherwise
    try:
        return function.decode_output(answer)[0]
    except InvalidInput:
        return otherwise
