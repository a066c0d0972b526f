"""The side that answers: a wallet that runs applets over its own records and shows what would leave.

Four steps, each of its own: :meth:`Provider.tasks` finds tasks, :meth:`Provider.show` says what one asks,
:meth:`Provider.prepare` runs its applet here and sends nothing, :meth:`Provider.send` sends what was
prepared, and wants to be told once more what that is.

**Caveats**

- When the applet fails, its error is the user's to read and nobody else's: it may hold records.
- Each task to which a wallet answers lets out up to what its applet may emit. Many tasks of one buyer, under
  many names, add up.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from secrets import token_bytes
from typing import TYPE_CHECKING

from chainstack_sdk.apps.exchange.errors import AnswerRefused, TaskRefused
from chainstack_sdk.apps.exchange.opening import Opening
from chainstack_sdk.apps.exchange.result import only_result
from chainstack_sdk.apps.exchange.specification import MAX_ON_CHAIN
from chainstack_sdk.apps.exchange.statement import seal_result
from chainstack_sdk.apps.exchange.task import find_task, find_tasks
from chainstack_sdk.apps.sandbox.json_values import encode_json
from chainstack_sdk.primitives.address import to_checksum_address
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.types import Hash32

if TYPE_CHECKING:
    from chainstack_sdk.apps.exchange.specification import Specification
    from chainstack_sdk.apps.exchange.statement import Statement
    from chainstack_sdk.apps.exchange.task import DataTaskHandle, ExchangeHost
    from chainstack_sdk.apps.market.index import Market
    from chainstack_sdk.apps.sandbox.limits import Usage
    from chainstack_sdk.apps.sandbox.package import Applet
    from chainstack_sdk.apps.sandbox.sandbox import Grant, Sandbox
    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.primitives.keys import Signer


@dataclass(frozen=True, slots=True)
class Preview:
    """What an answer would be: nothing of it has left."""

    task: DataTaskHandle
    statement: Statement
    """What was signed about the result."""
    result: bytes
    """What the buyer would read: canonical JSON."""
    envelope: bytes
    """What would leave this machine: the result and the signature, sealed for the buyer."""
    opening: Opening = field(repr=False)
    """What proves the result to an arbiter, and shows the records: keep it, and keep it secret."""
    usage: Usage
    """What the run used."""

    @property
    def sealed(self) -> bytes:
        """What commits to the envelope, 32 bytes."""
        return keccak256(self.envelope)

    @property
    def goes_on_chain(self) -> bool:
        """Whether the envelope is short enough to travel in the transaction; if not, hand it to the buyer."""
        return len(self.envelope) <= MAX_ON_CHAIN

    def describe(self) -> str:
        """Return a few lines for people: exactly what the buyer, and everybody, would learn."""
        read = ", ".join(self.opening.records) or "nothing"
        where = "in the transaction" if self.goes_on_chain else "for you to deliver"
        return "\n".join(
            [
                f"the buyer would read: {shown(self.result.decode())}",
                f"everybody would see: an envelope of {len(self.envelope)} bytes, {where}",
                f"  and commitments: {self.sealed.hex()} to it, {self.statement.data.hex()} to the data",
                f"the applet could read: {read}",
            ]
        )


class Provider:
    """A wallet on a chain.

    Parameters
    ----------
    host
        The chain.
    account
        Who signs and is paid.
    market
        Where applets are fetched.
    sandbox
        Where they run.
    """

    def __init__(self, host: ExchangeHost, account: Signer, market: Market, sandbox: Sandbox) -> None:
        self.host = host
        self.account = account
        self.market = market
        self.sandbox = sandbox

    def tasks(self) -> list[DataTaskHandle]:
        """Return the tasks that take an answer of this wallet now, oldest first."""
        return [
            each
            for each in find_tasks(self.host)
            if each.takes_answers and not each.number_of(self.account.address)
        ]

    def applet(self, task: DataTaskHandle) -> Applet:
        """Fetch the applet of a task by its hash.

        Raises
        ------
        AppletRefused
            When the market does not have it, or its author took it back.
        """
        return self.market.fetch(Hash32(task.terms.applet))

    def show(self, task: DataTaskHandle, specification: Specification | None = None) -> str:
        """Return what a task asks and offers, with the applet's source, for whoever decides.

        Parameters
        ----------
        specification
            The task's, when it is not on chain.

        Raises
        ------
        TaskRefused
            When the specification is missing or another.
        AppletRefused
            When the market does not have the applet.
        InvalidInput
            When the task's specification is none.
        UsageError
            When no data task is there.
        """
        task = find_task(self.host, task.address)  # the wallet's own view of the chain, and genuine code
        terms, applet, asked = task.terms, self.applet(task), self._asked(task, specification)
        code = applet.code
        source = code.decode() if applet.manifest.kind == "js" else f"a module of {len(code)} bytes"
        judge = to_checksum_address(terms.arbiter) if terms.has_arbiter else "nobody: objections are final"
        return "\n".join(
            [
                shown(asked.about),
                f"  pays {terms.price} wei for an answer by {to_checksum_address(terms.buyer)}",
                f"  objections within {terms.objection_period} s, ruled on by {judge}",
                applet.manifest.describe(),
                f"  input: {shown(encode_json(asked.input).decode())}",
                f"  result: {shown(encode_json(asked.schema).decode())}",
                "source:",
                *(f"  {shown(line)}" for line in source.expandtabs(4).splitlines()),
            ]
        )

    def prepare(
        self,
        task: DataTaskHandle,
        grant: Grant,
        *,
        specification: Specification | None = None,
        salt: bytes | None = None,
        seed: bytes | None = None,
    ) -> Preview:
        """Run a task's applet over one's records and return what would leave. Nothing does.

        Parameters
        ----------
        grant
            What the applet may read and emit; it has of it what its manifest asks for.
        specification
            The task's, when it is not on chain.
        salt, seed
            Random bytes for the commitment to the data (32) and for the envelope (at least 32); by default of
            the operating system.

        Raises
        ------
        TaskRefused
            When the task takes no answer of this wallet, its specification is missing or another, or the
            applet did not let out exactly one value that fits the schema.
        AppletError
            When the market does not have the applet, or the applet fails or goes beyond what it may.
        InvalidInput
            When the task's specification, or the buyer's key, is none.
        UsageError
            When no data task is there, or a record, salt or seed is out of range.
        """
        task = find_task(self.host, task.address)  # the wallet's own view of the chain, and genuine code
        applet, asked = self.applet(task), self._asked(task, specification)
        if not task.takes_answers or task.number_of(self.account.address):
            raise TaskRefused("the task takes no answer of this wallet")
        run = self.sandbox.run(applet, asked.input, grant)
        try:
            result = only_result(run.emitted, asked)
        except AnswerRefused as refusal:
            raise TaskRefused(refusal.message, **refusal.facts) from None
        names = [name for name in applet.manifest.records if name in grant.records]
        opening = Opening({name: grant.records[name] for name in names}, _random(salt), _random(seed))
        statement = task.statement(self.account.address, opening.commitment())
        signature = self.account.sign(statement.digest(result))
        room, key = applet.manifest.emit, task.terms.key
        envelope = seal_result(statement, result, signature, key=key, room=room, seed=opening.seed)
        return Preview(task, statement, result, envelope, replace(opening, signature=signature), run.usage)

    def send(self, preview: Preview, *, confirm: bytes, gas: int | None = None) -> int:
        """Send an answer and return its number.

        Parameters
        ----------
        preview
            What :meth:`prepare` returned.
        confirm
            The result once more, as the user saw it: what does not match does not leave.

        Raises
        ------
        UsageError
            When what is confirmed is not what would leave, or it is another wallet's.
        Reverted
            When the task takes no answer any more; found before the transaction is sent when no gas is given.
        """
        if confirm != preview.result:
            raise UsageError("nothing was sent: what was confirmed is not what would leave")
        if preview.statement.provider != self.account.address:
            raise UsageError("nothing was sent: another wallet prepared this")
        envelope = preview.envelope if preview.goes_on_chain else b""
        return preview.task.answer(self.account, preview.sealed, preview.statement.data, envelope, gas=gas)

    def collect(self, task: DataTaskHandle) -> Receipt:
        """Have this wallet's answer paid, when the objection time is over.

        Raises
        ------
        Reverted
            When it is too early, or the answer is decided.
        """
        return task.settle(self.account, task.number_of(self.account.address))

    def _asked(self, task: DataTaskHandle, specification: Specification | None) -> Specification:
        return task.specification(None if specification is None else specification.encode())


def _random(given: bytes | None) -> bytes:
    return token_bytes(32) if given is None else given


def shown(text: str) -> str:
    """Return somebody's text on one line, without what could drive a terminal or reorder what is read.

    Characters that are not printable stand as escapes, as in Python, so that nothing is lost.
    """
    return "".join([each if each.isprintable() else ascii(each)[1:-1] for each in text])
