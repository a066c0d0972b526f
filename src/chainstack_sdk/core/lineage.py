"""What the core demands of a header as the child of another, with nothing but the two at hand.

Whoever follows headers without blocks (a light client, an engine that compares branches) checks this first
and then the engine's own rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.blocks import VERSION
from chainstack_sdk.core.fees import next_base_fee
from chainstack_sdk.core.validation import expect
from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from chainstack_sdk.core.blocks import Header


def validate_lineage(header: Header, parent: Header) -> None:
    """Check that a header continues a valid one.

    What only a whole block or its execution shows is not covered: roots, receipts, the history root.

    Parameters
    ----------
    header
        Any header.
    parent
        One that has been checked itself.

    Raises
    ------
    InvalidInput
        With what was ``expected`` and what is there (``actual``).
    """
    base_fee = next_base_fee(parent.base_fee, parent.gas_used, parent.gas_limit)
    expect(header.version, VERSION, "version", header)
    expect(header.height, parent.height + 1, "height", header)
    expect(header.parent_hash, parent.hash, "parent hash", header)
    expect(header.chain_id, parent.chain_id, "chain id", header)
    expect(header.gas_limit, parent.gas_limit, "gas limit", header)
    expect(header.base_fee, base_fee, "base fee", header)
    if header.gas_used > header.gas_limit:
        raise InvalidInput(
            "a block uses more gas than it has",
            height=header.height,
            expected=header.gas_limit,
            actual=header.gas_used,
        )
    if header.timestamp_ms <= parent.timestamp_ms:
        raise InvalidInput(
            "a block is not younger than its parent",
            height=header.height,
            expected=parent.timestamp_ms,
            actual=header.timestamp_ms,
        )
