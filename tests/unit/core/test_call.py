import pytest

from chainstack_sdk.core import gas
from chainstack_sdk.core.call import MAX_CALL_DEPTH, Call, Environment, OutOfGas, invoke
from chainstack_sdk.core.context import BlockContext
from chainstack_sdk.core.state import State
from chainstack_sdk.primitives.abi import encode_revert, parse_signature
from chainstack_sdk.primitives.address import contract_address
from chainstack_sdk.primitives.errors import Reverted, UsageError

ALICE, HERE, THERE, NOBODY = (bytes([number]) * 20 for number in range(1, 5))
SLOT, OTHER = bytes(32), bytes(31) + b"\x01"
CODE, PLAIN, FOREIGN = b"\xef\x43\x00\x01here", b"\xef\x43\x00\x01there", b"\x60\x80"
LIMIT = 1 << 256
BLOCK = BlockContext(1, 7, 5_999, NOBODY, 10**9, 10, bytes(32))
PANIC = bytes.fromhex("4e487b71") + (0x11).to_bytes(32, "big")


class Scripted:
    """Runs what the test gives it."""

    def __init__(self):
        self.script = lambda call, data: b""

    def invoke(self, call, data):
        return self.script(call, data)


class World:
    """A state with two contracts, and calls into them."""

    def __init__(self):
        self.state = State()
        self.contracts = {CODE: Scripted(), PLAIN: Scripted()}
        self.state.set_code(HERE, CODE)
        self.state.set_code(THERE, PLAIN)
        self.state.set_nonce(HERE, 1)
        self.state.set_nonce(ALICE, 5)  # execution has counted the running transaction
        self.state.set_balance(HERE, 100)
        self.state.commit()
        self.env = self.environment()

    def environment(self, gas_left=10**9):
        return Environment(self.state, BLOCK, self, ALICE, gas_left, 12)

    def resolve(self, code):
        return self.contracts.get(code)

    def call(self, *, caller=ALICE, address=HERE, value=0, depth=1, read_only=False):
        return Call(self.env, caller, address, value, depth, read_only)

    def spent(self):
        return 10**9 - self.env.gas


@pytest.fixture
def world():
    return World()


@pytest.fixture
def call(world):
    return world.call()


def test_facts(world):
    call = world.call(caller=THERE, value=3)
    assert (call.caller, call.address, call.value, call.read_only) == (THERE, HERE, 3, False)
    assert (call.origin, call.block, call.gas_left) == (ALICE, BLOCK, 10**9)
    assert call.block.timestamp == 5


def test_accounts(world, call):
    assert (call.balance(HERE), call.balance(NOBODY)) == (100, 0)
    assert (call.is_contract(THERE), call.is_contract(ALICE)) == (True, False)
    assert world.spent() == 4 * gas.BALANCE_READ


