"""``eth_getLogs``, and the filter object that it shares with filters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chainstack_sdk.apps.jsonrpc import parameters
from chainstack_sdk.apps.jsonrpc.blocks import require_height
from chainstack_sdk.apps.jsonrpc.objects import log_object
from chainstack_sdk.apps.jsonrpc.parameters import LATEST
from chainstack_sdk.core.queries import find_logs
from chainstack_sdk.core.receipts import MAX_TOPICS
from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainstack_sdk.apps.jsonrpc.host import RpcHost
    from chainstack_sdk.apps.jsonrpc.parameters import BlockRef
    from chainstack_sdk.core.queries import FoundLog, TopicFilter

MAX_ALTERNATIVES = 1_000
"""Addresses in a filter, and topics at one of its positions, as in geth."""


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which logs are wanted."""

    addresses: tuple[bytes, ...]
    """Emitting contracts; none: any."""
    topics: tuple[TopicFilter, ...]
    """By position; see :data:`~chainstack_sdk.core.queries.TopicFilter`."""
    first: BlockRef
    last: BlockRef
    """The block range, both ends included."""

    def find(self, host: RpcHost, first: int, last: int) -> Iterator[FoundLog]:
        """Yield the logs that match between two heights, both included, in chain order."""
        return find_logs(
            host.blockchain, addresses=self.addresses, topics=self.topics, first=first, last=last
        )

    def search(self, host: RpcHost, first: int, last: int) -> list[dict[str, Any]]:
        """Return the logs that match between two heights, both included, as JSON objects in chain order."""
        return [log_object(log) for log in self.find(host, first, last)]


def log_filter(value: object) -> LogFilter:
    """Parse a filter object: ``address``, ``topics``, and ``fromBlock`` and ``toBlock`` or ``blockHash``.

    Raises
    ------
    InvalidInput
        When it is malformed.
    """
    if not isinstance(value, dict):
        raise InvalidInput("not a filter object")
    first, last = _range(value)
    topics = value.get("topics")
    positions = parameters.array(_topic, most=MAX_TOPICS)
    return LogFilter(
        _addresses(value.get("address")), () if topics is None else positions(topics), first, last
    )


def _range(value: dict[str, Any]) -> tuple[BlockRef, BlockRef]:
    start, end, block_hash = (value.get(name) for name in ("fromBlock", "toBlock", "blockHash"))
    if block_hash is not None:
        if start is not None or end is not None:
            raise InvalidInput("blockHash excludes fromBlock and toBlock")
        which = parameters.hash32(block_hash)
        return which, which
    first = LATEST if start is None else parameters.height(start)
    last = LATEST if end is None else parameters.height(end)
    if isinstance(first, int) and isinstance(last, int) and first > last:
        raise InvalidInput("fromBlock is after toBlock")
    return first, last


def _addresses(value: object) -> tuple[bytes, ...]:
    if value is None:
        return ()
    if isinstance(value, list):
        return parameters.array(parameters.address, most=MAX_ALTERNATIVES)(value)
    return (parameters.address(value),)


def _topic(value: object) -> TopicFilter:
    """Parse one position; null in a list of alternatives, and an empty list, mean any topic."""
    if value is None or value == [] or (isinstance(value, list) and None in value):
        return None
    if isinstance(value, list):
        return parameters.array(parameters.hash32, most=MAX_ALTERNATIVES)(value)
    return parameters.hash32(value)


def bounds(host: RpcHost, wanted: LogFilter) -> tuple[int, int]:
    """Return the heights between which a filter looks; a range beyond the head is empty there.

    Raises
    ------
    RpcError
        When it names a block hash that the chain does not have.
    """
    first, last = (
        which if isinstance(which, int) else require_height(host, which)
        for which in (wanted.first, wanted.last)
    )
    return first, last


def get_logs(host: RpcHost, wanted: LogFilter) -> list[dict[str, Any]]:
    """``eth_getLogs``."""
    return wanted.search(host, *bounds(host, wanted))
