"""Which chains of a system know each other, and the relayers that serve them.

Two chains are *linked* when each one's hub has an anchor of the other, and their pegs a channel. A relayer of
the system's own then carries between them; others may do the same work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.clock import ManualClock
from chainstack_sdk.core.merkle import EMPTY_BINARY_ROOT
from chainstack_sdk.paradigms.instance import Instance
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.xchain.addresses import HUB_ADDRESS
from chainstack_sdk.xchain.facade_port import FacadePort
from chainstack_sdk.xchain.hub.contract import Hub
from chainstack_sdk.xchain.peg.handle import PegApi
from chainstack_sdk.xchain.progress import Progress
from chainstack_sdk.xchain.registry.handle import ChainRegistryApi
from chainstack_sdk.xchain.relayer import Relayer

if TYPE_CHECKING:
    from chainstack_sdk.chain import Chain
    from chainstack_sdk.primitives.keys import Signer

DEFAULT_STEPS = 200
"""Steps that relaying takes at most."""
_SOME_SLOT = 0
"""Of the hub: what it holds does not matter."""


class Links:
    """The links of a system, and what is carried over them.

    Parameters
    ----------
    operator
        Governs the hubs, relays, and pays for both.
    """

    def __init__(self, operator: Signer) -> None:
        self._operator = operator
        self._chains: dict[int, Chain] = {}
        self._ports: dict[int, FacadePort] = {}
        self._relayers: dict[frozenset[int], Relayer] = {}
        self._anchored: dict[int, tuple[Chain, int]] = {}

    def add(self, chain: Chain) -> None:
        """Take on a chain.

        Raises
        ------
        UsageError
            When it has no hub, or one that somebody else governs, or offers no light proofs.
        """
        governor = bytes(hub_of(chain).read("governor")) if chain.code(HUB_ADDRESS) else b""
        if governor != self._operator.address:
            raise UsageError(
                "the chain has no hub that the operator of this system governs", chain_id=chain.chain_id
            )
        chain.anchor.to_bytes()  # or nobody could be told what is final on it
        self._chains[chain.chain_id] = chain
        self._ports[chain.chain_id] = FacadePort(chain, self._operator, seals=not chain.auto_seal)

    def remove(self, chain: Chain) -> None:
        """Leave a chain alone: nothing is carried to it or from it any more."""
        del self._chains[chain.chain_id], self._ports[chain.chain_id]
        relayers = self._relayers.items()
        self._relayers = {pair: relayer for pair, relayer in relayers if chain.chain_id not in pair}

    def link(self, one: Chain, other: Chain) -> None:
        """Make two chains know each other, if they do not, and serve them from now on."""
        pair = frozenset((one.chain_id, other.chain_id))
        if pair in self._relayers:
            return
        for near, far in ((one, other), (other, one)):
            hub, peg = hub_of(near), PegApi(near)
            if not hub.read("anchorOf", far.chain_id):
                hub.send(self._operator, "registerChain", far.chain_id, far.anchor.to_bytes())
            if peg.channel_to(far.chain_id) is None:
                peg.connect(self._operator, far.chain_id)
        ports = self._ports[one.chain_id], self._ports[other.chain_id]
        self._relayers[pair] = Relayer(*ports)

    def anchor_blocks(self, main: Chain, side: Chain, interval: int) -> None:
        """From now on write down every so many blocks of a side chain on the main chain."""
        self._anchored[side.chain_id] = main, interval

    def relay(self, limit: int = DEFAULT_STEPS) -> Progress:
        """Carry everything that waits, until only time can bring more; at most so many steps.

        Where a block must be buried before it counts as final, empty blocks are made on top of it.

        Returns
        -------
        Progress
            What all relayers have done, together.
        """
        total = Progress()
        newest = self._heights()
        for _ in range(limit):
            step = self._step()
            total.add(step)
            total.in_the_air, total.waiting = step.in_the_air, step.waiting
            if step.submitted or step.settled or step.in_the_air:
                newest = self._heights()  # something happened: it has to become final as well
            elif step.is_quiet and not self._bury(newest, step.waiting):
                break
        self._anchor_blocks()
        return total

    def progress(self) -> Progress:
        """Return what all relayers have done since the system began, together."""
        total = Progress()
        for relayer in self._relayers.values():
            total.add(relayer.progress)
        return total

    def _heights(self) -> dict[int, int]:
        return {chain_id: chain.height for chain_id, chain in self._chains.items()}

    def _step(self) -> Progress:
        total, in_the_air, waiting = Progress(), 0, 0
        for relayer in self._relayers.values():
            step = relayer.step()
            total.add(step)
            in_the_air += step.in_the_air
            waiting += step.waiting
        total.in_the_air, total.waiting = in_the_air, waiting
        return total

    def _bury(self, newest: dict[int, int], waiting: int) -> bool:
        """Make a block where one is missing for something to be final; tell whether there was any.

        That is where a message, or a state that may be asked for, is in a block up to the given height; and
        where somebody has set a clock ahead, by which packets that still wait may be too late.
        """
        made = False
        for chain_id, chain in self._chains.items():
            final, height = self._ports[chain_id].final().height, newest[chain_id]
            if waiting and _is_set_ahead(chain):
                newest[chain_id] = chain.seal().height
            elif final < height and (waiting or self._has_messages(chain_id, final + 1, height)):
                chain.seal()
            else:
                continue
            made = True
        return made

    def _has_messages(self, chain_id: int, first: int, last: int) -> bool:
        ledger = self._chains[chain_id].blockchain.ledger
        heights = range(first, last + 1)
        return any(ledger.header(height).messages_root != EMPTY_BINARY_ROOT for height in heights)

    def _anchor_blocks(self) -> None:
        for chain_id, (main, interval) in self._anchored.items():
            registry, port = ChainRegistryApi(main), self._ports[chain_id]
            height = port.final().height // interval * interval
            if height <= registry.newest_block(chain_id).height:
                continue
            anchor = hub_of(main).read("anchorOf", chain_id)
            try:
                proof = port.prove_slot(_SOME_SLOT, height, anchor)
            except UsageError:
                continue  # the anchor has yet to catch up
            registry.anchor_block(self._operator, chain_id, proof)


def _is_set_ahead(chain: Chain) -> bool:
    clock = chain.clock
    return isinstance(clock, ManualClock) and clock.now_ms() > chain.blockchain.head.timestamp_ms


def hub_of(chain: Chain) -> Instance:
    """Return the hub of a chain."""
    return Instance(chain, HUB_ADDRESS, Hub)
