"""The two-way peg: coin and tokens that travel between chains, and come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives import _lazy

if TYPE_CHECKING:
    from chainstack_sdk.xchain.peg.contract import Peg
    from chainstack_sdk.xchain.peg.genesis import with_peg
    from chainstack_sdk.xchain.peg.handle import PegApi
    from chainstack_sdk.xchain.peg.storage import PEG_CODE, PeggedClass
    from chainstack_sdk.xchain.peg.transfer import Metadata, Transfer
else:
    __getattr__, __dir__ = _lazy.exports(
        __name__,
        {
            "PEG_CODE": "storage",
            "Metadata": "transfer",
            "Peg": "contract",
            "PegApi": "handle",
            "PeggedClass": "storage",
            "Transfer": "transfer",
            "with_peg": "genesis",
        },
    )

__all__ = ["PEG_CODE", "Metadata", "Peg", "PegApi", "PeggedClass", "Transfer", "with_peg"]
