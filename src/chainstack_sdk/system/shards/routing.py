"""Which shard a transaction is for: the one whose chain id it is signed for.

The sender is not looked at, as its recovery takes longer than everything else; the shard does that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.transactions import decode_transaction
from chainstack_sdk.primitives.errors import InvalidInput, Rejected

if TYPE_CHECKING:
    from chainstack_sdk.system.shards.homes import Homes


def shard_for(homes: Homes, raw: bytes) -> int | InvalidInput | Rejected:
    """Return the shard that an encoded transaction is signed for, or why there is none.

    Where the chain id comes first, nothing else is decoded: the shard refuses what is malformed.
    """
    try:
        chain_id = _chain_id(raw)
    except InvalidInput as error:
        return error
    shard = homes.shard_with(chain_id)
    if shard is None:
        return Rejected("signed for another chain", code="wrong_chain", actual=chain_id)
    return shard


def _chain_id(raw: bytes) -> int | None:
    """Return the chain id in an encoded transaction, without decoding the rest where it comes first."""
    if raw[:1] in (b"\x01", b"\x02") and len(raw) > 32:
        start = 2 if raw[1] < 0xF8 else raw[1] - 0xF5
        size = raw[start] - 0x80
        return raw[start] if size < 0 else int.from_bytes(raw[start + 1 : start + 1 + size], "big")
    return decode_transaction(raw).chain_id
