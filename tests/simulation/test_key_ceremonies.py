"""Chain keys with faulty members, bad weather and strikes: whole runs drawn from seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from chainstack_sdk.consensus.bft.validators import Validator, ValidatorSet
from chainstack_sdk.consensus.chainkey import player
from chainstack_sdk.consensus.chainkey.ceremony import Ceremony
from chainstack_sdk.consensus.chainkey.log import Ack, DealerLog
from chainstack_sdk.consensus.chainkey.machine import KeyMachine
from chainstack_sdk.consensus.chainkey.messages import Deal
from chainstack_sdk.consensus.chainkey.outcome import derive_shares, exposed_members
from chainstack_sdk.consensus.chainkey.polynomial import SecretPolynomial
from chainstack_sdk.consensus.chainkey.seats import Seats
from chainstack_sdk.primitives.bls import BEACON_DOMAIN, FINALITY_DOMAIN
from chainstack_sdk.primitives.errors import InvariantBroken
from chainstack_sdk.testing import accounts
from chainstack_sdk.testing.sim import key_checks, key_scenarios, keys
from chainstack_sdk.testing.sim.key_checks import KeyChecks, KeyViolation
from chainstack_sdk.testing.sim.key_faults import KeyFault, TwoDealings, mute, silent_dealer, ways
from chainstack_sdk.testing.sim.key_scenarios import key_siege, key_strike, key_weather
from chainstack_sdk.testing.sim.keys import KeyChain, KeySim

BLOCKS = 6
ACCOUNTS = sorted(accounts(5), key=lambda account: account.address)
"""By address: a member's number is its index in the committee."""
COMMITTEE = ValidatorSet(Validator(account.address, 1) for account in ACCOUNTS[:4])


@pytest.mark.parametrize("offset", range(11))
def test_bad_weather(first_seed: int, offset: int) -> None:
    seed = first_seed + offset
    print("seed", seed)
    key_weather(seed, slots=1)


@pytest.mark.parametrize("offset", range(7))
def test_siege(first_seed: int, offset: int) -> None:
    seed = first_seed + offset
    print("seed", seed)
    key_siege(seed, slots=2)


@pytest.mark.parametrize("offset", range(2))
def test_strike(first_seed: int, offset: int) -> None:
    seed = first_seed + offset
    print("seed", seed)
    key_strike(seed)


@pytest.mark.long
@pytest.mark.parametrize("offset", range(300))
def test_all_of_it(first_seed: int, offset: int) -> None:
    seed = first_seed + 1_000 + offset
    print("seed", seed)
    key_weather(seed)
    key_siege(seed)
    if offset % 10 == 0:
        key_strike(seed)


def simulation(faults: Mapping[int, KeyFault] | None = None, seed: int = 1) -> tuple[KeySim, KeyChecks]:
    """Four members who hold a key from genesis, and one more node that holds nothing."""
    chain = KeyChain(lambda slot: COMMITTEE, blocks=BLOCKS, seed=b"k" * 32)
    checks = KeyChecks()
    sim = KeySim(ACCOUNTS, chain, seed, checks=checks)
    for number, fault in (faults or {}).items():
        sim.nodes[number].fault = fault
    sim.start()
    return sim, checks


def test_the_same_seed_gives_the_same_run() -> None:
    hashes = []
    for _ in range(2):
        sim, _ = simulation()
        sim.run_to(BLOCKS)
        hashes.append(sim.chain.blocks[-1].hash)
    assert hashes[0] == hashes[1]


def test_a_dealer_that_equivocates_costs_nobody_a_share() -> None:
    """What was acknowledged is not what was logged: the victim takes its share from the log."""
    sim, checks = simulation({0: TwoDealings(b"t" * 32)})
    sim.run_to(BLOCKS + 2)
    assert checks.ceremonies == [True]


