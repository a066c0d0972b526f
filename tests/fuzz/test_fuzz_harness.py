"""The fuzzer finds what it is there to find."""

from __future__ import annotations

import pickle
import time
from random import Random

import pytest
from fuzzing import harness
from fuzzing.harness import MAX_SECONDS, FuzzFailure, Target, as_fields, as_json, as_rlp, as_text, fuzz
from fuzzing.mutation import (
    MAX_STACKED,
    NESTING,
    ByteMutator,
    TreeMutator,
    mutate_rlp,
    mutate_text,
    nested_lists,
)

from chainstack_sdk.primitives import InvalidInput, UsageError, rlp_decode, rlp_encode

LIMIT = 0.05
SAMPLES = (b"a good input", b"another one, which is a little longer")


def target(run, **options) -> Target:
    return Target("example", lambda: SAMPLES, run, **options)


def check_good(data: bytes) -> None:
    if data not in SAMPLES:
        raise InvalidInput("not one of the good ones")


def crash_on_bad(data: bytes) -> None:
    if data not in SAMPLES:
        raise IndexError("out of range")


def crash_politely(data: bytes) -> None:
    if data not in SAMPLES:
        raise InvalidInput(f"{harness.CRASH}: IndexError()")


def dawdle_on_bad(data: bytes) -> None:
    if data not in SAMPLES:
        until = time.process_time() + 2 * LIMIT
        while time.process_time() < until:
            pass
        raise InvalidInput("late")


class Unshowable:
    def __str__(self) -> str:
        raise ValueError("no text for this")


def unshowable(data: bytes) -> None:
    if data not in SAMPLES:
        raise InvalidInput("bad", actual=Unshowable())


def deny(condition: bool) -> None:
    if not condition:
        raise AssertionError("not true")


def test_refusals_are_counted() -> None:
    outcome = fuzz(target(check_good), 50, seed=1)
    assert (outcome.accepted, outcome.refused) == (0, 50)
    assert 0 < outcome.slowest < MAX_SECONDS


def test_acceptances_are_counted() -> None:
    assert fuzz(target(len), 50, seed=1).accepted == 50


@pytest.mark.parametrize(
    ("run", "told"),
    [
        (crash_on_bad, "raised IndexError: out of range"),
        (dawdle_on_bad, "took 0.1 s"),
        (unshowable, "cannot be shown"),
        (crash_politely, "was refused: contract code crashed"),
        (lambda data: deny(data in SAMPLES), "raised AssertionError: not true"),
    ],
)
def test_broken_contracts_are_found(run, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness, "MAX_SECONDS", LIMIT)
    with pytest.raises(FuzzFailure) as failure:
        fuzz(target(run), 50, seed=9)
    text = str(failure.value)
    assert told in text
    assert "input 0 of CHAINSTACK_FUZZ_SEED=9" in text
    shown = text.partition("input: bytes.fromhex('")[2].partition("'")[0]
    with pytest.raises((IndexError, InvalidInput, AssertionError)):
        run(bytes.fromhex(shown))


def test_a_refused_good_input_is_a_failure() -> None:
    def refuse(data: bytes) -> None:
        raise InvalidInput("whatever")

    with pytest.raises(FuzzFailure, match="is good, and was refused"):
        fuzz(target(refuse), 50, seed=1)


def test_an_error_of_another_kind_is_a_failure() -> None:
    with pytest.raises(FuzzFailure, match="raised InvalidInput"):
        fuzz(target(check_good, refusals=(UsageError,)), 50, seed=1)


def test_numbers_that_cannot_be_printed_are_pickled() -> None:
    def fail(fields: tuple[int, bytes]) -> None:
        deny(fields[0] < 10**4999)

    with pytest.raises(FuzzFailure) as failure:
        fuzz(Target("numbers", lambda: [(1, b"x")], fail, damage=as_fields), 500, seed=1)
    shown = str(failure.value).partition("pickle.loads(bytes.fromhex('")[2].partition("'")[0]
    assert pickle.loads(bytes.fromhex(shown))[0] >= 10**4999


def collect(damage, samples: list, seed: int = 1, count: int = 200) -> list:
    seen: list = []
    fuzz(Target("collect", lambda: samples, seen.append, damage=damage), count, seed)
    return seen[len(samples) :]


@pytest.mark.parametrize(
    ("damage", "samples"),
    [
        (as_rlp, [rlp_encode([b"a", [b"b" * 60, []]])]),
        (as_text, ["some text"]),
        (as_fields, [(1, b"x", ["nodes"])]),
        (as_json, [{"a": [1, "0x2", None, True, {"b": "c"}]}]),
    ],
)
def test_inputs_follow_from_the_seed_and_are_damaged(damage, samples: list) -> None:
    inputs = collect(damage, samples)
    assert len(inputs) == 200
    assert not any(value in samples for value in inputs)
    assert len({pickle.dumps(value) for value in inputs}) > 100
    assert inputs == collect(damage, samples)
    assert inputs != collect(damage, samples, seed=2)


def test_every_way_to_damage_bytes_is_used_and_keeps_to_bytes() -> None:
    rng = Random(3)
    mutator = ByteMutator(rng, SAMPLES)
    lengths = {len(mutator.mutate(rng.choice((*SAMPLES, b"", b"\0" * 100)))) for _ in range(2_000)}
    assert min(lengths) == 0
    assert max(lengths) > 100


def test_damaged_rlp_is_rlp() -> None:
    rng = Random(4)
    data = rlp_encode([b"a", [b"b" * 60, []]])
    typed = b"\x02" + data
    mutator = TreeMutator(rng, [rlp_decode(data)])
    depths = set()
    for _ in range(200):
        item, depth = rlp_decode(mutate_rlp(mutator, data)), 0
        while isinstance(item, list) and len(item) == 1:
            item, depth = item[0], depth + 1
        depths.add(depth)
        changed = mutate_rlp(mutator, typed)
        assert changed[0] == 2
        rlp_decode(changed[1:])
    assert max(depths) >= NESTING


def test_nested_lists_have_right_lengths() -> None:
    for levels in (0, 1, 60, 300):
        item = rlp_decode(nested_lists(levels, b"\x07"))
        for _ in range(levels):
            (item,) = item
        assert item == b"\x07"


def test_damage_leaves_the_original_alone() -> None:
    original = {"a": [1, {"b": [b"c", ("d", 2)]}]}
    copy = pickle.loads(pickle.dumps(original))
    mutator = TreeMutator(Random(5), [original], strangers=(None,), numbers=(7,))
    changed = [mutator.mutate(original) for _ in range(500)]
    assert original == copy
    assert sum(value != original for value in changed) > 450


def test_text_is_changed_in_a_few_places() -> None:
    rng = Random(6)
    assert len({mutate_text(rng, "0x12") for _ in range(300)}) > 200
    assert MAX_STACKED == 3
