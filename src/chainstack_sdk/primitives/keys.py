"""Keys of accounts: secp256k1 signatures and the recovery of a signer from one.

A signature is 65 bytes, r (32) then s (32) then v (1), big-endian. Here s is always in the lower half of
the group order (EIP-2), so that a signed message has one signature and not two.
"""

from __future__ import annotations

from os import urandom
from typing import TYPE_CHECKING, Protocol

from chainstack_sdk.primitives.address import to_checksum_address
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256, keccak256_many
from chainstack_sdk.primitives.types import Address, Hash32

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Order of the group of secp256k1 (SEC 2, section 2.4.1)."""

HALF_N = N // 2
"""The largest s that a signature may have (EIP-2)."""


class Signer(Protocol):
    """What signs for an account: an :class:`Account`, a hardware wallet, a remote service."""

    @property
    def address(self) -> bytes:
        """The account's 20 bytes."""
        ...

    def sign(self, digest: bytes) -> bytes:
        """Return r, s, v (65 bytes, v 0 or 1, low s) over a 32-byte digest."""
        ...


class Account:
    """A secp256k1 key and the address that it controls.

    Made by :meth:`create`, :meth:`from_key` or :meth:`from_mnemonic`. Two accounts are equal when their
    addresses are. Only the checksummed address is ever shown; the secret is in :attr:`secret_key`, and
    in a pickle of the account.
    """

    __slots__ = ("_address", "_public_key", "_secret_key", "_sign")

    _address: Address | None
    _public_key: bytes
    _secret_key: bytes
    _sign: Callable[[bytes], bytes]

    def __init__(self, secret_key: bytes) -> None:
        if len(secret_key) != 32 or not 0 < int.from_bytes(secret_key, "big") < N:
            raise UsageError("a secret key is 32 bytes standing for a number from 1 to N - 1")
        self._secret_key = bytes(secret_key)
        self._address = None

    @classmethod
    def create(cls) -> Account:
        """Return an account with a new key from the operating system's randomness."""
        while True:
            secret = urandom(32)
            if 0 < int.from_bytes(secret, "big") < N:
                return cls(secret)

    @classmethod
    def from_key(cls, secret: bytes | str | int) -> Account:
        """Return the account of a secret key.

        Parameters
        ----------
        secret
            32 bytes, 64 hexadecimal digits (with or without ``0x``), or the number itself.

        Raises
        ------
        UsageError
            When it is none of these, or not from 1 to N - 1. The message does not repeat the secret.
        """
        if isinstance(secret, str):
            try:
                secret = bytes.fromhex(secret.removeprefix("0x"))
            except ValueError:
                raise UsageError("a secret key in text is 64 hexadecimal digits") from None
        elif isinstance(secret, int):
            if not 0 < secret < N:
                raise UsageError("a secret key is a number from 1 to N - 1")
            secret = secret.to_bytes(32, "big")
        elif not isinstance(secret, bytes):
            raise UsageError("a secret key is bytes, text or a number", actual=type(secret).__name__)
        return cls(secret)

    @classmethod
    def from_mnemonic(cls, phrase: str, *, index: int = 0, passphrase: str = "") -> Account:
        """Return account number `index` of a wallet's recovery phrase.

        The seed is BIP-39's, the key is at the BIP-32 path ``m/44'/60'/0'/0/index``, as in common
        wallets. The checksum inside the phrase is *not* verified, since that takes the list of words: a
        mistyped word silently gives another account.

        Parameters
        ----------
        phrase
            12, 15, 18, 21 or 24 words.
        index
            From 0 to 2**31 - 1.
        passphrase
            BIP-39's optional extra word.

        Raises
        ------
        UsageError
            When the number of words or the index is out of range, or UTF-8 cannot encode the text.
        """
        from chainstack_sdk.primitives._mnemonic import derive_key

        return cls(derive_key(phrase, index, passphrase))

    def _open(self) -> Address:
        """Compute what follows from the secret: on first use, since it takes as long as a signature."""
        from chainstack_sdk.primitives._secp256k1 import open_key

        self._public_key, self._sign = open_key(self._secret_key)
        self._address = Address(keccak256(self._public_key)[12:])
        return self._address

    @property
    def address(self) -> Address:
        """The 20 bytes: the last of keccak(public key)."""
        address = self._address
        return self._open() if address is None else address

    @property
    def checksum_address(self) -> str:
        """The address as text with a checksum (EIP-55)."""
        return to_checksum_address(self.address)

    @property
    def public_key(self) -> bytes:
        """The point: x (32 bytes) then y (32 bytes)."""
        if self._address is None:
            self._open()
        return self._public_key

    @property
    def secret_key(self) -> bytes:
        """The secret: 32 bytes. Whoever has it owns the account."""
        return self._secret_key

    def sign(self, digest: bytes) -> bytes:
        """Sign a 32-byte digest.

        Returns
        -------
        bytes
            r, s, v (65 bytes); v is 0 or 1, s is low, and the same digest always gives the same
            signature (RFC 6979).

        Raises
        ------
        UsageError
            When `digest` is not 32 bytes.
        """
        if len(digest) != 32:
            raise UsageError("a digest to sign has 32 bytes", actual=len(digest))
        if self._address is None:
            self._open()
        return self._sign(digest)

    def sign_message(self, message: bytes | str) -> bytes:
        """Sign a message for people, as wallets do (EIP-191, version ``0x45``).

        Text is signed as UTF-8.

        Returns
        -------
        bytes
            r, s, v (65 bytes); here v is 27 or 28.

        Raises
        ------
        UsageError
            When the message is text that UTF-8 cannot encode.
        """
        signature = self.sign(hash_message(message))
        return signature[:64] + bytes([signature[64] + 27])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Account):
            return NotImplemented
        return self.address == other.address

    def __hash__(self) -> int:
        return hash(self.address)

    def __str__(self) -> str:
        return self.checksum_address

    def __repr__(self) -> str:
        return f"Account({self.checksum_address})"

    def __reduce__(self) -> tuple[type[Account], tuple[bytes]]:
        return Account, (self._secret_key,)


