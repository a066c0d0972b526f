"""A keyed chain's life: keys from genesis and generated, resharing, failures, links, and all refusals."""

from __future__ import annotations

from dataclasses import replace
from itertools import repeat

import pytest

from chainstack_sdk import Chain, InvalidInput, UsageError
from chainstack_sdk.consensus.bft.scheme import Secp256k1Scheme
from chainstack_sdk.consensus.chainkey.admission import takes_logs
from chainstack_sdk.consensus.chainkey.genesis import with_chain_key
from chainstack_sdk.consensus.chainkey.link import KeyLink, validate_link
from chainstack_sdk.consensus.chainkey.log import DealerLog
from chainstack_sdk.consensus.chainkey.payload import SIGNED_WINDOW, KeyPayload, unwrap, wrap
from chainstack_sdk.consensus.chainkey.rules import KeyedRules
from chainstack_sdk.consensus.chainkey.state import read_key_state, read_link
from chainstack_sdk.consensus.membership import MEMBERSHIP_ADDRESS, MembershipRules, with_membership
from chainstack_sdk.consensus.membership.genesis import genesis_members
from chainstack_sdk.consensus.staking.membership import StateCommittees
from chainstack_sdk.consensus.staking.slots import SlotSchedule
from chainstack_sdk.core.blocks import ZERO_HASH
from chainstack_sdk.core.state import State
from chainstack_sdk.primitives.bls import FINALITY_DOMAIN, combine, sign, verify
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.testing import ScriptedConsensus, ScriptedEngine, ScriptedRules, accounts, decide

SCHEME = Secp256k1Scheme()


def test_the_same_key_goes_from_committee_to_committee(world, choose) -> None:
    sizes = [(0, 1, 2, 3), (0, 1, 2, 3, 4, 5, 6), (4, 5, 6, 7), (4, 5, 6, 7)]
    chain = world(lambda slot: choose(*sizes[slot % 4]))
    key = chain.key.holders.key
    for slot in range(3):
        state = chain.key
        assert (state.slot, state.ceremony.round, state.ceremony.generation) == (slot, slot + 1, 1)
        assert state.ceremony.dealers == state.holders.members == choose(*sizes[slot])
        assert state.ceremony.players == choose(*sizes[slot + 1])
        chain.hand_over()
        holders = chain.key.holders
        assert (holders.key, holders.generation, holders.round) == (key, 1, slot + 1)
        assert holders.members == choose(*sizes[slot + 1])
        assert verify(key, holders.message(31337), holders.attestation, b"no domain") is False
        assert (chain.key.failures, chain.key.retired, chain.key.link) == (0, None, b"")
        shares = chain.people.shares[holders.polynomial]
        needed = list(shares)[: holders.seats.threshold]
        whole = combine({place: sign(shares[place], b"block", FINALITY_DOMAIN) for place in needed})
        assert verify(key, b"block", whole, FINALITY_DOMAIN)


def test_members_of_unequal_weight_hand_over(world, choose) -> None:
    committees = [choose(0, 1, 2, 3, weights=(1, 3, 3, 5)), choose(1, 2, 4, 5, weights=(9, 1, 2, 4))]
    chain = world(lambda slot: committees[slot % 2])
    key = chain.key.holders.key
    chain.hand_over()
    assert chain.key.holders.key == key
    assert chain.key.holders.seats.total == len(chain.people.shares[chain.key.holders.polynomial])


def test_a_chain_without_a_key_generates_one(world, choose) -> None:
    chain = world(lambda slot: choose(*range(slot, slot + 4)), keyed=False)
    state = chain.key
    assert (state.holders, state.ceremony.previous, state.ceremony.generation) == (None, None, 1)
    assert (state.ceremony.dealers, state.ceremony.players) == (choose(0, 1, 2, 3), choose(1, 2, 3, 4))
    chain.select()
    assert chain.key.successors.key == chain.key.outcome.key
    assert chain.key.holders is None
    chain.attest()
    chain.finish()
    state = chain.key
    assert (state.holders.generation, state.holders.round, state.failures) == (1, 1, 0)
    assert (state.retired, state.ceremony.previous) == (None, state.holders.polynomial)
    key = state.holders.key
    chain.hand_over()
    assert (chain.key.holders.key, chain.key.holders.round) == (key, 2)


def test_a_generation_that_fails_is_tried_again(world, choose) -> None:
    chain = world(lambda slot: choose(*range(slot, slot + 4)), keyed=False, extensions=5)
    chain.finish()
    state = chain.key
    assert (state.holders, state.failures, state.ceremony.round) == (None, 1, 2)
    assert (state.ceremony.is_generation, state.ceremony.generation) == (True, 1)
    assert state.ceremony.dealers == choose(1, 2, 3, 4)
    chain.hand_over()
    assert (chain.key.holders.members, chain.key.holders.round) == (choose(2, 3, 4, 5), 2)


