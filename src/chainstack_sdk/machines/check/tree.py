"""Questions to a machine's tree: what stands in it, and what a value depends on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.machines.rules import TOKENS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from chainstack_sdk.machines.ir import Block, Expression, Function, MachineIR, Statement

PAYING = {"pay": "coin", "send_token": "tokens", "send_nft": "NFTs"}
"""Statements by which something leaves the machine, and what."""
CHANGES = ("store", "increase", "decrease")
NUMBER = "number"
"""What a value stands for that is the number of an NFT."""


def statements_in(block: Block) -> Iterator[Statement]:
    """Yield the statements of a block and of the blocks inside, in order."""
    for each in block:
        yield each
        for inner in each.blocks:
            yield from statements_in(inner)


def parts_of(expression: Expression) -> Iterator[Expression]:
    """Yield an expression and all that it is made of."""
    yield expression
    for each in expression.args:
        yield from parts_of(each)


def expressions_in(block: Block) -> Iterator[Expression]:
    """Yield every expression of a block, parts after the whole."""
    for statement in statements_in(block):
        for each in statement.args:
            yield from parts_of(each)


def expressions_of(function: Function) -> Iterator[Expression]:
    """Yield every expression of a function, its results too."""
    yield from expressions_in(function.body)
    for each in function.results:
        yield from parts_of(each)


def acting_blocks(machine: MachineIR) -> Iterator[Block]:
    """Yield the bodies of all that changes something: constructor, transitions, timers."""
    yield machine.constructor.body
    for transition in machine.transitions:
        yield transition.function.body
    for timer in machine.timers:
        yield timer.body


def acting_expressions(machine: MachineIR) -> Iterator[Expression]:
    """Yield the expressions of all that changes something, the delays of timers too."""
    for block in acting_blocks(machine):
        yield from expressions_in(block)
    for transition in machine.transitions:
        for result in transition.function.results:
            yield from parts_of(result)
    for timer in machine.timers:
        yield from parts_of(timer.delay)


def reads(machine: MachineIR, fact: str) -> bool:
    """Tell whether what a machine does, or an invariant, depends on ``now``, ``height`` and the like."""
    claims = (each for claim in machine.invariants for each in expressions_of(claim.function))
    return any(each.op == fact for source in (acting_expressions(machine), claims) for each in source)


def pays(block: Block) -> frozenset[str]:
    """Return what may leave the machine in a block: see :data:`PAYING`."""
    return frozenset(PAYING[each.op] for each in statements_in(block) if each.op in PAYING)


def stored_fields(blocks: Iterable[Block]) -> frozenset[int]:
    """Return the numbers of the fields that some blocks write."""
    return frozenset(
        int(each.data)
        for block in blocks
        for each in statements_in(block)
        if each.op in CHANGES and isinstance(each.data, int)
    )


def token_fields(machine: MachineIR) -> dict[int, frozenset[str]]:
    """Return the fields that hold addresses of tokens: what kinds of tokens by number of the field.

    Fields with numbers of NFTs have the kind :data:`NUMBER`.
    """
    found: dict[int, frozenset[str]] = {}
    for block in acting_blocks(machine):
        for kind, token in _tokens(block):
            if token.op == "load":
                number = int(token.data)
                found[number] = found.get(number, frozenset()) | {kind}
    return found


def token_parameters(machine: MachineIR, function: Function) -> dict[int, frozenset[str]]:
    """Return the parameters that are addresses of tokens, or numbers of NFTs: what kinds by their number."""
    fields, found = token_fields(machine), dict[int, frozenset[str]]()

    def note(value: Expression, kinds: frozenset[str]) -> None:
        if value.op == "local" and int(value.data) < len(function.parameters):
            found[int(value.data)] = found.get(int(value.data), frozenset()) | kinds

    for kind, token in _tokens(function.body):
        note(token, frozenset((kind,)))
    for each in statements_in(function.body):
        if each.op == "store" and each.data in fields:
            note(each.args[-1], fields[int(each.data)])
    return found


def _tokens(block: Block) -> Iterator[tuple[str, Expression]]:
    for each in statements_in(block):
        if each.op in TOKENS:
            yield "erc721" if each.op.endswith("nft") else "erc20", each.args[0]
        if each.op in ("send_nft", "take_nft"):
            yield NUMBER, each.args[-1]


def fixed_payments(function: Function) -> frozenset[str]:
    """Return what a function pays out in amounts that no parameter and no balance goes into.

    What is looked up by a parameter counts as fixed: it is stored. NFTs are one each, and left out: none is
    sent twice.
    """
    chosen = set(range(len(function.parameters)))

    def depends(value: Expression) -> bool:
        if value.op == "local":
            return int(value.data) in chosen
        return value.op == "balance" or (value.op != "load" and any(depends(each) for each in value.args))

    statements = list(statements_in(function.body))
    size = -1
    while size < len(chosen):
        size = len(chosen)
        chosen |= {
            each.data
            for each in statements
            if isinstance(each.data, int)
            and each.op in ("let", "set")
            and any(depends(value) for value in each.args)
        }
    amounts = [(PAYING[each.op], each.args[-1]) for each in statements if each.op in ("pay", "send_token")]
    free = {asset for asset, amount in amounts if depends(amount)}
    return frozenset([asset for asset, _ in amounts if asset not in free])


class Influence:
    """What of a function depends on who calls, with which arguments and how much coin.

    A coarse answer that errs on the side of "depends": what is set under such a condition depends on it too.

    Parameters
    ----------
    function
        Which function.
    facts
        What besides parameters counts as the caller's choice.
    """

    def __init__(self, function: Function, facts: Iterable[str] = ("caller", "value")) -> None:
        self.facts = frozenset(facts)
        self.locals = set(range(len(function.parameters)))
        self.fields: set[int] = set()
        size = -1
        while size < len(self.locals) + len(self.fields):
            size = len(self.locals) + len(self.fields)
            self._follow(function.body, chosen=False)

    def reaches(self, values: Iterable[Expression]) -> bool:
        """Tell whether one of the values depends on the caller's choice."""
        return any(self._chosen(part) for value in values for part in parts_of(value))

    def _chosen(self, part: Expression) -> bool:
        if part.op == "local":
            return int(part.data) in self.locals
        return part.op in self.facts or (part.op == "load" and int(part.data) in self.fields)

    def _follow(self, block: Block, *, chosen: bool) -> None:
        for each in block:
            here = chosen or self.reaches(each.args)
            if here and isinstance(each.data, int):
                if each.op in ("let", "set"):
                    self.locals.add(each.data)
                elif each.op in CHANGES:
                    self.fields.add(each.data)
            for inner in each.blocks:
                self._follow(inner, chosen=here)
