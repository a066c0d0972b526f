"""Reading a chain through the facade: by height and hash, now and as of a block."""

from __future__ import annotations

import pytest

from chainstack_sdk import Chain, InvalidInput, Rejected, Reverted, UsageError, ether
from chainstack_sdk.chain import ChainReader
from chainstack_sdk.core import MerklePatriciaTrie
from chainstack_sdk.core.receipts import Log
from chainstack_sdk.paradigms import FACTORY_ADDRESS, FACTORY_CODE, Erc20
from chainstack_sdk.primitives.address import to_checksum_address
from chainstack_sdk.testing import accounts

ALICE, BOB, CAROL = accounts(3)
BALANCE_OF = Erc20.abi_function("balanceOf")
TRANSFER = Erc20.abi_function("transfer")


@pytest.fixture(scope="module")
def chain() -> Chain:
    """Blocks: 1 issues a token, 2 to 4 pay BOB 1, 2, 3 wei and as many of the token. One payment waits."""
    chain = Chain.in_memory({ALICE: ether(1)})
    token = chain.erc20.issue(ALICE, name="Gold", symbol="GLD", supply=1_000)
    for amount in (1, 2, 3):
        chain.send(chain.sign(ALICE, BOB, value=amount))
        chain.send(chain.sign(ALICE, token.address, data=TRANSFER.encode_call(BOB.address, amount)))
        chain.seal()
    chain.send(chain.sign(ALICE, BOB, value=99))
    return chain


def token_of(chain: Chain) -> bytes:
    address = chain.receipts(1)[0].contract_address
    assert address is not None
    return address


def test_the_head(chain: Chain) -> None:
    assert (chain.chain_id, chain.height) == (31337, 4)
    assert chain.head == chain.block(4) == chain.blockchain.ledger.block(4)
    assert chain.next_base_fee == chain.blockchain.next_base_fee


def test_blocks_by_height_and_hash(chain: Chain) -> None:
    for height in range(5):
        block = chain.block(height)
        assert block.height == height
        assert chain.block(block.hash) == block
        assert chain.receipts(height) == chain.receipts(block.hash)
        assert len(chain.receipts(height)) == len(block.transactions)


@pytest.mark.parametrize("which", [-1, 5, bytes(32), b""])
def test_blocks_that_are_not_there(chain: Chain, which: int | bytes) -> None:
    for ask in (chain.block, chain.receipts):
        with pytest.raises(UsageError, match="no such block"):
            ask(which)


def test_transactions_and_receipts(chain: Chain) -> None:
    payment = chain.block(3).transactions[0]
    assert chain.transaction(payment.hash) == payment
    assert chain.receipt(payment.hash) == chain.receipts(3)[0] == chain.find_receipt(payment.hash)


def test_what_waits_has_no_receipt(chain: Chain) -> None:
    (waiting,) = chain.pool
    assert chain.transaction(waiting.hash) == waiting
    assert chain.find_receipt(waiting.hash) is None
    with pytest.raises(UsageError, match="waits"):
        chain.receipt(waiting.hash)


def test_what_is_not_there(chain: Chain) -> None:
    assert chain.find_receipt(bytes(32)) is None
    for ask in (chain.receipt, chain.transaction, chain.trace):
        with pytest.raises(UsageError, match="no such transaction"):
            ask(bytes(32))


def test_accounts_now_and_then(chain: Chain) -> None:
    assert [chain.balance(BOB, block=height) for height in range(5)] == [0, 0, 1, 3, 6]
    assert chain.balance(BOB) == 6
    assert [chain.nonce(ALICE, block=height) for height in range(5)] == [0, 1, 3, 5, 7]
    assert chain.nonce(ALICE) == 7
    assert chain.next_nonce(ALICE) == 8
    assert chain.next_nonce(BOB) == chain.nonce(BOB) == 0


def test_contracts_now_and_then(chain: Chain) -> None:
    token = token_of(chain)
    assert chain.code(FACTORY_ADDRESS) == FACTORY_CODE
    assert chain.code(token)[:2] == b"\xef\x43"
    assert chain.code(token, block=0) == b""
    assert chain.code(token, block=1) == chain.code(token)
    slots = [
        slot for change in chain.trace(chain.block(2).transactions[1].hash).storage for slot in [change.slot]
    ]
    numbers = [int.from_bytes(slot, "big") for slot in slots]
    assert sorted(chain.storage(token, number, block=4) for number in numbers) == [6, 994]
    assert sorted(chain.storage(token, number, block=2) for number in numbers) == [1, 999]
    assert [chain.storage(token, number) for number in numbers] == [
        chain.storage(token, number, block=4) for number in numbers
    ]


