"""What stands for a foreign asset: tokens that the peg issues, mints and burns.

Coin and ERC-20 tokens are represented by an ERC-20 token, collections by a collection. The contract is issued
by the paradigm factory when the first of its class arrives, and its owner is the peg: nobody else mints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.native import NativeContract, error, event
from chainstack_sdk.paradigms.erc20 import Erc20
from chainstack_sdk.paradigms.erc721 import Erc721
from chainstack_sdk.paradigms.factory import FACTORY_ADDRESS, Factory
from chainstack_sdk.primitives.address import ZERO_ADDRESS
from chainstack_sdk.xchain.addresses import PEG_ADDRESS
from chainstack_sdk.xchain.custody import AssetKind
from chainstack_sdk.xchain.peg.storage import load_representation, store_representation

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call
    from chainstack_sdk.xchain.custody import Asset
    from chainstack_sdk.xchain.peg.storage import PeggedClass
    from chainstack_sdk.xchain.peg.transfer import Metadata, Transfer

_ISSUE = Factory.abi_function("issue")
_MINT = Erc20.abi_function("mint")
_BURN_FROM = Erc20.abi_function("burnFrom")
_MINT_AGAIN = Erc721.abi_function("mint(address,uint256)")
_SAFE_MINT = Erc721.abi_function("safeMint(address,uint256,string)")
_BURN_TOKEN = Erc721.abi_function("burn")
_OWNER_OF = Erc721.abi_function("ownerOf")


class Representations(NativeContract):
    """Issues, mints and burns what stands for foreign assets."""

    RepresentationIssued = event(
        "event RepresentationIssued(uint64 indexed chain, address indexed home, "
        "address indexed representation, uint8 kind)"
    )
    NotTheOwner = error("error NotTheOwner(address token, uint256 id, address account)")

    def mint(self, call: Call, pegged: PeggedClass, transfer: Transfer, metadata: Metadata) -> bytes:
        """Make what stands for an asset that has arrived; return its contract, 20 bytes.

        Raises
        ------
        Reverted
            The refusal of the factory or of a recipient that takes no token of a collection.
        """
        told = metadata.named_after(pegged.chain)
        token = load_representation(call, pegged)
        if token == ZERO_ADDRESS:
            token = self._issue(call, pegged, told)
        number, to = transfer.asset.number, transfer.to
        if pegged.kind is AssetKind.ERC721:
            call.call(token, _SAFE_MINT.encode_call(to, number, told.uri))
        else:
            call.call(token, _MINT.encode_call(to, number))
        return token

    def mint_again(self, call: Call, pegged: PeggedClass, number: int, to: bytes) -> bytes:
        """Undo a :meth:`burn`; return the contract, 20 bytes. Nobody is asked, and nothing can refuse.

        A token of a collection has the same URI as before.
        """
        token = load_representation(call, pegged)
        mint = _MINT_AGAIN if pegged.kind is AssetKind.ERC721 else _MINT
        call.call(token, mint.encode_call(to, number))
        return token

    def burn(self, call: Call, asset: Asset, owner: bytes) -> None:
        """Destroy what stands for an asset that goes home; its owner has approved the peg.

        Raises
        ------
        Reverted
            ``NotTheOwner`` for another's token of a collection, or the refusal of the token.
        """
        if asset.kind is not AssetKind.ERC721:
            call.call(asset.token, _BURN_FROM.encode_call(owner, asset.number))
            return
        # a collection lets everybody burn who is approved, and the peg is approved by many
        (held_by,) = _OWNER_OF.decode_output(call.call(asset.token, _OWNER_OF.encode_call(asset.number)))
        call.require(held_by == owner, self.NotTheOwner, asset.token, asset.number, owner)
        call.call(asset.token, _BURN_TOKEN.encode_call(asset.number))

    def _issue(self, call: Call, pegged: PeggedClass, told: Metadata) -> bytes:
        if pegged.kind is AssetKind.ERC721:
            config = Erc721.constructor_type.encode(told.name, told.symbol, "", True, True, PEG_ADDRESS)
            data = _ISSUE.encode_call(Erc721.name, config)
        else:
            config = Erc20.constructor_type.encode(
                *(told.name, told.symbol, told.decimals, 0, 0), *(True, True, False), PEG_ADDRESS
            )
            data = _ISSUE.encode_call(Erc20.name, config)
        (token,) = _ISSUE.decode_output(call.call(FACTORY_ADDRESS, data))
        store_representation(call, pegged, token)
        call.emit(self.RepresentationIssued, pegged.chain, pegged.token, token, pegged.kind)
        return bytes(token)