class TestStorage:
    def test_load_and_store(self, world, call):
        assert call.load(SLOT) == 0
        call.store(SLOT, LIMIT - 1)
        assert call.load(SLOT) == LIMIT - 1
        assert world.state.storage(HERE, SLOT) == LIMIT - 1
        assert world.call(address=THERE).load(SLOT) == 0

    @pytest.mark.parametrize(
        ("before", "after", "price"),
        [
            (0, 1, gas.STORAGE_SET),
            (0, 0, gas.STORAGE_RESET),
            (1, 2, gas.STORAGE_RESET),
            (1, 0, gas.STORAGE_RESET),
        ],
    )
    def test_prices(self, world, call, before, after, price):
        world.state.set_storage(HERE, SLOT, before)
        call.store(SLOT, after)
        assert world.spent() == price
        world.state.set_storage(HERE, OTHER, before)
        assert call.try_add(OTHER, after - before) == after
        assert world.spent() == 2 * price + gas.STORAGE_READ
        assert world.state.storage(HERE, OTHER) == after
        call.load(SLOT)
        assert world.spent() == 2 * price + 2 * gas.STORAGE_READ

    @pytest.mark.parametrize("value", [-1, LIMIT])
    def test_what_does_not_fit_panics(self, world, call, value):
        with pytest.raises(Reverted) as caught:
            call.store(SLOT, value)
        assert caught.value.data == PANIC
        assert world.state.checkpoint() == 0

    @pytest.mark.parametrize(("before", "amount"), [(0, -1), (5, -6), (LIMIT - 1, 1), (0, LIMIT)])
    def test_a_sum_that_does_not_fit_is_not_written(self, world, call, before, amount):
        world.state.set_storage(HERE, SLOT, before)
        mark = world.state.checkpoint()
        assert call.try_add(SLOT, amount) == before + amount
        assert world.state.storage(HERE, SLOT) == before
        assert world.state.checkpoint() == mark
        assert world.spent() == gas.STORAGE_READ

    def test_sums_in_slots_never_written(self, world, call):
        assert call.try_add(SLOT, 5) == 5
        assert call.try_add(SLOT, -5) == 0
        assert world.state.storage(HERE, SLOT) == 0

    def test_rollback_takes_sums_back(self, world, call):
        call.store(SLOT, 1)
        mark = world.state.checkpoint()
        call.try_add(SLOT, 5)
        call.try_add(OTHER, 5)
        world.state.rollback(mark)
        assert (call.load(SLOT), call.load(OTHER)) == (1, 0)

    @pytest.mark.parametrize("target", [OTHER, SLOT])
    @pytest.mark.parametrize("there", [0, 7])
    @pytest.mark.parametrize(("here", "amount"), [(0, 0), (5, 0), (5, 3), (5, 5)])
    def test_moving_is_adding_twice(self, world, target, here, there, amount):
        def outcome(act):
            world.env = world.environment()
            world.state.set_storage(HERE, OTHER, there)
            world.state.set_storage(HERE, SLOT, here)
            mark = world.state.checkpoint()
            result = act(world.call())
            held = (world.state.storage(HERE, SLOT), world.state.storage(HERE, OTHER))
            world.state.rollback(mark)
            assert (world.state.storage(HERE, SLOT), world.state.storage(HERE, OTHER)) == (here, there)
            return result, held, world.spent()

        def add_twice(call):
            rest = call.try_add(SLOT, -amount)
            call.try_add(target, amount)
            return rest

        moved = outcome(lambda call: call.move(SLOT, target, amount))
        assert moved == outcome(add_twice)
        assert sum(moved[1]) == here + there

    def test_what_is_not_there_is_not_moved(self, world, call):
        world.state.set_storage(HERE, SLOT, 5)
        mark = world.state.checkpoint()
        assert call.move(SLOT, OTHER, 7) == -2
        assert world.spent() == gas.STORAGE_READ
        assert world.state.checkpoint() == mark
        assert (call.load(SLOT), call.load(OTHER)) == (5, 0)

    @pytest.mark.parametrize(("there", "amount"), [(0, -1), (LIMIT - 1, 1)])
    def test_moving_what_does_not_fit_panics(self, world, call, there, amount):
        world.state.set_storage(HERE, SLOT, 5)
        world.state.set_storage(HERE, OTHER, there)
        mark = world.state.checkpoint()
        with pytest.raises(Reverted) as caught:
            call.move(SLOT, OTHER, amount)
        assert caught.value.data == PANIC
        assert world.state.checkpoint() == mark

    def test_reading_from_a_lazy_state(self, world):
        """Values that are not in memory come from the commitment."""
        from chainstack_sdk.core.archive import StoredCommitment
        from chainstack_sdk.core.store import MemoryStore

        state = State(StoredCommitment(MemoryStore()))
        state.set_storage(HERE, SLOT, 7)
        state.set_storage(HERE, OTHER, 8)
        state.commit()
        state.forget()
        call = Call(Environment(state, BLOCK, world, ALICE, 10**9, 0), ALICE, HERE, 0, 1, False)
        assert call.load(SLOT) == 7
        state.forget()
        call = Call(Environment(state, BLOCK, world, ALICE, 10**9, 0), ALICE, HERE, 0, 1, False)
        assert call.try_add(SLOT, 1) == 8
        call.store(OTHER, 9)
        assert state.changes().storage == {HERE: {SLOT: 7, OTHER: 8}}
        state.rollback(0)
        state.forget()
        call = Call(Environment(state, BLOCK, world, ALICE, 10**9, 0), ALICE, HERE, 0, 1, False)
        assert call.move(SLOT, OTHER, 2) == 5
        assert (call.load(SLOT), call.load(OTHER)) == (5, 10)
        assert state.changes().storage == {HERE: {SLOT: 7, OTHER: 8}}


