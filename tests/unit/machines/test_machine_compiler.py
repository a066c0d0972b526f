from __future__ import annotations

import pickle
import sys
from types import ModuleType

import pytest

from chainstack_sdk.machines import (
    CompileError,
    Machine,
    State,
    compile_machine,
    compile_text,
    encode_machine,
    view,
)
from chainstack_sdk.machines.errors import InvalidMachine
from chainstack_sdk.machines.ir import Expression
from chainstack_sdk.machines.types import ADDRESS, BOOL, BYTES32, INT, UINT, Type

HEAD = """\
class M(Machine):
    FEE = 3 * days // 2
    class Colour(Enum):
        red = 0
        blue = 1
    class Paid(Event):
        by: Indexed[address]
        amount: uint256
    class Bad(Error):
        amount: uint256
    owner = role()
    board = role(3, threshold=2)
    count: uint256
    signed: int256
    colour: Colour
    text: Annotated[str, 40]
    data: Annotated[bytes, 40]
    row: Annotated[list[uint256], 4]
    held: Mapping[address, uint256]
    deep: Mapping[address, Mapping[uint256, Annotated[list[bool], 2]]]
    begun = State()
    over = State(final=True)
"""
BODY = (
    "    @transition(begun)\n"
    "    def go(self, who: address, n: uint256, i: int256, xs: Annotated[list[uint256], 3]) -> None:\n"
)


def body(*lines: str) -> str:
    return HEAD + BODY + "".join(f"        {line}\n" for line in lines)


def block_of(*lines: str):
    return compile_text(body(*lines)).transitions[0].function.body


def value_of(text: str) -> Expression:
    (statement,) = block_of(f"x = {text}")
    assert statement.op == "let"
    return statement.args[0]


@pytest.mark.parametrize(
    ("text", "op", "kind"),
    [
        ("n + 1", "add", UINT),
        ("1 + n", "add", UINT),
        ("i - 1", "sub", INT),
        ("-i", "neg", INT),
        ("n * n // 2 % 3", "mod", UINT),
        ("min(n, 4)", "min", UINT),
        ("max(3, i)", "max", INT),
        ("int256(n)", "to_int", INT),
        ("uint256(i)", "to_uint", UINT),
        ("n < 3", "lt", BOOL),
        ("0 >= i", "ge", BOOL),
        ("who == ZERO_ADDRESS", "eq", BOOL),
        ("who != self.caller", "ne", BOOL),
        ("not n == 1 and n <= 7 or n > 9", "or", BOOL),
        ("n if n > 2 else 0", "if", UINT),
        ("n in (1, 2, self.count)", "in", BOOL),
        ("1 in (n, 2)", "in", BOOL),
        ("n not in xs", "not", BOOL),
        ("who in self.board", "contains", BOOL),
        ("keccak(n, who)", "keccak", BYTES32),
        ("keccak(self.text)", "keccak", BYTES32),
        ("xs[n]", "item", UINT),
        ("self.row[1]", "load", UINT),
        ("self.row", "load", Type("array", 4, (UINT,))),
        ("self.deep[who][n][1]", "load", BOOL),
        ("self.owner", "load", ADDRESS),
        ("self.colour == self.Colour.blue", "eq", BOOL),
        ("self.Colour.blue", "const", Type("enum", 0)),
        ("self.is_in(self.begun)", "state", BOOL),
        ("self.text == 'no'", "eq", BOOL),
        ("self.data == b'12345678901234567890'", "eq", BOOL),
        ("self.balance", "balance", UINT),
        ("self.now", "now", UINT),
        ("self.height", "height", UINT),
        ("self.this", "this", ADDRESS),
        ("True", "const", BOOL),
        ("-5", "const", INT),
        ("b'\\x01' * 1 == 1", "eq", BOOL),
    ],
)
def test_expressions(text: str, op: str, kind: Type) -> None:
    if "* 1" in text:
        with pytest.raises(CompileError):
            value_of(text)
        return
    made = value_of(text)
    assert (made.op, made.type) == (op, kind)


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("self.FEE", 129_600, UINT),
        ("2 ** 10 - 24 % 5 + 7 // 2", 1023, UINT),
        ("len(xs)", 3, UINT),
        ("ether(2) + gwei(1)", 2 * 10**18 + 10**9, UINT),
        ("bytes.fromhex('" + "ab" * 20 + "')", b"\xab" * 20, ADDRESS),
        ("b'" + "x" * 32 + "'", b"x" * 32, BYTES32),
        ("b'xyz'", b"xyz", Type("bytes", 3)),
        ("'é'", "é", Type("string", 2)),
        ("weeks", 604_800, UINT),
    ],
)
def test_constants(text: str, value: object, kind: Type) -> None:
    made = value_of(text)
    assert (made.op, made.data, made.type) == ("const", value, kind)