def derive_blindly(
    ceremony: Ceremony,
    logs: Sequence[DealerLog],
    index: int,
    received: Mapping[int, tuple[bytes, tuple[int, ...]]],
) -> dict[int, int]:
    """Trust what was received, whatever the log says."""
    trusted = {
        log.place: (log.commitments.encode(), received[log.place][1]) for log in logs if log.place in received
    }
    believing = [
        DealerLog(log.place, log.commitments, log.possession, tuple(map(hide, log.results)), log.signature)
        for log in logs
    ]
    return derive_shares(ceremony, believing, index, trusted)


def hide(result: object) -> Ack:
    return Ack(bytes(65))


def test_trusting_what_was_dealt_over_what_was_logged_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player, "derive_shares", derive_blindly)
    sim, _ = simulation()
    sim.run_to(BLOCKS + 1)
    sim, _ = simulation({0: TwoDealings(b"t" * 32)})
    with pytest.raises(KeyViolation, match="lacks shares"):
        sim.run_to(3 * BLOCKS)


def test_a_disk_that_loses_records_is_noticed() -> None:
    """What was acknowledged is gone: no later share can be had."""
    sim, _ = simulation()
    node = sim.nodes[0]
    old = node.disk
    sim.run_to(BLOCKS // 2)
    sim.crash(node)
    node.disk = old
    sim.restart(node)
    with pytest.raises(KeyViolation, match=r"lacks shares|contradicts itself"):
        sim.run_to(2 * BLOCKS)


def test_a_member_that_lost_its_record_is_not_accused_and_comes_back() -> None:
    """It deals another polynomial; those who signed for the first repeat themselves, and it ignores that."""
    sim, checks = simulation()
    sim.run_to(2)
    sim.crash(sim.nodes[1])
    sim.restart(sim.nodes[1], amnesia=True)
    sim.run_to(2 * BLOCKS + 1)
    assert checks.ceremonies == [True] * 2
    holders = sim.chain.state.holders
    machine = sim.nodes[1].machine
    assert holders is not None
    assert machine is not None
    assert machine.shares(holders.polynomial), "the next ceremony gave it shares again"


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("records", range(4))
def test_a_crash_at_every_step(records: int, durable: bool) -> None:
    """One member stops at its record number so many of a ceremony, before or after it is on the disk."""
    sim, checks = simulation(seed=records)
    sim.run_to(BLOCKS)
    sim.crash_at_store(sim.nodes[2], records, durable=durable)
    stopped = False
    for height in range(BLOCKS + 1, 2 * BLOCKS + 1):
        sim.run_to(height)
        if sim.nodes[2].machine is None:
            stopped = True
            sim.restart(sim.nodes[2])
    assert stopped
    sim.run_to(2 * BLOCKS + 2)
    assert checks.ceremonies == [True] * 2


@pytest.mark.parametrize("way", ways(bytes(32)))
def test_one_faulty_member_of_four_changes_nothing(way: str) -> None:
    sim, checks = simulation({1: ways(b"f" * 32)[way]})
    first = sim.chain.state.holders
    sim.run_to(2 * BLOCKS + 1)
    now = sim.chain.state.holders
    assert checks.ceremonies == [True] * 2
    assert first is not None
    assert now is not None
    assert (now.key, now.round) == (first.key, 2)
    assert sim.unseeded == []


def test_one_faulty_member_of_four_cannot_spoil_a_generation() -> None:
    for way in ("deals another secret", "posts two logs", "reveals all"):
        chain = KeyChain(lambda slot: COMMITTEE, blocks=BLOCKS)
        checks = KeyChecks()
        sim = KeySim(ACCOUNTS, chain, 1, checks=checks)
        sim.nodes[1].fault = ways(b"f" * 32)[way]
        sim.start()
        sim.run_to(BLOCKS + 1)
        assert checks.ceremonies == [True], way


def test_two_silent_members_out_of_four_stop_it_but_change_nothing() -> None:
    sim, checks = simulation({2: silent_dealer(), 3: silent_dealer()})
    first = sim.chain.state.holders
    sim.run_to(BLOCKS + 1)
    now = sim.chain.state.holders
    assert checks.ceremonies == [False]
    assert first is not None
    assert now is not None
    assert now.polynomial == first.polynomial
    assert sim.chain.state.failures == 1


def test_checks_find_a_member_that_contradicts_itself() -> None:
    sim, checks = simulation()
    deals = [Deal(bytes(32), 1, 0, point * 96, b"s", bytes(65)) for point in (b"\x01", b"\x02")]
    checks.on_message(sim, sim.nodes[0], deals[0].encode())
    checks.on_message(sim, sim.nodes[1], deals[1].encode())
    with pytest.raises(KeyViolation, match="contradicts itself"):
        checks.on_message(sim, sim.nodes[0], deals[1].encode())


# Planted faults: what the checks are there for, they find


def test_checks_find_a_key_that_has_changed() -> None:
    sim, checks = simulation()
    sim.run_to(1)
    state = sim.chain.state
    assert state.holders is not None
    other = SecretPolynomial.from_seed(b"another" * 8, 3).public()
    sim.chain.states[-1] = replace(state, holders=replace(state.holders, polynomial=other))
    with pytest.raises(KeyViolation, match="has changed"):
        checks.on_block(sim)


def test_checks_find_shares_that_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KeyMachine, "_forget", lambda machine, state: None)
    sim, _ = simulation()
    with pytest.raises(KeyViolation, match="keeps shares"):
        sim.run_to(BLOCKS + 2)


