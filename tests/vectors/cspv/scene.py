"""A chain from fixed seeds, of which vectors are made: its blocks, its state, its keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from chainstack_sdk.consensus.bft.validators import Validator, ValidatorSet
from chainstack_sdk.consensus.chainkey.ceremony import holders_message
from chainstack_sdk.consensus.chainkey.link import KeyLink, link_digest
from chainstack_sdk.core.blocks import Header
from chainstack_sdk.core.bloom import BLOOM_BYTES
from chainstack_sdk.core.commitment import encode_account
from chainstack_sdk.core.merkle import BinaryMerkleTree
from chainstack_sdk.core.receipts import Log, Receipt, logs_bloom, receipt_item
from chainstack_sdk.core.transactions import sign_transaction
from chainstack_sdk.core.trie import MerklePatriciaTrie
from chainstack_sdk.cspv.prover import header_hashes
from chainstack_sdk.cspv.verify.anchor import ChainKeyAnchor
from chainstack_sdk.cspv.verify.facts import Proven
from chainstack_sdk.cspv.verify.format import FinalityScheme, Kind, Proof, chain_key_finality
from chainstack_sdk.cspv.verify.opening import YIELDED
from chainstack_sdk.cspv.verify.paths import AccountPath, ItemPath, StoragePath
from chainstack_sdk.cspv.verify.tokens import TRANSFER_TOPIC
from chainstack_sdk.primitives.bls import (
    FINALITY_DOMAIN,
    HOLDERS_DOMAIN,
    public_key,
    secret_from,
    sign,
)
from chainstack_sdk.primitives.keccak import EMPTY_HASH, EMPTY_ROOT, keccak256
from chainstack_sdk.primitives.keys import Account, N
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_int

CHAIN_ID = 31_337
HEIGHT, SLOT, TIME_MS = 1_000_003, 15_625, 1_790_000_000_000
ALICE, BOB = Account.from_key(b"\x01" * 32), Account.from_key(b"\x02" * 32)
TOKEN = bytes.fromhex("32dcab0ef3fb2de2fce1d2e0799d36239671f04a")
SECRETS = [secret_from(b"CSPV-VECTORS", bytes((number,)) * 32) for number in range(3)]
"""The chain's keys, by generation from 1, and somebody else's."""
ANCHOR = ChainKeyAnchor(CHAIN_ID, public_key(SECRETS[0]))
MEMBERS = ValidatorSet(
    [Validator(Account.from_key(bytes((10 + place,)) * 32).address, 1 + place) for place in range(4)]
)
"""The holders of the first key; weights 1 to 4."""
ACCOUNTS = {
    account.address: account
    for account in (Account.from_key(bytes((10 + place,)) * 32) for place in range(4))
}


@dataclass(frozen=True, slots=True)
class Case:
    """An anchor, a proof, and what is to come of it."""

    name: str
    anchor: bytes
    proof: bytes
    facts: Proven | None = None
    reason: str = ""


# A block and proofs of what is in it -----------------------------------------------------------------------


def make_header(height: int = HEIGHT, seed: bytes = bytes(32), **roots: bytes) -> Header:
    """A header whose other roots are of nothing in particular."""
    told = {name: keccak256(name.encode()) for name in ("parent_hash", "history_root")}
    empty = dict.fromkeys(("transactions_root", "receipts_root", "messages_root"), bytes(32))
    return Header(
        chain_id=CHAIN_ID,
        height=height,
        slot=SLOT,
        timestamp_ms=TIME_MS,
        proposer=ALICE.address,
        logs_bloom=bytes(BLOOM_BYTES),
        gas_limit=30_000_000,
        gas_used=0,
        base_fee=7,
        seed=seed,
        **told | empty | {"state_root": EMPTY_ROOT} | roots,
    )


def prove(
    header: Header, kind: Kind, body: object, secret: int = SECRETS[0], links: Sequence[bytes] = ()
) -> Proof:
    """A proof of something in a block, signed with a key."""
    hashes = header_hashes(header)
    place = YIELDED[kind]
    return Proof(
        FinalityScheme.CHAIN_KEY,
        kind,
        header.height,
        header.slot,
        header.timestamp_ms,
        hashes[:place] + hashes[place + 1 :],
        chain_key_finality(sign(secret, header.hash, FINALITY_DOMAIN), links),
        body,  # type: ignore[arg-type]
    )


def prove_item(kind: Kind, items: Sequence[bytes], index: int, **options: object) -> Proof:
    """A proof of an item in a block that holds these."""
    tree = BinaryMerkleTree(items)
    root = {
        Kind.RECEIPT: "receipts_root",
        Kind.TRANSACTION: "transactions_root",
        Kind.MESSAGE: "messages_root",
    }
    path = ItemPath(index, tree.prove(index).siblings, items[index])
    return prove(make_header(**{root[kind]: tree.root}), kind, path, **options)  # type: ignore[arg-type]


def transfer_log(sender: Account, recipient: Account, value: int) -> Log:
    """A token's report of a transfer."""
    padded = [account.address.rjust(32, b"\0") for account in (sender, recipient)]
    return Log(TOKEN, (TRANSFER_TOPIC, *padded), value.to_bytes(32, "big"))


