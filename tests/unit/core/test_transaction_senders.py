from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import pytest

from chainstack_sdk.core.transactions import (
    decode_and_recover,
    decode_transaction,
    known,
    recover_senders,
    sign_transaction,
)
from chainstack_sdk.core.transactions.senders import recover_chunk
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keys import Account
from chainstack_sdk.primitives.rlp import rlp_encode

ACCOUNTS = [Account.from_key(number) for number in range(1, 4)]
NOBODY = b"\x02" + rlp_encode([1, 0, 0, 1, 21_000, bytes(20), 0, b"", [], 0, 5, 1])
"""Well formed, but r = 5 is no x coordinate on the curve."""


def raws(count):
    """Return transactions that this process does not know."""
    signed = [
        sign_transaction(ACCOUNTS[at % 3], chain_id=1, nonce=at, to=None, gas=60_000, gas_price=1)
        for at in range(count)
    ]
    known.clear()
    return [transaction.raw for transaction in signed]


def sender_of(at):
    return ACCOUNTS[at % 3].address


class Inline:
    """An executor that runs at once and counts."""

    def __init__(self):
        self.sizes = []

    def submit(self, function, argument):
        self.sizes.append(len(argument) // 97)
        future = Future()
        future.set_result(function(argument))
        return future


@pytest.fixture(params=["none", "inline", "threads"])
def executor(request):
    if request.param == "threads":
        with ThreadPoolExecutor(2) as pool:
            yield pool
    else:
        yield Inline() if request.param == "inline" else None


def test_decode_and_recover_in_order(executor):
    encoded = raws(23)
    results = list(decode_and_recover(iter(encoded), executor, chunk=5))
    assert [result.raw for result in results] == encoded
    assert [result._sender for result in results] == [sender_of(at) for at in range(23)]
    assert all(raw in known for raw in encoded)


def test_errors_stay_where_they_are(executor):
    encoded = raws(9)
    encoded[2] = b"\x05"
    encoded[4] = NOBODY
    encoded[8] = encoded[7][:-1]
    results = list(decode_and_recover(encoded, executor, chunk=3))
    for at, result in enumerate(results):
        if at in (2, 4, 8):
            assert isinstance(result, InvalidInput)
        else:
            assert result.sender == sender_of(at)
    assert "not supported" in str(results[2])
    assert "no key" in str(results[4])
    assert NOBODY not in known


def test_any_kind_of_bytes_is_decoded(executor):
    encoded = raws(3)
    results = list(decode_and_recover([bytearray(encoded[0]), memoryview(encoded[1]), encoded[2]], executor))
    assert [result.raw for result in results] == encoded
    assert {type(result.raw) for result in results} == {bytes}
    with pytest.raises(UsageError, match="is bytes"):
        list(decode_and_recover(["text"], executor))


def test_hashes_made_together_are_those_made_alone(executor):
    encoded = raws(6)
    alone = [decode_transaction(raw) for raw in encoded]
    for one, other in zip(alone, decode_and_recover(encoded, executor, chunk=4), strict=True):
        assert one is not other
        assert (one.hash, one.signing_hash, one.sender) == (other.hash, other.signing_hash, other.sender)


def test_what_is_made_on_the_way_may_depend_on_what_was_taken():
    taken, encoded = [], raws(5)

    def on_the_way():
        for at, raw in enumerate(encoded):
            assert len(taken) == at
            yield raw

    for result in decode_and_recover(on_the_way()):
        taken.append(result)
    assert [result.raw for result in taken] == encoded


def test_decoded_transactions_pass_through(executor):
    encoded = raws(4)
    decoded = decode_transaction(encoded[1])
    results = list(decode_and_recover([encoded[0], decoded, *encoded[2:]], executor, chunk=3))
    assert results[1] is decoded
    assert [result._sender for result in results] == [sender_of(at) for at in range(4)]


def test_recover_senders(executor):
    transactions = [decode_transaction(raw) for raw in [*raws(4), NOBODY, *raws(7)[4:]]]
    errors = recover_senders(transactions, executor, chunk=2)
    assert [at for at, error in enumerate(errors) if error] == [4]
    assert isinstance(errors[4], InvalidInput)
    senders = [transaction._sender for transaction in transactions]
    assert senders == [sender_of(at) for at in range(4)] + [None] + [sender_of(at) for at in range(4, 7)]


def test_nothing_to_do(executor):
    assert recover_senders([], executor) == []
    assert list(decode_and_recover([], executor)) == []


def test_what_is_known_is_not_sent_away():
    encoded = raws(6)
    transactions = [decode_transaction(raw) for raw in encoded]
    assert recover_senders(transactions[:4]) == [None] * 4
    inline = Inline()
    results = list(decode_and_recover(encoded, inline, chunk=3))
    assert inline.sizes == [2]
    assert all(
        result is transaction for result, transaction in zip(results[:4], transactions[:4], strict=True)
    )


def test_chunks():
    inline = Inline()
    list(decode_and_recover(raws(7), inline, chunk=3))
    assert inline.sizes == [3, 3, 1]
    with pytest.raises(UsageError, match="at least one"):
        decode_and_recover([], inline, chunk=0)


def test_runs_ahead_by_a_bounded_distance():
    inline = Inline()
    results = decode_and_recover(raws(200), inline, chunk=2)
    assert inline.sizes == []
    next(results)
    assert 2 <= len(inline.sizes) <= 20
    assert len(list(results)) == 199
    assert len(inline.sizes) == 100


def test_processes():
    encoded = [*raws(40), NOBODY]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        results = list(decode_and_recover(encoded, pool, chunk=16))
    assert [result._sender for result in results[:-1]] == [sender_of(at) for at in range(40)]
    assert isinstance(results[-1], InvalidInput)


def test_recover_chunk():
    transaction = decode_transaction(raws(1)[0])
    request = transaction.signing_hash + transaction.signature
    assert recover_chunk(b"") == b""
    assert recover_chunk(request + bytes(97) + request) == sender_of(0) + bytes(20) + sender_of(0)
