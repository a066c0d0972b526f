"""Payment proofs before a smart contract: the contract's source, and what its calls want beside the proof.

The contract is written in Vyper and needs the precompiles of EIP-2537 (Ethereum since Prague). It takes a
proof's own bytes (see ``docs/cspv-format.md``), which hold the signature as the first coordinate of a point
and one bit, and keys likewise. The precompiles want both coordinates, so this module works out the others::

    constructor   chain id, evm_key(group key)
    any proof     evm_arguments(proof)

What the contract checks, emits and costs is in ``docs/cspv-verifiers.md``.

**Caveats.** Nothing here is a check: a coordinate is worked out for whatever lies on the curve, and the
contract is the judge. Only receipt proofs of the chain key scheme without links are for the contract.
"""

from __future__ import annotations

from importlib.resources import files

from chainstack_sdk.primitives.errors import InvalidInput

_P = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
"""The field's modulus; it leaves 3 when divided by 4, so that a square root is a power."""
_HALF = (_P - 1) // 2
_COMPRESSED, _IDENTITY, _LARGER = 0x80, 0x40, 0x20
_SIGNATURE = slice(155, 203)
_KEY_BYTES = 96


def contract_source() -> str:
    """Return the contract's source, for the compiler ``vyper`` 0.4.3 or a later 0.4."""
    return files(__package__).joinpath("CspvVerifier.vy").read_text(encoding="utf-8")


def evm_arguments(proof: bytes) -> tuple[bytes, bytes]:
    """Return what the contract's functions take for a proof.

    Parameters
    ----------
    proof
        A receipt proof's bytes.

    Returns
    -------
    tuple of bytes
        The same bytes, and the signature's second coordinate: 48 bytes, big-endian.

    Raises
    ------
    InvalidInput
        When the signature in it is no compressed point of the curve.
    """
    signature = proof[_SIGNATURE]
    x, larger = _compressed(signature, 48)
    y = _root((pow(x, 3, _P) + 4) % _P)
    if y is None:
        raise InvalidInput("a signature is not on the curve", actual=signature)
    return proof, _field(y if (y > _HALF) == larger else -y % _P)


def evm_key(group_key: bytes) -> bytes:
    """Return a group key as the contract's constructor takes it.

    Parameters
    ----------
    group_key
        A compressed point of G2, 96 bytes, as an anchor holds it.

    Returns
    -------
    bytes
        256 bytes as in EIP-2537: x.c0, x.c1, y.c0, y.c1, each big-endian in 64 bytes.

    Raises
    ------
    InvalidInput
        When it is no compressed point of the curve.
    """
    joined, larger = _compressed(group_key, _KEY_BYTES)
    x = (joined & ((1 << 384) - 1), joined >> 384)
    y = _root_of_pair(_plus_four(_product(_product(x, x), x)))
    if max(x) >= _P or y is None:
        raise InvalidInput("a group key is not on the curve", actual=group_key)
    if ((y[1] or y[0]) > _HALF) != larger:
        y = (-y[0] % _P, -y[1] % _P)
    return b"".join(bytes(16) + _field(value) for value in (*x, *y))


def _compressed(data: bytes, size: int) -> tuple[int, bool]:
    """Return the integer in a compressed point, and whether the larger root belongs to it."""
    if len(data) != size or data[0] & (_COMPRESSED | _IDENTITY) != _COMPRESSED:
        raise InvalidInput("not a compressed point other than the identity", expected=size, actual=data)
    return int.from_bytes(bytes([data[0] & 0x1F]) + data[1:], "big"), bool(data[0] & _LARGER)


def _field(value: int) -> bytes:
    return value.to_bytes(48, "big")


def _root(square: int) -> int | None:
    root = pow(square, (_P + 1) // 4, _P)
    return root if root * root % _P == square else None


# G2 lies over pairs a + b i with i * i = -1; its curve is y^2 = x^3 + 4 + 4 i.


def _product(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return (one[0] * other[0] - one[1] * other[1]) % _P, (one[0] * other[1] + one[1] * other[0]) % _P


def _plus_four(value: tuple[int, int]) -> tuple[int, int]:
    return (value[0] + 4) % _P, (value[1] + 4) % _P


def _root_of_pair(square: tuple[int, int]) -> tuple[int, int] | None:
    """Return a square root of a + b i: c + b / (2 c) i, where c^2 = (a ± n) / 2 and n^2 = a^2 + b^2.

    Where there is an n, one of the two signs gives a c. A root with c = 0 is not looked for: one key in p has
    it.
    """
    first, second = square
    norm = _root((first * first + second * second) % _P)
    half = (_P + 1) // 2
    real = norm and (_root((first + norm) * half % _P) or _root((first - norm) * half % _P))
    return (real, second * pow(2 * real, -1, _P) % _P) if real else None