def test_statements() -> None:
    made = block_of(
        "'text means nothing'",
        "x: uint256 = 1",
        "x = x + 1",
        "x += 1",
        "self.count += x",
        "self.count -= 1",
        "self.held[who] += n",
        "self.signed += 1",
        "self.row[2] *= 2",
        "self.text = 'new'",
        "self.board[0] = who",
        "if n > 3:",
        "    y = 1",
        "elif n > 2:",
        "    pass",
        "else:",
        "    y = 2",
        "for k in range(len(xs)):",
        "    self.count = xs[k]",
        "for k in range(2, self.FEE - 129_590):",
        "    pass",
        "require(n > 1, 'small')",
        "require(n > 1, self.Bad(n))",
        "emit(self.Paid(amount=n, by=who))",
        "transfer(who, n)",
        "send_token(who, who, 1)",
        "take_token(who, who, 1)",
        "send_nft(who, who, 1)",
        "take_nft(who, who, 1)",
    )
    assert [each.op for each in made] == [
        "let", "set", "set", "increase", "decrease", "increase", "store", "store", "store", "store", "if",
        "for", "for", "require", "require", "emit", "pay", "send_token", "take_token", "send_nft", "take_nft",
    ]  # fmt: skip
    assert made[12].data == (2, 10, 5)
    assert [each.op for each in made[15].args] == ["local", "local"]


