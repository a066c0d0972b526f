import pytest

from chainstack_sdk.core.call import Call, Environment
from chainstack_sdk.core.native.contract import NativeContract, error, event, external
from chainstack_sdk.core.state import State
from chainstack_sdk.primitives.abi import ErrorType, Event, encode_abi
from chainstack_sdk.primitives.errors import Reverted, UsageError

WHERE, WHO = b"\x11" * 20, b"\x22" * 20
SLOT = bytes(32)
PANIC = bytes.fromhex("4e487b71")


class Sample(NativeContract):
    """One function of each kind."""

    Done = event("event Done(address indexed by, uint8 amount)")
    Refused = error("error Refused(uint256 code)")

    @external("function set(uint256 value)")
    def set(self, call, value):
        call.store(SLOT, value)

    @external("function get() view returns (uint256)")
    def get(self, call):
        return call.load(SLOT)

    @external("function cheat(uint256 value) view returns (uint256)")
    def cheat(self, call, value):
        call.store(SLOT, value)
        return value

    @external("function pay() payable returns (uint256)")
    def pay(self, call):
        return call.value

    @external("function pair(string text, uint8[] numbers) pure returns (string, uint8)")
    def pair(self, call, text, numbers):
        return text.upper(), sum(numbers)

    @external("function transfer(address to, uint256 value) returns (bool)")
    def transfer(self, call, to, value):
        call.store(SLOT, value // (value - 7))
        return to != WHO

    @external("function tell(uint256 amount)")
    def tell(self, call, amount):
        call.emit(self.Done, call.caller, amount)

    @external("function divide(int16 a, int16 b) pure returns (int16)")
    def divide(self, call, a, b):
        return a // b

    @external("function broken() pure returns (uint256)")
    def broken(self, call):
        return "no number"


class Payable(NativeContract):
    """Takes plain payments."""

    def receive(self, call):
        call.store(SLOT, 1 // call.value)


class Run:
    """Calls a contract without a chain."""

    def __init__(self, contract=None):
        self.contract = contract or Sample()
        self.state = State()

    def data(self, data, value=0, read_only=False):
        env = Environment(self.state, None, None, WHO, 10**9, 0)
        call = Call(env, WHO, WHERE, value, 1, read_only)
        output = self.contract.invoke(call, data)
        self.logs = env.logs
        return output

    def __call__(self, name, *args, value=0):
        function = self.contract.abi_function(name)
        return function.decode_output(self.data(function.encode_call(*args), value))


def selector(name):
    return Sample.abi_function(name).selector


def test_arguments_and_results():
    run = Run()
    assert run("set", 5) == ()
    assert run("get") == (5,)
    assert run("pair", "abc", (1, 2, 3)) == ("ABC", 6)
    assert run("pay", value=9) == (9,)
    assert run("divide", -7, 2) == (-4,)


def test_a_token_like_function():
    run = Run()
    assert run("transfer", WHERE, 8) == (True,)
    assert run("transfer", WHO, 9) == (False,)
    assert run.state.storage(WHERE, SLOT) == 4


@pytest.mark.parametrize(
    "data",
    [
        b"\x01",
        b"\x01\x02\x03",
        b"\x01\x02\x03\x04",
        selector("set"),
        selector("set") + bytes(31),
        selector("transfer") + bytes(63),
        selector("transfer") + b"\x01" + bytes(63),
        selector("transfer") + bytes(11) + b"\x01" + bytes(52),
        selector("pair") + bytes(64),
        selector("pair") + encode_abi(["string", "uint16[]"], ["a", [256]]),
        selector("pair") + encode_abi(["bytes", "uint8[]"], [b"\xff", []]),
    ],
)
def test_malformed_calls_revert_without_data(data):
    with pytest.raises(Reverted) as caught:
        Run().data(data)
    assert caught.value.data == b""


def test_data_behind_the_arguments_is_ignored():
    run = Run()
    run.data(selector("set") + (6).to_bytes(32, "big") + b"more")
    run.data(selector("transfer") + bytes(12) + WHERE + (8).to_bytes(32, "big") + b"more")
    assert run("get") == (8,)


@pytest.mark.parametrize("name", ["set", "transfer", "get"])
def test_only_payable_functions_take_coin(name):
    run = Run()
    args = {"set": [1], "transfer": [WHERE, 8], "get": []}[name]
    with pytest.raises(Reverted) as caught:
        run(name, *args, value=1)
    assert caught.value.data == b""
    assert run("get") == (0,)


def test_plain_payments():
    for data in (b"", b"\x01\x02\x03\x04"):
        with pytest.raises(Reverted) as caught:
            Run().data(data, value=1)
        assert caught.value.data == b""
    taker = Run(Payable())
    assert taker.data(b"", value=1) == b""
    assert taker.state.storage(WHERE, SLOT) == 1
    with pytest.raises(Reverted, match="0x12"):
        taker.data(b"")
    with pytest.raises(Reverted) as caught:
        taker.data(b"\x01\x02\x03\x04", value=1)
    assert caught.value.data == b""


def test_views_cannot_write():
    run = Run()
    with pytest.raises(Reverted, match="read-only"):
        run("cheat", 3)
    assert run("get") == (0,)


def test_arithmetic_that_goes_wrong_panics_as_in_solidity():
    run = Run()
    overflow, by_zero = (PANIC + code.to_bytes(32, "big") for code in (0x11, 0x12))
    for name, args, data in [
        ("pair", ("a", (200, 100)), overflow),
        ("divide", (-32768, -1), overflow),
        ("divide", (1, 0), by_zero),
        ("tell", (256,), overflow),
        ("transfer", (WHERE, 7), by_zero),
        ("transfer", (WHERE, 6), overflow),
    ]:
        with pytest.raises(Reverted) as caught:
            run(name, *args)
        assert caught.value.data == data, name
    run("tell", 255)
    assert len(run.logs) == 1


def test_a_wrong_result_is_the_contracts_mistake():
    with pytest.raises(UsageError):
        Run()("broken")


def test_what_a_class_declares():
    assert [entry.name for entry in Sample.abi_events] == ["Done"]
    assert [entry.name for entry in Sample.abi_errors] == ["Refused"]
    assert Sample.abi_event("Done").topic == Sample.Done.topic
    with pytest.raises(UsageError, match="no such event"):
        Sample.abi_event("Undone")
    with pytest.raises(UsageError, match="no such function"):
        Sample.abi_function("unset")
    kinds = [(entry["type"], entry["name"]) for entry in Sample.abi()]
    assert kinds[0] == ("function", "set")
    assert kinds[-2:] == [("event", "Done"), ("error", "Refused")]
    assert len(kinds) == 11


class Overloaded(NativeContract):
    """Several functions of one name."""

    @external("function f(uint256 a) pure returns (uint256)")
    def f_one(self, call, a):
        return 1

    @external("function f(address a) pure returns (uint256)")
    def f_other(self, call, a):
        return 2

    @external("function f(uint256 a, uint256 b) pure returns (uint256)")
    def f_two(self, call, a, b):
        return 3


def test_functions_of_one_name():
    run = Run(Overloaded())
    assert run("f(uint256)", 1) == (1,)
    assert run("f(address)", WHO) == (2,)
    assert Overloaded.abi_function("f", 2).signature == "f(uint256,uint256)"
    for name, count in (("f", None), ("f", 1), ("f", 3)):
        with pytest.raises(UsageError):
            Overloaded.abi_function(name, count)


def test_subclasses_add_and_override():
    class Child(Sample):
        Extra = event("event Extra()")

        def get(self, call):
            return super().get(call) + 100

        @external("function set(uint256 value)")
        def set(self, call, value):
            call.store(SLOT, value + 1)

    run = Run(Child())
    run("set", 5)
    assert run("get") == (106,)
    assert [entry.name for entry in Child.abi_events] == ["Done", "Extra"]
    assert len(Child.externals) == len(Sample.externals)
    assert Run()("get") == (0,)


def test_wrong_declarations():
    with pytest.raises(UsageError, match="takes self, call"):

        class TooFew(NativeContract):
            @external("function f(uint256 a)")
            def f(self, call):
                pass

    with pytest.raises(UsageError, match="function signature"):
        external("event E()")
    with pytest.raises(UsageError, match="not the signature of an event"):
        event("error E()")
    with pytest.raises(UsageError, match="not the signature of an error"):
        error("event E()")
    with pytest.raises(UsageError, match="one selector"):
        # collate_propagate_storage(bytes16) and burn(uint256) share the selector 0x42966c68
        class Collision(NativeContract):
            @external("function burn(uint256 a)")
            def burn(self, call, a):
                pass

            @external("function collate_propagate_storage(bytes16 a)")
            def collate(self, call, a):
                pass


def test_a_function_declared_twice():
    with pytest.raises(UsageError, match="one selector"):

        class Twice(NativeContract):
            @external("function f()")
            def f(self, call):
                pass

            @external("function f()")
            def g(self, call):
                pass


def test_declarations_return_what_they_say():
    assert isinstance(event("event E(uint256 a)"), Event)
    assert isinstance(error("error E(uint256 a)"), ErrorType)


def test_an_external_may_be_any_callable():
    class Doubler:
        def __call__(self, contract, call, number):
            return 2 * number

        def __get__(self, instance, owner=None):
            return self if instance is None else lambda call, number: self(instance, call, number)

    class Odd(NativeContract):
        double = external("function double(uint256 a) pure returns (uint256)")(Doubler())

    assert Run(Odd())("double", 4) == (8,)
