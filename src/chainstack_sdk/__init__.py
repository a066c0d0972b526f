"""Native multi-chain systems as a Python library.

Embed a whole chain in an application, test against one in memory, or build your own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives import _lazy
from chainstack_sdk.primitives.errors import (
    ChainStackError,
    InvalidInput,
    InvariantBroken,
    Rejected,
    Reverted,
    UsageError,
)
from chainstack_sdk.primitives.keys import Account
from chainstack_sdk.primitives.units import ether, gwei

if TYPE_CHECKING:
    from chainstack_sdk.chain import Chain
    from chainstack_sdk.clock import ManualClock, SystemClock
    from chainstack_sdk.core.config import ChainConfig
    from chainstack_sdk.stack import ChainStack
else:
    __getattr__, __dir__ = _lazy.exports(
        __name__,
        {
            "Chain": "chain",
            "ChainConfig": "core.config",
            "ChainStack": "stack",
            "ManualClock": "clock",
            "SystemClock": "clock",
        },
    )

__version__ = "0.1.0"

__all__ = [
    "Account",
    "Chain",
    "ChainConfig",
    "ChainStack",
    "ChainStackError",
    "InvalidInput",
    "InvariantBroken",
    "ManualClock",
    "Rejected",
    "Reverted",
    "SystemClock",
    "UsageError",
    "ether",
    "gwei",
]
