"""The delegation contract on a real chain: candidates, votes, coin that comes out."""

from __future__ import annotations

import pytest

from chainstack_sdk.consensus.dpos import (
    DELEGATION_ADDRESS,
    DelegationContract,
    DelegationParameters,
    with_delegation,
)
from chainstack_sdk.consensus.dpos import contract as contract_module
from chainstack_sdk.consensus.dpos import storage as layout
from chainstack_sdk.consensus.staking.storage import StateStorage
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.core.queries import simulate
from chainstack_sdk.primitives.abi import decode_revert
from chainstack_sdk.testing import accounts, payment
from chainstack_sdk.testing.forks import ForkHost, delegate_host

DELEGATE, ALICE, BOB, CAROL = accounts(4)
WEALTH = 10**21
GENESIS = with_delegation(
    Genesis(
        accounts={one.address: GenesisAccount(balance=WEALTH) for one in (ALICE, BOB, CAROL)}, engine="dpos"
    ),
    [DELEGATE.address],
    DelegationParameters(blocks_per_epoch=2, seats=2, minimum_deposit=100, interval_ms=1_000),
)
FUNCTION = DelegationContract.abi_function


class Polls:
    """A chain with one delegate, and the contract on it."""

    def __init__(self) -> None:
        self.host: ForkHost = delegate_host(GENESIS, signer=DELEGATE)
        self.chain = self.host.chain

    def do(self, sender, name: str, *args: object, value: int = 0):
        """Send a call in a block of its own and return its receipt; the books must balance."""
        data = FUNCTION(name).encode_call(*args)
        sent = payment(self.chain, sender, DELEGATION_ADDRESS, value, data=data, gas=2_000_000)
        self.next([sent])
        self.check_books()
        return self.chain.ledger.receipts(self.chain.height)[0]

    def next(self, transactions=()) -> None:
        interval = 1_000
        timestamp_ms = self.chain.head.timestamp_ms // interval * interval + interval
        assert self.host.propose(transactions, timestamp_ms=timestamp_ms) is not None

    def refused(self, sender, name: str, *args: object, value: int = 0) -> str:
        receipt = self.do(sender, name, *args, value=value)
        assert not receipt.succeeded
        assert receipt.logs == ()
        return decode_revert(receipt.output, DelegationContract.abi_errors)

    def ask(self, name: str, *args: object):
        function = FUNCTION(name)
        output = simulate(self.chain, to=DELEGATION_ADDRESS, data=function.encode_call(*args)).output
        decoded = function.decode_output(output)
        return decoded[0] if len(decoded) == 1 else decoded

    def check_books(self) -> None:
        """What the contract holds is what it owes: deposits, votes, coin that waits."""
        people = [one.address for one in (DELEGATE, ALICE, BOB, CAROL)]
        deposits = sum(self.ask("candidate", one)[0] for one in people)
        votes = sum(self.ask("votesOf", voter, one) for voter in people for one in people)
        waiting = sum(self.ask("unlocking", one)[0] for one in people)
        assert self.chain.state.balance(DELEGATION_ADDRESS) == deposits + votes + waiting
        assert votes == sum(self.ask("candidate", one)[1] for one in people)
        listed = self.ask("candidates")
        assert [one for one in people if self.ask("candidate", one)[2]] == sorted(listed, key=people.index)


@pytest.fixture
def polls() -> Polls:
    return Polls()


def event(receipt) -> tuple[str, dict]:
    (log,) = receipt.logs
    assert log.address == DELEGATION_ADDRESS
    found = next(one for one in DelegationContract.abi_events if one.topic == log.topics[0])
    return found.name, found.decode(log.topics, log.data)


def test_at_first(polls: Polls) -> None:
    assert polls.ask("candidates") == (DELEGATE.address,)
    assert polls.ask("candidate", DELEGATE.address) == (100, 0, True)
    assert polls.ask("delegates", 0) == polls.ask("delegates", 1) == (DELEGATE.address,)
    assert polls.ask("delegates", 2) == ()
    assert polls.ask("minimumDeposit") == 100
    assert polls.ask("currentEpoch") == 0
    polls.check_books()


