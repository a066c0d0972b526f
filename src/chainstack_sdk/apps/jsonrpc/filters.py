"""Filters: what a client has asked to be told of, and how far it has been told.

This is state, so it belongs to one :class:`~chainstack_sdk.apps.jsonrpc.JsonRpc`. A filter remembers the
blocks at which its client came by. When some of them have left the chain since (a reorganisation, a
snapshot reverted), the next answer begins after the newest that is still there, so that nothing is missed.

A log filter also remembers the newest logs that it has told. Those whose block has left the chain come
first in the next answer, the newest first and with ``removed: true``, as in geth; those whose block is still
there are not told again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from chainstack_sdk.apps.jsonrpc.errors import SERVER_ERROR, RpcError
from chainstack_sdk.apps.jsonrpc.logs import bounds
from chainstack_sdk.apps.jsonrpc.objects import log_object, to_data

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chainstack_sdk.apps.jsonrpc.host import RpcHost
    from chainstack_sdk.apps.jsonrpc.logs import LogFilter
    from chainstack_sdk.core.queries import FoundLog

MAX_FILTERS = 1_024
"""Filters kept; then the one that was asked for least recently is dropped."""
MAX_MARKS = 64
"""Blocks a filter remembers; after a reorganisation below all of them it begins anew at genesis."""
MAX_TOLD = 1_024
"""Logs a filter remembers to have told, the oldest forgotten first."""


@dataclass(frozen=True, slots=True)
class _Filter:
    wanted: LogFilter | None
    """None: blocks."""
    marks: list[tuple[int, bytes]]
    """Height and hash of the heads at which the client was told everything, oldest first."""
    told: list[FoundLog] = field(default_factory=list)
    """Logs that the client has been told, in the order of telling."""

    def take_removed(self, host: RpcHost) -> list[dict[str, Any]]:
        """Forget the logs told whose block has left the chain, and return them, newest first."""
        height_of = host.blockchain.ledger.height_of
        gone = [log for log in self.told if height_of(log.block_hash) is None]
        if gone:
            self.told[:] = [log for log in self.told if height_of(log.block_hash) is not None]
        return [{**log_object(log), "removed": True} for log in reversed(gone)]

    def tell(self, found: Iterable[FoundLog]) -> list[dict[str, Any]]:
        """Return the logs that are new to the client, which knows them from now on."""
        known = {(log.block_hash, log.log_index) for log in self.told}
        new = [log for log in found if (log.block_hash, log.log_index) not in known]
        self.told.extend(new)
        del self.told[:-MAX_TOLD]
        return [log_object(log) for log in new]

    def advance(self, host: RpcHost) -> range:
        """Mark the head, and return the heights that are new to the client."""
        ledger, marks = host.blockchain.ledger, self.marks
        while marks and ledger.height_of(marks[-1][1]) is None:
            marks.pop()
        start = marks[-1][0] + 1 if marks else 1
        head = host.blockchain.head
        if not marks or marks[-1][1] != head.hash:
            marks.append((head.height, head.hash))
            del marks[:-MAX_MARKS]
        return range(start, head.height + 1)


class FilterTable:
    """The filters of one client or of several that know each other's numbers."""

    def __init__(self) -> None:
        self._filters: dict[str, _Filter] = {}
        self._made = 0

    def new_log_filter(self, host: RpcHost, wanted: LogFilter) -> str:
        """``eth_newFilter``."""
        return self._add(host, wanted)

    def new_block_filter(self, host: RpcHost) -> str:
        """``eth_newBlockFilter``."""
        return self._add(host, None)

    def _add(self, host: RpcHost, wanted: LogFilter | None) -> str:
        self._made += 1
        name = hex(self._made)
        head = host.blockchain.head
        self._filters[name] = _Filter(wanted, [(head.height, head.hash)])
        if len(self._filters) > MAX_FILTERS:
            del self._filters[next(iter(self._filters))]
        return name

    def _take(self, number: int) -> _Filter:
        """Return a filter, which becomes the one asked for most recently."""
        name = hex(number)
        found = self._filters.pop(name, None)
        if found is None:
            raise RpcError("filter not found", code=SERVER_ERROR)
        self._filters[name] = found
        return found

    def changes(self, host: RpcHost, number: int) -> list[Any]:
        """``eth_getFilterChanges``: logs, or hashes of blocks, since the last time."""
        found = self._take(number)
        if found.wanted is None:
            ledger = host.blockchain.ledger
            return [to_data(ledger.header(height).hash) for height in found.advance(host)]
        first, last = bounds(host, found.wanted)
        new = found.advance(host)
        if isinstance(found.wanted.first, str):
            first = new.start  # "latest" was meant when the filter was made
        removed = found.take_removed(host)
        logs = found.wanted.find(host, max(first, new.start), min(last, new.stop - 1))
        return removed + found.tell(logs)

    def logs(self, host: RpcHost, number: int) -> list[dict[str, Any]]:
        """``eth_getFilterLogs``: all logs that a log filter's range has."""
        wanted = self._take(number).wanted
        if wanted is None:
            raise RpcError("filter not found", code=SERVER_ERROR)
        return wanted.search(host, *bounds(host, wanted))

    def uninstall(self, _host: RpcHost, number: int) -> bool:
        """``eth_uninstallFilter``: whether there was such a filter."""
        return self._filters.pop(hex(number), None) is not None