def test_layout_and_names_of_locals_leave_no_trace() -> None:
    one = compile_text(body("x = n + 1", "self.count = x", "for k in range(3):", "    self.count += k"))
    other = compile_text(
        HEAD
        + BODY.replace("self,", "self,\n").replace("def go", "def   go")
        + "        '''Explains.'''\n        bar: uint256 = (n  +\n  1)  # why\n        self.count = bar\n"
        "        for other in range(0, 3): self.count += other\n"
    )
    assert encode_machine(one) == encode_machine(other)
    third = compile_text(body("x = n + 2", "self.count = x", "for k in range(3):", "    self.count += k"))
    assert encode_machine(one) != encode_machine(third)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("while n: pass", "known number of turns"),
        ("for k in xs: pass", "range(n) with a constant n"),
        ("for k in range(n): pass", "range(n) with a constant n"),
        ("for n in range(3): pass", "n is taken"),
        ("for k in range(2000): pass", "at most 1024 turns"),
        ("for k in range(3): k = 2", "is not set by hand"),
        ("raise self.Bad(n)", "write require"),
        ("assert n", "write require"),
        ("return", None),
        ("if n > 1: return", "choose the value"),
        ("try: pass\n        finally: pass", "cannot be caught"),
        ("import os", "nothing but the language"),
        ("del self.count", "assign 0"),
        ("x = n / 2", "//"),
        ("x = n ** 2", "multiply"),
        ("x = n << 2", "no such operator"),
        ("x = ~n", "not in the language"),
        ("x = n is n", "write =="),
        ("x = 1 < n < 3", "a < b and b < c"),
        ("x = n + i", "two numbers of one type"),
        ("x = n + who", "two numbers of one type"),
        ("x = n < who", "no order"),
        ("x = n == who", "cannot be compared"),
        ("x = y", "y has no value here"),
        ("if n > 1:\n            y = 1\n        x = y", "not only in it"),
        ("x = count", "write self.count"),
        ("x = self.nothing", "has no nothing"),
        ("x = self.begun", "self.is_in(self.begun)"),
        ("x = self.is_in(self.count)", "is no state"),
        ("x = who.balance", "only the machine has attributes"),
        ("x = self.Nothing.red", "only the machine has attributes"),
        ("self.nothing[1] = 2", "assign to a local, or to a field"),
        ("x = self.Colour.green", "no member green"),
        ("x = self.held", "a mapping is no value"),
        ("self.held = n", "a mapping is written key by key"),
        ("x = self.held[n]", "expected address, not uint256"),
        ("x = self.deep[who, n]", "one key at a time"),
        ("x = n[0]", "has no elements"),
        ("x = xs[1:2]", "no slices"),
        ("x = 5 // 0", "divides by zero"),
        ("x = -1 + n", "is no uint256"),
        ("x = 2 ** 256", "is no uint256"),
        ("x = f'{n}'", "emit the values"),
        ("x = (n, n)", "only after return"),
        ("x = [each for each in xs]", "no comprehensions"),
        ("x = len(n)", "only arrays"),
        ("x = open(n)", "cannot be called"),
        ("x = min(n, key=1)", "by position"),
        ("x = transfer(who, n)", "a statement of its own"),
        ("x: int256 = n", "is said to be int256"),
        ("x = self.value", "only payable"),
        ("x = bytes.fromhex('zz')", "hexadecimal"),
        ("n + 1", "Expr is not in the language"),
        ("keccak(n)", "nobody takes"),
        ("who.x = 1", "assign to a local, or to a field"),
        ("x, y = 1, 2", "assign to a local, or to a field"),
        ("require(n > 1)", "say why"),
        ("require(n, 'no')", "expected bool"),
        ("require(n > 1, n)", "a constant text"),
        ("require(n > 1, reason='no')", "by position"),
        ("require(n > 1, self.Paid(n, n))", "is no error"),
        ("require(n > 1, '" + "x" * 200 + "')", "at most 128 bytes"),
        ("require(n > 1, self.Bad())", "takes (amount)"),
        ("emit(self.Bad(n))", "is no event"),
        ("emit(Paid(who, n))", "is no event"),
        ("emit(n)", "write emit"),
        ("emit(self.Paid(who, n, n))", "takes (by, amount)"),
        ("transfer(n)", "transfer takes (to, amount)"),
        ("send_nft(who)", "takes (token, account"),
        ("self.text = '" + "x" * 41 + "'", "expected Annotated[str, 40]"),
        ("self.count = 3 if n > 1 else who", "of different types"),
        ("x = keccak(xs)", "one string or any number of words"),
    ],
)
def test_refused_lines(line: str, told: str | None) -> None:
    if told is None:
        compile_text(body("x = 1", line))
        return
    with pytest.raises(CompileError) as caught:
        compile_text(body("x = n" if "x =" not in line and "x:" not in line else "pass", line), "file.py")
    assert told in caught.value.message, caught.value.message
    assert caught.value.filename == "file.py"
    assert caught.value.line >= 24
    assert str(caught.value).startswith(f"file.py:{caught.value.line}:{caught.value.column}: ")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


