"""Blocks made elsewhere: one valid block, then everything about it that must be refused.

After each refusal the chain is as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from chainstack_sdk.consensus import InstantEngine
from chainstack_sdk.core.archive import NodeCodec, StoredCommitment
from chainstack_sdk.core.blocks import Block, certificate_hash
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.core.ledger import FlatCodec, StoredLedger
from chainstack_sdk.core.merkle import binary_root
from chainstack_sdk.core.state import State
from chainstack_sdk.core.store import MemoryStore
from chainstack_sdk.core.transactions import decode_transaction
from chainstack_sdk.core.transactions.known import known
from chainstack_sdk.core.validation import receipts_root, transactions_root
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode
from chainstack_sdk.testing import (
    AcceptAllHeaders,
    ScriptedContract,
    ScriptedRuntime,
    accounts,
    bare_chain,
    extend,
    payment,
)
from chainstack_sdk.testing.bare import PROPOSER

if TYPE_CHECKING:
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.call import Call
    from chainstack_sdk.core.chain import Blockchain
    from chainstack_sdk.core.transactions import Transaction

ALICE, BOB = accounts(2)
VAULT = b"\x0c" * 20
CODE = b"\xef\x43vault"
ONE = (1).to_bytes(32, "big")


def effects(call: Call, data: bytes) -> bytes:
    call.store(ONE, call.load(ONE) + 1)
    call.log([ONE], data)
    return b""


def blunder(call: Call, data: bytes) -> bytes:
    effects(call, data)
    raise UsageError("a mistake in the contract")


GENESIS = Genesis(
    accounts={
        ALICE.address: GenesisAccount(balance=10**20),
        BOB.address: GenesisAccount(balance=10**6),
        VAULT: GenesisAccount(nonce=1, code=CODE),
    },
    gas_limit=500_000,
)


def new_chain(kind: str) -> Blockchain:
    ledger: StoredLedger | None = None
    state: State | None = None
    store, identity = MemoryStore(), keccak256(GENESIS.encode())
    if kind == "store":
        ledger = StoredLedger(store, identity, FlatCodec())
    elif kind == "archive":
        commitment = StoredCommitment(store)
        ledger, state = StoredLedger(store, identity, NodeCodec(commitment)), State(commitment)
    runtime = ScriptedRuntime({CODE: ScriptedContract({b"": effects, b"oops": blunder})})
    rule = InstantEngine().header_rule
    return bare_chain(genesis=GENESIS, runtime=runtime, header_rule=rule, ledger=ledger, state=state)


SOURCE = new_chain("memory")
BLOCKS = [extend(SOURCE, payment(SOURCE, ALICE, BOB, 5)) for _ in range(2)]
BEFORE = SOURCE.state.nonce(ALICE.address)
FUNDS = SOURCE.state.balance(ALICE.address)
VALID = extend(
    SOURCE,
    payment(SOURCE, ALICE, BOB, 7),
    payment(SOURCE, ALICE, VAULT, data=b"log me", gas=90_000, nonce=BEFORE + 1),
)
RECEIPTS = SOURCE.ledger.receipts(3)


@pytest.fixture(params=["memory", "store", "archive"])
def chain(request: pytest.FixtureRequest) -> Blockchain:
    made = new_chain(request.param)
    for block in BLOCKS:
        made.append(block)
    return made


def picture(chain: Blockchain) -> tuple[object, ...]:
    state = chain.state
    facts = [(state.nonce(who), state.balance(who)) for who in (ALICE.address, BOB.address, VAULT, PROPOSER)]
    return (
        chain.head,
        chain.ledger.height,
        chain.history.root,
        state.root,
        state.checkpoint(),
        facts,
        state.storage(VAULT, ONE),
    )


def test_the_valid_block_is_appended(chain: Blockchain) -> None:
    assert chain.append(VALID) == RECEIPTS
    assert picture(chain) == picture(SOURCE)
    assert chain.ledger.block(3) == VALID


def test_the_valid_block_is_appended_from_its_bytes(chain: Blockchain) -> None:
    known.clear()
    assert chain.append(Block.decode(VALID.encode())) == RECEIPTS


class NoGuests(AcceptAllHeaders):
    """Takes candidates of one proposer only."""

    def validate_candidate(self, header: Header, parent: Header) -> None:
        assert parent == PARENT
        if header.proposer != PROPOSER:
            raise InvalidInput("a guest's block")


def test_a_candidate_is_checked_and_decided_later(chain: Blockchain) -> None:
    before = picture(chain)
    candidate = chain.check(VALID, NoGuests())
    assert (candidate.block, candidate.receipts, candidate.rejected) == (VALID, RECEIPTS, ())
    assert picture(chain) == before
    assert chain.commit(candidate) == VALID
    assert picture(chain) == picture(SOURCE)


def test_a_candidate_that_the_engine_does_not_want(chain: Blockchain) -> None:
    before = picture(chain)
    with pytest.raises(InvalidInput, match="guest"):
        chain.check(header(proposer=BOB.address)(VALID), NoGuests())
    assert picture(chain) == before


def test_an_executor_recovers_the_senders(chain: Blockchain) -> None:
    known.clear()
    with ThreadPoolExecutor(1) as executor:
        assert chain.check(Block.decode(VALID.encode()), NoGuests(), executor).receipts == RECEIPTS
    known.clear()
    with ThreadPoolExecutor(1) as executor:
        assert chain.append(Block.decode(VALID.encode()), executor) == RECEIPTS


Malleate = Callable[[Block], Block]


def header(**changes: Any) -> Malleate:
    return lambda block: replace(block, header=replace(block.header, **changes))


def transactions(choose: Callable[[tuple[Transaction, ...]], tuple[Transaction, ...]]) -> Malleate:
    """Change the transactions, and the root over them."""

    def malleate(block: Block) -> Block:
        chosen = choose(block.transactions)
        root = transactions_root(chosen)
        return Block(replace(block.header, transactions_root=root), chosen)

    return malleate


def flipped(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


def signed(index: int, **changes: Any) -> Malleate:
    """Put a transaction, in all else valid, at a place of the block."""
    fields = {"value": 1, "nonce": BEFORE + index, "to": BOB, "sender": ALICE, **changes}
    # The twin that stands where the block is appended, for its base fee.
    twin = new_chain("memory")
    for block in BLOCKS:
        twin.append(block)
    one = payment(twin, fields.pop("sender"), fields.pop("to"), **fields)
    return transactions(lambda all_: (*all_[:index], one, *all_[index + 1 :]))


def without_sender() -> Malleate:
    """Replace r of a signature by a number that is the x of no point."""
    fields = rlp_decode(VALID.transactions[0].raw[1:])
    assert isinstance(fields, list)
    for r in range(1, 20):
        one = decode_transaction(b"\x02" + rlp_encode([*fields[:-2], r, fields[-1]]))
        try:
            one.sender  # noqa: B018
        except InvalidInput:
            break
    else:
        raise AssertionError("about half of all numbers are no x")
    return transactions(lambda all_: (one, *all_[1:]))


PARENT = BLOCKS[-1].header
OTHER_RECEIPT = RECEIPTS[0]._replace(status=0)


def certified(block: Block) -> Block:
    """Bind a parent certificate, as an engine with rules would."""
    bound = header(parent_certificate_hash=certificate_hash(b"votes"))(block)
    return replace(bound, parent_certificate=b"votes")


CASES: list[tuple[str, Malleate, str]] = [
    ("another version", header(version=2), "wrong version"),
    ("another chain", header(chain_id=1), "wrong chain id"),
    ("the parent's height", header(height=2), "wrong height"),
    ("a height left out", header(height=4), "wrong height"),
    ("another parent", header(parent_hash=BLOCKS[0].hash), "wrong parent hash"),
    ("the parent's time", header(timestamp_ms=PARENT.timestamp_ms), "younger"),
    ("a time before the parent's", header(timestamp_ms=0), "younger"),
    ("another state root", header(state_root=flipped(VALID.state_root)), "wrong state root"),
    ("the parent's state root", header(state_root=PARENT.state_root), "wrong state root"),
    ("another transactions root", header(transactions_root=bytes(32)), "wrong transactions root"),
    ("another receipts root", header(receipts_root=bytes(32)), "wrong receipts root"),
    (
        "receipts with another outcome",
        header(receipts_root=receipts_root([OTHER_RECEIPT, RECEIPTS[1]])),
        "wrong receipts root",
    ),
    ("messages from nowhere", header(messages_root=binary_root([b"message"])), "wrong messages root"),
    ("another history", header(history_root=PARENT.history_root), "wrong history root"),
    ("another proposer", header(proposer=bytes(20)), "wrong state root"),
    ("a bloom with a bit more", header(logs_bloom=flipped(VALID.header.logs_bloom)), "wrong logs bloom"),
    ("no bloom", header(logs_bloom=bytes(256)), "wrong logs bloom"),
    ("a higher gas limit", header(gas_limit=500_001), "wrong gas limit"),
    ("no gas used", header(gas_used=0), "wrong gas used"),
    ("more gas used", header(gas_used=VALID.header.gas_used + 1), "wrong gas used"),
    ("more gas used than there is", header(gas_used=500_001), "uses more gas"),
    ("the parent's base fee", header(base_fee=PARENT.base_fee), "wrong base fee"),
    ("no base fee", header(base_fee=0), "wrong base fee"),
    ("a certificate's hash alone", header(parent_certificate_hash=b"\x01" * 32), "parent certificate hash"),
    ("a committee from nowhere", header(next_committee_hash=b"\x01" * 32), "wrong next committee hash"),
    ("an attachment", lambda block: replace(block, attachment=b"payouts"), "no rule of this chain"),
    ("a slot", header(slot=1), "wrong slot"),
    ("a seed", header(seed=b"\x01" * 32), "no rule of this chain"),
    ("a seed proof", header(seed_proof=b"\x01" * 80), "no rule of this chain"),
    ("work", header(work_commitment=b"\x01" * 8), "no rule of this chain"),
    ("extra data", header(extra_data=b"hello"), "no rule of this chain"),
    ("a bound certificate", certified, "no rule of this chain"),
    ("a certificate alone", lambda block: replace(block, parent_certificate=b"votes"), "parent certificate"),
    ("a seal", lambda block: replace(block, seal=b"\x00"), "seal"),
    ("no transactions in the body", lambda block: replace(block, transactions=()), "wrong transactions root"),
    (
        "the transactions turned round",
        lambda block: replace(block, transactions=block.transactions[::-1]),
        "wrong transactions root",
    ),
    ("one transaction less", transactions(lambda all_: all_[:1]), "wrong gas used"),
    ("no transactions", transactions(lambda all_: ()), "wrong gas used"),
    ("one transaction twice", transactions(lambda all_: (*all_, all_[0])), "nonce already used"),
    ("the nonces out of order", transactions(lambda all_: all_[::-1]), "nonce leaves a gap"),
    ("another value", signed(0, value=8), "wrong receipts root"),
    ("a nonce used before", signed(0, nonce=0), "nonce already used"),
    ("a nonce too high", signed(1, nonce=99), "nonce leaves a gap"),
    ("coin that is not there", signed(0, value=FUNDS), "not enough coin"),
    ("a sender without coin", signed(0, sender=accounts(3)[2], nonce=0), "not enough coin"),
    ("more gas than a block has", signed(0, gas=500_001), "no room in the block"),
    ("gas that the first leaves no room for", signed(1, gas=480_000), "no room in the block"),
    ("a tip out of nowhere", signed(0, value=7, tip=1), "wrong receipts root"),
    ("a signature of nobody", without_sender(), "signature"),
]


@pytest.mark.parametrize(("name", "malleate", "told"), CASES, ids=[name for name, _, _ in CASES])
def test_what_is_wrong_is_refused(chain: Blockchain, name: str, malleate: Malleate, told: str) -> None:
    before = picture(chain)
    bad = malleate(VALID)
    with pytest.raises(InvalidInput, match=told) as caught:
        chain.append(bad)
    assert caught.value.height == bad.height
    assert picture(chain) == before
    if name != "a seal":  # which is for whoever decides on the candidate
        with pytest.raises(InvalidInput, match=told):
            chain.check(bad, AcceptAllHeaders())
        assert picture(chain) == before
    assert chain.append(VALID) == RECEIPTS


def test_a_refusal_names_the_transaction_and_the_rule(chain: Blockchain) -> None:
    with pytest.raises(InvalidInput) as caught:
        chain.append(signed(1, nonce=99)(VALID))
    assert (caught.value.index, caught.value.code, caught.value.height) == (1, "nonce_too_high", 3)
    with pytest.raises(InvalidInput) as caught:
        chain.append(without_sender()(VALID))
    assert caught.value.index == 0


def test_a_transaction_of_another_chain(chain: Blockchain) -> None:
    other = bare_chain(genesis=replace(GENESIS, chain_id=9))
    foreign = payment(other, ALICE, BOB, 7, nonce=BEFORE)
    before = picture(chain)
    with pytest.raises(InvalidInput, match="another chain"):
        chain.append(transactions(lambda all_: (foreign, *all_[1:]))(VALID))
    assert picture(chain) == before


def test_a_creation(chain: Blockchain) -> None:
    fields = rlp_decode(VALID.transactions[0].raw[1:])
    assert isinstance(fields, list)
    unsigned = [*fields[:4], 100_000, b"", *fields[6:9]]
    signature = ALICE.sign(keccak256(b"\x02" + rlp_encode(unsigned)))
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:64]))
    creation = decode_transaction(b"\x02" + rlp_encode([*unsigned, signature[64], r, s]))
    assert creation.is_create
    with pytest.raises(InvalidInput, match="factory"):
        chain.append(transactions(lambda all_: (creation, *all_[1:]))(VALID))


def test_a_contract_that_blunders_is_not_the_blocks_fault(chain: Blockchain) -> None:
    before = picture(chain)
    with pytest.raises(UsageError, match="crashed"):
        chain.append(signed(1, to=VAULT, data=b"oops", gas=90_000, value=0)(VALID))
    assert picture(chain) == before


@pytest.mark.parametrize("blocks", [BLOCKS, [*BLOCKS, VALID]])
def test_a_block_is_appended_once(blocks: list[Block]) -> None:
    chain = new_chain("memory")
    for block in blocks:
        chain.append(block)
    before = picture(chain)
    for block in blocks:
        with pytest.raises(InvalidInput, match="wrong height"):
            chain.append(block)
    assert picture(chain) == before


def test_the_core_leaves_the_time_to_the_proposer() -> None:
    chain = new_chain("memory")
    for block in BLOCKS:
        chain.append(block)
    other = header(timestamp_ms=VALID.timestamp_ms + 5)(VALID)
    assert other.hash != VALID.hash
    chain.append(other)
    assert chain.head == other.header


def test_the_cases_name_every_field() -> None:
    """A field added to the header must be added here."""
    checked = {"timestamp_ms", "slot", "seed", "seed_proof", "work_commitment", "extra_data"}
    checked |= {"version", "chain_id", "height", "parent_hash", "state_root", "transactions_root"}
    checked |= {"receipts_root", "messages_root", "history_root", "proposer", "logs_bloom", "gas_limit"}
    checked |= {"gas_used", "base_fee", "parent_certificate_hash", "next_committee_hash"}
    assert checked == set(VALID.header.__dataclass_fields__) - {"hash"}
