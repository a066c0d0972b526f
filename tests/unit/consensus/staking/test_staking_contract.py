"""The staking contract on a real chain: what each function does, refuses, emits and costs in coin."""

from __future__ import annotations

import pytest

from chainstack_sdk.consensus.beacon import seed_alpha
from chainstack_sdk.consensus.bft.evidence import Evidence
from chainstack_sdk.consensus.bft.messages import SignedVote, Vote, VoteKind
from chainstack_sdk.consensus.reputation import INITIAL_PERFORMANCE
from chainstack_sdk.consensus.staking import STAKING_ADDRESS, StakingContract, key_alpha
from chainstack_sdk.consensus.staking.registry import Status
from chainstack_sdk.core.queries import find_receipt
from chainstack_sdk.primitives import Reverted, UsageError, ether, keccak256
from chainstack_sdk.testing import payment
from chainstack_sdk.testing.committee import CommitteeBench

MINIMUM = ether(1)
NEW, OTHER = 4, 5
NOBODY = b"\x99" * 20


@pytest.fixture
def bench() -> CommitteeBench:
    """Six accounts, the first four validators; slots of four blocks."""
    return CommitteeBench(6, registered=4)


def act(bench, sender, function, *args, value=0):
    """Let an account call the contract in a block of its own; return the receipt."""
    transaction = bench.order(sender, function, *args, value=value)
    bench.extend(transaction)
    return find_receipt(bench.chain, transaction.hash)


def done(bench, *call, **options):
    """The same, expecting success; return the decoded event."""
    receipt = act(bench, *call, **options)
    assert receipt.status == 1
    (log,) = receipt.logs
    assert log.address == STAKING_ADDRESS
    event = next(each for each in StakingContract.abi_events if each.topic == log.topics[0])
    return event.name, tuple(event.decode(log.topics, log.data).values())


def refused(bench, error, values, *call, **options):
    """The same, expecting a refusal that changes nothing but the fee."""
    before = held(bench)
    receipt = act(bench, *call, **options)
    assert receipt.status == 0
    assert receipt.output == error.encode(*values)
    assert held(bench) == before


def held(bench):
    return bench.chain.state.balance(STAKING_ADDRESS)


def address(bench, number):
    return bench.accounts[number].address


def register(bench, number=NEW, value=MINIMUM):
    return done(bench, number, "register", *bench.proven_key(number), value=value)


def standing(bench, number):
    return bench.ask("validator", address(bench, number))


def test_genesis_validators_stand_for_election(bench):
    assert bench.ask("validators") == tuple(one.address for one in bench.accounts[:4])
    key = bench.vrf_keys[2].public
    assert standing(bench, 2) == (MINIMUM, key, INITIAL_PERFORMANCE, Status.REGISTERED, 0)
    assert held(bench) == 4 * MINIMUM


def test_an_unknown_address_is_nothing(bench):
    assert bench.ask("validator", NOBODY) == (0, bytes(32), 0, Status.UNKNOWN, 0)


def test_register(bench):
    key = bench.vrf_keys[NEW].public
    assert register(bench, value=MINIMUM + 5) == ("Registered", (address(bench, NEW), key, MINIMUM + 5))
    assert standing(bench, NEW) == (MINIMUM + 5, key, INITIAL_PERFORMANCE, Status.REGISTERED, 0)
    assert bench.ask("validators")[-1] == address(bench, NEW)
    assert held(bench) == 5 * MINIMUM + 5


def test_a_deposit_below_the_minimum_is_refused(bench):
    assert bench.ask("minimumDeposit") == MINIMUM
    call = (NEW, "register", *bench.proven_key(NEW))
    refused(bench, StakingContract.DepositTooSmall, (MINIMUM - 1, MINIMUM), *call, value=MINIMUM - 1)


def test_nobody_registers_twice(bench):
    error, values = StakingContract.AlreadyRegistered, (address(bench, 0),)
    refused(bench, error, values, 0, "register", *bench.proven_key(0, NEW), value=MINIMUM)
    done(bench, 0, "unregister")
    refused(bench, error, values, 0, "register", *bench.proven_key(0, NEW), value=MINIMUM)


