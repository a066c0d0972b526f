"""Validators that tell one half of the others one story, and another one to the rest."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft.messages import (
    NIL,
    Proposal,
    SignedProposal,
    SignedVote,
    Vote,
    decode_message,
)
from chainstack_sdk.network import wire
from chainstack_sdk.network.effects import Send
from chainstack_sdk.network.wire import Kind
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.testing.sim.byzantine import Middleware

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Sequence

    from chainstack_sdk.consensus.bft.messages import SignedMessage
    from chainstack_sdk.network.effects import Effect, Node
    from chainstack_sdk.primitives.keys import Signer


class Conspiracy:
    """What equivocators have agreed on: who hears which story, and which block stands for which.

    Parameters
    ----------
    trusted
        Names of the nodes that hear the true story: what the nodes inside say. The conspirators should be
        among them. All others hear the false one.
    change
        Makes the body of the false story's block of a true one.
    hash_of
        Returns the hash of a block from its body; keccak-256 by default.
    """

    def __init__(
        self,
        trusted: Collection[str],
        change: Callable[[bytes], bytes],
        hash_of: Callable[[bytes], bytes] = keccak256,
    ) -> None:
        self._trusted = frozenset(trusted)
        self._change = change
        self._hash_of = hash_of
        self._false: dict[bytes, bytes] = {}
        self._bodies: dict[bytes, bytes] = {}

    def hears_truth(self, name: Hashable) -> bool:
        """Tell which story a node hears."""
        return name in self._trusted

    def falsify(self, body: bytes) -> bytes:
        """Return the body of the block that stands for one of a conspirator's."""
        changed = self._change(body)
        self._false[self._hash_of(body)] = self._hash_of(changed)
        self._bodies[self._hash_of(changed)] = changed
        return changed

    def false_hash(self, block_hash: bytes) -> bytes | None:
        """Return the hash of the block that stands for one, or None when nothing has been agreed on."""
        return self._false.get(block_hash)

    def false_body(self, block_hash: bytes) -> bytes | None:
        """Return a block of the false story."""
        return self._bodies.get(block_hash)


class Fickle(Conspiracy):
    """A conspiracy in which chance decides, message by message, who hears which story.

    Parameters
    ----------
    change, hash_of
        As for :class:`Conspiracy`.
    seed
        What chance follows from.
    """

    def __init__(
        self, change: Callable[[bytes], bytes], seed: int, hash_of: Callable[[bytes], bytes] = keccak256
    ) -> None:
        super().__init__((), change, hash_of)
        self._rng = Random(seed)

    def hears_truth(self, name: Hashable) -> bool:
        """Draw which story a node hears this time."""
        return self._rng.randrange(2) == 0


class Equivocate(Middleware):
    """Signs what its node says, and signs the opposite for others.

    In the false story its own blocks are other blocks, and so are its votes for them; where others propose,
    it votes for nothing.

    Parameters
    ----------
    node
        The node inside.
    signer
        Its key.
    chain_id
        The chain that signatures are for.
    conspiracy
        Shared by all equivocators of a run.
    everybody
        The names of all other nodes.
    """

    def __init__(
        self, node: Node, signer: Signer, chain_id: int, conspiracy: Conspiracy, everybody: Sequence[str]
    ) -> None:
        super().__init__(node)
        self._signer = signer
        self._chain_id = chain_id
        self._conspiracy = conspiracy
        self._everybody = everybody

    def receive(self, sender: Hashable, message: bytes) -> tuple[Effect, ...]:
        """Hand out blocks of the false story; everything else is for the node inside."""
        if message[:1] == bytes([Kind.FETCH]):
            body = self._conspiracy.false_body(message[1:])
            if body is not None:
                return (Send(wire.encode(Kind.CANDIDATE, body), sender),)
        return super().receive(sender, message)

    def alter(self, effect: Effect) -> Iterable[Effect]:
        """Tell each receiver the story meant for it."""
        if not isinstance(effect, Send):
            return (effect,)
        false = self._falsify(effect)
        if false is None:
            return (effect,)
        receivers = self._everybody if effect.to is None else (effect.to,)
        hears_truth = self._conspiracy.hears_truth
        return tuple(Send(effect.message if hears_truth(name) else false, name) for name in receivers)

    def _falsify(self, effect: Send) -> bytes | None:
        """Return what takes the place of a message in the false story, None when it is the same."""
        kind, rest = wire.decode(effect.message)
        if kind is Kind.CANDIDATE and effect.to is None:
            return wire.encode(kind, self._conspiracy.falsify(rest))
        if kind is not Kind.ENGINE:
            return None
        signed = decode_message(rest)
        if signed.validator != self._signer.address:
            return None
        other = self._contradict(signed)
        return None if other is None else wire.encode(kind, other.encode())

    def _contradict(self, signed: SignedMessage) -> SignedMessage | None:
        if isinstance(signed, SignedVote):
            vote = signed.vote
            block_hash = self._conspiracy.false_hash(vote.block_hash) or NIL
            if block_hash == vote.block_hash:
                return None
            other = Vote(vote.kind, vote.height, vote.round, block_hash)
            signature = self._signer.sign(other.digest(self._chain_id))
            return SignedVote(other, signed.validator, signature)
        told = signed.proposal
        false = self._conspiracy.false_hash(told.block_hash)
        if false is None:
            return None
        proposal = Proposal(told.height, told.round, false, told.valid_round, told.extra)
        signature = self._signer.sign(proposal.digest(self._chain_id))
        return SignedProposal(proposal, signed.validator, signature)
