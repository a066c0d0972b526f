"""What the tests of standard machines share: a chain with a deployer, people, a clock, time that passes."""

from __future__ import annotations

import pytest

from chainstack_sdk import Chain, ChainConfig, ManualClock, ether
from chainstack_sdk.core.config import AccountConfig
from chainstack_sdk.machines import DEPLOYER_ADDRESS, DEPLOYER_CODE
from chainstack_sdk.testing.fixed import accounts


@pytest.fixture(scope="session")
def people():
    """Seven accounts; those of a chain here have coin."""
    return accounts(7)


@pytest.fixture
def clock():
    return ManualClock(step_ms=1)


@pytest.fixture
def chain(people, clock):
    config = ChainConfig(
        funds={account.checksum_address: ether(100) for account in people},
        accounts={"0x" + DEPLOYER_ADDRESS.hex(): AccountConfig(nonce=1, code=DEPLOYER_CODE)},
    )
    return Chain.in_memory(config=config, clock=clock, auto_seal=True)


@pytest.fixture
def wait(chain, clock, people):
    """Let a machine be in its state for so many seconds; then let its timer fire, by itself or touched."""

    def pass_by(machine, seconds):
        since = chain.storage(machine.address, 0) >> 8 & 0xFFFF_FFFF_FFFF_FFFF
        clock.set_ms((since + seconds) * 1000)
        chain.seal()
        if machine.read("due"):
            machine.send(people[-1], "poke")

    return pass_by
