"""Targets: the ways into a chain. What is refused leaves it as it was; what is accepted keeps its rules."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from random import Random
from typing import Any

from fuzzing import samples
from fuzzing.decoders import same
from fuzzing.harness import Target, as_fields, as_rlp
from fuzzing.mutation import ByteMutator, TreeMutator, items_of, mutate_rlp

from chainstack_sdk import Chain, InvalidInput, Rejected, UsageError
from chainstack_sdk.core import Block, MemoryStore, SqliteStore, binary_root, state_root
from chainstack_sdk.core.genesis import GenesisAccount
from chainstack_sdk.primitives import keccak256
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode

SUPPLY = 3 * 10**21 + 3


def fingerprint(chain: Chain) -> tuple[object, ...]:
    """Return everything that a refused input must not change."""
    core = chain.blockchain
    pending = [transaction.hash for transaction in chain.pool]
    return (
        chain.head.encode(),
        core.state.root,
        core.state.checkpoint(),
        core.history.root,
        pending,
        chain.clock.now_ms(),
    )


def check_state(chain: Chain) -> None:
    """Check the state against its block: the root of all accounts, and the supply of coin."""
    state = chain.blockchain.state
    accounts = {
        address: GenesisAccount(
            state.nonce(address),
            state.balance(address),
            state.code(address),
            {int.from_bytes(slot, "big"): value for slot, value in state.table(address).items()},
        )
        for address in state.accounts()
        if state.nonce(address) or state.balance(address) or state.code(address)
    }
    same(state_root(accounts), chain.head.state_root)
    same(state.supply(), SUPPLY)


@cache
def chain_at(height: int) -> Chain:
    """Return a chain that has the first blocks of the story."""
    chain = Chain.in_memory(config=samples.CONFIG)
    for block in samples.blocks()[1 : height + 1]:
        chain.append(block)
    return chain


# Transactions and blocks


def run_send(raw: bytes) -> None:
    chain = chain_at(0)
    before, start = fingerprint(chain), chain.snapshot()
    try:
        digest = chain.send(raw)
    except (InvalidInput, Rejected):
        same(fingerprint(chain), before)
        raise
    same(digest, keccak256(raw))
    chain.seal()
    check_state(chain)
    chain.revert(start)
    same(fingerprint(chain), before)


def run_signed(fields: tuple[Any, ...]) -> None:
    """Send a properly signed transaction that may not make sense, and put it into a block."""
    kind, nonce, gas, to, value, data = fields
    run_send(samples.sign(samples.ALICE, nonce, kind=kind % 3, gas=gas, to=to, value=value, data=data).raw)


def signed_fields() -> list[tuple[Any, ...]]:
    return [(kind, 0, 90_000, samples.BOB.address, kind, b"\0data") for kind in range(3)]


def first_transactions() -> list[bytes]:
    """Return transactions that may run first on an empty chain."""
    people, to = samples.PEOPLE, samples.BOB.address
    signed = [
        samples.sign(signer, 0, kind=kind, to=to, value=5, gas=90_000).raw
        for kind, signer in enumerate(people)
    ]
    issue = next(tx for tx in samples.story().chain.block(1).transactions)
    return [*signed, issue.raw]


@cache
def ruled_chain() -> Chain:
    """Return a chain with the first block under an engine's rules."""
    chain = samples.ruled_chain()
    chain.append(samples.ruled_blocks()[0])
    return chain


def run_append(open_chain: Callable[[], Chain], data: bytes) -> None:
    chain = open_chain()
    before, start = fingerprint(chain), chain.snapshot()
    try:
        chain.append(data)
    except InvalidInput:
        same(fingerprint(chain), before)
        raise
    same(chain.head.encode(), data)
    check_state(chain)
    chain.revert(start)
    same(fingerprint(chain), before)


def as_sound_block(rng: Random, samples_: Sequence[bytes]) -> Callable[[bytes], bytes]:
    """Put other transactions into a block, and the header's root of transactions right: they will be run."""
    stock = [rlp_decode(raw)[1] for raw in samples_]
    raws = TreeMutator(rng, stock)

    def damage(data: bytes) -> bytes:
        _, transactions, *of_the_engine = rlp_decode(data)
        changed = [raw for raw in raws.mutate(transactions) if isinstance(raw, bytes)]
        changed += rng.choice((*stock, [], []))
        fields = {"transactions_root": binary_root(changed), "timestamp_ms": rng.getrandbits(45)}
        header = replace(Block.decode(data).header, **fields)
        return rlp_encode([rlp_decode(header.encode()), changed, *of_the_engine])

    return damage


# Files


def as_sound_file(rng: Random, samples_: Sequence[bytes]) -> Callable[[bytes], bytes]:
    """Damage entries of an exported chain, and put the check at its end right: they will be read."""
    entries = [entry for data in samples_ for entry in entries_of(data)]
    inside = TreeMutator(rng, [items_of(entry) for entry in entries])
    plain = ByteMutator(rng, entries)

    def damage(data: bytes) -> bytes:
        entries = entries_of(data)
        at = rng.randrange(len(entries))
        damaged = mutate_rlp(inside, entries[at]) if rng.random() < 0.7 else plain.mutate(entries[at])
        entries[at : at + 1] = rng.choice(([damaged], [damaged], [damaged], [], [entries[at]] * 2))
        return file_of(entries)

    return damage


def entries_of(data: bytes) -> list[bytes]:
    entries = []
    at = 19
    while at < len(data) - 32:
        end = at + 4 + int.from_bytes(data[at : at + 4], "big")
        entries.append(data[at + 4 : end])
        at = end
    return entries


