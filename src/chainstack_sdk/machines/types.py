"""The types of the machine language.

============  ==========================================  ==========================  ===================
Kind          Values                                      ABI                         Slots of storage
============  ==========================================  ==========================  ===================
``bool``      ``True``, ``False``                         ``bool``                    1
``uint256``   0 to 2^256 - 1                              ``uint256``                 1
``int256``    -2^255 to 2^255 - 1                         ``int256``                  1, two's complement
``address``   20 bytes                                    ``address``                 1
``bytes32``   32 bytes                                    ``bytes32``                 1
``enum``      number of a member                          ``uint8``                   1
``string``    text of at most ``bound`` bytes of UTF-8    ``string``                  as in Solidity
``bytes``     at most ``bound`` bytes                     ``bytes``                   as in Solidity
``array``     ``bound`` values of one word type           ``T[bound]``                ``bound``
``mapping``   from a word type                            none                        1, and hashed ones
============  ==========================================  ==========================  ===================

The first six are *word* types: a value is one 32-byte word. Only they are keys of mappings and elements of
arrays.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_BOUND = 1_024
"""Bytes in a string or byte string."""
MAX_ARRAY = 256
"""Elements of an array."""
MAX_MAPPING_DEPTH = 3
"""Mappings within mappings."""

WORD_KINDS = ("bool", "uint256", "int256", "address", "bytes32", "enum")
"""Kinds whose values are one word, in the order of their numbers in the encoding, from 0."""


@dataclass(frozen=True, slots=True)
class Type:
    """A type."""

    kind: str
    bound: int = 0
    """Of a string or bytes: bytes at most; of an array: elements; of an enumeration: its number among those
    of the machine."""
    parts: tuple[Type, ...] = ()
    """Of an array: the element; of a mapping: key and value."""

    @property
    def is_word(self) -> bool:
        """Whether a value is one 32-byte word."""
        return self.kind in WORD_KINDS

    @property
    def is_bytes(self) -> bool:
        """Whether it is text or a byte string with a bound."""
        return self.kind in ("string", "bytes")

    @property
    def is_value(self) -> bool:
        """Whether there are values of it outside of storage: everything but mappings."""
        return self.kind != "mapping"

    @property
    def slots(self) -> int:
        """Consecutive slots that a field takes; strings and bytes may use hashed ones besides."""
        return self.bound if self.kind == "array" else 1

    @property
    def words(self) -> int:
        """Slots that hold the largest value, all of them: what reading it can cost."""
        if self.is_bytes:
            return 1 + (self.bound + 31) // 32 if self.bound > 31 else 1
        return self.slots

    @property
    def abi(self) -> str:
        """Its name in the ABI."""
        if self.kind == "array":
            return f"{self.parts[0].abi}[{self.bound}]"
        return "uint8" if self.kind == "enum" else self.kind

    def __str__(self) -> str:
        """Return the type as an author writes it."""
        match self.kind:
            case "string":
                return f"Annotated[str, {self.bound}]"
            case "bytes":
                return f"Annotated[bytes, {self.bound}]"
            case "array":
                return f"Annotated[list[{self.parts[0]}], {self.bound}]"
            case "mapping":
                return f"Mapping[{self.parts[0]}, {self.parts[1]}]"
            case "enum":
                return f"enum {self.bound}"
        return self.kind


BOOL = Type("bool")
UINT = Type("uint256")
INT = Type("int256")
ADDRESS = Type("address")
BYTES32 = Type("bytes32")


def bytes_bound(value: str | bytes) -> int:
    """Return how many bytes a text or byte string takes."""
    return len(value.encode() if isinstance(value, str) else value)