@pytest.mark.parametrize("key", [bytes(32), b"\x01" + bytes(31), b"\xff" * 32, b"\x02" + bytes(31)])
def test_a_key_that_is_no_point_of_the_group_is_refused(bench, key):
    _, proof = bench.proven_key(NEW)
    values = (key, address(bench, NEW))
    refused(bench, StakingContract.InvalidVrfProof, values, NEW, "register", key, proof, value=MINIMUM)


def unproven(bench, kind):
    """A proof that does not show that account 4 holds its key on this chain."""
    _, proof = bench.proven_key(NEW)
    elsewhere = key_alpha(bench.genesis.chain_id + 1, address(bench, NEW))
    return {
        "empty": b"",
        "truncated": proof[:-1],
        "longer": proof + b"\0",
        "changed": proof[:-1] + bytes([proof[-1] ^ 1]),
        "another key's": bench.proven_key(NEW, OTHER)[1],
        "another chain's": bench.vrf_keys[NEW].prove(elsewhere),
        "a seed's": bench.vrf_keys[NEW].prove(seed_alpha(bench.genesis.chain_id, 1, bytes(32))),
        "good": proof,
    }[kind]


@pytest.mark.parametrize(
    "kind", ["empty", "truncated", "longer", "changed", "another key's", "another chain's", "a seed's"]
)
def test_whoever_registers_a_key_proves_to_hold_it(bench, kind):
    key = bench.vrf_keys[NEW].public
    call = (NEW, "register", key, unproven(bench, kind))
    refused(bench, StakingContract.InvalidVrfProof, (key, address(bench, NEW)), *call, value=MINIMUM)
    assert done(bench, NEW, "register", key, unproven(bench, "good"), value=MINIMUM)[0] == "Registered"


def test_nobody_registers_the_key_of_another_first(bench):
    """Not even with the proof that the other has sent already."""
    key, proof = bench.proven_key(NEW)
    error, values = StakingContract.InvalidVrfProof, (key, address(bench, OTHER))
    refused(bench, error, values, OTHER, "register", key, proof, value=MINIMUM)
    register(bench)


def test_what_a_key_proves():
    assert key_alpha(5, b"\x07" * 20) == b"chainstack vrf key" + bytes(7) + b"\x05" + b"\x07" * 20
    for chain_id, validator in ((2**64, NOBODY), (-1, NOBODY), (5, NOBODY[1:])):
        with pytest.raises(UsageError):
            key_alpha(chain_id, validator)


def test_a_key_belongs_to_whoever_registered_it_first_for_good(bench):
    key = bench.vrf_keys[0].public
    error, values = StakingContract.VrfKeyTaken, (key, address(bench, 0))
    refused(bench, error, values, NEW, "register", *bench.proven_key(NEW, 0), value=MINIMUM)
    done(bench, 0, "unregister")
    bench.to_slot(3)
    done(bench, 0, "withdraw")
    refused(bench, error, values, NEW, "register", *bench.proven_key(NEW, 0), value=MINIMUM)
    assert done(bench, 0, "register", *bench.proven_key(0), value=MINIMUM)[0] == "Registered"


def test_who_comes_back_may_bring_a_new_key_and_keeps_its_performance(bench):
    done(bench, 0, "unregister")
    for _ in range(11):
        bench.extend(absent=[address(bench, 0)])
    assert bench.chain.height == 12
    done(bench, 0, "withdraw")
    performance = standing(bench, 0)[2]
    assert performance < INITIAL_PERFORMANCE
    key = bench.vrf_keys[NEW].public
    done(bench, 0, "register", *bench.proven_key(0, NEW), value=MINIMUM)
    assert standing(bench, 0) == (MINIMUM, key, performance, Status.REGISTERED, 0)


