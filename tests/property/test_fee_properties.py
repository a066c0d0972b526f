from types import SimpleNamespace

from eth.vm.forks.london.headers import calculate_expected_base_fee_per_gas
from hypothesis import given
from hypothesis import strategies as st

from chainstack_sdk.core.fees import next_base_fee


@given(
    base_fee=st.integers(0, 2**80),
    gas_limit=st.integers(2, 2**63),
    share=st.integers(0, 2**32),
)
def test_base_fee_equals_that_of_py_evm(base_fee, gas_limit, share):
    gas_used = gas_limit * share // 2**32
    parent = SimpleNamespace(base_fee_per_gas=base_fee, gas_limit=gas_limit, gas_used=gas_used)
    assert next_base_fee(base_fee, gas_used, gas_limit) == calculate_expected_base_fee_per_gas(parent)
