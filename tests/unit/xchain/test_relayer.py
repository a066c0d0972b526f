"""The relayer: it carries everything to its end, whatever it knows and whoever else does the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from chainstack_sdk import Account, Chain, UsageError
from chainstack_sdk.clock import ManualClock
from chainstack_sdk.consensus.bft.validators import Validator, ValidatorSet
from chainstack_sdk.consensus.chainkey.ceremony import holders_message
from chainstack_sdk.consensus.chainkey.link import KeyLink, link_digest
from chainstack_sdk.cspv import ChainKeyAnchor, ChainKeyFinality, prove
from chainstack_sdk.cspv.work_policy import WorkPolicy
from chainstack_sdk.cspv.work_prover import WorkFinality
from chainstack_sdk.network.local import local_consensus
from chainstack_sdk.primitives.bls import FINALITY_DOMAIN, HOLDERS_DOMAIN, public_key, sign
from chainstack_sdk.testing import accounts
from chainstack_sdk.testing.xchain import (
    GOVERNOR,
    chain_with_hub,
    hub_of,
    link,
    mailbox_pair,
    sent_messages,
)
from chainstack_sdk.xchain.facade_port import FacadePort
from chainstack_sdk.xchain.packets import Packet
from chainstack_sdk.xchain.progress import Progress
from chainstack_sdk.xchain.relayer import Relayer

if TYPE_CHECKING:
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.cspv import Anchor, FinalityProver, Proof, Provable
    from chainstack_sdk.paradigms import Instance

CARRIER, RIVAL, POOR = accounts(3, "chainstack_sdk test relayer")
FUNDS = {CARRIER: 10**20, RIVAL: 10**20}
FAR = 10**15


@dataclass
class Pair:
    """Two chains whose mailboxes have a channel."""

    a: Chain
    b: Chain
    box: Instance
    peer: Instance
    channel: bytes

    def write(self, *letters: bytes, late: int = FAR, height: int = 0, back: bool = False) -> None:
        """Put letters into the pool, all for one block."""
        chain, box = (self.b, self.peer) if back else (self.a, self.box)
        for letter in letters:
            data = box.encode("write", self.channel, letter, height, late)
            chain.send(chain.sign(GOVERNOR, box.address, data=data))

    def relayer(self, account: Account = CARRIER, *, seals: bool = True, **options: Any) -> Relayer:
        return Relayer(
            FacadePort(self.a, account, seals=seals), FacadePort(self.b, account, seals=seals), **options
        )

    def tallies(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Received, taken, refused and returned, on both chains."""
        return self.box.read("tally"), self.peer.read("tally")

    @property
    def in_flight(self) -> int:
        return sum(hub_of(chain).read("inFlight", self.channel) for chain in (self.a, self.b))


def pair_of(a: Chain, b: Chain, ordered: bool = False) -> Pair:
    link(a, b)
    return Pair(a, b, *mailbox_pair(a, b, ordered=ordered))


def pair(ordered: bool = False) -> Pair:
    """Chains of one party whose blocks are made on demand."""
    a, b = (chain_with_hub(number, FUNDS, auto_seal=False) for number in (1, 2))
    return pair_of(a, b, ordered)


def advance(chain: Chain, ms: int) -> None:
    assert isinstance(chain.clock, ManualClock)
    chain.clock.advance(ms=ms)
    chain.seal()


def test_packets_of_both_directions_come_to_their_ends() -> None:
    two = pair()
    two.write(b"one", b"!two", b"three")
    two.write(b"four", back=True)
    two.a.seal()
    two.b.seal()
    relayer = two.relayer()
    first = relayer.step()
    assert (first.packets, first.submitted, first.in_the_air, first.waiting) == (4, 4, 4, 4)
    assert not relayer.run_until_quiet(limit=1).is_quiet
    relayer.run_until_quiet()
    total = relayer.progress
    assert (total.carried, total.acknowledged, total.settled, total.waiting) == (4, 4, 4, 0)
    assert two.tallies() == ((1, 2, 1, 0), (2, 1, 0, 0))
    assert two.in_flight == 0
    assert relayer.progress.blocks == two.a.height + two.b.height
    assert relayer.progress.refused == relayer.progress.lost == 0
    assert relayer.progress.longest_blocks == 2  # the letters' block, that of a delivery, that of the end
    assert relayer.progress.latency_blocks <= 8
    assert relayer.step().is_quiet


