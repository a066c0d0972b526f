"""Proofs and anchors that every verifier must refuse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from points import key_outside_group, no_key, plus_torsion, small_x_proof
from py_ecc.optimized_bls12_381.optimized_curve import field_modulus
from scene import (
    ALICE,
    ANCHOR,
    BOB,
    CHAIN_ID,
    HEIGHT,
    MEMBERS,
    SECRETS,
    SLOT,
    TIME_MS,
    TOKEN,
    Case,
    absent_at_branch,
    account_nodes,
    high_s,
    light_voters,
    linked,
    make_header,
    make_item,
    make_items,
    make_link,
    prove,
    prove_account,
    prove_item,
    prove_slot,
    raw_transaction,
    second_link,
    slot_key,
    slot_nodes,
    transfer_log,
)

from chainstack_sdk.core.bloom import BLOOM_BYTES
from chainstack_sdk.core.commitment import encode_account
from chainstack_sdk.core.merkle import BinaryMerkleTree
from chainstack_sdk.core.receipts import Log
from chainstack_sdk.cspv.verify.format import FinalityScheme, Kind, Proof, chain_key_finality
from chainstack_sdk.cspv.verify.paths import AccountPath, ItemPath, StoragePath
from chainstack_sdk.primitives.bls import (
    BEACON_DOMAIN,
    FINALITY_DOMAIN,
    HOLDERS_DOMAIN,
    public_key,
    sign,
)
from chainstack_sdk.primitives.keccak import EMPTY_HASH, EMPTY_ROOT, keccak256
from chainstack_sdk.primitives.rlp import list_header, rlp_bytes, rlp_decode, rlp_encode


def patched(data: bytes, offset: int, new: bytes) -> bytes:
    """Bytes with some of them replaced."""
    return data[:offset] + new + data[offset + len(new) :]


def invalid_cases() -> list[Case]:
    """Proofs that must be refused."""
    return [*anchors(), *fields_forged(), *signatures(), *trees(), *receipts(), *tries(), *links()]


def _refused(reason: str, named: Mapping[str, Proof | bytes], anchor: bytes | None = None) -> list[Case]:
    return [
        Case(
            name,
            ANCHOR.to_bytes() if anchor is None else anchor,
            proof if isinstance(proof, bytes) else proof.to_bytes(),
            reason=reason,
        )
        for name, proof in named.items()
    ]


def good() -> Proof:
    """A receipt proof that holds."""
    return prove_item(Kind.RECEIPT, make_items(8), 5)


def anchors() -> list[Case]:
    """A proof that holds, before other anchors."""
    right, proof = ANCHOR.to_bytes(), good()
    key = right[10:]
    x0 = int.from_bytes(key[48:], "big")
    wrong = {
        "anchor of another chain": patched(right, 2, (CHAIN_ID + 1).to_bytes(8, "big")),
        "anchor with another key": right[:10] + public_key(SECRETS[2]),
        "anchor of another version": patched(right, 0, b"\x02"),
        "anchor of another scheme": patched(right, 1, b"\x02"),
        "anchor of an unknown scheme": patched(right, 1, b"\x09"),
        "anchor cut short": right[:-1],
        "anchor with a byte too many": right + b"\0",
        "anchor without bytes": b"",
        "anchor with the identity for a key": right[:10] + b"\xc0" + bytes(95),
        "anchor with a key of the other sign": patched(right, 10, bytes((key[0] ^ 0x20,))),
        "anchor with a key without its compression flag": patched(right, 10, bytes((key[0] & 0x7F,))),
        "anchor with a key outside of the group": right[:10] + key_outside_group(),
        "anchor with a key that is no point": right[:10] + no_key(),
        "anchor with a key of zeros": right[:10] + bytes(96),
        "anchor with p added to a coordinate of the key": right[:58]
        + (x0 + field_modulus).to_bytes(48, "big"),
    }
    return [
        Case(name, anchor, proof.to_bytes(), reason="the anchor is another's, or none")
        for name, anchor in wrong.items()
    ]


def fields_forged() -> list[Case]:
    """Other numbers and bytes around a proof that holds."""
    proof = good()
    raw = proof.to_bytes()
    swapped = replace(proof, hashes=(proof.hashes[1], proof.hashes[0], *proof.hashes[2:]))
    account = prove_account(BOB.address).to_bytes()
    return (
        _refused(
            "the block hash is another",
            {
                "another height": replace(proof, height=HEIGHT + 1),
                "another slot": replace(proof, slot=SLOT + 1),
                "another time": replace(proof, timestamp_ms=TIME_MS + 60_000),
                "two hashes of the header exchanged": swapped,
                "a receipt shown as a transaction": replace(proof, kind=Kind.TRANSACTION),
                "a receipt shown as a message": replace(proof, kind=Kind.MESSAGE),
                "a transaction shown as a message": replace(
                    prove_item(Kind.TRANSACTION, [raw_transaction(0)], 0), kind=Kind.MESSAGE
                ),
            },
        )
        + _refused(
            "not the encoding of a proof",
            {
                "version 0": patched(raw, 0, b"\0"),
                "version 2": patched(raw, 0, b"\2"),
                "scheme 0": patched(raw, 1, b"\0"),
                "scheme 4": patched(raw, 1, b"\4"),
                "kind 0": patched(raw, 2, b"\0"),
                "kind 6": patched(raw, 2, b"\6"),
                "no bytes": b"",
                "cut off within the header": raw[:100],
                "cut off within the signature": raw[:180],
                "cut off within the path": raw[:240],
                "cut off before the item": raw[: 209 + 32 * 3],
                "cut short by a byte": raw[:-1],
                "followed by a byte": raw + b"\0",
                "an account proof cut short by a byte": account[:-1],
                "an account proof followed by a byte": account + b"\0",
                "a path deeper than 32": patched(raw, 208, bytes((33,))),
            },
        )
        + _refused(
            "a proof of another scheme than the anchor's",
            {
                "scheme 2": patched(raw, 1, b"\2"),
                "scheme 3": patched(raw, 1, b"\3"),
                "scheme 2 with empty evidence": replace(
                    proof, scheme=FinalityScheme.COMMITTEE, finality=bytes(4)
                ),
            },
        )
    )


def signatures() -> list[Case]:
    """A right claim with signatures that are none."""
    proof = good()
    signature = proof.finality[:48]
    opposite = bytes((signature[0] ^ 0x20,)) + signature[1:]
    item = make_items(8)[5]
    header = make_header(receipts_root=BinaryMerkleTree(make_items(8)).root)
    x_not_on_curve = next(
        x for x in range(1, 99) if pow(x**3 + 4, (field_modulus - 1) // 2, field_modulus) != 1
    )
    wrong = {
        "the identity": b"\xc0" + bytes(47),
        "zeros": bytes(48),
        "of another key": sign(SECRETS[2], header.hash, FINALITY_DOMAIN),
        "of another block": sign(SECRETS[0], keccak256(header.hash), FINALITY_DOMAIN),
        "in the beacon's domain": sign(SECRETS[0], header.hash, BEACON_DOMAIN),
        "in the holders' domain": sign(SECRETS[0], header.hash, HOLDERS_DOMAIN),
        "with its sign flipped": opposite,
        "without its compression flag": bytes((signature[0] & 0x7F,)) + signature[1:],
        "with the infinity flag": bytes((signature[0] | 0x40,)) + signature[1:],
        "outside of the group by a torsion point": plus_torsion(signature),
        "a coordinate that belongs to no point": (1 << 383 | x_not_on_curve).to_bytes(48, "big"),
        "a coordinate of p": (1 << 383 | field_modulus).to_bytes(48, "big"),
        "the hash to the curve itself": sign(1, header.hash, FINALITY_DOMAIN),
    }
    named = {
        f"signature: {name}": replace(
            proof, finality=chain_key_finality(one if isinstance(one, bytes) else one.to_bytes(48, "big"))
        )
        for name, one in wrong.items()
    }
    near, moved = small_x_proof()
    named["signature: p added to its coordinate"] = replace(near, finality=chain_key_finality(moved))
    named["signature: the item signed in place of the block"] = replace(
        proof, finality=chain_key_finality(sign(SECRETS[0], item, FINALITY_DOMAIN))
    )
    return _refused("the chain's key has not signed this", named)


def trees() -> list[Case]:
    """Places and paths that are not the item's."""
    proof = good()
    path = proof.body
    assert isinstance(path, ItemPath)
    raw, depth = proof.to_bytes(), len(path.siblings)
    leaf = [keccak256(b"\0" + item) for item in make_items(8)]
    inner = ItemPath(path.index >> 1, path.siblings[1:], leaf[4] + leaf[5])
    turned = (path.siblings[1], path.siblings[0], *path.siblings[2:])
    at = 204
    return _refused(
        "the path leads to another root, or is none",
        {
            "the index of a neighbour": replace(proof, body=replace(path, index=path.index ^ 1)),
            "an index of 2^depth more": patched(raw, at, (path.index + (1 << depth)).to_bytes(4, "big")),
            "an index of 2^31 more": patched(raw, at, (path.index + (1 << 31)).to_bytes(4, "big")),
            "siblings exchanged": replace(proof, body=replace(path, siblings=turned)),
            "a sibling too few": replace(proof, body=ItemPath(path.index & 3, path.siblings[:-1], path.item)),
            "a sibling too many": replace(
                proof, body=ItemPath(path.index, (*path.siblings, bytes(32)), path.item)
            ),
            "an inner node shown as a message": replace(
                prove_item(Kind.MESSAGE, make_items(8), 5), body=inner
            ),
            "another item": replace(proof, body=replace(path, item=make_items(8)[4])),
        },
    )


