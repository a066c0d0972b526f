"""Members that do wrong in ceremonies, each in one way; :class:`Several` joins ways.

A faulty node runs the real machine, and its fault changes what comes out: what it cannot take from the
machine, such as another polynomial, it makes itself with the node's account and shares.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.chainkey.admission import takes_logs
from chainstack_sdk.consensus.chainkey.dealing import close_log, deal, shares_for
from chainstack_sdk.consensus.chainkey.effects import SendTo
from chainstack_sdk.consensus.chainkey.log import Ack, DealerLog, Result, Reveal, ack_digest, log_digest
from chainstack_sdk.consensus.chainkey.messages import (
    Accept,
    Announce,
    Deal,
    Partial,
    PostedLog,
    decode_message,
)
from chainstack_sdk.consensus.chainkey.payload import NO_PAYLOAD, KeyPayload
from chainstack_sdk.consensus.chainkey.polynomial import SecretPolynomial
from chainstack_sdk.core.engine import Broadcast
from chainstack_sdk.primitives.bls import ORDER
from chainstack_sdk.primitives.envelope import seal
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.testing.sim.keys import CHAIN_ID

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from random import Random

    from chainstack_sdk.consensus.chainkey.ceremony import Ceremony
    from chainstack_sdk.consensus.chainkey.effects import Message
    from chainstack_sdk.consensus.chainkey.messages import KeyMessage
    from chainstack_sdk.consensus.chainkey.polynomial import PublicPolynomial
    from chainstack_sdk.testing.sim.keys import KeyNode, KeySim

Dealing = tuple[SecretPolynomial, "PublicPolynomial", bytes]


class KeyFault:
    """Does what an honest member does; ways of being faulty change one thing."""

    def instead_of(self, sim: KeySim, node: KeyNode, output: Message) -> Iterable[Message]:
        """Return what is sent in place of a message."""
        return (output,)

    def on_block(self, sim: KeySim, node: KeyNode) -> Iterable[Message]:
        """Return what is sent besides, once the node has a new block."""
        return ()

    def on_message(self, sim: KeySim, node: KeyNode, message: bytes) -> None:
        """Take note of a message that the node got."""

    def payload(self, sim: KeySim, node: KeyNode) -> KeyPayload:
        """Return what the node's next block brings."""
        return NO_PAYLOAD if node.machine is None else node.machine.payload(sim.chain.height + 1)


class Several(KeyFault):
    """Does wrong in several ways.

    Parameters
    ----------
    faults
        What one sends goes through the next; the payload is the last one's.
    """

    def __init__(self, *faults: KeyFault) -> None:
        self._faults = faults

    def instead_of(self, sim: KeySim, node: KeyNode, output: Message) -> Iterable[Message]:
        """Send a message through all."""
        messages: list[Message] = [output]
        for fault in self._faults:
            messages = [sent for message in messages for sent in fault.instead_of(sim, node, message)]
        return messages

    def on_block(self, sim: KeySim, node: KeyNode) -> Iterable[Message]:
        """Return what any of them sends."""
        return [message for fault in self._faults for message in fault.on_block(sim, node)]

    def on_message(self, sim: KeySim, node: KeyNode, message: bytes) -> None:
        """Let all take note."""
        for fault in self._faults:
            fault.on_message(sim, node, message)

    def payload(self, sim: KeySim, node: KeyNode) -> KeyPayload:
        """Return what the last one brings."""
        return self._faults[-1].payload(sim, node)


class Withholds(KeyFault):
    """Never sends messages of some types.

    Parameters
    ----------
    kinds
        Types of messages.
    """

    def __init__(self, *kinds: type[KeyMessage]) -> None:
        self._kinds = kinds

    def instead_of(self, sim: KeySim, node: KeyNode, output: Message) -> Iterable[Message]:
        """Send nothing in place of such messages."""
        return () if isinstance(decode_message(output.message), self._kinds) else (output,)


class Barren(KeyFault):
    """Builds blocks without payloads."""

    def payload(self, sim: KeySim, node: KeyNode) -> KeyPayload:
        """Return nothing."""
        return NO_PAYLOAD


class Spoiler(KeyFault):
    """Builds blocks with payloads that do not count."""

    def payload(self, sim: KeySim, node: KeyNode) -> KeyPayload:
        """Return junk of one kind or another."""
        junk = sim.rng.randbytes(48)
        return sim.rng.choice((KeyPayload(logs=(junk,)), KeyPayload(attestation=junk), KeyPayload(link=junk)))


