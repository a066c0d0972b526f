import time

import pytest

from chainstack_sdk.primitives import Account, InvalidInput, UsageError, codec, decode_abi, encode_abi

A = bytes(range(1, 21))
B = bytes(range(101, 121))


def word(value):
    return (value % 2**256).to_bytes(32, "big")


def words(*values):
    return b"".join(value if isinstance(value, bytes) else word(value) for value in values)


# (types, values, encoding); the last five: Solidity documentation ("Examples", "Use of Dynamic Types")
ROUND_TRIPS = [
    ((), (), b""),
    (("uint256",), (2**256 - 1,), b"\xff" * 32),
    (("uint8",), (255,), words(255)),
    (("int256", "int8"), (-(2**255), -128), words(2**255, -128)),
    (("int16",), (32767,), words(32767)),
    (("address", "uint256"), (A, 7), words(bytes(12) + A, 7)),
    (("address", "address", "uint256"), (A, B, 7), words(bytes(12) + A, bytes(12) + B, 7)),
    (("bool", "bool", "bool", "bool"), (True, False, True, True), words(1, 0, 1, 1)),
    (("bytes1", "bytes32"), (b"a", b"b" * 32), words(b"a" + bytes(31), b"b" * 32)),
    (("bytes",), (b"",), words(32, 0)),
    (("bytes",), (b"x" * 32,), words(32, 32, b"x" * 32)),
    (("string",), ("žluť",), words(32, 6, "žluť".encode() + bytes(26))),
    (("uint256[]",), ((),), words(32, 0)),
    (("uint256[]", "uint8"), ((1, 2), 3), words(64, 3, 2, 1, 2)),
    (("uint8[3]", "bool"), ((1, 2, 3), True), words(1, 2, 3, 1)),
    (("uint8[2][2]",), (((1, 2), (3, 4)),), words(1, 2, 3, 4)),
    (("uint8[2][]",), (((1, 2), (3, 4)),), words(32, 2, 1, 2, 3, 4)),
    (("bytes[2]",), ((b"a", b"b"),), words(32, 64, 128, 1, b"a" + bytes(31), 1, b"b" + bytes(31))),
    (("(address,uint8)",), ((A, 5),), words(bytes(12) + A, 5)),
    (("(address,string)", "bool"), ((A, "hi"), True), words(64, 1, bytes(12) + A, 64, 2, b"hi" + bytes(30))),
    (
        ("(uint8,bytes)[]",),
        (((1, b"a"), (2, b"")),),
        words(32, 2, 64, 192, 1, 64, 1, b"a" + bytes(31), 2, 64, 0),
    ),
    (("uint32", "bool"), (69, True), words(69, 1)),
    (("bytes3[2]",), ((b"abc", b"def"),), words(b"abc" + bytes(29), b"def" + bytes(29))),
    (
        ("bytes", "bool", "uint256[]"),
        (b"dave", True, (1, 2, 3)),
        words(0x60, 1, 0xA0, 4, b"dave" + bytes(28), 3, 1, 2, 3),
    ),
    (
        ("uint256", "uint32[]", "bytes10", "bytes"),
        (0x123, (0x456, 0x789), b"1234567890", b"Hello, world!"),
        words(
            0x123, 0x80, b"1234567890" + bytes(22), 0xE0, 2, 0x456, 0x789, 13, b"Hello, world!" + bytes(19)
        ),
    ),
    (
        ("uint256[][]", "string[]"),
        (((1, 2), (3,)), ("one", "two", "three")),
        words(
            *(0x40, 0x140, 2, 0x40, 0xA0, 2, 1, 2, 1, 3, 3, 0x60, 0xA0, 0xE0),
            *(3, b"one" + bytes(29), 3, b"two" + bytes(29), 5, b"three" + bytes(27)),
        ),
    ),
]


@pytest.mark.parametrize(
    ("types", "values", "encoding"), ROUND_TRIPS, ids=[" ".join(t) for t, _, _ in ROUND_TRIPS]
)
class TestRoundTrip:
    def test_encode(self, types, values, encoding):
        assert encode_abi(types, values).hex() == encoding.hex()
        assert encode_abi(list(types), list(values)) == encoding

    def test_decode(self, types, values, encoding):
        assert decode_abi(types, encoding) == values
        assert decode_abi(types, bytearray(encoding)) == decode_abi(types, memoryview(encoding)) == values

    def test_what_follows_is_ignored(self, types, values, encoding):
        assert decode_abi(types, encoding + b"\xff" * 7) == values

    def test_cut_short(self, types, values, encoding):
        for size in range(len(encoding)):
            with pytest.raises(InvalidInput):
                decode_abi(types, encoding[:size])

    def test_static_size(self, types, values, encoding):
        size = codec(types).static_size
        assert size == len(encoding) or (
            size is None and any(t.endswith(("[]", "s", "g", "2]", ")")) for t in types)
        )


def test_codecs_are_kept():
    assert codec(("address", "uint")) is codec(("address", "uint"))
    assert codec(("address", "uint", "int[2]")).types == ("address", "uint256", "int256[2]")


def test_other_forms_of_values():
    account = Account.from_key(1)
    encoding = words(bytes(12) + account.address)
    assert encode_abi(["address"], [account]) == encode_abi(["address"], [str(account)]) == encoding
    assert encode_abi(["bytes", "bytes2"], [bytearray(b"ab"), memoryview(b"cd")]) == encode_abi(
        ["bytes", "bytes2"], [b"ab", b"cd"]
    )


