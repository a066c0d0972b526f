"""Several chains, users who send things between them, and relayers who are no good.

::

    world = chaos(seed=7)        # raises MultiChainViolation when anything goes wrong
    world.sites, world.told

One run is a time of trouble and a time of healing. In the first, chains stop and go on again, one that is
mined changes its branch, governors pause each other's chains, relayers crash, lose, repeat, delay and damage
what they carry, others lie, and users pay tills and peg assets with all kinds of time-outs. In the second
all chains run, and new relayers carry on from what the chains say. After every tick, that is a block on each
chain that runs, it is checked that

- nothing arrives or ends twice, and nothing that came back has arrived;
- what the tills hold and what is under way between them is what they began with;
- what is pegged is represented or under way (:func:`~chainstack_sdk.testing.peg.check_conservation`);

and after healing, that every packet has come to an end. All follows from the seed. Not for production.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from chainstack_sdk.testing.sim.multichain_checks import (
    MultiChainViolation as MultiChainViolation,
)
from chainstack_sdk.testing.sim.multichain_checks import (
    check_books,
    check_ends,
    under_way,
)
from chainstack_sdk.testing.sim.multichain_liars import BadPort, Crashed, Liar
from chainstack_sdk.testing.sim.multichain_sites import ACCOUNTS, DEEPEST, ENGINES, KEYED, Site, link_sites
from chainstack_sdk.testing.sim.multichain_users import Users
from chainstack_sdk.testing.xchain import GOVERNOR
from chainstack_sdk.xchain.addresses import HUB_ADDRESS
from chainstack_sdk.xchain.facade_port import FacadePort
from chainstack_sdk.xchain.hub.contract import Hub
from chainstack_sdk.xchain.progress import Progress
from chainstack_sdk.xchain.relayer import Relayer

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Sequence

    from chainstack_sdk.core.interfaces import Contract

TICKS, HEALING = 30, 80
_PEG_CHECKS = 8
_SETTLING = 3
_MS, _HEALING_MS = 1_000, 5_000
_PAUSE = Hub.abi_function("pauseChain")


class MultiChain:
    """Chains, users, relayers and their faults.

    Parameters
    ----------
    seed
        All that happens follows from it.
    engines
        Of the chains, whose ids count from 1; see :class:`~.multichain_sites.Site`.
    hub
        The contract of every hub, for one with a fault; by default the library's.
    """

    def __init__(self, seed: int, engines: Sequence[str], hub: Contract | None = None) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.sites = [Site(number, engine, hub) for number, engine in enumerate(engines, 1)]
        link_sites(self.sites)
        self.now_ms = max(site.chain.head.timestamp_ms for site in self.sites)
        """The time of all clocks, Unix time in milliseconds."""
        self.users = Users(self.sites, self.random)
        self.progress = Progress()
        """What all relayers that are no more have done."""
        self.told: Counter[str] = self.users.told
        """What has happened, and how often."""
        self._pairs = [
            (one, other) for one in self.sites for other in self.sites if one.chain_id < other.chain_id
        ]
        self._workers = [
            (pair, self._bad_relayer(pair, number)) for number, pair in enumerate(self._pairs * 2)
        ]
        self.liar = Liar(self.sites, ACCOUNTS[-1], self.random)
        """Forges, once in two ticks."""
        self._ticks = 0
        self._ends: list[tuple[int, Callable[[], object]]] = []
        """What ends a fault, and after which tick."""

    def trouble(self, ticks: int = TICKS) -> None:
        """Let everything go wrong for a while."""
        for _ in range(ticks):
            self._fault()
            self.users.act(self.now_ms)
            for number in range(len(self._workers)):
                if self.random.randrange(3):
                    self._work(number)
            if self.random.randrange(2):
                self.liar.step()
            self._tick()
        self.told["lies"] = self.liar.lies

    def heal(self, limit: int = HEALING) -> None:
        """Let everything run, until all is settled, and check that it is."""
        start = self._ticks
        for _, end in self._ends:
            end()
        for _, relayer in self._workers:
            self.progress.add(relayer.progress)
        relayers = [
            Relayer(*(FacadePort(site.chain, ACCOUNTS[number]) for site in pair))
            for number, pair in enumerate(self._pairs)
        ]
        for _ in range(limit):
            for relayer in relayers:
                relayer.step()
            self._tick(_HEALING_MS)
            if self._ticks > start + _SETTLING and not under_way(self.sites):
                break
        for relayer in relayers:
            self.progress.add(relayer.progress)
        check_books(self.sites, f"seed {self.seed}, in the end", pegs=True)
        check_ends(self.sites, f"seed {self.seed}, in the end")

    def _tick(self, ms: int = _MS) -> None:
        self._ticks += 1
        self.now_ms += ms
        for site in self.sites:
            site.seal(self.now_ms)
        told = f"seed {self.seed}, tick {self._ticks}"
        check_books(self.sites, told, pegs=not self._ticks % _PEG_CHECKS)

    def _work(self, number: int) -> None:
        pair, relayer = self._workers[number]
        try:
            relayer.step()
        except Crashed:
            self.told["crashes"] += 1
            self.progress.add(relayer.progress)
            self._workers[number] = pair, self._bad_relayer(pair, number)

    def _bad_relayer(self, pair: tuple[Site, Site], number: int) -> Relayer:
        trouble = self.random.choice((0, 50, 300))
        account = ACCOUNTS[number % len(ACCOUNTS)]
        while True:
            try:
                ports = [BadPort(site, account, self.random, trouble) for site in pair]
                return Relayer(*ports, blocks_per_step=10, packets_per_step=20, patience=4)
            except Crashed:
                self.told["crashes"] += 1

    def _fault(self) -> None:
        due = [end for tick, end in self._ends if tick <= self._ticks]
        self._ends = [(tick, end) for tick, end in self._ends if tick > self._ticks]
        for end in due:
            end()
        site, other = self.random.sample(self.sites, 2)
        match self.random.randrange(8):
            case 0 if not site.halted:
                site.halted = True
                self.told["halts"] += 1
                self._end_later(lambda: setattr(site, "halted", False))
            case 1:
                site.send(GOVERNOR, HUB_ADDRESS, _PAUSE.encode_call(other.chain_id, True))
                self.told["pauses"] += 1
                unpause = _PAUSE.encode_call(other.chain_id, False)
                self._end_later(lambda: site.send(GOVERNOR, HUB_ADDRESS, unpause))
            case 2 | 3 | 4:
                self._fork(self.random.randrange(1, DEEPEST + 1))

    def _end_later(self, end: Callable[[], object]) -> None:
        self._ends.append((self._ticks + self.random.randrange(2, 10), end))

    def _fork(self, depth: int) -> None:
        for site in self.sites:
            if not site.halted and site.can_fork(depth):
                site.fork(depth, self.random)
                self.told["forks"] += 1
                self.told["replaced blocks"] += depth
                check_books(self.sites, f"seed {self.seed}, tick {self._ticks}, reorganised", pegs=False)


def chaos(seed: int, *, ticks: int = TICKS, hub: Contract | None = None) -> MultiChain:
    """Run three chains through trouble and healing, and return them.

    Two are of one party, and one has an engine that the seed chooses; in every tenth run it has a chain key.

    Raises
    ------
    MultiChainViolation
        When something happened that must not.
    """
    engine = ENGINES[seed % len(ENGINES)]
    if seed % 10 == 9:
        engine = KEYED[seed // 10 % len(KEYED)]
    world = MultiChain(seed, ("instant", engine, "instant"), hub)
    world.trouble(ticks)
    world.heal()
    return world
