"""The timers of one machine: when they are due, what they do, how the chain gets to know of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.machines.calendar import LAST_SECOND, Calendar
from chainstack_sdk.machines.codes import DEPLOYER_ADDRESS, DEPLOYER_CODE
from chainstack_sdk.machines.effects import settle
from chainstack_sdk.machines.gas import KEEPING_GAS, firing_costs, timers_from
from chainstack_sdk.machines.storage import STATUS, next_status, since

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainstack_sdk.core.call import Call
    from chainstack_sdk.machines.closures import Frame
    from chainstack_sdk.machines.effects import Statements
    from chainstack_sdk.machines.ir import MachineIR, Timer


class Timers:
    """The closures of a machine's timers.

    A ``status`` is what slot 0 of the machine holds.

    Parameters
    ----------
    machine
        Which machine.
    maker
        Makes its closures.

    Attributes
    ----------
    allowances
        Gas that the timers may use when the chain fires them, by the states that they end.
    names
        Their names, by the same.
    """

    def __init__(self, machine: MachineIR, maker: Statements) -> None:
        self.allowances = firing_costs(machine)
        self.names = {each.source: each.name for each in machine.timers}
        self._delays = {each.source: maker.make(each.delay) for each in machine.timers}
        self._acts = {each.source: self._act(each, maker) for each in machine.timers}
        following = {state: timers_from(machine, state) for state in self.names}
        self._firings = {state: len(timers) for state, timers in following.items()}
        self._prices = {
            state: sum(KEEPING_GAS + self.allowances[each.source] for each in timers)
            for state, timers in following.items()
        }

    def is_due(self, call: Call, status: int) -> bool:
        """Tell whether the timer of the machine's state, if it has one, may fire now."""
        return status & 0xFF in self.names and self._due(call, status) <= call.block.timestamp

    def fire(self, call: Call, status: int, firings: int = 0) -> int:
        """Fire the timer of the machine's state and return the new status.

        Parameters
        ----------
        firings
            How many timers more the chain shall fire by itself; they have been paid for.
        """
        return self._acts[status & 0xFF](call, status, firings)

    def fire_due(self, call: Call, status: int) -> int:
        """Fire a timer if one is due, and return the status, which is as it was if none is.

        The timer comes before the call: coin that comes with the call is not there yet.
        """
        if not call.value:
            return self.fire(call, status) if self.is_due(call, status) else status
        with call.unpaid():
            return self.fire(call, status) if self.is_due(call, status) else status

    def arm(self, call: Call, status: int) -> None:
        """Pay for the timers that follow from the machine's state, and let the chain know of the first."""
        state = status & 0xFF
        if state in self.names:
            call.charge(self._prices[state])
            self._enter(call, status, self._firings[state])

    def _act(self, timer: Timer, maker: Statements) -> Callable[[Call, int, int], int]:
        body, target, size = maker.block(timer.body), timer.target, maker.locals

        def fire(call: Call, status: int, firings: int) -> int:
            frame: Frame = [timer.source, [], *[None] * size]
            body(call, frame)
            status = next_status(status, target, call.block.timestamp)
            call.store(STATUS, status)
            if firings and target in self.names:
                self._enter(call, status, firings)
            if not frame[1]:
                return status
            settle(call, frame)
            return call.load(STATUS)  # a token may have called back

        return fire

    def _due(self, call: Call, status: int) -> int:
        state = status & 0xFF
        delay: int = self._delays[state](call, [state, []])
        return since(status) + delay

    def _enter(self, call: Call, status: int, firings: int) -> None:
        # a time that has passed goes behind those who wait already: nobody is to be put off again and again
        due = max(self._due(call, status), call.block.timestamp)
        if due <= LAST_SECOND and call.code(DEPLOYER_ADDRESS) == DEPLOYER_CODE:
            Calendar(call.within(DEPLOYER_ADDRESS)).insert(due, call.address, status >> 72, firings)
