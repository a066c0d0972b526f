"""Hash-time-locked swaps: for chains that hold no anchors of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives import _lazy

if TYPE_CHECKING:
    from chainstack_sdk.xchain.swaps.contract import SwapContract
    from chainstack_sdk.xchain.swaps.plan import SwapPlan, SwapStep, UnsafeStep, UnsafeTimeouts
    from chainstack_sdk.xchain.swaps.swap import Swap, SwapChain
    from chainstack_sdk.xchain.swaps.terms import SWAPS_CODE, HashKind, SwapStatus, SwapTerms, hash_secret
else:
    __getattr__, __dir__ = _lazy.exports(
        __name__,
        {
            "SWAPS_CODE": "terms",
            "HashKind": "terms",
            "Swap": "swap",
            "SwapChain": "swap",
            "SwapContract": "contract",
            "SwapPlan": "plan",
            "SwapStatus": "terms",
            "SwapStep": "plan",
            "SwapTerms": "terms",
            "UnsafeStep": "plan",
            "UnsafeTimeouts": "plan",
            "hash_secret": "terms",
        },
    )

__all__ = [
    "SWAPS_CODE",
    "HashKind",
    "Swap",
    "SwapChain",
    "SwapContract",
    "SwapPlan",
    "SwapStatus",
    "SwapStep",
    "SwapTerms",
    "UnsafeStep",
    "UnsafeTimeouts",
    "hash_secret",
]
