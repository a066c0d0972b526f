"""Tokens against naive models: random operations, allowed or not, on a real chain."""

from __future__ import annotations

from collections import defaultdict
from copy import deepcopy
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainstack_sdk.chain import Chain
from chainstack_sdk.paradigms import Erc20, Erc721, Shares
from chainstack_sdk.primitives.errors import Reverted
from chainstack_sdk.primitives.keys import Account

PEOPLE = [Account.from_key(number) for number in range(1, 5)]
NOBODY = bytes(20)
FUNDS = dict.fromkeys(PEOPLE, 10**20)
UNLIMITED = (1 << 256) - 1
CAP = 150

person = st.integers(0, len(PEOPLE) - 1)
target = st.sampled_from([*(account.address for account in PEOPLE), NOBODY])
amount = st.one_of(st.integers(0, 60), st.sampled_from([UNLIMITED, UNLIMITED - 1]))


class Refused(Exception):
    """What the model says a contract answers, by the name of the error."""


def refuse_if(condition, name):
    if condition:
        raise Refused(name)


class TokenModel:
    """ERC-20 in the simplest terms."""

    def __init__(self, owner):
        self.owner, self.paused, self.supply = owner, False, 100
        self.balances, self.allowances = defaultdict(int, {owner: 100}), defaultdict(int)

    def transfer(self, who, to, value):
        refuse_if(to == NOBODY, "ERC20InvalidReceiver")
        self.move(who, to, value)

    def approve(self, who, spender, value):
        refuse_if(spender == NOBODY, "ERC20InvalidSpender")
        self.allowances[who, spender] = value

    def transferFrom(self, who, owner, to, value):  # noqa: N802
        self.spend(owner, who, value)
        refuse_if(to == NOBODY, "ERC20InvalidReceiver")
        self.move(owner, to, value)

    def mint(self, who, to, value):
        refuse_if(who != self.owner, "OwnableUnauthorizedAccount")
        refuse_if(to == NOBODY, "ERC20InvalidReceiver")
        refuse_if(self.paused, "EnforcedPause")
        refuse_if(self.supply + value > UNLIMITED, "Panic")
        refuse_if(self.supply + value > CAP, "ERC20ExceededCap")
        self.supply += value
        self.balances[to] += value

    def burn(self, who, value):
        self.move(who, NOBODY, value)
        self.balances[NOBODY] -= value
        self.supply -= value

    def burnFrom(self, who, owner, value):  # noqa: N802
        self.spend(owner, who, value)
        refuse_if(owner == NOBODY, "ERC20InvalidSender")
        self.burn(owner, value)

    def pause(self, who):
        refuse_if(who != self.owner, "OwnableUnauthorizedAccount")
        refuse_if(self.paused, "EnforcedPause")
        self.paused = True

    def unpause(self, who):
        refuse_if(who != self.owner, "OwnableUnauthorizedAccount")
        refuse_if(not self.paused, "ExpectedPause")
        self.paused = False

    def spend(self, owner, spender, value):
        allowed = self.allowances[owner, spender]
        if allowed == UNLIMITED:
            return
        refuse_if(allowed < value, "ERC20InsufficientAllowance")
        refuse_if(owner == NOBODY, "ERC20InvalidApprover")
        self.allowances[owner, spender] -= value

    def move(self, owner, to, value):
        refuse_if(self.paused, "EnforcedPause")
        refuse_if(self.balances[owner] < value, "ERC20InsufficientBalance")
        self.balances[owner] -= value
        self.balances[to] += value


class CollectionModel:
    """ERC-721 in the simplest terms."""

    def __init__(self, owner):
        self.owner, self.owners, self.approved, self.operators = owner, {}, {}, set()

    def mint(self, who, to, token):
        refuse_if(who != self.owner, "OwnableUnauthorizedAccount")
        refuse_if(to == NOBODY, "ERC721InvalidReceiver")
        refuse_if(token in self.owners, "ERC721InvalidSender")
        self.owners[token] = to

    def burn(self, who, token):
        self.check(who, token)
        del self.owners[token]
        self.approved.pop(token, None)

    def transferFrom(self, who, owner, to, token):  # noqa: N802
        refuse_if(to == NOBODY, "ERC721InvalidReceiver")
        self.check(who, token)
        refuse_if(self.owners[token] != owner, "ERC721IncorrectOwner")
        self.owners[token] = to
        self.approved.pop(token, None)

    def approve(self, who, to, token):
        refuse_if(token not in self.owners, "ERC721NonexistentToken")
        owner = self.owners[token]
        refuse_if(who != owner and (owner, who) not in self.operators, "ERC721InvalidApprover")
        self.approved[token] = to

    def setApprovalForAll(self, who, operator, approved):  # noqa: N802
        refuse_if(operator == NOBODY, "ERC721InvalidOperator")
        (self.operators.add if approved else self.operators.discard)((who, operator))

    def check(self, who, token):
        refuse_if(token not in self.owners, "ERC721NonexistentToken")
        owner = self.owners[token]
        may = who == owner or (owner, who) in self.operators or self.approved.get(token) == who
        refuse_if(not may, "ERC721InsufficientApproval")


def operation(name, *arguments):
    return st.tuples(st.just(name), person, *arguments)


