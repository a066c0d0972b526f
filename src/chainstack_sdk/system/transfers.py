"""Sending an asset from one chain to another, and finding it there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from chainstack_sdk.paradigms import Erc20Token, Erc721Token
from chainstack_sdk.primitives.errors import ChainStackError, UsageError
from chainstack_sdk.system.links import hub_of
from chainstack_sdk.xchain.custody import Asset, AssetKind
from chainstack_sdk.xchain.hub.contract import ACKNOWLEDGED
from chainstack_sdk.xchain.peg.handle import PegApi

if TYPE_CHECKING:
    from chainstack_sdk.chain import Chain
    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.primitives.keys import Signer

DEFAULT_LIFETIME_MS = 3_600_000
"""Milliseconds of the receiving chain's time in which an asset must arrive, or it comes back: an hour."""


class TransferRefunded(ChainStackError):
    """The asset did not arrive and is back with its sender, less the fees."""


class TransferStatus(Enum):
    """How far an asset has come."""

    WAITING = "waiting"
    """It has left, and the sender's chain knows nothing more yet."""
    ARRIVED = "arrived"
    REFUNDED = "refunded"
    """It was refused, or the time ran out."""


@dataclass(frozen=True)
class AssetTransfer:
    """An asset on its way, or there."""

    source: Chain
    destination: Chain
    asset: Asset
    """As it was sent."""
    recipient: bytes
    """20 bytes."""
    receipt: Receipt
    """Of the transaction that sent it."""
    sequence: int
    """The packet's number on the channel between the two pegs, in this direction."""

    @property
    def status(self) -> TransferStatus:
        """What the sender's chain knows now."""
        channel = PegApi(self.source).channel_to(self.destination.chain_id)
        found = hub_of(self.source).events(
            "PacketSettled", first=self.receipt.height, channel=channel, sequence=self.sequence
        )
        if not found:
            return TransferStatus.WAITING
        (how,) = (event.args["how"] for event in found)
        return TransferStatus.ARRIVED if how == ACKNOWLEDGED else TransferStatus.REFUNDED

    @property
    def token(self) -> Erc20Token | Erc721Token | None:
        """The asset's handle on the other chain; None for coin at home, and while nothing has arrived."""
        address = self._address()
        if address is None:
            return None
        kind = Erc721Token if self.asset.kind is AssetKind.ERC721 else Erc20Token
        return kind(self.destination, address)

    def _address(self) -> bytes | None:
        """Return the asset's contract on the destination; None for coin, or when it never was there."""
        asset, there = self.asset, self.destination.chain_id
        origin = None if asset.kind is AssetKind.COIN else PegApi(self.source).origin_of(asset.token)
        if origin is not None and origin.chain == there:
            return None if origin.kind is AssetKind.COIN else origin.token
        return PegApi(self.destination).representation_of(self.source.chain_id, asset.token, asset.kind)


def as_asset(handle: Erc20Token | Erc721Token | None, amount: int | None, token_id: int | None) -> Asset:
    """Return what is to be sent.

    Raises
    ------
    UsageError
        When it is not said how much of it, or which, or it is neither kind of token.
    """
    if isinstance(handle, Erc721Token):
        if token_id is None or amount is not None:
            raise UsageError("say which token of the collection: token_id")
        return Asset.erc721(handle.address, token_id)
    if amount is None or token_id is not None:
        raise UsageError("say how much: amount")
    if handle is None:
        return Asset.coin(amount)
    if isinstance(handle, Erc20Token):
        return Asset.erc20(handle.address, amount)
    raise UsageError("neither coin nor the handle of an ERC-20 or ERC-721 token", actual=handle)


def send_asset(
    source: Chain,
    destination: Chain,
    sender: Signer,
    asset: Asset,
    recipient: bytes | None,
    lifetime_ms: int,
) -> AssetTransfer:
    """Hand an asset to the peg of its chain, to be carried to another.

    Parameters
    ----------
    recipient
        20 bytes; by default the sender.

    Raises
    ------
    Reverted
        When the token, the peg or the hub refuses.
    """
    peg, there = PegApi(source), destination.chain_id
    to = sender.address if recipient is None else recipient
    late = max(destination.head.timestamp_ms, destination.clock.now_ms()) + lifetime_ms
    match asset.kind:
        case AssetKind.COIN:
            receipt = peg.send_coin(sender, asset.number, chain=there, timeout_ms=late, to=to)
        case AssetKind.ERC20:
            receipt = peg.send_token(sender, asset.token, asset.number, chain=there, timeout_ms=late, to=to)
        case _:
            receipt = peg.send_nft(sender, asset.token, asset.number, chain=there, timeout_ms=late, to=to)
    (sent,) = (
        event
        for event in peg.events("Sent", first=receipt.height, last=receipt.height)
        if event.transaction_hash == receipt.transaction_hash
    )
    return AssetTransfer(source, destination, asset, to, receipt, sent.args["sequence"])


def require_not_refunded(sent: AssetTransfer) -> None:
    """Refuse to go on with an asset that is back with its sender.

    Raises
    ------
    TransferRefunded
        When it is.
    """
    if sent.status is TransferStatus.REFUNDED:
        raise TransferRefunded(
            "the asset did not arrive, and is back with its sender",
            chain_id=sent.destination.chain_id,
            sequence=sent.sequence,
        )
