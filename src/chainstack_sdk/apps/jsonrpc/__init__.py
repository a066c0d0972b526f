"""Ethereum JSON-RPC as a pure function of a chain and a request; any server may be put in front of it."""

from chainstack_sdk.apps.jsonrpc.host import RpcHost
from chainstack_sdk.apps.jsonrpc.session import JsonRpc, handle

__all__ = ["JsonRpc", "RpcHost", "handle"]
