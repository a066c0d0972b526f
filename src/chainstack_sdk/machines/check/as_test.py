"""From a trace to a Python test that stands for itself: a chain in memory, the calls, what is seen then."""

from __future__ import annotations

from dataclasses import replace
from textwrap import wrap
from typing import TYPE_CHECKING

from chainstack_sdk.machines.check.people import ISSUER, ISSUER_KEY, PURSE, Cast
from chainstack_sdk.machines.check.tree import reads
from chainstack_sdk.machines.check.world import BLOCKS, HEIGHT, MOST_FIRINGS
from chainstack_sdk.machines.encoding import encode_machine
from chainstack_sdk.machines.ir import View
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainstack_sdk.machines.check.findings import Finding
    from chainstack_sdk.machines.check.trace import Ending, Step, Trace
    from chainstack_sdk.machines.ir import MachineIR

CLAIM = "claim"
"""Name of the view that stands in a test for the invariant."""

_HEAD = '''\
"""{told}"""

import pytest

from chainstack_sdk import Account, Chain, ManualClock, Reverted
from chainstack_sdk.machines import decode_machine
from chainstack_sdk.machines.handle import deploy

# the canonical encoding of {machine}{claim}
MACHINE = decode_machine(
    bytes.fromhex(
{encoding}
    )
)


def fire(machine, sender):
    """Let timers fire that are due and have not fired by themselves."""
    for _ in range({firings}):
        try:
            if not machine.read("due"):
                return
            machine.send(sender, "poke")
        except Reverted:
            return


def test_{name}():
'''


def test_of(finding: Finding) -> str:
    """Return the test of a finding; see :meth:`Finding.as_test`.

    Raises
    ------
    UsageError
        When the finding has no trace.
    """
    trace = finding.trace
    if trace is None:
        raise UsageError("the declarations alone show this: there is nothing to run", actual=finding.place)
    machine, claim = trace.machine, ""
    if trace.ending.sees == "broken":
        machine = _with_claim(machine, trace.ending.name)
        claim = f", with the invariant {trace.ending.name} for its views"
    encoding = "\n".join([f'        "{each}"' for each in wrap(encode_machine(machine).hex(), 88)])
    head = _HEAD.format(
        told=f"{machine.name}: {finding.kind}: {finding.place}: {finding.message}.",
        machine=machine.name,
        claim=claim,
        encoding=encoding,
        firings=MOST_FIRINGS,
        name=f"{finding.kind}_{finding.place}".replace("-", "_").lower(),
    )
    return head + "".join([f"    {line}\n" for line in _Writer(trace).lines()])


def _with_claim(machine: MachineIR, name: str) -> MachineIR:
    """Return a machine that does the same, and answers whether an invariant holds."""
    claim = next(each.function for each in machine.invariants if each.name == name)
    return replace(machine, views=(View(_free_name(machine), claim),))


def _free_name(machine: MachineIR) -> str:
    taken = {each.name for each in machine.transitions}
    return next(name for at in range(len(taken) + 1) if (name := f"{CLAIM}{at or ''}") not in taken)


