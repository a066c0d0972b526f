from itertools import pairwise

import pytest

from chainstack_sdk.primitives import InvalidInput, UsageError, rlp_decode, rlp_encode, split_list
from chainstack_sdk.primitives.rlp import bytes_header, decode_int, list_header, rlp_bytes, rlp_int, rlp_list

SIZES = [0, 1, 2, 54, 55, 56, 57, 255, 256, 257, 1022, 1023, 1024, 1025, 65_535, 65_536, 1 << 24]


def plain_header(short, size):
    """The Yellow Paper's rule, word by word."""
    if size < 56:
        return bytes([short + size])
    length = size.to_bytes(8, "big").lstrip(b"\0")
    return bytes([short + 55 + len(length)]) + length


@pytest.mark.parametrize("size", SIZES)
def test_headers(size):
    assert bytes_header(size) == plain_header(0x80, size)
    assert list_header(size) == plain_header(0xC0, size)


def test_every_tabled_header():
    assert [bytes_header(size) for size in range(1100)] == [plain_header(0x80, n) for n in range(1100)]
    assert [list_header(size) for size in range(1100)] == [plain_header(0xC0, n) for n in range(1100)]


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (0, "80"),
        (1, "01"),
        (127, "7f"),
        (128, "8180"),
        (255, "81ff"),
        (256, "820100"),
        (1 << 64, "89010000000000000000"),
        ((1 << 256) - 1, "a0" + "ff" * 32),
        (1 << 447, "b838" + "80" + "00" * 55),
    ],
)
def test_integers(value, encoded):
    assert rlp_int(value).hex() == encoded
    assert rlp_encode(value).hex() == encoded
    payload = rlp_decode(bytes.fromhex(encoded))
    assert decode_int(payload, 64) == value


@pytest.mark.parametrize("content", [b"", b"\0", b"\x7f", b"\x80", b"ab", bytes(55), bytes(56), bytes(2000)])
def test_strings(content):
    encoded = rlp_bytes(content)
    assert rlp_encode(content) == rlp_encode(bytearray(content)) == rlp_encode(memoryview(content)) == encoded
    assert rlp_decode(encoded) == rlp_decode(bytearray(encoded)) == rlp_decode(memoryview(encoded)) == content


def test_lists():
    item = [b"cat", [b"", [], (7, b"x" * 60)], b"dog"]
    parts = [
        rlp_bytes(b"cat"),
        rlp_list([b"\x80", b"\xc0", rlp_list([b"\x07", rlp_bytes(b"x" * 60)])]),
        rlp_bytes(b"dog"),
    ]
    assert rlp_encode(item) == rlp_list(parts)
    assert rlp_decode(rlp_encode(item)) == [b"cat", [b"", [], [b"\x07", b"x" * 60]], b"dog"]
    assert rlp_list([bytes(2000)]) == plain_header(0xC0, 2000) + bytes(2000)


@pytest.mark.parametrize("item", ["text", True, None, 1.5, -1, [b"", "text"], [[False]], {1: 2}])
def test_what_has_no_encoding(item):
    with pytest.raises(UsageError):
        rlp_encode(item)


@pytest.mark.parametrize("data", ["c0", 5, None, [b"\xc0"]])
def test_only_bytes_are_decoded(data):
    with pytest.raises(UsageError):
        rlp_decode(data)


def test_a_subclass_of_bytes_does_not_leak_into_the_items():
    class Tagged(bytes):
        pass

    items = rlp_decode(Tagged(rlp_encode([b"cat", b"d"])))
    assert [type(item) for item in items] == [bytes, bytes]


@pytest.mark.parametrize(
    "data",
    [
        "",  # nothing
        "8080",  # two items
        "c000",  # a list and a byte
        "81",  # cut short
        "8100",  # one byte below 0x80 with a prefix
        "b8",  # length cut short
        "b801ff",  # long form of a short length
        "b90038" + "00" * 56,  # leading zero in the length
        "bfffffffffffffffff",  # enormous
        "ffffffffffffffffff",
        "c1",  # list cut short
        "c281",  # item beyond its list
        "c18161",  # item begins in its list and ends behind it
        "c2c200",  # inner list longer than the outer
        "f838" + "00" * 55,
        "f80180",
        "f7",
    ],
)
def test_not_canonical(data):
    with pytest.raises(InvalidInput):
        rlp_decode(bytes.fromhex(data))


