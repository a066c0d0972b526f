"""What the tests of standard machines share: a chain with a deployer, people, a clock, time that passes."""

from __future__ import annotations

import pytest

from chainstack_sdk import Chain, ManualClock, ether
from chainstack_sdk.machines import Machine, State, address, transfer, transition
from chainstack_sdk.testing.fixed import accounts


class Careless(Machine):
    """Sends coin wherever it is told, and asks nobody there."""

    only = State()

    @transition(only, payable=True)
    def give(self, to: address) -> None:
        transfer(to, self.value)


@pytest.fixture(scope="session")
def people():
    """Seven accounts; those of a chain here have coin."""
    return accounts(7)


@pytest.fixture
def clock():
    return ManualClock(step_ms=1)


@pytest.fixture
def chain(people, clock):
    funds = dict.fromkeys(people, ether(100))
    return Chain.in_memory(funds, clock=clock, auto_seal=True)


@pytest.fixture
def wait(chain, clock):
    """Let a machine be in its state for so many seconds; then its timer fires."""

    def pass_by(machine, seconds):
        since = chain.storage(machine.address, 0) >> 8 & 0xFFFF_FFFF_FFFF_FFFF
        clock.set_ms((since + seconds) * 1000)
        chain.seal()
        assert not machine.read("due")

    return pass_by


@pytest.fixture
def careless():
    """A machine that pays others, which are not asked."""
    return Careless
