"""Ceremonies: how the shares of a chain's key pass from those who hold them to those who shall.

A ceremony runs in one slot of the chain, and everything that its participants must agree on is a
:class:`Ceremony`. *Dealers* hold the key's shares now, or, when a new key is *generated*, are the committee
of the slot; *players* receive the next shares. Shares belong to seats
(:mod:`~chainstack_sdk.consensus.chainkey.seats`), whose places count from 1.

1. Each place of the dealers has a polynomial of degree ``threshold - 1``. When a key is *reshared* its value
   at 0 is the share of that place, which everybody can check against the public polynomial of before; in a
   generation it is random. Players get their values in private, and sign for them when they are right.
2. In a log (:mod:`~chainstack_sdk.consensus.chainkey.log`) on the chain the dealer shows the polynomial's
   image in G2, and for each player either its signature or the values themselves, of at most
   ``reveal_limit`` seats.
3. The first ``needed`` valid logs in the order of the chain are the selection; the next shares and the next
   public polynomial follow from it (:mod:`~chainstack_sdk.consensus.chainkey.outcome`).

Where less than a third of the weight is faulty on either side, the faulty hold at most the seats to spare
(``Seats.spare``). Then the honest dealers alone are enough for a selection; at least one of any selection is
honest, so that nobody knows the next shares of others from the dealings; and every player gets its shares, if
need be from what is public. The scheme is Feldman's (FOCS 1987), dealt jointly as in Gennaro, Jarecki,
Krawczyk and Rabin (EUROCRYPT 1999), and redistributed after Desmedt and Jajodia (1997), with logs on a chain
in place of complaints.

**Caveats**

- *A generated key can be biased.* Who deals last sees the public keys of the others, and may choose among as
  many dealings of its own as it can compute, or hold its log back: of ``k`` tries it picks one, which is
  ``log2 k`` bits of bias. Nobody may use the bits of a key as randomness. It does not help to forge: a faulty
  dealer knows the secret that it deals (shown by its log), so a signature under the key, less what the other
  secrets of the selection add to it, is a signature under that of any one honest dealer, which nobody
  biased (Gurkan and others, "Aggregatable distributed key generation", EUROCRYPT 2021). In a resharing the
  key stays what it was: there is nothing to bias.
- *Time.* That an honest player's shares stay secret is promised only where a dealing and the signature for it
  cross the network within half a slot. A player cut off for longer still gets shares, but everybody knows
  them: it is *exposed* (:func:`~chainstack_sdk.consensus.chainkey.outcome.exposed_members`). Every honest
  dealer keeps to the limit, so no more than ``spare`` seats of honest players are ever exposed. Together with
  those of the faulty that is at most twice ``spare``: below the threshold where weights are equal. Where they
  are not, rounding may let it reach the threshold, and such committees do depend on time.
- *Old shares.* As the key stays, a threshold of the shares of any one past committee signs for ever, at any
  height. Members have to erase shares, seeds and received dealings once their successors have shown that
  they can sign, and of every committee the holders of more than ``spare`` seats must really have done so.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from chainstack_sdk.consensus.bft.validators import ValidatorSet
from chainstack_sdk.consensus.chainkey.polynomial import PublicPolynomial
from chainstack_sdk.consensus.chainkey.seats import Seats, seats_of
from chainstack_sdk.consensus.octets import exact_bytes, uint_bytes
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import keccak256

_CEREMONY_DOMAIN = b"chainstack key ceremony"
_HOLDERS_TEXT = b"chainstack key holders"
_BEACON_TEXT = b"chainstack key beacon"
_NO_POLYNOMIAL = bytes(32)


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What the participants of one ceremony agree on.

    Raises
    ------
    UsageError
        When a number does not fit, or the threshold of the polynomial of before is not that of the dealers.
    """

    chain_id: int
    """Below 2^64."""
    round: int
    """The number of the slot in which it runs plus 1, below 2^64: no two of a chain have the same."""
    generation: int
    """Of the key whose shares it deals, below 2^64: 1 for the first key of a chain."""
    dealers: ValidatorSet
    """Who deals: the holders of the key, or in a generation the committee of the slot."""
    players: ValidatorSet
    """Who receives shares."""
    previous: PublicPolynomial | None
    """The public polynomial of the shares dealt from; None when a new key is generated."""
    dealer_seats: Seats = field(init=False, repr=False, compare=False)
    """The dealers' seats: one dealing, and one log, for each place."""
    player_seats: Seats = field(init=False, repr=False, compare=False)
    """The players' seats: one new share for each place."""
    hash: bytes = field(init=False, repr=False, compare=False)
    """Stands for all of it, 32 bytes: keccak256 of ``"chainstack key ceremony" ‖ chain_id u64 ‖ round u64 ‖
    generation u64 ‖ hash of the dealers 32 ‖ hash of the players 32 ‖ keccak256(previous polynomial) 32``,
    big-endian; the last are zeros where there is none."""

    def __post_init__(self) -> None:
        numbers = (
            uint_bytes(self.chain_id, 8, "chain id"),
            uint_bytes(self.round, 8, "round"),
            uint_bytes(self.generation, 8, "generation"),
        )
        dealer_seats = seats_of(self.dealers)
        known = _NO_POLYNOMIAL
        if self.previous is not None:
            if self.previous.threshold != dealer_seats.threshold:
                raise UsageError(
                    "the polynomial is not one that the dealers have shares of",
                    expected=dealer_seats.threshold,
                    actual=self.previous.threshold,
                )
            known = keccak256(self.previous.encode())
        parts = (_CEREMONY_DOMAIN, *numbers, self.dealers.hash, self.players.hash, known)
        object.__setattr__(self, "dealer_seats", dealer_seats)
        object.__setattr__(self, "player_seats", seats_of(self.players))
        object.__setattr__(self, "hash", keccak256(b"".join(parts)))

    @property
    def is_generation(self) -> bool:
        """Whether it makes a new key, and does not hand over one that exists."""
        return self.previous is None

    @property
    def threshold(self) -> int:
        """How many of the new shares will sign."""
        return self.player_seats.threshold

    @property
    def needed(self) -> int:
        """How many logs, of different places, make up the selection."""
        return self.dealer_seats.threshold

    @property
    def reveal_limit(self) -> int:
        """The shares of how many seats a log may make public."""
        return self.player_seats.spare


def holders_message(chain_id: int, generation: int, round: int, members_hash: bytes) -> bytes:
    """Return what the new holders of a key sign with it, to prove that they can: 78 bytes.

    Parameters
    ----------
    chain_id, generation, round
        Of the ceremony that made them holders; below 2^64, big-endian. Holders from genesis have round 0.
    members_hash
        The hash of the new holders' committee, 32 bytes.

    Raises
    ------
    UsageError
        When an argument does not fit.
    """
    return b"".join(
        (
            _HOLDERS_TEXT,
            uint_bytes(chain_id, 8, "chain id"),
            uint_bytes(generation, 8, "generation"),
            uint_bytes(round, 8, "round"),
            exact_bytes(members_hash, 32, "hash of the members"),
        )
    )


def beacon_message(chain_id: int, slot: int) -> bytes:
    """Return what the holders of a key sign to draw the randomness of a slot's end: 37 bytes.

    Parameters
    ----------
    chain_id, slot
        Below 2^64, big-endian.

    Raises
    ------
    UsageError
        When an argument does not fit.
    """
    return _BEACON_TEXT + uint_bytes(chain_id, 8, "chain id") + uint_bytes(slot, 8, "slot")