class TestLogs:
    def test_emit(self, world, call):
        event = parse_signature("event Paid(address indexed to, uint8 amount)")
        call.emit(event, ALICE, 5)
        (log,) = world.env.logs
        assert (log.address, log.topics) == (HERE, (event.topic, bytes(12) + ALICE))
        assert log.data == (5).to_bytes(32, "big")
        assert world.spent() == gas.LOG + 2 * gas.LOG_TOPIC + 32 * gas.LOG_BYTE
        with pytest.raises(Reverted) as caught:
            call.emit(event, ALICE, 256)
        assert caught.value.data == PANIC
        with pytest.raises(UsageError):
            call.emit(event, ALICE, "5")

    def test_log(self, world, call):
        call.log([SLOT] * 4, b"abc")
        assert world.env.logs[0].topics == (SLOT,) * 4
        with pytest.raises(UsageError, match="four topics"):
            call.log([SLOT] * 5, b"")
        with pytest.raises(UsageError, match="32 bytes"):
            call.log([SLOT, SLOT[1:], SLOT + b"\0"], b"")
        assert len(world.env.logs) == 1


class TestTransfer:
    def test_paying_out(self, world, call):
        call.transfer(ALICE, 30)
        assert (world.state.balance(HERE), world.state.balance(ALICE)) == (70, 30)
        assert world.spent() == gas.CALL_VALUE
        call.transfer(HERE, 70)
        assert world.state.balance(HERE) == 70

    def test_refusals(self, world, call):
        with pytest.raises(Reverted, match="insufficient balance"):
            call.transfer(ALICE, 101)
        with pytest.raises(Reverted) as caught:
            call.transfer(ALICE, -1)
        assert caught.value.data == PANIC
        assert world.state.balance(HERE) == 100

    def test_nothing(self, world, call):
        call.transfer(ALICE, 0)
        assert world.state.checkpoint() == 0


class TestCalls:
    def test_another_contract(self, world, call):
        seen = []

        def script(inner, data):
            seen.append((inner.caller, inner.address, inner.value, inner.origin, data))
            inner.store(SLOT, 9)
            return b"answer"

        world.contracts[PLAIN].script = script
        assert call.call(THERE, b"question", 40) == b"answer"
        assert seen == [(HERE, THERE, 40, ALICE, b"question")]
        assert (world.state.balance(HERE), world.state.balance(THERE)) == (60, 40)
        assert world.state.storage(THERE, SLOT) == 9
        assert world.spent() == gas.CALL + gas.CALL_VALUE + gas.STORAGE_SET

    def test_an_account_without_code(self, world, call):
        assert call.call(NOBODY, b"question", 1) == b""
        assert world.state.balance(NOBODY) == 1
        assert call.call(NOBODY, b"question") == b""

    def test_code_that_nobody_can_run(self, world, call):
        world.state.set_code(NOBODY, FOREIGN)
        with pytest.raises(Reverted, match="no runtime"):
            call.call(NOBODY, b"")

    def test_a_revert_passes_through(self, world, call):
        def script(inner, data):
            raise inner.error("not today")

        world.contracts[PLAIN].script = script
        with pytest.raises(Reverted) as caught:
            call.call(THERE, b"")
        assert caught.value.data == encode_revert("not today")

    def test_trying(self, world, call):
        def script(inner, data):
            inner.store(SLOT, 9)
            inner.log([], b"")
            inner.create(b"code")
            if data:
                raise inner.error("not today")
            return b"done"

        world.contracts[PLAIN].script = script
        call.store(SLOT, 1)
        call.log([SLOT], b"")
        assert call.try_call(THERE, b"no", 5) == (False, encode_revert("not today"))
        assert world.state.storage(THERE, SLOT) == 0
        assert world.state.storage(HERE, SLOT) == 1
        assert world.state.balance(HERE) == 100
        assert len(world.env.logs) == 1
        assert world.env.issued is None
        assert call.try_call(THERE, b"") == (True, b"done")
        assert world.state.storage(THERE, SLOT) == 9
        assert len(world.env.logs) == 2
        assert world.env.issued is not None

    def test_gas_that_runs_out_inside_cannot_be_caught(self, world, call):
        world.contracts[PLAIN].script = lambda inner, data: inner.charge(10**9)
        with pytest.raises(OutOfGas):
            call.try_call(THERE, b"")
        assert world.env.gas == 0

    def test_depth(self, world):
        depths = []

        def script(inner, data):
            depths.append(inner._depth)
            return inner.call(HERE, data)

        world.contracts[CODE].script = script
        with pytest.raises(Reverted, match="call depth"):
            invoke(world.env, ALICE, HERE, 0, b"", 1, False)
        assert depths == list(range(1, MAX_CALL_DEPTH + 1))