def test_decoded_bytes_are_exactly_bytes():
    class Tagged(bytes):
        pass

    values = decode_abi(
        ["address", "bytes3", "bytes"], Tagged(encode_abi(["address", "bytes3", "bytes"], [A, b"abc", b"x"]))
    )
    assert [type(value) for value in values] == [bytes] * 3
    assert type(encode_abi(["bytes32"], [Tagged(32)])) is bytes


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("uint256", -1),
        ("uint256", 2**256),
        pytest.param("uint256", 10**5000, id="enormous"),
        ("uint8", 256),
        ("uint8", True),
        ("uint8", "1"),
        ("uint8", 1.0),
        ("uint8", None),
        ("int8", 128),
        ("int8", -129),
        ("int8", False),
        ("bool", 1),
        ("bool", None),
        ("address", bytes(19)),
        ("address", "0x12"),
        ("address", 5),
        ("bytes4", b"abc"),
        ("bytes4", b"abcde"),
        ("bytes4", "abcd"),
        ("bytes", "text"),
        ("bytes", [1, 2]),
        ("string", b"bytes"),
        ("string", "\ud800"),
        ("uint8[]", 5),
        ("uint8[]", b"ab"),
        ("uint8[]", [256]),
        ("uint8[2]", [1]),
        ("uint8[2]", 5),
        ("bytes[2]", [b""]),
        ("(uint8,bool)", (1,)),
        ("(uint8,bool)", {"a": 1, "b": True}),
        ("(uint8,bytes)", (1,)),
        ("(uint8,bytes)", (300, b"")),
    ],
)
def test_values_that_do_not_fit(kind, value):
    with pytest.raises(UsageError) as caught:
        encode_abi([kind], [value])
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("values", [(), (1, 2, 3), 5, None])
@pytest.mark.parametrize("second", ["uint8", "bytes"])
def test_wrong_number_of_values(values, second):
    with pytest.raises(UsageError, match="2 values"):
        encode_abi(["uint8", second], values)


@pytest.mark.parametrize(
    ("types", "data"),
    [
        (("uint8",), words(256)),
        (("uint248",), words(1 << 248)),
        (("int8",), words(128)),
        (("int8",), words(-129)),
        (("int8",), words(255)),
        (("bool",), words(2)),
        (("bool",), words(1 << 255)),
        (("address",), words(1 << 160)),
        (("address",), b"\1" + bytes(31)),
        (("bytes4",), bytes(4) + b"\1" + bytes(27)),
        (("bytes31",), bytes(31) + b"\1"),
        (("bytes",), words(32, 1, b"a" + bytes(30) + b"\1")),
        (("bytes",), words(32, 33, bytes(32))),
        (("bytes",), words(32, 1) + b"a"),  # padding is missing
        (("bytes",), words(0)),  # offset into the heads
        (("bytes",), words(31, 0, 0)),
        (("bytes",), words(33, 0)),  # the length would reach beyond the end
        (("bytes",), words(64, 0)),
        (("bytes",), words(2**256 - 32, 0)),
        (("bytes",), words(32, 2**256 - 1)),
        (("string",), words(32, 1, b"\xff" + bytes(31))),
        (("uint256[]",), words(32, 2, 1)),
        (("uint256[]",), words(32, 2**255)),
        (("uint8[]",), words(32, 1, 256)),
        (("uint8[2]",), words(1, 256)),
        (("bytes[]",), words(32, 2**250, 0)),
        (("bytes[]",), words(32, 1, 0, 0)),  # offset into the array's own heads
        (("bytes[2]",), words(32, 64, 0)),
        (("(bytes,bool)",), words(32, 64, 2, 0)),
        (("(bytes,bool)",), words(32, 32, 1, 0)),
        (("uint8[999999999][999999999]",), words(1)),
        (("bytes[999999999]",), words(32, 0)),
    ],
)
def test_malformed(types, data):
    with pytest.raises(InvalidInput):
        decode_abi(types, data)


class TestBoundedWork:
    """Offsets that share a tail would let a few kilobytes stand for millions of elements."""

    def test_a_shared_tail_is_refused(self):
        with pytest.raises(InvalidInput, match="overlapping"):
            decode_abi(["bytes[]"], words(32, 2, 64, 64, 32, b"x" * 32))

    def test_two_arguments_may_not_share_either(self):
        with pytest.raises(InvalidInput, match="overlapping"):
            decode_abi(["bytes", "bytes"], words(64, 64, 32, b"x" * 32))

    @pytest.mark.parametrize("depth", [2, 3, 6])
    def test_nested_arrays_that_all_lead_to_the_next(self, depth):
        width = 500
        data = words(32)
        for level in range(depth):
            last = level == depth - 1
            data += word(width) + words(*([1] * width if last else [32 * width] * width))
        start = time.process_time()
        with pytest.raises(InvalidInput):
            decode_abi(["uint256" + "[]" * depth], data)
        assert time.process_time() - start < 0.5

    def test_what_is_counted_is_only_what_is_used(self):
        """A canonical encoding uses each byte once, so the bound never refuses one."""
        value = tuple(tuple(b"x" * n for n in range(m)) for m in range(20))
        types = ("bytes[][]",)
        assert decode_abi(types, encode_abi(types, (value,))) == (value,)