def test_the_first_packet_of_a_block_brings_the_evidence() -> None:
    a, b = chain_with_hub(1, FUNDS, auto_seal=False), chain_with_hub(2, FUNDS)
    two = pair_of(a, b)
    two.write(*(b"letter %d" % number for number in range(3)))
    a.seal()
    before = b.height
    two.relayer(seals=False).step()
    blocks = [b.block(height) for height in range(before + 1, b.height + 1)]
    gas = [block.header.gas_used for block in blocks]
    assert len(gas) == 3
    assert max(gas[1:]) < gas[0]
    evidence = a.finality.evidence(a.head.header)
    data = [block.transactions[0].data for block in blocks]
    assert [evidence in each for each in data] == [True, False, False]


@pytest.mark.parametrize("by_height", [False, True])
def test_what_comes_too_late_is_timed_out(by_height: bool) -> None:
    two = pair()
    head = two.b.head
    if by_height:
        two.write(b"late", b"later", late=0, height=head.height + 2)
    else:
        two.write(b"late", b"later", late=head.timestamp_ms + 2_000)
    two.a.seal()
    advance(two.b, 5_000)
    advance(two.b, 5_000)
    total = two.relayer().run_until_quiet()
    assert (total.carried, total.timed_out, total.settled, total.waiting) == (0, 2, 2, 0)
    assert two.tallies() == ((0, 0, 0, 2), (0, 0, 0, 0))


def test_the_second_time_out_by_a_block_needs_no_evidence() -> None:
    a, b = chain_with_hub(1, FUNDS), chain_with_hub(2, FUNDS, auto_seal=False)
    two = pair_of(a, b)
    two.write(b"late", late=b.head.timestamp_ms + 1)
    two.write(b"later", late=b.head.timestamp_ms + 1)
    b.seal()
    assert two.relayer(seals=False).step().timed_out == 2
    evidence = b.finality.evidence(b.head.header)
    data = [a.block(height).transactions[0].data for height in (a.height - 1, a.height)]
    assert [evidence in each for each in data] == [True, False]


def test_a_time_out_waits_for_a_block_that_is_too_late() -> None:
    two = pair()
    two.write(b"late", late=0, height=two.b.height + 1)
    two.a.seal()
    relayer = two.relayer()
    assert relayer.run_until_quiet().waiting == 1
    idle = two.relayer()
    assert idle.step().waiting == 1
    two.b.seal()
    assert relayer.run_until_quiet().timed_out == 1
    assert idle.run_until_quiet().settled == 1


def test_a_relayer_may_be_made_anew_at_any_moment() -> None:
    two = pair(ordered=True)
    for number in range(4):
        two.write(b"a%d" % number)
        two.write(b"!" if number == 2 else b"b%d" % number, back=True)
        two.a.seal()
        two.b.seal()
    for _ in range(60):
        if not two.in_flight:
            break
        two.relayer(packets_per_step=3).step()
    assert two.tallies() == ((3, 4, 0, 0), (4, 3, 1, 0))
    assert two.in_flight == 0
    late = two.relayer(blocks_per_step=2)
    steps = [late.step() for _ in range(20)]
    assert {step.packets + step.submitted for step in steps} == {0}
    assert max(step.blocks for step in steps) == 4
    assert late.run_until_quiet().is_quiet


def test_two_relayers_do_not_hurt_each_other() -> None:
    two = pair()
    two.write(b"one", b"two")
    two.a.seal()
    relayers = [two.relayer(account, seals=False) for account in (CARRIER, RIVAL)]
    for _ in range(5):
        steps = [relayer.step() for relayer in relayers]
        two.a.seal()
        two.b.seal()
    assert two.tallies() == ((0, 2, 0, 0), (2, 0, 0, 0))
    mine, other = (relayer.progress for relayer in relayers)
    assert (mine.carried, mine.acknowledged, mine.refused) == (2, 2, 0)
    assert (other.carried, other.acknowledged, other.refused) == (0, 0, 4)  # refused in the same blocks
    assert [step.waiting for step in steps] == [0, 0]


