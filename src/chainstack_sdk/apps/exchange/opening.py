"""A provider's commitment to its records, and what it takes to prove an answer to an arbiter.

::

    data = keccak256("chainstack-records-v1" 21 ‖ salt 32 ‖ keccak256(records))

with the records that the applet could read, as the canonical JSON of an object from name to value. The salt
is random and stays with the provider: without it the commitment cannot be compared with guesses.

An opening shows the records in full. It is for disputes, at the provider's own choice, and for nobody but the
arbiter, who runs the applet again: runs are deterministic, and so is sealing. When the envelope comes out as
it was committed to on chain, it holds exactly the result of this applet over these records.

**Caveats.** An envelope that is not on chain may never have come to the buyer. The arbiter has its
content now: who rules for the provider hands the result to the buyer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chainstack_sdk.apps.exchange.errors import AnswerRefused
from chainstack_sdk.apps.exchange.result import only_result
from chainstack_sdk.apps.exchange.statement import check_signature, seal_result
from chainstack_sdk.apps.sandbox.errors import AppletError, TimeExceeded
from chainstack_sdk.apps.sandbox.json_values import Json, encode_json
from chainstack_sdk.apps.sandbox.sandbox import Grant
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from chainstack_sdk.apps.exchange.specification import Specification
    from chainstack_sdk.apps.exchange.task import Answer, DataTaskHandle
    from chainstack_sdk.apps.sandbox.package import Applet
    from chainstack_sdk.apps.sandbox.sandbox import Sandbox

DOMAIN = b"chainstack-records-v1"
"""What committed bytes begin with."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The records behind an answer, and what else it was made of: the provider's secret.

    Raises
    ------
    UsageError
        When the salt is not 32 bytes.
    """

    records: dict[str, Json] = field(repr=False)
    """What the applet could read, by name."""
    salt: bytes = field(repr=False)
    """Of the commitment: 32 random bytes."""
    seed: bytes = field(repr=False)
    """Of the envelope: at least 32 random bytes."""
    signature: bytes = field(default=b"", repr=False)
    """The provider's over its statement, 65 bytes."""

    def __post_init__(self) -> None:
        if len(self.salt) != 32:
            raise UsageError("a salt has 32 bytes", actual=len(self.salt))

    def commitment(self) -> bytes:
        """Return the commitment to the records, 32 bytes; :class:`UsageError` when one is no JSON."""
        return keccak256(DOMAIN + self.salt + keccak256(encode_json(dict(self.records))))


def check_opening(
    opening: Opening,
    task: DataTaskHandle,
    answer: Answer,
    *,
    applet: Applet,
    specification: Specification,
    sandbox: Sandbox,
) -> bytes:
    """Check that an answer is the applet's result over the records committed to, and return the result.

    Raises
    ------
    AnswerRefused
        When applet, specification or records are others, the applet gives no result that fits the schema, or
        another envelope was committed to.
    TimeExceeded
        When this machine is too slow for the applet: that says nothing about the answer.
    UsageError
        When the sandbox cannot run, or allows less fuel or memory than the applet may use; or the opening is
        malformed.
    """
    terms, asked = task.terms, applet.manifest.limits
    if applet.hash != terms.applet or specification.hash != terms.specification:
        raise AnswerRefused("the task has another applet or specification")
    if opening.commitment() != answer.data:
        raise AnswerRefused("the records are not those committed to")
    had = asked.within(sandbox.limits)
    if (had.fuel, had.memory) != (asked.fuel, asked.memory):
        raise UsageError(
            "the sandbox allows less than the applet may use", fuel=asked.fuel, memory=asked.memory
        )
    grant = Grant(opening.records, applet.manifest.emit)
    try:
        result = only_result(sandbox.run(applet, specification.input, grant).emitted, specification)
    except TimeExceeded:
        raise
    except AppletError:
        raise AnswerRefused("the applet gives no result over these records") from None
    statement = task.statement(answer.provider, answer.data)
    check_signature(statement, result, opening.signature)
    room, seed = applet.manifest.emit, opening.seed
    envelope = seal_result(statement, result, opening.signature, key=terms.key, room=room, seed=seed)
    if keccak256(envelope) != answer.sealed:
        raise AnswerRefused("the envelope is not the one committed to")
    return result
