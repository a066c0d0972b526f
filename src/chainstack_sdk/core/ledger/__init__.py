"""Where blocks are kept: in memory as objects, or in a key-value store."""

from __future__ import annotations

from chainstack_sdk.core.ledger.flat import FlatCodec
from chainstack_sdk.core.ledger.memory import MemoryLedger
from chainstack_sdk.core.ledger.record import BlockRecord
from chainstack_sdk.core.ledger.stored import StateCodec, StoredLedger

__all__ = ["BlockRecord", "FlatCodec", "MemoryLedger", "StateCodec", "StoredLedger"]