class Babbles(KeyFault):
    """Sends junk, damaged messages, and messages of long ago."""

    def __init__(self) -> None:
        self._heard: list[bytes] = []

    def on_message(self, sim: KeySim, node: KeyNode, message: bytes) -> None:
        """Keep some of what is heard."""
        if sim.rng.random() < 0.2:
            self._heard.append(message)

    def on_block(self, sim: KeySim, node: KeyNode) -> Iterable[Message]:
        """Send some."""
        rng = sim.rng
        sent = [rng.randbytes(rng.randint(0, 200)), bytes((rng.randint(1, 6), 1)) + rng.randbytes(140)]
        if self._heard:
            sent.append(rng.choice(self._heard))
            sent.append(_damaged(rng.choice(self._heard), rng))
        return [Broadcast(message) for message in sent]


class BadPartials(KeyFault):
    """Signs with something else than its shares."""

    def instead_of(self, sim: KeySim, node: KeyNode, output: Message) -> Iterable[Message]:
        """Damage partial signatures, in one way or another."""
        message = decode_message(output.message)
        if not isinstance(message, Partial):
            return (output,)
        parts = tuple((place, _other_part(part, sim.rng)) for place, part in message.parts)
        wrong = replace(message, parts=parts)
        return (
            Broadcast(replace(wrong, signature=node.account.sign(wrong.signed_digest(CHAIN_ID))).encode()),
        )


class Forger(KeyFault):
    """Deals by itself, another polynomial than its machine: what the ways below are made of.

    Parameters
    ----------
    seed
        Of its polynomials, 32 bytes.
    """

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._keys: dict[tuple[bytes, int], bytes] = {}

    def on_message(self, sim: KeySim, node: KeyNode, message: bytes) -> None:
        """Remember keys of players."""
        announced, ceremony = _decoded(message), _ceremony(sim, node)
        if isinstance(announced, Announce) and announced.ceremony == ceremony.hash:
            digest = Announce.digest(announced.ceremony, announced.key)
            signer = sim.chain.scheme.signer(digest, announced.signature)
            index = None if signer is None else ceremony.players.index_of(signer)
            if index is not None:
                self._keys[ceremony.hash, index] = announced.key

    def dealing(self, ceremony: Ceremony, place: int, share: int | None) -> Dealing:
        """Return an own dealing of a place."""
        return deal(ceremony, place, self._seed, share)

    def dealings(self, sim: KeySim, node: KeyNode) -> dict[int, Dealing]:
        """Return the own dealings, by place, of the places that the node has a share of, or all."""
        ceremony = _ceremony(sim, node)
        index = ceremony.dealers.index_of(node.account.address)
        places = () if index is None else ceremony.dealer_seats.places(index)
        if ceremony.previous is None:
            return {place: self.dealing(ceremony, place, None) for place in places}
        held = {} if node.machine is None else node.machine.shares(ceremony.previous)
        return {place: self.dealing(ceremony, place, held[place]) for place in places if place in held}

    def own_deal(self, sim: KeySim, node: KeyNode, honest: Deal) -> Iterable[Message]:
        """Return the own dealing in place of an honest one, to the same player."""
        polynomial, commitments, _ = self.dealings(sim, node)[honest.place]
        shares = shares_for(_ceremony(sim, node), polynomial, honest.player)
        return self.deal(sim, node, honest, commitments.encode(), shares)

    def deal(
        self, sim: KeySim, node: KeyNode, honest: Deal, commitments: bytes, shares: Iterable[int]
    ) -> Iterable[Message]:
        """Return another dealing in place of an honest one, to the same player."""
        ceremony = _ceremony(sim, node)
        key = self._keys.get((ceremony.hash, honest.player))
        if key is None or honest.ceremony != ceremony.hash:
            return ()
        content = b"".join(share.to_bytes(32, "big") for share in shares)
        context = Deal.context(ceremony.hash, honest.place, honest.player)
        sealed = seal(key, content, context, self._seed)
        digest = Deal.digest(ceremony.hash, honest.place, honest.player, commitments, sealed)
        signature = node.account.sign(digest)
        message = Deal(ceremony.hash, honest.place, honest.player, commitments, sealed, signature)
        return (SendTo(ceremony.players.members[honest.player].address, message.encode()),)


class WrongShares(Forger):
    """Deals shares that are not on the polynomial, to some or to all."""

    def instead_of(self, sim: KeySim, node: KeyNode, output: Message) -> Iterable[Message]:
        """Replace the shares in dealings."""
        message = decode_message(output.message)
        if not isinstance(message, Deal):
            return (output,)
        count = _ceremony(sim, node).player_seats.counts[message.player]
        wrong = [sim.rng.choice((0, 1, ORDER - 1, ORDER, 2**256 - 1)) for _ in range(count)]
        return self.deal(sim, node, message, message.commitments, wrong)