def test_what_a_chain_refuses_is_tried_again_in_a_later_block() -> None:
    two = pair()
    two.write(b"one")
    two.a.seal()
    hub_of(two.b).send(GOVERNOR, "pauseChain", 1, True)
    relayer = two.relayer()
    assert relayer.step().refused == 1
    assert relayer.run_until_quiet().refused == 0
    two.b.seal()
    assert relayer.run_until_quiet().refused == 1
    hub_of(two.b).send(GOVERNOR, "pauseChain", 1, False)
    assert relayer.run_until_quiet().acknowledged == 1


def test_who_cannot_pay_carries_nothing() -> None:
    two = pair()
    two.write(b"one")
    two.a.seal()
    total = two.relayer(POOR).run_until_quiet()
    assert (total.refused, total.submitted, total.waiting) == (1, 0, 1)


class Leaky(FacadePort):
    """Loses what it submits, as long as it likes."""

    leaks = True

    def submit(self, data: bytes) -> bytes:
        return bytes(32) if self.leaks else super().submit(data)


def test_transactions_that_are_lost_are_replaced() -> None:
    two = pair()
    two.write(b"one")
    two.a.seal()
    port = Leaky(two.b, CARRIER, seals=True)
    relayer = Relayer(FacadePort(two.a, CARRIER, seals=True), port, patience=2)
    for _ in range(3):
        assert relayer.step().in_the_air == 1
        two.b.seal()
    port.leaks = False
    relayer.run_until_quiet()
    assert (relayer.progress.lost, relayer.progress.carried, relayer.progress.acknowledged) == (1, 1, 1)


def test_it_joins_two_chains_that_know_each_other() -> None:
    a, b = chain_with_hub(1), chain_with_hub(2)
    port, other = FacadePort(a, CARRIER), FacadePort(b, CARRIER)
    with pytest.raises(UsageError, match="two chains"):
        Relayer(port, port)
    hub_of(a).send(GOVERNOR, "registerChain", 2, b.anchor.to_bytes())
    with pytest.raises(UsageError, match="does not know") as caught:
        Relayer(port, other)
    assert caught.value.facts == {"chain_id": 2, "expected": 1}


def test_progress_adds_up() -> None:
    total, step = Progress(), Progress(blocks=2, carried=1, longest_blocks=4, waiting=5, in_the_air=1)
    assert total.is_quiet
    total.add(step)
    total.add(replace(step, longest_blocks=3, waiting=1))
    assert total == Progress(blocks=4, carried=2, longest_blocks=4, waiting=1, in_the_air=1)
    assert not total.is_quiet


# Committees without a key: anchors know the committees of two slots


def committee_pair() -> Pair:
    consensus = local_consensus("pbft", blocks_per_slot=4, chain_key=False)
    a = chain_with_hub(1, FUNDS, consensus=consensus, auto_seal=False)
    return pair_of(a, chain_with_hub(2, FUNDS, auto_seal=False))


def test_anchors_of_committees_are_brought_up_to_date() -> None:
    two = committee_pair()
    two.write(b"one")
    two.write(b"two", back=True)
    two.a.seal()
    two.b.seal()
    for _ in range(12):
        two.a.seal()
    total = two.relayer().run_until_quiet()
    assert total.updates >= 3
    assert (total.carried, total.acknowledged, total.waiting) == (2, 2, 0)


def test_packets_and_acknowledgements_of_forgotten_committees_pass() -> None:
    two = committee_pair()
    two.write(b"one")
    two.write(b"two", back=True)
    two.a.seal()
    two.b.seal()
    two.relayer().step()  # delivers to the committee's chain
    for _ in range(12):
        two.a.seal()
    port = FacadePort(two.a, CARRIER)
    hub = hub_of(two.b)
    while (update := port.update(hub.read("anchorOf", 1))) is not None:  # somebody else is in a hurry
        hub.send(GOVERNOR, "updateAnchor", 1, update)
    total = two.relayer().run_until_quiet()
    assert (total.acknowledged, total.waiting) == (2, 0)
    assert two.tallies() == ((1, 1, 0, 0), (1, 1, 0, 0))


def test_what_cannot_be_proven_yet_waits() -> None:
    two = committee_pair()
    for _ in range(16):
        two.a.seal()
    two.write(b"one")
    two.a.seal()
    relayer = two.relayer(seals=False)
    first = relayer.step()  # the anchor is behind, and its update waits for a block
    assert (first.submitted, first.in_the_air, first.refused, first.waiting) == (1, 1, 0, 1)
    for _ in range(8):
        two.b.seal()
        relayer.step()
    assert relayer.progress.carried == 1