token_operations = st.one_of(
    operation("transfer", target, amount),
    operation("approve", target, amount),
    operation("transferFrom", target, target, amount),
    operation("mint", target, amount),
    operation("burn", amount),
    operation("burnFrom", target, amount),
    operation("pause"),
    operation("unpause"),
)
number = st.integers(0, 5)
collection_operations = st.one_of(
    operation("mint", target, number),
    operation("mint", target, number),
    operation("burn", number),
    operation("transferFrom", target, target, number),
    operation("approve", target, number),
    operation("setApprovalForAll", target, st.booleans()),
)


def compare(instance, model, operations):
    """Do each operation on both; they must agree on whether it may be done, and if not, why."""
    for name, who, *arguments in operations:
        sender, before = PEOPLE[who], deepcopy(vars(model))
        try:
            getattr(model, name)(sender.address, *arguments)
            expected = None
        except Refused as refusal:
            expected = str(refusal)
            vars(model).update(before)
        try:
            instance.send(sender, name, *arguments, gas=400_000)
            actual = None
        except Reverted as refusal:
            actual = refusal.message.partition("(")[0].partition(" ")[0]
        assert actual == expected, (name, who, arguments)


def check_chain(chain):
    """No coin is made or lost, and the same blocks make the same state elsewhere."""
    assert chain.supply() == sum(FUNDS.values())
    other = Chain.in_memory(FUNDS)
    for height in range(1, chain.height + 1):
        other.append(chain.block(height).encode())
    assert other.head.hash == chain.head.hash


@pytest.mark.parametrize("paradigm", ["erc20", "shares"])
@given(operations=st.lists(token_operations, max_size=25))
def test_fungible_tokens_agree_with_a_naive_model(paradigm, operations):
    """Shares without rules are a token like any other."""
    chain = Chain.in_memory(FUNDS, auto_seal=True)
    issue = chain.erc20.issue if paradigm == "erc20" else partial(chain.shares.issue, listed_only=False)
    token = issue(
        PEOPLE[0],
        name="T",
        symbol="T",
        supply=100,
        cap=CAP,
        mintable=True,
        burnable=True,
        pausable=True,
    )
    model = TokenModel(PEOPLE[0].address)
    compare(token, model, operations)

    assert token.total_supply() == model.supply == sum(map(token.balance_of, PEOPLE))
    assert token.balance_of(NOBODY) == 0
    assert token.paused() == model.paused
    if paradigm == "shares":
        assert token.holder_count() == sum(token.balance_of(one) > 0 for one in PEOPLE)
    for one in PEOPLE:
        assert token.balance_of(one) == model.balances[one.address]
        for other in PEOPLE:
            assert token.allowance(one, other) == model.allowances[one.address, other.address]
    told = defaultdict(int)
    for event in token.events("Transfer"):
        told[event.args["from"]] -= event.args["value"]
        told[event.args["to"]] += event.args["value"]
    for one in PEOPLE:
        assert told[one.address] == token.balance_of(one)
    assert -told[NOBODY] == token.total_supply()
    check_chain(chain)


@given(st.lists(collection_operations, max_size=25))
def test_collections_agree_with_a_naive_model(operations):
    chain = Chain.in_memory(FUNDS, auto_seal=True)
    nft = chain.erc721.issue(PEOPLE[0], name="C", symbol="C", burnable=True)
    model = CollectionModel(PEOPLE[0].address)
    compare(nft, model, operations)

    assert sorted(nft.tokens()) == sorted(model.owners)
    for one in PEOPLE:
        held = [token for token, owner in model.owners.items() if owner == one.address]
        assert nft.balance_of(one) == len(held)
        assert sorted(nft.tokens_of(one)) == sorted(held)
        for other in PEOPLE:
            allowed = (one.address, other.address) in model.operators
            assert nft.is_approved_for_all(one, other) == allowed
    for token, owner in model.owners.items():
        assert nft.owner_of(token) == owner
        assert nft.get_approved(token) == model.approved.get(token, NOBODY)
    told = {}
    for event in nft.events("Transfer"):
        told[event.args["tokenId"]] = event.args["to"]
    assert {token: owner for token, owner in told.items() if owner != NOBODY} == model.owners
    check_chain(chain)


@given(
    st.sampled_from([Erc20, Erc721, Shares]), st.binary(max_size=200), st.integers(0, 40), st.integers(0, 1)
)
def test_any_call_data_is_answered_or_refused(paradigm, noise, which, value):
    """Whatever bytes are sent, the contract answers or reverts, and a revert changes nothing."""
    chain = Chain.in_memory(FUNDS)
    issue = {Erc20: chain.erc20, Erc721: chain.erc721, Shares: chain.shares}[paradigm].issue
    instance = issue(PEOPLE[0], name="T", symbol="T", mintable=True, burnable=True)
    functions = [entry.function for entry in paradigm.externals.values()]
    prefix = functions[which].selector if which < len(functions) else b""
    before = chain.prove_account(instance).storage_root
    try:
        chain.send_call(PEOPLE[1], instance, prefix + noise, value=value, gas=10**6)
    except Reverted:
        assert not chain.receipts(2)[0].succeeded
        assert chain.prove_account(instance).storage_root == before
        assert chain.balance(instance) == 0
    assert chain.supply() == sum(FUNDS.values())