class WrongCiphertext(Forger):
    """Deals in envelopes that nobody can open."""

    def instead_of(self, sim: KeySim, node: KeyNode, output: Message) -> Iterable[Message]:
        """Damage envelopes, and sign again."""
        message = decode_message(output.message)
        if not isinstance(message, Deal) or not isinstance(output, SendTo):
            return (output,)
        sealed = bytes((message.sealed[0] ^ 1,)) + message.sealed[1:]
        digest = Deal.digest(message.ceremony, message.place, message.player, message.commitments, sealed)
        wrong = replace(message, sealed=sealed, signature=node.account.sign(digest))
        return (SendTo(output.address, wrong.encode()),)


class TwoDealings(Forger):
    """Deals one polynomial to the first players, and logs another: theirs it makes public, truly."""

    def instead_of(self, sim: KeySim, node: KeyNode, output: Message) -> Iterable[Message]:
        """Deal the other polynomial to as many as a log may reveal."""
        message = decode_message(output.message)
        if not isinstance(message, Deal):
            return (output,)
        ceremony = _ceremony(sim, node)
        own = ceremony.players.index_of(node.account.address)
        counts = enumerate(ceremony.player_seats.counts[: message.player + 1])
        victims = sum(count for index, count in counts if index != own)
        return (output,) if victims > ceremony.reveal_limit else self.own_deal(sim, node, message)


class PostsItself(Forger):
    """Posts logs that it makes by itself, which do not count; it brings them in its own blocks, too."""

    def results(self, ceremony: Ceremony, polynomial: SecretPolynomial) -> tuple[Result, ...]:
        """Return what the logs say of the players: everybody's shares."""
        return tuple(Reveal(shares_for(ceremony, polynomial, at)) for at in range(len(ceremony.players)))

    def on_block(self, sim: KeySim, node: KeyNode) -> Iterable[Message]:
        """Post the logs, at the time for logs."""
        name = _ceremony(sim, node).hash
        return [Broadcast(PostedLog(name, log).encode()) for log in self._logs(sim, node)]

    def payload(self, sim: KeySim, node: KeyNode) -> KeyPayload:
        """Return the logs."""
        return KeyPayload(logs=tuple(self._logs(sim, node)))

    def _logs(self, sim: KeySim, node: KeyNode) -> Iterator[bytes]:
        ceremony = _ceremony(sim, node)
        if takes_logs(sim.chain.schedule, sim.chain.height + 1):
            for place, (polynomial, commitments, possession) in self.dealings(sim, node).items():
                results = self.results(ceremony, polynomial)
                yield _signed_log(sim, node, DealerLog(place, commitments, possession, results, b""))


class RevealsAll(PostsItself):
    """Makes all shares public."""


class WrongSecret(PostsItself):
    """Deals something else than its share, which would change the key, and posts logs of that."""

    def dealing(self, ceremony: Ceremony, place: int, share: int | None) -> Dealing:
        """Return a dealing of another secret."""
        polynomial = SecretPolynomial.from_seed(self._seed, ceremony.threshold)
        return polynomial, polynomial.public(), b""

    def results(self, ceremony: Ceremony, polynomial: SecretPolynomial) -> tuple[Result, ...]:
        """Return as many shares as may be made public."""
        revealed = super().results(ceremony, polynomial)
        limit = ceremony.reveal_limit
        return tuple(one if at < limit else Ack(bytes(65)) for at, one in enumerate(revealed))

    def instead_of(self, sim: KeySim, node: KeyNode, output: Message) -> Iterable[Message]:
        """Replace dealings."""
        message = decode_message(output.message)
        return self.own_deal(sim, node, message) if isinstance(message, Deal) else (output,)


class ForgesAcks(Forger):
    """Posts logs with acknowledgements that are not the players'."""

    def instead_of(self, sim: KeySim, node: KeyNode, output: Message) -> Iterable[Message]:
        """Replace the acknowledgements in logs."""
        message = decode_message(output.message)
        if not isinstance(message, PostedLog):
            return (output,)
        log = DealerLog.decode(message.log)
        forged = tuple(Ack(node.account.sign(keccak256(log.signature))) for _ in log.results)
        wrong = _signed_log(sim, node, replace(log, results=forged))
        return (Broadcast(PostedLog(message.ceremony, wrong).encode()),)


