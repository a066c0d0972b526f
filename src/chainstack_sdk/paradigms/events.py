"""Events as the handles give them: looked for by values, decoded by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chainstack_sdk.primitives.abi.types import abi_type
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from chainstack_sdk.core.queries import FoundLog, TopicFilter
    from chainstack_sdk.primitives.abi import Event


@dataclass(frozen=True, slots=True)
class ContractEvent:
    """An event of a contract, decoded, with its place in the chain."""

    name: str
    args: dict[str, Any]
    """Values by parameter name, as the contract's ABI has them."""
    address: bytes
    """The emitting contract, 20 bytes."""
    height: int
    transaction_hash: bytes
    """32 bytes."""
    log_index: int
    """Position among all logs of the block."""


def event_filter(event: Event, indexed: Mapping[str, Any]) -> list[TopicFilter]:
    """Return the topics to look for.

    Parameters
    ----------
    indexed
        Values of indexed parameters by name, or lists of alternatives; a trailing underscore is dropped, so
        that ``from_`` may stand for ``from``.

    Raises
    ------
    UsageError
        When there is no such indexed parameter, or a value does not fit it.
    """
    wanted = {name.removesuffix("_"): value for name, value in indexed.items()}
    topics: list[TopicFilter] = [event.topic]
    for param in event.inputs:
        if param.indexed:
            topics.append(_topic(param.type, wanted.pop(param.name)) if param.name in wanted else None)
    if wanted:
        raise UsageError(f"{event.name} has no such indexed parameter", actual=", ".join(wanted))
    while topics[-1] is None:
        topics.pop()
    return topics


def _topic(type_name: str, value: Any) -> TopicFilter:
    kind = abi_type(type_name)

    def encode(one: Any) -> bytes:
        return keccak256(kind.encode_in_place(one)) if kind.hashed else kind.encode(one)

    return tuple(encode(one) for one in value) if isinstance(value, list) else encode(value)


def decode_events(found: Iterable[FoundLog], events: Iterable[Event]) -> Iterator[ContractEvent]:
    """Yield those of the logs that are events of these types, decoded, in the same order."""
    by_topic = {event.topic: event for event in events}
    for each in found:
        log = each.log
        event = by_topic.get(log.topics[0]) if log.topics else None
        if event is not None:
            args = event.decode(log.topics, log.data)
            yield ContractEvent(
                event.name, args, log.address, each.height, each.transaction_hash, each.log_index
            )