def test_candidates_come_and_go(polls: Polls) -> None:
    receipt = polls.do(ALICE, "register", value=150)
    assert event(receipt) == ("Registered", {"candidate": ALICE.address, "deposit": 150})
    assert polls.ask("candidate", ALICE.address) == (150, 0, True)
    assert polls.refused(ALICE, "register", value=150).startswith("AlreadyCandidate")
    assert polls.refused(BOB, "register", value=99) == "DepositTooLow(deposit=99, minimum=100)"
    receipt = polls.do(ALICE, "unregister")
    assert event(receipt) == ("Unregistered", {"candidate": ALICE.address, "unlockEpoch": 3})
    assert polls.refused(ALICE, "unregister").startswith("NotCandidate")
    assert polls.ask("unlocking", ALICE.address) == (150, 3)
    assert polls.ask("candidates") == (DELEGATE.address,)


def test_there_is_a_limit_of_candidates(polls: Polls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contract_module, "MAX_CANDIDATES", 2)
    assert polls.do(ALICE, "register", value=100).succeeded
    assert polls.refused(BOB, "register", value=100) == "TooManyCandidates(limit=2)"


def test_votes_are_locked_coin(polls: Polls) -> None:
    receipt = polls.do(BOB, "vote", DELEGATE.address, value=40)
    assert event(receipt) == (
        "Voted",
        {"voter": BOB.address, "candidate": DELEGATE.address, "amount": 40},
    )
    polls.do(BOB, "vote", DELEGATE.address, value=2)
    polls.do(CAROL, "vote", DELEGATE.address, value=8)
    assert polls.ask("candidate", DELEGATE.address) == (100, 50, True)
    assert polls.ask("votesOf", BOB.address, DELEGATE.address) == 42
    assert polls.refused(BOB, "vote", CAROL.address, value=1).startswith("NotCandidate")
    assert polls.refused(BOB, "vote", DELEGATE.address) == "NoVotes()"
    assert polls.refused(BOB, "unvote", DELEGATE.address, 0) == "NoVotes()"
    assert polls.refused(BOB, "unvote", DELEGATE.address, 43).startswith("InsufficientVotes")
    assert polls.refused(ALICE, "unvote", DELEGATE.address, 1).startswith("InsufficientVotes")
    receipt = polls.do(BOB, "unvote", DELEGATE.address, 30)
    name, values = event(receipt)
    assert (name, values["amount"], values["unlockEpoch"]) == (
        "Unvoted",
        30,
        polls.ask("unlocking", BOB.address)[1],
    )
    assert polls.ask("candidate", DELEGATE.address)[1] == 20


def test_votes_outlast_a_candidacy(polls: Polls) -> None:
    polls.do(ALICE, "register", value=100)
    polls.do(BOB, "vote", ALICE.address, value=5)
    polls.do(ALICE, "unregister")
    assert polls.ask("candidate", ALICE.address) == (0, 5, False)
    polls.do(BOB, "unvote", ALICE.address, 2)
    polls.do(ALICE, "register", value=100)
    assert polls.ask("candidate", ALICE.address) == (100, 3, True)


def test_coin_comes_out_after_two_epochs(polls: Polls) -> None:
    polls.do(BOB, "vote", DELEGATE.address, value=40)
    polls.do(BOB, "unvote", DELEGATE.address, 10)
    assert polls.ask("unlocking", BOB.address) == (10, 2)
    polls.do(BOB, "unvote", DELEGATE.address, 5)  # joins it, and starts the wait again
    assert polls.ask("unlocking", BOB.address) == (15, 3)
    assert polls.refused(BOB, "withdraw").startswith("StillLocked")
    while polls.ask("currentEpoch") < 3 and polls.chain.height < 6:
        polls.next()
    before = polls.chain.state.balance(BOB.address)
    receipt = polls.do(BOB, "withdraw")
    assert event(receipt) == ("Withdrawn", {"account": BOB.address, "amount": 15})
    fee = receipt.gas_used * receipt.effective_gas_price
    assert polls.chain.state.balance(BOB.address) == before + 15 - fee
    assert polls.refused(BOB, "withdraw").startswith("NothingToWithdraw")


def test_an_election_follows_the_votes(polls: Polls) -> None:
    polls.do(ALICE, "register", value=100)
    polls.do(BOB, "register", value=100)  # block 2 elects epoch 2: no votes, lower addresses first
    everybody = [DELEGATE.address, ALICE.address, BOB.address]
    storage = StateStorage(polls.chain.state, DELEGATION_ADDRESS)
    elected = layout.read_delegates(storage, 2)
    assert [member.address for member in elected] == sorted(everybody)[:2]
    assert polls.chain.head.next_committee_hash == elected.hash
    polls.do(CAROL, "vote", BOB.address, value=9)
    polls.do(CAROL, "vote", DELEGATE.address, value=3)  # block 4 elects epoch 3
    assert set(polls.ask("delegates", 3)) == {BOB.address, DELEGATE.address}
