"""Layer 2: contracts from templates.

A :class:`Paradigm` is a template; the factory on every chain issues instances of the registered ones, and
they answer the standard ABI. ERC-20, ERC-721, auction platforms and restricted shares come with the
library; a chain's own are added to its :class:`Registry`. Templates and handles are loaded when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.native.contract import External, NativeContract, error, event, external
from chainstack_sdk.core.native.host import ContractHost
from chainstack_sdk.core.native.slots import (
    MappingSlots,
    NestedMappingSlots,
    array_slot,
    load_bytes,
    mapping_slot,
    slot,
    store_bytes,
    text_mapping_slot,
)
from chainstack_sdk.core.panics import panic
from chainstack_sdk.paradigms.factory import FACTORY_ADDRESS, FACTORY_CODE, Factory
from chainstack_sdk.paradigms.registry import Registry, default_registry
from chainstack_sdk.paradigms.runtime import Runtime
from chainstack_sdk.paradigms.template import Paradigm
from chainstack_sdk.primitives import _lazy

if TYPE_CHECKING:
    from chainstack_sdk.paradigms.auction import AuctionPlatform
    from chainstack_sdk.paradigms.auction_handle import AuctionApi, AuctionHandle
    from chainstack_sdk.paradigms.auction_terms import AuctionKind, Listing, ListingStatus
    from chainstack_sdk.paradigms.erc20 import Erc20
    from chainstack_sdk.paradigms.erc20_handle import Erc20Api, Erc20Token
    from chainstack_sdk.paradigms.erc721 import Erc721
    from chainstack_sdk.paradigms.erc721_handle import Erc721Api, Erc721Token
    from chainstack_sdk.paradigms.events import ContractEvent
    from chainstack_sdk.paradigms.instance import Instance, InstanceApi, ParadigmApi
    from chainstack_sdk.paradigms.share_rules import Lock, Restriction
    from chainstack_sdk.paradigms.shares import Shares
    from chainstack_sdk.paradigms.shares_handle import SharesApi, ShareToken
else:
    __getattr__, __dir__ = _lazy.exports(
        __name__,
        {
            "AuctionApi": "auction_handle",
            "AuctionHandle": "auction_handle",
            "AuctionKind": "auction_terms",
            "AuctionPlatform": "auction",
            "ContractEvent": "events",
            "Erc20": "erc20",
            "Erc20Api": "erc20_handle",
            "Erc20Token": "erc20_handle",
            "Erc721": "erc721",
            "Erc721Api": "erc721_handle",
            "Erc721Token": "erc721_handle",
            "Instance": "instance",
            "InstanceApi": "instance",
            "Listing": "auction_terms",
            "ListingStatus": "auction_terms",
            "Lock": "share_rules",
            "ParadigmApi": "instance",
            "Restriction": "share_rules",
            "ShareToken": "shares_handle",
            "Shares": "shares",
            "SharesApi": "shares_handle",
        },
    )

__all__ = [
    "FACTORY_ADDRESS",
    "FACTORY_CODE",
    "AuctionApi",
    "AuctionHandle",
    "AuctionKind",
    "AuctionPlatform",
    "ContractEvent",
    "ContractHost",
    "Erc20",
    "Erc20Api",
    "Erc20Token",
    "Erc721",
    "Erc721Api",
    "Erc721Token",
    "External",
    "Factory",
    "Instance",
    "InstanceApi",
    "MappingSlots",
    "NativeContract",
    "NestedMappingSlots",
    "Paradigm",
    "Listing",
    "ListingStatus",
    "Lock",
    "ParadigmApi",
    "Registry",
    "Restriction",
    "Runtime",
    "ShareToken",
    "Shares",
    "SharesApi",
    "array_slot",
    "default_registry",
    "error",
    "event",
    "external",
    "load_bytes",
    "mapping_slot",
    "panic",
    "slot",
    "store_bytes",
    "text_mapping_slot",
]
