import pytest

from chainstack_sdk.core import gas

KEY = b"\x01" * 32
ADDRESS = b"\x02" * 20


@pytest.mark.parametrize(
    ("data", "is_create", "access_list", "expected"),
    [
        (b"", False, (), 21_000),
        (b"\0", False, (), 21_004),
        (b"\x01", False, (), 21_016),
        (b"\0\x01\0", False, (), 21_000 + 2 * 4 + 16),
        (b"", True, (), 53_000),
        (b"\x01" * 32, True, (), 53_000 + 32 * 16 + 2),
        (b"\x01" * 33, True, (), 53_000 + 33 * 16 + 2 * 2),
        (b"", False, ((ADDRESS, ()),), 21_000 + 2_400),
        (b"", False, ((ADDRESS, (KEY,)), (ADDRESS, (KEY, KEY))), 21_000 + 2 * 2_400 + 3 * 1_900),
    ],
    ids=["bare", "zero", "nonzero", "mixed", "create", "word", "two words", "address", "keys"],
)
def test_intrinsic_gas(data, is_create, access_list, expected):
    assert gas.intrinsic_gas(data, is_create, access_list) == expected


def test_table_agrees_with_its_sources():
    # prices in the EVM of py-evm, an independent implementation
    from eth.constants import (
        GAS_CALLVALUE,
        GAS_CODEDEPOSIT,
        GAS_CREATE,
        GAS_ECRECOVER,
        GAS_LOG,
        GAS_LOGDATA,
        GAS_LOGTOPIC,
        GAS_SHA3,
        GAS_SHA3WORD,
    )
    from eth.vm.forks.berlin import constants as berlin

    assert (gas.LOG, gas.LOG_BYTE, gas.LOG_TOPIC) == (GAS_LOG, GAS_LOGDATA, GAS_LOGTOPIC)
    assert (gas.KECCAK, gas.KECCAK_WORD) == (GAS_SHA3, GAS_SHA3WORD)
    assert (gas.CALL_VALUE, gas.CODE_BYTE, gas.CREATE) == (GAS_CALLVALUE, GAS_CODEDEPOSIT, GAS_CREATE)
    assert gas.SIGNATURE_RECOVERY == GAS_ECRECOVER
    assert gas.STORAGE_READ == berlin.COLD_SLOAD_COST
    assert gas.CALL == gas.BALANCE_READ == berlin.COLD_ACCOUNT_ACCESS_COST
    assert gas.ACCESS_LIST_ADDRESS == berlin.ACCESS_LIST_ADDRESS_COST_EIP_2930
    assert gas.ACCESS_LIST_KEY == berlin.ACCESS_LIST_STORAGE_KEY_COST_EIP_2930