def receipts() -> list[Case]:
    """Altered receipts, and items that are none although the chain signed a tree with them."""
    log = transfer_log(ALICE, BOB, 10)
    failed = prove_item(Kind.RECEIPT, make_items(11), 10)
    body = failed.body
    assert isinstance(body, ItemPath)
    as_paid = replace(
        body, item=patched(body.item, body.item.index(keccak256(b"transaction 10")) + 32, b"\1")
    )
    paid = prove_item(Kind.RECEIPT, [make_item(0, (log,))], 0)
    item = make_item(0, (log,))
    richer = item[:-1] + bytes((item[-1] + 1,))
    to_alice = item.replace(BOB.address, ALICE.address)
    other_token = item.replace(TOKEN, ALICE.address)
    other_hash = item.replace(keccak256(b"transaction 0"), keccak256(b"transaction 1"))
    forged = {
        "a failed payment shown as paid": replace(failed, body=as_paid),
        "a greater amount": replace(paid, body=ItemPath(0, (), richer)),
        "another recipient": replace(paid, body=ItemPath(0, (), to_alice)),
        "another token": replace(paid, body=ItemPath(0, (), other_token)),
        "another transaction": replace(paid, body=ItemPath(0, (), other_hash)),
        "no logs": replace(paid, body=ItemPath(0, (), make_item(0))),
    }
    malformed = {
        f"receipt: {name}": prove_item(Kind.RECEIPT, [one], 0) for name, one in malformed_items(log).items()
    }
    return _refused("the receipt is altered", forged) + _refused("not the item of a receipt", malformed)