# Proof of work: blocks count after a while


CONFIRMATIONS = 6


def mined_chain(chain_id: int) -> Chain:
    chain = chain_with_hub(chain_id, FUNDS, consensus=local_consensus("pow"), auto_seal=False)
    policy = WorkPolicy(soundness_bits=10, confirmations=CONFIRMATIONS, parts=2)
    return Chain(chain.blockchain, chain.engine, finality=WorkFinality(chain.blockchain, policy))


def test_mined_blocks_count_once_enough_others_follow() -> None:
    a = mined_chain(1)
    two = pair_of(a, chain_with_hub(2, FUNDS, auto_seal=False))
    two.write(b"one")
    a.seal()
    relayer = two.relayer()
    for _ in range(CONFIRMATIONS):
        assert relayer.run_until_quiet().packets == 0
        a.seal()
    assert relayer.run_until_quiet().carried == 1
    two.write(b"two", back=True)
    two.b.seal()
    assert relayer.run_until_quiet().waiting == 1
    for _ in range(CONFIRMATIONS + 1):
        a.seal()
    assert relayer.run_until_quiet().waiting == 0
    assert FacadePort(a, CARRIER).update(a.anchor.to_bytes()) is None


def test_what_is_large_is_shown_once() -> None:
    a = mined_chain(1)
    two = pair_of(a, chain_with_hub(2, FUNDS, auto_seal=False))
    two.write(b"one", b"two", b"three")
    for _ in range(CONFIRMATIONS + 1):
        a.seal()
    relayer = two.relayer(seals=False)
    assert [relayer.step().submitted for _ in range(2)] == [1, 0]
    sizes = [len(one.raw) for one in two.b.seal().transactions]
    assert relayer.step().submitted == 3  # and the first acknowledgement
    sizes += [len(one.raw) for one in two.b.seal().transactions]
    assert [size > 2_000 for size in sizes] == [True, False, False]
    assert relayer.step().carried == 2


def test_what_a_reorganisation_took_back_is_done_again() -> None:
    a, rival = mined_chain(1), mined_chain(1)
    two = pair_of(a, chain_with_hub(2, FUNDS, auto_seal=False))
    two.write(b"two", back=True)
    two.b.seal()
    for height in range(1, a.height + 1):
        rival.append(a.block(height))
    common = a.height
    relayer = two.relayer()
    relayer.step()
    relayer.step()
    assert relayer.progress.carried == 1
    a.reorganise(common, [rival.seal() for _ in range(3)])
    a.pool.on_block(list(a.pool))  # nobody remembers the delivery
    assert two.box.read("tally")[0] == 0
    relayer.run_until_quiet()
    assert two.box.read("tally")[0] == 1
    assert relayer.progress.carried == 2


def test_an_end_that_was_taken_back_is_reached_again() -> None:
    a, rival = mined_chain(1), mined_chain(1)
    two = pair_of(a, chain_with_hub(2, FUNDS, auto_seal=False))
    two.write(b"one")
    relayer = two.relayer(seals=True)
    while not relayer.progress.carried:
        a.seal()
        relayer.run_until_quiet()
    for height in range(1, a.height):
        rival.append(a.block(height))
    assert relayer.progress.settled == 1
    late = two.relayer()
    assert late.step().waiting == 0
    a.reorganise(a.height - 1, [rival.seal() for _ in range(2)])
    a.pool.on_block(list(a.pool))
    assert two.in_flight == 1
    assert relayer.step().waiting == late.step().waiting == 1
    for _ in range(CONFIRMATIONS + 2):
        a.seal()
        relayer.step()
    assert (relayer.progress.settled, two.in_flight) == (2, 0)


def test_a_hub_may_forget_the_other_chain_for_a_while() -> None:
    a, rival = mined_chain(1), mined_chain(1)
    two = pair_of(a, chain_with_hub(2, FUNDS, auto_seal=False))
    relayer = two.relayer()
    two.write(b"one", back=True)
    two.b.seal()
    a.reorganise(0, [rival.seal() for _ in range(a.height + 1)])
    step = relayer.step()
    assert (step.submitted, step.refused, step.waiting) == (0, 0, 1)
    a.seal()  # what was taken off comes again
    assert relayer.run_until_quiet().carried == 1


# Chain keys: a new one follows from the one before by a link


