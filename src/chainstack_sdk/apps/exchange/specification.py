"""What a task asks, besides its applet: a line for people, the applet's input, the schema of the result.

Its encoding is canonical JSON (no white space, keys in order)::

    {"about": text, "input": any JSON, "schema": a schema}

A task knows it by its keccak-256. Up to :data:`MAX_ON_CHAIN` bytes travel in the transaction that publishes
the task; what is longer goes some other way.
"""

from __future__ import annotations

from dataclasses import dataclass

from chainstack_sdk.apps.exchange.schema import check_schema
from chainstack_sdk.apps.sandbox.json_values import Json, decode_json, encode_json
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.types import Hash32

MAX_SPECIFICATION = 65_536
"""The most bytes of the encoding."""

MAX_ON_CHAIN = 1_024
"""The most bytes of a specification, or of an envelope, that go on chain."""


@dataclass(frozen=True, slots=True)
class Specification:
    """What a task asks.

    Raises
    ------
    InvalidInput
        When the schema is none.
    UsageError
        When a part is no JSON, or the whole is longer than :data:`MAX_SPECIFICATION`.
    """

    about: str
    """What it is for, to show to whoever decides."""
    input: Json
    """What the applet is called with."""
    schema: Json
    """What its result must be: see :mod:`chainstack_sdk.apps.exchange.schema`."""

    def __post_init__(self) -> None:
        size = len(self.encode())  # first: it bounds how deep a schema is
        check_schema(self.schema)
        if size > MAX_SPECIFICATION:
            raise UsageError("a specification is too large", limit=MAX_SPECIFICATION, actual=size)

    @property
    def hash(self) -> Hash32:
        """Its identity, 32 bytes."""
        return Hash32(keccak256(self.encode()))

    def encode(self) -> bytes:
        """Return the encoding."""
        return encode_json({"about": self.about, "input": self.input, "schema": self.schema})

    @classmethod
    def decode(cls, data: bytes) -> Specification:
        """Return the specification in an encoding.

        Raises
        ------
        InvalidInput
            When it is none.
        """
        if len(data) > MAX_SPECIFICATION:
            raise InvalidInput("a specification is too large", limit=MAX_SPECIFICATION, actual=len(data))
        match decode_json(data):
            case {"about": str(about), "input": value, "schema": schema, **rest} if not rest:
                try:
                    found = cls(about, value, schema)
                except UsageError as error:
                    raise InvalidInput(f"a specification: {error.message}") from None
                if found.encode() == data:
                    return found
        raise InvalidInput("not the canonical encoding of a specification")
