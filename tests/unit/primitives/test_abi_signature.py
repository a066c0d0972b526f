import pytest

from chainstack_sdk.primitives import (
    Constructor,
    ErrorType,
    Event,
    Function,
    Param,
    UsageError,
    parse_abi,
    parse_signature,
)


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        (
            "function transfer(address to, uint256 value) returns (bool)",
            Function("transfer", (Param("address", "to"), Param("uint256", "value")), (Param("bool"),)),
        ),
        (
            "function balanceOf(address owner) view returns (uint256)",
            Function("balanceOf", (Param("address", "owner"),), (Param("uint256"),), "view"),
        ),
        ("function f()", Function("f")),
        ("  function  _f$1 ( )  ; ", Function("_f$1")),
        (
            "function f() external pure returns (uint a, int b)",
            Function("f", (), (Param("uint256", "a"), Param("int256", "b")), "pure"),
        ),
        ("function f() payable public", Function("f", mutability="payable")),
        (
            "function f(bytes calldata data, string memory, uint[] storage xs)",
            Function("f", (Param("bytes", "data"), Param("string"), Param("uint256[]", "xs"))),
        ),
        (
            "event Transfer(address indexed from, address indexed to, uint256 value)",
            Event(
                "Transfer",
                (Param("address", "from", True), Param("address", "to", True), Param("uint256", "value")),
            ),
        ),
        ("event Nothing()", Event("Nothing")),
        (
            "error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)",
            ErrorType(
                "ERC20InsufficientBalance",
                (Param("address", "sender"), Param("uint256", "balance"), Param("uint256", "needed")),
            ),
        ),
        (
            "constructor(string name, uint8 decimals)",
            Constructor((Param("string", "name"), Param("uint8", "decimals"))),
        ),
        ("constructor() payable", Constructor((), "payable")),
        (
            "function pay((address to, uint256 value)[] payments, tuple(bool)[2][] x)",
            Function(
                "pay",
                (
                    Param(
                        "(address,uint256)[]",
                        "payments",
                        components=(Param("address", "to"), Param("uint256", "value")),
                    ),
                    Param("(bool)[2][]", "x", components=(Param("bool"),)),
                ),
            ),
        ),
    ],
)
def test_what_is_understood(text, entry):
    parsed = parse_signature(text)
    assert parsed == entry
    assert parsed.signature == entry.signature


@pytest.mark.parametrize(
    "text",
    [
        "",
        ";",
        "transfer(address)",
        "function",
        "function f",
        "function (uint8)",
        "function 1f()",
        "function \N{LATIN SMALL LETTER E WITH ACUTE}()",
        "function f(",
        "function f(uint8",
        "function f(uint8,)",
        "function f(uint8 a b)",
        "function f(uint8 a,, uint8 b)",
        "function f(uint9)",
        "function f(uint8[)",
        "function f(uint8[0])",
        "function f(uint8[-1])",
        "function f(())",
        "function f(uint8 indexed a)",
        "function f() view pure",
        "function f() virtual",
        "function f() returns",
        "function f() returns bool",
        "function f() f()",
        "event E(uint8) anonymous",
        "event E(uint8) view",
        "event E(uint8 indexed a, uint8 indexed b, uint8 indexed c, uint8 indexed d)",
        "event E((uint8 indexed a) b)",
        "error E() view",
        "constructor f()",
        "constructor() view",
        "modifier m()",
        "function f(" + "(" * 100 + "uint8" + ")" * 101,
        "function f(" + "(" * 10_000,
    ],
)
def test_what_is_not(text):
    with pytest.raises(UsageError):
        parse_signature(text)


def test_whole_abi():
    lines = ["constructor()", "function f()", "event E()", "error X()"]
    assert parse_abi(lines) == (Constructor(), Function("f"), Event("E"), ErrorType("X"))
