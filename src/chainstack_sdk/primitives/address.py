"""Addresses: 20 bytes inside, text with a checksum (EIP-55) outside."""

from __future__ import annotations

from typing import Protocol, TypeAlias

from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.rlp import list_header, rlp_int
from chainstack_sdk.primitives.types import Address


class HasAddress(Protocol):
    """Anything that knows its own address: an account, a contract's handle."""

    @property
    def address(self) -> bytes:
        """The 20 bytes."""
        ...


AddressLike: TypeAlias = bytes | str | HasAddress
"""What may stand for an address: 20 bytes, ``0x`` text, or an object with ``.address``."""

ZERO_ADDRESS = Address(bytes(20))
"""Nobody's address: the sender in mint events and the recipient in burn events."""


def _checksum(address: bytes) -> str:
    lower = address.hex()
    digest = keccak256(lower.encode()).hex()
    return "0x" + "".join(
        [char.upper() if nibble > "7" else char for char, nibble in zip(lower, digest, strict=False)]
    )


def _from_text(text: str) -> Address:
    digits = text[2:]
    if len(text) == 42 and text[:2] == "0x":
        try:
            address = bytes.fromhex(digits)
        except ValueError:
            address = b""
        if len(address) == 20:  # `fromhex` skips spaces, so 40 characters may give fewer bytes
            if digits in (digits.lower(), digits.upper()) or text == _checksum(address):
                return Address(address)
            raise UsageError(
                "the capitals of this address do not match its checksum (EIP-55): mistyped? "
                "Without a checksum write it in lower case",
                actual=text,
            )
    raise UsageError("an address in text is 0x and 40 hexadecimal digits", actual=text)


def to_address(value: AddressLike) -> Address:
    """Return the 20 bytes of an address given in any accepted form.

    Parameters
    ----------
    value
        20 bytes; ``0x`` and 40 hexadecimal digits, all lower case, all upper case or with a correct
        checksum (EIP-55); or an object whose ``.address`` is 20 bytes, such as an account.

    Raises
    ------
    UsageError
        When it is none of these.
    """
    return _coerce(value)


def _coerce(value: object) -> Address:
    if isinstance(value, str):
        return _from_text(value)
    address = value if isinstance(value, bytes) else getattr(value, "address", None)
    if not isinstance(address, bytes):
        raise UsageError(
            "an address is 20 bytes, 0x text or an object with .address", actual=type(value).__name__
        )
    if len(address) != 20:
        raise UsageError("an address has 20 bytes", actual=len(address))
    return Address(bytes(address))  # a subclass of bytes would not do for the hash function


def is_address(value: object) -> bool:
    """Tell whether :func:`to_address` accepts `value`."""
    try:
        _coerce(value)
    except UsageError:
        return False
    return True


def to_checksum_address(address: AddressLike) -> str:
    """Return an address as text whose capitals are its checksum (EIP-55).

    Raises
    ------
    UsageError
        When `address` is not one; see :func:`to_address`. Text with a wrong checksum is refused,
        not corrected.
    """
    return _checksum(to_address(address))


def contract_address(sender: bytes, nonce: int) -> Address:
    """Return the address of the contract that `sender` creates by its transaction number `nonce`.

    It is the last 20 bytes of keccak(rlp([sender, nonce])) (Yellow Paper, section 7).
    """
    if len(sender) != 20 or nonce < 0:
        raise UsageError("a contract's address derives from 20 bytes and a nonce of at least 0")
    payload = b"\x94" + sender + rlp_int(nonce)
    return Address(keccak256(list_header(len(payload)) + payload)[12:])
