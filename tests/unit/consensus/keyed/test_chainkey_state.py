"""Where the chain key lies in a state: slots, genesis, turns, and the way back."""

from __future__ import annotations

from chainstack_sdk.consensus.chainkey import storage as stored
from chainstack_sdk.consensus.chainkey.genesis import deal_locally
from chainstack_sdk.consensus.chainkey.state import load_key_state, read_key_state
from chainstack_sdk.consensus.chainkey.storage import CHAIN_KEY_ADDRESS
from chainstack_sdk.consensus.chainkey.turning import turn, write_genesis
from chainstack_sdk.consensus.staking.storage import MappingStorage, StateStorage
from chainstack_sdk.core.state import State
from chainstack_sdk.primitives.keccak import keccak256

SEED = b"\x06" * 32


def words(state: State) -> dict[bytes, int]:
    """Everything that is written in the contract's storage."""
    return {slot: value for slot, value in state.table(CHAIN_KEY_ADDRESS).items() if value}


def test_a_state_without_the_contract_has_no_key() -> None:
    assert read_key_state(State()) is None
    assert load_key_state(MappingStorage({})) is None


def test_the_key_can_be_read_as_words(choose) -> None:
    members = choose(0, 1, 2, 3)
    polynomial, _ = deal_locally(members, SEED)
    storage = MappingStorage({})
    write_genesis(storage, 7, members, members, polynomial)
    assert [storage.values.get(slot, 0) for slot in (0, 1, 2, 3, 9, 10)] == [7, 1, 1, 0, 1, 0]
    first = int.from_bytes(keccak256((12).to_bytes(32, "big")), "big")
    assert b"".join(storage.values[first + at].to_bytes(32, "big") for at in range(3)) == polynomial.key


def test_what_is_read_twice_is_decoded_once(choose) -> None:
    members = choose(0, 1, 2, 3)
    polynomial, _ = deal_locally(members, SEED)
    storage = MappingStorage({})
    write_genesis(storage, 7, members, members, polynomial)
    one, two = load_key_state(storage), load_key_state(storage)
    assert one == two
    assert one.ceremony is two.ceremony
    assert one.holders.polynomial is two.holders.polynomial is one.ceremony.previous


def test_a_turn_can_be_taken_back(choose) -> None:
    members, others = choose(0, 1, 2, 3), choose(1, 2, 3, 4)
    polynomial, _ = deal_locally(members, SEED)
    state = State()
    storage = StateStorage(state, CHAIN_KEY_ADDRESS)
    write_genesis(storage, 7, members, others, polynomial)
    state.commit()
    root, before, content = state.root, read_key_state(state), words(state)
    turn(storage, others, members, 2)
    undo = state.commit()
    after = read_key_state(state)
    assert (after.slot, after.failures, after.ceremony.players) == (1, 1, members)
    state.restore(undo, root)
    assert (state.root, read_key_state(state), words(state)) == (root, before, content)
    mark = state.checkpoint()
    turn(storage, others, members, 2)
    state.rollback(mark)
    assert (read_key_state(state), words(state)) == (before, content)


def test_logs_of_different_lengths_are_kept_and_cleared() -> None:
    state = State()
    storage = StateStorage(state, CHAIN_KEY_ADDRESS)
    logs = (b"short", b"l" * 700, b"m" * 32, b"")
    for log in logs:
        stored.append_log(storage, log)
    assert stored.load_logs(storage) == logs
    stored.clear_logs(storage)
    assert stored.load_logs(storage) == ()
    assert words(state) == {}


def test_a_shorter_text_leaves_nothing_of_the_longer() -> None:
    state = State()
    storage = StateStorage(state, CHAIN_KEY_ADDRESS)
    for text in (b"x" * 500, b"y" * 40, b"z"):
        stored.store_text(storage, stored.OUTCOME, text)
        assert stored.load_text(storage, stored.OUTCOME) == text
    assert len(words(state)) == 1


def test_points_of_logs_are_decoded_once(world) -> None:
    chain = world()
    chain.select()
    state = chain.key
    assert state.logs == chain.key.logs
    assert all(one is two for one, two in zip(state.logs, chain.key.logs, strict=True))
    assert state.outcome is chain.key.outcome
