import pytest

from chainstack_sdk.primitives import UsageError, codec, decode_revert, encode_revert, parse_signature
from chainstack_sdk.primitives.abi import ERROR_SELECTOR, PANIC_SELECTOR

A = bytes.fromhex("5aaeb6053f3e94c9b9a09f33669435e7ef1beaed")
REFUSED = parse_signature("error Refused(address who, uint256, (bytes4 id, string[] words) x)")
PLAIN = parse_signature("error Plain()")


def panic(code):
    return PANIC_SELECTOR + codec(("uint256",)).encode((code,))


def test_selectors():
    assert (ERROR_SELECTOR.hex(), PANIC_SELECTOR.hex()) == ("08c379a0", "4e487b71")


def test_encode():
    """The example of the Solidity documentation, "Panic via assert and Error via require"."""
    assert encode_revert("Not enough Ether provided.").hex() == (
        "08c379a0"
        "0000000000000000000000000000000000000000000000000000000000000020"
        "000000000000000000000000000000000000000000000000000000000000001a"
        "4e6f7420656e6f7567682045746865722070726f76696465642e000000000000"
    )
    with pytest.raises(UsageError):
        encode_revert("\ud800")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "reverted without a reason"),
        (encode_revert("no funds"), "no funds"),
        (encode_revert(""), ""),
        (panic(0x11), "Panic 0x11: arithmetic overflow or underflow"),
        (panic(0x01), "Panic 0x01: assertion failed"),
        (panic(0x99), "Panic 0x99: of no known kind"),
        (PLAIN.encode(), "Plain()"),
        (
            REFUSED.encode(A, 5, (b"abcd", ["a", "b"])),
            "Refused(who=0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed, 5, x=(0x61626364, ('a', 'b')))",
        ),
        (b"\1\2", "reverted with 0x0102"),
        (b"\1\2\3\4\5", "reverted with 0x0102030405"),
        (ERROR_SELECTOR, "reverted with 0x08c379a0"),
        (PANIC_SELECTOR + b"\1", "reverted with 0x4e487b7101"),
        (REFUSED.selector, f"reverted with 0x{REFUSED.selector.hex()}"),
    ],
)
def test_decode(data, text):
    assert decode_revert(data, [PLAIN, REFUSED]) == text


def test_an_unknown_custom_error():
    assert decode_revert(PLAIN.encode()) == f"reverted with 0x{PLAIN.selector.hex()}"
