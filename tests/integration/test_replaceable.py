"""Every core module can be replaced, shown by replacing it: one small story, the same roots at its end.

The parts in this file are a user's: written against the protocols of ``core/interfaces.py`` alone.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

import pytest

from chainstack_sdk import Account, Chain, ChainConfig, InvalidInput, UsageError, ether
from chainstack_sdk.consensus import InstantEngine
from chainstack_sdk.core.chain import Blockchain
from chainstack_sdk.core.commitment import FlatCommitment
from chainstack_sdk.core.engine import BlockCommitted, BlockProposed, Decide
from chainstack_sdk.core.fees import ProposerFees
from chainstack_sdk.paradigms import Runtime
from chainstack_sdk.primitives.keys import recover_sender
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode
from chainstack_sdk.testing import FixedClock, FixedFees, NaiveTrie, accounts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from chainstack_sdk.core import Block, Header, Receipt, State, StateDiff
    from chainstack_sdk.core.engine import EngineInput, EngineOutput
    from chainstack_sdk.core.interfaces import (
        ConsensusEngine,
        FinalityRule,
        HeaderRule,
        KeyValueStore,
        Ledger,
        StateTrie,
    )
    from chainstack_sdk.core.ledger import BlockRecord
    from chainstack_sdk.primitives.rlp import Encodable

ALICE, BOB, CAROL = accounts(3)
CONFIG = ChainConfig(funds={ALICE.checksum_address: ether(10)})


def tell(chain: Chain) -> None:
    """A payment, a token, transfers of it, one that fails, an empty block, a way back and on again."""
    chain.transfer(ALICE, BOB, ether(1))
    token = chain.erc20.issue(ALICE, name="Gold", symbol="GLD", supply=1_000)
    token.transfer(ALICE, BOB, 10)
    data = token.contract.abi_function("transfer").encode_call(CAROL.address, 11)
    chain.send(chain.sign(BOB, token.address, data=data, gas=100_000))
    chain.seal()
    snapshot = chain.snapshot()
    token.transfer(BOB, CAROL, 10)
    chain.transfer(BOB, CAROL, 5)
    chain.revert(snapshot)
    token.transfer(BOB, CAROL, 9)


def facts(chain: Chain) -> list[object]:
    told: list[object] = [chain.blockchain.state.root, chain.supply()]
    for height in range(chain.height + 1):
        header = chain.block(height).header
        told += [header.state_root, header.receipts_root, header.transactions_root, header.gas_used]
        told += [chain.balance(who, block=height) for who in (ALICE, BOB, CAROL)]
    for who in (ALICE, CAROL):
        chain.prove_account(who, [0]).verify(chain.head.state_root)
    return told


REFERENCE = Chain.in_memory(config=CONFIG)
tell(REFERENCE)


def test_the_story_has_a_failure_and_an_undone_end() -> None:
    assert REFERENCE.height == 5
    assert [receipt.status for height in range(1, 6) for receipt in REFERENCE.receipts(height)] == [
        1,
        1,
        1,
        0,
        1,
    ]
    assert REFERENCE.balance(CAROL) == 0


# A second key-value store --------------------------------------------------------------------------------


class LogStore:
    """An append-only file: every batch is one RLP record, the newest entry of a key counts."""

    def __init__(self, path: Path) -> None:
        self._items: dict[bytes, bytes] = {}
        path.touch()
        data = path.read_bytes()
        while data:
            size = int.from_bytes(data[:4], "big")
            self._apply(rlp_decode(data[4 : 4 + size]))
            data = data[4 + size :]
        self._file = path.open("ab")

    def get(self, key: bytes) -> bytes | None:
        return self._items.get(key)

    def write_batch(self, puts: Mapping[bytes, bytes], deletes: Iterable[bytes] = ()) -> None:
        record: list[Encodable] = [list(deletes), [[key, value] for key, value in puts.items()]]
        raw = rlp_encode(record)
        self._file.write(len(raw).to_bytes(4, "big") + raw)
        self._file.flush()
        self._apply(record)

    def iterate(self, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        keys = sorted(self._items)
        for key in keys[bisect_left(keys, prefix) :]:
            if not key.startswith(prefix):
                return
            yield key, self._items[key]

    def close(self) -> None:
        self._file.close()

    def _apply(self, record: object) -> None:
        match record:
            case [list(deletes), list(puts)]:
                for key in deletes:
                    self._items.pop(key, None)
                self._items.update(dict(puts))


@pytest.mark.parametrize("archive", [False, True])
def test_another_store(tmp_path: Path, archive: bool) -> None:
    config = CONFIG.model_copy(update={"archive": archive})
    with Chain.open(LogStore(tmp_path / "log"), config) as chain:
        tell(chain)
        assert chain.head == REFERENCE.head
    with Chain.open(LogStore(tmp_path / "log"), config) as chain:
        assert chain.head == REFERENCE.head
        assert [chain.block(height) for height in range(6)] == [
            REFERENCE.block(height) for height in range(6)
        ]
        assert archive or facts(chain) == facts(REFERENCE)
        chain.blockchain.undo()
        chain.append(REFERENCE.head)


# A second trie -------------------------------------------------------------------------------------------


def test_another_trie() -> None:
    chain = Chain.in_memory(config=CONFIG, new_trie=NaiveTrie)
    assert isinstance(chain.blockchain.state.commitment, FlatCommitment)
    tell(chain)
    assert chain.head == REFERENCE.head
    assert facts(chain) == facts(REFERENCE)


# A second engine, with keys, seals and a rule of its own -------------------------------------------------


class AuthorityRule:
    """A block is sealed by its proposer's signature, and only known authorities propose."""

    def __init__(self, authorities: list[bytes]) -> None:
        self.authorities = authorities

    def validate_header(self, header: Header, seal: bytes, parent: Header) -> None:
        if header.proposer != self.authorities[header.height % len(self.authorities)]:
            raise InvalidInput("not this authority's turn", height=header.height)
        self.validate_finality(header, seal)

    def validate_finality(self, header: Header, seal: bytes) -> None:
        if recover_sender(header.hash, seal) != header.proposer:
            raise InvalidInput("not sealed by its proposer", height=header.height)

    def work(self, header: Header) -> int:
        return 2