FOUR_INDEXED = "".join(f"        a{n}: Indexed[bool]\n" for n in range(4))
NOTHING = "\n    def f(self) -> None: pass\n"
INVARIANT = "    @invariant\n    def f(self) -> bool:\n"
VIEWED = HEAD + "    @view\n    def f(self)"
VIEW = "    @view\n    def ask(self) -> uint256:\n        return 1\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = 1", "no class here"),
        ("class M(:", "not Python"),
        ("class M: pass", "class M(Machine)"),
        ("class M(Machine): pass", "at least one state"),
        (HEAD + "    count: uint256\n", "name count is taken"),
        (HEAD + "    state: uint256\n", "name state is taken"),
        (HEAD + "    value: uint256\n", "name value is taken"),
        (HEAD + "    class Paid(Event): pass\n", "name Paid is taken"),
        (HEAD + "    class Other: pass\n", "an Enum, an Event or an Error"),
        (HEAD + "    class Other(Enum):\n        a = 1\n", "numbered from 0 on"),
        (HEAD + "    class Other(Enum):\n        '''None.'''\n", "at least one member"),
        (HEAD + "    class Other(Event):\n        def f(self): ...\n", "name: type"),
        (HEAD + "    class Other(Error):\n        a: Indexed[address]\n", "no type"),
        (HEAD + "    class Other(Event):\n" + FOUR_INDEXED, "three"),
        (HEAD + "    x: int\n", "write uint256"),
        (HEAD + "    x: str\n", "Annotated[str, 64]"),
        (HEAD + "    x: float\n", "no fractions"),
        (HEAD + "    x: Annotated[str, 0]\n", "at least 1"),
        (HEAD + "    x: Annotated[str, 2000]\n", "too large"),
        (HEAD + "    x: Annotated[int, 5]\n", "only str, bytes and list"),
        (HEAD + "    x: Annotated[list[Annotated[str, 3]], 5]\n", "no words"),
        (HEAD + "    x: Mapping[Annotated[str, 3], bool]\n", "no words"),
        (HEAD + "    x = open('f')\n", "fields, states, roles and constants"),
        (HEAD + "    x = y = 1\n", "declarations and methods only"),
        (HEAD + "    s = State(1)\n", "write State()"),
        (HEAD + "    r = role(2, threshold=3)\n", "threshold of at most as many"),
        (HEAD + "    r = role(2, 3)\n", "write role()"),
        (HEAD + "    def f(self) -> None: pass\n", "say what f is"),
        (HEAD + "    @view\n    def f(self, x) -> bool:\n        return True\n", "of which type"),
        (
            HEAD + "    @view\n    def f(self, x: bool = True) -> bool:\n        return x\n",
            "without defaults",
        ),
        (HEAD + "    @view\n    def f(self):\n        return 1\n", "say what it returns"),
        (HEAD + "    @view\n    def f(self) -> None:\n        pass\n", "a view returns something"),
        (HEAD + "    @view\n    def f(self) -> bool:\n        return 1\n", "expected bool"),
        (
            HEAD + "    @view\n    def f(self) -> tuple[bool, bool]:\n        return True\n",
            "returns 2 values",
        ),
        (VIEWED + " -> bool:\n        self.count = 1\n        return True\n", "change nothing"),
        (HEAD + "    @invariant\n    def f(self) -> uint256:\n        return 1\n", "returns bool"),
        (HEAD + INVARIANT + "        return self.caller in self.board\n", "nobody calls"),
        (HEAD + "    @transition(nowhere)\n    def f(self) -> None: pass\n", "is no state"),
        (HEAD + "    @transition(over)\n    def f(self) -> None: pass\n", "out of a final state"),
        (HEAD + "    @transition(target=over)\n    def f(self) -> None: pass\n", "in which state"),
        (HEAD + "    @transition(begun, over, True)\n    def f(self) -> None: pass\n", "takes (source"),
        (HEAD + "    @transition(begun, payable=1)\n    def f(self) -> None: pass\n", "True or False"),
        (HEAD + "    @view\n    def __init__(self) -> None: pass\n", "takes @payable only"),
        (HEAD + "    def __init__(self) -> None:\n        self.count = self.value\n", "only payable"),
        (
            HEAD + "    @payable\n    def __init__(self, value: uint256) -> None: pass\n",
            "parameter of deploy",
        ),
        (HEAD + "    @transition(begun, by=count)\n    def f(self) -> None: pass\n", "by is a role"),
        (HEAD + "    @transition(begun, by=board, payable=True)" + NOTHING, "takes no coin"),
        (HEAD + "    @after(begun, 3)\n    def f(self) -> None: pass\n", "write @after"),
        (
            HEAD + "    @after(begun, 3, over)\n    def f(self, x: bool) -> None: pass\n",
            "takes and returns nothing",
        ),
        (HEAD + "    @after(begun, lambda self: self.signed, over)" + NOTHING, "expected uint256"),
        (HEAD + "    def __init__(self, gas: uint256) -> None: pass\n", "a parameter of deploy"),
        (HEAD + "    def __init__(self) -> bool:\n        return True\n", "no result"),
        (
            HEAD + "    def __init__(self) -> None:\n        self.colour = self.is_in(self.begun)\n",
            "no state before",
        ),
        (HEAD + VIEW + VIEW, "name ask is taken"),
        (body("self.count = " + "n + " * 40 + "n"), "nested too deeply"),
        (
            body("for a in range(1000):", "    for b in range(1000):", "        self.count += 1"),
            "costs more gas than a function may",
        ),
    ],
)
def test_refused_classes(text: str, told: str) -> None:
    with pytest.raises(CompileError) as caught:
        compile_text(text)
    assert told in caught.value.message, caught.value.message


