"""Bad votes, proposals, certificates and evidence: a typed refusal, and an engine that is as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from random import Random
from typing import Any

import pytest
from fuzzing.harness import Target, as_bytes, as_rlp, fuzz
from fuzzing.mutation import ByteMutator

from chainstack_sdk.consensus.bft import (
    NIL,
    BftCore,
    Certificate,
    Evidence,
    FixedMembership,
    Proposal,
    Record,
    RoundState,
    Scheme,
    Secp256k1Scheme,
    SignedMessage,
    Step,
    Validator,
    ValidatorSet,
    Vote,
    VoteKind,
    decode_message,
    rotation,
    validate_certificate,
    validate_evidence,
)
from chainstack_sdk.consensus.bft.messages import attach
from chainstack_sdk.core.engine import BlockProposed, MessageReceived, Sign, Signed
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.keys import Account

QUICK_INPUTS, LONG_INPUTS = 250, 7_500
"""For each target."""
CHAIN, HEIGHT = 7, 3
A, B = b"\xaa" * 32, b"\xbb" * 32
ACCOUNTS = sorted((Account.from_key(number) for number in range(1, 5)), key=lambda one: one.address)
VALIDATORS = ValidatorSet(
    Validator(account.address, number, bytes([number]) * 32 if number % 2 else b"")
    for number, account in enumerate(ACCOUNTS, start=2)
)
SCHEME = Secp256k1Scheme()


class Believing:
    """Takes every signature for that of the validator whose address it begins with."""

    def signer(self, digest: bytes, signature: bytes) -> bytes | None:
        return signature[:20]

    def signers(self, requests: Iterable[tuple[bytes, bytes]]) -> list[bytes | None]:
        return [signature[:20] for _, signature in requests]


def must(condition: object, fact: str) -> None:
    if not condition:
        raise AssertionError(f"not true: {fact}")


def said() -> list[tuple[int, Vote | Proposal]]:
    """Return what validators say around a height, by index: all there is to say, some of it twice."""
    messages: list[tuple[int, Vote | Proposal]] = []
    addresses = [account.address for account in ACCOUNTS]
    for height in (HEIGHT, HEIGHT + 1):
        for round_ in (0, 1, 4):
            proposer = addresses.index(rotation(VALIDATORS, height, round_))
            messages.append((proposer, Proposal(height, round_, A, round_ - 1, b"proof" * round_)))
            for index in range(4):
                for kind in VoteKind:
                    messages.append((index, Vote(kind, height, round_, B if index == 3 else A)))
    return messages


@cache
def really_signed() -> list[SignedMessage]:
    return [
        attach(message, ACCOUNTS[index].address, ACCOUNTS[index].sign(message.digest(CHAIN)))
        for index, message in said()
    ]


@cache
def as_if_signed() -> list[SignedMessage]:
    return [
        attach(message, ACCOUNTS[index].address, ACCOUNTS[index].address + bytes(45))
        for index, message in said()
    ]


def encoded(messages: Iterable[SignedMessage]) -> list[bytes]:
    return [message.encode() for message in messages]


@cache
def certificates() -> list[bytes]:
    digest = Vote(VoteKind.PRECOMMIT, HEIGHT, 2, A).digest(CHAIN)
    signatures = [(index, account.sign(digest)) for index, account in enumerate(ACCOUNTS)]
    return [Certificate(2, tuple(part)).encode() for part in (signatures, signatures[1:])]


@cache
def accusations() -> list[bytes]:
    pairs: list[tuple[Vote | Proposal, Vote | Proposal]] = [
        (Vote(kind, HEIGHT, 1, A), Vote(kind, HEIGHT, 1, other)) for kind in VoteKind for other in (B, NIL)
    ]
    pairs.append((Proposal(HEIGHT, 1, A), Proposal(HEIGHT, 1, A, 0, b"extra")))
    account = ACCOUNTS[0]
    signed = [
        [attach(message, account.address, account.sign(message.digest(CHAIN))) for message in pair]
        for pair in pairs
    ]
    return [Evidence.of(*pair).encode() for pair in signed]


def records() -> list[bytes]:
    state = RoundState(HEIGHT, 4, Step.PRECOMMIT, A, 4, B, 1)
    votes = tuple(attach(Vote(VoteKind.PREVOTE, HEIGHT, 1, B), one.address, bytes(65)) for one in ACCOUNTS)
    full = Record(CHAIN, ACCOUNTS[0].address, state, (Vote(VoteKind.PRECOMMIT, HEIGHT, 4, A),), votes)
    return [full.encode(), Record(CHAIN, ACCOUNTS[0].address, RoundState(HEIGHT)).encode()]


# Decoders and verifiers


def round_trip(decode: Callable[[bytes], Any]) -> Callable[[bytes], None]:
    def run(data: bytes) -> None:
        must(decode(data).encode() == data, "what is decoded has this encoding")

    return run


def check_certificate(data: bytes) -> None:
    certificate = Certificate.decode(data)
    signers = validate_certificate(
        certificate, chain_id=CHAIN, height=HEIGHT, block_hash=A, validators=VALIDATORS, scheme=SCHEME
    )
    genuine = Certificate.decode(certificates()[0])
    must(certificate.round == genuine.round, "its round is the signed one")
    must(set(certificate.signatures) <= set(genuine.signatures), "its signatures are genuine")
    must(len(signers) >= 3, "2/3 signed it")


def check_evidence(data: bytes) -> None:
    culprit = validate_evidence(Evidence.decode(data), CHAIN, SCHEME)
    must(culprit == ACCOUNTS[0].address, "only the one who voted twice is guilty")


# Engines


def snapshot(value: Any) -> Any:
    """Return a comparable copy of what an engine remembers."""
    if isinstance(value, dict):
        return [(key, snapshot(item)) for key, item in value.items()]
    if isinstance(value, list | tuple):
        return [snapshot(item) for item in value]
    if isinstance(value, set):
        return frozenset(value)
    if type(value).__name__ in ("BftCore", "HeightLog", "VoteKeeper", "EarlyMessages"):
        return [(name, snapshot(item)) for name, item in vars(value).items() if name != "refused"]
    if type(value).__name__ == "Tally":
        return [snapshot(getattr(value, name)) for name in value.__slots__]
    return value


class Listener:
    """An engine in the middle of a height, to which one message after the other is told."""

    def __init__(
        self,
        scheme: Scheme,
        sign: Callable[[Account, bytes], bytes],
        messages: Callable[[], list[SignedMessage]],
    ) -> None:
        self.scheme = scheme
        self.sign = sign
        self.messages = messages
        self.engine: BftCore | None = None

    def prepare(self) -> BftCore:
        account = ACCOUNTS[0]
        engine = BftCore(
            CHAIN,
            FixedMembership(VALIDATORS),
            address=account.address,
            height=HEIGHT,
            scheme=self.scheme,
        )
        engine.start()
        engine.process(BlockProposed(HEIGHT, A))
        for message in self.messages()[:5]:
            for output in engine.process(MessageReceived(message.encode())):
                for each in getattr(output, "then", ()):
                    assert isinstance(each, Sign)
                    engine.process(Signed(each.payload, self.sign(account, each.payload)))
        self.before = snapshot(engine)
        return engine

    def hear(self, data: bytes) -> None:
        engine = self.engine or self.prepare()
        self.engine, refused = None, engine.refused
        outputs = engine.process(MessageReceived(data))
        if engine.refused > refused:
            must(outputs == (), "nothing follows from a refused message")
            must(snapshot(engine) == self.before, "a refused message changes nothing")
            self.engine = engine
            raise InvalidInput("refused")
        if snapshot(engine) == self.before:
            self.engine = engine
        elif self.scheme is SCHEME:
            must(decode_message(data) in self.messages(), "only genuine messages count")


REAL = Listener(SCHEME, lambda account, payload: account.sign(keccak256(payload)), really_signed)
CREDULOUS = Listener(Believing(), lambda account, _: account.address + bytes(45), as_if_signed)


def of_anything(rng: Random, samples: Sequence[Any]) -> Callable[[Any], Any]:
    """Damage messages, and certificates and evidence too, as if they were messages."""
    everything = [*samples, *certificates(), *accusations()]
    mutator = ByteMutator(rng, everything)
    return lambda data: mutator.mutate(data if rng.random() < 0.75 else rng.choice(everything))


TARGETS = (
    Target("decode_message", lambda: encoded(really_signed()), round_trip(decode_message)),
    Target("Certificate.decode", certificates, round_trip(Certificate.decode)),
    Target("Evidence.decode", accusations, round_trip(Evidence.decode)),
    Target(
        "ValidatorSet.decode", lambda: [VALIDATORS.encode()], round_trip(ValidatorSet.decode), damage=as_rlp
    ),
    Target("Record.decode", records, round_trip(Record.decode)),
    Target("validate_certificate", certificates, check_certificate),
    Target("validate_evidence", accusations, check_evidence, damage=as_bytes),
    Target("an engine", lambda: encoded(really_signed()), REAL.hear, damage=of_anything),
    Target("an engine that believes", lambda: encoded(as_if_signed()), CREDULOUS.hear, damage=of_anything),
)


def check(target: Target, count: int, seed: int) -> None:
    outcome = fuzz(target, count, seed)
    assert outcome.accepted + outcome.refused == count
    assert outcome.refused  # or the damage would not reach what is damaged


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_damaged_inputs(target: Target, fuzz_seed: int) -> None:
    check(target, QUICK_INPUTS, fuzz_seed)


@pytest.mark.long
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_many_damaged_inputs(target: Target, fuzz_seed: int) -> None:
    check(target, LONG_INPUTS, fuzz_seed + 1)


def test_there_are_enough_inputs() -> None:
    assert LONG_INPUTS * len(TARGETS) >= 50_000


def test_genuine_messages_do_change_an_engine() -> None:
    """Otherwise nothing above would mean anything."""
    for listener in (REAL, CREDULOUS):
        engine = listener.prepare()
        for message in listener.messages()[5:]:
            before = snapshot(engine)
            engine.process(MessageReceived(message.encode()))
            assert snapshot(engine) != before
        assert engine.refused == 0
