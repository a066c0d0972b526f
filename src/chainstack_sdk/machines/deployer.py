"""The deployer: the system contract that makes machines, and how a node finds them again.

A machine's code is ``0xEF 0x43 ‖ 0x02 ‖ 1 ‖ encoding`` (see :mod:`chainstack_sdk.core.native.code` for the
other kinds), the encoding being that of :mod:`chainstack_sdk.machines.encoding`. Machines with the same code
share one contract, made when it is first met.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from chainstack_sdk.core.genesis import GenesisAccount
from chainstack_sdk.core.native.code import MAGIC, system_code
from chainstack_sdk.core.native.contract import NativeContract, error, event, external
from chainstack_sdk.machines.contract import MachineContract
from chainstack_sdk.machines.decoding import decode_machine
from chainstack_sdk.machines.gas import DECODE_BYTE
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call
    from chainstack_sdk.core.genesis import Genesis
    from chainstack_sdk.core.interfaces import Contract

DEPLOYER_ADDRESS = bytes.fromhex("000000000000000000000000000000000000430c")
"""Where a chain has its deployer of machines: 0x43 as in the code of native contracts, number 12."""
DEPLOYER_CODE = system_code("machines")
"""The deployer's code, to be put at :data:`DEPLOYER_ADDRESS` in the genesis."""
MACHINE: Final = 0x02
"""Kind of the code of machines."""
VERSION: Final = 1
"""Version of that code: of the meaning of encodings."""
MAX_KEPT = 1_024
"""Machines kept ready; the one not asked for longest goes first."""

_HEAD = MAGIC + bytes((MACHINE, VERSION))


class Deployer(NativeContract):
    """Makes machines from their encodings."""

    Deployed = event(
        "event Deployed(address indexed instance, address indexed deployer, bytes32 indexed identity, "
        "string name)"
    )
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
    return _HEAD + encoding


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
    if code[:4] != _HEAD:
        return None
    try:
        return contract_of(code[4:])
    except InvalidInput:
        return None


def with_deployer(genesis: Genesis) -> Genesis:
    """Return the genesis with a deployer at :data:`DEPLOYER_ADDRESS`.

    Raises
    ------
    UsageError
        When it has one already.
    """
    if DEPLOYER_ADDRESS in genesis.accounts:
        raise UsageError("this genesis has a deployer of machines already")
    account = GenesisAccount(nonce=1, code=DEPLOYER_CODE)
    return replace(genesis, accounts={**genesis.accounts, DEPLOYER_ADDRESS: account})
