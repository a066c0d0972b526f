"""Chains that talk: packets by proof, the two-way peg, atomic transactions, swaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives import _lazy

if TYPE_CHECKING:
    from chainstack_sdk.xchain.addresses import HUB_ADDRESS
    from chainstack_sdk.xchain.app import CrossChainApp, PacketContext, open_channel, peer_of, send_packet
    from chainstack_sdk.xchain.channels import Endpoint, channel_id
    from chainstack_sdk.xchain.contracts import system_contracts
    from chainstack_sdk.xchain.custody import Asset, AssetKind
    from chainstack_sdk.xchain.facade_port import FacadePort
    from chainstack_sdk.xchain.genesis import with_hub
    from chainstack_sdk.xchain.hub import HUB_CODE, Hub, commitment_slot, receipt_slot
    from chainstack_sdk.xchain.packets import Acknowledgement, Packet, decode_message
    from chainstack_sdk.xchain.port import ChainPort, Place
    from chainstack_sdk.xchain.progress import Progress
    from chainstack_sdk.xchain.relayer import Relayer
else:
    __getattr__, __dir__ = _lazy.exports(
        __name__,
        {
            "Acknowledgement": "packets",
            "Asset": "custody",
            "AssetKind": "custody",
            "ChainPort": "port",
            "CrossChainApp": "app",
            "Endpoint": "channels",
            "FacadePort": "facade_port",
            "HUB_ADDRESS": "addresses",
            "HUB_CODE": "hub",
            "Hub": "hub",
            "Packet": "packets",
            "PacketContext": "app",
            "Place": "port",
            "Progress": "progress",
            "Relayer": "relayer",
            "channel_id": "channels",
            "commitment_slot": "hub",
            "decode_message": "packets",
            "open_channel": "app",
            "peer_of": "app",
            "receipt_slot": "hub",
            "send_packet": "app",
            "system_contracts": "contracts",
            "with_hub": "genesis",
        },
    )

__all__ = [
    "Acknowledgement",
    "Asset",
    "AssetKind",
    "ChainPort",
    "CrossChainApp",
    "Endpoint",
    "FacadePort",
    "HUB_ADDRESS",
    "HUB_CODE",
    "Hub",
    "Packet",
    "PacketContext",
    "Place",
    "Progress",
    "Relayer",
    "channel_id",
    "commitment_slot",
    "decode_message",
    "open_channel",
    "peer_of",
    "receipt_slot",
    "send_packet",
    "system_contracts",
    "with_hub",
]
