"""Targets: proof verifiers. Whatever they accept must be true, which the makers of the samples know."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

from fuzzing import samples
from fuzzing.decoders import round_trip
from fuzzing.harness import Target, as_fields

from chainstack_sdk.core import (
    AccountProof,
    BinaryMerkleProof,
    BinaryMerkleTree,
    MerklePatriciaTrie,
    MountainRange,
    MountainRangeProof,
    SlotProof,
    verify_binary_proof,
    verify_history_proof,
    verify_proof,
)
from chainstack_sdk.primitives import keccak256, recover_sender

ITEMS = 11
"""How many items the binary tree and the history have: not a power of two."""


def must(condition: object, fact: str) -> None:
    if not condition:
        raise AssertionError(f"accepted, though not true: {fact}")


# Merkle-Patricia tries


@cache
def tries() -> dict[bytes, dict[bytes, bytes]]:
    """Return by root the contents of tries: hashed keys; short ones, whose nodes are inside each other…"""
    rng = Random(1)
    secure = {rng.randbytes(32): rng.randbytes(rng.choice((1, 30, 70))) for _ in range(60)}
    short = {bytes([number]) * (number % 3 + 1): bytes([number % 2 + 1]) for number in range(40)}
    close = {b"same start " + rng.randbytes(2): rng.randbytes(40) for _ in range(30)}
    all_contents: list[dict[bytes, bytes]] = [secure, short, close, {b"one": b"value"}, {}]
    return {MerklePatriciaTrie(contents).root: contents for contents in all_contents}


def trie_proofs() -> list[tuple[bytes, bytes, list[bytes]]]:
    """Return proofs of keys that are there, and of some that are not."""
    proofs = []
    for root, contents in tries().items():
        trie = MerklePatriciaTrie(contents)
        for key in (*list(contents)[:12], bytes(32), b"", b"same start ab", b"on"):
            proofs.append((root, key, list(trie.prove(key))))
    return proofs


def run_verify_proof(fields: tuple[bytes, bytes, list[bytes]]) -> None:
    root, key, nodes = fields
    value = verify_proof(root, key, nodes)
    must(root in tries() and tries()[root].get(key) == value, f"{key.hex()} has the value {value!r}")


def account_proofs() -> list[tuple[Any, ...]]:
    story = samples.story()
    root = story.chain.head.state_root
    proofs = []
    for address in (samples.ALICE.address, *story.contracts, b"\x77" * 20, bytes(20)):
        for slot in (0, 2, 2**255):
            proof = story.chain.prove_account(address, [slot])
            facts = (proof.nonce, proof.balance, proof.storage_root, proof.code_hash, list(proof.nodes))
            (place,) = proof.storage
            proofs.append((root, address, *facts, place.slot, place.value, list(place.nodes)))
    return proofs


def run_account_proof(fields: tuple[Any, ...]) -> None:
    root, address, nonce, balance, storage_root, code_hash, nodes, slot, value, slot_nodes = fields
    storage = (SlotProof(slot, value, slot_nodes),)
    AccountProof(address, nonce, balance, storage_root, code_hash, nodes, storage, 0).verify(root)
    chain = samples.story().chain
    must(root == chain.head.state_root, "state root")
    must(chain.nonce(address) == nonce, "nonce")
    must(chain.balance(address) == balance, "balance")
    must(keccak256(chain.code(address)) == code_hash, "code hash")
    must(chain.blockchain.state.commitment.storage_root(address) == storage_root, "storage root")
    must(chain.blockchain.state.storage(address, slot) == value and len(slot) == 32, "slot")


# Binary trees and the history


@cache
def binary_tree() -> tuple[tuple[bytes, ...], BinaryMerkleTree]:
    items = (*samples.transactions()[: ITEMS - 3], b"", bytes(32), bytes(64))
    return items, BinaryMerkleTree(items)


def binary_proofs() -> list[tuple[bytes, bytes, bytes]]:
    items, tree = binary_tree()
    return [(tree.root, item, tree.prove(index).to_bytes()) for index, item in enumerate(items)]


def run_binary_proof(fields: tuple[bytes, bytes, bytes]) -> None:
    root, item, encoded = fields
    proof = BinaryMerkleProof.from_bytes(encoded)
    verify_binary_proof(root, item, proof)
    items, tree = binary_tree()
    must(root == tree.root and proof.depth == tree.depth, "the tree")
    must(proof.index < len(items) and items[proof.index] == item, f"item {proof.index}")


def run_binary_proof_parts(fields: tuple[bytes, bytes, int, bytes]) -> None:
    root, item, index, siblings = fields
    proof = BinaryMerkleProof(index, tuple(siblings[at : at + 32] for at in range(0, len(siblings), 32)))
    run_binary_proof((root, item, proof.to_bytes()))


@cache
def history() -> tuple[tuple[tuple[bytes, int], ...], MountainRange]:
    blocks = tuple((keccak256(bytes([number])), number**40) for number in range(ITEMS))
    mountains = MountainRange()
    for block in blocks:
        mountains.append(*block)
    return blocks, mountains


def history_proofs() -> list[tuple[bytes, bytes, int, bytes]]:
    blocks, mountains = history()
    return [(mountains.root, *block, mountains.prove(index).to_bytes()) for index, block in enumerate(blocks)]


def run_history_proof(fields: tuple[bytes, bytes, int, bytes]) -> None:
    root, block_hash, work, encoded = fields
    proof = MountainRangeProof.from_bytes(encoded)
    verify_history_proof(root, (block_hash, work), proof)
    blocks, mountains = history()
    must(root == mountains.root and proof.size == len(blocks), "the history")
    must(blocks[proof.index] == (block_hash, work), f"block {proof.index}")


def run_peaks(fields: tuple[int, bytes]) -> None:
    size, packed = fields
    nodes = [packed[at : at + 64] for at in range(0, len(packed), 64)]
    peaks = [(node[:32], int.from_bytes(node[32:], "big")) for node in nodes]
    mountains = MountainRange.from_peaks(size, peaks)
    must(mountains.size == size and mountains.peaks == tuple(peaks), "the peaks")


# Signatures


def signatures() -> list[tuple[bytes, bytes]]:
    digests = [keccak256(bytes([number])) for number in range(4)]
    return [(digest, samples.ALICE.sign(digest)) for digest in digests]


def run_signature(fields: tuple[bytes, bytes]) -> None:
    digest, signature = fields
    if recover_sender(digest, signature) == samples.ALICE.address:
        plain = (digest, signature[:64] + bytes([signature[64] % 27]))
        must(plain in signatures(), "signed by the account")


TARGETS = [
    Target("verify_proof", trie_proofs, run_verify_proof, damage=as_fields, share=18),
    Target("AccountProof.verify", account_proofs, run_account_proof, damage=as_fields, share=18),
    Target("verify_binary_proof", binary_proofs, run_binary_proof, damage=as_fields, share=9),
    Target(
        "BinaryMerkleProof of parts",
        lambda: [
            (root, item, int.from_bytes(data[:8], "big"), data[9:]) for root, item, data in binary_proofs()
        ],
        run_binary_proof_parts,
        damage=as_fields,
    ),
    Target(
        "BinaryMerkleProof.from_bytes",
        lambda: [encoded for _root, _item, encoded in binary_proofs()],
        round_trip(BinaryMerkleProof.from_bytes, BinaryMerkleProof.to_bytes),
    ),
    Target("verify_history_proof", history_proofs, run_history_proof, damage=as_fields, share=9),
    Target(
        "MountainRangeProof.from_bytes",
        lambda: [encoded for *_, encoded in history_proofs()],
        round_trip(MountainRangeProof.from_bytes, MountainRangeProof.to_bytes),
    ),
    Target(
        "MountainRange.from_peaks",
        lambda: [(ITEMS, b"".join(node + work.to_bytes(32, "big") for node, work in history()[1].peaks))],
        run_peaks,
        damage=as_fields,
    ),
    Target("recover_sender", signatures, run_signature, damage=as_fields, share=12),
]
