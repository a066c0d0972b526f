from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk.machines import InvalidMachine, compile_text, decode_machine, encode_machine
from chainstack_sdk.machines.ir import Field, Function, MachineIR, Parameter, Timer, View
from chainstack_sdk.machines.rules import Scope
from chainstack_sdk.machines.types import BOOL, UINT, Type
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode

TEXT = """\
class Small(Machine):
    class Colour(Enum):
        red = 0
    class Seen(Event):
        colour: Small.Colour
        signed: Indexed[int256]
    class Bad(Error):
        n: uint256
    owner = role()
    count: uint256
    row: Annotated[list[bool], 2]
    names: Mapping[address, Annotated[str, 40]]
    begun = State()
    over = State(final=True)

    def __init__(self, first: uint256) -> None:
        self.owner = self.caller
        self.count = first

    @transition(begun, over, by=owner)
    def go(self, to: address, n: int256) -> bool:
        require(n > -5, "small")
        require(n < 5, self.Bad(1))
        self.names[to] = "x" if n > 1 else "longer"
        for at in range(2):
            if self.row[at]:
                self.count += at
            else:
                local = at
                self.count = local
        emit(self.Seen(self.Colour.red, -1))
        return self.is_in(self.begun)

    @after(begun, 3, over)
    def later(self) -> None:
        transfer(self.owner, self.balance)

    @view
    def ask(self) -> bytes32:
        return keccak(b"abc")

    @invariant
    def sound(self) -> bool:
        return self.count < 10
"""


@pytest.fixture(scope="module")
def small() -> MachineIR:
    return compile_text(TEXT)


def test_there_and_back(small: MachineIR) -> None:
    encoding = encode_machine(small)
    assert decode_machine(encoding) == small
    assert len(encoding) == 419


def test_a_constructor_that_takes_coin(small: MachineIR) -> None:
    paid = replace(small, payable=True)
    encoding = encode_machine(paid)
    assert decode_machine(encoding) == paid
    assert encoding.count(b"payable") == 1
    for other in (b"payablE", b"\xffayable"):
        with pytest.raises(InvalidMachine, match="malformed encoding of a constructor"):
            decode_machine(encoding.replace(b"payable", other))


def test_a_number_has_no_elements(small: MachineIR) -> None:
    scope = Scope(small.tables, "view")
    (number,) = [at for at, each in enumerate(small.fields) if each.type == UINT][:1]
    with pytest.raises(InvalidMachine, match="uint256 has no elements"):
        scope.place(number, [scope.constant(UINT, 0)])


def refused(machine: MachineIR, told: str) -> None:
    with pytest.raises(InvalidMachine, match=told):
        decode_machine(encode_machine(machine))


def test_whole_machines_keep_their_rules(small: MachineIR) -> None:
    go, (owner, *fields) = small.transitions[0], small.fields
    indexed = Parameter("p", UINT, True)
    yes = Scope(small.tables, "view").constant(BOOL, True)
    refused(replace(small, name="no name"), "not a name")
    refused(replace(small, name="x" * 65), "not a name")
    refused(replace(small, states=()), "at least one state")
    refused(replace(small, states=small.states * 2), "taken already")
    refused(replace(small, states=small.states * 40), "too many")
    refused(replace(small, fields=(replace(owner, threshold=2), *fields)), "a role has")
    refused(replace(small, fields=(*small.fields, Field("x", UINT, 1))), "a role has")
    refused(replace(small, fields=(*small.fields, Field("x", Type("enum", 3)))), "no type")
    refused(replace(small, fields=(*small.fields, Field("x", Type("array", 0, (UINT,))))), "no type")
    refused(
        replace(small, errors=(replace(small.errors[0], parameters=(indexed,)),)), "only parameters of events"
    )
    refused(replace(small, constructor=Function((indexed,), ())), "only parameters of events")
    refused(replace(small, constructor=Function((), (), (yes,))), "no result")
    refused(replace(small, constructor=Function((Parameter("p", fields[2].type),), ())), "a mapping stays")
    refused(replace(small, transitions=(replace(go, sources=()),)), "one or more states")
    refused(replace(small, transitions=(replace(go, sources=(0, 0)),)), "each named once")
    refused(replace(small, transitions=(replace(go, sources=(7,)),)), "no such state")
    refused(replace(small, transitions=(replace(go, target=7),)), "no such state")
    refused(replace(small, transitions=(replace(go, role=1),)), "only a role")
    refused(replace(small, transitions=(replace(go, role=99),)), "only a role")
    refused(replace(small, transitions=(go, go)), "taken already")
    refused(replace(small, transitions=(replace(go, name="state"),)), "taken already")
    timer = small.timers[0]
    refused(replace(small, timers=(timer, replace(timer, name="other"))), "at most one timer")
    refused(replace(small, timers=(Timer("t", 0, yes, 1, ()),)), "expected uint256")
    refused(replace(small, views=(View("v", Function((), (), ())),)), "returns something")
    refused(replace(small, views=(View("v", Function((), (), (yes,) * 17)),)), "too many results")
    refused(replace(small, invariants=(View("v", Function((), ())),)), "returns a bool")