OLD_SECRET, NEW_SECRET = 11, 12


def key_link(chain_id: int) -> bytes:
    account = Account.from_key(1)
    members = ValidatorSet([Validator(account.address, 2, b"\1" * 32)])
    attestation = sign(OLD_SECRET, holders_message(chain_id, 1, 70, members.hash), HOLDERS_DOMAIN)
    vote = account.sign(link_digest(chain_id, 1, public_key(OLD_SECRET), 2, public_key(NEW_SECRET)))
    return KeyLink(2, 70, members, attestation, public_key(NEW_SECRET), ((0, vote),)).encode()


class Rekeyed(Chain):
    """A chain that gets a new key at some height, and signs the block before its newest."""

    since = FAR
    newest_signed = FAR

    @property
    def finality(self) -> FinalityProver:
        return self._prover(None)

    def prove(self, target: Provable, *, height: int | None = None, anchor: Anchor | None = None) -> Proof:
        assert anchor is None or isinstance(anchor, ChainKeyAnchor)
        return prove(self.blockchain, self._prover(anchor), target, height)

    def _prover(self, anchor: ChainKeyAnchor | None) -> ChainKeyFinality:
        secret = NEW_SECRET if self.height >= self.since else OLD_SECRET

        def links(header: Header) -> list[bytes]:
            held = public_key(secret) if anchor is None else anchor.key
            signer = public_key(self._secret(header))
            if held == signer or anchor is None:
                return []
            if held == public_key(NEW_SECRET):
                raise UsageError("no links lead from this key to the one that signed")
            return [key_link(self.chain_id)]

        return ChainKeyFinality(self.chain_id, lambda: public_key(secret), self._signature, links)

    def _secret(self, header: Header) -> int:
        return NEW_SECRET if header.height >= self.since else OLD_SECRET

    def _signature(self, header: Header) -> bytes | None:
        if header.height > self.newest_signed:
            return None
        return sign(self._secret(header), header.hash, FINALITY_DOMAIN)


def test_links_move_anchors_of_chain_keys() -> None:
    plain = chain_with_hub(9, FUNDS, auto_seal=False)
    a = Rekeyed(plain.blockchain, plain.engine)
    two = pair_of(a, chain_with_hub(2, FUNDS, auto_seal=False))
    port = FacadePort(a, CARRIER)
    held = hub_of(two.b).read("anchorOf", 9)
    assert port.update(held) is None
    two.write(b"by the old key")
    a.seal()
    a.since = a.height + 1
    two.write(b"by the new key")
    a.seal()
    relayer = two.relayer()
    total = relayer.run_until_quiet()
    assert (total.updates, total.carried, total.acknowledged, total.waiting) == (1, 2, 2, 0)
    assert hub_of(two.b).read("anchorOf", 9) == a.anchor.to_bytes()


def test_blocks_count_once_they_are_signed() -> None:
    plain = chain_with_hub(9, FUNDS, auto_seal=False)
    a = Rekeyed(plain.blockchain, plain.engine)
    two = pair_of(a, chain_with_hub(2, FUNDS, auto_seal=False))
    two.write(b"one")
    a.seal()
    a.newest_signed = a.height - 1
    port = FacadePort(a, CARRIER)
    assert port.final().height == a.height - 1
    relayer = two.relayer()
    assert relayer.run_until_quiet().packets == 0
    a.newest_signed += 1
    a.seal()
    assert relayer.step().packets == 1
    a.newest_signed = 0
    a.seal()
    assert port.final().height == 0
    a.since = a.height - 1  # the newest final block is older than the key: nothing to bring up to date with
    assert port.update(ChainKeyAnchor(9, public_key(OLD_SECRET)).to_bytes()) is None


def test_the_port_proves_empty_blocks_too() -> None:
    a = chain_with_hub(1, FUNDS)
    link(a, chain_with_hub(2))
    empty = a.seal().height
    port = FacadePort(a, CARRIER)
    assert port.messages(empty) == []
    assert not [sent for sent in sent_messages(a) if isinstance(sent.message, Packet)]
    anchor = a.anchor.to_bytes()
    found = a.anchor.verify(port.prove_slot(0, empty, anchor))
    assert (found.height, port.block_hash(empty)) == (empty, found.block_hash)
    assert port._evidence(empty, a.anchor) == a.finality.evidence(a.head.header)
