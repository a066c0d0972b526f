"""The chain key as the chain knows it: who holds it, the ceremony that runs, and what became of it so far.

In each slot one ceremony runs. Its *round* is the number of the slot plus 1, which is the first slot in which
its players can hold the key; 0 is the round of holders from genesis. Rounds and what is signed over them
therefore never repeat.

At the end of a slot the ceremony is over (:mod:`~chainstack_sdk.consensus.chainkey.turning`). Attested, it
makes its players the holders. Otherwise it has failed: the holders stay, and the next ceremony deals to the
committee after. When more have failed in a row than the chain puts up with, or when nobody holds a key yet,
the next ceremony *generates* a key: its dealers are the committee of its own slot, who need no shares for
that. With the new key comes the next generation, and the holders of the old one are asked for a link
(:mod:`~chainstack_sdk.consensus.chainkey.link`).

**Caveats.** A link is wanted of the newest retired holders only, and of holders from genesis only if they
have attested. When a further generation begins before a link was made, there will be none between those two
keys, and whoever trusts the older needs a new anchor.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft.validators import ValidatorSet
from chainstack_sdk.consensus.chainkey import storage as stored
from chainstack_sdk.consensus.chainkey.ceremony import Ceremony, holders_message
from chainstack_sdk.consensus.chainkey.log import DealerLog
from chainstack_sdk.consensus.chainkey.polynomial import PublicPolynomial
from chainstack_sdk.consensus.chainkey.seats import seats_of
from chainstack_sdk.consensus.chainkey.storage import CHAIN_KEY_ADDRESS, NOBODY, StoredHolders
from chainstack_sdk.consensus.staking.storage import StateStorage

if TYPE_CHECKING:
    from chainstack_sdk.consensus.chainkey.seats import Seats
    from chainstack_sdk.consensus.staking.storage import Storage
    from chainstack_sdk.core.state import State

_REMEMBERED = 64


@dataclass(frozen=True, slots=True)
class Holders:
    """A committee that holds a key."""

    generation: int
    """Of the key: 1 for the chain's first."""
    round: int
    """Of the ceremony that made them; 0 from genesis."""
    members: ValidatorSet
    polynomial: PublicPolynomial
    attestation: bytes = b""
    """The key's own signature over :meth:`message`, 48 bytes; empty while holders from genesis owe it."""

    @property
    def key(self) -> bytes:
        """The key, 96 bytes."""
        return self.polynomial.key

    @property
    def seats(self) -> Seats:
        """Who holds which shares."""
        return seats_of(self.members)

    def message(self, chain_id: int) -> bytes:
        """Return what their attestation signs."""
        return holders_message(chain_id, self.generation, self.round, self.members.hash)


@dataclass(frozen=True, slots=True)
class KeyState:
    """The chain key as of a block."""

    slot: int
    """In which the ceremony runs: that of the next block."""
    holders: Holders | None
    """Who holds the key; None before there is one."""
    ceremony: Ceremony
    logs: tuple[DealerLog, ...]
    """Those that count, in chain order; at most as many as needed."""
    outcome: PublicPolynomial | None
    """What the logs make; None until there are as many as needed."""
    attestation: bytes
    """48 bytes once the players have shown that they can sign; else empty."""
    failures: int
    """Ceremonies that have failed in a row."""
    retired: Holders | None
    """The last holders of the generation before, while a link from their key is wanted."""
    link: bytes
    """The link from the generation before to the holders' key; empty while there is none."""

    @property
    def chain_id(self) -> int:
        """The chain."""
        return self.ceremony.chain_id

    @property
    def successors(self) -> Holders | None:
        """The ceremony's players as the holders they will be; None until the outcome is known."""
        if self.outcome is None:
            return None
        ceremony = self.ceremony
        return Holders(ceremony.generation, ceremony.round, ceremony.players, self.outcome, self.attestation)


def read_key_state(state: State) -> KeyState | None:
    """Return the chain key as of a state, or None on a chain that has none."""
    return load_key_state(StateStorage(state, CHAIN_KEY_ADDRESS))


def read_link(state: State, generation: int) -> bytes:
    """Return the encoded link from the key of the generation before to that of this one, or nothing."""
    return stored.load_link(StateStorage(state, CHAIN_KEY_ADDRESS), generation)


def load_key_state(storage: Storage) -> KeyState | None:
    """Return what is in a chain key contract's storage, or None when nothing is."""
    round = storage.load(stored.ROUND)
    if not round:
        return None
    held = stored.load_holders(storage, stored.HOLDERS)
    dealers = stored.load_text(storage, stored.DEALERS)
    outcome = stored.load_text(storage, stored.OUTCOME)
    return KeyState(
        slot=round - 1,
        holders=_holders(held),
        ceremony=_ceremony(
            storage.load(stored.CHAIN_ID),
            round,
            storage.load(stored.GENERATION),
            dealers or held.members,
            stored.load_text(storage, stored.PLAYERS),
            b"" if dealers else held.polynomial,
        ),
        logs=tuple(map(DealerLog.decode, stored.load_logs(storage))),
        outcome=_polynomial(outcome) if outcome else None,
        attestation=stored.load_text(storage, stored.ATTESTATION),
        failures=storage.load(stored.FAILURES),
        retired=_holders(stored.load_holders(storage, stored.RETIRED)),
        link=stored.load_link(storage, held.generation),
    )


def _holders(held: StoredHolders) -> Holders | None:
    if held == NOBODY:
        return None
    return Holders(
        held.generation, held.round, _members(held.members), _polynomial(held.polynomial), held.attestation
    )


# What was decoded once is kept: points take long to decode, and most of a state is as it was a block before.


@lru_cache(maxsize=_REMEMBERED)
def _polynomial(encoded: bytes) -> PublicPolynomial:
    return PublicPolynomial.decode(encoded)


@lru_cache(maxsize=_REMEMBERED)
def _members(encoded: bytes) -> ValidatorSet:
    return ValidatorSet.decode(encoded)


@lru_cache(maxsize=_REMEMBERED)
def _ceremony(
    chain_id: int, round: int, generation: int, dealers: bytes, players: bytes, previous: bytes
) -> Ceremony:
    return Ceremony(
        chain_id,
        round,
        generation,
        _members(dealers),
        _members(players),
        _polynomial(previous) if previous else None,
    )
