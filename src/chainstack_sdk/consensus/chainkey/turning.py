"""What becomes of the chain key's part of the state from slot to slot; see :mod:`.state` for what it means.

It is apart from what reads that state, so that a chain can begin without loading all of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.chainkey import storage as stored
from chainstack_sdk.consensus.chainkey.storage import NOBODY, StoredHolders

if TYPE_CHECKING:
    from chainstack_sdk.consensus.bft.validators import ValidatorSet
    from chainstack_sdk.consensus.chainkey.polynomial import PublicPolynomial
    from chainstack_sdk.consensus.staking.storage import Storage


def write_genesis(
    storage: Storage,
    chain_id: int,
    committee: ValidatorSet,
    next_committee: ValidatorSet,
    polynomial: PublicPolynomial | None,
) -> None:
    """Write what an empty storage holds from genesis on.

    Parameters
    ----------
    committee, next_committee
        Those of slots 0 and 1.
    polynomial
        Behind the shares that the committee of slot 0 holds; None: there is no key before slot 1.
    """
    storage.store(stored.CHAIN_ID, chain_id)
    if polynomial is not None:
        held = StoredHolders(1, 0, committee.encode(), polynomial.encode())
        stored.store_holders(storage, stored.HOLDERS, held)
    _begin_ceremony(storage, 1, committee, next_committee, is_generation=polynomial is None)


def turn(storage: Storage, committee: ValidatorSet, next_committee: ValidatorSet, extensions: int) -> None:
    """End the ceremony of a slot and begin that of the next; see the module.

    Parameters
    ----------
    committee, next_committee
        Those of the slot that begins and of the one after.
    extensions
        How many ceremonies in a row may fail before a key is generated anew.
    """
    attestation = stored.load_text(storage, stored.ATTESTATION)
    failures = 0 if attestation else storage.load(stored.FAILURES) + 1
    if attestation:
        _install(storage, attestation)
    storage.store(stored.FAILURES, failures)
    stored.clear_logs(storage)
    stored.store_text(storage, stored.OUTCOME, b"")
    stored.store_text(storage, stored.ATTESTATION, b"")
    has_key = stored.load_holders(storage, stored.HOLDERS) != NOBODY
    _begin_ceremony(
        storage,
        storage.load(stored.ROUND) + 1,
        committee,
        next_committee,
        is_generation=not has_key or failures > extensions,
    )


def _install(storage: Storage, attestation: bytes) -> None:
    """Make the players of the ceremony the holders."""
    before = stored.load_holders(storage, stored.HOLDERS)
    generation = storage.load(stored.GENERATION)
    if before.attestation and before.generation != generation:
        stored.store_holders(storage, stored.RETIRED, before)
    now = StoredHolders(
        generation,
        storage.load(stored.ROUND),
        stored.load_text(storage, stored.PLAYERS),
        stored.load_text(storage, stored.OUTCOME),
        attestation,
    )
    stored.store_holders(storage, stored.HOLDERS, now)


def _begin_ceremony(
    storage: Storage,
    round: int,
    committee: ValidatorSet,
    next_committee: ValidatorSet,
    *,
    is_generation: bool,
) -> None:
    held = stored.load_holders(storage, stored.HOLDERS)
    storage.store(stored.ROUND, round)
    storage.store(stored.GENERATION, held.generation + is_generation)
    stored.store_text(storage, stored.DEALERS, committee.encode() if is_generation else b"")
    stored.store_text(storage, stored.PLAYERS, next_committee.encode())