def test_after_a_failure_the_holders_deal_to_the_committee_after(world, choose) -> None:
    chain = world(lambda slot: choose(*range(slot, slot + 4)))
    holders = chain.key.holders
    chain.finish()
    state = chain.key
    assert (state.holders, state.failures, state.slot) == (holders, 1, 1)
    assert (state.ceremony.dealers, state.ceremony.players) == (choose(0, 1, 2, 3), choose(2, 3, 4, 5))
    assert (state.ceremony.round, state.ceremony.previous) == (2, holders.polynomial)
    chain.hand_over()
    state = chain.key
    assert (state.holders.key, state.holders.members, state.failures) == (holders.key, choose(2, 3, 4, 5), 0)


def test_an_outcome_that_nobody_attests_is_a_failure(world) -> None:
    chain = world()
    holders = chain.key.holders
    chain.select()
    assert chain.key.outcome is not None
    chain.finish()
    state = chain.key
    assert (state.holders, state.failures, state.outcome, state.logs) == (holders, 1, None, ())
    root = chain.core.state.root
    chain.select()  # what is kept of a ceremony is cleared with it
    chain.finish()
    assert chain.core.state.root != root
    slots = chain.core.state.table(b"\0" * 18 + b"\x43\x05")
    assert sum(1 for value in slots.values() if value) < 60


def test_after_too_many_failures_a_new_key_is_generated_and_linked(world, choose) -> None:
    chain = world(lambda slot: choose(*range(slot % 4, slot % 4 + 4)), extensions=1)
    chain.hand_over()
    old = chain.key.holders
    chain.finish()
    assert (chain.key.failures, chain.key.ceremony.is_generation) == (1, False)
    chain.finish()
    state = chain.key
    assert (state.failures, state.holders) == (2, old)
    assert (state.ceremony.is_generation, state.ceremony.generation, state.slot) == (True, 2, 3)
    assert (state.ceremony.dealers, state.ceremony.players) == (choose(3, 4, 5, 6), choose(0, 1, 2, 3))
    chain.refuse(
        KeyPayload(link=chain.people.link(old, state.holders.key, 31337).encode()), "no link is wanted"
    )
    chain.hand_over()
    state = chain.key
    assert (state.holders.generation, state.holders.round, state.failures) == (2, 4, 0)
    assert state.holders.key != old.key
    assert (state.retired, state.link) == (old, b"")
    assert state.ceremony.generation == 2
    check_links(chain, old)
    link = chain.people.link(old, state.holders.key, 31337, voters=3)
    chain.add(KeyPayload(link=link.encode()))
    state = chain.key
    assert (state.retired, state.link) == (None, link.encode())
    assert read_link(chain.core.state, 2) == link.encode()
    assert read_link(chain.core.state, 1) == b""
    assert validate_link(KeyLink.decode(state.link), 31337, old.key, SCHEME) == state.holders.key
    chain.refuse(KeyPayload(link=link.encode()), "no link is wanted")
    assert chain.contract().read("link", 2) == link.encode()
    assert chain.contract().read("generation") == 2


def check_links(chain, old) -> None:
    """Refuse every link but the one that is wanted."""
    new_key = chain.key.holders.key
    link = chain.people.link(old, new_key, 31337)
    wanted = "between other keys, or by others"
    for wrong in (
        replace(link, generation=3),
        replace(link, round=old.round + 1),
        replace(link, members=chain.key.holders.members),
        replace(link, new_key=old.key),
    ):
        chain.refuse(KeyPayload(link=wrong.encode()), wanted)
    chain.refuse(KeyPayload(link=replace(link, votes=link.votes[:2]).encode()), "too few members")
    chain.refuse(
        KeyPayload(link=replace(link, attestation=chain.key.holders.attestation).encode()), "has not signed"
    )
    chain.refuse(KeyPayload(link=link.encode()[:-1]), "RLP")


def test_the_link_is_still_wanted_after_more_handovers(world) -> None:
    chain = world(extensions=0)
    chain.hand_over()
    old = chain.key.holders
    chain.finish()
    chain.hand_over()
    key = chain.key.holders.key
    chain.hand_over()
    assert (chain.key.retired, chain.key.holders.key) == (old, key)
    chain.add(KeyPayload(link=chain.people.link(old, key, 31337).encode()))
    assert chain.key.retired is None