def malformed_items(log: Log) -> dict[str, bytes]:
    """Items that differ from a receipt's in one thing."""
    tx_hash, bloom = keccak256(b"transaction 0"), keccak256(bytes(BLOOM_BYTES))
    logs = [[log.address, list(log.topics), log.data]]

    def item(changes: Mapping[int, object]) -> bytes:
        parts = [tx_hash, b"\1", b"\xcd\x30", bloom, logs]
        return rlp_encode([changes.get(place, part) for place, part in enumerate(parts)])  # type: ignore[misc]

    def raw_item(changes: Mapping[int, bytes]) -> bytes:
        parts = [rlp_encode(part) for part in (tx_hash, b"\1", b"\xcd\x30", bloom, logs)]
        payload = b"".join(changes.get(place, part) for place, part in enumerate(parts))
        return list_header(len(payload)) + payload

    whole = item({})
    payload = whole[len(list_header(0xFF)) :]
    encoded_log = rlp_encode(logs)
    return {
        "status 2": item({1: b"\2"}),
        "status of two bytes": item({1: b"\0\1"}),
        "status with a needless prefix": raw_item({1: b"\x81\1"}),
        "status as a zero byte": raw_item({1: b"\0"}),
        "gas with a leading zero": item({2: b"\0\x30"}),
        "gas of nine bytes": item({2: b"\1" * 9}),
        "gas that is a list": item({2: []}),
        "a transaction hash of 31 bytes": item({0: tx_hash[1:]}),
        "a transaction hash with a long prefix": raw_item({0: b"\xb8\x20" + tx_hash}),
        "a bloom hash of 33 bytes": item({3: bloom + b"\0"}),
        "logs that are a string": item({4: b""}),
        "an address of 19 bytes": item({4: [[log.address[1:], list(log.topics), log.data]]}),
        "five topics": item({4: [[log.address, [bytes(32)] * 5, log.data]]}),
        "a topic of 31 bytes": item({4: [[log.address, [bytes(31)], log.data]]}),
        "a topic that is a list": item({4: [[log.address, [[]], log.data]]}),
        "a log of two parts": item({4: [[log.address, list(log.topics)]]}),
        "a log of four parts": item({4: [[log.address, list(log.topics), log.data, b""]]}),
        "data that is a list": item({4: [[log.address, list(log.topics), []]]}),
        "a log that is a string": item({4: [log.address]}),
        "logs with a longer prefix than needed": raw_item(
            {4: b"\xf9\x00" + encoded_log[1:2] + encoded_log[2:]}
        ),
        "four parts": rlp_encode(rlp_decode(whole)[:4]),
        "six parts": rlp_encode([*rlp_decode(whole), b""]),
        "a list with a longer prefix than needed": b"\xfa\x00" + len(payload).to_bytes(2, "big") + payload,
        "a string that holds the list": rlp_bytes(whole),
        "followed by a byte within the item": whole + b"\0",
        "cut short within the item": whole[:-1],
        "no bytes": b"",
    }


