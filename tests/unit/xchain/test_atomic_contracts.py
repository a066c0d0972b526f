"""Coordinator and participant on real chains: votes, decisions, proofs, and attacks that are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk.core.native import external, load_bytes, slot, store_bytes
from chainstack_sdk.cspv import AccountKey, Proof, StorageKey
from chainstack_sdk.cspv.verify.format import chain_key_finality
from chainstack_sdk.network.local import local_consensus
from chainstack_sdk.paradigms import Erc20, default_registry
from chainstack_sdk.primitives.errors import Reverted
from chainstack_sdk.primitives.keys import Account
from chainstack_sdk.testing.atomic import Post, atomic_chains, proof_of_decision, with_atomic
from chainstack_sdk.testing.xchain import GOVERNOR, chain_with_hub, hub_of, link
from chainstack_sdk.xchain.addresses import COORDINATOR_ADDRESS, HUB_ADDRESS, PARTICIPANT_ADDRESS
from chainstack_sdk.xchain.app import CrossChainApp, open_channel, send_packet
from chainstack_sdk.xchain.approval import approve
from chainstack_sdk.xchain.atomic import (
    COORDINATOR_CODE,
    PARTICIPANT_CODE,
    AtomicTerms,
    Comparison,
    Coordinator,
    Decision,
    Guard,
    Leg,
    Participant,
    coordinator_of,
    decision_slot,
    participant_of,
    settle_by_proof,
)
from chainstack_sdk.xchain.atomic.terms import encode_message
from chainstack_sdk.xchain.channels import Endpoint, channel_id
from chainstack_sdk.xchain.custody import Asset, Custodian
from chainstack_sdk.xchain.packets import Acknowledgement

ALICE, BOB, CAROL = PEOPLE = [Account.from_key(number) for number in range(1, 4)]
FUNDS = 10**20
LIFETIME = 60_000
MAIN, SIDE, OTHER = 1, 2, 3


class Hostile(Erc20):
    """A token that refuses to move, or calls somebody while it moves, as slot 20 says."""

    name = "hostile"
    mode = slot(20)

    @external("function behave(uint256 how)")
    def behave(self, call, how):
        call.store(self.mode, how)

    @external("function remember(bytes32 id, bytes transaction)")
    def remember(self, call, transaction_id, transaction):
        call.store(slot(21), int.from_bytes(transaction_id, "big"))
        store_bytes(call, slot(22), transaction)

    @external("function transferFrom(address from, address to, uint256 value) returns (bool)")
    def transfer_from(self, call, sender, to, value):
        transaction_id = call.load(slot(21)).to_bytes(32, "big")
        match call.load(self.mode):
            case 2:
                call.call(to, Participant.abi_function("release").encode_call(transaction_id, 0))
            case 3:  # as the initiator
                abort = Coordinator.abi_function("abort").encode_call(load_bytes(call, slot(22)))
                call.call(COORDINATOR_ADDRESS, abort)
            case 4:
                resolve = Participant.abi_function("resolve").encode_call(load_bytes(call, slot(22)), b"")
                call.call(to, resolve)
        return super().transfer_from(call, sender, to, value)

    @external("function transfer(address to, uint256 value) returns (bool)")
    def transfer(self, call, to, value):
        call.require(call.load(self.mode) != 1, self.EnforcedPause)
        return super().transfer(call, to, value)


def refused(error):
    return pytest.raises(Reverted, match=error.name + r"\(")


class World:
    """Three chains, an ERC-20 and an ERC-721 token on the second one, and the post between them."""

    def __init__(self):
        registry = default_registry()
        registry.add(Hostile)
        funds = dict.fromkeys(PEOPLE, FUNDS)
        self.chains = self.main, self.side, self.other = atomic_chains(
            MAIN, SIDE, OTHER, funds=funds, registry=registry
        )
        self.gold = self.side.erc20.issue(ALICE, name="Gold", symbol="GLD", supply=1_000)
        self.art = self.side.erc721.issue(ALICE, name="Art", symbol="ART")
        self.art.mint(ALICE, ALICE, 7)
        self.post = Post(*self.chains)
        self.coordinator = coordinator_of(self.main)
        for chain_id in (SIDE, OTHER):
            self.coordinator.send(CAROL, "connect", chain_id)

    def chain(self, leg):
        return next(chain for chain in self.chains if chain.chain_id == leg.chain)

    def terms(self, *legs, **changed):
        fields = {
            "initiator": CAROL.address,
            "nonce": 0,
            "coordinator": MAIN,
            "deadline_ms": self.main.head.timestamp_ms + LIFETIME,
            "legs": tuple((leg.chain, leg.hash) for leg in legs),
        }
        return AtomicTerms(**{**fields, **changed})

    def prepare(self, terms, index, leg, *, sender=None, value=None):
        chain = self.chain(leg)
        owner = sender or next(one for one in PEOPLE if one.address == leg.owner)
        approve(chain, owner, PARTICIPANT_ADDRESS, leg.asset)
        wei = leg.asset.wei if value is None else value
        participant_of(chain).send(owner, "prepare", index, leg.encode(), terms.encode(), value=wei)

    def expire(self, terms):
        """Go past the deadline on all chains."""
        for chain in self.chains:
            chain.clock.set_ms(max(chain.clock.now_ms(), terms.deadline_ms))
            chain.seal()

    def decision(self, terms, chain=None):
        handle = self.coordinator if chain is None else participant_of(chain)
        return Decision(handle.read("decisionOf", terms.id))


@pytest.fixture(scope="module")
def made():
    world = World()
    return world, [chain.snapshot() for chain in world.chains]


@pytest.fixture
def world(made):
    world, snapshots = made
    for chain, snapshot in zip(world.chains, snapshots, strict=True):
        chain.revert(snapshot)
    world.post = Post(*world.chains)
    world.post.collect()
    return world


@pytest.fixture
def trade(world):
    """Alice's gold on the side chain against Bob's coin on the third; the main chain only decides."""
    gold = Leg(SIDE, ALICE.address, BOB.address, Asset.erc20(world.gold, 10))
    coin = Leg(OTHER, BOB.address, ALICE.address, Asset.coin(500))
    return world.terms(gold, coin), gold, coin


def gold_of(world):
    return [world.gold.balance_of(one) for one in (ALICE, BOB, PARTICIPANT_ADDRESS)]


UNTOUCHED, ESCROWED, TRADED = [1_000, 0, 0], [990, 0, 10], [990, 10, 0]


# The way it goes ----------------------------------------------------------------------------------------


def test_committed_on_two_chains(world, trade):
    terms, gold, coin = trade
    world.prepare(terms, 0, gold)
    assert gold_of(world) == ESCROWED
    assert participant_of(world.side).read("escrowOf", terms.id, 0) == (
        *(ALICE.address, BOB.address, 1, world.gold.address, 10),
    )
    world.prepare(terms, 1, coin)
    world.post.deliver()
    assert (world.coordinator.read("votesOf", terms.id), world.decision(terms)) == (1, Decision.NONE)
    alice = world.other.balance(ALICE)
    world.post.carry()
    assert world.decision(terms) is Decision.COMMITTED
    assert (gold_of(world), world.other.balance(ALICE) - alice) == (TRADED, 500)
    assert world.other.balance(PARTICIPANT_ADDRESS) == 0
    assert not participant_of(world.side).read("holds", terms.id, 0)
    for chain in (world.side, world.other):
        assert world.decision(terms, chain) is Decision.COMMITTED
        assert hub_of(chain).read("governor") == GOVERNOR.address


def test_the_coordinators_chain_takes_part_without_packets(world):
    coin = Leg(MAIN, BOB.address, ALICE.address, Asset.coin(500))
    more = Leg(MAIN, ALICE.address, BOB.address, Asset.coin(300))
    terms = world.terms(coin, more)
    world.prepare(terms, 0, coin)
    bob = world.main.balance(BOB)
    world.prepare(terms, 1, more)
    assert world.decision(terms) is world.decision(terms, world.main) is Decision.COMMITTED
    assert (world.main.balance(BOB) - bob, world.main.balance(PARTICIPANT_ADDRESS)) == (300, 0)
    assert world.post.collect() == []


def test_collectibles_and_guards(world):
    asks = Erc20.abi_function("balanceOf").encode_call(ALICE.address)
    guards = (
        Guard.balance(BOB.address, FUNDS),
        Guard(world.gold.address, asks, Comparison.EQUAL, 1_000),
    )
    art = Leg(SIDE, ALICE.address, BOB.address, Asset.erc721(world.art, 7), guards)
    only_guards = Leg(OTHER, CAROL.address, CAROL.address, Asset.coin(0), (Guard.balance(BOB.address, 1),))
    terms = world.terms(art, only_guards)
    world.prepare(terms, 0, art)
    world.prepare(terms, 1, only_guards)
    world.post.carry()
    assert world.art.owner_of(7) == BOB.address


def test_guards_that_do_not_hold(world):
    asks = Erc20.abi_function("balanceOf").encode_call(ALICE.address)
    inside = Participant.abi_function("prepare").encode_call(0, b"", b"")
    for guard, error in (
        (Guard.balance(ALICE.address, FUNDS + 1), Participant.GuardFailed),
        (Guard(world.gold.address, asks, Comparison.EQUAL, 999), Participant.GuardFailed),
        (Guard(BOB.address, asks, Comparison.EQUAL, 0), Participant.GuardFailed),  # no contract, no answer
        (Guard(PARTICIPANT_ADDRESS, inside, Comparison.EQUAL, 0), Participant.Malformed),
    ):
        leg = Leg(SIDE, ALICE.address, BOB.address, Asset.erc20(world.gold, 10), (guard,))
        with refused(error):
            world.prepare(world.terms(leg), 0, leg)
    assert gold_of(world) == UNTOUCHED


def test_a_guard_changes_nothing(world):
    """What a guard asks runs read-only, also when that asks a participant to prepare something."""
    free = Leg(SIDE, PARTICIPANT_ADDRESS, BOB.address, Asset.coin(0), (Guard.balance(BOB.address, 0),))
    asks = Erc20.abi_function("balanceOf").encode_call(ALICE.address)
    nested = Leg(
        SIDE,
        PARTICIPANT_ADDRESS,
        BOB.address,
        Asset.coin(0),
        (Guard(world.gold.address, asks, Comparison.AT_LEAST, 0),),
    )
    for inner in (free, nested):
        data = Participant.abi_function("prepare").encode_call(
            0, inner.encode(), world.terms(inner, coordinator=SIDE).encode()
        )
        guard = Guard(PARTICIPANT_ADDRESS, data, Comparison.EQUAL, 0)
        leg = Leg(SIDE, ALICE.address, BOB.address, Asset.coin(1), (guard,))
        with pytest.raises(Reverted, match="read-only"):
            world.prepare(world.terms(leg), 0, leg)


# Aborting -----------------------------------------------------------------------------------------------


def test_the_initiator_calls_it_off(world, trade):
    terms, gold, coin = trade
    world.prepare(terms, 0, gold)
    with refused(Coordinator.NotAllowed):
        world.coordinator.send(ALICE, "abort", terms.encode())
    world.coordinator.send(CAROL, "abort", terms.encode())
    with refused(Coordinator.AlreadyDecided):
        world.coordinator.send(CAROL, "abort", terms.encode())
    world.prepare(terms, 1, coin)  # does not know yet
    world.post.deliver(1 if world.post.collect()[0][0] is world.main else 0)
    world.post.carry()
    assert (gold_of(world), world.other.balance(PARTICIPANT_ADDRESS)) == (UNTOUCHED, 0)
    with refused(Participant.AlreadyDecided):
        world.prepare(terms, 1, coin)


def test_no_commit_after_an_abort(world, trade):
    terms, gold, coin = trade
    world.prepare(terms, 0, gold)
    world.prepare(terms, 1, coin)
    world.post.deliver()
    world.coordinator.send(CAROL, "abort", terms.encode())
    world.post.carry()  # the second vote arrives now
    assert world.decision(terms) is Decision.ABORTED
    assert (gold_of(world), world.other.balance(PARTICIPANT_ADDRESS)) == (UNTOUCHED, 0)


def test_no_abort_after_a_commit(world, trade):
    terms, gold, coin = trade
    world.prepare(terms, 0, gold)
    world.prepare(terms, 1, coin)
    for _ in range(2):
        world.post.deliver()
    assert world.decision(terms) is Decision.COMMITTED
    world.expire(terms)
    for who in (CAROL, ALICE):
        with refused(Coordinator.AlreadyDecided):
            world.coordinator.send(who, "abort", terms.encode())
    assert settle_by_proof(terms, world.side, world.main, CAROL) is Decision.COMMITTED
    world.post.carry()  # the packets say what is known already
    assert (gold_of(world), world.other.balance(PARTICIPANT_ADDRESS)) == (TRADED, 0)


def test_a_vote_after_the_deadline_is_worth_nothing(world, trade):
    terms, gold, coin = trade
    world.prepare(terms, 0, gold)
    world.prepare(terms, 1, coin)
    world.post.deliver()
    world.main.clock.set_ms(terms.deadline_ms)
    world.main.seal()
    ((_, last),) = [one for one in world.post.collect() if one[0] is world.other]
    with pytest.raises(Reverted, match="TimedOut"):
        world.post.deliver(world.post.collect().index((world.other, last)))
    world.post.time_out(last.message)
    assert world.decision(terms, world.other) is Decision.ABORTED
    assert world.other.balance(PARTICIPANT_ADDRESS) == 0
    world.coordinator.send(ALICE, "abort", terms.encode())  # anybody, now
    world.post.carry()
    assert gold_of(world) == UNTOUCHED


def test_a_refused_vote_sets_the_funds_free(world, trade):
    """Without an abort having been told: the acknowledgement of the vote is enough."""
    terms, gold, _ = trade
    world.coordinator.send(CAROL, "abort", terms.encode())
    world.post.collect().clear()
    world.prepare(terms, 0, gold)
    world.post.carry()
    assert (gold_of(world), world.decision(terms, world.side)) == (UNTOUCHED, Decision.ABORTED)


def test_the_deadline_at_home(world):
    coin = Leg(MAIN, BOB.address, ALICE.address, Asset.coin(500))
    terms = world.terms(coin, Leg(SIDE, ALICE.address, BOB.address, Asset.coin(1)))
    world.prepare(terms, 0, coin)
    with refused(Participant.Undecided):
        settle_by_proof(terms, world.main, world.main, CAROL)
    world.expire(terms)
    bob = world.main.balance(BOB)
    assert settle_by_proof(terms, world.main, world.main, CAROL) is Decision.ABORTED
    assert world.main.balance(BOB) - bob == 500
    with refused(Participant.AlreadyDecided):
        world.prepare(terms, 0, coin)
    world.coordinator.send(ALICE, "abort", terms.encode())


def test_the_block_at_the_deadline_is_too_late(world):
    coin = Leg(MAIN, BOB.address, ALICE.address, Asset.coin(500))
    terms = world.terms(coin)
    world.main.clock.set_ms(terms.deadline_ms)
    with refused(Participant.DeadlinePassed):
        world.prepare(terms, 0, coin)
    world.coordinator.send(ALICE, "abort", terms.encode())
    assert world.main.head.timestamp_ms == terms.deadline_ms


# Proofs of the coordinator's state ----------------------------------------------------------------------


def test_nobody_waits_beyond_the_deadline(world, trade):
    """No relayer, no initiator: a proof that nothing was decided is enough."""
    terms, gold, _ = trade
    world.prepare(terms, 0, gold)
    with refused(Participant.Undecided):
        settle_by_proof(terms, world.side, world.main, CAROL)
    world.expire(terms)
    assert settle_by_proof(terms, world.side, world.main, CAROL) is Decision.ABORTED
    assert gold_of(world) == UNTOUCHED
    assert settle_by_proof(terms, world.side, world.main, CAROL) is Decision.ABORTED  # nothing left to do
    assert world.decision(terms) is Decision.NONE


def test_proofs_that_prove_something_else(world, trade):
    terms, gold, coin = trade
    world.prepare(terms, 0, gold)
    world.prepare(terms, 1, coin)
    participant, data = participant_of(world.side), terms.encode()
    early = world.main.height
    world.expire(terms)
    good = proof_of_decision(world.main, terms.id)
    cases = {
        "of another chain": (proof_of_decision(world.other, terms.id), Participant.InvalidProof),
        "before the deadline": (proof_of_decision(world.main, terms.id, early), Participant.Undecided),
        "of another transaction": (proof_of_decision(world.main, bytes(32)), Participant.InvalidProof),
        "of another contract": (
            world.main.prove(StorageKey(HUB_ADDRESS, 0)).to_bytes(),
            Participant.InvalidProof,
        ),
        "of no slot": (
            world.main.prove(AccountKey(COORDINATOR_ADDRESS)).to_bytes(),
            Participant.InvalidProof,
        ),
        "forged": (good[:-1] + bytes((good[-1] ^ 1,)), Participant.InvalidProof),
        "no proof": (b"", Participant.InvalidProof),
    }
    for what, (proof, error) in cases.items():
        with refused(error):
            participant.send(CAROL, "resolve", data, proof)
        assert world.decision(terms, world.side) is Decision.NONE, what
    participant.send(CAROL, "resolve", data, good)
    with refused(Participant.AlreadyDecided):
        participant.send(CAROL, "resolve", data, good)
    participant.send(CAROL, "release", terms.id, 0)
    with refused(Participant.NothingHeld):
        participant.send(CAROL, "release", terms.id, 0)
    with refused(Participant.NothingHeld):
        participant.read("escrowOf", terms.id, 0)
    assert gold_of(world) == UNTOUCHED


def test_a_block_that_the_hub_knows_needs_no_signature(world, trade):
    terms, gold, coin = trade
    world.prepare(terms, 0, gold)
    world.prepare(terms, 1, coin)
    world.post.deliver()
    world.post.deliver()
    participant = participant_of(world.other)
    proof = Proof.from_bytes(proof_of_decision(world.main, terms.id))
    bare = replace(proof, finality=chain_key_finality(bytes(48))).to_bytes()
    with refused(Participant.InvalidProof):
        participant.send(CAROL, "resolve", terms.encode(), bare)
    in_block = [found.message for _, found in world.post.collect() if found.height == world.main.height]
    (vote,) = [message for message in in_block if isinstance(message, Acknowledgement)]
    world.post.deliver([found.message for _, found in world.post.waiting].index(vote))
    participant.send(CAROL, "resolve", terms.encode(), bare)
    assert world.decision(terms, world.other) is Decision.COMMITTED


def test_a_chain_without_an_anchor(world):
    leg = Leg(SIDE, ALICE.address, BOB.address, Asset.coin(1))
    unknown = world.terms(leg, coordinator=99)
    with pytest.raises(Reverted, match="UnknownChain"):
        world.prepare(unknown, 0, leg)
    with refused(Participant.InvalidProof):
        proof = proof_of_decision(world.main, unknown.id)
        participant_of(world.side).send(CAROL, "resolve", unknown.encode(), proof)


# Preparing something else -------------------------------------------------------------------------------


def test_preparing_something_else_than_agreed(world, trade):
    terms, gold, coin = trade
    other = Leg(SIDE, ALICE.address, BOB.address, Asset.erc20(world.gold, 9))
    foreign = Leg(OTHER, ALICE.address, BOB.address, Asset.coin(9))
    with refused(Participant.WrongLeg):
        world.prepare(terms, 0, other)
    for index in (1, 2):  # a leg of another chain; no leg
        with refused(Participant.NotALeg):
            world.prepare(terms, index, gold)
    lying = world.terms(foreign, legs=((SIDE, foreign.hash),))
    with refused(Participant.WrongLeg):
        participant_of(world.side).send(ALICE, "prepare", 0, foreign.encode(), lying.encode(), value=9)
    with refused(Participant.NotTheOwner):
        world.prepare(terms, 0, gold, sender=BOB)
    with refused(Custodian.WrongFunds):
        world.prepare(terms, 1, coin, value=499)
    for leg, transaction in ((b"", terms.encode()), (gold.encode(), b"\xc0")):
        with refused(Participant.Malformed):
            participant_of(world.side).send(ALICE, "prepare", 0, leg, transaction)
    world.prepare(terms, 0, gold)
    with refused(Participant.AlreadyPrepared):
        world.prepare(terms, 0, gold)
    late = world.terms(gold, deadline_ms=world.side.head.timestamp_ms)
    with refused(Participant.DeadlinePassed):
        world.prepare(late, 0, gold)
    assert gold_of(world) == ESCROWED


def test_escrow_is_nobodys(world, trade):
    terms, gold, _ = trade
    world.prepare(terms, 0, gold)
    with pytest.raises(Reverted):
        world.gold.transfer(ALICE, BOB, 991)
    with refused(Participant.NotDecided):
        participant_of(world.side).send(BOB, "release", terms.id, 0)


# Voting for others --------------------------------------------------------------------------------------


def test_only_contracts_of_the_system_vote_and_decide(world, trade):
    terms, _, _ = trade
    data = terms.encode()
    with refused(Coordinator.NotAllowed):
        world.coordinator.send(ALICE, "vote", 0, data)
    with refused(Participant.NotAllowed):
        participant_of(world.side).send(ALICE, "decide", 1, data)
    for handle in (world.coordinator, participant_of(world.side)):
        with refused(Coordinator.NotTheHub):
            handle.send(ALICE, "onPacket", bytes(32), 1, PARTICIPANT_ADDRESS, encode_message(1, data))
    with refused(Participant.NotTheHub):
        participant_of(world.side).send(ALICE, "onTimeOut", bytes(32), 1, encode_message(0, data))


def test_a_transaction_of_another_coordinator(world, trade):
    coin = trade[2]
    elsewhere = world.terms(coin, coordinator=SIDE)
    with refused(Coordinator.WrongCoordinator):
        world.coordinator.send(CAROL, "abort", elsewhere.encode())
    with refused(Coordinator.Malformed):
        world.coordinator.send(CAROL, "abort", b"")
    assert world.coordinator.read("isConnected", SIDE)
    assert not world.coordinator.read("isConnected", 99)
    assert world.coordinator.read("isConnected", MAIN) is False


class Puppet(CrossChainApp):
    """What a chain that lies has in the place of an honest contract: says whatever it is told."""

    @external("function say(address peer, bytes payload)")
    def say(self, call, peer, payload):
        send_packet(call, open_channel(call, MAIN, peer), payload, timeout_ms=1 << 63)

    @external("function write(bytes32 where, uint256 value)")
    def write(self, call, where, value):
        call.store(where, value)


@pytest.fixture(scope="module")
def liar():
    """An honest main chain and a side chain whose contracts lie."""
    funds = dict.fromkeys(PEOPLE, FUNDS)
    honest = {COORDINATOR_CODE: Coordinator(), PARTICIPANT_CODE: Participant()}
    puppets = {COORDINATOR_CODE: Puppet(), PARTICIPANT_CODE: Puppet()}
    main = chain_with_hub(MAIN, funds, contracts=honest, prepare=with_atomic)
    side = chain_with_hub(SIDE, funds, contracts=puppets, prepare=with_atomic)
    link(main, side)
    coordinator_of(main).send(CAROL, "connect", SIDE)
    return main, side


def error_of(post):
    """Deliver a packet of the liar and return the name of the error that the main chain acknowledges with."""
    post.deliver()
    ((_, found),) = post.collect()
    post.waiting.clear()
    data = found.message.result
    assert not found.message.success
    return next(
        one.name for one in (*Participant.abi_errors, *Coordinator.abi_errors) if one.selector == data[:4]
    )


def test_votes_of_a_chain_that_lies(liar):
    main, side = liar
    own = Leg(SIDE, ALICE.address, BOB.address, Asset.coin(1))
    foreign = Leg(MAIN, BOB.address, ALICE.address, Asset.coin(1))
    fields = (CAROL.address, 0, MAIN, main.head.timestamp_ms + LIFETIME)
    terms = AtomicTerms.of(*fields, [own, foreign])
    elsewhere = AtomicTerms.of(CAROL.address, 0, SIDE, fields[3], [own])
    post = Post(main, side)
    post.collect().clear()
    puppet = side.contract(PARTICIPANT_ADDRESS, Puppet)
    for payload, error in (
        (encode_message(1, terms.encode()), "NotALeg"),  # the vote of the main chain
        (encode_message(2, terms.encode()), "NotALeg"),
        (encode_message(0, elsewhere.encode()), "WrongCoordinator"),
        (encode_message(0, b"vote"), "Malformed"),
        (b"", "Malformed"),
    ):
        puppet.send(ALICE, "say", COORDINATOR_ADDRESS, payload)
        assert error_of(post) == error
    for _ in range(2):
        puppet.send(ALICE, "say", COORDINATOR_ADDRESS, encode_message(0, terms.encode()))
    post.deliver()
    (twice,) = [place for place, (chain, _) in enumerate(post.collect()) if chain is side]
    post.waiting[:] = [post.waiting[twice]]
    assert error_of(post) == "AlreadyVoted"
    assert coordinator_of(main).read("votesOf", terms.id) == 1


def test_decisions_of_a_chain_that_lies(liar):
    """It decides what it likes about transactions that it coordinates, and about no others."""
    main, side = liar
    leg = Leg(MAIN, BOB.address, ALICE.address, Asset.coin(7))
    fields = (CAROL.address, 1, main.head.timestamp_ms + LIFETIME)
    trusting = AtomicTerms.of(fields[0], fields[1], SIDE, fields[2], [leg])
    others = AtomicTerms.of(fields[0], fields[1], MAIN, fields[2], [leg, leg])
    participant, puppet = participant_of(main), side.contract(COORDINATOR_ADDRESS, Puppet)
    for terms in (trusting, others):
        participant.send(BOB, "prepare", 0, leg.encode(), terms.encode(), value=7)
    post = Post(main, side)
    post.collect().clear()
    for payload, error in (
        (encode_message(Decision.COMMITTED, others.encode()), "WrongCoordinator"),
        (encode_message(0, trusting.encode()), "Malformed"),
        (encode_message(3, trusting.encode()), "Malformed"),
        (encode_message(1, b""), "Malformed"),
    ):
        puppet.send(ALICE, "say", PARTICIPANT_ADDRESS, payload)
        assert error_of(post) == error
    slot_of = int.to_bytes(decision_slot(trusting.id), 32, "big")
    puppet.send(ALICE, "write", slot_of, 3)
    with refused(Participant.InvalidProof):
        participant.send(CAROL, "resolve", trusting.encode(), proof_of_decision(side, trusting.id))
    for decision in (Decision.COMMITTED, Decision.ABORTED):
        puppet.send(ALICE, "say", PARTICIPANT_ADDRESS, encode_message(decision, trusting.encode()))
    post.deliver()
    (second,) = [place for place, (chain, _) in enumerate(post.collect()) if chain is side]
    post.waiting[:] = [post.waiting[second]]
    assert error_of(post) == "AlreadyDecided"
    assert participant.read("decisionOf", trusting.id) == Decision.COMMITTED
    assert participant.read("decisionOf", others.id) == Decision.NONE


def test_a_coordinator_whose_committee_signs_for_it():
    """Finality of another scheme than a chain's key: the certificates of a committee."""
    parts = {
        "contracts": {COORDINATOR_CODE: Coordinator(), PARTICIPANT_CODE: Participant()},
        "prepare": with_atomic,
    }
    main = chain_with_hub(MAIN, consensus=local_consensus("pbft", chain_key=False), **parts)
    side = chain_with_hub(SIDE, {ALICE: FUNDS}, **parts)
    link(main, side)
    leg = Leg(SIDE, ALICE.address, BOB.address, Asset.coin(1))
    terms = AtomicTerms.of(CAROL.address, 0, MAIN, side.head.timestamp_ms + LIFETIME, [leg])
    participant_of(side).send(ALICE, "prepare", 0, leg.encode(), terms.encode(), value=1)
    main.clock.set_ms(terms.deadline_ms)
    for _ in range(2):
        main.seal()
    proof = main.prove(StorageKey(COORDINATOR_ADDRESS, decision_slot(terms.id))).to_bytes()
    participant_of(side).send(ALICE, "resolve", terms.encode(), proof)
    participant_of(side).send(ALICE, "release", terms.id, 0)
    assert side.balance(PARTICIPANT_ADDRESS) == 0