class _Writer:
    def __init__(self, trace: Trace) -> None:
        self.trace, self.machine = trace, trace.machine
        self.cast = Cast(trace.machine)
        self.timed = bool(self.machine.timers)
        self.by_height = reads(self.machine, "height")
        self.height = HEIGHT

    def lines(self) -> Iterator[str]:
        yield from self._world()
        yield from self._tokens()
        last = self.trace.steps[-1]
        if self._counts(last):
            yield f"before, receipts = chain.balance({last.by}), []"
        for step in self.trace.steps:
            refused = step is last and self.trace.ending.sees == "refused"
            yield from self._step(step, refused=refused)
        yield from self._ending(self.trace.ending, last)

    # What is around

    def _world(self) -> Iterator[str]:
        cast = self.cast
        keys = ", ".join([str(cast.keys[each]) for each in cast.people])
        yield f"people = [Account.from_key(bytes([key]) * 32) for key in ({keys})]"
        yield f"{', '.join(cast.people)} = people"
        yield f"{ISSUER} = Account.from_key(bytes([{ISSUER_KEY}]) * 32)"
        yield f"funds = dict.fromkeys((*people, {ISSUER}), {2 * PURSE})"
        yield "clock = ManualClock(step_ms=1)"
        yield "chain = Chain.in_memory(funds, clock=clock, auto_seal=True)"

    def _tokens(self) -> Iterator[str]:
        cast, place = self.cast, f'bytes.fromhex("{self.cast.machine.hex()}")'
        for kind in cast.tokens:
            supply = f", supply={PURSE * len(cast.people)}" if kind == "erc20" else ""
            yield f'{kind} = chain.{kind}.issue({ISSUER}, name="Token", symbol="TOK"{supply})'
            yield "for number, each in enumerate(people):"
            if kind == "erc20":
                yield f"    {kind}.transfer({ISSUER}, each, {PURSE})"
                yield f"    {kind}.approve(each, {place})"
            else:
                yield f"    {kind}.mint({ISSUER}, each, number)"
                yield f"    {kind}.set_approval_for_all(each, {place})"

    # Steps

    def _step(self, step: Step, *, refused: bool) -> Iterator[str]:
        if self.by_height:
            yield f"while chain.height < {self.height - 1}:"
            yield "    chain.seal()"
            self.height += BLOCKS
        match step.kind:
            case "deploy":
                names = [each.name for each in self.machine.constructor.parameters]
                given = [
                    f'"{name}": {self._shown(each)}' for name, each in zip(names, step.args, strict=True)
                ]
                coin = f", value={step.value}" if step.value else ""
                yield f"machine = deploy(MACHINE, chain, {step.by}, {{{', '.join(given)}}}{coin})"
            case "wait":
                yield f"clock.advance({step.seconds})"
                yield "chain.seal()"
            case _:
                yield from self._call(step, refused=refused)
        if self.timed and not refused:
            yield f"fire(machine, {ISSUER})"

    def _call(self, step: Step, *, refused: bool) -> Iterator[str]:
        given = [step.by, f'"{step.function}"', *[self._shown(each) for each in step.args]]
        if step.value:
            given.append(f"value={step.value}")
        call = f"machine.send({', '.join(given)})"
        if refused:
            yield "with pytest.raises(Reverted) as refusal:"
            call = f"    {call}"
        elif step.by == self.trace.steps[-1].by and self._counts(step):
            call = f"receipts.append({call})"
        yield call

    def _counts(self, step: Step) -> bool:
        """Tell whether the fees matter that the caller of a step pays."""
        return self.trace.ending.sees == "gained" and self.trace.ending.asset == "coin" and bool(step.by)

    def _shown(self, value: object) -> str:
        match value:
            case bytes():
                name = self.cast.names.get(value)
                if name in self.cast.people:
                    return name
                return f"{name}.address" if name in self.cast.tokens else f'bytes.fromhex("{value.hex()}")'
            case tuple():
                return f"[{', '.join([self._shown(each) for each in value])}]"
        return repr(value)

    # The end

    def _ending(self, ending: Ending, last: Step) -> Iterator[str]:
        match ending.sees:
            case "held":
                yield f"assert {self._balance(ending.asset, 'machine.address')} == {ending.amount}"
            case "gained" if ending.asset == "coin":
                yield "fees = sum(each.gas_used * each.effective_gas_price for each in receipts)"
                yield f"assert chain.balance({last.by}) + fees - before == {ending.amount}"
            case "gained":
                first = 1 if ending.asset == "NFTs" else PURSE
                yield f"assert {self._balance(ending.asset, last.by)} == {first} + {ending.amount}"
            case "seated":
                yield (
                    f"assert chain.storage(machine.address, {ending.amount}) == "
                    f"int.from_bytes({last.by}.address)"
                )
            case "lost":
                yield f"assert chain.balance(bytes(20)) == {ending.amount}"
            case "refused":
                yield f'assert refusal.value.data.hex() == "{ending.data.hex()}"'
            case "stopped":
                yield "with pytest.raises(Reverted) as refusal:"
                yield f'    machine.send({ISSUER}, "poke")'
                if ending.data:  # else it is a token that refuses, in its own words
                    yield f'assert refusal.value.data.hex() == "{ending.data.hex()}"'
                else:
                    yield "assert refusal.value.message"
            case "broken":
                yield "try:"
                yield f'    holds = machine.read("{_free_name(self.machine)}")'
                yield "except Reverted:"
                yield "    holds = False"
                yield "assert not holds"
            case _:
                yield 'assert not machine.read("due")'
        yield f'assert machine.state == "{ending.state}"'

    @staticmethod
    def _balance(asset: str, who: str) -> str:
        match asset:
            case "coin":
                return f"chain.balance({who})"
            case "tokens":
                return f"erc20.balance_of({who})"
        return f"erc721.balance_of({who})"
