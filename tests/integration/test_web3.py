"""web3.py 8 in the same process: what its users do with a node, against the real client."""

from __future__ import annotations

import asyncio

import pytest
from web3 import AsyncWeb3, Web3
from web3.exceptions import (
    BlockNotFound,
    ContractCustomError,
    ContractLogicError,
    ContractPanicError,
    TransactionNotFound,
    Web3RPCError,
)
from web3.logs import DISCARD
from web3.middleware import SignAndSendRawMiddlewareBuilder

from chainstack_sdk import Account, ChainStack, ManualClock, ether
from chainstack_sdk.apps.web3_provider import AsyncChainProvider
from chainstack_sdk.core.trie import verify_proof
from chainstack_sdk.machines import (
    DEPLOYER_ADDRESS,
    Deployer,
    Event,
    Indexed,
    Machine,
    State,
    after,
    emit,
    uint256,
)
from chainstack_sdk.paradigms import (
    FACTORY_ADDRESS,
    Erc20,
    Factory,
    Paradigm,
    default_registry,
    external,
    panic,
)
from chainstack_sdk.primitives import EMPTY_HASH, EMPTY_ROOT, keccak256, to_checksum_address

ALICE, BOB, CAROL = (Account.from_key(keccak256(name)) for name in (b"alice", b"bob", b"carol"))
GWEI = 10**9


class Door(Paradigm):
    """Refuses in each of the ways that Solidity knows."""

    name = "door"

    @external("function enter(uint256 how) returns (uint256)")
    def enter(self, call, how):
        call.require(how != 0, "the door is closed")
        if how == 1:
            raise panic(0x11)
        return how


@pytest.fixture
def chain():
    registry = default_registry()
    registry.add(Door)
    return ChainStack.local(funds={ALICE: ether(100), BOB: ether(1)}, registry=registry).main


@pytest.fixture
def w3(chain):
    w3 = Web3(chain.web3_provider())
    w3.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build(ALICE.secret_key), layer=0)
    w3.eth.default_account = ALICE.checksum_address
    return w3


@pytest.fixture
def gold(chain, w3):
    token = chain.erc20.issue(ALICE, name="Gold", symbol="GLD", supply=1_000_000)
    return w3.eth.contract(to_checksum_address(token), abi=token.abi)


def issue(w3, paradigm, config=b""):
    """Issue a contract as any client would: by the factory's ABI."""
    factory = w3.eth.contract(to_checksum_address(FACTORY_ADDRESS), abi=Factory.abi())
    receipt = w3.eth.wait_for_transaction_receipt(factory.functions.issue(paradigm.name, config).transact())
    (issued,) = factory.events.Issued().process_receipt(receipt, errors=DISCARD)
    assert issued.args.instance == receipt.contractAddress
    return w3.eth.contract(receipt.contractAddress, abi=paradigm.abi())


def test_the_node(chain, w3):
    assert w3.is_connected(show_traceback=True)
    assert w3.client_version.startswith("chainstack_sdk/")
    assert w3.eth.chain_id == chain.chain_id == 31337
    assert w3.net.version == "31337"
    assert w3.net.listening
    assert w3.eth.syncing is False
    assert w3.eth.accounts == []
    assert w3.eth.block_number == 0


def test_balances(w3):
    assert w3.eth.get_balance(ALICE.checksum_address) == ether(100)
    assert w3.eth.get_balance(CAROL.checksum_address) == 0


def test_token_issued_through_the_factory(w3):
    config = Erc20.encode_config(
        {"name": "Silver", "symbol": "SLV", "supply": 500, "owner": ALICE.address, "decimals": 2}
    )
    silver = issue(w3, Erc20, config)
    assert w3.eth.get_code(silver.address)[:2] == bytes.fromhex("ef43")
    functions = silver.functions
    assert functions.name().call() == "Silver"
    assert functions.symbol().call() == "SLV"
    assert functions.decimals().call() == 2
    assert functions.balanceOf(ALICE.checksum_address).call() == functions.totalSupply().call() == 500


