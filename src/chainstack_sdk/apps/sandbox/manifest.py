"""What an applet says about itself before anybody runs it.

The encoding is RLP, canonical and strict::

    [name, version, author (20 bytes), kind, entry, [record, ...], emit, [fuel, memory, milliseconds]]

Text is ASCII. The names of records stand in ascending order, each once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, cast

from chainstack_sdk.apps.sandbox.errors import AppletRefused
from chainstack_sdk.apps.sandbox.limits import Limits
from chainstack_sdk.primitives.address import to_checksum_address
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.rlp import decode_int, rlp_encode
from chainstack_sdk.primitives.types import Address

if TYPE_CHECKING:
    from chainstack_sdk.primitives.rlp import Encodable, RlpItem

Kind = Literal["js", "wasm"]
"""The language of an applet: JavaScript source, or a WebAssembly module in binary form."""

MAX_EMIT = 1 << 20
"""The most bytes an applet may ask to let out: 1 MiB."""

MAX_RECORDS = 64
"""The most kinds of record an applet may ask for."""

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_VERSION: Final = re.compile(r"(0|[1-9][0-9]{0,8})(\.(0|[1-9][0-9]{0,8})){2}")
_ENTRY: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]{0,63}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """An applet's name, author, way in, wishes and limits.

    Raises
    ------
    AppletRefused
        When a field is not what its description says.
    """

    name: str
    """1 to 64 of ``a-z 0-9 . _ -``, a letter or digit first."""
    version: str
    """Three numbers with dots between them."""
    author: Address
    """Who signs the package: 20 bytes."""
    kind: Kind
    """``"js"`` or ``"wasm"``."""
    entry: str = "main"
    """The function to call: an identifier of 1 to 64 ASCII characters."""
    records: tuple[str, ...] = ()
    """Capability ``records.read``: which records it asks to read; ascending, at most 64, named alike."""
    emit: int = 0
    """Capability ``emit``: how many bytes it asks to let out, at most 1 MiB; 0 for none."""
    limits: Limits = field(default_factory=Limits)
    """What it asks to use."""

    def __post_init__(self) -> None:
        for what, value, pattern in (
            ("name", self.name, _NAME),
            ("version", self.version, _VERSION),
            ("entry", self.entry, _ENTRY),
            *(("record", record, _NAME) for record in self.records),
        ):
            if pattern.fullmatch(value) is None:
                raise AppletRefused(f"the {what} of an applet is malformed", actual=value)
        if len(self.author) != 20:
            raise AppletRefused("an author's address has 20 bytes", actual=len(self.author))
        if self.kind not in ("js", "wasm"):
            raise AppletRefused("an applet is of kind js or wasm", actual=self.kind)
        if list(self.records) != sorted(set(self.records)):
            raise AppletRefused("the records of an applet are in ascending order, each once")
        if len(self.records) > MAX_RECORDS:
            raise AppletRefused("an applet asks for at most 64 records", actual=len(self.records))
        if not 0 <= self.emit <= MAX_EMIT:
            raise AppletRefused("an applet emits at most 1 MiB", actual=self.emit)

    @property
    def capabilities(self) -> tuple[str, ...]:
        """What it asks for, one line each, to show to whoever decides."""
        read = tuple(f"records.read {name}" for name in self.records)
        return (*read, f"emit <= {self.emit} bytes") if self.emit else read

    def describe(self) -> str:
        """Return a few lines for people: who made it, what it asks for, what it may use."""
        asks = self.capabilities or ("nothing",)
        return "\n".join(
            [
                f"{self.name} {self.version} ({self.kind}) by {to_checksum_address(self.author)}",
                *(f"  asks for: {line}" for line in asks),
                f"  uses at most {self.limits.fuel:,} fuel and {self.limits.memory:,} bytes of memory",
            ]
        )

    def items(self) -> list[Encodable]:
        """Return the fields in the order of the encoding."""
        limits = self.limits
        return [
            self.name.encode(),
            self.version.encode(),
            self.author,
            self.kind.encode(),
            self.entry.encode(),
            [record.encode() for record in self.records],
            self.emit,
            [limits.fuel, limits.memory, limits.milliseconds],
        ]

    def encode(self) -> bytes:
        """Return the encoding."""
        return rlp_encode(self.items())


def manifest_of(item: RlpItem) -> Manifest:
    """Return the manifest that an RLP item stands for.

    Raises
    ------
    AppletRefused
        When it is none.
    """
    match item:
        case [
            bytes(name), bytes(version), bytes(author), bytes(kind), bytes(entry),
            list(records), bytes(emit), [bytes(fuel), bytes(memory), bytes(milliseconds)],
        ]:  # fmt: skip
            pass
        case _:
            raise AppletRefused("not an applet's manifest")
    try:
        return Manifest(
            _text(name),
            _text(version),
            Address(author),
            cast(Kind, _text(kind)),
            _text(entry),
            tuple(_text(record) for record in records),
            decode_int(emit, 8),
            Limits(decode_int(fuel, 8), decode_int(memory, 8), decode_int(milliseconds, 8)),
        )
    except UsageError as error:
        raise AppletRefused(error.message, **error.facts) from None
    except AppletRefused:
        raise
    except InvalidInput as error:
        raise AppletRefused(f"an applet's manifest: {error.message}") from None


def _text(item: RlpItem) -> str:
    if not isinstance(item, bytes) or not item.isascii():
        raise AppletRefused("text in an applet's manifest is ASCII")
    return item.decode()
