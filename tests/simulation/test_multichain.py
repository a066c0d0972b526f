"""Several chains under trouble of all kinds: nothing is made, lost, doubled or stuck.

Everything in a run follows from its seed, which a failure names. 30 seeds by default, 500 in the long mode;
engines, proofs and signatures are real. Faults planted into the hub show that each check can fail.
"""

from __future__ import annotations

from collections import Counter

import pytest

from chainstack_sdk.core.call import Call
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.testing.sim.multichain import MultiChain, MultiChainViolation, chaos
from chainstack_sdk.testing.sim.multichain_sites import Site
from chainstack_sdk.testing.sim.multichain_till import TILL_ADDRESS
from chainstack_sdk.xchain.addresses import PEG_ADDRESS
from chainstack_sdk.xchain.hub.contract import ACKNOWLEDGED, ON_TIME_OUT, TIMED_OUT, Hub
from chainstack_sdk.xchain.hub.storage import Route, commitment_key, receipt_key
from chainstack_sdk.xchain.packets import Acknowledgement, Packet

QUICK, LONG, STEP = 30, 500, 5
QUICK_TICKS, LONG_TICKS = 16, 60


def survive(seed: int, ticks: int = QUICK_TICKS) -> MultiChain:
    """One run; pytest shows what is printed when it fails in whatever way."""
    print(f"chains of seed {seed}")
    return chaos(seed, ticks=ticks)


@pytest.mark.parametrize("start", range(0, QUICK, STEP))
def test_chains_survive(start: int, first_seed: int) -> None:
    told: Counter[str] = Counter()
    for seed in range(start, start + STEP):
        world = survive(first_seed + seed)
        told += world.told
        told["settled"] += world.progress.settled
    assert min(told[what] for what in ("pay", "send coin", "crashes", "halts", "lies", "settled")) > 0


@pytest.mark.long
@pytest.mark.parametrize("start", range(0, LONG, 10 * STEP))
def test_chains_survive_much_more(start: int, first_seed: int) -> None:
    for seed in range(start, start + 10 * STEP):
        survive(first_seed + seed, ticks=LONG_TICKS)


def test_there_are_enough_seeds() -> None:
    assert (QUICK, LONG) == (30, 500)


def test_mined_chains_change_their_branches(first_seed: int) -> None:
    world = survive(first_seed - first_seed % 4)
    assert world.told["replaced blocks"] > world.told["forks"] > 0
    with pytest.raises(UsageError, match="only mined chains fork"):
        Site(9, "instant").fork(1, world.random)


def test_a_seed_says_it_all(first_seed: int) -> None:
    roots = []
    for seed in (1, 1, 5):
        world = survive(first_seed + seed, ticks=12)
        roots.append([site.chain.head.state_root for site in world.sites])
    assert roots[0] == roots[1] != roots[2]


# Faults that the checks must find


class Forgetful(Hub):
    """Does not know what it has received."""

    app = TILL_ADDRESS

    def _validate_incoming(self, call: Call, packet: Packet) -> Route:
        if packet.sender == self.app:
            call.store(receipt_key(packet.channel, packet.sequence), 0)
        return super()._validate_incoming(call, packet)


class ForgetfulOfPegs(Forgetful):
    """Does not know what it has received for pegs."""

    app = PEG_ADDRESS


class Repetitive(Hub):
    """Settles, and forgets that it has."""

    def _settle(self, call: Call, sent: Packet, how: int) -> None:
        slot = commitment_key(sent.channel, sent.sequence)
        held = call.load(slot)
        super()._settle(call, sent, how)
        if sent.sender == TILL_ADDRESS:
            call.store(slot, held)


class Hasty(Hub):
    """Times packets of tills out by any proof of a slot."""

    def time_out(self, call: Call, packet: bytes, proof: bytes) -> None:
        sent = self._in_flight(call, packet)
        if sent.sender != TILL_ADDRESS:
            super().time_out(call, packet, proof)
        else:
            self._settle(call, sent, TIMED_OUT)
            data = ON_TIME_OUT.encode_call(sent.channel, sent.sequence, sent.payload)
            call.call(sent.sender, data)


class Credulous(Hub):
    """Believes every acknowledgement of tills that says that all is well."""

    def acknowledge_receipt(self, call: Call, packet: bytes, acknowledgement: bytes, proof: bytes) -> None:
        said = Acknowledgement.decode(acknowledgement)
        sent = self._in_flight(call, packet)
        if sent.sender != TILL_ADDRESS or not said.success:
            super().acknowledge_receipt(call, packet, acknowledgement, proof)
        else:
            self._settle_acknowledged(call, sent, said)


class Gullible(Hub):
    """Believes every packet of a till."""

    def receive_committed(self, call: Call, packet: bytes, proof: bytes) -> None:
        decoded = Packet.decode(packet)
        if decoded.sender != TILL_ADDRESS:
            super().receive_committed(call, packet, proof)
        else:
            self._deliver(call, decoded, self._validate_incoming(call, decoded))


class Silent(Hub):
    """Does not tell tills of good ends."""

    def _settle_acknowledged(self, call: Call, sent: Packet, acknowledgement: Acknowledgement) -> None:
        if sent.sender != TILL_ADDRESS or not acknowledgement.success:
            super()._settle_acknowledged(call, sent, acknowledgement)
        else:
            self._settle(call, sent, ACKNOWLEDGED)


class Deaf(Hub):
    """Hears nothing of every third packet."""

    def _settle(self, call: Call, sent: Packet, how: int) -> None:
        call.require(sent.sequence % 3, self.InvalidResult)
        super()._settle(call, sent, how)


@pytest.mark.parametrize(
    ("hub", "found"),
    [
        (Forgetful, "it arrived twice"),
        (ForgetfulOfPegs, "represented"),
        (Repetitive, "it ended twice"),
        (Hasty, "it arrived and came back"),
        (Credulous, "it was acknowledged and never arrived"),
        (Gullible, "units were made"),
        (Silent, "has not heard"),
        (Deaf, "stuck"),
    ],
)
def test_planted_faults_are_found(hub: type[Hub], found: str, first_seed: int) -> None:
    for seed in range(first_seed, first_seed + 40):
        told = violation(seed, hub())
        if found in told:
            assert f"(seed {seed}, " in told
            return
    pytest.fail("nothing was found")


def violation(seed: int, hub: Hub) -> str:
    """What is found on two chains with a fault and more liars than usual."""
    world = MultiChain(seed, ("instant", "instant"), hub)
    try:
        for _ in range(16):
            world.trouble(ticks=1)
            for _ in range(10):
                world.liar.step()
        world.heal(limit=20)
    except MultiChainViolation as found:
        return str(found)
    return ""
