"""What pegs say to each other: the payload of their packets.

An RLP list; numbers are big-endian without leading zeros, text is UTF-8::

    leaving home    [kind, token 20, number, sender 20, to 20, name, symbol, decimals, uri]
    going home      [kind, token 20, number, sender 20, to 20]

``kind``, ``token`` and ``number`` are those of the asset *at home*: on the chain that sends it for one that
leaves, on the chain that receives it for one that goes home. What leaves home is locked there and carries
what its representation is made with; what goes home has been burnt.

**Caveats.** The other chain vouches for all of it. What a chain that lies can take is at most what is locked
for it; see :mod:`chainstack_sdk.xchain.peg.contract`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.rlp import decode_int, rlp_decode, rlp_encode
from chainstack_sdk.xchain.custody import Asset, AssetKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainstack_sdk.primitives.rlp import Encodable

MAX_NAME: Final = 128
"""Bytes of a token's name that are carried."""
MAX_SYMBOL: Final = 32
"""Bytes of a token's symbol that are carried."""
MAX_URI: Final = 4_096
"""Bytes in the URI of a token of a collection; longer ones cannot travel."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """How an asset is shown to people.

    Raises
    ------
    InvalidInput
        On construction, when something is too long.
    """

    name: str
    """At most 128 bytes."""
    symbol: str
    """At most 32 bytes."""
    decimals: int = 0
    """How many decimals people are shown, below 256; 0 for collections."""
    uri: str = ""
    """Where the metadata of one token of a collection are, at most 4,096 bytes."""

    def __post_init__(self) -> None:
        for text, limit in ((self.name, MAX_NAME), (self.symbol, MAX_SYMBOL), (self.uri, MAX_URI)):
            if len(text.encode()) > limit:
                raise InvalidInput("metadata are too long", expected=limit, actual=len(text.encode()))
        if not 0 <= self.decimals < 256:
            raise InvalidInput("a number of decimals has 8 bits", actual=self.decimals)

    def named_after(self, chain: int) -> Self:
        """Return the metadata of the representation: the name says which chain the asset came from."""
        return type(self)(
            f"{cut(self.name, MAX_NAME - 29)} (chain {chain})", self.symbol, self.decimals, self.uri
        )


@dataclass(frozen=True, slots=True)
class Transfer:
    """An asset on its way from one chain to another."""

    asset: Asset
    """As it is at home."""
    sender: bytes
    """Who sends it, and gets it back if it does not arrive, 20 bytes."""
    to: bytes
    """Who gets it on the other chain, 20 bytes."""
    metadata: Metadata | None = None
    """Of an asset that leaves home; None for one that goes home."""

    def encode(self) -> bytes:
        """Return the payload of the packet."""
        asset, told = self.asset, self.metadata
        items: list[Encodable] = [int(asset.kind), asset.token, asset.number, self.sender, self.to]
        if told is not None:
            items += [told.name.encode(), told.symbol.encode(), told.decimals, told.uri.encode()]
        return rlp_encode(items)

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Decode what :meth:`encode` gives.

        Raises
        ------
        InvalidInput
            When it is no transfer.
        """
        items = rlp_decode(payload)
        fields = [item for item in items if isinstance(item, bytes)]
        if not isinstance(items, list) or len(fields) != len(items) or len(fields) not in (5, 9):
            raise InvalidInput("not a transfer between chains", actual=payload[:64])
        kind, token, number, sender, to, *carried = fields
        if len(sender) != 20 or len(to) != 20:
            raise InvalidInput("an account has 20 bytes", sender=sender, to=to)
        return cls(_asset(kind, token, number), sender, to, _metadata(carried) if carried else None)


def cut(text: str, limit: int) -> str:
    """Return the beginning of a text that has at most so many bytes in UTF-8."""
    return text.encode()[:limit].decode(errors="ignore")


def _asset(kind: bytes, token: bytes, number: bytes) -> Asset:
    known, amount = decode_int(kind, 1), decode_int(number, 32)
    if known > max(AssetKind):
        raise InvalidInput("no such kind of asset", actual=known)
    if known != AssetKind.ERC721 and not amount:
        raise InvalidInput("a transfer of nothing")
    try:
        return Asset(AssetKind(known), token, amount)
    except UsageError as error:
        raise InvalidInput(error.message, token=token) from error


def _metadata(carried: Sequence[bytes]) -> Metadata:
    name, symbol, decimals, uri = carried
    try:
        return Metadata(name.decode(), symbol.decode(), decode_int(decimals, 1), uri.decode())
    except UnicodeDecodeError as error:
        raise InvalidInput("text is UTF-8", actual=error.object[:64]) from error