class AuthorityEngine:
    """Seals with an account's key when it is its turn; the host lends the key, as a signer."""

    name = "authority"

    def __init__(self, rule: AuthorityRule, signer: Account) -> None:
        self._rule, self._signer = rule, signer
        self.followed: list[int] = []

    @property
    def header_rule(self) -> HeaderRule:
        return self._rule

    @property
    def finality_rule(self) -> FinalityRule:
        return self._rule

    def process(self, event: EngineInput) -> tuple[EngineOutput, ...]:
        match event:
            case BlockProposed(height, block_hash):
                if self._rule.authorities[height % 2] == self._signer.address:
                    return (Decide(height, block_hash, self._signer.sign(block_hash)),)
            case BlockCommitted(height):
                self.followed.append(height)
        return ()


def test_another_engine() -> None:
    """Two authorities take turns; each appends what the other sealed, and refuses forgeries."""
    rule = AuthorityRule([BOB.address, CAROL.address])
    engines = [AuthorityEngine(rule, one) for one in (BOB, CAROL)]
    config = CONFIG.model_copy(update={"engine": "authority"})
    bob, carol = (
        Chain.in_memory(config=config, engine=engine, proposer=one)
        for engine, one in zip(engines, (BOB, CAROL), strict=True)
    )
    for height in range(1, 5):
        mine, other = (carol, bob) if height % 2 else (bob, carol)
        with pytest.raises(UsageError, match="authority engine"):
            other.seal()
        mine.send(mine.sign(ALICE, "0x" + "0d" * 20, value=7))
        block = mine.seal()
        for forged in (b"", bytes(65), ALICE.sign(block.hash)):
            with pytest.raises(InvalidInput):
                other.append(type(block)(block.header, block.transactions, forged))
        other.append(block.encode())
        assert other.head == mine.head
    assert engines[0].followed == engines[1].followed == [1, 2, 3, 4]
    assert bob.blockchain.state.root == carol.blockchain.state.root
    assert bob.balance(b"\x0d" * 20) == 28
    assert bob.blockchain.history.root == carol.blockchain.history.root
    with pytest.raises(UsageError, match="another engine"):
        Chain.in_memory(config=CONFIG, engine=engines[0])


