"""The chain key contract's storage, in the layout of Solidity.

Being part of the state it can be proven, and it goes back when blocks are taken back.

====  =========================================================================================
Slot  Value
====  =========================================================================================
0     chain id
1     round of the ceremony that runs: the number of its slot plus 1
2     generation of the key that it deals
3     how many ceremonies have failed in a row
4     its dealers, bytes: an encoded committee, or empty when they are the holders
5     its players, bytes: an encoded committee
6     its logs, bytes[], in the order in which blocks brought them
7     its outcome, bytes: an encoded public polynomial, once there are logs enough
8     its attestation, bytes: 48, once a block brought it
9     who holds the key, ``struct {uint256 generation; uint256 round; bytes members;``
      ``bytes polynomial; bytes attestation}``; all empty before there is a key
14    who held the key of the generation before, the same struct; empty unless a link is wanted
19    links: mapping from the generation of the newer key to bytes
====  =========================================================================================

The key itself is the first 96 bytes of the holders' polynomial: the words from keccak(12) on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from chainstack_sdk.core.native.code import system_code
from chainstack_sdk.core.native.slots import (
    array_slot,
    following,
    load_bytes,
    mapping_slot,
    slot,
    store_bytes,
)

if TYPE_CHECKING:
    from chainstack_sdk.consensus.staking.storage import Storage
    from chainstack_sdk.core.call import Call

CHAIN_KEY_ADDRESS = bytes.fromhex("0000000000000000000000000000000000004305")
"""Where the chain key contract lives on every chain that has a key, 20 bytes."""
MIN_BLOCKS_PER_SLOT = 4
"""A slot needs blocks for dealing, for logs, and for the attestation after the last of them."""
CHAIN_KEY_CODE = system_code("chain key")
"""The code of the chain key contract."""

CHAIN_ID = slot(0)
ROUND = slot(1)
GENERATION = slot(2)
FAILURES = slot(3)
DEALERS = slot(4)
PLAYERS = slot(5)
LOGS = slot(6)
OUTCOME = slot(7)
ATTESTATION = slot(8)
HOLDERS = slot(9)
RETIRED = slot(14)
LINKS = slot(19)


@dataclass(frozen=True, slots=True)
class StoredHolders:
    """Holders of a key as they are stored; all of it zero and empty for nobody."""

    generation: int = 0
    round: int = 0
    members: bytes = b""
    """An encoded committee."""
    polynomial: bytes = b""
    """An encoded public polynomial."""
    attestation: bytes = b""
    """48 bytes, or empty."""


NOBODY = StoredHolders()
"""What is stored where there are no holders."""


def load_text(storage: Storage, base: bytes) -> bytes:
    """Return the content of a ``bytes`` variable."""
    return load_bytes(cast("Call", storage), base)


def store_text(storage: Storage, base: bytes, content: bytes) -> None:
    """Write a ``bytes`` variable and clear what it held beyond the new content."""
    store_bytes(cast("Call", storage), base, content)


def load_logs(storage: Storage) -> tuple[bytes, ...]:
    """Return the encoded logs of the ceremony that runs."""
    return tuple(load_text(storage, array_slot(LOGS, at)) for at in range(storage.load(LOGS)))


def append_log(storage: Storage, log: bytes) -> None:
    """Write the next encoded log of the ceremony that runs."""
    count = storage.load(LOGS)
    store_text(storage, array_slot(LOGS, count), log)
    storage.store(LOGS, count + 1)


def clear_logs(storage: Storage) -> None:
    """Clear all logs."""
    for at in range(storage.load(LOGS)):
        store_text(storage, array_slot(LOGS, at), b"")
    storage.store(LOGS, 0)


def load_holders(storage: Storage, base: bytes) -> StoredHolders:
    """Return the holders at :data:`HOLDERS` or :data:`RETIRED`."""
    generation, round, members, polynomial, attestation = (following(base, at) for at in range(5))
    return StoredHolders(
        storage.load(generation),
        storage.load(round),
        load_text(storage, members),
        load_text(storage, polynomial),
        load_text(storage, attestation),
    )


def store_holders(storage: Storage, base: bytes, holders: StoredHolders) -> None:
    """Write the holders at :data:`HOLDERS` or :data:`RETIRED`."""
    generation, round, members, polynomial, attestation = (following(base, at) for at in range(5))
    storage.store(generation, holders.generation)
    storage.store(round, holders.round)
    store_text(storage, members, holders.members)
    store_text(storage, polynomial, holders.polynomial)
    store_text(storage, attestation, holders.attestation)


def set_holders_attestation(storage: Storage, attestation: bytes) -> None:
    """Write the attestation of those who hold the key."""
    store_text(storage, following(HOLDERS, 4), attestation)


def load_link(storage: Storage, generation: int) -> bytes:
    """Return the encoded link from the generation before to this one, or nothing."""
    return load_text(storage, mapping_slot(LINKS, generation))


def store_link(storage: Storage, generation: int, link: bytes) -> None:
    """Write the encoded link from the generation before to this one."""
    store_text(storage, mapping_slot(LINKS, generation), link)
