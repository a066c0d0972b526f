"""Any story on a committee chain: coin is accounted for to the last wei, and every node agrees."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import hypothesis.strategies as st
from hypothesis import given, settings

from chainstack_sdk.consensus.bft.validators import ValidatorSet
from chainstack_sdk.consensus.reputation import StakePerformanceActivity
from chainstack_sdk.consensus.rewards import SharedRewards
from chainstack_sdk.consensus.seals import CommitteeSeal
from chainstack_sdk.consensus.staking import STAKING_ADDRESS, StakingParameters
from chainstack_sdk.consensus.staking.committees import KEPT_SLOTS, read_committee
from chainstack_sdk.consensus.staking.frozen import FrozenWeight, draw, read_frozen
from chainstack_sdk.consensus.staking.registry import Status
from chainstack_sdk.consensus.staking.storage import StateStorage
from chainstack_sdk.core.genesis import Genesis
from chainstack_sdk.primitives import InvalidInput, Rejected, ether
from chainstack_sdk.testing.bare import payment
from chainstack_sdk.testing.committee import CommitteeBench

if TYPE_CHECKING:
    from chainstack_sdk.core.transactions import Transaction

PEOPLE = 6
MINIMUM = ether(1)


@dataclass(frozen=True)
class Act:
    """What somebody does in a block."""

    who: int
    what: str
    whom: int
    value: int


@dataclass(frozen=True)
class Plan:
    """A block: who does what, in which round it is decided, and who of the committee does not sign."""

    acts: list[Act]
    round: int
    absent: int


acts = st.builds(
    Act,
    who=st.integers(0, PEOPLE - 1),
    what=st.sampled_from(
        ["pay", "pay", "pay too much", "register", "deposit", "unregister", "withdraw", "report"]
    ),
    whom=st.integers(0, PEOPLE - 1),
    value=st.sampled_from([0, 1, MINIMUM - 1, MINIMUM, 3 * MINIMUM, 10**30]),
)
plans = st.builds(Plan, st.lists(acts, max_size=4), st.integers(0, 3), st.integers(0, 4))
stories = st.lists(plans, min_size=1, max_size=14)
setups = st.builds(
    lambda blocks, seats, unit, reward, base_fee, burn: (
        StakingParameters(blocks, seats, MINIMUM, unit),
        SharedRewards(block_reward=reward),
        Genesis(base_fee=base_fee, gas_limit=4_000_000),
        burn,
    ),
    blocks=st.integers(1, 3),
    seats=st.integers(1, 5),
    unit=st.sampled_from([0, MINIMUM]),
    reward=st.sampled_from([0, 7, ether(2)]),
    base_fee=st.sampled_from([0, 7, 10**9]),
    burn=st.booleans(),
)
few = settings(max_examples=settings().max_examples // 2)


def transaction(bench: CommitteeBench, act: Act) -> Transaction:
    """Sign what an act asks for, whether or not it can succeed."""
    whom = bench.accounts[act.whom].address
    match act.what:
        case "pay":
            return payment(bench.chain, bench.accounts[act.who], whom, act.value)
        case "pay too much":  # runs out of gas in the contract
            return payment(bench.chain, bench.accounts[act.who], STAKING_ADDRESS, 1, data=b"pay!")
        case "register":
            return bench.order(act.who, "register", *bench.proven_key(act.who, act.whom), value=act.value)
        case "deposit":
            return bench.order(act.who, "deposit", value=act.value)
        case "report":
            return bench.order(act.who, "report", bench.double_vote(whom, 1))
        case function:
            return bench.order(act.who, function)


def extend(bench: CommitteeBench, plan: Plan) -> None:
    """Append a block of what may run of a plan, certified by no fewer than it takes."""
    chain = bench.chain
    committee = bench.membership.validators(chain.height + 1)
    leavable = [member for member in committee if 3 * member.weight < committee.total_weight]
    absent = [leavable[plan.absent].address] if plan.absent < len(leavable) else []
    runnable: list[Transaction] = []
    senders: set[int] = set()
    for act in plan.acts:
        if act.who not in senders:
            senders.add(act.who)
            runnable.append(transaction(bench, act))
    candidate = chain.build(runnable, timestamp_ms=chain.head.timestamp_ms + 1, proposer=b"\x31" * 20)
    for _, refusal in candidate.rejected:
        assert isinstance(refusal, Rejected)
    header = candidate.block.header
    chain.commit(candidate, bench.seal(header, round=plan.round, absent=absent))


def check(bench: CommitteeBench, genesis_supply: int) -> None:
    """What holds after every block."""
    state = bench.chain.state
    assert state.supply() == genesis_supply + bench.ask("minted") - bench.ask("burnt")
    records = [bench.ask("validator", account.address) for account in bench.accounts]
    assert state.balance(STAKING_ADDRESS) == sum(deposit for deposit, *_ in records)
    standing = {
        account.address
        for account, record in zip(bench.accounts, records, strict=True)
        if record[3] == Status.REGISTERED
    }
    assert set(bench.ask("validators")) == standing
    schedule = bench.parameters.schedule
    newest = schedule.newest_fixed(bench.chain.height)
    assert bench.chain.head.next_committee_hash == (
        bench.committees.at(newest).hash if bench.chain.height else bytes(32)
    )
    held = [read_committee(StateStorage(state), slot) is not None for slot in range(newest + 2)]
    assert held == [newest - KEPT_SLOTS < slot <= newest for slot in range(newest + 2)]
    # whoever sits, has sat in the slot before, or will sit, is liable, or has been punished
    current = schedule.slot_of(bench.chain.height)
    for slot in range(max(current - 1, 0), newest + 1):
        for member in bench.committees.at(slot):
            status = bench.ask("validator", member.address)[3]
            assert status in (Status.REGISTERED, Status.UNREGISTERED, Status.SLASHED)


def check_draw(bench: CommitteeBench, before: list[FrozenWeight]) -> list[FrozenWeight]:
    """Whatever a slot held, its draw went by the weights from before it; return those for the next."""
    state, height, schedule = bench.chain.state, bench.chain.height, bench.parameters.schedule
    frozen = read_frozen(StateStorage(state))
    if not schedule.is_last(height):
        assert frozen == before
        return frozen
    newest = schedule.newest_fixed(height)
    standing = set(bench.ask("validators"))
    entrants = [(one, bench.ask("validator", one.address)[1]) for one in before if one.address in standing]
    drawn = draw(bench.chain.head.seed, newest, entrants, bench.parameters.committee_size)
    elected = ValidatorSet(drawn) if drawn else bench.committees.at(newest - 1)
    assert bench.committees.at(newest) == elected
    weigh = StakePerformanceActivity(MINIMUM).weight
    assert {one.address: (one.weight, one.votes) for one in frozen} == {
        address: (
            weigh(deposit, performance, state.nonce(address)),
            bench.parameters.voting_weight(deposit),
        )
        for address in standing
        for deposit, _, performance, _, _ in [bench.ask("validator", address)]
    }
    return frozen


@given(setups, stories)
@few
def test_coin_is_accounted_for_whatever_happens(setup, story):
    parameters, rewards, genesis, burn = setup
    bench = CommitteeBench(
        PEOPLE,
        registered=4,
        parameters=parameters,
        rewards=rewards,
        genesis=genesis,
        burn_base_fee=burn,
    )
    other = bench.new_chain()
    supply = bench.chain.state.supply()
    frozen = read_frozen(StateStorage(bench.chain.state))
    for plan in story:
        extend(bench, plan)
        check(bench, supply)
        frozen = check_draw(bench, frozen)
        other.append(bench.chain.ledger.block(bench.chain.height))
    assert other.head == bench.chain.head
    while bench.chain.height:
        bench.chain.undo()
    assert bench.chain.state.supply() == supply


SEALED = CommitteeBench(4)
SEALED.to_slot(1)
NEXT = SEALED.extend()


@given(st.data())
def test_a_changed_seal_is_refused_and_changes_nothing(data):
    """Flip, insert or drop bytes anywhere in a seal, or take parts of the one before: a typed refusal."""
    good = NEXT.seal
    at = data.draw(st.integers(0, len(good) - 1))
    replacement = data.draw(st.binary(max_size=3))
    changed = good[:at] + replacement + good[at + data.draw(st.integers(0, 3)) :]
    if data.draw(st.booleans()):
        earlier = CommitteeSeal.decode(NEXT.parent_certificate)
        field = data.draw(st.sampled_from(["certificate", "seed_proof"]))
        changed = replace(CommitteeSeal.decode(good), **{field: getattr(earlier, field)}).encode()
    chain = SEALED.chain
    parent = chain.ledger.header(NEXT.height - 1)
    rule = chain.header_rule
    try:
        rule.validate_header(NEXT.header, changed, parent)
    except InvalidInput:
        assert changed != good
    else:
        assert changed == good


@given(st.binary(max_size=700))
def test_any_bytes_as_evidence_change_nothing_but_the_fee(evidence):
    bench = SEALED
    assert not bench.chain.state.checkpoint()
    candidate = bench.chain.build(
        [bench.order(1, "report", evidence)],
        timestamp_ms=bench.chain.head.timestamp_ms + 1,
        proposer=b"\x31" * 20,
    )
    (receipt,) = candidate.receipts
    assert receipt.status == 0
    assert not receipt.logs
