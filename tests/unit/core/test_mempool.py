import pytest

from chainstack_sdk.core.mempool import Mempool
from chainstack_sdk.core.transactions import decode_transaction, known, sign_transaction
from chainstack_sdk.primitives.errors import InvalidInput, Rejected
from chainstack_sdk.primitives.keys import Account
from chainstack_sdk.primitives.rlp import rlp_encode

CHAIN_ID = 31337
ALICE, BOB, CAROL, DAVE = (Account.from_key(number) for number in range(1, 5))
HEAD = {"nonce": 0, "balance": 10**18, "base_fee": 10, "gas_limit": 1_000_000}


def tx(sender=ALICE, nonce=0, fee=100, tip=1, gas=21_000, value=0, chain_id=CHAIN_ID):
    return sign_transaction(
        sender,
        chain_id=chain_id,
        nonce=nonce,
        to=bytes(20),
        gas=gas,
        value=value,
        max_fee_per_gas=fee,
        max_priority_fee_per_gas=tip,
    )


def pool_of(*transactions, **options):
    pool = Mempool(chain_id=CHAIN_ID, **options)
    for transaction in transactions:
        pool.add(transaction, **HEAD)
    return pool


def contents(pool):
    """Everything one can observe of a pool."""
    order = pool.copy().take(0, 10**12)
    nonces = [pool.next_nonce(account.address) for account in (ALICE, BOB, CAROL, DAVE)]
    return list(pool), order, nonces, len(pool)


def refused(pool, transaction, code, **head):
    before = contents(pool)
    with pytest.raises(Rejected) as caught:
        pool.add(transaction, **{**HEAD, **head})
    assert caught.value.code == code
    assert contents(pool) == before
    return caught.value


def test_lookups():
    first, second = tx(), tx(BOB)
    pool = pool_of(first, second)
    assert len(pool) == 2
    assert list(pool) == [first, second]
    assert pool.get(first.hash) is first
    assert pool.get(bytes(32)) is None
    assert first.hash in pool
    assert bytes(32) not in pool


