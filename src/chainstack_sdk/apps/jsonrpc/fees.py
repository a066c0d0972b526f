"""Methods about the price of gas."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

from chainstack_sdk.apps.jsonrpc import parameters
from chainstack_sdk.apps.jsonrpc.blocks import require_height
from chainstack_sdk.core.fees import next_base_fee
from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainstack_sdk.apps.jsonrpc.host import RpcHost
    from chainstack_sdk.apps.jsonrpc.parameters import BlockRef
    from chainstack_sdk.core.blocks import Header

SUGGESTED_TIP = 1_000_000_000
"""Wei for each gas above the base fee that clients are advised to offer: 1 gwei, whatever the chain's load.

Development nodes do the same. Who needs to be first finds what others paid by ``eth_feeHistory``.
"""
MAX_HISTORY = 1_024
"""Blocks in one ``eth_feeHistory`` (EIP-1559 clients agree on it); more are not refused but left out."""


def gas_price(host: RpcHost) -> str:
    """``eth_gasPrice``: the next block's base fee and the suggested tip, in wei."""
    return hex(host.blockchain.next_base_fee + SUGGESTED_TIP)


def max_priority_fee_per_gas(_host: RpcHost) -> str:
    """``eth_maxPriorityFeePerGas``, in wei."""
    return hex(SUGGESTED_TIP)


def block_count(value: object) -> int:
    """Parse the length of a fee history: at least one block."""
    count = parameters.count(value)
    if not count:
        raise InvalidInput("a fee history has at least one block")
    return count


def percentiles(value: object) -> tuple[float, ...]:
    """Parse percentiles: at most 100 JSON numbers from 0 to 100, ascending."""
    parsed = parameters.array(_percentile, most=100)(value)
    if any(after < before for before, after in pairwise(parsed)):
        raise InvalidInput("percentiles are in ascending order")
    return parsed


def _percentile(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        raise InvalidInput("not a number from 0 to 100")
    return value


def fee_history(host: RpcHost, count: int, newest: BlockRef, shares: Sequence[float]) -> dict[str, Any]:
    """``eth_feeHistory``: base fees, how full blocks were, and percentiles of the tips that were paid."""
    last = require_height(host, newest)
    first = max(last + 1 - min(count, MAX_HISTORY), 0)
    ledger = host.blockchain.ledger
    headers = [ledger.header(height) for height in range(first, last + 1)]
    newest_header = headers[-1]
    following = next_base_fee(newest_header.base_fee, newest_header.gas_used, newest_header.gas_limit)
    history: dict[str, Any] = {
        "oldestBlock": hex(first),
        "baseFeePerGas": [*(hex(header.base_fee) for header in headers), hex(following)],
        "gasUsedRatio": [header.gas_used / header.gas_limit for header in headers],
    }
    if shares:
        history["reward"] = [_rewards(host, header, shares) for header in headers]
    return history


def _rewards(host: RpcHost, header: Header, shares: Sequence[float]) -> list[str]:
    """Return the tip at each percentile of a block's gas, cheapest gas first; zeros for an empty block."""
    paid = sorted(
        (receipt.effective_gas_price - header.base_fee, receipt.gas_used)
        for receipt in host.blockchain.ledger.receipts(header.height)
        if receipt.gas_used  # a closing receipt has no price
    )
    if not paid:
        return ["0x0"] * len(shares)
    reached = list(accumulate(100 * gas for _tip, gas in paid[:-1]))
    return [hex(paid[bisect_left(reached, share * header.gas_used)][0]) for share in shares]