def tries() -> list[Case]:
    """Altered accounts, slots and nodes."""
    account, absent = prove_account(BOB.address), prove_account(absent_at_branch())
    nodes = account_nodes(BOB.address)
    leaf = nodes[-1]
    richer = leaf.replace(
        (123_456_789 * 10**18).to_bytes(11, "big"), (987_654_321 * 10**18).to_bytes(12, "big")[-11:]
    )
    slot = prove_slot(3)
    token, stored = account_nodes(TOKEN), slot_nodes(3)
    path = StoragePath(TOKEN, slot_key(3), token, stored)

    def with_nodes(*changed: bytes) -> Proof:
        return replace(account, body=AccountPath(BOB.address, changed))

    def with_path(**changes: object) -> Proof:
        return replace(slot, body=replace(path, **changes))  # type: ignore[arg-type]

    odd = {
        "a state that is one string": [b"\x83abc"],
        "a node of three items": [rlp_encode([b"", b"", b""])],
        "a leaf of another length": [rlp_encode([b"\x20" + keccak256(BOB.address)[1:], leaf_of(1)])],
        "a leaf without a value": [rlp_encode([b"\x20" + keccak256(BOB.address), b""])],
        "a leaf that holds a list": [rlp_encode([b"\x20" + keccak256(BOB.address), [b"", b"", b"", b""]])],
        "an account of three parts": [
            rlp_encode([b"\x20" + keccak256(BOB.address), rlp_encode([b"", b"", bytes(32)])])
        ],
        "an account whose balance has a leading zero": [
            rlp_encode([b"\x20" + keccak256(BOB.address), rlp_encode([b"", b"\0\1", EMPTY_ROOT, EMPTY_HASH])])
        ],
        "an account whose nonce has nine bytes": [
            rlp_encode(
                [b"\x20" + keccak256(BOB.address), rlp_encode([b"\1" * 9, b"", EMPTY_ROOT, EMPTY_HASH])]
            )
        ],
        "a path with a flag that is none": [rlp_encode([b"\x40" + keccak256(BOB.address), leaf_of(1)])],
        "a path with padding that is not zero": [rlp_encode([b"\x21" + keccak256(BOB.address), leaf_of(1)])],
        "a path that is a list": [rlp_encode([[], leaf_of(1)])],
        "a root with a longer prefix than needed": [b"\xf8\x02\x01\x01"],
    }
    signed = {
        f"state: {name}": prove(
            make_header(state_root=keccak256(one[0])), Kind.ACCOUNT, AccountPath(BOB.address, tuple(one))
        )
        for name, one in odd.items()
    }
    return (
        _refused(
            "the account or its path is altered",
            {
                "a greater balance": with_nodes(*nodes[:-1], richer),
                "another's account": replace(account, body=AccountPath(ALICE.address, nodes)),
                "a node too few": with_nodes(*nodes[:-1]),
                "a node too many": with_nodes(*nodes, leaf),
                "the first node missing": with_nodes(*nodes[1:]),
                "nodes in the wrong order": with_nodes(*reversed(nodes)),
                "no nodes": with_nodes(),
                "an empty node": with_nodes(b""),
                "an existing account shown as absent": replace(
                    absent, body=AccountPath(BOB.address, nodes[: len(nodes) - 1])
                ),
                "an account proof shown as one of storage": patched(account.to_bytes(), 2, b"\5"),
                "a proof of storage shown as one of an account": patched(slot.to_bytes(), 2, b"\4"),
            },
        )
        + _refused(
            "the slot or its path is altered",
            {
                "a slot's path for another slot": with_path(slot=slot_key(4)),
                "a slot's path of another contract": with_path(address=BOB.address, account_nodes=nodes),
                "a slot node too few": with_path(storage_nodes=stored[:-1]),
                "a slot node too many": with_path(storage_nodes=(*stored, stored[-1])),
                "no nodes for a slot": with_path(storage_nodes=()),
                "a slot of an account without storage, with nodes": with_path(
                    address=BOB.address, account_nodes=nodes, storage_nodes=(b"\x80",)
                ),
            },
        )
        + _refused("not a state trie, although the chain signed it", signed)
    )


