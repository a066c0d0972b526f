import pytest

from chainstack_sdk.core.native.code import paradigm_code, system_code
from chainstack_sdk.core.native.contract import NativeContract
from chainstack_sdk.paradigms import runtime as module
from chainstack_sdk.paradigms.factory import FACTORY_CODE, Factory
from chainstack_sdk.paradigms.registry import Registry
from chainstack_sdk.paradigms.runtime import Runtime
from chainstack_sdk.paradigms.template import Paradigm
from chainstack_sdk.primitives.errors import UsageError


class Box(Paradigm):
    """Holds a number in its config."""

    name = "box"
    constructor = "constructor(uint256 number)"


@pytest.fixture
def runtime():
    registry = Registry()
    registry.add(Box)
    return Runtime(registry)


def box(number, name="box", version=1):
    return paradigm_code(name, version, number.to_bytes(32, "big"))


def test_instances_are_opened_once(runtime):
    first = runtime.resolve(box(1))
    assert isinstance(first, Box)
    assert first.config.number == 1
    assert runtime.resolve(box(1)) is first
    assert runtime.resolve(box(2)).config.number == 2


def test_the_factory_is_always_there(runtime):
    assert isinstance(runtime.resolve(FACTORY_CODE), Factory)


@pytest.mark.parametrize(
    "code",
    [
        b"",
        b"\x60\x80",
        box(1, "other"),
        box(1, version=2),
        paradigm_code("box", 1, b""),
        paradigm_code("box", 1, bytes(33)),
        system_code("other"),
        FACTORY_CODE + b"x",
    ],
)
def test_unknown_code_is_nothing(runtime, code):
    assert runtime.resolve(code) is None


def test_a_paradigm_registered_later_is_found(runtime):
    class Later(Paradigm):
        name = "later"

    assert runtime.resolve(paradigm_code("later", 1, b"")) is None
    runtime.registry.add(Later)
    assert isinstance(runtime.resolve(paradigm_code("later", 1, b"")), Later)


def test_system_contracts(runtime):
    contract = NativeContract()
    runtime.add_system(system_code("staking"), contract)
    assert runtime.resolve(system_code("staking")) is contract
    assert runtime.resolve(system_code("staking", 2)) is None
    for code in (system_code("staking"), FACTORY_CODE):
        with pytest.raises(UsageError, match="registered already"):
            runtime.add_system(code, contract)


def test_memory_is_bounded(runtime, monkeypatch):
    monkeypatch.setattr(module, "MAX_RESOLVED", 4)
    for number in range(20):
        assert runtime.resolve(box(number)).config.number == number
        assert len(runtime._resolved) <= 4
    assert runtime.resolve(box(0)).config.number == 0


def test_the_default_registry_is_the_librarys():
    assert Runtime().registry.names == ("erc20", "erc721", "auction", "shares")
