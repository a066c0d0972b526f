"""The registry: which side chains a main chain has, and hashes of their blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives import _lazy

if TYPE_CHECKING:
    from chainstack_sdk.xchain.registry.contract import REGISTRY_CODE, ChainRegistry
    from chainstack_sdk.xchain.registry.handle import ChainRegistryApi, RegisteredBlock, RegisteredChain
else:
    __getattr__, __dir__ = _lazy.exports(
        __name__,
        {
            "REGISTRY_CODE": "contract",
            "ChainRegistry": "contract",
            "ChainRegistryApi": "handle",
            "RegisteredBlock": "handle",
            "RegisteredChain": "handle",
        },
    )

__all__ = ["REGISTRY_CODE", "ChainRegistry", "ChainRegistryApi", "RegisteredBlock", "RegisteredChain"]