def file_of(entries: list[bytes]) -> bytes:
    start = data = b"chainstack\x01" + max(len(entries) - 1, 0).to_bytes(8, "big")
    check = keccak256(start)
    for entry in entries:
        framed = len(entry).to_bytes(4, "big") + entry
        check = keccak256(check + framed)
        data += framed
    return data + check


def run_load(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "chain")
        path.write_bytes(data)
        chain = Chain.load(path)
    state = chain.blockchain.state
    same(state.supply(), sum(account.balance for account in chain.blockchain.genesis.accounts.values()))
    same([block.encode() for block in map(chain.block, range(1, chain.height + 1))], entries_of(data)[1:])


# Stores


def as_store(
    rng: Random, samples_: Sequence[dict[bytes, bytes]]
) -> Callable[[dict[bytes, bytes]], dict[bytes, bytes]]:
    """Damage one or two entries of a store."""
    values = [value for contents in samples_ for value in contents.values()]
    plain = ByteMutator(rng, values)

    def damage(contents: dict[bytes, bytes]) -> dict[bytes, bytes]:
        damaged = dict(contents)
        for _ in range(rng.randint(1, 2)):
            # by kind of entry first, as there are many of some and one of others
            kind = rng.choice(sorted({key[:1] for key in damaged}))
            key = rng.choice([key for key in damaged if key[:1] == kind])
            choice = rng.random()
            if choice < 0.6:
                damaged[key] = plain.mutate(damaged[key])
            elif choice < 0.7:
                damaged[key] = rng.choice(values)
            elif choice < 0.85:
                del damaged[key]
            else:
                damaged[kind + plain.mutate(key[1:])] = damaged.pop(key)
        return damaged

    return damage


def run_open(archive: bool, contents: dict[bytes, bytes]) -> None:
    """Open the chain and read all of it; what its blocks commit to must be as it was written."""
    store = MemoryStore()
    store.write_batch(contents)
    truth = samples.story().chain
    with Chain.open(store, samples.stored_config(archive)) as chain:
        same(chain.blockchain.head, truth.blockchain.head)
        for height in range(chain.height + 1):
            block = chain.block(height)
            same(block.hash, truth.block(height).hash)
            same(chain.block(block.hash).transactions, truth.block(height).transactions)
            for transaction in block.transactions:
                same(chain.transaction(transaction.hash), transaction)
                same(chain.receipt(transaction.hash)[:5], truth.receipt(transaction.hash)[:5])
            if block.transactions:
                chain.trace(block.transactions[-1].hash)
        for height in (0, 5, chain.height):
            proof = chain.prove_account(samples.story().token.address, [0, 2], block=height)
            proof.verify(chain.block(height).state_root)
            chain.balance(samples.ALICE, block=height)
        chain.seal()
        while chain.height:
            chain.blockchain.undo()
            same(chain.blockchain.head, truth.block(chain.height).header)


def stored(archive: bool) -> list[dict[bytes, bytes]]:
    return [samples.stored_story(archive)]


def sqlite_file() -> list[bytes]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "store")
        with SqliteStore(path) as store:
            store.write_batch(samples.stored_story(False))
        return [path.read_bytes()]


def as_disk(rng: Random, samples_: Sequence[bytes]) -> Callable[[bytes], bytes]:
    """Damage up to forty bytes of a file, or cut it short."""

    def damage(data: bytes) -> bytes:
        damaged = bytearray(data)
        for _ in range(rng.randint(1, 40)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        return bytes(damaged[: rng.choice((len(damaged), len(damaged), rng.randrange(len(damaged))))])

    return damage


def run_file_store(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "store")
        path.write_bytes(data)
        with SqliteStore(path) as store:
            contents = dict(store.iterate())
            if contents:  # else it is a new store: an empty file, or a table cut to no rows
                run_open(False, contents)
            chain = Chain.open(store, samples.stored_config(False))
            chain.seal()


TARGETS = [
    Target("Chain.send", first_transactions, run_send, (InvalidInput, Rejected), as_rlp, share=12),
    Target(
        "a signed transaction",
        signed_fields,
        run_signed,
        (InvalidInput, Rejected, UsageError),
        as_fields,
        share=9,
    ),
    *[
        Target(
            f"Chain.append at height {height}, {damage.__name__}",
            lambda height=height: [samples.blocks()[height + 1]],
            partial(run_append, partial(chain_at, height)),
            damage=damage,
            share=6,
        )
        for height in (0, 5, 6, 7)
        for damage in (as_rlp, as_sound_block)
    ],
    *[
        Target(
            f"Chain.append under rules, {damage.__name__}",
            lambda: [samples.ruled_blocks()[1]],
            partial(run_append, ruled_chain),
            damage=damage,
            share=6,
        )
        for damage in (as_rlp, as_sound_block)
    ],
    # another engine may be named, which is for the caller to hand over
    Target("Chain.load", lambda: [samples.export()], run_load, (InvalidInput, UsageError), as_sound_file),
    *[
        Target(
            f"Chain.open of a damaged {'archive' if archive else 'store'}",
            partial(stored, archive),
            partial(run_open, archive),
            (InvalidInput, UsageError),
            as_store,
            share=1,
        )
        for archive in (False, True)
    ],
    Target(
        "SqliteStore on a damaged disk",
        sqlite_file,
        run_file_store,
        (InvalidInput, UsageError),
        as_disk,
        share=1,
    ),
]
