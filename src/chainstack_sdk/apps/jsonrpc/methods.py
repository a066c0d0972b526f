"""The table of methods: for each its function and the parsers of its parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from chainstack_sdk.apps.jsonrpc import accounts, blocks, development, execution, fees, logs, network
from chainstack_sdk.apps.jsonrpc import parameters as p
from chainstack_sdk.apps.jsonrpc.errors import INVALID_PARAMS, RpcError
from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainstack_sdk.apps.jsonrpc.development import Development
    from chainstack_sdk.apps.jsonrpc.filters import FilterTable
    from chainstack_sdk.apps.jsonrpc.host import RpcHost

Parser: TypeAlias = "Callable[[object], Any]"


@dataclass(frozen=True, slots=True)
class Method:
    """One JSON-RPC method."""

    run: Callable[..., Any]
    """Takes the host and the parsed parameters; returns JSON."""
    required: tuple[Parser, ...] = ()
    optional: tuple[tuple[Parser, Any], ...] = ()
    """Parsers of further parameters, each with the value when it is left out or null."""

    def __call__(self, host: RpcHost, params: list[Any]) -> Any:
        """Parse the parameters and run.

        Raises
        ------
        RpcError
            When a parameter is missing, too many or wrong.
        ChainStackError
            Whatever the function raises.
        """
        return self.run(host, *self._parse(params))

    def _parse(self, params: list[Any]) -> list[Any]:
        least, most = len(self.required), len(self.required) + len(self.optional)
        if not least <= len(params) <= most:
            expected = str(least) if least == most else f"{least} to {most}"
            raise RpcError(f"takes {expected} parameters, not {len(params)}", code=INVALID_PARAMS)
        arguments = []
        padded = [*params, *[None] * (most - len(params))]
        parsers: list[tuple[Parser, Any]] = [*((parse, None) for parse in self.required), *self.optional]
        for index, (value, (parse, default)) in enumerate(zip(padded, parsers, strict=True)):
            if value is None and index >= least:
                arguments.append(default)
                continue
            try:
                arguments.append(parse(value))
            except InvalidInput as error:
                raise RpcError(f"parameter {index + 1}: {error}", code=INVALID_PARAMS) from None
        return arguments


_BLOCK = ((p.block, p.LATEST),)

METHODS: dict[str, Method] = {
    "web3_clientVersion": Method(network.client_version),
    "net_version": Method(network.network_id),
    "net_listening": Method(network.listening),
    "eth_chainId": Method(network.chain_id),
    "eth_syncing": Method(network.syncing),
    "eth_accounts": Method(network.accounts),
    "eth_blockNumber": Method(blocks.block_number),
    "eth_gasPrice": Method(fees.gas_price),
    "eth_maxPriorityFeePerGas": Method(fees.max_priority_fee_per_gas),
    "eth_feeHistory": Method(fees.fee_history, (fees.block_count, p.height), ((fees.percentiles, ()),)),
    "eth_getBalance": Method(accounts.get_balance, (p.address,), _BLOCK),
    "eth_getTransactionCount": Method(accounts.get_transaction_count, (p.address,), _BLOCK),
    "eth_getCode": Method(accounts.get_code, (p.address,), _BLOCK),
    "eth_getStorageAt": Method(accounts.get_storage_at, (p.address, p.slot), _BLOCK),
    "eth_getProof": Method(
        accounts.get_proof, (p.address, p.array(p.slot, most=accounts.MAX_PROVEN_SLOTS)), _BLOCK
    ),
    "eth_call": Method(execution.call, (execution.call_request,), _BLOCK),
    "eth_estimateGas": Method(execution.estimate_gas, (execution.call_request,), _BLOCK),
    "eth_sendRawTransaction": Method(execution.send_raw_transaction, (p.data,)),
    "eth_getTransactionByHash": Method(blocks.get_transaction, (p.hash32,)),
    "eth_getTransactionByBlockNumberAndIndex": Method(blocks.get_transaction_of_block, (p.height, p.uint64)),
    "eth_getTransactionByBlockHashAndIndex": Method(blocks.get_transaction_of_block, (p.hash32, p.uint64)),
    "eth_getTransactionReceipt": Method(blocks.get_receipt, (p.hash32,)),
    "eth_getBlockReceipts": Method(blocks.get_block_receipts, (p.block,)),
    "eth_getBlockByNumber": Method(blocks.get_block, (p.height,), ((p.boolean, False),)),
    "eth_getBlockByHash": Method(blocks.get_block, (p.hash32,), ((p.boolean, False),)),
    "eth_getBlockTransactionCountByNumber": Method(blocks.transaction_count_of_block, (p.height,)),
    "eth_getBlockTransactionCountByHash": Method(blocks.transaction_count_of_block, (p.hash32,)),
    "eth_getLogs": Method(logs.get_logs, (logs.log_filter,)),
}
"""What needs no memory between requests."""


def filter_methods(table: FilterTable) -> dict[str, Method]:
    """Return the methods of a session's filters."""
    return {
        "eth_newFilter": Method(table.new_log_filter, (logs.log_filter,)),
        "eth_newBlockFilter": Method(table.new_block_filter),
        "eth_getFilterChanges": Method(table.changes, (p.uint64,)),
        "eth_getFilterLogs": Method(table.logs, (p.uint64,)),
        "eth_uninstallFilter": Method(table.uninstall, (p.uint64,)),
    }


def development_methods(session: Development) -> dict[str, Method]:
    """Return the methods of a development chain."""
    return {
        "evm_snapshot": Method(session.snapshot),
        "evm_revert": Method(session.revert, (p.count,)),
        "evm_mine": Method(development.mine, (), ((development.block_count, 1),)),
        "evm_increaseTime": Method(development.increase_time, (p.count,)),
    }
