"""Traces: a deployment and what happens after it, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from chainstack_sdk.machines.ir import MachineIR


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens."""

    kind: Literal["deploy", "call", "wait"]
    by: str = ""
    """Name of who deploys or calls; see :mod:`chainstack_sdk.machines.check.people`."""
    function: str = ""
    args: tuple[Any, ...] = ()
    value: int = 0
    """Wei."""
    seconds: int = 0
    """How much time passes; then timers fire that are due."""

    def told(self, names: dict[bytes, str]) -> str:
        """Return the step in words.

        Parameters
        ----------
        names
            What to call addresses.
        """
        if self.kind == "wait":
            return f"{self.seconds} s pass"
        shown = ", ".join([_shown(each, names) for each in self.args])
        coin = f" with {self.value} wei" if self.value else ""
        return f"{self.by} {'deploys' if self.kind == 'deploy' else self.function}({shown}){coin}"


@dataclass(frozen=True, slots=True)
class Ending:
    """What is seen at the end of a trace."""

    state: str
    """Where the machine is then."""
    sees: Literal["held", "gained", "seated", "lost", "refused", "stopped", "broken", "waiting"]
    """``held``: it holds something; ``gained``: the last caller has more than at first; ``seated``: the last
    caller's address is in the slot of a role; ``lost``: coin went
    to nobody; ``refused``: the last step is refused; ``stopped``: a timer is due and refuses to fire;
    ``broken``: an invariant is; ``waiting``: a timer is not due."""
    asset: str = "coin"
    """``coin``, ``tokens`` or ``NFTs``."""
    amount: int = 0
    """How much of it: wei, smallest units, or how many; of a role: the slot."""
    data: bytes = b""
    """Of a refusal: the revert data."""
    name: str = ""
    """Of an invariant: its name."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A way into a defect, from the deployment on."""

    machine: MachineIR
    steps: tuple[Step, ...]
    """The first is the deployment."""
    ending: Ending

    def __str__(self) -> str:
        """Return the steps, one a line."""
        from chainstack_sdk.machines.check.people import Cast

        names = Cast(self.machine).names
        return "\n".join([f"    {number}. {each.told(names)}" for number, each in enumerate(self.steps, 1)])


def _shown(value: object, names: dict[bytes, str]) -> str:
    match value:
        case bytes():
            return names.get(value, "0x" + value.hex())
        case tuple():
            return f"[{', '.join([_shown(each, names) for each in value])}]"
    return repr(value)