def hash_message(message: bytes | str) -> Hash32:
    """Return the digest that :meth:`Account.sign_message` signs (EIP-191, version ``0x45``).

    Raises
    ------
    UsageError
        When the message is text that UTF-8 cannot encode.
    """
    try:
        content = message.encode() if isinstance(message, str) else message
    except UnicodeEncodeError:
        raise UsageError("a message does not hold lone surrogates") from None
    return Hash32(keccak256(b"\x19Ethereum Signed Message:\n%d%b" % (len(content), content)))


def _first_recovery(digest: bytes, signature: bytes) -> bytes:
    global _recover_key
    from chainstack_sdk.primitives._secp256k1 import recover as _recover_key

    return _recover_key(digest, signature)


_recover_key: Callable[[bytes, bytes], bytes] = _first_recovery


def recover(digest: bytes, signature: bytes) -> bytes:
    """Return the address that signed: the fast path, for callers who have checked that s is low.

    Parameters
    ----------
    digest
        The 32 bytes that were signed.
    signature
        r, s, v (65 bytes); v is 0 or 1.

    Raises
    ------
    InvalidInput
        When a size or v is wrong, r or s is not from 1 to N - 1, or no key makes this signature.
    """
    return keccak256(_signing_key(digest, signature))[12:]


def recover_many(requests: Iterable[tuple[bytes, bytes]]) -> list[bytes | InvalidInput]:
    """Do what :func:`recover` does for many digests and signatures; an error takes its place in the list."""
    found: list[bytes | InvalidInput] = []
    for digest, signature in requests:
        try:
            found.append(_signing_key(digest, signature))
        except InvalidInput as error:
            found.append(error)
    hashes = iter(keccak256_many([key for key in found if isinstance(key, bytes)]))
    return [next(hashes)[12:] if isinstance(key, bytes) else key for key in found]


def _signing_key(digest: bytes, signature: bytes) -> bytes:
    """Return the public key that signed, 64 bytes."""
    try:
        if signature[64] > 1:
            raise InvalidInput("v of a signature is 0 or 1", actual=signature[64])
        return _recover_key(digest, signature)
    except (ValueError, IndexError) as error:
        raise InvalidInput("no key makes this signature", signature=signature) from error


def recover_sender(digest: bytes, signature: bytes) -> Address:
    """Return the address whose key made a signature over a digest.

    Parameters
    ----------
    digest
        The 32 bytes that were signed.
    signature
        r, s, v (65 bytes); v is 0, 1, 27 or 28.

    Raises
    ------
    InvalidInput
        When a size or v is wrong, r or s is not from 1 to N - 1, s is above :data:`HALF_N` (EIP-2), or
        no key makes this signature.
    """
    if len(signature) != 65:
        raise InvalidInput("a signature has 65 bytes", actual=len(signature))
    if int.from_bytes(signature[32:64], "big") > HALF_N:
        raise InvalidInput("s of a signature is in the upper half of the group order")
    v = signature[64]
    if v in (27, 28):
        signature = signature[:64] + bytes([v - 27])
    return Address(recover(digest, signature))
