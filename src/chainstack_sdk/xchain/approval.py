"""Letting a contract take an asset: what an owner signs before it hands tokens over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.paradigms.erc20 import Erc20
from chainstack_sdk.paradigms.erc721 import Erc721
from chainstack_sdk.paradigms.instance import Instance
from chainstack_sdk.xchain.custody import Asset, AssetKind

if TYPE_CHECKING:
    from chainstack_sdk.core.native.host import ContractHost
    from chainstack_sdk.primitives.keys import Signer


def approve(host: ContractHost, owner: Signer, spender: bytes, asset: Asset) -> None:
    """Let a contract take an asset, by a transaction where that needs one: coin and what may be taken do not.

    Parameters
    ----------
    spender
        The contract, 20 bytes.

    Raises
    ------
    Reverted
        When the token refuses.
    """
    if asset.kind is AssetKind.COIN:
        return
    if asset.kind is AssetKind.ERC20:
        token = Instance(host, asset.token, Erc20)
        allowed = int(token.read("allowance", owner.address, spender)) >= asset.number
    else:
        token = Instance(host, asset.token, Erc721)
        allowed = bytes(token.read("getApproved", asset.number)) == spender
    if not allowed:
        token.send(owner, "approve", spender, asset.number)