def test_token_transfer(chain, w3, gold):
    digest = gold.functions.transfer(BOB.checksum_address, 25).transact()
    receipt = w3.eth.wait_for_transaction_receipt(digest)
    assert receipt.status == 1
    assert receipt["from"] == ALICE.checksum_address
    assert receipt.to == gold.address
    assert receipt.contractAddress is None
    assert receipt.type == 2
    assert receipt.blockNumber == w3.eth.block_number
    assert receipt.transactionHash == digest
    assert receipt.gasUsed == receipt.cumulativeGasUsed == chain.receipt(bytes(digest)).gas_used
    assert gold.functions.balanceOf(BOB.checksum_address).call() == 25
    assert gold.functions.balanceOf(BOB.checksum_address).call(block_identifier=1) == 0
    (event,) = gold.events.Transfer().process_receipt(receipt)
    assert event.args == {"from": ALICE.checksum_address, "to": BOB.checksum_address, "value": 25}


def test_transfer_events(w3, gold):
    for value, to in ((1, BOB), (2, CAROL), (3, BOB)):
        gold.functions.transfer(to.checksum_address, value).transact()
    events = gold.events.Transfer().get_logs(from_block=0)
    assert [event.args.value for event in events] == [1_000_000, 1, 2, 3]
    assert [event.blockNumber for event in events] == [1, 2, 3, 4]
    to_bob = gold.events.Transfer().get_logs(from_block=0, argument_filters={"to": BOB.checksum_address})
    assert [event.args.value for event in to_bob] == [1, 3]
    block = w3.eth.get_block(3)
    (log,) = w3.eth.get_logs({"blockHash": block.hash})
    assert (log.blockHash, log.logIndex, log.transactionIndex) == (block.hash, 0, 0)
    assert log.transactionHash == block.transactions[0]
    assert w3.eth.get_logs({"fromBlock": 0, "address": BOB.checksum_address}) == []


def test_estimate_is_what_is_used_and_suffices(w3, gold):
    transfer = gold.functions.transfer(BOB.checksum_address, 25)
    estimate = transfer.estimate_gas()
    receipt = w3.eth.wait_for_transaction_receipt(transfer.transact({"gas": estimate}))
    assert (receipt.status, receipt.gasUsed) == (1, estimate)


def test_estimate_counts_an_access_list(w3):
    plain = {"from": ALICE.checksum_address, "to": BOB.checksum_address, "value": 1}
    listed = [{"address": CAROL.checksum_address, "storageKeys": ["0x" + "00" * 32]}]
    assert w3.eth.estimate_gas(plain) == 21_000
    estimate = w3.eth.estimate_gas({**plain, "accessList": listed})
    assert estimate == 21_000 + 2_400 + 1_900
    digest = w3.eth.send_transaction({**plain, "accessList": listed, "gas": estimate})
    assert w3.eth.wait_for_transaction_receipt(digest).gasUsed == estimate
    assert w3.eth.get_transaction(digest).accessList[0].address == CAROL.checksum_address


def test_a_custom_error_is_told(gold):
    with pytest.raises(ContractCustomError) as caught:
        gold.functions.transfer(BOB.checksum_address, 1_000_001).call()
    error = next(error for error in Erc20.abi_errors if error.name == "ERC20InsufficientBalance")
    decoded = error.decode(bytes.fromhex(caught.value.data[2:]))
    assert tuple(decoded.values()) == (ALICE.address, 1_000_000, 1_000_001)
    with pytest.raises(ContractCustomError):
        gold.functions.transfer(BOB.checksum_address, 1_000_001).transact()


def test_a_reason_in_words_is_told(w3):
    door = issue(w3, Door)
    for attempt in (door.functions.enter(0).call, door.functions.enter(0).transact):
        with pytest.raises(ContractLogicError, match=r"^\('execution reverted: the door is closed'"):
            attempt()
    with pytest.raises(ContractPanicError, match="overflow"):
        door.functions.enter(1).call()
    assert door.functions.enter(2).call() == 2


