import dataclasses

import pytest

from chainstack_sdk.primitives import InvalidInput, UsageError, encode_abi, keccak256, parse_signature

A = bytes(range(1, 21))
B = bytes(range(101, 121))

TRANSFER = parse_signature("function transfer(address to, uint256 value) returns (bool)")
TRANSFERRED = parse_signature("event Transfer(address indexed from, address indexed to, uint256 value)")
REFUSED = parse_signature("error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)")


def test_entries_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TRANSFER.name = "other"


class TestFunction:
    def test_selector(self):
        assert TRANSFER.signature == "transfer(address,uint256)"
        assert TRANSFER.selector.hex() == "a9059cbb"

    def test_call(self):
        data = TRANSFER.encode_call(A, 25)
        assert data == TRANSFER.selector + bytes(12) + A + (25).to_bytes(32, "big")
        assert TRANSFER.decode_input(data[4:]) == (A, 25)

    def test_output(self):
        assert TRANSFER.encode_output([True]) == (1).to_bytes(32, "big")
        assert TRANSFER.decode_output((1).to_bytes(32, "big")) == (True,)

    @pytest.mark.parametrize("args", [(), (A,), (A, 1, 2)])
    def test_wrong_number_of_arguments(self, args):
        with pytest.raises(UsageError, match=r"transfer\(address,uint256\)"):
            TRANSFER.encode_call(*args)

    def test_malformed(self):
        with pytest.raises(InvalidInput):
            TRANSFER.decode_input(bytes(63))
        with pytest.raises(InvalidInput):
            TRANSFER.decode_output(b"\1" * 32)

    def test_json(self):
        assert TRANSFER.to_json() == {
            "type": "function",
            "name": "transfer",
            "inputs": [{"name": "to", "type": "address"}, {"name": "value", "type": "uint256"}],
            "outputs": [{"name": "", "type": "bool"}],
            "stateMutability": "nonpayable",
        }

    def test_json_of_tuples(self):
        entry = parse_signature("function f((address a, (bool b)[2] c)[] d) view")
        assert entry.to_json()["inputs"] == [
            {
                "name": "d",
                "type": "tuple[]",
                "components": [
                    {"name": "a", "type": "address"},
                    {"name": "c", "type": "tuple[2]", "components": [{"name": "b", "type": "bool"}]},
                ],
            }
        ]


