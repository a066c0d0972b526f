from __future__ import annotations

from random import Random

import pytest

from chainstack_sdk.consensus.work import DoubleSha256, target_of
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.testing.sim.mining import find_nonce, mining_ms


def test_times_are_exponential() -> None:
    rng = Random(5)
    times = sorted(mining_ms(target_of(50_000), 10, rng) for _ in range(4_000))
    mean = sum(times) // len(times)
    assert 4_700 < mean < 5_300
    # of an exponential distribution: the median is ln 2 of the mean, 5 % are above three times the mean
    assert 3_250 < times[2_000] < 3_700
    assert 150 < sum(time > 15_000 for time in times) < 250


def test_finding_takes_time() -> None:
    assert {mining_ms(target_of(1), 1_000, Random(seed)) for seed in range(20)} == {1}


def test_the_nonce_does_the_work() -> None:
    target = target_of(300)
    nonce = find_nonce(b"\x07" * 32, target)
    digests = [DoubleSha256().digest(b"\x07" * 32, number) for number in range(nonce + 1)]
    assert [int.from_bytes(digest, "big") <= target for digest in digests] == [False] * nonce + [True]


def test_a_hopeless_search_is_refused() -> None:
    with pytest.raises(UsageError, match="no nonce"):
        find_nonce(bytes(32), 0, nonces=100)