def test_an_unknown_function_reverts_without_data(w3, gold):
    with pytest.raises(ContractLogicError, match="execution reverted") as caught:
        w3.eth.call({"to": gold.address, "data": "0x12345678"})
    assert caught.value.data == "0x"


def test_a_failed_transaction_is_in_a_block(w3, gold):
    transfer = gold.functions.transfer(BOB.checksum_address, 1_000_001)
    receipt = w3.eth.wait_for_transaction_receipt(transfer.transact({"gas": 100_000}))
    assert (receipt.status, receipt.logs) == (0, [])


def test_refused_transactions(w3):
    def raw(**changes):
        fields = {
            "to": BOB.checksum_address,
            "value": 1,
            "gas": 21_000,
            "maxFeePerGas": 5 * GWEI,
            "maxPriorityFeePerGas": GWEI,
            "nonce": 0,
            "chainId": 31337,
        }
        return w3.eth.account.sign_transaction({**fields, **changes}, ALICE.secret_key).raw_transaction

    w3.eth.send_raw_transaction(raw())
    for changes, told in (
        ({"value": 2}, "nonce too low"),
        ({"nonce": 1, "value": ether(100)}, "insufficient funds for gas"),
        ({"nonce": 1, "maxFeePerGas": 1, "maxPriorityFeePerGas": 0}, "less than block base fee"),
        ({"nonce": 1, "chainId": 1}, "invalid chain id"),
        ({"nonce": 1, "gas": 2 * 10**9}, "exceeds block gas limit"),
    ):
        with pytest.raises(Web3RPCError, match=told):
            w3.eth.send_raw_transaction(raw(**changes))
    with pytest.raises(Web3RPCError, match="-32000"):
        w3.eth.send_raw_transaction(raw(nonce=1)[:-1])
    assert w3.eth.get_transaction_count(ALICE.checksum_address) == 1


FEES = {
    "legacy": ({"gasPrice": 3 * GWEI}, 0),
    "access list": ({"gasPrice": 3 * GWEI, "accessList": []}, 1),
    "dynamic fee": ({"maxFeePerGas": 3 * GWEI, "maxPriorityFeePerGas": GWEI}, 2),
}


@pytest.mark.parametrize(("fields", "kind"), FEES.values(), ids=FEES)
def test_coin_transfer(w3, fields, kind):
    transaction = {
        "to": CAROL.checksum_address,
        "value": 7,
        "gas": 21_000,
        "nonce": 0,
        "chainId": 31337,
        **fields,
    }
    signed = w3.eth.account.sign_transaction(transaction, ALICE.secret_key)
    digest = w3.eth.send_raw_transaction(signed.raw_transaction)
    assert digest == signed.hash
    receipt = w3.eth.wait_for_transaction_receipt(digest)
    found = w3.eth.get_transaction(digest)
    assert w3.eth.get_balance(CAROL.checksum_address) == 7
    assert found.type == receipt.type == kind
    assert (found["from"], found.to, found.value) == (ALICE.checksum_address, CAROL.checksum_address, 7)
    assert (found.nonce, found.gas, found.chainId, bytes(found.input)) == (0, 21_000, 31337, b"")
    assert (int(found.r.hex(), 16), int(found.s.hex(), 16), found.v) == (signed.r, signed.s, signed.v)
    base_fee = w3.eth.get_block(1).baseFeePerGas
    price = 3 * GWEI if kind < 2 else base_fee + GWEI
    assert receipt.effectiveGasPrice == found.gasPrice == price
    assert w3.eth.get_transaction_by_block(1, 0) == found


def test_default_fees_are_accepted(chain, w3):
    digest = w3.eth.send_transaction({"to": BOB.checksum_address, "value": 1})
    assert w3.eth.wait_for_transaction_receipt(digest).status == 1
    assert w3.eth.gas_price == chain.next_base_fee + w3.eth.max_priority_fee


