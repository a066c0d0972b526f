"""A simulator: nodes in virtual time, on a network whose every whim follows from a seed.

A :class:`SimNet` runs any :class:`~chainstack_sdk.network.effects.Node`: it carries out what the node asks
for, delivers, delays, loses and repeats messages, lets clocks go wrong, crashes nodes and starts them again
from their disks, and checks after every event what must hold. The same seed gives the same run, byte for
byte, which :attr:`SimNet.digest` shows.

===================  =================================================================================
To                   There is
===================  =================================================================================
run nodes            `SimNet`, `LinkFaults`
run validators       `Committee`: keys, nodes and a tiny chain, with the library's own engine
break things         `FaultPlan` and its faults; by hand, the methods of `SimNet`
break rules          `Withhold`, `Corrupt`, `Replay`, `Delay`, `Split`, `Equivocate`, `MiningLiar`
check                `Agreement`, `Validity`, `Accountability`, `Termination`
do all at random     `chaos`, `fork`
look                 `SimNet.timeline`: text, SVG, Mermaid
===================  =================================================================================
"""

from chainstack_sdk.testing.sim.accountability import Accountability, Fork, guilty
from chainstack_sdk.testing.sim.application import (
    Tally,
    TallyBlock,
    TallyDisk,
    adds_up,
    false_block,
    other_block,
)
from chainstack_sdk.testing.sim.audit import Audit, Entry
from chainstack_sdk.testing.sim.byzantine import (
    Corrupt,
    Delay,
    Middleware,
    MiningLiar,
    Replay,
    Split,
    Withhold,
)
from chainstack_sdk.testing.sim.committee import BareEngine, Committee, twin_name
from chainstack_sdk.testing.sim.describe import describe_message
from chainstack_sdk.testing.sim.equivocation import Conspiracy, Equivocate, Fickle
from chainstack_sdk.testing.sim.faults import (
    BadLinks,
    Crash,
    CrashAtStore,
    Cut,
    Fault,
    FaultPlan,
    Heal,
    Recovery,
    Restart,
    Skew,
    Weather,
)
from chainstack_sdk.testing.sim.invariants import (
    Agreement,
    Invariant,
    InvariantViolation,
    Termination,
    Validity,
)
from chainstack_sdk.testing.sim.links import LinkFaults
from chainstack_sdk.testing.sim.mining import find_nonce
from chainstack_sdk.testing.sim.net import SimNet
from chainstack_sdk.testing.sim.scenarios import MANNERS, chaos, equivocate, fork, recover
from chainstack_sdk.testing.sim.timeline import Timeline
from chainstack_sdk.testing.sim.world import Accusation, Commit

__all__ = [
    "MANNERS",
    "Accountability",
    "Accusation",
    "Agreement",
    "Audit",
    "BadLinks",
    "BareEngine",
    "Commit",
    "Committee",
    "Conspiracy",
    "Corrupt",
    "Crash",
    "CrashAtStore",
    "Cut",
    "Delay",
    "Entry",
    "Equivocate",
    "Fault",
    "FaultPlan",
    "Fickle",
    "Fork",
    "Heal",
    "Invariant",
    "InvariantViolation",
    "LinkFaults",
    "Middleware",
    "MiningLiar",
    "Recovery",
    "Replay",
    "Restart",
    "SimNet",
    "Skew",
    "Split",
    "Tally",
    "TallyBlock",
    "TallyDisk",
    "Termination",
    "Timeline",
    "Validity",
    "Weather",
    "Withhold",
    "adds_up",
    "chaos",
    "describe_message",
    "equivocate",
    "false_block",
    "find_nonce",
    "fork",
    "guilty",
    "other_block",
    "recover",
    "twin_name",
]
