"""A chain seen from its own consensus."""

from __future__ import annotations

import pytest

from chainstack_sdk.core.state import State
from chainstack_sdk.core.view import ChainView
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.testing import accounts, bare_chain, extend, payment

ALICE, BOB = accounts(2)


def test_a_view_shows_nothing_before_there_is_a_chain() -> None:
    state = State()
    view = ChainView(state)
    assert view.state is state
    for look in (lambda: view.blockchain, lambda: view.header(bytes(32))):
        with pytest.raises(UsageError, match="not been made"):
            look()


def test_a_view_follows_the_chain_it_is_bound_to() -> None:
    state = State()
    view = ChainView(state)
    chain = bare_chain({ALICE: 10**20}, state=state)
    view.bind(chain)
    assert view.blockchain is chain
    block = extend(chain, payment(chain, ALICE, BOB, 5))
    assert view.header(block.hash) == block.header
    assert view.header(bytes(32)) is None
    assert view.state.balance(BOB.address) == 5
