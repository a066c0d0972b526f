"""The peg of a chain as a Python object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.paradigms.instance import Instance
from chainstack_sdk.primitives.address import ZERO_ADDRESS, to_address
from chainstack_sdk.xchain.addresses import PEG_ADDRESS
from chainstack_sdk.xchain.approval import approve
from chainstack_sdk.xchain.custody import Asset, AssetKind
from chainstack_sdk.xchain.peg.contract import Peg
from chainstack_sdk.xchain.peg.storage import PeggedClass

if TYPE_CHECKING:
    from chainstack_sdk.core.native.host import ContractHost
    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.primitives.address import AddressLike
    from chainstack_sdk.primitives.keys import Signer


class PegApi(Instance):
    """The two-way peg of a chain.

    ``chain`` is always the other chain, by its id. ``to`` is who gets the asset there, by default the sender.
    ``timeout_ms`` is the block time there, in Unix milliseconds, from which on it is too late: then the asset
    comes back. What has been sent arrives when somebody has carried the packet over.

    Parameters
    ----------
    host
        The chain.
    """

    def __init__(self, host: ContractHost) -> None:
        super().__init__(host, PEG_ADDRESS, Peg)

    # Sending

    def connect(self, sender: Signer, chain: int) -> Receipt:
        """Open the channel to another chain's peg; both sides must, and a first sending does it as well."""
        return self.send(sender, "connect", chain)

    def send_coin(
        self, sender: Signer, wei: int, *, chain: int, timeout_ms: int, to: AddressLike | None = None
    ) -> Receipt:
        """Send coin of this chain to another.

        Raises
        ------
        Reverted
            When the peg or the hub refuses.
        """
        return self.send(sender, "sendCoin", chain, _recipient(sender, to), timeout_ms, value=wei)

    def send_token(
        self,
        sender: Signer,
        token: AddressLike,
        amount: int,
        *,
        chain: int,
        timeout_ms: int,
        to: AddressLike | None = None,
    ) -> Receipt:
        """Send ERC-20 tokens to another chain; approves them for the peg first, where need be.

        Parameters
        ----------
        amount
            In the token's smallest unit.

        Raises
        ------
        Reverted
            When the token, the peg or the hub refuses.
        """
        asset = Asset.erc20(token, amount)
        approve(self.host, sender, PEG_ADDRESS, asset)
        return self.send(sender, "sendToken", asset.token, amount, chain, _recipient(sender, to), timeout_ms)

    def send_nft(
        self,
        sender: Signer,
        token: AddressLike,
        token_id: int,
        *,
        chain: int,
        timeout_ms: int,
        to: AddressLike | None = None,
    ) -> Receipt:
        """Send a token of a collection to another chain; approves it for the peg first, where need be.

        Raises
        ------
        Reverted
            When the collection, the peg or the hub refuses.
        """
        asset = Asset.erc721(token, token_id)
        approve(self.host, sender, PEG_ADDRESS, asset)
        return self.send(sender, "sendNft", asset.token, token_id, chain, _recipient(sender, to), timeout_ms)

    def claim_token(self, sender: Signer, token: AddressLike) -> Receipt:
        """Take what a token refused to pay back to the sender."""
        return self.send(sender, "claimToken", token)

    def claim_nft(self, sender: Signer, token: AddressLike, token_id: int) -> Receipt:
        """Take a token of a collection that could not be given back to the sender."""
        return self.send(sender, "claimNft", token, token_id)

    # Questions

    def channel_to(self, chain: int) -> bytes | None:
        """Return the channel to another chain's peg, 32 bytes, or None before it is open."""
        channel = bytes(self.read("channelTo", chain))
        return channel if any(channel) else None

    def representation_of(
        self, chain: int, home: AddressLike = ZERO_ADDRESS, kind: AssetKind = AssetKind.ERC20
    ) -> bytes | None:
        """Return the contract that stands here for an asset of another chain, or None while nothing does.

        Parameters
        ----------
        home
            The token's address there; by default the chain's coin is meant, whatever the kind.
        """
        address = to_address(home)
        asked = AssetKind.COIN if address == ZERO_ADDRESS else kind
        found = bytes(self.read("representationOf", chain, address, asked))
        return found if any(found) else None

    def origin_of(self, token: AddressLike) -> PeggedClass | None:
        """Return what a token of this chain stands for, or None when it is no representation."""
        chain, home, kind = self.read("originOf", token)
        return PeggedClass(AssetKind(kind), chain, home) if chain else None

    def locked(self, chain: int, token: AddressLike = ZERO_ADDRESS, kind: AssetKind = AssetKind.ERC20) -> int:
        """Return how much of a local asset is locked for another chain; of a collection, how many tokens.

        Parameters
        ----------
        token
            By default this chain's coin is meant, whatever the kind.
        """
        address = to_address(token)
        asked = AssetKind.COIN if address == ZERO_ADDRESS else kind
        return int(self.read("locked", chain, address, asked))

    def locked_for(self, token: AddressLike, token_id: int) -> int | None:
        """Return which chain a token of a collection is locked for, or None when it is not locked."""
        return int(self.read("lockedFor", token, token_id)) or None

    def owed(self, token: AddressLike, who: AddressLike) -> int:
        """Return how much of a token an account may claim."""
        return int(self.read("owed", token, who))

    def owed_to(self, token: AddressLike, token_id: int) -> bytes | None:
        """Return who may claim a token of a collection, 20 bytes, or None for nobody."""
        found = bytes(self.read("owedTo", token, token_id))
        return found if any(found) else None


def _recipient(sender: Signer, to: AddressLike | None) -> bytes:
    return sender.address if to is None else to_address(to)