def make_item(number: int, logs: tuple[Log, ...] = (), status: int = 1) -> bytes:
    """What a receipts tree commits to for a transaction."""
    return receipt_item(
        Receipt(
            transaction_hash=keccak256(b"transaction %d" % number),
            status=status,
            cumulative_gas_used=52_528 * (number + 1),
            bloom=logs_bloom(logs),
            logs=logs,
            gas_used=52_528,
            effective_gas_price=7,
            height=HEIGHT,
            transaction_index=number,
            contract_address=None,
            output=b"",
        )
    )


@cache
def make_items(count: int) -> tuple[bytes, ...]:
    """Receipts of a block: transfers, each eleventh of which failed."""
    return tuple(
        make_item(number, status=0)
        if number % 11 == 10
        else make_item(number, (transfer_log(ALICE, BOB, number),))
        for number in range(count)
    )


def raw_transaction(nonce: int) -> bytes:
    """A signed payment of coin."""
    return sign_transaction(
        ALICE,
        chain_id=CHAIN_ID,
        nonce=nonce,
        to=BOB.address,
        value=10**18 + nonce,
        gas=21_000,
        max_fee_per_gas=10**9,
        max_priority_fee_per_gas=1,
    ).raw


# State -----------------------------------------------------------------------------------------------------

SLOTS = dict(enumerate((1, 0x7F, 0x80, 2**255 + 5, 2**256 - 1), 3))


def slot_key(number: int) -> bytes:
    """A slot as its key."""
    return number.to_bytes(32, "big")


@cache
def storage_trie() -> MerklePatriciaTrie:
    """The storage of the token."""
    trie = MerklePatriciaTrie()
    trie.update({keccak256(slot_key(number)): rlp_int(value) for number, value in SLOTS.items()})
    return trie


@cache
def state_trie() -> MerklePatriciaTrie:
    """Twenty accounts and a token."""
    leaves = {
        keccak256(keccak256(b"account %d" % number)[12:]): encode_account(
            number, 10**18, EMPTY_ROOT, EMPTY_HASH
        )
        for number in range(20)
    }
    leaves[keccak256(BOB.address)] = encode_account(5, 123_456_789 * 10**18, EMPTY_ROOT, EMPTY_HASH)
    leaves[keccak256(TOKEN)] = encode_account(1, 0, storage_trie().root, keccak256(b"code"))
    trie = MerklePatriciaTrie()
    trie.update(leaves)
    return trie


def account_nodes(address: bytes) -> tuple[bytes, ...]:
    """The nodes on the path of an account."""
    return state_trie().prove(keccak256(address))


def slot_nodes(number: int) -> tuple[bytes, ...]:
    """The nodes on the path of a slot of the token."""
    return storage_trie().prove(keccak256(slot_key(number)))


