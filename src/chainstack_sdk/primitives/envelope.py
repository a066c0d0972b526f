"""Envelopes: bytes that only one receiver can read.

::

    sealed   public key of the envelope 32 ‖ ciphertext ‖ tag 16
    key      HKDF-SHA256(X25519(secret of the envelope, receiver), no salt,
             info = "chainstack key envelope" ‖ public key of the envelope 32 ‖ receiver 32), 32 bytes
    cipher   ChaCha20-Poly1305, nonce 0, with the context as associated data

X25519 is RFC 7748, HKDF RFC 5869, ChaCha20-Poly1305 RFC 8439. Each envelope has a key pair of its own, which
follows from the sender's seed and a hash of everything that goes into the envelope: no key ever seals two
texts, not even where a seed is used again, and so the nonce may be constant. The context says what the
envelope is for: users of different kinds begin it differently.

**Caveats.** An envelope does not tell who sealed it: senders sign it. Who records envelopes and learns the
receiver's seed later can read them, so receivers use a seed for one purpose only, and erase it.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256

OPEN_KEY_BYTES = 32
OVERHEAD_BYTES = 48
"""By how much an envelope is longer than what is in it."""
_SEED_BYTES = 32
_CIPHER_DOMAIN = b"chainstack key envelope"
_RECEIVER_DOMAIN = b"chainstack envelope receiver"
_SENDER_DOMAIN = b"chainstack envelope sender"
_NONCE = bytes(12)


class EnvelopeKey:
    """Opens envelopes; made by :func:`open_key`.

    Parameters
    ----------
    secret
        X25519 secret, 32 bytes.
    """

    __slots__ = ("_secret", "public")

    public: bytes
    """What senders need, 32 bytes."""

    def __init__(self, secret: bytes) -> None:
        self._secret = X25519PrivateKey.from_private_bytes(secret)
        self.public = self._secret.public_key().public_bytes_raw()

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Return what is in an envelope.

        Parameters
        ----------
        sealed
            Any bytes.
        context
            What the sender gave.

        Raises
        ------
        InvalidInput
            When it was not sealed for this key and context.
        """
        if len(sealed) < OVERHEAD_BYTES:
            raise InvalidInput("an envelope has at least 48 bytes", actual=len(sealed))
        sender = sealed[:OPEN_KEY_BYTES]
        cipher = _cipher(_exchanged(self._secret, sender), sender, self.public)
        try:
            return cipher.decrypt(_NONCE, sealed[OPEN_KEY_BYTES:], context)
        except InvalidTag as error:
            raise InvalidInput("an envelope is for another key or context") from error


def open_key(seed: bytes) -> EnvelopeKey:
    """Return the key that follows from a seed of at least 32 random bytes, known to nobody else.

    Raises
    ------
    UsageError
        When the seed is short.
    """
    return EnvelopeKey(keccak256(_RECEIVER_DOMAIN + _long_enough(seed)))


def seal(recipient_public: bytes, plaintext: bytes, context: bytes, seed: bytes) -> bytes:
    """Return an envelope: 48 bytes longer than its content, and always the same for the same arguments.

    Parameters
    ----------
    recipient_public
        The receiver's :attr:`EnvelopeKey.public`: any bytes.
    context
        What both sides know and the envelope is bound to.
    seed
        At least 32 random bytes of the sender's, known to nobody else.

    Raises
    ------
    InvalidInput
        When the receiver's key is none.
    UsageError
        When the seed is short.
    """
    hashes = keccak256(recipient_public) + keccak256(context) + keccak256(plaintext)
    secret = X25519PrivateKey.from_private_bytes(keccak256(_SENDER_DOMAIN + hashes + _long_enough(seed)))
    sender = secret.public_key().public_bytes_raw()
    cipher = _cipher(_exchanged(secret, recipient_public), sender, recipient_public)
    return sender + cipher.encrypt(_NONCE, plaintext, context)


def _exchanged(secret: X25519PrivateKey, public: bytes) -> bytes:
    try:
        return secret.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError as error:  # another length, or a point of small order
        raise InvalidInput("no public key of X25519", actual=public) from error


def _cipher(shared: bytes, sender: bytes, receiver: bytes) -> ChaCha20Poly1305:
    info = _CIPHER_DOMAIN + sender + receiver
    return ChaCha20Poly1305(HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(shared))


def _long_enough(seed: bytes) -> bytes:
    if len(seed) < _SEED_BYTES:
        raise UsageError("a seed has at least 32 bytes", actual=len(seed))
    return seed
