"""Miners, of a tiny chain and of a whole one: real nonces, and liars whom nobody believes."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from itertools import count

import pytest

from chainstack_sdk.consensus.kinds.miners import PowChain, PowParameters
from chainstack_sdk.consensus.sealed import encode_announcement
from chainstack_sdk.consensus.work import DoubleSha256, is_worked, target_of
from chainstack_sdk.core.blocks import Block
from chainstack_sdk.core.genesis import Genesis
from chainstack_sdk.network import wire
from chainstack_sdk.network.effects import Committed, Effect, Mine, Send
from chainstack_sdk.network.full_node import FullNode, full_node
from chainstack_sdk.network.hosting import local_members
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.testing import FixedClock, NullRuntime
from chainstack_sdk.testing.sim import Agreement, InvariantViolation, MiningLiar, SimNet, describe_message
from chainstack_sdk.testing.sim.audit import DELIVER, MINE

DIFFICULTY = 400
WORK = DoubleSha256()
BLOCK = 9  # bytes: the miner's number, the nonce
FALSE_NONCE = 2**63


class Miner:
    """Mines on the longest chain it knows; of two equally long ones, on the first."""

    def __init__(self, number: int) -> None:
        self.number = bytes([number])
        self.chain = b""

    def start(self) -> tuple[Effect, ...]:
        return (self._mine(),)

    def receive(self, sender: Hashable, message: bytes) -> tuple[Effect, ...]:
        if len(message) <= len(self.chain) or not is_valid(message):
            return ()
        return self._go_over(message)

    def elapsed(self, timer) -> tuple[Effect, ...]:
        return ()

    def mined(self, block_hash: bytes, nonce: int) -> tuple[Effect, ...]:
        effects = self._go_over(self.chain + self.number + nonce.to_bytes(8, "big"))
        return Send(self.chain), *effects

    def _go_over(self, chain: bytes) -> tuple[Effect, ...]:
        self.chain = chain
        return Committed(len(chain) // BLOCK, keccak256(chain), b""), self._mine()

    def _mine(self) -> Mine:
        return Mine(keccak256(self.chain + self.number), target_of(DIFFICULTY))


def false_nonce(block_hash: bytes, target: int) -> int:
    """A nonce that does not meet the target; one in 400 of those picked blindly would."""
    return next(
        nonce
        for nonce in count(FALSE_NONCE)
        if int.from_bytes(WORK.digest(block_hash, nonce), "big") > target
    )


def blocks(chain: bytes) -> Iterator[tuple[bytes, int]]:
    """What was hashed for each block, and the nonce."""
    for at in range(0, len(chain), BLOCK):
        yield keccak256(chain[: at + 1]), int.from_bytes(chain[at + 1 : at + BLOCK], "big")


def is_valid(chain: bytes) -> bool:
    return all(is_worked(block_hash, nonce, DIFFICULTY, WORK) for block_hash, nonce in blocks(chain))


def mine(liars: int, until_ms: int) -> SimNet:
    honest = {f"m{number}": lambda record, number=number: Miner(number) for number in range(3)}
    lying = {
        f"liar{number}": lambda record: MiningLiar(Miner(9), claim=false_nonce) for number in range(liars)
    }
    sim = SimNet(9, honest | lying, faulty=lying)
    sim.run(until_ms)
    return sim


def chain_of(sim: SimNet, name: str) -> bytes:
    node = sim.node(name)
    assert isinstance(node, Miner)
    return node.chain


def test_miners_find_nonces_and_follow_the_longest_chain() -> None:
    sim = mine(0, 10_000)
    assert all(is_valid(chain_of(sim, name)) for name in sim.names)
    heights = [sim.height(name) for name in sim.names]
    # three miners at 1 hash a millisecond, a difficulty of 400: about 75 blocks in ten seconds
    assert 45 < min(heights) <= max(heights) < 110
    assert max(heights) - min(heights) <= 2
    assert sim.audit.counts[MINE] >= max(heights)


def test_nobody_believes_a_liar() -> None:
    sim = mine(1, 1_000)
    assert sim.height("liar0") > 3 * sim.height("m0")
    for name in sim.honest:
        chain = chain_of(sim, name)
        assert is_valid(chain)
        assert all(nonce < FALSE_NONCE for _, nonce in blocks(chain))


def test_forks_of_work_are_no_agreement() -> None:
    """The heaviest chain alone does not promise what committees do, and the simulator sees it."""
    miners = [lambda record, number=number: Miner(number) for number in range(3)]
    sim = SimNet(9, miners, invariants=[Agreement()])
    with pytest.raises(InvariantViolation, match="height"):
        sim.run(60_000)


# Whole nodes

KIND = PowChain(parameters=PowParameters(difficulty=DIFFICULTY, window=0))
GENESIS = KIND.prepare(Genesis(chain_id=7))
MEMBERS = local_members(3)


def whole(number: int) -> FullNode:
    return full_node(KIND, GENESIS, MEMBERS[number], runtime=NullRuntime(), clock=FixedClock())


def liar(full: FullNode) -> MiningLiar:
    """A node that announces its blocks, work or no work."""

    def announce(block_hash: bytes, nonce: int) -> Iterator[bytes]:
        header = full.application.header(block_hash)
        assert header is not None
        claim = encode_announcement(header, nonce.to_bytes(8, "big"))
        yield wire.encode(wire.Kind.CANDIDATE, Block(header, ()).encode())
        yield wire.encode(wire.Kind.ENGINE, claim)

    return MiningLiar(full.node, claim=false_nonce, announce=announce)


def test_whole_nodes_do_not_believe_a_liar() -> None:
    honest = [whole(number) for number in range(2)]
    nodes = {f"m{number}": lambda record, full=full: full.node for number, full in enumerate(honest)}
    sim = SimNet(4, nodes | {"liar": lambda record: liar(whole(2))}, faulty=["liar"])
    sim.run(5_000)
    lies = [entry for entry in sim.audit.entries if entry.kind == DELIVER and entry.peer == "liar"]
    assert len([entry for entry in lies if describe_message(entry.data).startswith("announcement")]) > 10
    for full in honest:
        chain = full.blockchain
        assert chain.height > 10
        sealed = [chain.ledger.block(height) for height in range(1, chain.height + 1)]
        nonces = [int.from_bytes(block.seal, "big") for block in sealed]
        assert all(
            is_worked(block.hash, nonce, DIFFICULTY, WORK)
            for block, nonce in zip(sealed, nonces, strict=True)
        )
        assert MEMBERS[2].address not in {block.header.proposer for block in sealed}