class TestReadOnly:
    def test_nothing_can_be_changed(self, world):
        call = world.call(read_only=True)
        for attempt in (
            lambda: call.store(SLOT, 1),
            lambda: call.try_add(SLOT, 1),
            lambda: call.move(SLOT, OTHER, 0),
            lambda: call.log([], b""),
            lambda: call.transfer(ALICE, 1),
            lambda: call.call(ALICE, b"", 1),
            lambda: call.create(b"code"),
            lambda: call.within(THERE).store(SLOT, 1),
        ):
            with pytest.raises(Reverted, match="in a read-only call"):
                attempt()
        assert world.state.checkpoint() == 0
        assert world.env.logs == []

    def test_it_is_passed_on(self, world):
        world.contracts[PLAIN].script = lambda inner, data: inner.store(SLOT, 1)
        call = world.call(read_only=True)
        assert call.try_call(THERE, b"")[0] is False
        assert call.load(SLOT) == 0


class TestCreate:
    def test_for_an_account(self, world, call):
        address = call.create(b"code")
        assert address == contract_address(ALICE, 4)
        assert world.state.code(address) == b"code"
        assert (world.state.nonce(address), world.state.nonce(ALICE)) == (1, 5)
        assert world.env.issued == address
        assert world.spent() == gas.CREATE + 4 * gas.CODE_BYTE
        with pytest.raises(Reverted, match="already in use"):
            call.create(b"code")

    def test_for_a_contract(self, world):
        call = world.call(caller=THERE)
        assert [call.create(b"code") for _ in range(2)] == [contract_address(THERE, n) for n in (0, 1)]
        assert world.state.nonce(THERE) == 2

    def test_within(self, world):
        call = world.call(value=5)
        address = call.create(b"code")
        inner = call.within(address)
        assert (inner.caller, inner.address, inner.value) == (ALICE, address, 0)
        inner.store(SLOT, 3)
        assert world.state.storage(address, SLOT) == 3

    def test_what_comes_before_a_call_cannot_spend_its_value(self, world):
        call = world.call(value=30)
        with call.unpaid():
            assert call.balance(HERE) == 70
            with pytest.raises(Reverted, match="insufficient balance"):
                call.transfer(NOBODY, 71)
            call.transfer(NOBODY, 70)
        assert (call.balance(HERE), call.value) == (30, 30)


class TestRefusals:
    def test_require(self, call):
        error = parse_signature("error TooMuch(uint256 wanted, bytes4 by)")
        call.require(True, error, 1, b"abcd")
        call.require([0], "not this")
        with pytest.raises(Reverted) as caught:
            call.require(0, error, 1, b"abcd")
        assert caught.value.data == error.encode(1, b"abcd")
        assert caught.value.message == "TooMuch(1, 0x61626364)"
        with pytest.raises(Reverted, match=r"^only this$") as caught:
            call.require(None, "only this")
        assert caught.value.data == encode_revert("only this")


class TestGas:
    def test_charge(self, world, call):
        call.charge(10**9 - 5)
        assert call.gas_left == 5
        with pytest.raises(OutOfGas) as caught:
            call.charge(6)
        assert caught.value.data == b""
        assert call.gas_left == 0

    @pytest.mark.parametrize(
        "act",
        [
            lambda call: call.load(SLOT),
            lambda call: call.store(SLOT, 1),
            lambda call: call.try_add(SLOT, 1),
            lambda call: call.try_add(SLOT, -1),
            lambda call: call.move(SLOT, OTHER, 0),
            lambda call: call.move(SLOT, OTHER, 1),
            lambda call: call.log([], b""),
            lambda call: call.transfer(ALICE, 1),
            lambda call: call.call(THERE, b""),
            lambda call: call.create(b"code"),
            lambda call: call.balance(HERE),
            lambda call: call.is_contract(HERE),
        ],
    )
    def test_one_unit_short(self, world, act):
        """With exactly the gas it takes a verb works; with one unit less it does not, and does nothing."""
        act(world.call())
        price = world.spent()
        assert price > 0
        for missing in (0, 1):
            fresh = World()
            fresh.env = fresh.environment(price - missing)
            if missing:
                with pytest.raises(OutOfGas):
                    act(fresh.call())
                assert fresh.state.checkpoint() == 0
                assert fresh.env.logs == []
            else:
                act(fresh.call())
            assert fresh.env.gas == 0
