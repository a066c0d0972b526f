"""What a relayer has done, as counts."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(slots=True)
class Progress:
    """Counts of one step of a relayer, or of all its steps.

    Blocks of a latency are those of the chain that sent the packet, from the one that holds the packet to the
    newest when the relayer saw that it was settled, by whomever.
    """

    blocks: int = 0
    """Blocks looked through."""
    packets: int = 0
    """Packets found in them that were not settled."""
    carried: int = 0
    """Packets that own transactions delivered."""
    acknowledged: int = 0
    """Packets that own transactions settled by an acknowledgement."""
    timed_out: int = 0
    """Packets that own transactions settled by a time-out."""
    updates: int = 0
    """Anchors that own transactions brought up to date."""
    submitted: int = 0
    """Transactions that were sent, whatever became of them."""
    refused: int = 0
    """Attempts that failed: refused before or after they were sent. Often somebody else was faster."""
    lost: int = 0
    """Transactions that came into no block for too long, and were given up."""
    settled: int = 0
    """Packets whose end the relayer has seen."""
    latency_blocks: int = 0
    """The sum of their latencies."""
    longest_blocks: int = 0
    """The greatest of their latencies."""
    in_the_air: int = 0
    """Transactions that were sent and of whose fate nothing is known at the end: not added up."""
    waiting: int = 0
    """Packets that are not settled at the end: not added up."""

    @property
    def is_quiet(self) -> bool:
        """Whether nothing was done, and nothing is on its way: only time or new blocks can change that."""
        return not (self.blocks or self.submitted or self.settled or self.in_the_air)

    def add(self, step: Progress) -> None:
        """Add the counts of a further step."""
        for each in fields(self):
            mine, its = getattr(self, each.name), getattr(step, each.name)
            if each.name == "longest_blocks":
                its = max(mine, its)
            elif each.name not in ("in_the_air", "waiting"):
                its += mine
            setattr(self, each.name, its)
