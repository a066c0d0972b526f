"""The system contracts for other chains, by their code; each is loaded when it is first called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.late import LateContract
from chainstack_sdk.xchain.hub.storage import HUB_CODE

if TYPE_CHECKING:
    from chainstack_sdk.core.interfaces import Contract


def system_contracts() -> dict[bytes, Contract]:
    """Return what a chain's runtime has to know for a genesis :func:`~.genesis.with_hub`."""
    return {HUB_CODE: LateContract(_hub)}


def _hub() -> Contract:
    from chainstack_sdk.xchain.hub.contract import Hub

    return Hub()
