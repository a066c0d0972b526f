"""The core without a facade."""

from __future__ import annotations

import pytest

from chainstack_sdk.consensus import InstantEngine
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.core.ledger import MemoryLedger
from chainstack_sdk.core.state import State
from chainstack_sdk.primitives.errors import InvalidInput, Rejected
from chainstack_sdk.testing import FixedFees, NullRuntime, accounts, bare_chain, extend, payment
from chainstack_sdk.testing.bare import PROPOSER

ALICE, BOB = accounts(2)


def test_the_simplest_chain() -> None:
    chain = bare_chain()
    assert chain.genesis == Genesis()
    assert extend(chain).height == 1


def test_funds_join_the_genesis() -> None:
    base = Genesis(chain_id=7, accounts={BOB.address: GenesisAccount(nonce=3)}, burn_base_fee=True)
    chain = bare_chain({ALICE: 10**20, "0x" + "0c" * 20: 1}, genesis=base)
    assert (chain.genesis.chain_id, chain.state.nonce(BOB.address)) == (7, 3)
    assert chain.state.supply() == 10**20 + 1
    block = extend(chain, payment(chain, ALICE, BOB, 5))
    assert chain.state.supply() == 10**20 + 1 - 21_000 * block.header.base_fee
    assert chain.state.balance(PROPOSER) == 21_000 * 10**9


def test_parts_may_be_given() -> None:
    ledger, state, runtime, fees = MemoryLedger(), State(), NullRuntime(), FixedFees()
    rule = InstantEngine().header_rule
    chain = bare_chain(
        {ALICE: 10**20}, ledger=ledger, state=state, runtime=runtime, fees=fees, header_rule=rule
    )
    assert (chain.ledger, chain.state, chain.runtime) == (ledger, state, runtime)
    with pytest.raises(InvalidInput):
        extend(chain, seal=b"seal")
    extend(chain, payment(chain, ALICE, BOB, 5))
    assert state.balance(PROPOSER) == 0


def test_a_payment() -> None:
    chain = bare_chain({ALICE: 10**20})
    simple = payment(chain, ALICE, BOB, 5)
    assert (simple.nonce, simple.gas, simple.value, simple.to) == (0, 21_000, 5, BOB.address)
    assert simple.max_fee_per_gas == chain.next_base_fee + simple.max_priority_fee_per_gas
    full = payment(chain, ALICE, BOB.address, data=b"\x01", gas=50_000, nonce=4, tip=7)
    assert (full.nonce, full.gas, full.data, full.max_priority_fee_per_gas) == (4, 50_000, b"\x01", 7)
    assert payment(chain, ALICE, BOB, data=b"\x01").gas == 21_016


def test_blocks() -> None:
    chain = bare_chain({ALICE: 10**20})
    first = extend(chain, payment(chain, ALICE, BOB, 5), seal=b"seal")
    assert (first.seal, first.header.proposer) == (b"seal", PROPOSER)
    assert extend(chain).timestamp_ms == first.timestamp_ms + 1_000


def test_nothing_is_appended_without_what_was_asked_for() -> None:
    chain = bare_chain({ALICE: 10**20})
    with pytest.raises(Rejected) as caught:
        extend(chain, payment(chain, ALICE, BOB, 5), payment(chain, BOB, ALICE, 6), payment(chain, BOB, BOB))
    assert (caught.value.code, chain.height) == ("insufficient_funds", 0)
