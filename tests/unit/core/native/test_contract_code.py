import pytest

from chainstack_sdk.core.native.code import paradigm_code, parse_paradigm_code, system_code
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.rlp import rlp_encode


def test_the_layout():
    assert system_code("factory").hex() == "ef430001" + b"factory".hex()
    assert (
        paradigm_code("erc20", 1, b"\x07\x08").hex() == "ef430101" + "c9" + "85" + b"erc20".hex() + "820708"
    )


def test_round_trip():
    code = paradigm_code("auction", 255, bytes(100))
    assert parse_paradigm_code(code) == ("auction", 255, bytes(100))


@pytest.mark.parametrize("version", [0, 256, -1])
def test_versions_are_one_byte_and_not_zero(version):
    with pytest.raises(UsageError, match="1 to 255"):
        paradigm_code("x", version, b"")


@pytest.mark.parametrize(
    "code",
    [
        b"",
        b"\xef",
        b"\xef\x43\x01",
        b"\xef\x44\x01\x01" + rlp_encode([b"a", b""]),
        system_code("factory"),
        b"\xef\x43\x02\x01" + rlp_encode([b"a", b""]),
        b"\xef\x43\x01\x01",
        b"\xef\x43\x01\x01" + rlp_encode(b"a"),
        b"\xef\x43\x01\x01" + rlp_encode([b"a"]),
        b"\xef\x43\x01\x01" + rlp_encode([b"a", b"", b""]),
        b"\xef\x43\x01\x01" + rlp_encode([b"a", [b""]]),
        b"\xef\x43\x01\x01" + rlp_encode([b"\xff", b""]),
        b"\xef\x43\x01\x01" + rlp_encode([b"a", b""]) + b"\x00",
    ],
)
def test_other_code_is_refused(code):
    with pytest.raises(InvalidInput):
        parse_paradigm_code(code)
