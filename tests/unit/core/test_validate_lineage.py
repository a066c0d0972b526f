from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk.core.validation import validate_lineage
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.testing import bare_chain, extend

CHAIN = bare_chain()
PARENT = CHAIN.head
CHILD = extend(CHAIN).header


def test_a_child_follows_its_parent() -> None:
    validate_lineage(CHILD, PARENT)
    validate_lineage(extend(CHAIN).header, CHILD)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"version": 2}, "wrong version"),
        ({"height": 2}, "wrong height"),
        ({"parent_hash": bytes(32)}, "wrong parent hash"),
        ({"chain_id": 1}, "wrong chain id"),
        ({"gas_limit": PARENT.gas_limit + 1}, "wrong gas limit"),
        ({"base_fee": CHILD.base_fee + 1}, "wrong base fee"),
        ({"gas_used": PARENT.gas_limit + 1}, "uses more gas"),
        ({"timestamp_ms": PARENT.timestamp_ms}, "younger than its parent"),
    ],
)
def test_what_does_not_follow_is_refused(changed: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        validate_lineage(replace(CHILD, **changed), PARENT)


def test_a_parent_may_be_full() -> None:
    full = replace(PARENT, gas_used=PARENT.gas_limit)
    base_fee = PARENT.base_fee + PARENT.base_fee // 8
    validate_lineage(replace(CHILD, parent_hash=full.hash, base_fee=base_fee), full)