class TestEvent:
    def test_topic(self):
        assert TRANSFERRED.topic.hex() == "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"

    def test_round_trip(self):
        topics, data = TRANSFERRED.encode(A, B, 5)
        assert topics == (TRANSFERRED.topic, bytes(12) + A, bytes(12) + B)
        assert data == (5).to_bytes(32, "big")
        assert TRANSFERRED.decode(topics, data) == {"from": A, "to": B, "value": 5}

    def test_order_is_the_declared_one(self):
        event = parse_signature("event E(string a, uint8 indexed b, bytes, bool indexed)")
        topics, data = event.encode("x", 3, b"y", True)
        assert topics == (event.topic, (3).to_bytes(32, "big"), (1).to_bytes(32, "big"))
        assert list(event.decode(topics, data).items()) == [("a", "x"), ("b", 3), ("2", b"y"), ("3", True)]

    @pytest.mark.parametrize(
        ("kind", "value", "hashed"),
        [
            ("string", "abc", b"abc"),
            ("bytes", b"x" * 40, b"x" * 40),
            ("uint8[]", [1, 2], (1).to_bytes(32, "big") + (2).to_bytes(32, "big")),
            ("uint8[2]", [1, 2], (1).to_bytes(32, "big") + (2).to_bytes(32, "big")),
            ("(bool,address)", (True, A), (1).to_bytes(32, "big") + bytes(12) + A),
            ("bytes[]", [b"a", b"b" * 33], b"a" + bytes(31) + b"b" * 33 + bytes(31)),
            ("(string,uint8[])", ("a", [7]), b"a" + bytes(31) + (7).to_bytes(32, "big")),
            ("string[1][]", [["a"], ["b"]], b"a" + bytes(31) + b"b" + bytes(31)),
        ],
    )
    def test_indexed_values_of_more_than_a_word(self, kind, value, hashed):
        event = parse_signature(f"event E({kind} indexed a)")
        topics, data = event.encode(value)
        assert topics[1] == keccak256(hashed)
        assert event.decode(topics, data) == {"a": topics[1]}

    @pytest.mark.parametrize(
        ("kind", "value"),
        [("uint8[]", 5), ("uint8[2]", [1]), ("(bool,bool)", (True,)), ("bytes[]", [5]), ("uint8", 256)],
    )
    def test_indexed_values_that_do_not_fit(self, kind, value):
        with pytest.raises(UsageError):
            parse_signature(f"event E({kind} indexed a)").encode(value)

    @pytest.mark.parametrize("values", [(A, B), (A, B, 1, 2), (A, 5, 5), (A, B, -1)])
    def test_values_that_do_not_fit(self, values):
        with pytest.raises(UsageError):
            TRANSFERRED.encode(*values)

    BROKEN = (
        lambda topics, data: ((), data),
        lambda topics, data: ((bytes(32), *topics[1:]), data),
        lambda topics, data: (topics[:2], data),
        lambda topics, data: ((*topics, bytes(32)), data),
        lambda topics, data: ((*topics[:2], topics[2][1:]), data),
        lambda topics, data: ((*topics[:2], b"\1" * 32), data),
        lambda topics, data: (topics, data[:-1]),
    )

    @pytest.mark.parametrize("break_it", BROKEN)
    def test_logs_of_something_else(self, break_it):
        with pytest.raises(InvalidInput):
            TRANSFERRED.decode(*break_it(*TRANSFERRED.encode(A, B, 5)))

    def test_json(self):
        assert TRANSFERRED.to_json() == {
            "type": "event",
            "name": "Transfer",
            "inputs": [
                {"name": "from", "type": "address", "indexed": True},
                {"name": "to", "type": "address", "indexed": True},
                {"name": "value", "type": "uint256", "indexed": False},
            ],
            "anonymous": False,
        }


class TestErrorType:
    def test_round_trip(self):
        data = REFUSED.encode(A, 1, 2)
        assert data[:4].hex() == "e450d38c"  # ERC-6093
        assert data[4:] == encode_abi(["address", "uint256", "uint256"], [A, 1, 2])
        assert REFUSED.decode(data) == {"sender": A, "balance": 1, "needed": 2}

    @pytest.mark.parametrize("data", [b"", b"\1\2\3\4" + bytes(96), REFUSED.selector + bytes(95)])
    def test_malformed(self, data):
        with pytest.raises(InvalidInput):
            REFUSED.decode(data)

    def test_wrong_arguments(self):
        with pytest.raises(UsageError):
            REFUSED.encode(A)

    def test_json(self):
        entry = parse_signature("error Refused(uint8 code)")
        assert entry.to_json() == {
            "type": "error",
            "name": "Refused",
            "inputs": [{"name": "code", "type": "uint8"}],
        }


class TestConstructor:
    ENTRY = parse_signature("constructor(string name, uint8 decimals)")

    def test_round_trip(self):
        data = self.ENTRY.encode("Gold", 18)
        assert data == encode_abi(["string", "uint8"], ["Gold", 18])
        assert self.ENTRY.decode(data) == ("Gold", 18)

    def test_wrong(self):
        with pytest.raises(UsageError, match="constructor"):
            self.ENTRY.encode("Gold")
        with pytest.raises(InvalidInput):
            self.ENTRY.decode(b"")

    def test_json(self):
        assert self.ENTRY.to_json() == {
            "type": "constructor",
            "inputs": [{"name": "name", "type": "string"}, {"name": "decimals", "type": "uint8"}],
            "stateMutability": "nonpayable",
        }