def nesting_of(item):
    depth = 0
    while item:
        (item,) = item
        depth += 1
    return depth


def test_no_depth_of_nesting_is_too_much():
    depth = 50_000
    item = []
    for _ in range(depth):
        item = [item]
    encoded = rlp_encode(item)
    assert nesting_of(rlp_decode(encoded)) == depth
    with pytest.raises(InvalidInput):
        rlp_decode(encoded[:-1])
    assert len(rlp_decode(rlp_list([b"\xc0" * depth]))) == depth


def test_time_of_nested_encoding_is_linear():
    """Each byte is copied once: joining level by level would copy 8 GB here."""
    item = bytes(100_000)
    for _ in range(50_000):
        item = [item]
    assert len(rlp_encode(item)) > 100_000 + 150_000


class TestSplitList:
    ITEMS = (b"", b"\x01", b"\x80", b"a" * 20, b"b" * 55, b"c" * 56, b"d" * 1500)

    def test_strings(self):
        data = b"\x02" + rlp_encode(self.ITEMS)
        payloads, offsets = split_list(data, 1)
        assert payloads == list(self.ITEMS)
        assert [data[a:b] for a, b in pairwise(offsets)] == [rlp_bytes(i) for i in self.ITEMS]
        assert offsets[-1] == len(data)

    def test_empty_list(self):
        assert split_list(b"\xc0", 0) == ([], [1])

    @pytest.mark.parametrize("inner", [[], [b"x"], [[b"y" * 30], b"z" * 40]])
    def test_with_a_list_inside(self, inner):
        data = rlp_encode([b"a", inner, b"bc"])
        payloads, offsets = split_list(data, 0, 1)
        assert payloads == [b"a", rlp_encode(inner), b"bc"]
        assert len(offsets) == 4

    @pytest.mark.parametrize(
        ("data", "start", "list_at"),
        [
            ("", 0, -1),
            ("c0", 1, -1),  # starts at the end
            ("80", 0, -1),  # a string
            ("00", 0, -1),
            ("c0c0", 0, -1),  # more behind
            ("c1", 0, -1),  # cut short
            ("c181", 0, -1),  # string cut short
            ("c2820a", 0, -1),
            ("c28100", 0, -1),  # one byte with a prefix
            ("c1b8", 0, -1),  # length cut short
            ("c3b80100", 0, -1),  # long form of a short length
            ("c2b838", 0, -1),  # long string cut short
            ("c1c0", 0, -1),  # a list where a string is due
            ("c1c0", 0, 1),
            ("c180", 0, 0),  # a string where the list is due
            ("c101", 0, 0),
            ("c0", 0, 0),  # no item where the list is due
            ("c2c201", 0, 0),  # inner list beyond the outer
            ("c1c1", 0, 0),
            ("f800", 0, -1),
            ("f838" + "00" * 56 + "00", 0, -1),
        ],
    )
    def test_refused(self, data, start, list_at):
        with pytest.raises(InvalidInput):
            split_list(bytes.fromhex(data), start, list_at)

    def test_a_second_list_is_refused(self):
        with pytest.raises(InvalidInput):
            split_list(rlp_encode([[], []]), 0, 0)


class TestDecodeInt:
    @pytest.mark.parametrize(
        ("payload", "value"), [(b"", 0), (b"\x01", 1), (b"\x01\x00", 256), (b"\xff" * 32, 2**256 - 1)]
    )
    def test_value(self, payload, value):
        assert decode_int(payload) == value

    @pytest.mark.parametrize(
        ("payload", "size"), [(b"\0", 32), (b"\0\x01", 32), (b"\x01" * 33, 32), (b"\x01" * 9, 8)]
    )
    def test_refused(self, payload, size):
        with pytest.raises(InvalidInput):
            decode_int(payload, size)
