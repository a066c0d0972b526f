"""Running a target on many damaged inputs, and what is demanded of it."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from time import process_time
from typing import Any, Protocol

from fuzzing.mutation import UNPRINTABLE, ByteMutator, TreeMutator, items_of, mutate_rlp, mutate_text

from chainstack_sdk.primitives import InvalidInput

CRASH = "contract code crashed"
"""What a caller is told of a bug in a contract: no refusal."""
MAX_SHOWN = 10_000
"""Characters of an input in a failure; the seed gives the whole again."""
MAX_SECONDS = 1.0
"""Processor time that no input may exceed."""


class MakesInputs(Protocol):
    """Returns the damaging function of one run."""

    def __call__(self, rng: Random, samples: Sequence[Any]) -> Callable[[Any], Any]: ...


def as_bytes(rng: Random, samples: Sequence[Any]) -> Callable[[Any], Any]:
    """Damage the bytes."""
    return ByteMutator(rng, samples).mutate


def as_rlp(rng: Random, samples: Sequence[Any]) -> Callable[[Any], Any]:
    """Damage half of the time the bytes, half of the time the items inside."""
    plain, inside = ByteMutator(rng, samples), TreeMutator(rng, [items_of(sample) for sample in samples])
    return lambda data: plain.mutate(data) if rng.random() < 0.5 else mutate_rlp(inside, data)


def as_fields(rng: Random, samples: Sequence[Any]) -> Callable[[Any], Any]:
    """Damage some fields of a tuple, which stays a tuple of as many fields of the same types."""
    mutator = TreeMutator(rng, samples, numbers=(UNPRINTABLE,))

    def damage(fields: tuple[Any, ...]) -> tuple[Any, ...]:
        at = rng.randrange(len(fields))
        return (*fields[:at], mutator.mutate(fields[at]), *fields[at + 1 :])

    return damage


def as_json(rng: Random, samples: Sequence[Any]) -> Callable[[Any], Any]:
    """Damage a JSON value; now and then something of another type takes a place."""
    return TreeMutator(
        rng, samples, strangers=(None, True, 1.5, "", "0x", [], {}, -1, "0x" + "f" * 5000)
    ).mutate


def as_text(rng: Random, samples: Sequence[Any]) -> Callable[[Any], Any]:
    """Damage text."""
    return lambda text: mutate_text(rng, text)


@dataclass(frozen=True)
class Target:
    """One decoder, verifier or entrance, and good inputs for it."""

    name: str
    samples: Callable[[], Sequence[Any]]
    """Good inputs: each must be accepted."""
    run: Callable[[Any], object]
    """Hands an input over; whatever it asserts of the result is part of the contract."""
    refusals: tuple[type[Exception], ...] = (InvalidInput,)
    """How a bad input may be refused."""
    damage: MakesInputs = as_bytes
    share: int = 3
    """How large a part of the inputs it gets."""


@dataclass(frozen=True)
class Outcome:
    """How the damaged inputs of one run ended."""

    accepted: int
    refused: int
    slowest: float
    """Seconds of processor time."""


class FuzzFailure(AssertionError):
    """An input that broke the contract; the text is enough to try it again."""

    def __init__(self, target: Target, seed: int, number: int, value: object, what: str) -> None:
        super().__init__(
            f"{target.name}: input {number} of CHAINSTACK_FUZZ_SEED={seed} {what}\n  input: {_shown(value)}"
        )


def fuzz(target: Target, count: int, seed: int) -> Outcome:
    """Try so many damaged inputs; raise :class:`FuzzFailure` for the first that breaks the contract.

    The contract: success, or one of the target's refusals, whose text can be shown, within a second.
    """
    rng = Random(f"{seed} {target.name}")
    samples = list(target.samples())
    for number, sample in enumerate(samples, -len(samples)):
        if _attempt(target, seed, number, sample):
            raise FuzzFailure(target, seed, number, sample, "is good, and was refused")
    damage = target.damage(rng, samples)
    refused, slowest = 0, 0.0
    for number in range(count):
        sample = rng.choice(samples)
        while (value := damage(sample)) == sample:
            pass
        start = process_time()
        refused += _attempt(target, seed, number, value)
        elapsed = process_time() - start
        slowest = max(slowest, elapsed)
        if elapsed > MAX_SECONDS:
            raise FuzzFailure(target, seed, number, value, f"took {elapsed:.1f} s")
    return Outcome(count - refused, refused, slowest)


def _attempt(target: Target, seed: int, number: int, value: object) -> bool:
    """Tell whether the target refused an input."""
    try:
        target.run(value)
    except target.refusals as refusal:
        try:
            text = str(refusal)
        except Exception as error:
            raise FuzzFailure(
                target, seed, number, value, "was refused with an error that cannot be shown"
            ) from error
        if CRASH in text:
            raise FuzzFailure(target, seed, number, value, f"was refused: {text}") from refusal
        return True
    except Exception as error:
        what = f"raised {type(error).__name__}: {error}"
        raise FuzzFailure(target, seed, number, value, what) from error
    return False


def _shown(value: object) -> str:
    """Return the input in a form that gives it back when pasted."""
    if isinstance(value, bytes):
        return f"bytes.fromhex({value.hex()!r})"
    try:
        text = repr(value)
        return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
    except ValueError:  # a number of more digits than the interpreter prints
        return f"pickle.loads(bytes.fromhex({pickle.dumps(value).hex()!r}))"