def test_blocks(chain, w3, gold):
    digest = gold.functions.transfer(BOB.checksum_address, 1).transact()
    block = w3.eth.get_block("latest")
    head = chain.head
    assert block.number == 2
    assert block.hash == head.hash
    assert block.parentHash == chain.block(1).hash
    assert block.stateRoot == head.state_root
    assert block.timestamp == head.timestamp_ms // 1000
    assert block.size == len(head.encode())
    assert block.transactions == [digest]
    assert w3.eth.get_block(block.hash) == block
    assert w3.eth.get_block("finalized") == w3.eth.get_block("pending") == block
    assert w3.eth.get_block_transaction_count(2) == 1
    full = w3.eth.get_block("latest", full_transactions=True)
    assert full.transactions == [w3.eth.get_transaction(digest)]
    assert w3.eth.get_block_receipts("latest") == [w3.eth.get_transaction_receipt(digest)]
    assert w3.eth.get_block("earliest").number == 0
    with pytest.raises(BlockNotFound):
        w3.eth.get_block(3)
    with pytest.raises(TransactionNotFound):
        w3.eth.get_transaction(b"\1" * 32)
    with pytest.raises(TransactionNotFound):
        w3.eth.get_transaction_receipt(b"\1" * 32)


def test_proofs(w3, gold):
    root = w3.eth.get_block("latest").stateRoot
    slot = int.from_bytes(keccak256(ALICE.address.rjust(32, b"\0") + bytes(32)), "big")
    proof = w3.eth.get_proof(gold.address, [slot, 9])
    found, absent = proof.storageProof
    assert int(found.value.hex(), 16) == 1_000_000
    assert int(absent.value.hex(), 16) == 0
    assert verify_proof(proof.storageHash, keccak256(bytes(found.key)), found.proof) is not None
    assert verify_proof(proof.storageHash, keccak256(bytes(absent.key)), absent.proof) is None
    assert verify_proof(root, keccak256(bytes.fromhex(gold.address[2:])), proof.accountProof) is not None
    assert w3.eth.get_storage_at(gold.address, slot) == (1_000_000).to_bytes(32, "big")
    nobody = w3.eth.get_proof(CAROL.checksum_address, [])
    assert verify_proof(root, keccak256(CAROL.address), nobody.accountProof) is None
    assert (nobody.nonce, nobody.balance) == (0, 0)
    assert (nobody.codeHash, nobody.storageHash) == (EMPTY_HASH, EMPTY_ROOT)


def test_fee_history(w3):
    for tip in (1, 5):
        w3.eth.send_transaction(
            {
                "to": BOB.checksum_address,
                "value": 1,
                "maxFeePerGas": 9 * GWEI,
                "maxPriorityFeePerGas": tip * GWEI,
            }
        )
    history = w3.eth.fee_history(2, "latest", [0, 50, 100])
    assert history.oldestBlock == 1
    assert len(history.baseFeePerGas) == 3
    assert history.baseFeePerGas[0] == w3.eth.get_block(1).baseFeePerGas
    assert history.gasUsedRatio == [21_000 / 10**9] * 2
    assert history.reward == [[GWEI] * 3, [5 * GWEI] * 3]


def test_filters(w3, gold):
    blocks = w3.eth.filter("latest")
    transfers = gold.events.Transfer.create_filter(from_block="latest")
    digest = gold.functions.transfer(BOB.checksum_address, 11).transact()
    assert blocks.get_new_entries() == [w3.eth.get_block("latest").hash]
    (event,) = transfers.get_new_entries()
    assert (event.args.value, event.transactionHash) == (11, digest)
    assert transfers.get_new_entries() == blocks.get_new_entries() == []
    assert [entry.args.value for entry in transfers.get_all_entries()] == [11]
    assert w3.eth.uninstall_filter(blocks.filter_id)
    assert not w3.eth.uninstall_filter(blocks.filter_id)


