"""Fixtures for pytest: a funded chain for each test, ready to use.

In a ``conftest.py``::

    pytest_plugins = ["chainstack_sdk.testing.pytest_plugin"]

and in a test::

    def test_pay(chain, accounts):
        alice, bob = accounts[:2]
        before = chain.balance(bob)
        chain.transfer(alice, bob, 5)
        assert chain.balance(bob) == before + 5

To have another chain, define a fixture named ``stack`` of your own; ``chain`` follows it. Not for
production: anybody can make the keys of the accounts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chainstack_sdk.primitives.units import ether
from chainstack_sdk.stack import ChainStack
from chainstack_sdk.testing.fixed import accounts as make_accounts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainstack_sdk.chain import Chain
    from chainstack_sdk.primitives.keys import Account

ACCOUNTS = 10
"""How many accounts there are."""
FUNDS = ether(10_000)
"""What each has, in wei."""


@pytest.fixture(scope="session")
def accounts() -> tuple[Account, ...]:
    """Ten accounts that are the same in every run, each with 10,000 ether on the fixtures' chain."""
    return tuple(make_accounts(ACCOUNTS))


@pytest.fixture
def stack(accounts: tuple[Account, ...]) -> Iterator[ChainStack]:
    """Give each test a system in memory of its own; every transaction is sealed at once."""
    with ChainStack.local(dict.fromkeys(accounts, FUNDS)) as made:
        yield made


@pytest.fixture
def chain(stack: ChainStack) -> Chain:
    """Return the main chain of the fixture ``stack``."""
    return stack.main