def test_deposit_adds(bench):
    event = done(bench, 1, "deposit", value=7)
    assert event == ("Deposited", (address(bench, 1), 7, MINIMUM + 7))
    assert standing(bench, 1)[0] == MINIMUM + 7
    assert held(bench) == 4 * MINIMUM + 7


def test_only_who_stands_for_election_adds_to_its_deposit_or_unregisters(bench):
    error = StakingContract.NotRegistered
    refused(bench, error, (address(bench, NEW),), NEW, "deposit", value=7)
    refused(bench, error, (address(bench, NEW),), NEW, "unregister")
    done(bench, 1, "unregister")
    refused(bench, error, (address(bench, 1),), 1, "deposit", value=7)
    refused(bench, error, (address(bench, 1),), 1, "unregister")


def test_unregistering_takes_two_whole_slots(bench):
    bench.extend()
    bench.to_slot(1)
    assert done(bench, 1, "unregister") == ("Unregistered", (address(bench, 1), 4))
    assert standing(bench, 1)[3:] == (Status.UNREGISTERED, 4)
    assert address(bench, 1) not in bench.ask("validators")
    bench.to_slot(4)
    bench.chain.undo()  # the last block of slot 3
    refused(bench, StakingContract.DepositLocked, (4,), 1, "withdraw")
    before = bench.chain.state.balance(address(bench, 1))
    transaction = bench.order(1, "withdraw")
    bench.extend(transaction)
    receipt = find_receipt(bench.chain, transaction.hash)
    fee = receipt.gas_used * receipt.effective_gas_price
    assert bench.chain.state.balance(address(bench, 1)) == before + MINIMUM - fee
    assert standing(bench, 1)[::3] == (0, Status.WITHDRAWN)
    assert standing(bench, 1)[4] == 0
    assert held(bench) == 3 * MINIMUM


def test_withdrawing_takes_unregistering_and_happens_once(bench):
    refused(bench, StakingContract.AlreadyRegistered, (address(bench, 1),), 1, "withdraw")
    refused(bench, StakingContract.NothingToWithdraw, (address(bench, NEW),), NEW, "withdraw")
    done(bench, 1, "unregister")
    bench.to_slot(3)
    assert done(bench, 1, "withdraw") == ("Withdrawn", (address(bench, 1), MINIMUM))
    refused(bench, StakingContract.NothingToWithdraw, (address(bench, 1),), 1, "withdraw")


def test_a_list_without_one_in_the_middle(bench):
    done(bench, 1, "unregister")
    assert bench.ask("validators") == tuple(address(bench, number) for number in (0, 3, 2))
    done(bench, 2, "unregister")
    done(bench, 0, "unregister")
    assert bench.ask("validators") == (address(bench, 3),)
    done(bench, 3, "unregister")
    assert bench.ask("validators") == ()


@pytest.mark.parametrize("unregistered", [False, True])
def test_a_double_vote_forfeits_the_deposit_to_the_reporter(bench, unregistered):
    culprit, reporter = address(bench, 1), address(bench, NEW)
    if unregistered:
        done(bench, 1, "unregister")
    before = bench.chain.state.balance(reporter)
    transaction = bench.order(NEW, "report", bench.double_vote(culprit, 1))
    bench.extend(transaction)
    receipt = find_receipt(bench.chain, transaction.hash)
    (log,) = receipt.logs
    event = StakingContract.Slashed.decode(log.topics, log.data)
    assert tuple(event.values()) == (culprit, reporter, MINIMUM)
    fee = receipt.gas_used * receipt.effective_gas_price
    assert bench.chain.state.balance(reporter) == before + MINIMUM - fee
    assert standing(bench, 1)[::3] == (0, Status.SLASHED)
    assert culprit not in bench.ask("validators")
    assert held(bench) == 3 * MINIMUM


