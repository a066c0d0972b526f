"""What the chain does by itself at the end of a block: it fires the timers that are due.

They fire in the order of their times, those of one second in the order in which their machines came into
their states. Each stands for itself: one that is refused, by its own body or by a token, is undone and
forgotten, and its machine stays as it is until somebody touches it. All that fired or failed is told by the
deployer's events, each after those of its machine.

A block does so much of it as fits into a quarter of its gas limit, and one timer in any case: another is
fired as long as there is room for its constant. The rest waits for the next block. The gas is nobody's:
whoever brought the machine into its state has paid for it, see
:func:`~chainstack_sdk.machines.gas.arming_costs`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.call import Call
from chainstack_sdk.core.execution import is_crash
from chainstack_sdk.machines.calendar import REMOVE_GAS, Calendar
from chainstack_sdk.machines.codes import DEPLOYER_ADDRESS, DEPLOYER_CODE
from chainstack_sdk.machines.contract import MachineContract
from chainstack_sdk.machines.deployer import Deployer
from chainstack_sdk.machines.gas import MAX_REASON
from chainstack_sdk.machines.storage import STATUS
from chainstack_sdk.primitives.errors import Reverted

if TYPE_CHECKING:
    from chainstack_sdk.core.environment import Environment
    from chainstack_sdk.machines.calendar import Entry

SHARE = 4
"""The work of one block takes at most its gas limit divided by this, or one timer."""
_ENOUGH = 1 << 62
"""Gas to count down from; what one timer may use is bounded by its constant."""


def fire_due(env: Environment) -> None:
    """Fire the timers that are due by the time of a block, as far as the block has room for them.

    Parameters
    ----------
    env
        See :meth:`chainstack_sdk.core.interfaces.ContractRuntime.close_block`.
    """
    if env.state.code(DEPLOYER_ADDRESS) != DEPLOYER_CODE:
        return
    deployer = Call(env, DEPLOYER_ADDRESS, DEPLOYER_ADDRESS, 0, 1, False)
    calendar, first = Calendar(deployer), True
    env.gas, least = _ENOUGH, _ENOUGH - env.block.gas_limit // SHARE
    while True:
        entry = calendar.first(env.block.timestamp)
        if entry is None:
            return
        contract, allowance = _waiting(env, entry)
        if not first and env.gas - REMOVE_GAS - allowance < least:
            return
        calendar.remove(entry)
        if contract is not None:
            _fire(env, deployer, entry, contract, allowance)
        first = False


def _waiting(env: Environment, entry: Entry) -> tuple[MachineContract | None, int]:
    """Return the contract of an entry's machine and the gas its timer may use; None: it has moved on."""
    status = env.state.storage(entry.machine, STATUS)
    contract = env.runtime.resolve(env.state.code(entry.machine))
    if not isinstance(contract, MachineContract) or not entry.is_of(status >> 72):
        return None, 0
    return contract, contract.timers.allowances[status & 0xFF]


def _fire(env: Environment, deployer: Call, entry: Entry, contract: MachineContract, allowance: int) -> None:
    """Fire a machine's timer, or leave everything as it is; tell of it."""
    state, mark, emitted = env.state, env.state.checkpoint(), len(env.logs)
    kept = env.gas - allowance
    env.gas = allowance
    try:
        fired = contract.fire(Call(env, DEPLOYER_ADDRESS, entry.machine, 0, 1, False), entry.firings - 1)
    except Exception as error:
        if not isinstance(error, Reverted) and not is_crash(error):
            raise
        state.rollback(mark)
        del env.logs[emitted:]
        env.gas += kept
        # a crash is a mistake in the code of some token, which is not to end the chain
        reason = error.data[:MAX_REASON] if isinstance(error, Reverted) else b""
        deployer.emit(Deployer.TimerFailed, entry.machine, reason)
    else:
        env.gas += kept
        if fired is not None:
            deployer.emit(Deployer.TimerFired, entry.machine, fired)