# What stands in the way ---------------------------------------------------------------------------------


def test_a_decision_that_cannot_be_told_stands(world, trade):
    terms, gold, coin = trade
    ends = Endpoint(MAIN, COORDINATOR_ADDRESS), Endpoint(SIDE, PARTICIPANT_ADDRESS)
    hub_of(world.main).send(GOVERNOR, "setCap", channel_id(*ends), 0)
    world.prepare(terms, 0, gold)
    world.prepare(terms, 1, coin)
    world.post.carry()
    assert world.decision(terms) is world.decision(terms, world.other) is Decision.COMMITTED
    assert world.decision(terms, world.side) is Decision.NONE
    assert settle_by_proof(terms, world.side, world.main, CAROL) is Decision.COMMITTED
    assert gold_of(world) == TRADED


@pytest.fixture
def hostile(world):
    config = {"name": "H", "symbol": "H", "decimals": 0, "supply": 1_000, "cap": 0, "owner": ALICE.address}
    switches = dict.fromkeys(("mintable", "burnable", "pausable"), False)
    return world.side.paradigm("hostile").issue(ALICE, **config, **switches)


def test_a_token_that_does_not_move_holds_up_nobody_else(world, hostile):
    stuck = Leg(SIDE, ALICE.address, BOB.address, Asset.erc20(hostile, 5))
    gold = Leg(SIDE, ALICE.address, BOB.address, Asset.erc20(world.gold, 10))
    terms = world.terms(stuck, gold)
    world.prepare(terms, 0, stuck)
    world.prepare(terms, 1, gold)
    hostile.send(ALICE, "behave", 1)
    world.post.carry()
    participant = participant_of(world.side)
    assert gold_of(world) == TRADED
    assert [found.args["index"] for found in participant.events("Owed", id=terms.id)] == [0]
    with refused(Custodian.TransferRefused):
        participant.send(CAROL, "release", terms.id, 0)
    assert participant.read("holds", terms.id, 0)
    hostile.send(ALICE, "behave", 0)
    participant.send(CAROL, "release", terms.id, 0)
    assert hostile.read("balanceOf", BOB) == 5


@pytest.mark.parametrize("how", [2, 4])
def test_a_token_that_calls_back(world, hostile, how):
    """While a token runs, nothing is released or resolved."""
    leg = Leg(SIDE, ALICE.address, BOB.address, Asset.erc20(hostile, 5))
    terms = world.terms(leg)
    hostile.send(ALICE, "remember", terms.id, terms.encode())
    hostile.send(ALICE, "behave", how)
    with refused(Custodian.Reentered):
        world.prepare(terms, 0, leg)


def test_a_token_that_aborts_while_it_is_taken(world, hostile):
    """The token is the initiator and the coordinator is at hand: the leg is refused as a whole."""
    leg = Leg(SIDE, ALICE.address, BOB.address, Asset.erc20(hostile, 5))
    terms = world.terms(leg, initiator=hostile.address, coordinator=SIDE)
    hostile.send(ALICE, "remember", terms.id, terms.encode())
    hostile.send(ALICE, "behave", 3)
    with refused(Coordinator.AlreadyDecided):
        world.prepare(terms, 0, leg)
    assert coordinator_of(world.side).read("decisionOf", terms.id) == Decision.NONE
    assert hostile.read("balanceOf", PARTICIPANT_ADDRESS) == 0