def leaf_of(balance: int) -> bytes:
    """An account's leaf."""
    return encode_account(0, balance, EMPTY_ROOT, EMPTY_HASH)


def links() -> list[Case]:
    """Links that lead nowhere."""
    link = make_link()
    raw = link.encode()
    parts = rlp_decode(raw)
    assert isinstance(parts, list)

    def with_part(place: int, new: bytes) -> Proof:
        return linked(rlp_encode([*parts[:place], new, *parts[place + 1 :]]))

    first, second, third = link.votes
    descending = rlp_encode(list(reversed(rlp_decode(MEMBERS.encode()))))
    weightless = rlp_encode([[one.address, b"", b""] for one in MEMBERS])
    padded = rlp_encode([[one.address, b"\0" + bytes((one.weight,)), b""] for one in MEMBERS])
    odd_vrf = rlp_encode([[one.address, one.weight, b"\1" * 31] for one in MEMBERS])
    heavy = rlp_encode([[one.address, 2**62, b""] for one in MEMBERS])
    wrong_v = replace(link, votes=(first, second, (third[0], third[1][:64] + b"\2")))
    exchanged = replace(link, votes=((first[0], second[1]), (second[0], first[1]), third))
    return _refused(
        "no link from the anchor's key to the one that signed",
        {
            "link: none, although another key signed": prove_item(
                Kind.RECEIPT, make_items(4), 1, secret=SECRETS[1]
            ),
            "link: the block signed by the old key": linked(raw, secret=SECRETS[0]),
            "link: too few votes": linked(make_link(light_voters()).encode()),
            "link: no votes": linked(make_link(()).encode()),
            "link: of another chain": linked(make_link(chain_id=CHAIN_ID + 1).encode()),
            "link: holders whom the key has not signed": linked(make_link(holder_secret=SECRETS[2]).encode()),
            "link: from another key": linked(make_link(old_secret=SECRETS[2]).encode()),
            "link: to the identity": linked(make_link(new_key=b"\xc0" + bytes(95)).encode()),
            "link: to a key outside of the group": linked(make_link(new_key=key_outside_group()).encode()),
            "link: twice": linked(raw, more=(raw,)),
            "link: two in the wrong order": linked(second_link().encode(), secret=SECRETS[1], more=(raw,)),
            "link: the other signature of a voter": linked(high_s(link).encode()),
            "link: a vote with v of 2": linked(wrong_v.encode()),
            "link: votes exchanged": linked(exchanged.encode()),
            "link: a vote too few": with_part(6, b"".join(vote for _, vote in link.votes[:2])),
            "link: a vote cut short": with_part(6, parts[6][:-1]),  # type: ignore[index]
            "link: another new key": with_part(4, public_key(SECRETS[2])),
            "link: another generation": with_part(0, b"\3"),
            "link: generation 1": with_part(0, b"\1"),
            "link: generation with a leading zero": with_part(0, b"\0\2"),
            "link: another round": with_part(1, b"\x08"),
            "link: a voter who is no member": with_part(
                5, bytes((parts[5][0] & (parts[5][0] - 1) | 1 << 4,))
            ),
            "link: voters with a trailing zero": with_part(5, parts[5] + b"\0"),
            "link: members in another order": with_part(2, descending),
            "link: members without weight": with_part(2, weightless),
            "link: weights with a leading zero": with_part(2, padded),
            "link: a VRF key of 31 bytes": with_part(2, odd_vrf),
            "link: weights that add up to 2^64": with_part(2, heavy),
            "link: no members": with_part(2, b"\xc0"),
            "link: an attestation of 47 bytes": with_part(3, parts[3][1:]),  # type: ignore[index]
            "link: six parts": linked(rlp_encode(parts[:6])),
            "link: empty": linked(b""),
            "link: followed by a byte": linked(raw + b"\0"),
        },
    )