class TestRejections:
    def test_already_known(self):
        transaction = tx()
        error = refused(pool_of(transaction), transaction, "already_known")
        assert error.hash == transaction.hash

    def test_wrong_chain(self):
        error = refused(pool_of(), tx(chain_id=1), "wrong_chain")
        assert (error.expected, error.actual) == (CHAIN_ID, 1)

    def test_no_chain_id(self):
        known.clear()
        transaction = decode_transaction(rlp_encode([0, 100, 21_000, bytes(20), 0, b"", 27, 2, 1]))
        assert refused(pool_of(), transaction, "wrong_chain").actual is None

    def test_gas_limit(self):
        error = refused(pool_of(), tx(gas=50_000), "gas_limit", gas_limit=49_999)
        assert (error.expected, error.actual) == (49_999, 50_000)
        pool_of().add(tx(gas=50_000), **{**HEAD, "gas_limit": 50_000})

    def test_base_fee(self):
        error = refused(pool_of(), tx(fee=99), "fee_too_low", base_fee=100)
        assert (error.expected, error.actual) == (100, 99)
        pool_of().add(tx(fee=100), **{**HEAD, "base_fee": 100})

    def test_minimum_price_of_the_pool(self):
        error = refused(pool_of(min_gas_price=50), tx(fee=49), "fee_too_low")
        assert (error.expected, error.actual) == (50, 49)
        pool_of(tx(fee=50), min_gas_price=50)

    def test_nonce_too_low(self):
        error = refused(pool_of(), tx(nonce=4), "nonce_too_low", nonce=5)
        assert (error.expected, error.actual) == (5, 4)

    def test_funds(self):
        cost = 21_000 * 100 + 7
        error = refused(pool_of(), tx(value=7), "insufficient_funds", balance=cost - 1)
        assert (error.expected, error.actual) == (cost, cost - 1)
        pool_of().add(tx(value=7), **{**HEAD, "balance": cost})

    def test_funds_cover_all_pending(self):
        pool = pool_of(tx(nonce=0), tx(nonce=2))
        assert (
            refused(pool, tx(nonce=1), "insufficient_funds", balance=3 * 2_100_000 - 1).expected == 6_300_000
        )
        pool.add(tx(nonce=1), **{**HEAD, "balance": 6_300_000})

    def test_funds_are_free_again_when_a_transaction_leaves(self):
        pool = pool_of(tx(nonce=0), tx(nonce=1), tx(BOB), max_transactions=3)
        pool.add(tx(CAROL, fee=101), **HEAD)  # pushes out BOB's, the last to come
        pool.add(tx(CAROL, nonce=1, fee=101), **HEAD)  # and ALICE's last
        pool.on_block([tx(CAROL, nonce=0), tx(CAROL, nonce=1)])
        two = {**HEAD, "balance": 4_200_000}
        pool.add(tx(nonce=1), **two)
        refused(pool, tx(nonce=2, fee=10), "insufficient_funds", balance=4_200_000)
        pool.on_block([tx(nonce=0)])
        pool.add(tx(nonce=2), **{**two, "nonce": 1})

    def test_funds_of_a_replacement(self):
        pool = pool_of(tx(nonce=0), tx(nonce=1))
        new = tx(nonce=1, fee=200, tip=2)
        assert refused(pool, new, "insufficient_funds", balance=6_299_999).expected == 6_300_000
        pool.add(new, **{**HEAD, "balance": 6_300_000})

    @pytest.mark.parametrize(
        ("fee", "tip", "least"), [(110, 21, 22), (109, 22, 110), (99, 30, 110), (100, 21, 110)], ids=str
    )
    def test_underpriced(self, fee, tip, least):
        error = refused(pool_of(tx(fee=100, tip=20)), tx(fee=fee, tip=tip), "underpriced")
        assert error.expected == least
        assert error.actual in (fee, tip)

    def test_a_replacement_always_offers_more(self):
        pool = pool_of(tx(fee=10, tip=0), price_bump_percent=0)
        refused(pool, tx(fee=10, tip=1), "underpriced")
        refused(pool, tx(fee=11, tip=0), "underpriced")
        pool.add(tx(fee=11, tip=1), **HEAD)

    def test_too_many_of_one_sender(self):
        pool = pool_of(tx(nonce=0), tx(nonce=1), max_per_sender=2)
        assert refused(pool, tx(nonce=2), "pool_full").expected == 2
        pool.add(tx(nonce=1, fee=200, tip=2), **HEAD)
        pool.add(tx(BOB), **HEAD)

    def test_nobody_signed(self):
        pool = pool_of(tx())
        before = contents(pool)
        known.clear()
        raw = b"\x02" + rlp_encode([CHAIN_ID, 0, 1, 100, 21_000, bytes(20), 0, b"", [], 0, 5, 1])
        with pytest.raises(InvalidInput, match="no key"):
            pool.add(decode_transaction(raw), **HEAD)
        assert contents(pool) == before


def test_replacement_takes_the_place():
    old, other, new = tx(), tx(BOB), tx(fee=110, tip=2)
    pool = pool_of(old, other)
    pool.add(new, **HEAD)
    assert list(pool) == [other, new]
    assert old.hash not in pool
    assert pool.take(10, 10**6) == [new, other]


