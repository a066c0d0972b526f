"""From a wallet's recovery phrase to a secret key: BIP-39's seed, then BIP-32's tree of keys."""

from __future__ import annotations

import hmac
from hashlib import pbkdf2_hmac
from unicodedata import normalize

from chainstack_sdk.primitives._secp256k1 import open_key
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keys import N

_HARDENED = 1 << 31
_ETHEREUM_PATH = (44 + _HARDENED, 60 + _HARDENED, _HARDENED, 0)
_ROUNDS = 2048


def derive_key(phrase: str, index: int, passphrase: str) -> bytes:
    """Return the 32-byte secret key at ``m/44'/60'/0'/0/index``; see ``Account.from_mnemonic``."""
    words = normalize("NFKD", phrase).split()
    if len(words) not in (12, 15, 18, 21, 24):
        raise UsageError("a recovery phrase has 12, 15, 18, 21 or 24 words", actual=len(words))
    if not 0 <= index < _HARDENED:
        raise UsageError("an account's index is from 0 to 2**31 - 1", actual=index)
    try:
        salt = normalize("NFKD", "mnemonic" + passphrase).encode()
        secret = " ".join(words).encode()
    except UnicodeEncodeError:
        raise UsageError("a recovery phrase does not hold lone surrogates") from None
    seed = pbkdf2_hmac("sha512", secret, salt, _ROUNDS)
    node = hmac.digest(b"Bitcoin seed", seed, "sha512")
    key, chain_code = node[:32], node[32:]
    for step in (*_ETHEREUM_PATH, index):
        key, chain_code = _child(key, chain_code, step)
    return key


def _child(key: bytes, chain_code: bytes, step: int) -> tuple[bytes, bytes]:
    """Return a child's key and chain code (BIP-32, "Private parent key to private child key")."""
    if step >= _HARDENED:
        material = b"\0" + key
    else:
        point, _ = open_key(key)
        material = bytes([2 + (point[63] & 1)]) + point[:32]
    node = hmac.digest(chain_code, material + step.to_bytes(4, "big"), "sha512")
    tweak = int.from_bytes(node[:32], "big")
    child = (tweak + int.from_bytes(key, "big")) % N
    if tweak >= N or child == 0:
        raise UsageError("this phrase has no key at this index; use another (one chance in 2**127)")
    return child.to_bytes(32, "big"), node[32:]
