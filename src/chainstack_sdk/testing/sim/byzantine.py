"""Nodes that break the rules, made of nodes that keep them.

Each class here stands around a node and changes what it says, hears or finds; several may stand around one
another. Those that draw at random do so from a seed of their own.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from chainstack_sdk.network.effects import Mine, Send, SetTimer
from chainstack_sdk.testing.sim.links import PERMILLE

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from chainstack_sdk.network.effects import Effect, Node, Timer

_REMEMBERED = 256


class Middleware:
    """Stands around a node and changes nothing; to be derived from.

    Parameters
    ----------
    node
        The node inside.
    """

    def __init__(self, node: Node) -> None:
        self.node = node

    def start(self) -> tuple[Effect, ...]:
        """Begin."""
        return self._altered(self.node.start())

    def receive(self, sender: Hashable, message: bytes) -> tuple[Effect, ...]:
        """Take a message from another node."""
        return self._altered(self.node.receive(sender, message))

    def elapsed(self, timer: Timer) -> tuple[Effect, ...]:
        """Take the news that a timer has run out."""
        return self._altered(self.node.elapsed(timer))

    def mined(self, block_hash: bytes, nonce: int) -> tuple[Effect, ...]:
        """Take the nonce that was asked for."""
        return self._altered(self.node.mined(block_hash, nonce))

    def alter(self, effect: Effect) -> Iterable[Effect]:
        """Return what takes the place of an effect of the node inside."""
        return (effect,)

    def _altered(self, effects: Iterable[Effect]) -> tuple[Effect, ...]:
        return tuple(new for effect in effects for new in self.alter(effect))


class _Chancy(Middleware):
    """A middleware that does something to a share of the messages.

    Parameters
    ----------
    node
        The node inside.
    share
        How many of 1000 messages.
    seed
        Decides which.
    """

    def __init__(self, node: Node, share: int, seed: int) -> None:
        super().__init__(node)
        self._share = share
        self._rng = Random(seed)

    def _is_struck(self) -> bool:
        return self._rng.randrange(PERMILLE) < self._share


class Withhold(_Chancy):
    """Never sends a share of its messages; of 1000, silent."""

    def alter(self, effect: Effect) -> Iterable[Effect]:
        """Drop some messages."""
        return () if isinstance(effect, Send) and self._is_struck() else (effect,)


class Corrupt(_Chancy):
    """Flips a bit in a share of its messages."""

    def alter(self, effect: Effect) -> Iterable[Effect]:
        """Damage some messages."""
        if not isinstance(effect, Send) or not effect.message or not self._is_struck():
            return (effect,)
        damaged = bytearray(effect.message)
        damaged[self._rng.randrange(len(damaged))] ^= 1 << self._rng.randrange(8)
        return (Send(bytes(damaged), effect.to),)


class Replay(_Chancy):
    """After a share of its messages sends an old one again, its own or another's, to everybody."""

    def __init__(self, node: Node, share: int, seed: int) -> None:
        super().__init__(node, share, seed)
        self._heard: list[bytes] = []

    def receive(self, sender: Hashable, message: bytes) -> tuple[Effect, ...]:
        """Take a message from another node, and remember it."""
        self._remember(message)
        return super().receive(sender, message)

    def alter(self, effect: Effect) -> Iterable[Effect]:
        """Add old messages."""
        if not isinstance(effect, Send):
            return (effect,)
        self._remember(effect.message)
        return (effect, Send(self._rng.choice(self._heard))) if self._is_struck() else (effect,)

    def _remember(self, message: bytes) -> None:
        if len(self._heard) < _REMEMBERED:
            self._heard.append(message)
        else:
            self._heard[self._rng.randrange(_REMEMBERED)] = message


