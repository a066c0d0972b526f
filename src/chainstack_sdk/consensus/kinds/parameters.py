"""Parameters of a consensus as bytes, so that a genesis can fix them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self

from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.rlp import decode_int, rlp_decode, rlp_encode

if TYPE_CHECKING:
    from chainstack_sdk.core.genesis import Genesis


@dataclass(frozen=True, slots=True)
class IntegerParameters:
    """A base of frozen dataclasses whose fields are all integers from 0 to 2^256 - 1.

    Raises
    ------
    UsageError
        When a field is not in this range.
    """

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 <= value < 1 << 256:
                raise UsageError(f"{field.name} is an integer from 0 to 2^256 - 1", actual=value)

    def encode(self) -> bytes:
        """Return the RLP list of the fields, in their order."""
        return rlp_encode([getattr(self, field.name) for field in fields(self)])

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Decode what :meth:`encode` gives.

        Raises
        ------
        InvalidInput
            When it is not that, or a field is out of range.
        """
        items = rlp_decode(data)
        count = len(fields(cls))
        if not isinstance(items, list) or len(items) != count:
            raise InvalidInput("parameters are a list of integers", expected=count)
        values = []
        for item in items:
            if not isinstance(item, bytes):
                raise InvalidInput("a parameter is an integer")
            values.append(decode_int(item))
        try:
            return cls(*values)
        except UsageError as error:
            raise InvalidInput(error.message, **error.facts) from error

    @classmethod
    def of(cls, genesis: Genesis) -> Self:
        """Return the parameters that a genesis fixes.

        Raises
        ------
        UsageError
            When it fixes others, or none.
        """
        try:
            return cls.decode(genesis.engine_parameters)
        except InvalidInput as error:
            raise UsageError(
                "the genesis fixes no parameters of this consensus", engine=genesis.engine
            ) from error
