"""Assets that go from chain to chain: there, back, refused, too late; and the table of them all."""

from __future__ import annotations

import pytest

from chainstack_sdk import Chain, ChainStack, Reverted, UsageError, ether
from chainstack_sdk.paradigms import Erc20Token
from chainstack_sdk.system import TransferRefunded, TransferStatus
from chainstack_sdk.system.links import hub_of
from chainstack_sdk.testing import accounts
from chainstack_sdk.testing.xchain import mailbox_registry
from chainstack_sdk.xchain.addresses import PEG_ADDRESS
from chainstack_sdk.xchain.atomic import AtomicAborted, Decision, Guard

ALICE, BOB = accounts(2)
FUNDS = {ALICE: ether(1), BOB: ether(1)}


@pytest.fixture
def stack() -> ChainStack:
    """A main chain and two side chains, a and b."""
    stack = ChainStack.local(FUNDS, consensus="instant")
    for name in ("a", "b"):
        stack.spawn(name=name, funds=FUNDS)
    return stack


@pytest.fixture
def gold(stack: ChainStack) -> Erc20Token:
    return stack.main.erc20.issue(ALICE, name="Gold", symbol="GLD", supply=1_000, decimals=2)


def test_a_token_goes_round_and_unwinds(stack: ChainStack, gold: Erc20Token) -> None:
    there = gold
    for place in ("a", "b", "main"):
        before, there = there, stack.transfer(there, ALICE, to=place, amount=100).token
        assert before.balance_of(PEG_ADDRESS) == there.total_supply() == there.balance_of(ALICE) == 100
        assert there.decimals == 2
    assert there.name == "Gold (chain 31337) (chain 31338) (chain 31339)"
    for place in ("b", "a", "main"):
        there = stack.transfer(there, ALICE, to=place, amount=100).token
    assert there == gold
    assert gold.balance_of(ALICE) == gold.total_supply() == 1_000


def test_a_token_of_a_collection(stack: ChainStack) -> None:
    art = stack.chains["a"].erc721.issue(ALICE, name="Art", symbol="ART")
    art.mint(ALICE, ALICE, 7, "ipfs://seven")
    there = stack.transfer(art, ALICE, to="b", token_id=7, recipient=BOB)
    assert (there.token.owner_of(7), there.token.token_uri(7)) == (BOB.address, "ipfs://seven")
    back = stack.transfer(there.token, BOB, to="a", token_id=7)
    assert back.token == art
    assert art.owner_of(7) == BOB.address


def test_what_is_refused_comes_back(stack: ChainStack, gold: Erc20Token) -> None:
    stack.spawn(name="bare", paradigms=["erc721"])
    with pytest.raises(TransferRefunded) as refusal:
        stack.transfer(gold, ALICE, to="bare", amount=5)
    assert refusal.value.facts["sequence"] == 1
    assert gold.balance_of(ALICE) == 1_000


@pytest.mark.parametrize("engine", ["instant", "pow"])
def test_what_is_too_late_comes_back(stack: ChainStack, gold: Erc20Token, engine: str) -> None:
    slow = stack.spawn(name="slow", consensus=engine)
    hub_of(slow).send(stack.operator, "pauseChain", stack.main.chain_id, True)
    sent = stack.transfer(gold, ALICE, to="slow", amount=5)
    assert sent.status is TransferStatus.WAITING
    assert sent.token is None
    height = slow.height
    assert stack.relay().waiting == 1
    assert engine == "pow" or slow.height == height
    slow.clock.advance(3_600)
    progress = stack.relay()
    assert (progress.timed_out, progress.waiting) == (1, 0)
    assert sent.status is TransferStatus.REFUNDED
    assert gold.balance_of(ALICE) == 1_000
    assert stack._linked().progress().settled == 1


