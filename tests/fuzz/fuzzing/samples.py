"""Good inputs, made by the library itself: a small chain on which everything has happened once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

from chainstack_sdk import Account, Chain, ChainConfig, InvalidInput
from chainstack_sdk.core import MemoryStore, Transaction, sign_transaction
from chainstack_sdk.core.chainfile import export_chain
from chainstack_sdk.core.closing import HeaderExtras
from chainstack_sdk.primitives import keccak256, rlp_encode
from chainstack_sdk.testing import ScriptedRules

if TYPE_CHECKING:
    from chainstack_sdk.core.closing import Closing

ALICE, BOB, CAROL = (Account(keccak256(name)) for name in (b"alice", b"bob", b"carol"))
PEOPLE = (ALICE, BOB, CAROL)
GWEI = 10**9
KEYS = tuple(number.to_bytes(32, "big") for number in (0, 1, 2**255))
CONFIG = ChainConfig(
    chain_id=7,
    funds={person.checksum_address: 10**21 for person in PEOPLE},
    accounts={
        "0x" + "77" * 20: {"nonce": 5, "balance": 3, "code": "0x6001", "storage": {"0": "7", "0x10": 2**255}}
    },
    extra_data="0x" + b"fuzz".hex(),
)
TOKEN = {
    "name": "Gold",
    "symbol": "GLD",
    "supply": 10**6,
    "cap": 10**7,
    "mintable": True,
    "burnable": True,
    "pausable": True,
}


@dataclass(frozen=True)
class Story:
    """A chain and the contracts on it."""

    chain: Chain
    token: Any
    collection: Any

    @property
    def contracts(self) -> tuple[bytes, ...]:
        return self.token.address, self.collection.address


def tell(chain: Chain) -> Story:
    """Issue contracts and let them do something, in a dozen blocks."""
    token = chain.erc20.issue(ALICE, **TOKEN)
    collection = chain.erc721.issue(ALICE, name="Art", symbol="ART", base_uri="ipfs://", burnable=True)
    token.approve(ALICE, BOB, 500)
    collection.mint(ALICE, BOB, 1)
    collection.mint(ALICE, ALICE, 2, uri="a text of more than thirty-two bytes, which fills two slots")
    chain.auto_seal = False
    for number in range(6):
        token_call = token.contract.abi_function("transfer").encode_call(BOB.address, 10**number)
        chain.send(sign(ALICE, chain.next_nonce(ALICE), to=token.address, data=token_call, gas=200_000))
        chain.send(sign(BOB, chain.next_nonce(BOB), to=CAROL.address, value=number))
    chain.seal()
    for kind in range(3):
        chain.send(
            sign(CAROL, chain.next_nonce(CAROL), kind=kind, to=ALICE.address, value=kind + 1, gas=90_000)
        )
    chain.seal()
    too_much = token.contract.abi_function("transfer").encode_call(ALICE.address, 10**9)
    chain.send(sign(CAROL, chain.next_nonce(CAROL), to=token.address, data=too_much, gas=200_000))
    chain.seal()
    return Story(chain, token, collection)


def sign(signer: Account, nonce: int, *, kind: int = 2, gas: int = 21_000, **fields: Any) -> Transaction:
    """Sign a transaction of one of the three envelopes."""
    if kind == 2:
        fields |= {"max_fee_per_gas": 3 * GWEI, "max_priority_fee_per_gas": GWEI}
    else:
        fields["gas_price"] = 3 * GWEI
    if kind:
        fields["access_list"] = [(ALICE.address, KEYS), (BOB.address, ())]
    return sign_transaction(signer, chain_id=CONFIG.chain_id, nonce=nonce, gas=gas + kind * 20_000, **fields)


def unprotected(signer: Account) -> bytes:
    """Return a legacy transaction without a chain id, valid on any chain."""
    fields: list[Any] = [0, GWEI, 30_000, BOB.address, 1, b"hello"]
    signature = signer.sign(keccak256(rlp_encode(fields)))
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    return rlp_encode([*fields, 27 + signature[64], r, s])


@cache
def story() -> Story:
    """Return the story in memory, for reading only."""
    return tell(Chain.in_memory(config=CONFIG, auto_seal=True))


@cache
def stored_story(archive: bool) -> dict[bytes, bytes]:
    """Return the contents of a store that holds the story."""
    store = MemoryStore()
    tell(Chain.open(store, stored_config(archive), auto_seal=True))
    return dict(store.iterate())


def stored_config(archive: bool) -> ChainConfig:
    return CONFIG.model_copy(update={"archive": archive})


@cache
def transactions() -> tuple[bytes, ...]:
    """Return encoded transactions of every kind."""
    mined = [
        tx.raw
        for height in range(1, story().chain.height + 1)
        for tx in story().chain.block(height).transactions
    ]
    creation = sign(ALICE, 3, to=None, data=b"\x60\x00" * 40, gas=200_000, value=9).raw
    return (*mined, creation, unprotected(ALICE))


@cache
def blocks() -> tuple[bytes, ...]:
    """Return every block of the story, encoded."""
    return tuple(story().chain.block(height).encode() for height in range(story().chain.height + 1))


class BoundRules(ScriptedRules):
    """Fill every part of a block that is the engine's, and bind the attachment to the header."""

    def __init__(self) -> None:
        payouts = b"payouts"
        extras = HeaderExtras(
            b"\x05" * 32, b"\x06" * 80, b"certificate", keccak256(payouts), b"extra", payouts
        )
        super().__init__(slot=3, extras=extras)

    def close(self, closing: Closing) -> None:
        if closing.extras.work_commitment != keccak256(closing.extras.attachment):
            raise InvalidInput("the header does not commit to this attachment")
        closing.state.add_balance(closing.context.proposer, closing.base_fees + closing.tips)
        closing.next_committee_hash = keccak256(closing.parent.next_committee_hash)


def ruled_chain() -> Chain:
    """Return a chain whose engine has rules for it, at block 0."""
    chain = Chain.in_memory(config=CONFIG)
    chain.blockchain.rules = BoundRules()
    return chain


@cache
def ruled_blocks() -> tuple[bytes, ...]:
    """Return two blocks under an engine's rules, encoded, the first of them on block 0."""
    chain = ruled_chain()
    encoded = []
    for number in range(2):
        chain.send(sign(ALICE, number, to=BOB.address, value=5))
        encoded.append(chain.seal().encode())
    return tuple(encoded)


def all_blocks() -> tuple[bytes, ...]:
    """Return blocks with and without an engine's parts, encoded."""
    return blocks() + ruled_blocks()


@cache
def export() -> bytes:
    """Return the story as a file."""
    file = BytesIO()
    export_chain(story().chain.blockchain, file)
    return file.getvalue()