def items(small: MachineIR) -> list:
    decoded = rlp_decode(encode_machine(small))
    assert isinstance(decoded, list)
    return decoded


@pytest.mark.parametrize("place", range(12))
@pytest.mark.parametrize(
    "wrong", [b"\x05", [], [b""], [[b"\x07", b"\x08"]], [[[]]], [b"\x01", b"\x02", b"\x03"]]
)
def test_a_part_of_another_shape_is_refused(small: MachineIR, place: int, wrong: object) -> None:
    decoded = items(small)
    decoded[place] = wrong
    if wrong == [] and place in (4, 8, 9, 10, 11):
        return  # a machine may be without any of these
    with pytest.raises(InvalidInput):
        decode_machine(rlp_encode(decoded))


@pytest.mark.parametrize(
    "make",
    [
        lambda parts: parts[7].__setitem__(0, b"named"),
        lambda parts: parts[8][0].__setitem__(3, b"\x02"),
        lambda parts: parts[8][0].__setitem__(3, [b""]),
        lambda parts: parts.__setitem__(0, b"\x02"),
        lambda parts: parts.__setitem__(1, b"\xff"),
        lambda parts: parts[8][0][0][1][0].__setitem__(2, b"\x02"),
        lambda parts: parts[8][0][0][1].append([b"x", b"\x01"]),
        lambda parts: parts[8][0][0][2].append([b"\x06"]),
        lambda parts: parts[8][0][0][2].append([b"\x03"]),
        lambda parts: parts[8][0][0][2].append([b"\x7f"]),
        lambda parts: parts[8][0][0][3].append([b""]),
        lambda parts: parts[8][0][0][3].append([b"\x02", b""]),
        lambda parts: parts[8][0][0][3].append([b"\x7f"]),
        lambda parts: parts[5].append([b"third", b"\x02"]),
        lambda parts: parts[6].append([b"deep", deep_type(40), b""]),
        lambda parts: parts[8][0][0].__setitem__(2, deep_block(40)),
        lambda parts: parts.append(b""),
    ],
)
def test_what_is_not_as_encoded_is_refused(small: MachineIR, make) -> None:
    decoded = items(small)
    make(decoded)
    with pytest.raises(InvalidInput):
        decode_machine(rlp_encode(decoded))


def deep_type(depth: int) -> object:
    return [b"\x09", b"\x01", deep_type(depth - 1)] if depth else b"\x01"


def deep_block(depth: int) -> list:
    return [[b"\x06", b"", b"\x01", deep_block(depth - 1)]] if depth else []


def test_only_the_canonical_bytes_are_a_machine(small: MachineIR) -> None:
    decoded = items(small)
    decoded[8][0][2] = b"\x02"
    decoded[9][0][2][1] = b"\x01"
    assert decode_machine(rlp_encode(decoded)) == small
    decoded[8][0][0][2][0][1] = b"sm\xff"
    with pytest.raises(InvalidInput):
        decode_machine(rlp_encode(decoded))
    constant = items(small)
    constant[9][0][2] = [b"", b"", b"\x05"]  # a bool of 5: the tree says True, and true is written 1
    with pytest.raises(InvalidInput):
        decode_machine(rlp_encode(constant))
    flag = items(small)
    flag[11][0][3] = [[b"", b"", b"\x05"]]
    with pytest.raises(InvalidMachine, match="canonical"):
        decode_machine(rlp_encode(flag))
