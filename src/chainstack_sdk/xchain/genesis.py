"""A genesis with a hub."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chainstack_sdk.core.genesis import GenesisAccount
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.xchain.addresses import HUB_ADDRESS
from chainstack_sdk.xchain.hub.storage import GOVERNOR, HUB_CODE

if TYPE_CHECKING:
    from chainstack_sdk.core.genesis import Genesis


def with_hub(genesis: Genesis, governor: bytes) -> Genesis:
    """Return the genesis with a hub at :data:`~chainstack_sdk.xchain.addresses.HUB_ADDRESS`.

    Parameters
    ----------
    governor
        Who registers and pauses other chains: an account or a contract, 20 bytes.

    Raises
    ------
    UsageError
        When the genesis has a hub already, or the governor is no address.
    """
    if HUB_ADDRESS in genesis.accounts:
        raise UsageError("this genesis has a hub already")
    if len(governor) != 20 or not any(governor):
        raise UsageError("a governor is an address of 20 bytes", actual=governor)
    storage = {int.from_bytes(GOVERNOR, "big"): int.from_bytes(governor, "big")}
    account = GenesisAccount(nonce=1, code=HUB_CODE, storage=storage)
    return replace(genesis, accounts={**genesis.accounts, HUB_ADDRESS: account})
