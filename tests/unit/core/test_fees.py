import pytest

from chainstack_sdk.core.fees import ProposerFees, next_base_fee
from chainstack_sdk.primitives.errors import UsageError

LIMIT = 30_000_000


@pytest.mark.parametrize(
    ("base_fee", "gas_used", "gas_limit", "expected"),
    [
        (1_000_000_000, LIMIT // 2, LIMIT, 1_000_000_000),
        (1_000_000_000, LIMIT, LIMIT, 1_125_000_000),
        (1_000_000_000, 0, LIMIT, 875_000_000),
        # Ethereum's block 12,965,000, the first with a base fee, and what the next one asked
        (1_000_000_000, 30_025_257, 30_029_122, 1_124_967_822),
        (7, LIMIT // 2 + 1, LIMIT, 8),
        (7, LIMIT // 2 - 1, LIMIT, 7),
        (7, 0, LIMIT, 7),
        (8, 0, LIMIT, 7),
        (0, 0, LIMIT, 0),
        (0, LIMIT // 2, LIMIT, 0),
        (0, LIMIT, LIMIT, 1),
        (100, 1, 3, 100),
        (100, 2, 3, 112),
        (100, 3, 3, 125),
    ],
)
def test_next_base_fee(base_fee, gas_used, gas_limit, expected):
    assert next_base_fee(base_fee, gas_used, gas_limit) == expected


@pytest.mark.parametrize(
    ("base_fee", "gas_used", "gas_limit"), [(-1, 0, 2), (1, -1, 2), (1, 3, 2), (1, 0, 1), (1, 0, 0)]
)
def test_impossible_parents_are_refused(base_fee, gas_used, gas_limit):
    with pytest.raises(UsageError, match="base fee"):
        next_base_fee(base_fee, gas_used, gas_limit)


@pytest.mark.parametrize(("burn", "expected"), [(False, 12), (True, 5)])
def test_the_proposer_earns_the_fees(burn, expected):
    proposer = bytes(20)
    assert list(ProposerFees(burn_base_fee=burn).distribute(proposer, 7, 5)) == [(proposer, expected)]
