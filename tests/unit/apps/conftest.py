"""A chain with a token, and a short way to ask it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from chainstack_sdk import Account, Chain, ChainStack, ether
from chainstack_sdk.apps.jsonrpc import JsonRpc
from chainstack_sdk.paradigms import Erc20Token
from chainstack_sdk.primitives import keccak256


@dataclass(frozen=True, slots=True)
class Town:
    """Block 1 issues the token; blocks 2 and 3 have one transfer each, of 5 and of 7."""

    chain: Chain
    token: Erc20Token
    alice: Account
    bob: Account


@pytest.fixture
def town() -> Town:
    alice, bob = (Account.from_key(keccak256(name)) for name in (b"alice", b"bob"))
    chain = ChainStack.local(funds={alice: ether(100)}, consensus="instant").main
    token = chain.erc20.issue(alice, name="Gold", symbol="GLD", supply=1_000)
    token.transfer(alice, bob, 5)
    token.transfer(alice, bob, 7)
    return Town(chain, token, alice, bob)


class Refusal(Exception):
    """The error member of a response."""

    def __init__(self, error: dict[str, Any]) -> None:
        self.code, self.data = error["code"], error.get("data")
        super().__init__(f"{self.code} {error['message']}")


Ask = Callable[..., Any]


@pytest.fixture
def rpc(town: Town) -> JsonRpc:
    return JsonRpc(town.chain, development=True)


@pytest.fixture
def ask(rpc: JsonRpc) -> Ask:
    def ask(method: str, *params: Any) -> Any:
        response = rpc.handle({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        assert response.keys() - {"result", "error"} == {"jsonrpc", "id"}
        if "error" in response:
            raise Refusal(response["error"])
        return response["result"]

    return ask


@pytest.fixture
def refused() -> Callable[..., Any]:
    """Expect an error with a code and a pattern."""

    def refused(code: int, told: str = "") -> Any:
        return pytest.raises(Refusal, match=f"^{code} .*{told}")

    return refused
