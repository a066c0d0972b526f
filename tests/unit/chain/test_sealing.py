from __future__ import annotations

import pytest

from chainstack_sdk import Account, Chain, UsageError, ether
from chainstack_sdk.core import Call
from chainstack_sdk.paradigms import Paradigm, default_registry, external

ALICE, BOB, CAROL = (Account.from_key(number) for number in (1, 2, 3))


class Divider(Paradigm):
    """A template with a mistake: it looks up what need not be there."""

    name = "divider"
    constructor = "constructor()"

    @external("function look(uint256 key)")
    def look(self, call: Call, key: int) -> None:
        call.store(bytes(32), {1: 10}[key])


@pytest.fixture
def chain() -> Chain:
    registry = default_registry()
    registry.add(Divider)
    return Chain.in_memory({ALICE: ether(1), BOB: ether(1)}, registry=registry)


def test_a_crashing_paradigm_costs_its_own_transaction_and_no_other(chain: Chain) -> None:
    divider = chain.paradigm("divider").issue(ALICE)
    data = divider.contract.abi_function("look").encode_call(2)
    root = chain.head.state_root
    bad = chain.send(chain.sign(ALICE, divider.address, data=data, gas=100_000))
    good = chain.send(chain.sign(BOB, CAROL, value=5))

    with pytest.raises(UsageError, match="contract code crashed") as caught:
        chain.seal()
    assert caught.value.transaction_hash == bad
    assert isinstance(caught.value.__cause__, KeyError)
    assert chain.blockchain.state.root == root
    assert chain.blockchain.state.checkpoint() == 0

    block = chain.seal()
    assert [transaction.hash for transaction in block.transactions] == [good]
    assert bad not in chain.pool
    assert chain.balance(CAROL) == 5


def test_what_follows_a_transaction_that_lost_its_funds_stays_in_the_pool(chain: Chain) -> None:
    other = Chain.in_memory({ALICE: ether(1), BOB: ether(1)}, registry=chain.registry)
    dear = chain.sign(ALICE, BOB, value=ether("0.4"), gas=21_000, nonce=1)
    cheap = chain.sign(ALICE, BOB, value=7, gas=21_000, nonce=2)
    chain.send_many([dear, cheap])
    other.transfer(ALICE, CAROL, ether("0.9"))
    chain.append(other.head)  # somebody else's block spends what the dear one needs

    assert chain.seal().transactions == ()
    assert dear.hash not in chain.pool
    assert cheap.hash in chain.pool

    instead = chain.send(chain.sign(ALICE, BOB, value=1, gas=21_000, nonce=1))
    assert [transaction.hash for transaction in chain.seal().transactions] == [instead, cheap.hash]


def test_a_transaction_beyond_a_gap_waits_for_the_missing_nonce(chain: Chain) -> None:
    later = chain.sign(ALICE, BOB, value=1, gas=21_000, nonce=1)
    chain.send(later)
    assert chain.seal().transactions == ()
    assert later.hash in chain.pool
    chain.send(chain.sign(ALICE, BOB, value=2, gas=21_000, nonce=0))
    assert len(chain.seal().transactions) == 2