def test_a_culprit_is_punished_once_and_barred(bench):
    culprit = address(bench, 1)
    done(bench, NEW, "report", bench.double_vote(culprit, 1))
    error = StakingContract.NothingToForfeit
    refused(bench, error, (culprit,), OTHER, "report", bench.double_vote(culprit, 1))
    refused(bench, error, (culprit,), OTHER, "report", bench.double_vote(culprit, 2))
    call = (1, "register", *bench.proven_key(1, OTHER))
    refused(bench, StakingContract.BarredValidator, (culprit,), *call, value=MINIMUM)
    refused(bench, StakingContract.NothingToWithdraw, (culprit,), 1, "withdraw")


def test_nobody_without_a_deposit_can_be_punished(bench):
    nobody = address(bench, NEW)
    call = (OTHER, "report", bench.double_vote(nobody, 1))
    refused(bench, StakingContract.NothingToForfeit, (nobody,), *call)


def test_what_one_did_before_one_withdrew_is_forgiven(bench):
    culprit = address(bench, 1)
    done(bench, 1, "unregister")
    bench.to_slot(3)
    done(bench, 1, "withdraw")
    error = StakingContract.NothingToForfeit
    refused(bench, error, (culprit,), NEW, "report", bench.double_vote(culprit, 1))
    done(bench, 1, "register", *bench.proven_key(1), value=MINIMUM)
    since = bench.chain.height
    stale = (NEW, "report", bench.double_vote(culprit, since - 1))
    refused(bench, StakingContract.StaleEvidence, (since - 1, since), *stale)
    done(bench, NEW, "report", bench.double_vote(culprit, since))


def malformed(bench, kind):
    """Evidence that proves nothing against validator 1."""
    sign = bench.accounts[1].sign
    one, other = (Vote(VoteKind.PREVOTE, 1, 0, keccak256(name)) for name in (b"1", b"2"))
    chain_id = bench.terms.chain_id + (kind == "another chain")
    signed, forged = (
        SignedVote(vote, address(bench, 1), sign(vote.digest(chain_id))) for vote in (one, other)
    )
    if kind == "forged":
        forged = SignedVote(other, address(bench, 1), bench.accounts[2].sign(other.digest(chain_id)))
    good = Evidence.of(signed, forged).encode()
    return {
        "empty": b"",
        "truncated": good[:-1],
        "longer": good + b"\0",
        "one message twice": len(signed.encode()).to_bytes(2, "big") + signed.encode() * 2,
        "another order": good[:2] + good[132:] + good[2:132],
    }.get(kind, good)


@pytest.mark.parametrize(
    "kind",
    ["empty", "truncated", "longer", "one message twice", "another order", "another chain", "forged"],
)
def test_evidence_that_proves_nothing_is_refused(bench, kind):
    refused(bench, StakingContract.InvalidEvidence, (), NEW, "report", malformed(bench, kind))


def test_the_same_evidence_unspoilt_is_accepted(bench):
    assert done(bench, NEW, "report", malformed(bench, "nothing wrong"))[0] == "Slashed"


def test_committees_by_slot(bench):
    everybody = tuple(sorted(one.address for one in bench.accounts[:4]))
    assert bench.ask("committee", 0) == bench.ask("committee", 1) == everybody
    assert bench.ask("committeeHash", 1) == bench.committees.at(1).hash
    assert bench.ask("committeeHash", 2) == bytes(32)
    with pytest.raises(Reverted) as caught:
        bench.ask("committee", 2)
    assert caught.value.data == StakingContract.UnknownCommittee.encode(2)


def test_slots_and_coin_counters(bench):
    assert (bench.ask("currentSlot"), bench.ask("minted"), bench.ask("burnt")) == (0, 0, 0)
    bench.to_slot(1)
    bench.extend()
    assert bench.ask("currentSlot") == 1
    # block 1 has no verifiers to pay, the others mint the whole reward
    assert bench.ask("minted") == ether(2) * 87 // 100 + 4 * ether(2)
    assert bench.ask("burnt") == 0


def test_coin_without_a_call_is_refused(bench):
    plain = payment(bench.chain, bench.accounts[0], STAKING_ADDRESS, 5, gas=30_000)
    bench.extend(plain)
    assert find_receipt(bench.chain, plain.hash).status == 0
    assert held(bench) == 4 * MINIMUM
