"""Chain keys: what a hand-over and a signature cost one member, in bare checks of two pairings."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from pyblst import BlstP1Element, final_verify, miller_loop

from benchmarks.measure import in_turn
from chainstack_sdk.consensus.bft.scheme import Secp256k1Scheme
from chainstack_sdk.consensus.bft.validators import Validator, ValidatorSet
from chainstack_sdk.consensus.chainkey import known, log, outcome
from chainstack_sdk.consensus.chainkey.effects import BlockFinal, Heard, Remember, SendTo
from chainstack_sdk.consensus.chainkey.machine import KeyMachine
from chainstack_sdk.consensus.chainkey.messages import Partial, PartialKind, decode_message
from chainstack_sdk.consensus.chainkey.partials import Collector
from chainstack_sdk.consensus.chainkey.polynomial import PublicPolynomial, SecretPolynomial
from chainstack_sdk.primitives import bls
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.testing import accounts
from chainstack_sdk.testing.sim.keys import CHAIN_ID, KeyChain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from benchmarks.measure import Figure
    from chainstack_sdk.consensus.bft.scheme import Scheme
    from chainstack_sdk.consensus.chainkey.effects import KeyInput, KeyOutput, Message

SIZES = (4, 7, 22)
BLOCKS = 6
_REMEMBERING = (known.is_signed, log._decoded, log._validate_secrets, outcome._combined, bls._hashed)


class Ceremony:
    """A hand-over among members that hear each other at once, and what the first of them was told.

    Parameters
    ----------
    size
        How many members.
    """

    def __init__(self, size: int) -> None:
        people = sorted(accounts(size), key=lambda account: account.address)
        members = ValidatorSet(Validator(account.address, 1) for account in people)
        self._chain = KeyChain(lambda slot: members, blocks=BLOCKS, seed=b"k" * 32)
        self._people = people
        self._machines: dict[bytes, KeyMachine] = {
            account.address: self._machine(number, self._chain.scheme)
            for number, account in enumerate(people)
        }
        self.told: list[KeyInput] = []
        self.sent = 0
        """Bytes that the first member sent, broadcasts counted once."""
        self._tell_all()
        for _ in range(BLOCKS):
            self._chain.build(self._machines[people[0].address])
            self._tell_all()
        holders = self._chain.state.holders
        if holders is None or holders.round != 1:
            raise AssertionError("the hand-over failed")

    def replay(self) -> Callable[[], int]:
        """Prepare a fresh first member that goes through all of it, knowing nothing from before."""
        for remembering in _REMEMBERING:
            remembering.cache_clear()
        machine = self._machine(0, Secp256k1Scheme())
        told = [_forgetful(event) for event in self.told]

        def run() -> int:
            for event in told:
                machine.process(event)
            return 1

        return run

    def _machine(self, number: int, scheme: Scheme) -> KeyMachine:
        account = self._people[number]
        return KeyMachine(
            CHAIN_ID,
            account.address,
            account.sign,
            keccak256(account.address),
            self._chain.schedule,
            scheme,
            initial_shares=self._chain.initial_shares[account.address],
        )

    def _tell_all(self) -> None:
        first = self._people[0].address
        final = self._chain.final(self._chain.height)
        queue: deque[tuple[bytes, Message]] = deque()
        self.told.append(final)
        for address, machine in self._machines.items():
            queue.extend((address, output) for output in _sent(machine.process(final)))
        while queue:
            sender, output = queue.popleft()
            if sender == first:
                self.sent += len(output.message)
            receivers = [output.address] if isinstance(output, SendTo) else list(self._machines)
            for receiver in receivers:
                if receiver != sender:
                    heard = Heard(output.message)
                    if receiver == first and not _is_about_blocks(output.message):
                        self.told.append(heard)
                    answers = _sent(self._machines[receiver].process(heard))
                    queue.extend((receiver, answer) for answer in answers)


def handover(*, quick: bool) -> Iterator[Figure]:
    """Compare one member's work for a hand-over and for signatures with a bare check of two pairings."""
    rounds = 3 if quick else 9
    for size in SIZES:
        ceremony = Ceremony(size)
        measured = in_turn(ceremony.replay, _pairing_checks, rounds)
        taken, _ = measured.micros()
        yield measured.figure(
            f"a hand-over among {size}, one member's time over a pairing check",
            note=f"{taken / 1e3:.0f} ms, {ceremony.sent / 1e3:.0f} kB sent",
        )
        threshold = 2 * size // 3 + 1
        polynomial = SecretPolynomial.from_seed(b"benchmark" * 4, threshold)
        measured = in_turn(partial(_signing, polynomial), _pairing_checks, rounds)
        yield measured.figure(f"a partial signature among {size}, time over a pairing check")
        measured = in_turn(partial(_combining, polynomial), _pairing_checks, rounds)
        yield measured.figure(
            f"{threshold} partial signatures combined and checked, time over a pairing check"
        )


def _signing(polynomial: SecretPolynomial) -> Callable[[], int]:
    share = polynomial.at(1)

    def run() -> int:
        for number in range(20):
            bls.sign(share, number.to_bytes(32, "big"), bls.FINALITY_DOMAIN)
        return 20

    bls._hashed.cache_clear()
    return run


def _combining(polynomial: SecretPolynomial) -> Callable[[], int]:
    message, public = b"m" * 32, polynomial.public()
    parts = [
        (place, bls.sign(polynomial.at(place), message, bls.FINALITY_DOMAIN))
        for place in range(1, public.threshold + 1)
    ]

    def run() -> int:
        for _ in range(5):
            known.is_signed.cache_clear()
            collector = Collector(public, message, bls.FINALITY_DOMAIN)
            for place, part in parts:
                collector.add(place, part)
            if not collector.signature:
                raise AssertionError("no signature came of it")
        return 5

    return run


def _pairing_checks() -> Callable[[], int]:
    base = BlstP1Element.hash_to_group(b"a point", b"benchmark")
    generator, key = bls.g2_multiple(1), bls.g2_multiple(7)
    signature = base.scalar_mul(7)

    def run() -> int:
        for _ in range(20):
            if not final_verify(miller_loop(signature, generator), miller_loop(base, key)):
                raise AssertionError("the pairings differ")
        return 20

    return run


def _sent(outputs: Iterable[KeyOutput]) -> Iterator[Message]:
    for output in outputs:
        if isinstance(output, Remember):
            yield from output.then
        else:
            yield output


def _is_about_blocks(message: bytes) -> bool:
    decoded = decode_message(message)
    return isinstance(decoded, Partial) and decoded.kind is not PartialKind.HOLDERS


def _forgetful(event: KeyInput) -> KeyInput:
    """Return an input without what others have computed from the polynomials in it."""
    if not isinstance(event, BlockFinal):
        return event
    state = event.state
    previous = state.ceremony.previous
    if previous is not None:
        fresh = PublicPolynomial.decode(previous.encode())
        state = replace(state, ceremony=replace(state.ceremony, previous=fresh))
    return replace(event, state=state)


def main() -> None:
    """Measure, and print what comes out."""
    for figure in handover(quick=True):
        print(
            f"{figure.name}: {figure.value:.1f} ({figure.low:.1f} - {figure.high:.1f}) {figure.note}".rstrip()
        )


if __name__ == "__main__":
    main()
