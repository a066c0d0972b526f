"""Native multi-chain systems as a Python library.

Embed a whole chain in an application, test against one in memory, or build your own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    from typing import Any

    from chainstack_sdk.chain import Chain
    from chainstack_sdk.clock import ManualClock, SystemClock
    from chainstack_sdk.core.config import ChainConfig
    from chainstack_sdk.stack import ChainStack

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


_ON_FIRST_USE = {
    "Chain": "chain",
    "ChainConfig": "core.config",
    "ChainStack": "stack",
    "ManualClock": "clock",
    "SystemClock": "clock",
}


def __getattr__(name: str) -> Any:
    """Load the chain, and pydantic for its configuration, when they are first asked for."""
    module = _ON_FIRST_USE.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"{__name__}.{module}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
