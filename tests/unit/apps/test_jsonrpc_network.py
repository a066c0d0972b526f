from __future__ import annotations

import importlib.metadata

import chainstack_sdk


def test_the_node(ask) -> None:
    assert ask("web3_clientVersion") == f"chainstack_sdk/v{chainstack_sdk.__version__}/python"
    assert ask("net_version") == "31337"
    assert ask("eth_chainId") == hex(31337)
    assert ask("net_listening") is True
    assert ask("eth_syncing") is False
    assert ask("eth_accounts") == []


def test_sources_that_are_not_installed(ask, monkeypatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert ask("web3_clientVersion") == "chainstack_sdk/python"
