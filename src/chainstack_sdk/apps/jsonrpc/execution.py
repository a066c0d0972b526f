"""Methods that run something: calls, estimates, signed transactions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.apps.jsonrpc import parameters
from chainstack_sdk.apps.jsonrpc.blocks import require_height
from chainstack_sdk.apps.jsonrpc.objects import to_data
from chainstack_sdk.core.environment import OutOfGas
from chainstack_sdk.core.gas import intrinsic_gas
from chainstack_sdk.primitives.address import ZERO_ADDRESS
from chainstack_sdk.primitives.errors import InvalidInput, Rejected

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from chainstack_sdk.apps.jsonrpc.host import RpcHost
    from chainstack_sdk.apps.jsonrpc.parameters import BlockRef
    from chainstack_sdk.core.queries import Simulation
    from chainstack_sdk.core.transactions import AccessList

_MAX_LIST = 4_096
"""Entries in an access list, and keys in each of them."""


@dataclass(frozen=True, slots=True)
class CallRequest:
    """The transaction object of ``eth_call`` and ``eth_estimateGas``."""

    to: bytes
    sender: bytes
    value: int
    """Wei."""
    data: bytes
    gas: int | None
    """The most to use; None: as much as a block has."""
    access_list: AccessList


def call_request(value: object) -> CallRequest:
    """Parse a transaction object.

    Fees, nonce, chain id and type are left aside: a call neither pays nor is signed.

    Raises
    ------
    InvalidInput
        When it is malformed.
    Rejected
        When it has no recipient: contracts are issued through the factory.
    """
    if not isinstance(value, dict):
        raise InvalidInput("not a transaction object")
    to = _field(value, "to", parameters.address, None)
    if to is None:
        raise Rejected("contracts are issued through the factory", code="unsupported")
    data = _field(value, "data", parameters.data, None)
    given = _field(value, "input", parameters.data, data)
    if data is not None and given != data:
        raise InvalidInput("data and input are both given and differ")
    return CallRequest(
        to=to,
        sender=_field(value, "from", parameters.address, ZERO_ADDRESS),
        value=_field(value, "value", parameters.uint256, 0),
        data=given or b"",
        gas=_field(value, "gas", parameters.uint64, None),
        access_list=_field(value, "accessList", parameters.array(_access, most=_MAX_LIST), ()),
    )


def _field(fields: dict[str, Any], name: str, parse: Callable[[object], Any], default: Any) -> Any:
    value = fields.get(name)
    if value is None:
        return default
    try:
        return parse(value)
    except InvalidInput as error:
        raise InvalidInput(f"{name}: {error}") from None


def _access(value: object) -> tuple[bytes, tuple[bytes, ...]]:
    if not isinstance(value, dict):
        raise InvalidInput("not an entry of an access list")
    keys = parameters.array(parameters.hash32, most=_MAX_LIST)(value.get("storageKeys"))
    return parameters.address(value.get("address")), keys


def call(host: RpcHost, request: CallRequest, which: BlockRef) -> str:
    """``eth_call``."""
    return to_data(_simulate(host, request, which).output)


def estimate_gas(host: RpcHost, request: CallRequest, which: BlockRef) -> str:
    """``eth_estimateGas``: what the transaction would use, which is also the least limit that suffices."""
    listed = intrinsic_gas(b"", False, request.access_list) - intrinsic_gas(b"", False, ())
    used = _simulate(host, request, which).gas_used + listed
    if request.gas is not None and used > request.gas:
        raise OutOfGas
    return hex(used)


def _simulate(host: RpcHost, request: CallRequest, which: BlockRef) -> Simulation:
    """Run on the state of a block; on the head's as the next block's transactions would."""
    return host.simulate(
        request.to,
        request.data,
        sender=request.sender,
        value=request.value,
        gas=request.gas,
        block=None if isinstance(which, str) else require_height(host, which),
    )


def send_raw_transaction(host: RpcHost, raw: bytes) -> str:
    """``eth_sendRawTransaction``."""
    return to_data(host.send(raw))
