"""The factory: the system contract that issues instances of paradigms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.native.code import paradigm_code, system_code
from chainstack_sdk.core.native.contract import NativeContract, error, event, external, run
from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call
    from chainstack_sdk.paradigms.registry import Registry

FACTORY_ADDRESS = bytes.fromhex("0000000000000000000000000000000000004301")
"""Where every chain has its factory: 0x43 as in the code of native contracts, number 1."""

FACTORY_CODE = system_code("factory")
"""The factory's code, to be put at :data:`FACTORY_ADDRESS` in the genesis."""


class Factory(NativeContract):
    """Issues instances of the registered paradigms.

    Parameters
    ----------
    registry
        The chain's paradigms.
    """

    Issued = event("event Issued(address indexed instance, address indexed issuer, string paradigm)")
    UnknownParadigm = error("error UnknownParadigm(string paradigm)")
    InvalidConfig = error("error InvalidConfig(string reason)")

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        super().__init__()

    @external("function issue(string paradigm, bytes config) returns (address)")
    def issue(self, call: Call, paradigm: str, config: bytes) -> bytes:
        """Issue an instance of a paradigm's newest version.

        Parameters
        ----------
        paradigm
            Its registered name.
        config
            The canonical ABI encoding of the constructor's parameters.

        Returns
        -------
        bytes
            The instance's address, 20 bytes: that of CREATE for the caller and its nonce.
        """
        template = self._registry.find(paradigm)
        if template is None:
            raise call.error(self.UnknownParadigm, paradigm)
        try:
            instance = template(config)
        except InvalidInput as refusal:
            raise call.error(self.InvalidConfig, str(refusal)) from refusal
        address = call.create(paradigm_code(template.name, template.version, config))
        run(instance.create, call.within(address))
        call.emit(self.Issued, address, call.caller, paradigm)
        return address

    @external("function paradigms() view returns (string[])")
    def paradigms(self, call: Call) -> tuple[str, ...]:
        """Return the names of the paradigms that can be issued."""
        return self._registry.names
