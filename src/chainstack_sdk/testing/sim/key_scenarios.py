"""Whole runs of chain keys, drawn from a seed, that check themselves.

==============  ==========================================================================================
Run             Who is faulty, and what must come of it
==============  ==========================================================================================
`key_weather`   members with no more than the seats to spare, besides lost messages, crashes while records
                are written, and lost records: all checks hold, and once the weather is over hand-overs
                succeed, every honest member has its shares, and blocks and slots get their signatures
`key_siege`     members with fewer seats than the threshold: the key never changes but with its generation,
                no honest member ends with a wrong share, the faulty cannot sign
`key_strike`    so many are silent for so long that hand-overs fail: the key is kept, then replaced by that
                of a new generation, with a link by the members that held the old one
==============  ==========================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft.validators import Validator, ValidatorSet
from chainstack_sdk.consensus.chainkey.ceremony import beacon_message
from chainstack_sdk.consensus.chainkey.link import KeyLink, validate_link
from chainstack_sdk.consensus.chainkey.seats import Seats, seats_of
from chainstack_sdk.primitives.bls import BEACON_DOMAIN, FINALITY_DOMAIN, verify
from chainstack_sdk.testing.fixed import accounts
from chainstack_sdk.testing.sim.key_checks import KeyChecks, KeyViolation, faulty_signature
from chainstack_sdk.testing.sim.key_faults import drawn_fault, mute
from chainstack_sdk.testing.sim.keys import BLOCK_MS, CHAIN_ID, KeyChain, KeyLinks, KeySim

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chainstack_sdk.consensus.chainkey.machine import KeyMachine
    from chainstack_sdk.primitives.keys import Account
    from chainstack_sdk.testing.sim.keys import KeyNode

_BLOCKS = 6
_EXTENSIONS = 1
_SLOTS = 16
"""For how many slots committees are drawn."""
_MOST_CALM = 6
_CALM = KeyLinks()


@dataclass(frozen=True, slots=True)
class KeyRun:
    """A run that went well."""

    sim: KeySim
    checks: KeyChecks


def key_weather(seed: int, *, slots: int = 2) -> KeyRun:
    """Run members in bad weather for some slots, then in good; see the module.

    Raises
    ------
    KeyViolation
        When something happened that must not, or did not happen that must.
    """
    rng = Random(seed)
    sim, checks, committees = _drawn(rng, seed, sizes=rng.choice(((4,), (4,), (4, 7, 5, 4))))
    _spoil(sim, rng, committees, lambda seats: seats.spare)
    sim.links = KeyLinks((5, rng.choice((150, 600))), rng.choice((0, 0, 30, 200)))
    _crashes(sim, rng, slots)
    sim.start()
    sim.run_to(slots * _BLOCKS)
    _clear_up(sim)
    _recover(sim, checks)
    return KeyRun(sim, checks)


def key_siege(seed: int, *, slots: int = 4) -> KeyRun:
    """Run members of whom too many are faulty for progress; see the module.

    Raises
    ------
    KeyViolation
        When something happened that must not.
    """
    rng = Random(seed)
    sim, checks, committees = _drawn(rng, seed, sizes=(4,), within_bounds=False)
    _spoil(sim, rng, committees, lambda seats: seats.threshold - 1)
    sim.start()
    for slot in range(1, slots + 1):
        sim.run_to(slot * _BLOCKS)
        holders = sim.chain.state.holders
        if holders is not None and faulty_signature(sim, holders, b"forged"):
            raise KeyViolation("faulty members sign by themselves")
    return KeyRun(sim, checks)


def key_strike(seed: int) -> KeyRun:
    """Run members of whom too many are silent for a time; see the module.

    Raises
    ------
    KeyViolation
        When something happened that must not, or did not happen that must.
    """
    rng = Random(seed)
    sim, checks, _ = _drawn(rng, seed, sizes=(4,), with_key=True)
    sim.start()
    sim.run_to(_BLOCKS + 1)
    old = sim.chain.state.holders
    strikers = rng.sample(sim.nodes, 3)
    for node in strikers:
        node.fault = mute()
    sim.run_to((2 + _EXTENSIONS) * _BLOCKS)
    for node in strikers:
        node.fault = None
    sim.run_to((4 + _EXTENSIONS) * _BLOCKS)
    state = sim.chain.state
    if old is None or state.holders is None or state.holders.generation != old.generation + 1:
        raise KeyViolation("no new key was generated")
    link = KeyLink.decode(state.link)
    if validate_link(link, CHAIN_ID, old.key, sim.chain.scheme) != state.holders.key:
        raise KeyViolation("the link leads to another key")
    return KeyRun(sim, checks)


def _drawn(
    rng: Random,
    seed: int,
    *,
    sizes: Sequence[int],
    within_bounds: bool = True,
    with_key: bool | None = None,
) -> tuple[KeySim, KeyChecks, list[ValidatorSet]]:
    members = accounts(max(sizes) + 1)
    weights = [rng.choice((1, 1, 2, 3)) if rng.random() < 0.2 else 1 for _ in members]
    committees = [_committee(members, weights, slot, sizes[slot % len(sizes)]) for slot in range(_SLOTS)]
    key = rng.randbytes(32)
    if with_key is None:
        with_key = rng.random() < 0.7
    chain = KeyChain(
        committees.__getitem__, blocks=_BLOCKS, extensions=_EXTENSIONS, seed=key if with_key else None
    )
    checks = KeyChecks(within_bounds=within_bounds)
    return KeySim(members, chain, seed, checks=checks), checks, committees


def _committee(members: Sequence[Account], weights: Sequence[int], slot: int, size: int) -> ValidatorSet:
    chosen = [(slot + number) % len(members) for number in range(size)]
    return ValidatorSet(Validator(members[number].address, weights[number]) for number in chosen)


def _spoil(
    sim: KeySim, rng: Random, committees: Sequence[ValidatorSet], bound: Callable[[Seats], int]
) -> None:
    """Make as many members faulty as a bound for each committee lets, in an order drawn."""
    chosen: set[bytes] = set()
    for node in rng.sample(sim.nodes, len(sim.nodes)):
        tried = chosen | {node.account.address}
        if all(_seats_of(committee, tried) <= bound(seats_of(committee)) for committee in committees):
            chosen = tried
            node.fault = drawn_fault(rng)


def _seats_of(committee: ValidatorSet, addresses: set[bytes]) -> int:
    """Return the seats of some members; who has none counts for one, as it builds blocks like all others."""
    counts = seats_of(committee).counts
    return sum(
        max(count, 1) for count, one in zip(counts, committee, strict=True) if one.address in addresses
    )


def _crashes(sim: KeySim, rng: Random, slots: int) -> None:
    """Let honest nodes crash while they write, and sometimes one lose its record."""
    end_ms = slots * _BLOCKS * BLOCK_MS
    for node in sim.nodes:
        if node.is_honest and rng.random() < 0.5:
            at_ms = rng.randrange(end_ms)
            records, durable = rng.randrange(6), rng.random() < 0.5
            sim.after(at_ms, _crash_at_store(sim, node, records, durable=durable))
            sim.after(at_ms + rng.randint(500, 4_000), _restart(sim, node))
    if rng.random() < 0.3:
        node = rng.choice([node for node in sim.nodes if node.is_honest])
        sim.after(rng.randrange(end_ms), lambda: _lose(sim, node))


def _crash_at_store(sim: KeySim, node: KeyNode, records: int, *, durable: bool) -> Callable[[], None]:
    return lambda: sim.crash_at_store(node, records, durable=durable)


def _restart(sim: KeySim, node: KeyNode) -> Callable[[], None]:
    return lambda: sim.restart(node)


def _lose(sim: KeySim, node: KeyNode) -> None:
    sim.crash(node)
    sim.restart(node, amnesia=True)


def _clear_up(sim: KeySim) -> None:
    sim.links = _CALM
    for node in sim.nodes:
        node.crash_after = None
        sim.restart(node)


def _recover(sim: KeySim, checks: KeyChecks) -> None:
    """Let time pass in good weather until two hand-overs in a row succeed; check what there is then."""
    start = sim.chain.height // _BLOCKS
    for slot in range(start + 1, start + _MOST_CALM + 1):
        sim.run_to(slot * _BLOCKS)
        if slot >= start + 2 and all(checks.ceremonies[-2:]):
            break
    else:
        raise KeyViolation(f"hand-overs fail for no reason: {checks.ceremonies}")
    sim.run_to(sim.chain.height + 2)
    state = sim.chain.state
    for node in sim.nodes:
        if node.is_honest and node.machine is not None and state.holders is not None:
            _check_signatures(sim, node.machine, state.holders.key, state.slot - 1)


def _check_signatures(sim: KeySim, machine: KeyMachine, key: bytes, slot: int) -> None:
    """Check that a node knows the key's signatures of the block before the head, and for a slot."""
    height = sim.chain.height - 1
    of_block, of_slot = machine.signature(height), machine.beacon(slot)
    if not verify(key, sim.chain.blocks[height].hash, of_block or b"", FINALITY_DOMAIN):
        raise KeyViolation(f"somebody has no signature of block {height}")
    if not verify(key, beacon_message(CHAIN_ID, slot), of_slot or b"", BEACON_DOMAIN):
        raise KeyViolation(f"somebody has no signature for slot {slot}")
