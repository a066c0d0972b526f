"""Messages to other chains: which logs they are, and what a block says of them."""

from __future__ import annotations

import pytest
from eth_abi import encode

from chainstack_sdk.core.merkle import EMPTY_BINARY_ROOT, binary_root
from chainstack_sdk.core.messages import HUB_ADDRESS, MESSAGE_TOPIC, messages_of, messages_root
from chainstack_sdk.core.receipts import Log, Receipt, logs_bloom
from chainstack_sdk.primitives.errors import InvariantBroken


def sent(message: bytes, *, by: bytes = HUB_ADDRESS, topic: bytes = MESSAGE_TOPIC) -> Log:
    return Log(by, (topic,), encode(["bytes"], [message]))


def receipt(*logs: Log) -> Receipt:
    return Receipt(bytes(32), 1, 0, logs_bloom(logs), logs, 0, 0, 1, 0, None, b"")


def root(*receipts: Receipt) -> bytes:
    bloom = 0
    for each in receipts:
        bloom |= each.bloom
    return messages_root(receipts, bloom)


def test_messages_are_the_hubs_events_in_order() -> None:
    first = receipt(sent(b"one"), sent(b"two" * 40))
    second = receipt(sent(b""))
    assert messages_of([first, second]) == [b"one", b"two" * 40, b""]
    assert root(first, second) == binary_root([b"one", b"two" * 40, b""])


def test_nobody_else_speaks_to_other_chains() -> None:
    others = receipt(
        sent(b"by another contract", by=b"\x01" * 20),
        sent(b"another event of the hub", topic=b"\x02" * 32),
        Log(HUB_ADDRESS, (), b""),
    )
    assert messages_of([others]) == []
    assert root(others) == EMPTY_BINARY_ROOT == root()


def test_the_hub_never_emits_half_a_message() -> None:
    log = Log(HUB_ADDRESS, (MESSAGE_TOPIC,), encode(["bytes"], [b"x" * 33])[:-32])
    with pytest.raises(InvariantBroken):
        messages_of([receipt(log)])