def test_snapshots_and_blocks_on_demand(chain, w3):
    number = w3.testing.snapshot()
    w3.eth.send_transaction({"to": CAROL.checksum_address, "value": 1})
    w3.testing.mine(2)
    assert w3.eth.block_number == 3
    w3.testing.revert(number)
    assert w3.eth.block_number == 0
    assert w3.eth.get_balance(CAROL.checksum_address) == 0
    chain.clock.advance(3600)
    w3.testing.mine()
    assert w3.eth.get_block(1).timestamp - w3.eth.get_block(0).timestamp == 3600


def test_transactions_that_wait(chain, w3):
    chain.auto_seal = False
    digest = w3.eth.send_transaction({"to": BOB.checksum_address, "value": 1})
    waiting = w3.eth.get_transaction(digest)
    assert (waiting.blockHash, waiting.blockNumber, waiting.transactionIndex) == (None, None, None)
    assert w3.eth.get_transaction_count(ALICE.checksum_address) == 0
    assert w3.eth.get_transaction_count(ALICE.checksum_address, "pending") == 1
    w3.eth.send_transaction({"to": BOB.checksum_address, "value": 2})
    w3.testing.mine()
    block = w3.eth.get_block("latest")
    assert len(block.transactions) == 2
    assert w3.eth.get_transaction(digest).blockHash == block.hash
    assert w3.eth.get_transaction_count(ALICE.checksum_address) == 2


def test_batches(w3, gold):
    with w3.batch_requests() as batch:
        batch.add(w3.eth.get_balance(BOB.checksum_address))
        batch.add(gold.functions.balanceOf(ALICE.checksum_address))
        batch.add(w3.eth.get_block("latest"))
        balance, tokens, block = batch.execute()
    assert (balance, tokens, block.number) == (ether(1), 1_000_000, 1)


def test_async_client(chain, gold):
    async def use() -> None:
        w3 = AsyncWeb3(AsyncChainProvider(chain))
        assert await w3.is_connected()
        assert await w3.eth.get_balance(ALICE.checksum_address) == chain.balance(ALICE)
        token = w3.eth.contract(gold.address, abi=gold.abi)
        assert await token.functions.totalSupply().call() == 1_000_000
        with pytest.raises(ContractCustomError):
            await token.functions.transfer(BOB.checksum_address, 1).call({"from": CAROL.checksum_address})
        async with w3.batch_requests() as batch:
            batch.add(w3.eth.chain_id)
            batch.add(w3.eth.get_balance(BOB.checksum_address))
            assert await batch.async_execute() == [31337, ether(1)]

    asyncio.run(use())


class Bell(Machine):
    """Rings when its time has come."""

    waiting = State()
    rung = State(final=True)

    class Rang(Event):
        at: Indexed[uint256]

    @after(waiting, 60, rung)
    def ring(self) -> None:
        emit(self.Rang(self.now))


def test_a_timer_of_a_machine(chain, w3):
    bell = Bell.deploy(chain, ALICE)
    chain.clock = ManualClock(chain.head.timestamp_ms + 60_000)
    chain.seal()
    contract = w3.eth.contract(to_checksum_address(bell.address), abi=bell.abi)
    (event,) = contract.events.Rang().get_logs(from_block=0)
    assert event.args.at == w3.eth.get_block("latest").timestamp
    receipt = w3.eth.get_transaction_receipt(event.transactionHash)
    assert (receipt.blockNumber, receipt.status, receipt.gasUsed, receipt.to) == (chain.height, 1, 0, None)
    deployer = w3.eth.contract(to_checksum_address(DEPLOYER_ADDRESS), abi=Deployer.abi())
    (told,) = deployer.events.TimerFired().process_receipt(receipt, errors=DISCARD)
    assert told.args == {"machine": contract.address, "timer": "ring"}
    assert w3.eth.get_block("latest").transactions == []
    with pytest.raises(TransactionNotFound):
        w3.eth.get_transaction(event.transactionHash)
