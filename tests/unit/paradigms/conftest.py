"""What the tests of contracts share: a chain, people, and a way to say what a revert must say."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from chainstack_sdk.chain import Chain
from chainstack_sdk.primitives.errors import Reverted
from chainstack_sdk.primitives.keys import Account


@pytest.fixture(scope="session")
def people():
    """Accounts for all tests; those of a chain here have coin."""
    return tuple(Account.from_key(number) for number in range(1, 7))


@pytest.fixture
def alice(people):
    return people[0]


@pytest.fixture
def bob(people):
    return people[1]


@pytest.fixture
def carol(people):
    return people[2]


@pytest.fixture
def dave(people):
    return people[3]


@pytest.fixture
def make_chain(people):
    """Make a chain on which everybody has coin."""

    def make(**options):
        return Chain.in_memory(dict.fromkeys(people, 10**20), auto_seal=True, **options)

    return make


@pytest.fixture
def chain(make_chain):
    return make_chain()


@pytest.fixture
def reverts():
    """`with reverts(error, *values)`: exactly this revert data, and the decoded reason in the message."""

    @contextmanager
    def expect(error, *values):
        with pytest.raises(Reverted) as caught:
            yield caught
        if error is None:
            assert caught.value.data == b""
        elif isinstance(error, bytes):
            assert caught.value.data == error
        else:
            assert caught.value.data == error.encode(*values)
            assert error.name in caught.value.message

    return expect


@pytest.fixture
def emitted():
    """The (name, values) of a contract's events in a receipt, in order."""

    def read(receipt, *contracts):
        events = {event.topic: event for contract in contracts for event in contract.abi_events}
        decoded = []
        for log in receipt.logs:
            event = events[log.topics[0]]
            decoded.append((event.name, tuple(event.decode(log.topics, log.data).values())))
        return decoded

    return read
