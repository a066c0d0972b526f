"""Layer 1: finite state machines as contracts, in a small total language.

A machine is written as a Python class that is compiled and never run; see
:mod:`chainstack_sdk.machines.language`. What nodes run is its canonical encoding; what every call costs is
known before it is deployed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives import _lazy

if TYPE_CHECKING:
    from chainstack_sdk.machines.check import CheckReport, Finding, check_machine
    from chainstack_sdk.machines.codes import DEPLOYER_ADDRESS, DEPLOYER_CODE
    from chainstack_sdk.machines.compiler import compile_machine, compile_text, machine_source
    from chainstack_sdk.machines.contract import MachineContract
    from chainstack_sdk.machines.decoding import decode_machine
    from chainstack_sdk.machines.deployer import Deployer, resolve_machine
    from chainstack_sdk.machines.diagram import Diagram, diagram_of
    from chainstack_sdk.machines.encoding import encode_machine
    from chainstack_sdk.machines.errors import CompileError, DefectiveMachine, InvalidMachine
    from chainstack_sdk.machines.gas import gas_table
    from chainstack_sdk.machines.handle import MachineEvent, MachineHandle
    from chainstack_sdk.machines.ir import MachineIR
    from chainstack_sdk.machines.language import (
        ZERO_ADDRESS,
        Committee,
        Error,
        Event,
        Indexed,
        Machine,
        Mapping,
        Role,
        State,
        address,
        after,
        bytes32,
        days,
        emit,
        hours,
        int256,
        invariant,
        keccak,
        minutes,
        payable,
        require,
        role,
        send_nft,
        send_token,
        take_nft,
        take_token,
        timestamp,
        transfer,
        transition,
        uint256,
        view,
        weeks,
    )
    from chainstack_sdk.machines.report import report_of
else:
    _LANGUAGE = (
        "ZERO_ADDRESS Committee Error Event Indexed Machine Mapping Role State address after bytes32 days "
        "emit hours int256 invariant keccak minutes payable require role send_nft send_token take_nft "
        "take_token timestamp transfer transition uint256 view weeks"
    )
    __getattr__, __dir__ = _lazy.exports(
        __name__,
        {
            **dict.fromkeys(_LANGUAGE.split(), "language"),
            "CheckReport": "check",
            "CompileError": "errors",
            "DEPLOYER_ADDRESS": "codes",
            "DEPLOYER_CODE": "codes",
            "DefectiveMachine": "errors",
            "Deployer": "deployer",
            "Diagram": "diagram",
            "Finding": "check",
            "InvalidMachine": "errors",
            "MachineContract": "contract",
            "MachineEvent": "handle",
            "MachineHandle": "handle",
            "MachineIR": "ir",
            "check_machine": "check",
            "compile_machine": "compiler",
            "compile_text": "compiler",
            "decode_machine": "decoding",
            "diagram_of": "diagram",
            "encode_machine": "encoding",
            "gas_table": "gas",
            "machine_source": "compiler",
            "report_of": "report",
            "resolve_machine": "deployer",
        },
    )

__all__ = [
    "DEPLOYER_ADDRESS",
    "DEPLOYER_CODE",
    "ZERO_ADDRESS",
    "CheckReport",
    "Committee",
    "CompileError",
    "DefectiveMachine",
    "Deployer",
    "Diagram",
    "Error",
    "Event",
    "Finding",
    "Indexed",
    "InvalidMachine",
    "Machine",
    "MachineContract",
    "MachineEvent",
    "MachineHandle",
    "MachineIR",
    "Mapping",
    "Role",
    "State",
    "address",
    "after",
    "bytes32",
    "check_machine",
    "compile_machine",
    "compile_text",
    "days",
    "decode_machine",
    "diagram_of",
    "emit",
    "encode_machine",
    "gas_table",
    "hours",
    "int256",
    "invariant",
    "keccak",
    "machine_source",
    "minutes",
    "payable",
    "report_of",
    "require",
    "resolve_machine",
    "role",
    "send_nft",
    "send_token",
    "take_nft",
    "take_token",
    "timestamp",
    "transfer",
    "transition",
    "uint256",
    "view",
    "weeks",
]