def test_one_more_generation_takes_the_place_of_a_link_never_made(world) -> None:
    chain = world(extensions=0)
    chain.hand_over()
    first = chain.key.holders
    for generation in (2, 3):
        chain.finish()
        before = chain.key.holders
        chain.hand_over()
        assert (chain.key.retired, chain.key.holders.generation) == (before, generation)
    assert first.generation == 1
    chain.refuse(KeyPayload(link=chain.people.link(first, before.key, 31337).encode()), "between other keys")
    chain.add(KeyPayload(link=chain.people.link(before, chain.key.holders.key, 31337).encode()))
    assert read_link(chain.core.state, 3) == chain.key.link


def test_holders_from_genesis_attest_at_any_time(world) -> None:
    chain = world(extensions=0)
    genesis = chain.key.holders
    attestation = chain.people.attest(genesis, 31337)
    chain.refuse(KeyPayload(attestation=attestation[:-1] + bytes([attestation[-1] ^ 1])), "owes this")
    chain.add(KeyPayload(attestation=attestation))
    assert chain.key.holders == replace(genesis, attestation=attestation)
    assert chain.key.attestation == b""
    chain.refuse(KeyPayload(attestation=attestation), "owes this")
    chain.finish()
    assert chain.key.ceremony.is_generation
    chain.hand_over()
    assert chain.key.retired == replace(genesis, attestation=attestation)
    chain.add(KeyPayload(link=chain.people.link(chain.key.retired, chain.key.holders.key, 31337).encode()))
    assert chain.key.link


def test_no_link_is_wanted_of_holders_who_never_attested(world) -> None:
    chain = world(extensions=0)
    chain.finish()
    chain.hand_over()
    assert (chain.key.holders.generation, chain.key.retired) == (2, None)


def test_an_attestation_of_holders_from_genesis_is_none_of_players(world) -> None:
    chain = world()  # the same members, the same key: only the round tells the two apart
    mine = chain.people.attest(chain.key.holders, 31337)
    chain.add(KeyPayload(attestation=mine))
    chain.select()
    chain.refuse(KeyPayload(attestation=mine), "owes this")
    chain.attest()
    assert chain.key.attestation not in (b"", mine)


def test_logs_come_in_several_blocks_and_by_anybody(world) -> None:
    chain = world()
    chain.go_to(4)
    ceremony = chain.key.ceremony
    chain.add(KeyPayload(logs=chain.people.logs(ceremony, [4])))
    chain.add(KeyPayload(logs=chain.people.logs(ceremony, [2])))
    assert ([log.place for log in chain.key.logs], chain.key.outcome) == ([4, 2], None)
    assert chain.key.successors is None
    assert chain.contract().read("logsPosted") == 2
    chain.add(KeyPayload(logs=chain.people.logs(ceremony, [1])))
    assert [log.place for log in chain.key.logs] == [4, 2, 1]
    assert chain.key.outcome.key == chain.key.holders.key
    chain.people.derive(chain.key)
    attestation = chain.people.attest(chain.key.successors, 31337)
    chain.add(KeyPayload(attestation=attestation))  # in the slot's last block
    assert (chain.core.height, chain.key.holders.round, chain.key.holders.attestation) == (8, 1, attestation)


def test_last_log_and_attestation_may_share_a_block(world) -> None:
    source, chain = world(), world()
    source.select()
    source.attest()
    chain.go_to(6)
    chain.add(KeyPayload(logs=chain.people.logs(chain.key.ceremony), attestation=source.key.attestation))
    assert chain.key.attestation == source.key.attestation


@pytest.mark.parametrize("position", [0, 3, 7])
def test_logs_have_their_time(world, position) -> None:
    chain = world()
    chain.go_to(position)
    chain.refuse(KeyPayload(logs=chain.people.logs(chain.key.ceremony)), "brings no logs")


def test_the_time_of_logs_in_slots_of_all_lengths() -> None:
    def positions(blocks):
        schedule = SlotSchedule(blocks)
        return [at for at in range(blocks) if takes_logs(schedule, schedule.first_of(3) + at)]

    assert [positions(blocks) for blocks in (4, 5, 8)] == [[2], [2, 3], [4, 5, 6]]


