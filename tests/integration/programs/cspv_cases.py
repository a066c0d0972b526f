"""Receipt proofs that every verifier takes, and such that none may take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count

from cspv_wire import (
    CHAIN_ID,
    HEAD,
    PAYER,
    RECEIPT,
    SECRET,
    SHOP,
    TOKEN,
    TRANSACTION,
    TRANSFER,
    Head,
    assembled,
    fillers,
    item_proof,
    payment_proof,
    receipt,
    transfer,
)
from py_ecc import optimized_bls12_381 as curve
from py_ecc.bls.point_compression import compress_G1, decompress_G1

from chainstack_sdk.core.merkle import BinaryMerkleProof
from chainstack_sdk.core.receipts import Log
from chainstack_sdk.primitives import bls, keccak256, rlp_encode
from chainstack_sdk.primitives.rlp import rlp_list

P = curve.field_modulus
SIGNATURE = slice(155, 203)

NAME, BLOOM = keccak256(b"paid"), keccak256(bytes(256))
TOPIC = b"\xa0" + bytes(32)


def alone(item: bytes, head: Head = HEAD) -> bytes:
    """Return a proof of the only receipt of a block."""
    return item_proof(RECEIPT, [item], 0, head)


def deepest() -> bytes:
    """Return a proof with as many siblings as the format allows, at the last index."""
    item = receipt(transfer())
    path = BinaryMerkleProof(2**32 - 1, tuple(keccak256(bytes([level])) for level in range(32)))
    body = path.index.to_bytes(4, "big") + bytes([32]) + b"".join(path.siblings) + item
    return assembled(replace(HEAD, receipts=path.root_of(item)), RECEIPT, body)


def accepted() -> dict[str, bytes]:
    """Return proofs that hold, by what is special about them."""
    data = (
        b"",
        b"\x00",
        b"\x7f",
        b"\x80",
        b"\xff" * 2,
        bytes(55),
        bytes(56),
        bytes(255),
        bytes(256),
        bytes(2000),
    )
    logs = [Log(TOKEN, (), part) for part in data] + [Log(SHOP, (TRANSFER,) * 4, b""), transfer(2**256 - 1)]
    return {
        "one of two": payment_proof(2, index=1),
        "the fourth of five": payment_proof(5, index=3),
        "failed, alone": alone(receipt(status=0)),
        "no gas": alone(receipt(gas=0)),
        "gas of one byte": alone(receipt(gas=127)),
        "gas of a prefixed byte": alone(receipt(gas=128)),
        "the most gas": alone(receipt(gas=2**64 - 1)),
        "all shapes of logs": alone(receipt(*logs)),
        "genesis": alone(receipt(), Head(height=0, slot=0, timestamp_ms=0)),
        "the largest numbers": alone(receipt(), Head(2**64 - 1, 2**64 - 1, 2**64 - 1)),
        "the deepest path": deepest(),
    }


# What the chain would have to sign, and which is no receipt all the same --------------------------------


def fields(
    name: bytes = b"\xa0" + NAME,
    status: bytes = b"\x01",
    gas: bytes = b"\x82\xc8\x22",
    bloom: bytes = b"\xa0" + BLOOM,
    logs: bytes = b"\xc0",
    more: bytes = b"",
) -> bytes:
    """Return a receipt item from its encoded fields."""
    return rlp_list((name, status, gas, bloom, logs, more))


def logged(
    address: bytes = b"\x94" + TOKEN, topics: bytes = b"\xc0", data: bytes = b"\x80", more: bytes = b""
) -> bytes:
    """Return a receipt item with one log from its encoded fields."""
    return fields(logs=rlp_list((rlp_list((address, topics, data, more)),)))


def misencoded() -> dict[str, bytes]:
    """Return items that are no receipts, or receipts in an encoding that is not theirs."""
    short = fields()
    full = receipt(transfer())
    return {
        "empty": b"",
        "a string": rlp_encode(short),
        "followed by a byte": short + b"\x00",
        "cut short": short[:-1],
        "a longer length than needed": b"\xf9\x00" + short[1:],
        "a length of a length too many": b"\xfa\x00\x00" + full[1:],
        "a length beyond the end": b"\xf9\xff\xff" + full[2:],
        "an immense length": b"\xff" * 9 + full[2:],
        "four fields": rlp_list((b"\xa0" + NAME, b"\x01", b"\x80", b"\xa0" + BLOOM)),
        "six fields": fields(more=b"\x80"),
        "a hash of 31 bytes": fields(name=b"\x9f" + NAME[:31]),
        "a hash of 33 bytes": fields(name=b"\xa1" + NAME + b"\x01"),
        "a hash that is a list": fields(name=b"\xe0" + b"\x80" * 32),
        "status 2": fields(status=b"\x02"),
        "status zero as a byte": fields(status=b"\x00"),
        "status one with a prefix": fields(status=b"\x81\x01"),
        "status is a list": fields(status=b"\xc0"),
        "gas with a zero in front": fields(gas=b"\x82\x00\xc8"),
        "gas zero as a byte": fields(gas=b"\x00"),
        "gas below 128 with a prefix": fields(gas=b"\x81\x7f"),
        "gas of nine bytes": fields(gas=b"\x89" + b"\x01" * 9),
        "gas is a list": fields(gas=b"\xc0"),
        "a bloom hash of 31 bytes": fields(bloom=b"\x9f" + BLOOM[:31]),
        "logs are a string": fields(logs=b"\x80"),
        "a log is a string": fields(logs=b"\xc1\x80"),
        "a log beyond the logs": fields(logs=b"\xc1\xc1"),
        "an address of 19 bytes": logged(address=b"\x93" + TOKEN[1:]),
        "an address of 21 bytes": logged(address=b"\x95" + TOKEN + b"\x01"),
        "topics are a string": logged(topics=b"\x80"),
        "five topics": logged(topics=rlp_list([TOPIC] * 5)),
        "a topic of 31 bytes": logged(topics=rlp_list([b"\x9f" + bytes(31)])),
        "a topic of 33 bytes": logged(topics=rlp_list([b"\xa1" + bytes(33)])),
        "three small topics in place of one": logged(topics=rlp_list([b"\x8a" + bytes(10)] * 3)),
        "data is a list": logged(data=b"\xc0"),
        "data below 128 with a prefix": logged(data=b"\x81\x05"),
        "data with a longer length than needed": logged(data=b"\xb8\x05" + b"\xff" * 5),
        "data with a length of a length too many": logged(data=b"\xb9\x00\x64" + b"\xff" * 100),
        "data beyond the log": logged(data=b"\xa0"),
        "a fourth field in a log": logged(more=b"\x80"),
        "two fields in a log": fields(logs=rlp_list((rlp_list((b"\x94" + TOKEN, b"\xc0")),))),
    }


# Forgeries ----------------------------------------------------------------------------------------------


def changed(proof: bytes, at: int, new: bytes) -> bytes:
    return proof[:at] + new + proof[at + len(new) :]


def resigned(proof: bytes, change: Callable[[bytes], bytes]) -> bytes:
    return changed(proof, SIGNATURE.start, change(proof[SIGNATURE]))


def with_torsion(signature: bytes) -> bytes:
    """Add a point of small order: off the subgroup, and yet every pairing with it is as before."""
    for x in count(1):
        y = pow(x**3 + 4, (P + 1) // 4, P)
        if y * y % P == (x**3 + 4) % P:
            break
    torsion = curve.multiply((curve.FQ(x), curve.FQ(y), curve.FQ(1)), curve.curve_order)
    assert not curve.is_inf(torsion)
    moved = curve.add(decompress_G1(int.from_bytes(signature, "big")), torsion)
    return compress_G1(moved).to_bytes(48, "big")


def not_reduced() -> bytes:
    """Return a proof whose signature has x + p for x."""
    for height in count(1):
        proof = payment_proof(2, index=1, head=Head(height=height))
        number = int.from_bytes(proof[SIGNATURE], "big")
        flags, x = number >> 381, number & ((1 << 381) - 1)
        if x + P < 1 << 381:
            return changed(proof, SIGNATURE.start, (flags << 381 | x + P).to_bytes(48, "big"))
    raise AssertionError("unreachable")


def forgeries() -> dict[str, bytes]:
    """Return proofs of what did not happen, by what they try."""
    true = payment_proof(4)
    failed = receipt(transfer(), status=0)
    of_failed = item_proof(RECEIPT, [*fillers(3), failed], 3)
    beacon = bls.sign(SECRET, HEAD.hash, bls.BEACON_DOMAIN)
    other = bls.secret_from(b"somebody else", bytes(32))
    negated = bytes([true[155] ^ 0x20])
    return {
        "a failed payment shown as paid": of_failed.replace(failed, receipt(transfer())),
        "another value": true.replace((250).to_bytes(32, "big"), (251).to_bytes(32, "big")),
        "another recipient": true.replace(SHOP, bytes([0x44]) * 20),
        "another sender": true.replace(PAYER, bytes([0x44]) * 20),
        "another token": true.replace(TOKEN, bytes([0x44]) * 20),
        "another chain": payment_proof(4, head=Head(chain_id=CHAIN_ID + 1)),
        "another version of the header": payment_proof(4, head=Head(version=2)),
        "another height": changed(true, 3, (7).to_bytes(8, "big")),
        "another slot": changed(true, 11, (7).to_bytes(8, "big")),
        "another time": changed(true, 19, (7).to_bytes(8, "big")),
        "another state root": changed(true, 27, bytes(32)),
        "another index": changed(true, 204, (1).to_bytes(4, "big")),
        "an index beyond the tree": changed(true, 204, (2 + 4).to_bytes(4, "big")),
        "a sibling less": changed(true, 208, b"\x01"),
        "a sibling more": changed(true, 208, b"\x03"),
        "33 siblings": changed(true, 208, b"\x21")[:209] + bytes(33 * 32) + receipt(transfer()),
        "version 0": changed(true, 0, b"\x00"),
        "version 2": changed(true, 0, b"\x02"),
        "scheme 2": changed(true, 1, b"\x02"),
        "scheme 3": changed(true, 1, b"\x03"),
        "kind 0": changed(true, 2, b"\x00"),
        "kind 2": changed(true, 2, b"\x02"),
        "kind 4": changed(true, 2, b"\x04"),
        "kind 6": changed(true, 2, b"\x06"),
        "roots in another order": item_proof(TRANSACTION, [receipt()], 0).replace(b"\1\1\2", b"\1\1\1", 1),
        "a link that is none": true[:203] + b"\x01\x00\x01\xc0" + true[204:],
        "somebody else's signature": assembled(HEAD, RECEIPT, true[204:], secret=other),
        "the beacon's signature": resigned(true, lambda _: beacon),
        "the identity": resigned(true, lambda _: b"\xc0" + bytes(47)),
        "the identity without its flag": resigned(true, lambda _: b"\x80" + bytes(47)),
        "only zeros": resigned(true, lambda _: bytes(48)),
        "the negated signature": changed(true, 155, negated),
        "not compressed": changed(true, 155, bytes([true[155] & 0x7F])),
        "a point of small order added": resigned(true, with_torsion),
        "x not reduced": not_reduced(),
        "the group's generator": resigned(true, lambda _: compress_G1(curve.G1).to_bytes(48, "big")),
        "a byte more": true + b"\x00",
        "a byte less": true[:-1],
        "only the head": true[:155],
        "only the path": true[:209],
        "nothing": b"",
        **{f"signed, but {name}": alone(item) for name, item in misencoded().items()},
    }


def mutations(proof: bytes, positions: range) -> Iterator[bytes]:
    """Give a proof with one byte changed, at each position to three other values."""
    for at in positions:
        for difference in (1, 2, 0x80):
            yield changed(proof, at, bytes([proof[at] ^ difference]))
