"""Agreement: decisions of whole committees in one process, with and without signatures."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.measure import in_turn
from chainstack_sdk.consensus.bft import BftCore, FixedMembership, Secp256k1Scheme, Validator, ValidatorSet
from chainstack_sdk.core.engine import (
    BlockCommitted,
    BlockProposed,
    Broadcast,
    Decide,
    MessageReceived,
    Persist,
    Sign,
    Signed,
)
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.keys import recover
from chainstack_sdk.testing import accounts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from benchmarks.measure import Figure
    from chainstack_sdk import Account
    from chainstack_sdk.consensus.bft import Scheme
    from chainstack_sdk.core.engine import EngineInput, EngineOutput

CHAIN_ID = 31337
SIZES = (4, 22)


class Trusting:
    """A scheme in which a signature is the signer's address: what is left is the engine itself."""

    def signer(self, digest: bytes, signature: bytes) -> bytes:
        """Return the address in the signature."""
        return signature[:20]

    def signers(self, requests: Iterable[tuple[bytes, bytes]]) -> list[bytes | None]:
        """Return the address in each signature."""
        return [signature[:20] for _, signature in requests]


class Committee:
    """Members that hear each other at once."""

    def __init__(
        self,
        members: Sequence[Account],
        schemes: Sequence[Scheme],
        sign: Callable[[Account, bytes], bytes],
    ) -> None:
        membership = FixedMembership(ValidatorSet(Validator(member.address, 1) for member in members))
        self.height = 1
        self._members = members
        self._sign = sign
        self._decided = 0
        self._queue: deque[tuple[int, EngineInput]] = deque()
        self._cores = [
            BftCore(CHAIN_ID, membership, address=member.address, height=1, scheme=scheme)
            for member, scheme in zip(members, schemes, strict=True)
        ]

    def decide(self) -> None:
        """Decide on one block, every member, and go to the next height."""
        block_hash = keccak256(self.height.to_bytes(8, "big"))
        everybody = range(len(self._cores))
        self._decided = 0
        self._tell_all(BlockProposed(self.height, block_hash))
        while self._queue:
            number, event = self._queue.popleft()
            for output in self._cores[number].process(event):
                self._carry_out(number, output)
        if self._decided != len(everybody):
            raise AssertionError("a member did not decide")
        for core in self._cores:
            core.process(BlockCommitted(self.height, block_hash))
        self.height += 1

    def _tell_all(self, event: EngineInput) -> None:
        self._queue.extend((number, event) for number in range(len(self._cores)))

    def _carry_out(self, number: int, output: EngineOutput) -> None:
        match output:
            case Broadcast(message):
                event = MessageReceived(message)
                self._queue.extend((other, event) for other in range(len(self._cores)) if other != number)
            case Persist(_, then):
                for following in then:
                    self._carry_out(number, following)
            case Sign(payload):
                self._queue.append((number, Signed(payload, self._sign(self._members[number], payload))))
            case Decide():
                self._decided += 1


def agreement(*, quick: bool) -> Iterator[Figure]:
    """Compare decisions with the signatures that they take, and with none at all."""
    for size in SIZES:
        members = accounts(size)
        decisions = max(2, (40 if quick else 160) // size)
        pure = partial(_deciding, members, Trusting, _trust, decisions)
        signed = partial(_deciding, members, Secp256k1Scheme, _signed, decisions)
        bare = partial(_bare_signatures, members, decisions)
        rounds = in_turn(signed, bare, 3 if quick else 9)
        with_signatures, limit = rounds.micros()
        yield rounds.figure(
            f"a decision of {size} with signatures, time over the bare signatures",
            note=f"{1e6 / with_signatures:.0f} decisions/s, {1e6 / limit:.0f} at the limit",
        )
        rounds = in_turn(pure, bare, 3 if quick else 9)
        without, _ = rounds.micros()
        yield rounds.figure(
            f"a decision of {size} without signatures, time over the bare signatures",
            note=f"{1e6 / without:.0f} decisions/s of the engines alone",
        )


def _deciding(
    members: Sequence[Account],
    scheme: Callable[[], Scheme],
    sign: Callable[[Account, bytes], bytes],
    decisions: int,
) -> Callable[[], int]:
    committee = Committee(members, [scheme() for _ in members], sign)
    committee.decide()

    def run() -> int:
        for _ in range(decisions):
            committee.decide()
        return decisions

    return run


def _bare_signatures(members: Sequence[Account], decisions: int) -> Callable[[], int]:
    """Prepare what a decision takes at least: everybody checks everybody's votes and one proposal."""
    digest = keccak256(b"a vote")
    signature = members[0].sign(digest)
    count = len(members)
    signs, checks = 2 * count + 1, 2 * count * count + count

    def run() -> int:
        for _ in range(decisions):
            for _ in range(signs):
                members[0].sign(digest)
            for _ in range(checks):
                recover(digest, signature)
        return decisions

    return run


def _trust(member: Account, payload: bytes) -> bytes:
    return member.address + bytes(45)


def _signed(member: Account, payload: bytes) -> bytes:
    return member.sign(keccak256(payload))