def test_logs_that_do_not_count(world) -> None:
    chain = world()
    chain.go_to(4)
    ceremony = chain.key.ceremony
    one, two, three, four = chain.people.logs(ceremony, [1, 2, 3, 4])
    other = chain.people.log(ceremony, 1, salt=b"another dealing")
    signature = DealerLog.decode(two).signature
    chain.refuse(KeyPayload(logs=(one, two, three, four)), "no more logs")
    chain.refuse(KeyPayload(logs=(one, one)), "this place already")
    chain.refuse(KeyPayload(logs=(one, other)), "this place already")
    chain.refuse(
        KeyPayload(logs=(replace(DealerLog.decode(one), signature=signature).encode(),)), "not signed"
    )
    chain.refuse(KeyPayload(logs=(one[:-1],)), "RLP")
    chain.add(KeyPayload(logs=(one,)))
    chain.refuse(KeyPayload(logs=(other,)), "this place already")
    chain.add(KeyPayload(logs=(two, three)))
    chain.refuse(KeyPayload(logs=(four,)), "no more logs")


def test_logs_of_another_ceremony_do_not_count(world) -> None:
    chain, elsewhere = world(), world(chain_id=5)
    stale = chain.people.logs(chain.key.ceremony, [1])
    chain.go_to(4)
    chain.refuse(KeyPayload(logs=elsewhere.people.logs(elsewhere.key.ceremony, [1])), "not signed")
    chain.finish()
    chain.go_to(4)
    chain.refuse(KeyPayload(logs=stale), "not signed")


def test_attestations_that_do_not_count(world) -> None:
    chain = world(keyed=False)
    chain.refuse(KeyPayload(attestation=b"\x01" * 48), "nobody owes")
    chain.select()
    chain.people.derive(chain.key)
    right = chain.people.attest(chain.key.successors, 31337)
    chain.refuse(KeyPayload(attestation=chain.people.attest(chain.key.successors, 31338)), "nobody owes")
    chain.refuse(KeyPayload(attestation=b"\x01" * 48), "nobody owes")
    chain.add(KeyPayload(attestation=right))
    chain.refuse(KeyPayload(attestation=right), "nobody owes")


def test_a_builder_brings_what_counts_of_a_mixed_payload(world) -> None:
    chain = world()
    chain.go_to(4)
    ceremony = chain.key.ceremony
    one, two = chain.people.logs(ceremony, [1, 2])
    mine = chain.people.attest(chain.key.holders, 31337)
    mixed = KeyPayload(logs=(two, b"junk", two, one), attestation=mine, link=b"junk")
    block = chain.build(mixed)
    kept = KeyPayload(logs=(two, one), attestation=mine)
    assert block.attachment == wrap(b"", kept.encode())
    chain.core.append(block)
    assert [log.place for log in chain.key.logs] == [2, 1]


def test_the_header_commits_to_payload_and_inner_attachment(world) -> None:
    chain = world()
    payload = KeyPayload(attestation=chain.people.attest(chain.key.holders, 31337))
    block = chain.build(payload, b"work")
    assert block.header.extra_data == keccak256(payload.encode())
    assert block.header.work_commitment == keccak256(b"work")
    stripped = replace(block, attachment=wrap(b"work", b""))
    exchanged = replace(block, attachment=wrap(b"other", payload.encode()))
    bare = replace(block, header=replace(block.header, extra_data=b""))
    loose = replace(block, attachment=b"\x80")
    for wrong, match in (
        (stripped, "does not commit"),
        (exchanged, "work commitment"),
        (bare, "does not commit"),
        (loose, "inner one and a payload"),
    ):
        with pytest.raises(InvalidInput, match=match):
            chain.core.append(wrong)
    chain.core.append(block)
    plain = chain.add(None, b"more work")
    assert (plain.attachment, plain.header.extra_data) == (wrap(b"more work", b""), b"")
    assert chain.add().attachment == b""


def test_a_payload_has_one_encoding(world) -> None:
    chain = world()
    chain.refuse(b"\xc4\xc0\x80\x80\xc0", "not all empty")


def test_the_consensus_inside_goes_on_as_ever(world) -> None:
    chain = world()
    block = chain.add()
    assert block.header.next_committee_hash == keccak256(b"1")
    assert (block.header.slot, chain.rules.slot(9)) == (0, 1)
    assert chain.chain.balance(block.header.proposer) == 1
    chain.rules.admit(chain.core.state, b"\x01" * 20)
    assert chain.core.state.nonce(b"\xad" * 20) == 1


def test_blocks_are_the_same_on_another_node_and_can_be_undone(world, choose) -> None:
    def committees(slot):
        return choose(*range(slot, slot + 4))

    chain, other = world(committees), world(committees)
    states, blocks = [chain.key], []
    chain.hand_over()
    for height in range(1, chain.core.height + 1):
        block = chain.core.ledger.block(height)
        other.core.append(block)
        blocks.append(block)
        states.append(other.key)
    assert other.key == chain.key
    while blocks:
        assert other.key == states.pop()
        assert other.core.undo() == blocks.pop()
    assert other.key == states.pop()
    other.hand_over()
    assert (other.core.head.hash, other.key) == (chain.core.head.hash, chain.key)


