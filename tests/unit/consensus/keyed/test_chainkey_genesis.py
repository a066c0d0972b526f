"""Keys dealt by one who is trusted, and the contract in a genesis."""

from __future__ import annotations

import pytest

from chainstack_sdk import UsageError
from chainstack_sdk.consensus.chainkey.genesis import deal_locally, with_chain_key
from chainstack_sdk.consensus.chainkey.state import read_key_state
from chainstack_sdk.consensus.chainkey.storage import CHAIN_KEY_ADDRESS, CHAIN_KEY_CODE
from chainstack_sdk.core import Genesis
from chainstack_sdk.core.state import State
from chainstack_sdk.primitives.bls import FINALITY_DOMAIN, combine, sign, verify

SEED = b"\x05" * 32


@pytest.mark.parametrize("weights", [(1, 1, 1, 1), (1, 2, 3, 4)])
def test_dealt_shares_sign(choose, weights) -> None:
    members = choose(0, 1, 2, 3, weights=weights)
    polynomial, dealt = deal_locally(members, SEED)
    shares = {place: share for own in dealt.values() for place, share in own.items()}
    assert sorted(dealt) == [0, 1, 2, 3]
    assert all(polynomial.is_share(place, share) for place, share in shares.items())
    threshold = polynomial.threshold
    for chosen, enough in ((list(shares)[:threshold], True), (list(shares)[1:threshold], False)):
        whole = combine({place: sign(shares[place], b"block", FINALITY_DOMAIN) for place in chosen})
        assert verify(polynomial.key, b"block", whole, FINALITY_DOMAIN) == enough


def test_the_same_seed_gives_each_committee_a_key_of_its_own(choose) -> None:
    keys = [deal_locally(choose(*members), SEED)[0].key for members in ((0, 1), (0, 1), (0, 2))]
    assert keys[0] == keys[1] != keys[2]
    with pytest.raises(UsageError, match="32 bytes"):
        deal_locally(choose(0), SEED[:31])


def test_a_genesis_has_the_contract_once(choose) -> None:
    here, following = choose(0, 1, 2, 3), choose(1, 2, 3, 4)
    polynomial, _ = deal_locally(here, SEED)
    genesis = with_chain_key(Genesis(), here, following, polynomial)
    account = genesis.accounts[CHAIN_KEY_ADDRESS]
    assert (account.code, account.nonce, account.balance) == (CHAIN_KEY_CODE, 1, 0)
    assert Genesis.decode(genesis.encode()) == genesis
    state = State()
    genesis.fill(state)
    key = read_key_state(state)
    assert (key.slot, key.chain_id, key.failures) == (0, genesis.chain_id, 0)
    assert (key.holders.members, key.holders.polynomial, key.holders.round) == (here, polynomial, 0)
    assert (key.ceremony.players, key.ceremony.previous) == (following, polynomial)
    with pytest.raises(UsageError, match="already"):
        with_chain_key(genesis, here, following, polynomial)


def test_a_genesis_refuses_a_polynomial_of_another_threshold(choose) -> None:
    polynomial, _ = deal_locally(choose(0, 1), SEED)
    with pytest.raises(UsageError, match="another threshold"):
        with_chain_key(Genesis(), choose(0, 1, 2, 3), choose(0, 1, 2, 3), polynomial)