# A second ledger -----------------------------------------------------------------------------------------


class PlainLedger:
    """Blocks in one list, looked up by walking through it."""

    def __init__(self) -> None:
        self._records: list[BlockRecord] = []

    @property
    def height(self) -> int:
        return len(self._records) - 1

    def load(self, state: State) -> None:
        pass

    def append(self, record: BlockRecord, state: State) -> None:
        self._records.append(record)

    def pop(self, state: State, redo: StateDiff) -> None:
        self._records.pop()

    def block(self, height: int) -> Block:
        return self._records[height].block

    def header(self, height: int) -> Header:
        return self._records[height].block.header

    def receipts(self, height: int) -> tuple[Receipt, ...]:
        return self._records[height].receipts

    def undo(self, height: int) -> StateDiff | None:
        return self._records[height].undo

    def height_of(self, block_hash: bytes) -> int | None:
        hashes = [record.block.hash for record in self._records]
        return hashes.index(block_hash) if block_hash in hashes else None

    def locate(self, transaction_hash: bytes) -> tuple[int, int] | None:
        for height, record in enumerate(self._records):
            for index, transaction in enumerate(record.block.transactions):
                if transaction.hash == transaction_hash:
                    return height, index
        return None

    def close(self) -> None:
        self._records.clear()


def test_another_ledger() -> None:
    reference = REFERENCE.blockchain
    core = Blockchain(
        reference.genesis,
        runtime=Runtime(),
        header_rule=reference.header_rule,
        fees=ProposerFees(),
        ledger=PlainLedger(),
    )
    chain = Chain(core, InstantEngine())
    tell(chain)
    assert chain.head == REFERENCE.head
    assert facts(chain) == facts(REFERENCE)
    for receipt in REFERENCE.receipts(3):
        assert chain.receipt(receipt.transaction_hash) == receipt
    assert chain.block(REFERENCE.block(2).hash) == REFERENCE.block(2)


# Smaller parts -------------------------------------------------------------------------------------------


def test_another_fee_policy_and_clock() -> None:
    policy = FixedFees({CAROL.address: 50})
    makers = [Chain.in_memory(config=CONFIG, fees=policy, clock=FixedClock()) for _ in range(2)]
    before = makers[0].supply()
    makers[0].transfer(ALICE, BOB, 1)
    makers[1].append(makers[0].head)
    fees = 21_000 * makers[0].receipts(1)[0].effective_gas_price
    assert makers[0].balance(CAROL) == makers[1].balance(CAROL) == fees // 2
    assert makers[0].supply() == before - fees + fees // 2
    assert makers[0].head.timestamp_ms == makers[0].block(0).timestamp_ms + 1


class Pen:
    """Signs like an account and is none: what a hardware wallet would be."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.signed = 0

    @property
    def address(self) -> bytes:
        return self._account.address

    def sign(self, digest: bytes) -> bytes:
        self.signed += 1
        return self._account.sign(digest)


def test_another_signer() -> None:
    chain, pen = Chain.in_memory(config=CONFIG), Pen(ALICE)
    chain.transfer(pen, BOB, ether(1))
    token = chain.erc20.issue(pen, name="Gold", symbol="GLD", supply=1_000)
    token.transfer(pen, BOB, 10)
    assert pen.signed == 3
    assert [chain.block(height) for height in (1, 2, 3)] == [REFERENCE.block(height) for height in (1, 2, 3)]


if TYPE_CHECKING:
    _store: type[KeyValueStore] = LogStore
    _ledger: type[Ledger] = PlainLedger
    _trie: type[StateTrie] = NaiveTrie
    _engine: type[ConsensusEngine] = AuthorityEngine
