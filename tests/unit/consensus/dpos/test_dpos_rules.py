from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk.consensus.block_reward import ConstantReward
from chainstack_sdk.consensus.dpos import (
    DELEGATION_ADDRESS,
    DelegateBook,
    DelegationParameters,
    DelegationRules,
    genesis_delegates,
    with_delegation,
)
from chainstack_sdk.consensus.dpos import storage as layout
from chainstack_sdk.consensus.staking.storage import MappingStorage, StateStorage
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.testing import AcceptAllHeaders, accounts, bare_chain, extend, payment
from chainstack_sdk.testing.forks import delegate_host

FIRST, SECOND, PAYER = accounts(3)
PARAMETERS = DelegationParameters(blocks_per_epoch=3, seats=2, minimum_deposit=100, interval_ms=1_000)
BASE = Genesis(accounts={PAYER.address: GenesisAccount(balance=10**20)}, engine="dpos")
GENESIS = with_delegation(BASE, [FIRST.address, SECOND.address], PARAMETERS)


def ruled(genesis: Genesis = GENESIS, **options):
    rules = DelegationRules(PARAMETERS, reward=ConstantReward(9), **options)
    return bare_chain(genesis=genesis, header_rule=AcceptAllHeaders(), rules=rules)


def delegates(chain, epoch: int):
    return layout.read_delegates(StateStorage(chain.state, DELEGATION_ADDRESS), epoch)


def test_epochs_follow_the_height() -> None:
    rules = DelegationRules(PARAMETERS)
    assert [rules.slot(height) for height in range(8)] == [0, 0, 0, 0, 1, 1, 1, 2]
    assert rules.reward == ConstantReward()


def test_the_proposer_earns_reward_and_fees() -> None:
    chain = ruled()
    supply = chain.state.supply()
    block = extend(chain, payment(chain, PAYER, FIRST, 1))
    (receipt,) = chain.ledger.receipts(1)
    earned = receipt.gas_used * receipt.effective_gas_price + 9
    assert chain.state.balance(block.header.proposer) == earned
    assert chain.state.supply() == supply + 9
    nothing = DelegationRules(PARAMETERS, reward=ConstantReward(0))
    chain = bare_chain(genesis=GENESIS, rules=nothing)
    block = extend(chain)
    assert chain.state.balance(block.header.proposer) == 0


def test_headers_commit_to_the_newest_delegates() -> None:
    chain = ruled()
    for height in range(1, 13):
        block = extend(chain)
        newest = (height - 1) // 3 + (2 if height % 3 == 0 else 1)
        assert block.header.next_committee_hash == delegates(chain, newest).hash
        assert block.header.slot == (height - 1) // 3


def test_old_epochs_are_forgotten() -> None:
    chain = ruled()
    for _ in range(15):
        extend(chain)
    kept = [epoch for epoch in range(10) if delegates(chain, epoch) is not None]
    assert kept == [3, 4, 5, 6]


def stored(change) -> Genesis:
    """The genesis with the contract's storage changed."""
    account = GENESIS.accounts[DELEGATION_ADDRESS]
    storage = MappingStorage(dict(account.storage))
    change(storage)
    changed = replace(account, storage=storage.values)
    return replace(GENESIS, accounts={**GENESIS.accounts, DELEGATION_ADDRESS: changed})


def test_when_nobody_stands_the_delegates_go_on() -> None:
    def everybody_leaves(storage: MappingStorage) -> None:
        for _ in range(2):
            layout.remove_candidate(storage, 1)

    chain = ruled(stored(everybody_leaves))
    for _ in range(3):
        extend(chain)
    assert delegates(chain, 2) == delegates(chain, 1) == genesis_delegates(GENESIS)


def test_equal_votes_go_to_the_lower_address() -> None:
    others = [bytes([number]) * 20 for number in (9, 8, 7)]

    def more_stand(storage: MappingStorage) -> None:
        for address in others:
            place = layout.append_candidate(storage, address)
            layout.write_record(storage, address, layout.CandidateRecord(100, 5, place))

    chain = ruled(stored(more_stand))
    for _ in range(3):
        extend(chain)
    assert [member.address for member in delegates(chain, 2)] == [others[2], others[1]]


def test_blocks_have_no_attachment() -> None:
    chain = ruled()
    block = chain.build([], timestamp_ms=BASE.timestamp_ms + 1, proposer=FIRST.address).block
    with pytest.raises(InvalidInput, match="no attachment"):
        chain.append(replace(block, attachment=b"x"))
    with pytest.raises(UsageError, match="no attachment"):
        chain.build([], timestamp_ms=BASE.timestamp_ms + 1, proposer=FIRST.address, attachment=b"x")
    chain.append(block)


def test_a_genesis_without_the_contract_is_not_for_these_rules() -> None:
    with pytest.raises(UsageError, match="no delegation contract"):
        extend(ruled(BASE))


# The book


def test_a_book_finds_what_it_was_told_and_what_the_state_holds() -> None:
    host = delegate_host(GENESIS)
    first = genesis_delegates(GENESIS)
    assert DelegateBook().find(first.hash) is None
    assert DelegateBook([first]).find(first.hash) == first
    storage = StateStorage(host.chain.state, DELEGATION_ADDRESS)
    assert DelegateBook(storage=storage).find(first.hash) == first
    assert DelegateBook(storage=storage).find(bytes(32)) is None


def test_a_book_forgets_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    from chainstack_sdk.consensus.bft.validators import Validator, ValidatorSet
    from chainstack_sdk.consensus.dpos import book

    monkeypatch.setattr(book, "MAX_SETS", 2)
    sets = [ValidatorSet([Validator(bytes([number]) * 20, 1)]) for number in (1, 2, 3)]
    kept = DelegateBook(sets)
    assert [kept.find(one.hash) for one in sets] == [None, sets[1], sets[2]]


def test_a_book_follows_elections() -> None:
    chain = ruled()
    known = DelegateBook(storage=StateStorage(chain.state, DELEGATION_ADDRESS))
    for _ in range(20):
        extend(chain)
        assert known.find(chain.head.next_committee_hash) is not None