class TestTake:
    def test_best_tip_first_then_arrival(self):
        low, high, late = tx(ALICE, tip=1), tx(BOB, tip=5), tx(CAROL, tip=1)
        assert pool_of(low, high, late).take(10, 10**6) == [high, low, late]

    def test_tip_is_what_the_base_fee_leaves(self):
        wide, narrow = tx(ALICE, fee=100, tip=20), tx(BOB, fee=60, tip=50)
        pool = pool_of(wide, narrow)
        assert pool.copy().take(10, 10**6) == [narrow, wide]
        assert pool.copy().take(45, 10**6) == [wide, narrow]

    def test_tip_of_a_later_nonce(self):
        first, second, other = tx(nonce=0, tip=60), tx(nonce=1, fee=50, tip=50), tx(BOB, tip=45)
        pool = pool_of(first, second, other)
        assert pool.copy().take(0, 10**6) == [first, second, other]
        assert pool.copy().take(10, 10**6) == [first, other, second]

    def test_nonce_order_beats_price(self):
        first, second = tx(nonce=0, tip=1), tx(nonce=1, tip=90)
        other = tx(BOB, tip=50)
        assert pool_of(second, first, other).take(10, 10**6) == [other, first, second]

    def test_gaps_wait(self):
        pool = pool_of(tx(nonce=0), tx(nonce=2), tx(BOB, nonce=1))
        assert [t.nonce for t in pool.take(10, 10**6)] == [0]
        assert len(pool) == 2
        pool.add(tx(nonce=1), **{**HEAD, "nonce": 1})
        assert [t.nonce for t in pool.take(10, 10**6)] == [1, 2]

    def test_base_fee_too_high(self):
        cheap, after, other = tx(nonce=0, fee=50), tx(nonce=1, fee=90), tx(BOB, fee=80)
        pool = pool_of(cheap, after, other)
        assert pool.take(51, 10**6) == [other]
        assert pool.take(50, 10**6) == [cheap, after]

    def test_base_fee_too_high_for_a_later_nonce(self):
        first, second = tx(nonce=0, fee=90), tx(nonce=1, fee=50)
        pool = pool_of(first, second)
        assert pool.take(60, 10**6) == [first]
        assert list(pool) == [second]

    def test_gas_limit(self):
        big, small, third = tx(ALICE, gas=60_000, tip=9), tx(BOB, gas=30_000), tx(CAROL, gas=21_000)
        pool = pool_of(big, small, third)
        assert pool.copy().take(10, 111_000) == [big, small, third]
        assert pool.copy().take(10, 110_999) == [big, small]
        assert pool.copy().take(10, 59_999) == [small, third]
        assert pool.copy().take(10, 20_999) == []

    def test_one_that_does_not_fit_blocks_only_its_sender(self):
        pool = pool_of(tx(nonce=0, gas=60_000, tip=9), tx(nonce=1, tip=9), tx(BOB))
        assert [t.sender for t in pool.take(10, 50_000)] == [BOB.address]

    def test_max_count(self):
        pool = pool_of(*[tx(nonce=nonce) for nonce in range(5)])
        assert pool.copy().take(10, 10**6, 0) == []
        assert len(pool.take(10, 10**6, 3)) == 3
        assert [t.nonce for t in pool] == [3, 4]

    def test_empty(self):
        assert pool_of().take(10, 10**6) == []


class TestPutBack:
    def test_order_is_kept(self):
        pool = pool_of(*[tx(account, tip=3) for account in (ALICE, BOB, CAROL)])
        taken = pool.take(10, 10**6)
        pool.add(tx(DAVE, tip=3), **HEAD)
        pool.put_back(taken[1:])
        again = pool.take(10, 10**6)
        assert [t.sender for t in again] == [account.address for account in (BOB, CAROL, DAVE)]

    def test_the_earlier_return_comes_first_again(self):
        pool = pool_of(tx(ALICE), tx(BOB), tx(CAROL))
        pool.put_back(pool.take(10, 10**6, 2))
        pool.put_back(pool.take(10, 10**6, 1))
        assert [t.sender for t in pool.take(10, 10**6)] == [a.address for a in (ALICE, BOB, CAROL)]

    def test_the_last_return_comes_first(self):
        pool = pool_of(tx(ALICE), tx(BOB), tx(CAROL))
        taken = pool.take(10, 10**6)
        pool.put_back(taken[2:])
        pool.put_back(taken[:2])
        assert pool.take(10, 10**6) == taken

    def test_nonces_run_again(self):
        pool = pool_of(*[tx(nonce=nonce) for nonce in range(4)])
        taken = pool.take(10, 10**6, 3)
        pool.put_back(taken[1:])
        pool.on_block(taken[:1])
        assert pool.next_nonce(ALICE.address) == 4
        assert [t.nonce for t in pool.take(10, 10**6)] == [1, 2, 3]

    def test_a_place_filled_meanwhile(self):
        old, new = tx(fee=100), tx(fee=100, value=1)
        pool = pool_of(old)
        taken = pool.take(10, 10**6)
        pool.add(new, **HEAD)
        pool.put_back(taken)
        assert list(pool) == [new]

    def test_a_dropped_one_leaves_a_gap(self):
        pool = pool_of(*[tx(nonce=nonce) for nonce in range(3)])
        first, _dropped, last = pool.take(10, 10**6)
        pool.put_back([last])
        pool.on_block([first])
        assert pool.take(10, 10**6) == []
        assert pool.next_nonce(ALICE.address) == 1


