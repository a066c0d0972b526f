"""A machine as a page that can be read without knowing code: who may do what, when, and what it costs.

The page follows from the encoding alone, so that it holds for what runs on the chain. Where the source is at
hand its docstrings and its names of locals are shown too; they bind nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.machines.compiler import Notes
from chainstack_sdk.machines.deployer import deployment_gas
from chainstack_sdk.machines.diagram import diagram_of
from chainstack_sdk.machines.encoding import encode_machine
from chainstack_sdk.machines.gas import gas_table
from chainstack_sdk.machines.ir import Function
from chainstack_sdk.machines.markdown import escaped, name, paragraphs, quoted, table
from chainstack_sdk.machines.prose import Prose, listed, number
from chainstack_sdk.machines.steps import Told, tell
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from chainstack_sdk.machines.ir import Field, MachineIR, Parameter, Transition
    from chainstack_sdk.machines.steps import Step
    from chainstack_sdk.machines.types import Type

_NOTES = Notes()
_KINDS = {
    "bool": "yes or no",
    "uint256": "a whole number",
    "int256": "a whole number, which may be negative",
    "address": "an account",
    "bytes32": "32 bytes, such as a hash",
}
_TOGETHER = (
    " Each makes this call, with the same values; what follows happens with the last one that is needed. "
    "What they agreed to so far lapses when the machine enters a state or the members change."
)
_READING = (
    "Words *in italics* are names that the machine gives. Numbers in a list are steps, taken in this order. "
    "A step that begins with **only if** refuses the whole call when its condition does not hold, and so "
    "does a number that leaves its range: below zero where it may not be negative, beyond 256 bits, divided "
    "by zero. A call that is refused changes nothing and moves nothing, but its gas is paid. Tokens move "
    "when all other steps have been taken; one that refuses refuses the call. "
    "1 ether is 10^18 wei; ÷ rounds down; entries are counted from 0; an account that was never named is "
    "*nobody*, a number that was never written is 0."
)


_TIMERS = (
    "The chain does this at the end of the first block that is not earlier, or of one of the next where many "
    "wait; nobody need do anything. Where a step refuses, the machine stays in its state, and it is tried "
    "again only when somebody calls the machine.",
)
_CIRCLE = "Then timers lead back to here: after one round the chain waits for a call before it goes another."


def report_of(machine: MachineIR, notes: Notes = _NOTES) -> str:
    """Return the page about a machine, in Markdown (CommonMark with tables, and a diagram in Mermaid).

    Parameters
    ----------
    machine
        Which machine.
    notes
        What its source says besides; nothing by default.
    """
    lines = [*_Report(machine, notes).lines()]
    kept = [line for line, before in zip(lines, ["", *lines], strict=False) if line or before]
    return "\n".join(kept) + "\n"


class _Report:
    """What the sections of one page have in common."""

    def __init__(self, machine: MachineIR, notes: Notes) -> None:
        self.machine = machine
        self.notes = notes
        self.costs = gas_table(machine)
        self.prose = Prose(machine, name, quoted)
        self.states = [name(each.name) for each in machine.states]
        self.made = self.told("__init__", machine.constructor, "the maker")
        self.acts = [(each, self.told(each.name, each.function)) for each in machine.transitions]
        self.timed = [
            (each, self.told(each.name, Function((), each.body), "nobody")) for each in machine.timers
        ]

    @property
    def circling(self) -> set[int]:
        """The states into which timers alone lead back."""
        following = {each.source: each.target for each in self.machine.timers}
        found = set()
        for start in following:
            at = start
            for _ in following:
                at = following.get(at, -1)
                if at == start:
                    found.add(start)
        return found

    def told(self, called: str, function: Function, caller: str = "the caller") -> Told:
        """Return a function in words; ``caller`` says what the one who calls is called there."""
        self.prose.caller = caller
        self.prose.was = "was" if caller == "the caller" else "is"
        return tell(self.prose, function, self.notes.locals.get(called, ()))

    def deeds(self) -> Iterator[tuple[str, Told]]:
        """Yield what changes the machine, by name."""
        yield from ((each.name, told) for each, told in self.acts)
        yield from ((each.name, told) for each, told in self.timed)

    def lines(self) -> Iterator[str]:
        machine = self.machine
        encoding = encode_machine(machine)
        yield f"# {escaped(machine.name)}"
        yield from _apart(paragraphs(self.notes.text))
        yield from (
            "",
            f"Identity: `0x{keccak256(encoding).hex()}`, the hash of its {len(encoding):,} bytes.",
        )
        yield from ("", "```mermaid", diagram_of(machine).mermaid().rstrip(), "```")
        sections = (
            ("Parties", self.parties()),
            ("States", self.in_states()),
            ("How it is made", self.making()),
            ("What can be done", self.doing()),
            ("What happens by itself", self.happening()),
            ("When money moves", self.money()),
            ("What can be asked", self.asking()),
            ("What is to hold at any time", self.holding()),
            ("What it keeps", self.keeping()),
            ("What it costs", self.gas()),
            ("How to read this", iter([_READING])),
        )
        for at, (title, lines) in enumerate(sections, 1):
            yield from ("", f"## {at}. {title}", "", *lines)

    # Who, and where

    def parties(self) -> Iterator[str]:
        for at, role in enumerate(self.machine.fields):
            if not role.threshold:
                continue
            acts = [name(each.name) for each in self.machine.transitions if each.role == at]
            may = f"may call {listed(acts, 'and')}" if acts else "may call nothing by this role"
            yield f"- **{escaped(role.name)}**: {_members(role)}; {may}.{self.text(role.name)}"
            yield from (f"  - {place}: {words}." for place, words in self.naming(at))
        free = [name(each.name) for each in self.machine.transitions if each.role is None]
        yield f"- **Anybody** may call {listed(free, 'and')}." if free else "- Nobody else may call anything."

    def naming(self, role: int) -> Iterator[tuple[str, str]]:
        """Yield where the members of a role are named, with the step."""
        places = [("When it is made", self.made)]
        places += [(f"In {name(called)}", told) for called, told in self.deeds()]
        for place, told in places:
            for step in told.all():
                if step.statement.op == "store" and step.statement.data == role:
                    yield place, step.words

    def in_states(self) -> Iterator[str]:
        states = self.machine.states
        final = [self.states[at] for at, each in enumerate(states) if each.final]
        ends = f"ends in {listed(final, 'or')}" if final else "has no end"
        count = (
            "There is one state"
            if len(states) == 1
            else f"The machine is always in one of {len(states)} states"
        )
        yield f"{count}. It begins in {self.states[0]} and {ends}."
        for at, state in enumerate(states):
            yield from ("", f"### In {self.states[at]}", "")
            yield from _apart(paragraphs(self.notes.fields.get(state.name, "")))
            nothing = "Nothing can be done any more." if state.final else "Nothing leads out of it."
            yield from [*self.leaving(at)] or [f"- {nothing}"]

    def leaving(self, state: int) -> Iterator[str]:
        for each in self.machine.transitions:
            if state in each.sources:
                paid = " and send coin with it" if each.payable else ""
                then = "it stays" if each.target is None else self.entering(each.target, state)
                yield f"- {self.who(each)} may call {name(each.name)}{paid}: {then}."
        for timer in self.machine.timers:
            if timer.source == state:
                then = self.entering(timer.target, state)
                delay = _capital(self.prose.delay(timer.delay))
                yield f"- {delay} later, by itself ({name(timer.name)}): {then}."

    def entering(self, target: int, state: int) -> str:
        return f"it enters {self.states[target]}" + (" anew" if target == state else "")

    def who(self, transition: Transition) -> str:
        if transition.role is None:
            return "Anybody"
        role = self.machine.fields[transition.role]
        if role.threshold == 1:
            return f"Only {name(role.name)}" if role.type.kind == "address" else f"Any of {name(role.name)}"
        return f"Only {role.threshold} of the {role.type.bound} {name(role.name)} together"

    # What is done

    def making(self) -> Iterator[str]:
        yield "The account that deploys the machine is called the maker."
        yield f"Coin {'may come' if self.machine.payable else 'cannot come'} with the deployment."
        yield from self.described("__init__", self.machine.constructor.parameters, self.made)
        yield from ("", f"Then the machine is in {self.states[0]}.")

    def doing(self) -> Iterator[str]:
        if not self.acts:
            yield "Nothing."
        for each, told in self.acts:
            sources = listed([self.states[source] for source in each.sources], "or")
            after = "stays there" if each.target is None else f"enters {self.states[each.target]}"
            shared = each.role is not None and self.machine.fields[each.role].threshold > 1
            yield from _headed(each.name)
            yield f"- **Who:** {self.who(each)}.{_TOGETHER if shared else ''}"
            yield f"- **When:** the machine is in {sources}. Afterwards it {after}."
            yield f"- **Coin:** {'may be sent with the call' if each.payable else 'none is taken'}."
            yield f"- **Cost:** {number(self.costs[each.name])} gas."
            yield from self.described(each.name, each.function.parameters, told)

    def happening(self) -> Iterator[str]:
        if not self.timed:
            yield "Nothing: without a call the machine stays as it is."
            return
        yield from _TIMERS
        for timer, told in self.timed:
            source, target = self.states[timer.source], self.states[timer.target]
            yield from _headed(timer.name)
            delay = _capital(self.prose.delay(timer.delay))
            yield f"{delay} after the machine came into {source}, if it still is there, it enters {target}."
            if timer.source in self.circling:
                yield _CIRCLE
            yield from self.described(timer.name, (), told)

    def asking(self) -> Iterator[str]:
        yield "Anybody may ask at any time, free of charge, and nothing changes. *state* tells the state."
        for view in self.machine.views:
            told = self.told(view.name, view.function, "the one who asks")
            yield from _headed(view.name)
            yield from self.described(view.name, view.function.parameters, told)

    def holding(self) -> Iterator[str]:
        if not self.machine.invariants:
            yield "Nothing is declared."
            return
        yield "The author says that this holds whenever no call runs. Nodes do not check it."
        for claim in self.machine.invariants:
            yield from _headed(claim.name)
            told = self.told(claim.name, claim.function, "nobody")
            claimed = self.prose.words(claim.function.results[0])
            yield from self.described(claim.name, (), Told(told.steps, ()), f"It holds that {claimed}.")

    def described(
        self, called: str, parameters: Sequence[Parameter], told: Told, end: str = ""
    ) -> Iterator[str]:
        """Yield what the source says of a function, its parameters, steps and results."""
        yield from _apart(f"> {each}" for each in paragraphs(self.notes.functions.get(called, "")))
        if parameters:
            yield from ("", "Given with it:", "")
            yield from (f"- {name(each.name)}: {self.kind(each.type)}" for each in parameters)
        if told.steps:
            yield from ("", *_numbered(told.steps))
        if told.results:
            end = f"The answer is {listed(told.results, 'and')}."
        if end or not told.steps:
            yield from ("", end or "Nothing else happens.")

    # What moves, what there is, what it costs

    def money(self) -> Iterator[str]:
        rows = [*self.movements()]
        if not rows:
            yield "Never: the machine takes nothing and gives nothing."
            return
        yield from table(("in", "how much", "from", "to", "when"), rows)

    def movements(self) -> Iterator[Sequence[str]]:
        paid = {each.name for each in self.machine.transitions if each.payable}
        if self.machine.payable:
            yield "making", "the coin sent", "the maker", "the machine", "with the deployment"
        for called, told in (("making", self.made), *self.deeds()):
            if called in paid:
                yield name(called), "the coin sent", "the caller", "the machine", "with the call"
            for at, step in enumerate(told.steps, 1):
                for each in step.all():
                    if each.money is not None:
                        where = f"step {at}" if each is step else f"within step {at}"
                        yield name(called), *each.money, where

    def keeping(self) -> Iterator[str]:
        if not self.machine.fields:
            yield "Nothing but its state."
        for each in self.machine.fields:
            yield f"- {name(each.name)}: {self.kind(each.type)}.{self.text(each.name)}"

    def gas(self) -> Iterator[str]:
        yield "Each cost is a constant: that of the longest way through, paid in full, even if it is refused."
        yield "Every transaction pays besides for itself: 21,000 gas, and 4 or 16 for each byte of its data."
        yield ""
        rows = [("deployment", deployment_gas(self.machine)), *self.costs.items()]
        yield from table(("what", "gas"), [(name(what), number(cost)) for what, cost in rows])

    def kind(self, kind: Type) -> str:
        match kind.kind:
            case "enum":
                enum = self.machine.enums[kind.bound]
                return f"one of {listed([name(each) for each in enum.members], 'and')} ({name(enum.name)})"
            case "string":
                return f"a text of at most {number(kind.bound)} bytes"
            case "bytes":
                return f"at most {number(kind.bound)} bytes"
            case "array":
                return f"a list of {kind.bound}, each {self.kind(kind.parts[0])}"
            case "mapping":
                key = self.kind(kind.parts[0]).removeprefix("a ").removeprefix("an ")
                return f"for every {key}: {self.kind(kind.parts[1])}"
        return _KINDS[kind.kind]

    def text(self, called: str) -> str:
        """Return what the source says of a field, with a space in front, or nothing."""
        return "".join([f" {each}" for each in paragraphs(self.notes.fields.get(called, ""))])


def _members(role: Field) -> str:
    if role.type.kind == "address":
        return "one account"
    needed = f", {role.threshold} of which must make the same call" if role.threshold > 1 else ""
    return f"{role.type.bound} accounts{needed}"


def _numbered(steps: Sequence[Step], indent: str = "") -> Iterator[str]:
    """Yield steps as a numbered list; steps within steps are further in."""
    for at, step in enumerate(steps, 1):
        further = indent + " " * len(f"{at}. ")
        yield f"{indent}{at}. {step.words}" + ("" if step.words.endswith(":") else ".")
        if step.words.endswith(":"):
            yield from _numbered(step.then, further) if step.then else [f"{further}1. Nothing."]
        if step.otherwise:
            yield from ("", f"{further}Otherwise:", "", *_numbered(step.otherwise, further))


def _headed(title: str) -> Iterator[str]:
    yield from ("", f"### {escaped(title)}", "")


def _apart(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines with empty ones around them."""
    for each in lines:
        yield from ("", each, "")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
