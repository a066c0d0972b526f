"""web3.py talking to a chain in the same process, without a server: ``Web3(chain.web3_provider())``.

Importing this module imports web3 (about 1.5 seconds).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from chainstack_sdk.apps.jsonrpc import JsonRpc
from chainstack_sdk.primitives.errors import UsageError

try:
    from web3.providers.async_base import AsyncJSONBaseProvider
    from web3.providers.base import JSONBaseProvider
except ImportError:
    raise UsageError(
        "the provider needs the web3 package: pip install 'chainstack-sdk[web3]'", extra="web3"
    ) from None

if TYPE_CHECKING:
    from web3.types import RPCEndpoint, RPCResponse

    from chainstack_sdk.apps.jsonrpc import RpcHost


class ChainProvider(JSONBaseProvider):
    """A provider for :class:`web3.Web3` with filters and snapshots of its own.

    Parameters
    ----------
    host
        The chain. Whoever holds it may do anything with it, so ``evm_*`` methods are answered too.
    """

    def __init__(self, host: RpcHost) -> None:
        super().__init__()
        self._rpc = JsonRpc(host, development=True)

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Answer one request."""
        response: RPCResponse = _answer(self._rpc, self.encode_rpc_request(method, params))
        return response

    def make_batch_request(self, requests: list[tuple[RPCEndpoint, Any]]) -> list[RPCResponse]:
        """Answer many."""
        responses: list[RPCResponse] = _answer(self._rpc, self.encode_batch_rpc_request(requests))
        return responses


class AsyncChainProvider(AsyncJSONBaseProvider):
    """A provider for :class:`web3.AsyncWeb3`; requests run at once, on the calling task.

    Parameters
    ----------
    host
        As for :class:`ChainProvider`.
    """

    def __init__(self, host: RpcHost) -> None:
        super().__init__()
        self._rpc = JsonRpc(host, development=True)

    async def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Answer one request."""
        response: RPCResponse = _answer(self._rpc, self.encode_rpc_request(method, params))
        return response

    async def make_batch_request(self, requests: list[tuple[RPCEndpoint, Any]]) -> list[RPCResponse]:
        """Answer many."""
        responses: list[RPCResponse] = _answer(self._rpc, self.encode_batch_rpc_request(requests))
        return responses


def _answer(rpc: JsonRpc, encoded: bytes) -> Any:
    """Answer what web3's own encoder made of its HexBytes and AttributeDict."""
    return rpc.handle(json.loads(encoded))