def state_header() -> Header:
    """A block with this state."""
    return make_header(state_root=state_trie().root)


def prove_account(address: bytes, **options: object) -> Proof:
    """A proof of an account."""
    return prove(state_header(), Kind.ACCOUNT, AccountPath(address, account_nodes(address)), **options)  # type: ignore[arg-type]


def prove_slot(number: int) -> Proof:
    """A proof of a slot of the token."""
    path = StoragePath(TOKEN, slot_key(number), account_nodes(TOKEN), slot_nodes(number))
    return prove(state_header(), Kind.STORAGE, path)


def deeper(digest_of: bytes, nibble_count: int) -> bytes:
    """An absent account whose path begins as that of another."""
    wanted = keccak256(digest_of).hex()[:nibble_count]
    numbers = (number.to_bytes(20, "big") for number in range(1, 1 << 20))
    return next(address for address in numbers if keccak256(address).hex().startswith(wanted))


# Links -----------------------------------------------------------------------------------------------------


def make_link(
    voters: Sequence[int] | None = None,
    *,
    chain_id: int = CHAIN_ID,
    holder_secret: int = SECRETS[0],
    old_secret: int = SECRETS[0],
    new_key: bytes = public_key(SECRETS[1]),
    round: int = 7,
) -> KeyLink:
    """A link from the first key to the second, for which all voted but the one of weight 1."""
    if voters is None:
        voters = [index for index, one in enumerate(MEMBERS) if one.weight > 1]
    old_key = public_key(old_secret)
    attestation = sign(holder_secret, holders_message(chain_id, 1, round, MEMBERS.hash), HOLDERS_DOMAIN)
    digest = link_digest(chain_id, 1, old_key, 2, new_key)
    votes = tuple((index, ACCOUNTS[MEMBERS.members[index].address].sign(digest)) for index in voters)
    return KeyLink(2, round, MEMBERS, attestation, new_key, votes)


def second_link() -> KeyLink:
    """A link from the second key to the third."""
    old_key, new_key = public_key(SECRETS[1]), public_key(SECRETS[2])
    attestation = sign(SECRETS[1], holders_message(CHAIN_ID, 2, 9, MEMBERS.hash), HOLDERS_DOMAIN)
    digest = link_digest(CHAIN_ID, 2, old_key, 3, new_key)
    votes = tuple((i, ACCOUNTS[one.address].sign(digest)) for i, one in enumerate(MEMBERS))
    return KeyLink(3, 9, MEMBERS, attestation, new_key, votes)


def heavy_voters() -> tuple[int, ...]:
    """The members with weights 4 and 3, in the order of the committee: 7 of 10, just more than 2/3."""
    return tuple(index for index, one in enumerate(MEMBERS) if one.weight >= 3)


def light_voters() -> tuple[int, ...]:
    """The members with weights 1, 2 and 3: 6 of 10, too little."""
    return tuple(index for index, one in enumerate(MEMBERS) if one.weight <= 3)


def linked(link: bytes, secret: int = SECRETS[1], more: Sequence[bytes] = ()) -> Proof:
    """A proof of a receipt that the second key signed, with a link to it."""
    return prove_item(Kind.RECEIPT, make_items(4), 1, secret=secret, links=(link, *more))


def high_s(link: KeyLink) -> KeyLink:
    """The same link with the other signature of its first voter."""
    index, vote = link.votes[0]
    s = N - int.from_bytes(vote[32:64], "big")
    twin = vote[:32] + s.to_bytes(32, "big") + bytes((1 - vote[64],))
    return replace(link, votes=((index, twin), *link.votes[1:]))


def absent_at_branch() -> bytes:
    """An absent account whose path ends at a branch."""
    numbers = (number.to_bytes(20, "big") for number in range(1, 1 << 20))
    return next(address for address in numbers if len(rlp_decode(account_nodes(address)[-1])) == 17)
