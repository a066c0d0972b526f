"""Which assets there are, chain by chain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.paradigms import FACTORY_ADDRESS, Erc20Token, Erc721Token
from chainstack_sdk.paradigms.factory import Factory
from chainstack_sdk.paradigms.instance import Instance
from chainstack_sdk.primitives.address import ZERO_ADDRESS
from chainstack_sdk.xchain.addresses import PEG_ADDRESS
from chainstack_sdk.xchain.custody import AssetKind
from chainstack_sdk.xchain.peg.handle import PegApi
from chainstack_sdk.xchain.peg.storage import COIN_NAME, COIN_SYMBOL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from chainstack_sdk.chain import Chain


@dataclass(frozen=True, slots=True)
class AssetRow:
    """One asset on one chain."""

    chain: str
    """The chain's name."""
    name: str
    """The asset's."""
    symbol: str
    kind: AssetKind
    address: bytes
    """The token's contract, 20 bytes; zeros for coin."""
    supply: int
    """Of coin: wei. Of a token: in its smallest unit. Of a collection: how many tokens."""
    locked: int
    """How much of that lies in the peg, and is represented on other chains or on the way."""
    origin: str
    """The chain it came from, where it stands for an asset of another; empty at home."""


class AssetTable(tuple[AssetRow, ...]):
    """The assets of a system, chain after chain; as text, a table for people."""

    __slots__ = ()

    def on(self, chain: str) -> AssetTable:
        """Return the rows of one chain."""
        return AssetTable(row for row in self if row.chain == chain)

    def __str__(self) -> str:
        head = ("chain", "asset", "kind", "supply", "in the peg", "stands for")
        lines = [head, *(_cells(row) for row in self)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
        return "\n".join(
            "  ".join(
                cell.rjust(width) if column in _NUMBERS else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        )


_NUMBERS = (3, 4)
"""Columns that are aligned to the right."""
_WEI_DIGITS = 18


def assets_of(chains: Mapping[str, Chain]) -> AssetTable:
    """Return the assets of chains with pegs: their coin, and all tokens that were issued."""
    names = {chain.chain_id: name for name, chain in chains.items()}
    return AssetTable(row for name, chain in chains.items() for row in _rows(name, chain, names))


def _rows(name: str, chain: Chain, names: Mapping[int, str]) -> Iterator[AssetRow]:
    coin, symbol = (_text(chain.storage(PEG_ADDRESS, _number(at))) for at in (COIN_NAME, COIN_SYMBOL))
    yield AssetRow(
        name, coin, symbol, AssetKind.COIN, ZERO_ADDRESS, chain.supply(), chain.balance(PEG_ADDRESS), ""
    )
    peg = PegApi(chain)
    for event in Instance(chain, FACTORY_ADDRESS, Factory).events("Issued"):
        address, paradigm = event.args["instance"], event.args["paradigm"]
        token: Erc20Token | Erc721Token
        if paradigm == "erc20":
            token, kind = Erc20Token(chain, address), AssetKind.ERC20
        elif paradigm == "erc721":
            token, kind = Erc721Token(chain, address), AssetKind.ERC721
        else:
            continue
        origin = peg.origin_of(address)
        told = "" if origin is None else f"{_KINDS[origin.kind]} of {names.get(origin.chain, origin.chain)}"
        supply, locked = token.total_supply(), token.balance_of(PEG_ADDRESS)
        yield AssetRow(name, token.name, token.symbol, kind, address, supply, locked, told)


_KINDS = {AssetKind.COIN: "coin", AssetKind.ERC20: "token", AssetKind.ERC721: "collection"}


def _cells(row: AssetRow) -> tuple[str, ...]:
    amounts = (
        f"{number / 10**_WEI_DIGITS:,.3f}" if row.kind is AssetKind.COIN else f"{number:,}"
        for number in (row.supply, row.locked)
    )
    return row.chain, f"{row.name} ({row.symbol})", _KINDS[row.kind], *amounts, row.origin


def _number(slot: bytes) -> int:
    return int.from_bytes(slot, "big")


def _text(word: int) -> str:
    """Return the short string that a slot holds, as Solidity lays it out."""
    return word.to_bytes(32, "big")[: (word & 0xFF) >> 1].decode()
