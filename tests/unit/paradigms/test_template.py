import pytest
from pydantic import BaseModel, Field

from chainstack_sdk.core.native.contract import error, event, external
from chainstack_sdk.core.native.slots import slot
from chainstack_sdk.paradigms.template import Paradigm
from chainstack_sdk.primitives.abi import Constructor
from chainstack_sdk.primitives.errors import InvalidInput, UsageError


class Counter(Paradigm):
    """Counts, within a limit, and down only if the config says so."""

    name = "counter"
    version = 3
    constructor = "constructor(uint256 start, uint256 limit, bool reversible)"

    class Config(BaseModel):
        start: int = 0
        limit: int = Field(gt=0)
        reversible: bool = False

    Moved = event("event Moved(uint256 total)")
    Full = error("error Full(uint256 limit)")

    def create(self, call):
        call.store(slot(0), self.config.start)

    @external("function total() view returns (uint256)")
    def total(self, call):
        return call.load(slot(0))

    @external("function up(uint256 by)")
    def up(self, call, by):
        total = call.load(slot(0)) + by
        call.require(total <= self.config.limit, self.Full, self.config.limit)
        call.store(slot(0), total)
        call.emit(self.Moved, total)

    @external("function down(uint256 by)", when="reversible")
    def down(self, call, by):
        call.store(slot(0), call.load(slot(0)) - by)


class Bare(Paradigm):
    """Nothing but a name."""

    name = "bare"


def test_the_config_is_a_named_tuple():
    counter = Counter(Counter.encode_config({"limit": 9}))
    assert counter.config == (0, 9, False)
    assert (counter.config.start, counter.config.limit, counter.config.reversible) == (0, 9, False)
    with pytest.raises(AttributeError):
        counter.config.limit = 10
    assert Bare(b"").config == ()


def test_functions_that_depend_on_the_config():
    selector = Counter.abi_function("down").selector
    fixed = Counter(Counter.encode_config({"limit": 9}))
    free = Counter(Counter.encode_config({"limit": 9, "reversible": True}))
    assert selector not in fixed._entries
    assert selector in free._entries
    assert len(free._entries) == len(fixed._entries) + 1


def test_a_config_is_encoded_in_one_way_only():
    encoded = Counter.encode_config({"limit": 9})
    for config in (b"", encoded[:-1], encoded + b"\0", encoded + bytes(32), encoded[:-1] + b"\x02"):
        with pytest.raises(InvalidInput):
            Counter(config)
    with pytest.raises(InvalidInput, match="canonically"):
        Bare(b"\0")


def test_the_model_checks_and_fills_in():
    decode = Counter.constructor_type.decode
    assert Counter.config_model() is Counter.Config
    assert decode(Counter.encode_config({"limit": 5, "start": 2})) == (2, 5, False)
    with pytest.raises(UsageError, match="config of counter: limit: Field required"):
        Counter.encode_config({})
    with pytest.raises(UsageError, match="limit: Input should be greater than 0; reversible: "):
        Counter.encode_config({"limit": 0, "reversible": "perhaps"})
    with pytest.raises(UsageError, match="does not hold this number"):
        Counter.encode_config({"limit": 1 << 256})


def test_without_a_model_the_fields_must_be_those_of_the_constructor():
    assert Bare.config_model() is None
    assert Bare.encode_config({}) == b""

    class Pair(Paradigm):
        name = "pair"
        constructor = "constructor(uint256 a, uint256 b)"

    assert len(Pair.encode_config({"b": 2, "a": 1})) == 64
    with pytest.raises(UsageError, match="takes other fields") as caught:
        Pair.encode_config({"a": 1, "c": 3})
    assert (caught.value.missing, caught.value.unknown) == (["b"], ["c"])


def test_a_model_that_lacks_a_field_of_the_constructor():
    class Halved(Paradigm):
        name = "halved"
        constructor = "constructor(uint256 a, uint256 b)"

        class Config(BaseModel):
            a: int

    with pytest.raises(UsageError, match="takes other fields") as caught:
        Halved.encode_config({"a": 1})
    assert caught.value.missing == ["b"]


def test_the_abi_begins_with_the_constructor():
    abi = Counter.abi()
    assert abi[0] == {
        "type": "constructor",
        "stateMutability": "nonpayable",
        "inputs": [
            {"name": "start", "type": "uint256"},
            {"name": "limit", "type": "uint256"},
            {"name": "reversible", "type": "bool"},
        ],
    }
    assert [entry["name"] for entry in abi[1:]] == ["total", "up", "down", "Moved", "Full"]
    assert isinstance(Counter.constructor_type, Constructor)


def declare(**attributes):
    return type("Declared", (Paradigm,), attributes)


@pytest.mark.parametrize("name", ["", "a b", "x" * 65, "naïve", "a/b"])
def test_names(name):
    with pytest.raises(UsageError, match="not a name"):
        declare(name=name)


def test_names_that_will_do():
    for name in ("a", "x" * 64, "erc-20_v1.2"):
        assert declare(name=name).name == name


@pytest.mark.parametrize("version", [0, 256])
def test_versions(version):
    with pytest.raises(UsageError, match="version"):
        declare(name="x", version=version)


def test_constructors():
    with pytest.raises(UsageError, match="signature of a constructor"):
        declare(name="x", constructor="function f()")
    for signature in ("constructor(uint256)", "constructor(uint256 from)", "constructor(uint8 a, uint8 a)"):
        with pytest.raises(UsageError, match="name the config's fields"):
            declare(name="x", constructor=signature)


def test_a_condition_on_what_the_config_does_not_have():
    method = external("function f()", when="enabled")(lambda self, call: None)
    with pytest.raises(UsageError, match="f depends on what the config does not have"):
        declare(name="x", f=method)
    assert declare(name="x", constructor="constructor(bool enabled)", f=method)


def test_a_mixin_needs_no_name():
    class Mixin(Paradigm):
        @external("function twice(uint256 a) pure returns (uint256)")
        def twice(self, call, a):
            return 2 * a

    class Mixed(Mixin, Counter):
        name = "mixed"

    assert Mixed.abi_function("twice")
    assert Mixed.abi_function("total")
    assert Mixed.constructor_type.inputs == Counter.constructor_type.inputs


def test_on_a_chain(make_chain, alice, reverts):
    from chainstack_sdk.paradigms import default_registry

    registry = default_registry()
    registry.add(Counter)
    registry.add(Bare)
    chain = make_chain(registry=registry)
    counter = chain.paradigm("counter").issue(alice, limit=9, start=4)
    counter.send(alice, "up", 5)
    assert counter.read("total") == 9
    with reverts(Counter.Full, 9):
        counter.send(alice, "up", 1)
    with reverts(None):
        counter.send(alice, "down", 1)
    assert chain.code(counter)[:4] == b"\xef\x43\x01\x03"
    assert chain.code(chain.paradigm("bare").issue(alice))[3] == 1
