"""What a runtime does at the end of a block, and the receipt of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chainstack_sdk.core.bloom import bloom_may_contain
from chainstack_sdk.core.call import Call
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.core.merkle import binary_root
from chainstack_sdk.core.queries import find_logs, find_receipt, find_transaction, trace
from chainstack_sdk.core.receipts import CLOSING_DOMAIN, Receipt, closing_hash, receipt_item
from chainstack_sdk.core.transactions import decode_transaction
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.testing import NullRuntime, ScriptedContract, ScriptedRuntime, accounts
from chainstack_sdk.testing.bare import bare_chain, extend, payment

if TYPE_CHECKING:
    from chainstack_sdk.core.chain import Blockchain
    from chainstack_sdk.core.environment import Environment

ALICE, BOB = accounts(2)
BELL, CODE = b"\xbe" * 20, b"bell"
RUNG, HEARD = b"\x01" * 32, b"\x02" * 32
SLOT = bytes(32)


def ring(env: Environment) -> None:
    """Ring on every second block, and count."""
    assert (env.origin, env.gas, env.gas_price, env.logs, env.issued) == (bytes(20), 0, 0, [], None)
    if env.block.height % 2 == 0:
        env.gas = 100_000
        bell = Call(env, BELL, BELL, 0, 1, False)
        bell.try_add(SLOT, 1)
        bell.log([RUNG], env.block.height.to_bytes(32))
        bell.log([], b"echo")
        env.issued = BOB.address  # not to be seen


def answer(call: Call, data: bytes) -> bytes:
    call.log([HEARD], data)
    return b""


def make(closing=ring) -> Blockchain:
    accounts = {ALICE.address: GenesisAccount(balance=10**18), BELL: GenesisAccount(nonce=1, code=CODE)}
    runtime = ScriptedRuntime({CODE: ScriptedContract({b"": answer})}, closing)
    return bare_chain(genesis=Genesis(accounts=accounts), runtime=runtime)


@pytest.fixture
def chain() -> Blockchain:
    chain = make()
    for nonce in range(3):
        extend(chain, payment(chain, ALICE, BELL, data=b"x", gas=100_000, nonce=nonce))
    extend(chain)
    return chain


def test_the_receipt_comes_last(chain: Blockchain) -> None:
    ledger = chain.ledger
    assert [len(ledger.receipts(height)) for height in range(5)] == [0, 1, 2, 1, 1]
    paid, closing = ledger.receipts(2)
    block = ledger.block(2)
    assert closing == Receipt(
        transaction_hash=closing_hash(2, block.parent_hash),
        status=1,
        cumulative_gas_used=paid.gas_used,
        bloom=closing.bloom,
        logs=((BELL, (RUNG,), (2).to_bytes(32)), (BELL, (), b"echo")),
        gas_used=0,
        effective_gas_price=0,
        height=2,
        transaction_index=1,
        contract_address=None,
        output=b"",
    )
    header = block.header
    assert header.receipts_root == binary_root([receipt_item(paid), receipt_item(closing)])
    assert header.gas_used == paid.gas_used
    assert int.from_bytes(header.logs_bloom) == paid.bloom | closing.bloom
    assert bloom_may_contain(closing.bloom, RUNG)
    assert chain.state.storage(BELL, SLOT) == 2


def test_its_hash_is_no_transactions(chain: Blockchain) -> None:
    block = chain.ledger.block(2)
    preimage = CLOSING_DOMAIN + (2).to_bytes(8) + block.parent_hash
    assert keccak256(preimage) == closing_hash(2, block.parent_hash)
    with pytest.raises(InvalidInput):
        decode_transaction(preimage)


def test_it_is_found(chain: Blockchain) -> None:
    for height in (2, 4):
        *_, closing = chain.ledger.receipts(height)
        assert find_receipt(chain, closing.transaction_hash) == closing
        assert find_transaction(chain, closing.transaction_hash) is None
        with pytest.raises(UsageError, match="no such transaction"):
            trace(chain, closing.transaction_hash)
    assert find_receipt(chain, closing_hash(3, chain.ledger.block(3).parent_hash)) is None
    rung = find_logs(chain, topics=[RUNG])
    places = [(each.height, each.transaction_index, each.log_index) for each in rung]
    assert places == [(2, 1, 1), (4, 0, 0)]
    assert [each.log_index for each in find_logs(chain, first=2, last=2)] == [0, 1, 2]


def test_whoever_runs_the_block_comes_to_it(chain: Blockchain) -> None:
    other = make()
    for height in range(1, 5):
        assert other.append(chain.ledger.block(height)) == chain.ledger.receipts(height)
    assert other.state.root == chain.state.root
    deaf = make(None)
    deaf.append(chain.ledger.block(1))
    with pytest.raises(InvalidInput, match="receipts root"):
        deaf.append(chain.ledger.block(2))
    assert deaf.height == 1


def test_undoing_and_going_on(chain: Blockchain) -> None:
    block, root = chain.ledger.block(4), chain.state.root
    (closing,) = chain.ledger.receipts(4)
    chain.undo()
    assert chain.state.storage(BELL, SLOT) == 1
    assert find_receipt(chain, closing.transaction_hash) is None
    chain.append(block)
    assert (chain.state.root, find_receipt(chain, closing.transaction_hash)) == (root, closing)
    with chain.state_at(3) as state:
        assert state.storage(BELL, SLOT) == 1


def test_what_logs_nothing_has_no_receipt() -> None:
    def count(env: Environment) -> None:
        env.gas = 100_000
        Call(env, BELL, BELL, 0, 1, False).try_add(SLOT, 1)

    chain = make(count)
    extend(chain)
    assert (chain.ledger.receipts(1), chain.state.storage(BELL, SLOT)) == ((), 1)
    NullRuntime().close_block(None)  # type: ignore[arg-type]  # looks at nothing


def test_an_error_leaves_the_chain_as_it_was(chain: Blockchain) -> None:
    def fail(env: Environment) -> None:
        ring(env)
        raise RuntimeError("broken")

    root = chain.state.root
    runtime = chain.runtime
    assert isinstance(runtime, ScriptedRuntime)
    runtime.closing = fail
    for _ in range(2):
        with pytest.raises(RuntimeError, match="broken"):
            extend(chain)
    assert (chain.height, chain.state.root, chain.state.checkpoint()) == (4, root, 0)
