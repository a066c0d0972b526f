"""Finding defects of machines before they are deployed.

:func:`check_machine`, or ``Machine.check()``, looks at the declarations, runs the machine's own closures
through the configurations that a small set of people, values and times leads to, within a budget, and then
goes on by long walks. What it finds comes with a trace that is printed as a test.

What counts as a defect:

``unreachable-state``
    Nothing leads into the state.
``dead-end``
    A state that is not final and has no way on; a transition whose role is never given to anybody.
``stuck-funds``
    Coin or tokens are held where no statement pays them out any more, or where every call that was tried is
    refused whatever its arguments; coin is paid to the zero address.
``open-money``
    Somebody who holds no role, paid nothing, was named by nobody and did nothing that others had time to look
    at ends up with more than before.
``timer``
    It never fires, cannot fire, or can be put off by anybody.
``overflow``
    Arithmetic on what is stored blocks a transition, or a timer.
``invariant``
    A declared invariant does not hold.
"""

from __future__ import annotations

from chainstack_sdk.machines.check.findings import CheckReport, Finding
from chainstack_sdk.machines.check.run import BUDGET, check_machine, quick_check
from chainstack_sdk.machines.check.trace import Ending, Step, Trace

__all__ = ["BUDGET", "CheckReport", "Ending", "Finding", "Step", "Trace", "check_machine", "quick_check"]
