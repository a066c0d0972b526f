"""The composition root of a system of chains."""

from __future__ import annotations

import pytest

from chainstack_sdk import Chain, ChainConfig, ChainStack, UsageError, ether
from chainstack_sdk.core import MemoryStore
from chainstack_sdk.testing import accounts

ALICE, BOB = accounts(2)


def test_a_local_system() -> None:
    with ChainStack.local({ALICE: ether(1)}, chain_id=7) as stack:
        assert isinstance(stack.main, Chain)
        assert (stack.main.chain_id, stack.main.auto_seal) == (7, True)
        assert stack.main.transfer(ALICE, BOB, 5).height == 1
        assert stack.main.balance(BOB) == 5


def test_sealing_by_hand() -> None:
    chain = ChainStack.local({ALICE: ether(1)}, auto_seal=False).main
    chain.send(chain.sign(ALICE, BOB, value=5))
    assert chain.height == 0
    assert len(chain.seal().transactions) == 1


def test_leaving_the_context_closes_the_chains() -> None:
    store = MemoryStore()
    with ChainStack(Chain.open(store, ChainConfig())):
        assert store.get(b"m") is not None
    with pytest.raises(UsageError, match="closed"):
        store.get(b"m")
