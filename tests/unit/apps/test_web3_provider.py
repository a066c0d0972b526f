from __future__ import annotations

import sys

import pytest

from chainstack_sdk import UsageError

MODULE = "chainstack_sdk.apps.web3_provider"


def test_without_web3_the_extra_is_named(town, monkeypatch) -> None:
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    monkeypatch.setitem(sys.modules, "web3.providers.async_base", None)
    with pytest.raises(UsageError, match=r"chainstack-sdk\[web3\]") as caught:
        town.chain.web3_provider()
    assert caught.value.extra == "web3"


def test_values_of_web3_become_json(town) -> None:
    from hexbytes import HexBytes
    from web3.datastructures import AttributeDict

    provider = town.chain.web3_provider()
    request = AttributeDict({"to": "0x" + town.bob.address.hex(), "data": HexBytes("0x"), "value": "0x0"})
    answer = provider.make_request("eth_call", (request, "latest"))
    assert answer["result"] == "0x"
    head = HexBytes(town.chain.head.hash)
    assert provider.make_request("eth_getBlockByHash", [head, False])["result"]["number"] == "0x3"
    first, second = provider.make_batch_request([("eth_chainId", []), ("eth_nothing", [])])
    assert (first["result"], second["error"]["code"]) == ("0x7a69", -32601)
    assert first["id"] != second["id"]