def test_every_spelling_of_an_address(chain: Chain) -> None:
    for who in (BOB, BOB.address, to_checksum_address(BOB), "0x" + BOB.address.hex()):
        assert chain.balance(who) == 6
    with pytest.raises(UsageError):
        chain.balance("BOB")


def test_asking_contracts(chain: Chain) -> None:
    token, data = token_of(chain), BALANCE_OF.encode_call(BOB.address)
    assert [int.from_bytes(chain.call(token, data, block=height), "big") for height in (1, 2, 3, 4)] == [
        0,
        1,
        3,
        6,
    ]
    assert chain.call(token, data) == chain.call(token, data, block=4)
    assert chain.call(BOB, b"anything") == b""


def test_trying_calls(chain: Chain) -> None:
    token = token_of(chain)
    found = chain.simulate(token, TRANSFER.encode_call(CAROL.address, 4), sender=ALICE)
    assert found.gas_used == chain.estimate_gas(token, TRANSFER.encode_call(CAROL.address, 4), sender=ALICE)
    (log,) = found.logs
    assert isinstance(log, Log)
    assert log.address == token
    assert chain.estimate_gas(BOB, sender=ALICE, value=1) == 21_000
    with pytest.raises(Reverted, match="ERC20InsufficientBalance"):
        chain.simulate(token, TRANSFER.encode_call(CAROL.address, 4), sender=CAROL)
    with pytest.raises(Rejected, match="coin"):
        chain.call(BOB, sender=CAROL, value=1)
    with pytest.raises(Reverted, match="out of gas"):
        chain.simulate(token, TRANSFER.encode_call(CAROL.address, 4), sender=ALICE, gas=25_000)


def test_calls_believe_in_the_next_block(chain: Chain) -> None:
    """So that an estimate is for the block in which the transaction will run."""
    before = (chain.clock.now_ms(), chain.head, len(chain.pool))
    context = chain._next_context()
    assert (context.height, context.parent_hash) == (5, chain.head.hash)
    assert context.timestamp_ms == chain.clock.next_block_ms(chain.head.timestamp_ms)
    chain.estimate_gas(token_of(chain), BALANCE_OF.encode_call(BOB.address))
    assert (chain.clock.now_ms(), chain.head, len(chain.pool)) == before


def test_a_trace(chain: Chain) -> None:
    told = chain.trace(chain.block(2).transactions[0].hash)
    assert told.receipt == chain.receipts(2)[0]
    assert {who: after - before for who, before, after in told.balances}[BOB.address] == 1


def test_logs(chain: Chain) -> None:
    token = token_of(chain)
    transfers = chain.logs(token)
    assert [log.height for log in transfers][-3:] == [2, 3, 4]
    assert chain.logs() != []
    assert chain.logs([token]) == chain.logs((to_checksum_address(token),)) == transfers
    assert chain.logs([token, BOB]) == transfers
    assert chain.logs(BOB) == chain.logs([BOB]) == []
    signature = transfers[-1].log.topics[0]
    assert chain.logs(token, [signature], 2) == transfers[-3:]
    assert chain.logs(token, [signature, None, bytes(12) + BOB.address], first=3, last=3) == transfers[-2:-1]
    assert chain.logs([]) == chain.logs()


def test_proofs(chain: Chain) -> None:
    for height in (None, 0, 1, 4):
        for address in (BOB, token_of(chain), CAROL):
            proof = chain.prove_account(address, [0, 5], block=height)
            proof.verify(chain.block(4 if height is None else height).state_root)
    with pytest.raises(InvalidInput):
        chain.prove_account(BOB).verify(MerklePatriciaTrie().root)


def test_supply(chain: Chain) -> None:
    assert chain.supply() == ether(1)


def test_a_reader_alone(chain: Chain) -> None:
    """Without a clock and an engine, calls run as part of the newest block."""
    reader = ChainReader(chain.blockchain, chain.pool)
    data = BALANCE_OF.encode_call(BOB.address)
    assert reader.call(token_of(chain), data) == chain.call(token_of(chain), data)
    assert reader._next_context() is None