class TwoLogs(Forger):
    """Deals well, and posts two valid logs: to some one that reveals somebody who has acknowledged."""

    def __init__(self, seed: bytes) -> None:
        super().__init__(seed)
        self._heard: dict[tuple[bytes, int], list[bytes]] = {}

    def on_message(self, sim: KeySim, node: KeyNode, message: bytes) -> None:
        """Collect acknowledgements."""
        super().on_message(sim, node, message)
        accept = _decoded(message)
        if isinstance(accept, Accept):
            self._heard.setdefault((accept.ceremony, accept.place), []).append(accept.signature)

    def acks(self, sim: KeySim, ceremony: Ceremony, place: int, commitments: bytes) -> dict[int, bytes]:
        """Return the acknowledgements of a dealing that were heard, by the player's index."""
        digest = ack_digest(ceremony, place, commitments)
        heard = self._heard.get((ceremony.hash, place), [])
        signers = [sim.chain.scheme.signer(digest, signature) or b"" for signature in heard]
        indices = map(ceremony.players.index_of, signers)
        return {index: one for index, one in zip(indices, heard, strict=True) if index is not None}

    def instead_of(self, sim: KeySim, node: KeyNode, output: Message) -> Iterable[Message]:
        """Deal the own polynomial to all, whereupon the machine has nothing to log."""
        message = decode_message(output.message)
        return self.own_deal(sim, node, message) if isinstance(message, Deal) else (output,)

    def on_block(self, sim: KeySim, node: KeyNode) -> Iterable[Message]:
        """Post one log to half of the nodes and one to the others."""
        if not takes_logs(sim.chain.schedule, sim.chain.height + 1):
            return
        ceremony = _ceremony(sim, node)
        for place, dealing in self.dealings(sim, node).items():
            acks = self.acks(sim, ceremony, place, dealing[1].encode())
            fewer = {index: signature for index, signature in acks.items() if index != min(acks)}
            logs = [close_log(ceremony, place, dealing, some, node.account.sign) for some in (acks, fewer)]
            for receiver in sim.nodes:
                log = logs[receiver.number % 2]
                if log is not None:
                    posted = PostedLog(ceremony.hash, log.encode()).encode()
                    yield SendTo(receiver.account.address, posted)


def silent_dealer() -> KeyFault:
    """Return a fault: neither deals nor posts logs."""
    return Withholds(Deal, PostedLog)


def mute() -> KeyFault:
    """Return a fault: says nothing about keys at all, and builds empty blocks."""
    return Several(Withholds(Announce, Deal, Accept, PostedLog, Partial), Barren())


def ways(seed: bytes) -> dict[str, KeyFault]:
    """Return one of each way of being faulty, by name.

    Parameters
    ----------
    seed
        Of what they make themselves, 32 bytes.
    """
    return {
        "deals nothing": silent_dealer(),
        "is mute": mute(),
        "acknowledges nothing": Withholds(Accept),
        "signs nothing": Withholds(Partial),
        "deals wrong shares": WrongShares(seed),
        "seals wrongly": WrongCiphertext(seed),
        "deals two polynomials": TwoDealings(seed),
        "deals another secret": WrongSecret(seed),
        "reveals all": RevealsAll(seed),
        "forges acknowledgements": ForgesAcks(seed),
        "posts two logs": TwoLogs(seed),
        "builds empty blocks": Barren(),
        "builds wrong blocks": Spoiler(),
        "babbles": Babbles(),
        "signs wrongly": BadPartials(),
    }


def drawn_fault(rng: Random) -> KeyFault:
    """Return two ways of being faulty, joined."""
    all_ways = ways(rng.randbytes(32))
    return Several(*(all_ways[name] for name in rng.sample(list(all_ways), 2)))


def _ceremony(sim: KeySim, node: KeyNode) -> Ceremony:
    return sim.chain.states[node.height].ceremony


def _decoded(message: bytes) -> KeyMessage | None:
    try:
        return decode_message(message)
    except InvalidInput:
        return None


def _signed_log(sim: KeySim, node: KeyNode, log: DealerLog) -> bytes:
    digest = log_digest(_ceremony(sim, node), log.place, log.commitments, log.possession, log.results)
    return replace(log, signature=node.account.sign(digest)).encode()


def _other_part(part: bytes, rng: Random) -> bytes:
    junk: tuple[bytes, ...] = (rng.randbytes(48), bytes((part[0] ^ 0x20,)) + part[1:], bytes(48))
    return rng.choice(junk)


def _damaged(message: bytes, rng: Random) -> bytes:
    at = rng.randrange(len(message))
    return message[:at] + bytes((message[at] ^ rng.randint(1, 255),)) + message[at + 1 :]