class Delay(Middleware):
    """Sends everything late.

    Parameters
    ----------
    node
        The node inside.
    delay_ms
        How late.
    """

    _PREFIX = "delayed message "

    def __init__(self, node: Node, delay_ms: int) -> None:
        super().__init__(node)
        self._delay_ms = delay_ms
        self._waiting: dict[str, Send] = {}
        self._sent = 0

    def elapsed(self, timer: Timer) -> tuple[Effect, ...]:
        """Send what has waited long enough, or tell the node inside of its timer."""
        if isinstance(timer, str) and timer in self._waiting:
            return (self._waiting.pop(timer),)
        return super().elapsed(timer)

    def alter(self, effect: Effect) -> Iterable[Effect]:
        """Hold messages back."""
        if not isinstance(effect, Send):
            return (effect,)
        timer = f"{self._PREFIX}{self._sent}"
        self._sent += 1
        self._waiting[timer] = effect
        return (SetTimer(timer, self._delay_ms),)


class Split(Middleware):
    """Talks to, and listens to, some nodes only, and now and then changes which.

    Two nodes with one key, each in a split of its own, are *twins*: together they are a validator that tells
    different stories to different nodes.

    Parameters
    ----------
    node
        The node inside.
    script
        The names it deals with: at first, after one phase, and so on, over and over again.
    phase_ms
        How long a phase takes.
    """

    _TIMER = "next phase of the split"

    def __init__(self, node: Node, script: Sequence[Sequence[str]], phase_ms: int) -> None:
        super().__init__(node)
        self._script = script
        self._phase_ms = phase_ms
        self._phase = 0

    def start(self) -> tuple[Effect, ...]:
        """Begin the first phase."""
        return SetTimer(self._TIMER, self._phase_ms), *super().start()

    def receive(self, sender: Hashable, message: bytes) -> tuple[Effect, ...]:
        """Take a message from a node that it deals with."""
        return super().receive(sender, message) if sender in self._partners else ()

    def elapsed(self, timer: Timer) -> tuple[Effect, ...]:
        """Begin the next phase, or tell the node inside of its timer."""
        if timer != self._TIMER:
            return super().elapsed(timer)
        self._phase = (self._phase + 1) % len(self._script)
        return (SetTimer(self._TIMER, self._phase_ms),)

    def alter(self, effect: Effect) -> Iterable[Effect]:
        """Send to the nodes that it deals with only."""
        if not isinstance(effect, Send):
            return (effect,)
        if effect.to is None:
            return tuple(Send(effect.message, name) for name in self._partners)
        return (effect,) if effect.to in self._partners else ()

    @property
    def _partners(self) -> Sequence[str]:
        return self._script[self._phase]


class MiningLiar(Middleware):
    """Claims to have found a nonce at once, without looking for one.

    Parameters
    ----------
    node
        The node inside.
    claim
        Gives the nonce for a block hash and a target; it should not meet it.
    announce
        Gives the messages that tell everybody of a nonce for a block hash, for nodes inside that check
        what they are told and say nothing of a nonce that is false. By default none.
    """

    _TIMER = "claim a nonce"

    def __init__(
        self,
        node: Node,
        claim: Callable[[bytes, int], int],
        announce: Callable[[bytes, int], Iterable[bytes]] = lambda block_hash, nonce: (),
    ) -> None:
        super().__init__(node)
        self._claim = claim
        self._announce = announce
        self._wanted: Mine | None = None

    def elapsed(self, timer: Timer) -> tuple[Effect, ...]:
        """Claim a nonce, or tell the node inside of its timer."""
        if timer != self._TIMER or self._wanted is None:
            return super().elapsed(timer)
        wanted, self._wanted = self._wanted, None
        nonce = self._claim(wanted.block_hash, wanted.target)
        told = self._announce(wanted.block_hash, nonce)
        return *map(Send, told), *self.mined(wanted.block_hash, nonce)

    def alter(self, effect: Effect) -> Iterable[Effect]:
        """Look for nothing."""
        if not isinstance(effect, Mine):
            return (effect,)
        self._wanted = effect
        return (SetTimer(self._TIMER, 1),)


if TYPE_CHECKING:
    _check: type[Node] = Middleware
