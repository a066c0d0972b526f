"""``evm_*``: what a test wants of a development chain and a public one must not offer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainstack_sdk.apps.jsonrpc import parameters
from chainstack_sdk.apps.jsonrpc.errors import INVALID_PARAMS, SERVER_ERROR, RpcError
from chainstack_sdk.apps.jsonrpc.host import MovableClock
from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from chainstack_sdk.apps.jsonrpc.host import RpcHost

MAX_MINED = 1_024
"""Blocks in one ``evm_mine``."""
_MAX_TIME_MS = 1 << 63
"""Time does not move further than here, so that blocks can still count it."""


class Development:
    """Snapshots, which are state and belong to one session, and the verbs that go with them."""

    def __init__(self) -> None:
        self._snapshots: dict[int, Any] = {}
        self._taken = 0

    def snapshot(self, host: RpcHost) -> str:
        """``evm_snapshot``: a number for :meth:`revert`."""
        self._taken += 1
        self._snapshots[self._taken] = host.snapshot()
        return hex(self._taken)

    def revert(self, host: RpcHost, number: int) -> bool:
        """``evm_revert``: go back; the snapshot and all later ones are used up. False: there is none."""
        snapshot = self._snapshots.get(number)
        if snapshot is None:
            return False
        self._snapshots = {older: kept for older, kept in self._snapshots.items() if older < number}
        host.revert(snapshot)
        return True


def block_count(value: object) -> int:
    """Parse how many blocks to make: a number from 1 to 1,024."""
    count = parameters.count(value)
    if not 1 <= count <= MAX_MINED:
        raise InvalidInput("out of range", expected=f"1 to {MAX_MINED} blocks", actual=count)
    return count


def mine(host: RpcHost, blocks: int) -> str:
    """``evm_mine``: seal a block of what waits, and further blocks when more are asked for."""
    for _ in range(blocks):
        host.seal()
    return "0x0"


def increase_time(host: RpcHost, seconds: int) -> int:
    """``evm_increaseTime``: move the clock forward; returns by how many seconds."""
    clock = host.clock
    if not isinstance(clock, MovableClock):
        raise RpcError("the chain's clock cannot be moved", code=SERVER_ERROR)
    if clock.now_ms() + 1_000 * seconds >= _MAX_TIME_MS:
        raise RpcError("that is past the end of time", code=INVALID_PARAMS)
    clock.advance(seconds)
    return seconds
