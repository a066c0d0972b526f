"""Committees whose members all behave, so that a test can spoil one thing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from chainstack_sdk.consensus.bft import Secp256k1Scheme, Validator, ValidatorSet
from chainstack_sdk.consensus.chainkey.ceremony import Ceremony
from chainstack_sdk.consensus.chainkey.dealing import close_log, deal, shares_for
from chainstack_sdk.consensus.chainkey.log import Ack, DealerLog, Reveal, ack_digest, log_digest
from chainstack_sdk.consensus.chainkey.outcome import combine_logs, derive_shares
from chainstack_sdk.consensus.chainkey.polynomial import PublicPolynomial, SecretPolynomial
from chainstack_sdk.consensus.chainkey.seats import seats_of
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.keys import Account

CHAIN_ID = 77
SCHEME = Secp256k1Scheme()
ACCOUNTS = {account.address: account for account in map(Account.from_key, range(1_000, 1_080))}

Dealing = tuple[SecretPolynomial, PublicPolynomial, bytes]


def committee(first: int, *weights: int) -> ValidatorSet:
    """Members with these weights, whose accounts are those from a number on."""
    addresses = list(ACCOUNTS)[first : first + len(weights)]
    return ValidatorSet(map(Validator, addresses, weights))


def equal(first: int, count: int) -> ValidatorSet:
    return committee(first, *[1] * count)


@dataclass
class Rehearsal:
    """A ceremony with everybody's secrets."""

    ceremony: Ceremony
    shares: Mapping[int, int | None]
    """The share of each place that deals."""
    seed: bytes = b"seed"

    def __post_init__(self) -> None:
        self.dealings = {place: self.dealing(place) for place in self.shares}

    def dealing(self, place: int, salt: bytes = b"") -> Dealing:
        seed = keccak256(self.seed + salt + bytes([place]))
        return deal(self.ceremony, place, seed, self.shares[place])

    def dealer(self, place: int) -> Account:
        index = self.ceremony.dealer_seats.holder(place)
        return ACCOUNTS[self.ceremony.dealers.members[index].address]

    def player(self, index: int) -> Account:
        return ACCOUNTS[self.ceremony.players.members[index].address]

    def ack(self, place: int, index: int, commitments: bytes) -> bytes:
        return self.player(index).sign(ack_digest(self.ceremony, place, commitments))

    def log(self, place: int, silent: Collection[int] = ()) -> DealerLog:
        """The log of a place when some players, by index, are silent."""
        dealing = self.dealings[place]
        acks = {
            index: self.ack(place, index, dealing[1].encode())
            for index, count in enumerate(self.ceremony.player_seats.counts)
            if count and index not in silent
        }
        log = close_log(self.ceremony, place, dealing, acks, self.dealer(place).sign)
        assert log is not None
        return log

    def received(self, index: int) -> dict[int, tuple[bytes, tuple[int, ...]]]:
        """What a player was dealt."""
        return {
            place: (commitments.encode(), shares_for(self.ceremony, polynomial, index))
            for place, (polynomial, commitments, _) in self.dealings.items()
        }

    def resigned(self, log: DealerLog, **changes: object) -> DealerLog:
        """The log with changes that its dealer signed for."""
        log = replace(log, **changes)  # type: ignore[arg-type]
        digest = log_digest(self.ceremony, log.place, log.commitments, log.possession, log.results)
        return replace(log, signature=self.dealer(log.place).sign(digest))

    def with_result(self, log: DealerLog, index: int, result: Ack | Reveal) -> DealerLog:
        results = (*log.results[:index], result, *log.results[index + 1 :])
        return self.resigned(log, results=results)

    def outcome(self, logs: Sequence[DealerLog]) -> tuple[PublicPolynomial, dict[int, int]]:
        """The next public polynomial and the shares of all."""
        shares: dict[int, int] = {}
        for index in range(len(self.ceremony.players)):
            shares |= derive_shares(self.ceremony, logs, index, self.received(index))
        return combine_logs(self.ceremony, logs), shares


def generation(dealers: ValidatorSet, players: ValidatorSet, round: int = 1) -> Rehearsal:
    """A ceremony that makes a key."""
    ceremony = Ceremony(CHAIN_ID, round, 1, dealers, players, None)
    return Rehearsal(ceremony, dict.fromkeys(range(1, ceremony.dealer_seats.total + 1)))


def resharing(
    dealers: ValidatorSet, players: ValidatorSet, polynomial: PublicPolynomial, shares: Mapping[int, int]
) -> Rehearsal:
    """A ceremony that hands shares on."""
    return Rehearsal(Ceremony(CHAIN_ID, 2, 1, dealers, players, polynomial), dict(shares))


def keyed(dealers: ValidatorSet, players: ValidatorSet) -> Rehearsal:
    """A ceremony that hands on the shares of a key that one party made."""
    secret = SecretPolynomial.from_seed(b"a key of one party, for tests...", seats_of(dealers).threshold)
    total = seats_of(dealers).total
    return resharing(dealers, players, secret.public(), {x: secret.at(x) for x in range(1, total + 1)})
