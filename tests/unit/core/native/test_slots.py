import pytest

from chainstack_sdk.core.call import Call, Environment
from chainstack_sdk.core.native import slots
from chainstack_sdk.core.native.slots import (
    MappingSlots,
    NestedMappingSlots,
    array_slot,
    following,
    load_bytes,
    mapping_slot,
    slot,
    store_bytes,
    text_mapping_slot,
)
from chainstack_sdk.core.state import State
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import keccak256

WHERE = b"\x11" * 20
WHO = bytes.fromhex("00000000219ab540356cbb839cbe05303d7705fa")


@pytest.fixture
def state():
    return State()


@pytest.fixture
def call(state):
    return Call(Environment(state, None, None, WHO, 10**9, 0), WHO, WHERE, 0, 1, False)


def test_plain_variables_take_the_slot_of_their_number():
    assert slot(0) == bytes(32)
    assert slot(258) == bytes(30) + b"\x01\x02"


def test_mapping_slots_of_well_known_contracts():
    # Wrapped Ether keeps balances in mapping 3; the slot is that of the deposit contract's account there.
    expected = keccak256(bytes(12) + WHO + (3).to_bytes(32, "big"))
    assert mapping_slot(slot(3), WHO) == expected
    # Solidity documentation: the length of the array `uint256[]` at slot 0 stands in 0, its elements follow.
    assert array_slot(slot(0), 0).hex() == "290decd9548b62a8d60345a988386fc84ba6bc95484008f6362f93160ef3e563"
    assert array_slot(slot(0), 1).hex() == "290decd9548b62a8d60345a988386fc84ba6bc95484008f6362f93160ef3e564"
    assert (
        mapping_slot(slot(0), 0).hex() == "ad3228b676f7d3cd4284a5443f17f1962b36e491b30a40b2405849e597ba5fb5"
    )
    assert (
        mapping_slot(slot(1), 0).hex() == "a6eef7e35abe7026729641147f7915573c7e97b47efa546f5f6e3230263bcb49"
    )


def test_keys_of_mappings():
    word = (5).to_bytes(32, "big")
    assert mapping_slot(slot(1), 5) == mapping_slot(slot(1), b"\x05") == mapping_slot(slot(1), word)
    assert text_mapping_slot(slot(1), "name") == text_mapping_slot(slot(1), b"name")
    assert text_mapping_slot(slot(1), "name") == keccak256(b"name" + slot(1))
    nested = mapping_slot(mapping_slot(slot(1), WHO), WHERE)
    assert nested == keccak256(bytes(12) + WHERE + keccak256(bytes(12) + WHO + slot(1)))


@pytest.mark.parametrize("key", [-1, 1 << 256, bytes(33)])
def test_keys_that_do_not_fit(key):
    with pytest.raises(UsageError, match="mapping's key"):
        mapping_slot(slot(0), key)


def test_slots_wrap_round():
    assert following(b"\xff" * 32, 1) == bytes(32)
    assert following(slot(1), 255) == slot(256)


def test_the_cache_gives_the_same_slots_and_stays_small(monkeypatch):
    monkeypatch.setattr(slots, "CACHE_LIMIT", 3)
    single, nested = MappingSlots(2), NestedMappingSlots(5)
    for number in range(10):
        key = number.to_bytes(20, "big")
        for _ in range(2):
            assert single[key] == mapping_slot(slot(2), key)
            assert nested[key + WHO] == mapping_slot(mapping_slot(slot(5), key), WHO)
        assert len(single) <= 3
        assert len(nested) <= 3


def test_short_content_shares_the_slot_with_its_size(call, state):
    store_bytes(call, slot(4), b"abc")
    assert state.storage(WHERE, slot(4)) == int.from_bytes(b"abc" + bytes(28) + b"\x06", "big")
    assert load_bytes(call, slot(4)) == b"abc"


def test_long_content_follows_the_hash_of_the_slot(call, state):
    content = bytes(range(1, 41))
    store_bytes(call, slot(4), content)
    assert state.storage(WHERE, slot(4)) == 81
    start = int.from_bytes(keccak256(slot(4)), "big")
    words = [state.storage(WHERE, (start + at).to_bytes(32, "big")) for at in range(2)]
    assert words[0] == int.from_bytes(content[:32], "big")
    assert words[1] == int.from_bytes(content[32:] + bytes(24), "big")
    assert load_bytes(call, slot(4)) == content


@pytest.mark.parametrize("before", [0, 1, 31, 32, 33, 64, 100])
@pytest.mark.parametrize("after", [0, 1, 31, 32, 33, 64, 100])
def test_nothing_of_older_content_is_left(call, state, before, after):
    store_bytes(call, slot(4), b"\xff" * before)
    store_bytes(call, slot(4), b"\xee" * after)
    assert load_bytes(call, slot(4)) == b"\xee" * after
    written = {place: value for place, value in state.table(WHERE).items() if value}
    fresh = State()
    env = Environment(fresh, None, None, WHO, 10**9, 0)
    store_bytes(Call(env, WHO, WHERE, 0, 1, False), slot(4), b"\xee" * after)
    assert written == {place: value for place, value in fresh.table(WHERE).items() if value}
