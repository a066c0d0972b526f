"""The side that asks: publish a task, open the answers, judge them."""

from __future__ import annotations

from dataclasses import dataclass
from secrets import token_bytes
from typing import TYPE_CHECKING, Unpack

from chainstack_sdk.apps.exchange.errors import AnswerRefused
from chainstack_sdk.apps.exchange.result import check_result
from chainstack_sdk.apps.exchange.statement import open_result
from chainstack_sdk.apps.exchange.task import AnswerStatus, DataTaskHandle
from chainstack_sdk.primitives.envelope import open_key
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chainstack_sdk.apps.exchange.specification import Specification
    from chainstack_sdk.apps.exchange.statement import Statement
    from chainstack_sdk.apps.exchange.task import Answer, ExchangeHost, Offer
    from chainstack_sdk.apps.market.index import Market
    from chainstack_sdk.apps.sandbox.json_values import Json
    from chainstack_sdk.apps.sandbox.package import Applet
    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.primitives.keys import Signer


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a buyer makes of an answer."""

    answer: Answer
    statement: Statement
    """What the provider of a good answer has signed about the result."""
    value: Json
    """The result, decoded; None when there is none that counts."""
    result: bytes
    """The result as it was signed; empty when there is none that counts."""
    signature: bytes
    """The provider's over its statement, 65 bytes; empty likewise."""
    objection: str
    """Why it is not worth its price, in a sentence that tells nothing of the result; empty when it is."""

    @property
    def is_good(self) -> bool:
        """Whether the answer is what was asked for."""
        return not self.objection


class Buyer:
    """A buyer on a chain.

    Parameters
    ----------
    host
        The chain.
    account
        Who signs and pays.
    seed
        At least 32 random bytes, known to nobody else, from which the key for envelopes follows; by default
        new ones of the operating system. Keep them until all answers are read: without them nobody reads any.

    Raises
    ------
    UsageError
        When the seed is short.
    """

    def __init__(self, host: ExchangeHost, account: Signer, *, seed: bytes | None = None) -> None:
        self.host = host
        self.account = account
        self.seed = token_bytes(32) if seed is None else seed
        """What the key for envelopes follows from."""
        self._key = open_key(self.seed)

    @property
    def public_key(self) -> bytes:
        """The X25519 key that answers are sealed for, 32 bytes."""
        return self._key.public

    def publish(
        self,
        applet: Applet,
        specification: Specification,
        *,
        market: Market,
        **offer: Unpack[Offer],
    ) -> DataTaskHandle:
        """List the applet, and publish a task with the whole escrow by one transaction.

        Parameters
        ----------
        applet
            What finds the answers.
        specification
            What it is asked, and what its result must be. With more than 1,024 bytes it does not go on
            chain: hand its encoding to providers.
        market
            Where providers fetch the applet.
        **offer
            See :class:`~chainstack_sdk.apps.exchange.Offer`.

        Raises
        ------
        UsageError
            When the applet asks to emit nothing.
        AppletRefused
            When the market does not list the applet.
        Reverted
            When a term is out of range.
        """
        if not applet.manifest.emit:
            raise UsageError("an applet that emits nothing answers nothing", applet=applet.hash)
        market.publish(applet)
        return DataTaskHandle.publish(
            self.host,
            self.account,
            applet=applet.hash,
            specification=specification,
            key=self.public_key,
            **offer,
        )

    def judge(
        self, task: DataTaskHandle, answer: Answer, specification: Specification, envelope: bytes = b""
    ) -> Verdict:
        """Open an answer and say whether it is what was asked for; nothing is sent.

        Parameters
        ----------
        envelope
            The envelope, when it is not on chain.

        Raises
        ------
        UsageError
            When the task has another specification.
        """
        if specification.hash != task.terms.specification:
            raise UsageError("the task has another specification", actual=specification.hash)
        statement = task.statement(answer.provider, answer.data)
        try:
            result, signature = self._open(statement, answer, envelope or answer.envelope)
            value = check_result(result, specification)
        except AnswerRefused as refusal:
            return Verdict(answer, statement, None, b"", b"", refusal.message)
        return Verdict(answer, statement, value, result, signature, "")

    def _open(self, statement: Statement, answer: Answer, envelope: bytes) -> tuple[bytes, bytes]:
        if not envelope:
            raise AnswerRefused("the envelope was not delivered")
        if keccak256(envelope) != answer.sealed:
            raise AnswerRefused("the envelope is not the one committed to")
        return open_result(envelope, self._key, statement)

    def review(
        self,
        task: DataTaskHandle,
        *,
        specification: Specification | None = None,
        envelopes: Mapping[int, bytes] | None = None,
    ) -> list[Verdict]:
        """Judge every answer that waits, in order of their numbers; nothing is sent.

        Parameters
        ----------
        specification
            The task's, when it is not on chain.
        envelopes
            By number of the answer: those that are not on chain.

        Raises
        ------
        UsageError
            When the task is not for this buyer's key, or has another specification.
        """
        if task.terms.key != self.public_key:
            raise UsageError("the answers to this task are sealed for another key")
        asked = task.specification() if specification is None else specification
        given = envelopes or {}
        waiting = [each for each in task.answers() if each.status is AnswerStatus.WAITING]
        return [self.judge(task, each, asked, given.get(each.number, b"")) for each in waiting]

    def decide(self, task: DataTaskHandle, verdict: Verdict) -> Receipt:
        """Accept an answer that is good, or object to it for the reason found.

        Raises
        ------
        Reverted
            When it does not wait any more, or it is too late to object.
        UsageError
            When the verdict is about an answer to another task.
        """
        if verdict.statement.task != task.address:
            raise UsageError("a verdict about an answer to another task", actual=verdict.statement.task)
        if verdict.is_good:
            return task.accept(self.account, verdict.answer.number)
        return task.object(self.account, verdict.answer.number, verdict.objection)