class TestOnBlock:
    def test_included_elsewhere(self):
        pool = pool_of(tx(nonce=0), tx(nonce=1), tx(BOB))
        pool.on_block([tx(nonce=0)])
        assert [(t.sender, t.nonce) for t in pool] == [(ALICE.address, 1), (BOB.address, 0)]

    def test_another_transaction_with_the_nonce(self):
        pool = pool_of(tx(nonce=0), tx(nonce=1), tx(nonce=2))
        pool.on_block([tx(nonce=0, value=1), tx(nonce=1, value=1), tx(CAROL)])
        assert [t.nonce for t in pool.take(10, 10**6)] == [2]

    def test_fills_a_gap(self):
        pool = pool_of(tx(nonce=1))
        assert pool.next_nonce(ALICE.address) == 0
        pool.on_block([tx(nonce=0)])
        assert pool.next_nonce(ALICE.address) == 2
        assert len(pool.take(10, 10**6)) == 1

    def test_nothing_pending(self):
        pool = pool_of(tx())
        pool.on_block([tx()])
        assert len(pool) == 0
        assert pool.next_nonce(ALICE.address) is None


def test_next_nonce():
    pool = pool_of()
    assert pool.next_nonce(ALICE.address) is None
    for nonce, expected in ((5, 3), (3, 4), (7, 4), (4, 6), (6, 8)):
        pool.add(tx(nonce=nonce), **{**HEAD, "nonce": 3})
        assert pool.next_nonce(ALICE.address) == expected


def test_adding_with_a_newer_head_drops_what_is_stale():
    pool = pool_of(tx(nonce=0), tx(nonce=1))
    pool.add(tx(nonce=2), **{**HEAD, "nonce": 2})
    assert [t.nonce for t in pool] == [2]
    assert [t.nonce for t in pool.take(10, 10**6)] == [2]


