"""Methods about the node itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chainstack_sdk.apps.jsonrpc.host import RpcHost


def client_version(_host: RpcHost) -> str:
    """``web3_clientVersion``."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"chainstack_sdk/v{version('chainstack-sdk')}/python"
    except PackageNotFoundError:  # the sources were copied, not installed
        return "chainstack_sdk/python"


def chain_id(host: RpcHost) -> str:
    """``eth_chainId``."""
    return hex(host.blockchain.genesis.chain_id)


def network_id(host: RpcHost) -> str:
    """``net_version``: the chain id, in decimal digits."""
    return str(host.blockchain.genesis.chain_id)


def listening(_host: RpcHost) -> bool:
    """``net_listening``: whoever gets an answer has been heard."""
    return True


def syncing(_host: RpcHost) -> bool:
    """``eth_syncing``: the chain is always as far as it can be."""
    return False


def accounts(_host: RpcHost) -> list[str]:
    """``eth_accounts``: the node holds no keys."""
    return []
