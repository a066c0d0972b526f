"""The hub: the system contract through which a chain speaks to other chains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives import _lazy

if TYPE_CHECKING:
    from chainstack_sdk.xchain.hub.contract import Hub
    from chainstack_sdk.xchain.hub.storage import HUB_CODE, commitment_slot, receipt_slot
else:
    __getattr__, __dir__ = _lazy.exports(
        __name__,
        {
            "HUB_CODE": "storage",
            "Hub": "contract",
            "commitment_slot": "storage",
            "receipt_slot": "storage",
        },
    )

__all__ = ["HUB_CODE", "Hub", "commitment_slot", "receipt_slot"]
