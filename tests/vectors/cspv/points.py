"""Points of the curve that no library gives out, made with py_ecc."""

from __future__ import annotations

from py_ecc.bls.g2_primitives import subgroup_check
from py_ecc.bls.point_compression import compress_G1, compress_G2, decompress_G1, decompress_G2
from py_ecc.optimized_bls12_381 import FQ, add, curve_order, is_on_curve, multiply
from py_ecc.optimized_bls12_381.optimized_curve import b, field_modulus
from scene import make_header, make_items, prove

from chainstack_sdk.core.merkle import BinaryMerkleTree
from chainstack_sdk.cspv.verify.format import Kind, Proof
from chainstack_sdk.cspv.verify.paths import ItemPath


def torsion_point() -> tuple[object, ...]:
    """A point of the curve whose order divides the cofactor of G1."""
    x = 1
    while True:
        square = pow(x, 3, field_modulus) + 4
        y = pow(square, (field_modulus + 1) // 4, field_modulus)
        point = (FQ(x), FQ(y), FQ(1))
        if is_on_curve(point, b):
            multiple = multiply(point, curve_order)
            if multiple[2] != FQ(0):
                return multiple
        x += 1


def plus_torsion(signature: bytes) -> bytes:
    """A signature that is on the curve but outside of the group, and pairs like the right one."""
    total = add(decompress_G1(int.from_bytes(signature, "big")), torsion_point())
    return compress_G1(total).to_bytes(48, "big")


def key_outside_group() -> bytes:
    """A point of the twist that is not in G2."""
    x = 2
    while True:
        try:
            point = decompress_G2(((1 << 383) | 0, x))
        except ValueError:
            x += 1
            continue
        if not subgroup_check(point):
            high, low = compress_G2(point)
            return high.to_bytes(48, "big") + low.to_bytes(48, "big")
        x += 1


def no_key() -> bytes:
    """A number that is the first coordinate of no point."""
    x = 2
    while True:
        try:
            decompress_G2(((1 << 383) | 0, x))
        except ValueError:
            return ((1 << 383) | 0).to_bytes(48, "big") + x.to_bytes(48, "big")
        x += 1


def small_x_proof() -> tuple[Proof, bytes]:
    """A valid proof, and its signature with x + p in place of x, which still has 381 bits."""
    tree = BinaryMerkleTree(make_items(4))
    number = 0
    while True:
        header = make_header(seed=number.to_bytes(32, "big"), receipts_root=tree.root)
        proof = prove(header, Kind.RECEIPT, ItemPath(1, tree.prove(1).siblings, make_items(4)[1]))
        flags, x = proof.finality[0] & 0xE0, int.from_bytes(proof.finality[:48], "big") & (1 << 381) - 1
        if x + field_modulus < 1 << 381:
            moved = bytearray((x + field_modulus).to_bytes(48, "big"))
            moved[0] |= flags
            return proof, bytes(moved)
        number += 1