def test_checks_find_wrong_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player, "derive_shares", lambda ceremony, logs, index, received: {index + 1: 5})
    sim, _ = simulation()
    with pytest.raises(KeyViolation, match="wrong share"):
        sim.run_to(BLOCKS + 1)


def test_checks_find_too_many_faulty_members() -> None:
    sim, _ = simulation({number: KeyFault() for number in range(3)})
    with pytest.raises(KeyViolation, match=r"know \d shares"):
        sim.run_to(BLOCKS)


def test_a_member_cut_off_is_exposed_and_checks_find_it_unflagged(monkeypatch: pytest.MonkeyPatch) -> None:
    for flag in (exposed_members, lambda ceremony, logs: ()):
        monkeypatch.setattr(key_checks, "exposed_members", flag)
        sim, checks = simulation()
        sim.crash(sim.nodes[2])
        sim.run_to(BLOCKS // 2)
        sim.restart(sim.nodes[2])
        if flag is exposed_members:
            sim.run_to(BLOCKS + 1)
            assert checks.ceremonies == [True]
            assert checks.exposed == 1
        else:
            with pytest.raises(KeyViolation, match="does not count as such"):
                sim.run_to(BLOCKS + 1)


def test_without_anybody_the_chain_goes_on_without_a_new_key() -> None:
    sim, checks = simulation()
    for node in sim.nodes:
        sim.crash(node)
    sim.run_to(BLOCKS + 1)
    assert checks.ceremonies == [False]
    assert sim.unseeded == [0]


def test_a_siege_that_succeeds_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_scenarios, "faulty_signature", lambda sim, holders, message: True)
    with pytest.raises(KeyViolation, match="sign by themselves"):
        key_siege(0, slots=2)


def test_a_strike_that_fails_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(key_scenarios, "validate_link", lambda link, chain_id, key, scheme: b"")
        with pytest.raises(KeyViolation, match="another key"):
            key_strike(0)
    monkeypatch.setattr(key_scenarios, "mute", KeyFault)
    with pytest.raises(KeyViolation, match="no new key"):
        key_strike(0)


def test_weather_without_recovery_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(key_scenarios, "drawn_fault", lambda rng: mute())
        patch.setattr(key_scenarios, "seats_of", lambda committee: Seats((0,) * len(committee), -4))
        with pytest.raises(KeyViolation, match="for no reason"):
            key_weather(0, slots=1)
    for domain, text in ((FINALITY_DOMAIN, "of block"), (BEACON_DOMAIN, "for slot")):
        monkeypatch.setattr(
            key_scenarios, "verify", lambda key, message, signature, used, domain=domain: used != domain
        )
        with pytest.raises(KeyViolation, match=text):
            key_weather(3, slots=1)


def test_a_chain_without_the_contract_is_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "read_key_state", lambda state: None)
    with pytest.raises(InvariantBroken):
        KeyChain(lambda slot: COMMITTEE)
