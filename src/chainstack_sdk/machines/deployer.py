"""The deployer: the system contract that makes machines, and how a node finds them again.

A machine's code is ``0xEF 0x43 ‖ 0x02 ‖ 1 ‖ encoding`` (see :mod:`chainstack_sdk.core.native.code` for the
other kinds), the encoding being that of :mod:`chainstack_sdk.machines.encoding`. Machines with the same code
share one contract, made when it is first met.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from chainstack_sdk.core import gas
from chainstack_sdk.core.native.contract import NativeContract, error, event, external
from chainstack_sdk.machines.codes import DEPLOYER_CODE, MACHINE_HEAD
from chainstack_sdk.machines.contract import MachineContract
from chainstack_sdk.machines.decoding import decode_machine
from chainstack_sdk.machines.encoding import encode_machine
from chainstack_sdk.machines.gas import DECODE_BYTE, gas_table
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call
    from chainstack_sdk.core.interfaces import Contract
    from chainstack_sdk.machines.ir import MachineIR

MAX_KEPT = 1_024
"""Machines kept ready; the one not asked for longest goes first."""


class Deployer(NativeContract):
    """Makes machines from their encodings, and has the calendar of their timers in its storage.

    It is also what tells of timers that the chain has fired, or tried to; see
    :mod:`chainstack_sdk.machines.firing`.
    """

    Deployed = event(
        "event Deployed(address indexed instance, address indexed deployer, bytes32 indexed identity, "
        "string name)"
    )
    TimerFired = event("event TimerFired(address indexed machine, string timer)")
    TimerFailed = event("event TimerFailed(address indexed machine, bytes reason)")
    InvalidMachine = error("error InvalidMachine(string reason)")

    @external("function deploy(bytes machine, bytes arguments) payable returns (address)")
    def deploy(self, call: Call, machine: bytes, arguments: bytes) -> bytes:
        """Check a machine, give it an address and run its constructor on behalf of the caller.

        Coin that comes with the call is the machine's, if its constructor takes coin.

        Parameters
        ----------
        machine
            Its canonical encoding.
        arguments
            The constructor's, ABI-encoded.

        Returns
        -------
        bytes
            The machine's address, 20 bytes: that of CREATE for the caller and its nonce.
        """
        call.charge(DECODE_BYTE * len(machine))
        try:
            contract = contract_of(machine)
        except InvalidInput as refusal:
            raise call.error(self.InvalidMachine, str(refusal)) from refusal
        address = call.create(machine_code(machine))
        contract.create(call.within(address, call.value), arguments)
        call.emit(self.Deployed, address, call.caller, keccak256(machine), contract.machine.name)
        return address


def machine_code(encoding: bytes) -> bytes:
    """Return the code of machines with this encoding."""
    return MACHINE_HEAD + encoding


def deployment_gas(machine: MachineIR) -> int:
    """Return what it costs to deploy a machine: gas, besides the transaction's own."""
    encoding = encode_machine(machine)
    topics, data = Deployer.Deployed.encode(bytes(20), bytes(20), bytes(32), machine.name)
    return (
        (DECODE_BYTE * len(encoding) + gas.CREATE + gas.CODE_BYTE * len(machine_code(encoding)))
        + gas_table(machine)["constructor"]
        + (gas.LOG + gas.LOG_TOPIC * len(topics) + gas.LOG_BYTE * len(data))
    )


@lru_cache(maxsize=MAX_KEPT)
def contract_of(encoding: bytes) -> MachineContract:
    """Return the contract of a machine; the same for the same encoding.

    Raises
    ------
    InvalidInput
        When it is not the canonical encoding of a machine.
    """
    return MachineContract(decode_machine(encoding))


def resolve_machine(code: bytes) -> Contract | None:
    """Return the contract that the code of a machine, or of the deployer, stands for; None for other code."""
    if code == DEPLOYER_CODE:
        return Deployer()
    if code[:4] != MACHINE_HEAD:
        return None
    try:
        return contract_of(code[4:])
    except InvalidInput:
        return None