def test_the_committee_after_the_next_is_fixed_before_the_ceremony_begins() -> None:
    people = accounts(4)

    class Members(ScriptedConsensus):
        def prepare(self, genesis):
            made = with_membership(
                super().prepare(genesis), [each.address for each in people], blocks_per_slot=4
            )
            fixed = genesis_members(made)
            return with_chain_key(made, fixed[0], fixed[1])

        def rules(self, genesis, view):
            schedule = SlotSchedule(4)
            committees = StateCommittees(view.state, MEMBERSHIP_ADDRESS)
            return KeyedRules(
                MembershipRules(schedule),
                view.state,
                schedule,
                committees.at,
                SCHEME,
                block=lambda height: view.blockchain.ledger.block(height),
            )

    chain = Chain.in_memory({}, consensus=Members(ScriptedEngine(repeat(decide()))))
    for _ in range(8):
        chain.seal()
    state = read_key_state(chain.blockchain.state)
    assert (state.slot, state.failures, len(state.ceremony.players)) == (2, 2, 4)


def signed(chain, *heights) -> KeyPayload:
    """Return a payload with the key's signatures of some blocks."""
    holders, hash_of = chain.key.holders, lambda height: chain.core.ledger.header(height).hash
    return KeyPayload(
        signatures=tuple((height, chain.people.sign(holders, hash_of(height))) for height in heights)
    )


def test_blocks_bring_signatures_of_those_just_before(world) -> None:
    chain = world()
    chain.add()
    chain.add(signed(chain, 1))
    again = KeyPayload.decode(unwrap(chain.build(signed(chain, 1, 2)).attachment)[1])
    assert again == signed(chain, 2), "what a block has brought is not brought again"
    for _ in range(SIGNED_WINDOW):
        chain.add()
    assert chain.core.height == 2 + SIGNED_WINDOW
    chain.refuse(signed(chain, 2), "just before")
    chain.add(signed(chain, *range(3, 3 + SIGNED_WINDOW)))


def test_a_signature_is_the_keys_and_of_the_block_it_names(world) -> None:
    chain, other = world(), world(chain_id=2)
    for each in (chain, other):
        each.add()
        each.add()
    one, two = (dict(signed(chain, height).signatures)[height] for height in (1, 2))
    for wrong in ({1: two}, {2: one}, {1: bytes(48)}, {3: one}, {0: one}, {1 << 63: one}):
        chain.refuse(KeyPayload(signatures=tuple(wrong.items())), "just before")
    chain.refuse(signed(other, 1), "just before")
    chain.refuse(KeyPayload(signatures=((1, one), (2, one))), "just before")
    chain.add(KeyPayload(signatures=((1, one), (2, two))))


def test_without_a_key_there_are_no_signatures(world) -> None:
    chain, keyed = world(keyed=False), world()
    for each in (chain, keyed):
        each.add()
    chain.refuse(signed(keyed, 1), "just before")


def no_block(height):
    raise AssertionError("there is no block before the first")


def test_rules_are_for_one_chain_with_a_key(world, choose) -> None:
    schedule, inner = SlotSchedule(8), ScriptedRules()
    with pytest.raises(UsageError, match="too short"):
        KeyedRules(inner, State(), SlotSchedule(3), choose, SCHEME, block=no_block)
    with pytest.raises(UsageError, match="not negative"):
        KeyedRules(inner, State(), schedule, choose, SCHEME, block=no_block, extensions=-1)

    class Elsewhere(ScriptedConsensus):
        def rules(self, genesis, view):
            self.made = KeyedRules(inner, State(), schedule, choose, SCHEME, block=no_block)
            return self.made

    chain = Chain.in_memory({}, consensus=Elsewhere(ScriptedEngine(repeat(decide()))))
    with pytest.raises(UsageError, match="another state"):
        chain.seal()

    class Keyless(ScriptedConsensus):
        def rules(self, genesis, view):
            rules = KeyedRules(inner, view.state, schedule, choose, SCHEME, block=no_block)
            rules.desk = world().rules.desk
            rules.desk = type(
                "Desk", (), {"payload": lambda self, height: KeyPayload(attestation=bytes(48))}
            )()
            return rules

    chain = Chain.in_memory({}, consensus=Keyless(ScriptedEngine(repeat(decide()))))
    with pytest.raises(UsageError, match="no chain key contract"):
        chain.seal()
    assert read_key_state(chain.blockchain.state) is None
    assert chain.head.header.next_committee_hash == ZERO_HASH
