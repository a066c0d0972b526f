"""A relayer: carries packets, acknowledgements, time-outs and anchor updates between two chains.

Nobody has to trust it. It is a loop without a clock::

    relayer = Relayer(FacadePort(one, account), FacadePort(other, account))
    relayer.step()                       # whenever there may be something to do
    relayer.run_until_quiet(limit=100)   # or until only time and new blocks can bring more

All it knows it has read from the chains, so it can be made anew at any moment, and any number of them may do
the same work side by side: of two transactions that say the same, hubs refuse the second, and its sender
loses the fee. Hubs check every proof: a relayer that lies achieves nothing.

A step looks through at most ``blocks_per_step`` blocks of each chain, and takes up at most
``packets_per_step`` packets in each direction. The first packet of a block goes with evidence that the block
is final; the others without, once the first has arrived. Where evidence is large, as that of work, they wait
for that.

**Caveats**

- Its account on each chain pays the fees there; nothing pays it back. Whoever is served runs one.
- A new relayer reads the headers of all blocks, and the receipts of those with messages.
- Packets of an ordered channel go one in each block, where blocks are not made by the relayer's own
  transactions: the next is tried once the one before has arrived.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.xchain.lane import Lane
from chainstack_sdk.xchain.packets import Packet
from chainstack_sdk.xchain.progress import Progress
from chainstack_sdk.xchain.station import Station

if TYPE_CHECKING:
    from chainstack_sdk.xchain.port import ChainPort

_BLOCKS, _PACKETS, _PATIENCE = 1_000, 256, 8


class Relayer:
    """Serves two chains, in both directions.

    Parameters
    ----------
    one, other
        The chains, whose hubs know each other.
    blocks_per_step
        How many blocks of each chain a step looks through at most.
    packets_per_step
        How many packets a step takes up at most, in each direction.
    patience
        After how many further blocks a transaction that is in none counts as lost, and is replaced.

    Raises
    ------
    UsageError
        When both are the same chain, or the hub of one does not know the other.
    """

    def __init__(
        self,
        one: ChainPort,
        other: ChainPort,
        *,
        blocks_per_step: int = _BLOCKS,
        packets_per_step: int = _PACKETS,
        patience: int = _PATIENCE,
    ) -> None:
        if one.chain_id == other.chain_id:
            raise UsageError("a relayer joins two chains", actual=one.chain_id)
        near, far = Station(one, other.chain_id, patience), Station(other, one.chain_id, patience)
        for station in (near, far):
            station.anchor()
        out, back = Lane(near, far), Lane(far, near)
        self._lanes = (out, back)
        self._ways = ((near, out, back), (far, back, out))
        self._blocks = blocks_per_step
        self._packets = packets_per_step
        self.progress = Progress()
        """The counts of all steps so far."""

    def step(self) -> Progress:
        """Do what there is to do now, within the limits, and return the counts of this step."""
        tally = Progress()
        (near, *_), (far, *_) = self._ways
        near.follow(far.port, tally)
        far.follow(near.port, tally)
        for station, own, opposite in self._ways:
            for found in station.scan(self._blocks, tally):
                if isinstance(found.message, Packet):
                    own.add_packet(found, found.message, tally)
                else:
                    opposite.add_acknowledgement(found, found.message)
        for lane in self._lanes:
            lane.work(self._packets, tally)
            tally.waiting += lane.waiting
        for station in (near, far):
            station.port.flush()
        self.progress.add(tally)
        return tally

    def run_until_quiet(self, limit: int = 100) -> Progress:
        """Make steps until one finds nothing to do, at most `limit`, and return the counts of these steps.

        What is then still :attr:`~.Progress.waiting` waits for blocks to become final, or for a time-out.
        """
        total = Progress()
        for _ in range(limit):
            step = self.step()
            total.add(step)
            if step.is_quiet:
                break
        return total
