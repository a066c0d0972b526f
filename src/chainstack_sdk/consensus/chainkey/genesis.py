"""A genesis with a chain key contract, and keys dealt by one who is trusted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.chainkey.polynomial import SecretPolynomial
from chainstack_sdk.consensus.chainkey.seats import seats_of
from chainstack_sdk.consensus.chainkey.storage import CHAIN_KEY_ADDRESS, CHAIN_KEY_CODE
from chainstack_sdk.consensus.chainkey.turning import write_genesis
from chainstack_sdk.consensus.staking.storage import MappingStorage
from chainstack_sdk.core.genesis import GenesisAccount
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from chainstack_sdk.consensus.bft.validators import ValidatorSet
    from chainstack_sdk.consensus.chainkey.polynomial import PublicPolynomial
    from chainstack_sdk.core.genesis import Genesis

_DEAL_DOMAIN = b"chainstack local deal"
_MIN_SEED_BYTES = 32


def with_chain_key(
    genesis: Genesis,
    committee: ValidatorSet,
    next_committee: ValidatorSet,
    polynomial: PublicPolynomial | None = None,
) -> Genesis:
    """Return the genesis with a chain key contract at :data:`CHAIN_KEY_ADDRESS`.

    Parameters
    ----------
    committee, next_committee
        Those of slots 0 and 1.
    polynomial
        Behind a key that the committee of slot 0 holds from the start, such as :func:`deal_locally` makes.
        None: the committee generates a key in slot 0, which that of slot 1 holds then.

    Raises
    ------
    UsageError
        When the genesis has the contract already, or the polynomial is not one for the committee.
    """
    if CHAIN_KEY_ADDRESS in genesis.accounts:
        raise UsageError("this genesis has a chain key contract already")
    threshold = seats_of(committee).threshold
    if polynomial is not None and polynomial.threshold != threshold:
        raise UsageError(
            "the polynomial has another threshold than the committee",
            expected=threshold,
            actual=polynomial.threshold,
        )
    storage = MappingStorage({})
    write_genesis(storage, genesis.chain_id, committee, next_committee, polynomial)
    written = {slot: value for slot, value in storage.values.items() if value}
    account = GenesisAccount(nonce=1, code=CHAIN_KEY_CODE, storage=written)
    return replace(genesis, accounts={**genesis.accounts, CHAIN_KEY_ADDRESS: account})


def deal_locally(committee: ValidatorSet, seed: bytes) -> tuple[PublicPolynomial, dict[int, dict[int, int]]]:
    """Make a key and everybody's shares of it in one place.

    Whoever calls this, or sees the seed, has the whole key and keeps it, for resharing does not change the
    key. It is for chains that one party runs, and for tests.

    Parameters
    ----------
    committee
        Who is to hold the key.
    seed
        At least 32 random bytes, secret. The same seed gives the same key to the same committee.

    Returns
    -------
    polynomial
        For :func:`with_chain_key`.
    shares
        By index of the member: by place, the share there.

    Raises
    ------
    UsageError
        When the seed is too short.
    """
    if len(seed) < _MIN_SEED_BYTES:
        raise UsageError("a seed has at least 32 bytes", expected=_MIN_SEED_BYTES, actual=len(seed))
    seats = seats_of(committee)
    secret = SecretPolynomial.from_seed(keccak256(_DEAL_DOMAIN + committee.hash + seed), seats.threshold)
    shares = {
        index: {place: secret.at(place) for place in seats.places(index)} for index in range(len(committee))
    }
    return secret.public(), shares
