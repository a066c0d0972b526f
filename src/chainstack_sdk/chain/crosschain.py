"""The contracts for other chains in a genesis and a runtime: hub, peg, atomic transactions, swaps, registry.

A genesis with the registry has them all, and whoever runs the chain finds that out by the genesis alone. The
contracts themselves are loaded when they are first called: what is written here costs a chain no time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chainstack_sdk.core.genesis import GenesisAccount
from chainstack_sdk.core.late import LateContract
from chainstack_sdk.core.native.code import system_code
from chainstack_sdk.primitives.address import ZERO_ADDRESS, to_address
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.xchain import addresses

if TYPE_CHECKING:
    from chainstack_sdk.core.genesis import Genesis
    from chainstack_sdk.core.interfaces import Contract
    from chainstack_sdk.primitives.address import AddressLike

# What the packages of xchain call the same; they are too heavy for every chain to load, and tests compare.
_HUB, _PEG, _PARTICIPANT, _COORDINATOR, _SWAPS, _REGISTRY = map(
    system_code, ("hub", "peg", "atomic participant", "atomic coordinator", "swaps", "registry")
)
_GOVERNOR, _COIN_NAME, _COIN_SYMBOL = 0, 9, 10
_MAX_TEXT = 31  # a text with its length in one slot


@dataclass(frozen=True, slots=True)
class CrossChain:
    """How a chain takes part in a system of chains.

    Raises
    ------
    UsageError
        On construction, when the governor is nobody, or a text is empty or too long.
    """

    governor: bytes
    """Registers other chains with the hub, and pauses them; 20 bytes."""
    coin_name: str = "Coin"
    """How the chain's coin is called on other chains, 1 to 31 bytes."""
    coin_symbol: str = "COIN"
    """Short for it, 1 to 31 bytes."""
    allowance: int = 0
    """Wei that the governor has from the start, for fees, besides what the genesis gives it."""

    def __post_init__(self) -> None:
        if len(self.governor) != 20 or self.governor == ZERO_ADDRESS:
            raise UsageError("a governor is an address of 20 bytes", actual=self.governor)
        for text in (self.coin_name, self.coin_symbol):
            if not 0 < len(text.encode()) <= _MAX_TEXT:
                raise UsageError("the name and the symbol of a coin have 1 to 31 bytes", actual=text)


def with_crosschain(genesis: Genesis, setup: CrossChain | AddressLike) -> Genesis:
    """Return the genesis with all contracts for other chains.

    Parameters
    ----------
    setup
        The governor's address alone leaves everything else at its default.

    Raises
    ------
    UsageError
        When the genesis has one of them already, or the governor is nobody.
    """
    chosen = setup if isinstance(setup, CrossChain) else CrossChain(to_address(setup))
    peg = {_COIN_NAME: _short_text(chosen.coin_name), _COIN_SYMBOL: _short_text(chosen.coin_symbol)}
    added = {
        addresses.HUB_ADDRESS: _contract(_HUB, {_GOVERNOR: int.from_bytes(chosen.governor, "big")}),
        addresses.PEG_ADDRESS: _contract(_PEG, peg),
        addresses.PARTICIPANT_ADDRESS: _contract(_PARTICIPANT, {}),
        addresses.COORDINATOR_ADDRESS: _contract(_COORDINATOR, {}),
        addresses.SWAPS_ADDRESS: _contract(_SWAPS, {}),
        addresses.REGISTRY_ADDRESS: _contract(_REGISTRY, {}),
    }
    taken = sorted(added.keys() & genesis.accounts.keys())
    if taken:
        raise UsageError("this genesis has a contract for other chains already", actual=taken[0])
    governor = genesis.accounts.get(chosen.governor, GenesisAccount())
    if chosen.allowance:
        added[chosen.governor] = replace(governor, balance=governor.balance + chosen.allowance)
    return replace(genesis, accounts={**genesis.accounts, **added})


def crosschain_contracts() -> dict[bytes, Contract]:
    """Return what the runtime of a chain :func:`with_crosschain` has to know, by code."""
    return {
        _HUB: LateContract(_hub),
        _PEG: LateContract(_peg),
        _PARTICIPANT: LateContract(_participant),
        _COORDINATOR: LateContract(_coordinator),
        _SWAPS: LateContract(_swaps),
        _REGISTRY: LateContract(_registry),
    }


def _contract(code: bytes, storage: dict[int, int]) -> GenesisAccount:
    return GenesisAccount(nonce=1, code=code, storage=storage)


def _short_text(text: str) -> int:
    """Return what Solidity keeps in the slot of a short string."""
    content = text.encode()
    return int.from_bytes(content.ljust(32, b"\0"), "big") | len(content) << 1


def _hub() -> Contract:
    from chainstack_sdk.xchain.hub import Hub

    return Hub()


def _peg() -> Contract:
    from chainstack_sdk.xchain.peg import Peg

    return Peg()


def _participant() -> Contract:
    from chainstack_sdk.xchain.atomic import Participant

    return Participant()


def _coordinator() -> Contract:
    from chainstack_sdk.xchain.atomic import Coordinator

    return Coordinator()


def _swaps() -> Contract:
    from chainstack_sdk.xchain.swaps import SwapContract

    return SwapContract()


def _registry() -> Contract:
    from chainstack_sdk.xchain.registry import ChainRegistry

    return ChainRegistry()
