import pytest

from chainstack_sdk.primitives import UsageError
from chainstack_sdk.primitives.abi.types import abi_type


@pytest.mark.parametrize(
    ("name", "canonical", "size", "dynamic"),
    [
        ("uint", "uint256", 32, False),
        ("int", "int256", 32, False),
        ("uint8", "uint8", 32, False),
        ("int136", "int136", 32, False),
        ("address", "address", 32, False),
        ("bool", "bool", 32, False),
        ("bytes1", "bytes1", 32, False),
        ("bytes32", "bytes32", 32, False),
        ("bytes", "bytes", 32, True),
        ("string", "string", 32, True),
        ("uint[3]", "uint256[3]", 96, False),
        ("uint[3][2]", "uint256[3][2]", 192, False),
        ("uint[3][]", "uint256[3][]", 32, True),
        ("bytes[3]", "bytes[3]", 32, True),
        ("(uint,bool)", "(uint256,bool)", 64, False),
        ("(uint,(bool,int)[2])", "(uint256,(bool,int256)[2])", 160, False),
        ("(uint,(bool,string)[2])[1]", "(uint256,(bool,string)[2])[1]", 32, True),
    ],
)
def test_types(name, canonical, size, dynamic):
    compiled = abi_type(name)
    assert (compiled.name, compiled.size, compiled.dynamic) == (canonical, size, dynamic)
    assert abi_type(name) is compiled


@pytest.mark.parametrize(
    ("name", "hashed"),
    [
        ("uint8", False),
        ("bytes32", False),
        ("bytes", True),
        ("string", True),
        ("bool[2]", True),
        ("(bool)", True),
        ("bool[]", True),
    ],
)
def test_what_a_topic_holds_as_a_hash(name, hashed):
    assert abi_type(name).hashed is hashed


@pytest.mark.parametrize(
    "name",
    [
        "",
        " uint256",
        "uint0",
        "uint7",
        "uint08",
        "uint264",
        "uint-8",
        "uint\N{SUPERSCRIPT TWO}",
        "uint99999999999999999999",
        "int257",
        "bytes0",
        "bytes33",
        "byte",
        "fixed128x18",
        "mapping",
        "uint256[",
        "uint256]",
        "uint256[0]",
        "uint256[-1]",
        "uint256[01]",
        "uint256[x]",
        "uint256[1]]",
        "[]",
        "[3]",
        "()",
        "(,)",
        "(uint8,)",
        "(uint8",
        "uint8)",
        "((uint8)",
        "(uint8))",
        "(uint8),(uint8)",
        "uint8,uint8",
        "tuple(uint8)",
    ],
)
def test_no_such_type(name):
    with pytest.raises(UsageError):
        abi_type(name)


@pytest.mark.parametrize("name", ["uint8" + "[]" * 5000, "(" * 5000 + "uint8" + ")" * 5000])
def test_nesting_is_bounded(name):
    with pytest.raises(UsageError, match="deep"):
        abi_type(name)


def test_nesting_of_thirty_two_is_fine():
    assert abi_type("uint8" + "[1]" * 32).size == 32
