"""Equal side chains that share their accounts out: see :class:`ShardedStack`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives import _lazy

if TYPE_CHECKING:
    from chainstack_sdk.system.shards.bank import BANK_ADDRESS, ShardBank
    from chainstack_sdk.system.shards.homes import Homes
    from chainstack_sdk.system.shards.ports import ShardDown
    from chainstack_sdk.system.shards.reports import Sealed, Shipment
    from chainstack_sdk.system.shards.stack import ShardedStack, Transferred
else:
    __getattr__, __dir__ = _lazy.exports(
        __name__,
        {
            "BANK_ADDRESS": "bank",
            "Homes": "homes",
            "Sealed": "reports",
            "ShardBank": "bank",
            "ShardDown": "ports",
            "ShardedStack": "stack",
            "Shipment": "reports",
            "Transferred": "stack",
        },
    )

__all__ = [
    "BANK_ADDRESS",
    "Homes",
    "Sealed",
    "ShardBank",
    "ShardDown",
    "ShardedStack",
    "Shipment",
    "Transferred",
]