def test_a_transfer_that_is_left_to_other_relayers(stack: ChainStack, gold: Erc20Token) -> None:
    sent = stack.transfer(gold, ALICE, to="a", amount=5, relay=False)
    assert (sent.status, sent.token) == (TransferStatus.WAITING, None)
    assert stack.relay().carried == 1
    assert sent.status is TransferStatus.ARRIVED
    assert sent.token.balance_of(ALICE) == 5
    assert stack.relay().submitted == 0


def test_what_is_no_transfer(stack: ChainStack, gold: Erc20Token) -> None:
    art = stack.main.erc721.issue(ALICE, name="Art", symbol="ART")
    elsewhere = Chain.in_memory(FUNDS, auto_seal=True).erc20.issue(ALICE, name="X", symbol="X")
    mailbox = stack.spawn(name="c", funds=FUNDS, registry=mailbox_registry()).paradigm("mailbox")
    wrong = [
        (gold, {}, "how much"),
        (gold, {"amount": 1, "token_id": 1}, "how much"),
        (None, {"token_id": 1}, "how much"),
        (art, {"amount": 1}, "which token"),
        (art, {"amount": 1, "token_id": 1}, "which token"),
        ("gold", {"amount": 1}, "handle of a token"),
        (elsewhere, {"amount": 1}, "on no chain"),
        (mailbox.issue(ALICE), {"amount": 1}, "neither coin"),
    ]
    for asset, fields, told in wrong:
        with pytest.raises(UsageError, match=told):
            stack.transfer(asset, ALICE, to="a", **fields)
    with pytest.raises(UsageError, match="takes two"):
        stack.transfer(gold, ALICE, to="main", amount=1)
    with pytest.raises(UsageError, match="no such chain"):
        stack.transfer(gold, ALICE, to="nowhere", amount=1)
    with pytest.raises(Reverted, match="0xe450d38c"):
        stack.transfer(gold, BOB, to="a", amount=1)


def test_all_or_nothing(stack: ChainStack, gold: Erc20Token) -> None:
    with stack.atomic() as deal:
        deal.move(stack.main, ALICE, gold, 10, to=BOB)
        deal.move(stack.chains["a"], BOB, None, 7, to=ALICE)
    assert deal.decision is Decision.COMMITTED
    assert gold.balance_of(BOB) == 10
    deal = stack.atomic(ALICE, nonce=1)
    deal.move(stack.main, ALICE, gold, 10, to=BOB)
    deal.move(stack.chains["a"], BOB, None, 7, to=ALICE, guards=[Guard.balance(BOB.address, ether(5))])
    with pytest.raises(AtomicAborted):
        deal.commit()
    assert gold.balance_of(BOB) == 10


def test_the_table_of_assets(stack: ChainStack, gold: Erc20Token) -> None:
    art = stack.chains["b"].erc721.issue(ALICE, name="Art", symbol="ART")
    art.mint(ALICE, ALICE, 7, "")
    stack.spawn(name="c", funds=FUNDS, registry=mailbox_registry()).paradigm("mailbox").issue(ALICE)
    stack.transfer(gold, ALICE, to="a", amount=100)
    stack.transfer(None, ALICE, to="a", amount=ether(1) // 2)
    stack.transfer(art, ALICE, to="a", token_id=7)
    table = stack.assets()
    assert [(row.symbol, row.supply, row.locked, row.origin) for row in table.on("a")[1:]] == [
        ("GLD", 100, 0, "token of main"),
        ("COIN", ether(1) // 2, 0, "coin of main"),
        ("ART", 1, 0, "collection of b"),
    ]
    assert [row.locked for row in table.on("main")] == [ether(1) // 2, 100]
    assert [(row.symbol, row.locked) for row in table.on("b")] == [("COIN", 0), ("ART", 1)]
    assert [row.symbol for row in table.on("c")] == ["COIN"]
    head, first, second, *_ = str(table).splitlines()
    assert head.split() == ["chain", "asset", "kind", "supply", "in", "the", "peg", "stands", "for"]
    assert first.split() == ["main", "Coin", "(COIN)", "coin", "1,002.000", "0.500"]
    assert second.split() == ["main", "Gold", "(GLD)", "token", "1,000", "100"]
