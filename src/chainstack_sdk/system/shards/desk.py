"""A shard behind requests: bytes in, bytes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from chainstack_sdk.primitives.rlp import rlp_encode
from chainstack_sdk.system.shards.homes import Homes
from chainstack_sdk.system.shards.reports import (
    ADMIT,
    COUNT,
    FIND,
    LOOK,
    MEET,
    OPEN,
    SEAL,
    decoded,
    number,
    number_bytes,
    outcome_items,
)
from chainstack_sdk.system.shards.shard import Shard, ShardSpec

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainstack_sdk.system.shards.reports import Items

_FOUND = {None: 0, False: 1, True: 2}


class Desk:
    """Answers requests about one shard, which the first of them makes."""

    def __init__(self) -> None:
        self._shard: Shard
        self._kinds: dict[int, Callable[[Items], bytes]] = {
            OPEN: self._open,
            MEET: self._meet,
            ADMIT: self._admit,
            SEAL: lambda proofs: self._shard.seal(cast("list[bytes]", proofs)).encode(),
            LOOK: lambda account: _numbers(self._shard.look(cast("bytes", account[0]))),
            COUNT: lambda _: _numbers((self._shard.count(),)),
            FIND: lambda digest: _numbers((_FOUND[self._shard.find(cast("bytes", digest[0]))],)),
        }

    def answer(self, data: bytes) -> bytes:
        """Do what a request says, and return the answer."""
        kind, *arguments = decoded(data)
        return self._kinds[number(kind)](arguments)

    def _open(self, arguments: Items) -> bytes:
        count, first, shard, seed, supply, *funds = arguments
        held = {cast("bytes", account): number(wei) for account, wei in cast("list[Items]", funds)}
        homes = Homes(number(count), number(first))
        self._shard = Shard(ShardSpec(homes, number(shard), cast("bytes", seed), number(supply), held))
        return self._shard.anchor

    def _meet(self, arguments: Items) -> bytes:
        pairs = cast("list[Items]", arguments)
        self._shard.meet((number(shard), cast("bytes", anchor)) for shard, anchor in pairs)
        return b""

    def _admit(self, raws: Items) -> bytes:
        return rlp_encode(outcome_items(self._shard.admit(cast("list[bytes]", raws))))


def _numbers(values: tuple[int, ...]) -> bytes:
    return rlp_encode([number_bytes(value) for value in values])