def test_constants_of_the_class() -> None:
    made = compile_text(
        HEAD
        + "    TWICE = FEE * 2\n    class Empty(Event):\n        pass\n"
        + VIEW.replace("return 1", "return self.TWICE")
    )
    assert made.views[0].function.results[0].data == 259_200
    assert made.events[1].parameters == ()
    for line, told in (("    X = 2 << 3\n", "fields, states"), ("    x: Other.Colour\n", "no type")):
        with pytest.raises(CompileError, match=told):
            compile_text(HEAD + line)


def test_two_functions_with_one_selector() -> None:
    one = "    @transition(begun)\n    def transfer(self, to: address, n: uint256) -> None: pass\n"
    other = "    @transition(begun)\n"
    other += "    def join_tg_invmru_haha_fd06787(self, a: address, b: bool) -> None: pass\n"
    with pytest.raises(CompileError, match="one selector"):
        compile_text(HEAD + one + other)


def test_a_class_without_source() -> None:
    made = type("Nowhere", (Machine,), {})
    with pytest.raises(CompileError, match="not to be found"):
        compile_machine(made)


def test_a_class_inside_of_a_function_is_found(tmp_path, monkeypatch) -> None:
    path = tmp_path / "inner_machine.py"
    path.write_text(
        "from chainstack_sdk.machines import Machine, State, view, uint256\n"
        "def make():\n"
        "    class Inner(Machine):\n"
        "        only = State()\n"
        "        @view\n"
        "        def ask(self) -> uint256:\n"
        "            return 7 + self.gone\n"
        "\n"
        "    return Inner\n"
    )
    module = ModuleType("inner_machine")
    monkeypatch.setitem(sys.modules, "inner_machine", module)
    exec(compile(path.read_text(), str(path), "exec"), vars(module))
    with pytest.raises(CompileError) as caught:
        module.make().ir()
    assert (caught.value.filename, caught.value.line, caught.value.column) == (str(path), 7, 24)


@pytest.mark.parametrize(
    ("end", "told"),
    [("", "has no gone"), ('        """cut\noff"""\n', "not Python")],
)
def test_a_class_at_the_end_of_its_file(tmp_path, end: str, told: str) -> None:
    path = tmp_path / "last.py"
    path.write_text(
        "class Last(Machine):\n"
        "    only = State()\n"
        "    @view\n"
        "    def ask(self) -> uint256:\n" + end + "        return self.gone\n"
    )
    names = {"Machine": Machine, "State": State, "view": view, "uint256": int}
    exec(compile(path.read_text(), str(path), "exec"), names)
    with pytest.raises(CompileError, match=told):
        compile_machine(names["Last"])


def test_rules_do_not_trust_their_caller() -> None:
    from chainstack_sdk.machines.rules import Scope

    scope = Scope(compile_text(HEAD).tables, "transition")
    flag = scope.constant(BOOL, True)
    for op, args, data in [
        ("caller", [flag], 0),
        ("nothing", [], 0),
        ("local", [], 0),
        ("load", [], 99),
        ("state", [], 9),
        ("item", [flag, flag], 0),
        ("contains", [flag, flag], 0),
        ("keccak", [], 0),
        ("not", [], 0),
    ]:
        with pytest.raises(InvalidMachine):
            scope.expression(op, args, data)
    for op, args, data, blocks in [
        ("nothing", [], 0, []),
        ("if", [flag], 0, []),
        ("for", [], 0, [()]),
        ("emit", [], 7, []),
        ("let", [], 0, []),
        ("set", [flag], 3, []),
    ]:
        with pytest.raises(InvalidMachine):
            scope.statement(op, args, data, blocks)
    mapping = Expression("local", Type("mapping", 0, (BOOL, BOOL)))
    with pytest.raises(InvalidMachine, match="no value"):
        scope.expression("not", [mapping])
    with pytest.raises(InvalidMachine, match="no value"):
        scope.statement("let", [mapping])
    for _ in range(64):
        scope.statement("let", [flag])
    with pytest.raises(InvalidMachine, match="too many locals"):
        scope.statement("let", [flag])