class TestFull:
    def test_the_cheapest_tail_of_another_goes(self):
        pool = pool_of(
            tx(ALICE, 0, fee=20),
            tx(ALICE, 1, fee=90),
            tx(BOB, 0, fee=50),
            tx(CAROL, fee=60),
            max_transactions=4,
        )
        pool.add(tx(DAVE, 0, fee=80), **HEAD)
        assert [(t.sender, t.nonce) for t in pool] == [
            (ALICE.address, 0),
            (ALICE.address, 1),
            (CAROL.address, 0),
            (DAVE.address, 0),
        ]
        pool.add(tx(DAVE, 1, fee=95), **HEAD)
        assert CAROL.address not in [t.sender for t in pool]
        pool.add(tx(DAVE, 2, fee=95), **HEAD)
        assert [(t.sender, t.nonce) for t in pool][:1] == [(ALICE.address, 0)]
        assert [t.nonce for t in pool] == [0, 0, 1, 2]

    def test_priority_fee_and_age_decide_between_equal_prices(self):
        pool = pool_of(tx(ALICE, tip=2), tx(BOB, tip=1), tx(CAROL, tip=1), max_transactions=3)
        pool.add(tx(DAVE, tip=2), **HEAD)
        assert [t.sender for t in pool] == [ALICE.address, BOB.address, DAVE.address]

    def test_who_pays_no_more_is_refused(self):
        pool = pool_of(tx(ALICE, fee=50), tx(BOB, fee=60), max_transactions=2)
        error = refused(pool, tx(CAROL, fee=50), "pool_full")
        assert (error.expected, error.actual) == (51, 50)
        refused(pool, tx(CAROL, fee=49), "pool_full")

    def test_own_transactions_do_not_make_room(self):
        pool = pool_of(tx(ALICE, 0, fee=20), tx(ALICE, 1, fee=20), max_transactions=2)
        refused(pool, tx(ALICE, 2, fee=90), "pool_full")

    def test_own_cheaper_transaction_is_passed_over(self):
        pool = pool_of(tx(ALICE, 0, fee=20), tx(BOB, 0, fee=30), max_transactions=2)
        pool.add(tx(ALICE, 1, fee=90), **HEAD)
        assert [t.sender for t in pool] == [ALICE.address] * 2
        refused(pool, tx(BOB, 0, fee=90), "pool_full")
        pool.add(tx(BOB, 0, fee=91), **HEAD)
        assert [t.max_fee_per_gas for t in pool] == [20, 91]

    @pytest.mark.parametrize("pending", [0, 1])
    def test_waiting_for_a_nonce_makes_no_room(self, pending):
        own = [tx(CAROL, nonce, fee=90) for nonce in range(pending)]
        pool = pool_of(tx(ALICE, fee=20), tx(BOB, fee=20), *own, max_transactions=2 + pending)
        error = refused(pool, tx(CAROL, pending + 1, fee=90), "pool_full")
        assert (error.expected, error.actual) == (pending, pending + 1)

    def test_replacing_needs_no_room(self):
        pool = pool_of(tx(ALICE), tx(BOB), max_transactions=2)
        pool.add(tx(ALICE, fee=200, tip=2), **HEAD)
        assert len(pool) == 2

    def test_a_replaced_tail_counts_with_its_new_price(self):
        pool = pool_of(tx(ALICE, fee=20), tx(BOB, fee=30), max_transactions=2)
        refused(pool, tx(CAROL, fee=20), "pool_full")
        pool.add(tx(ALICE, fee=100, tip=2), **HEAD)
        refused(pool, tx(CAROL, fee=30), "pool_full")
        pool.add(tx(CAROL, fee=31), **HEAD)
        assert [t.sender for t in pool] == [ALICE.address, CAROL.address]

    def test_room_after_a_block(self):
        pool = pool_of(tx(ALICE, fee=20), tx(BOB, fee=30), max_transactions=2)
        refused(pool, tx(CAROL, fee=20), "pool_full")
        pool.on_block(pool.take(10, 10**6, 1))
        pool.add(tx(CAROL, fee=20), **HEAD)
        pool.add(tx(DAVE, fee=25), **HEAD)
        assert [t.sender for t in pool] == [BOB.address, DAVE.address]

    def test_the_record_of_tails_stays_small(self):
        pool = pool_of(tx(ALICE, fee=20), tx(BOB, fee=30), max_transactions=2)
        refused(pool, tx(CAROL, fee=20), "pool_full")
        for at in range(1, 12):
            pool.add(tx(BOB, fee=30 << at, tip=1 << at), **HEAD)
            assert len(pool._tails) <= 8
        pool.add(tx(CAROL, fee=100), **HEAD)
        assert [t.max_fee_per_gas for t in pool] == [30 << 11, 100]


def test_copies_are_independent():
    pool = pool_of(tx(ALICE, 0), tx(ALICE, 1), tx(BOB), max_transactions=7, max_per_sender=3, min_gas_price=5)
    before = contents(pool)
    copy = pool.copy()
    assert contents(copy) == before
    assert (copy.max_transactions, copy.max_per_sender, copy.min_gas_price) == (7, 3, 5)
    copy.add(tx(ALICE, 2), **HEAD)
    copy.put_back(copy.take(10, 10**6, 2))
    copy.on_block([tx(BOB)])
    assert contents(pool) == before
    pool.take(10, 10**6)
    assert len(copy) == 3
