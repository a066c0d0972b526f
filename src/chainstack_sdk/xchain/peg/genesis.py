"""A genesis with a peg."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chainstack_sdk.core.genesis import GenesisAccount
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.xchain.addresses import PEG_ADDRESS
from chainstack_sdk.xchain.peg.storage import COIN_NAME, COIN_SYMBOL, PEG_CODE

if TYPE_CHECKING:
    from chainstack_sdk.core.genesis import Genesis

_MAX_BYTES = 31  # a text with its length in one slot


def with_peg(genesis: Genesis, coin_name: str = "Coin", coin_symbol: str = "COIN") -> Genesis:
    """Return the genesis with a peg at :data:`~chainstack_sdk.xchain.addresses.PEG_ADDRESS`.

    It needs a hub and the paradigm factory, with its ERC-20 and ERC-721, beside it.

    Parameters
    ----------
    coin_name, coin_symbol
        How the chain's coin is called on other chains, 1 to 31 bytes each.

    Raises
    ------
    UsageError
        When the genesis has a peg already, or a text is empty or too long.
    """
    if PEG_ADDRESS in genesis.accounts:
        raise UsageError("this genesis has a peg already")
    names = ((COIN_NAME, coin_name), (COIN_SYMBOL, coin_symbol))
    written = {int.from_bytes(at, "big"): _short_text(text) for at, text in names}
    account = GenesisAccount(nonce=1, code=PEG_CODE, storage=written)
    return replace(genesis, accounts={**genesis.accounts, PEG_ADDRESS: account})


def _short_text(text: str) -> int:
    """Return what Solidity keeps in the slot of a short string."""
    content = text.encode()
    if not 0 < len(content) <= _MAX_BYTES:
        raise UsageError("the name and the symbol of a coin have 1 to 31 bytes", actual=text)
    return int.from_bytes(content.ljust(32, b"\0"), "big") | len(content) << 1
