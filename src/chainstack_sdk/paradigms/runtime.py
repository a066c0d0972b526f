"""From an account's code to the contract that answers its calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.native.code import parse_paradigm_code
from chainstack_sdk.machines.codes import CALENDAR_ROOT, DEPLOYER_ADDRESS, DEPLOYER_CODE, MACHINE_HEAD
from chainstack_sdk.paradigms.factory import FACTORY_CODE, Factory
from chainstack_sdk.paradigms.registry import Registry, default_registry
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from chainstack_sdk.core.environment import Environment
    from chainstack_sdk.core.interfaces import Contract, ContractRuntime

MAX_RESOLVED = 4_096
"""Contracts kept open; then all are closed and opened again when needed."""


class Runtime:
    """The contracts of a chain: its system contracts and the instances of its paradigms.

    Parameters
    ----------
    registry
        The paradigms; by default those that come with the library.
    """

    __slots__ = ("_resolved", "_system", "registry")

    def __init__(self, registry: Registry | None = None) -> None:
        self.registry = default_registry() if registry is None else registry
        self._system: dict[bytes, Contract] = {FACTORY_CODE: Factory(self.registry)}
        self._resolved: dict[bytes, Contract] = {}

    def add_system(self, code: bytes, contract: Contract) -> None:
        """Register a system contract under its code.

        Raises
        ------
        UsageError
            When another has the same code.
        """
        if code in self._system:
            raise UsageError("a system contract with this code is registered already", actual=code)
        self._system[code] = contract

    def resolve(self, code: bytes) -> Contract | None:
        """Return the contract that the code stands for, or None when this runtime does not know it."""
        contract = self._resolved.get(code)
        return self._open(code) if contract is None else contract

    def close_block(self, env: Environment) -> None:
        """Fire the timers of machines that are due; where none waits, that is one look at the state."""
        if env.state.storage(DEPLOYER_ADDRESS, CALENDAR_ROOT):
            from chainstack_sdk.machines.firing import fire_due

            fire_due(env)

    def _open(self, code: bytes) -> Contract | None:
        contract = self._system.get(code) or self._instance(code) or self._machine(code)
        if contract is not None:
            if len(self._resolved) >= MAX_RESOLVED:
                self._resolved.clear()
            self._resolved[code] = contract
        return contract

    def _instance(self, code: bytes) -> Contract | None:
        try:
            name, version, config = parse_paradigm_code(code)
            paradigm = self.registry.find(name, version)
            return None if paradigm is None else paradigm(config)
        except InvalidInput:
            return None

    def _machine(self, code: bytes) -> Contract | None:
        if code[:4] != MACHINE_HEAD and code != DEPLOYER_CODE:
            return None
        from chainstack_sdk.machines.deployer import resolve_machine

        return resolve_machine(code)


_conforms: type[ContractRuntime] = Runtime
