"""Data exchange: a buyer pays for answers that an applet finds in other people's own records.

The task and its escrow are a machine on chain (:class:`~chainstack_sdk.machines.standard.DataTask`), the
applet runs in the provider's sandbox, and only its result leaves, sealed for the buyer. :class:`Buyer` and
:class:`Provider` are the two sides; :class:`DataTaskHandle` is the task as both see it.

**Caveats**

- A statement proves who answered, for which task, with which applet and which committed data. That the
  applet was run at all, and over records that are true, it does not prove; :func:`check_opening` proves the
  former to whom the provider shows the records.
- A provider's silence says something too: for instance that its records do not fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives import _lazy

if TYPE_CHECKING:
    from chainstack_sdk.apps.exchange.buyer import Buyer, Verdict
    from chainstack_sdk.apps.exchange.errors import AnswerRefused, TaskRefused
    from chainstack_sdk.apps.exchange.opening import Opening, check_opening
    from chainstack_sdk.apps.exchange.provider import Preview, Provider
    from chainstack_sdk.apps.exchange.schema import check_schema, check_value
    from chainstack_sdk.apps.exchange.specification import MAX_ON_CHAIN, MAX_SPECIFICATION, Specification
    from chainstack_sdk.apps.exchange.statement import MAX_RESULT, Statement, open_result, seal_result
    from chainstack_sdk.apps.exchange.task import (
        Answer,
        AnswerStatus,
        DataTaskHandle,
        Offer,
        Terms,
        find_task,
        find_tasks,
    )
else:
    __getattr__, __dir__ = _lazy.exports(
        __name__,
        {
            "Answer": "task",
            "AnswerRefused": "errors",
            "AnswerStatus": "task",
            "Buyer": "buyer",
            "DataTaskHandle": "task",
            "MAX_ON_CHAIN": "specification",
            "MAX_RESULT": "statement",
            "MAX_SPECIFICATION": "specification",
            "Offer": "task",
            "Opening": "opening",
            "Preview": "provider",
            "Provider": "provider",
            "Specification": "specification",
            "Statement": "statement",
            "TaskRefused": "errors",
            "Terms": "task",
            "Verdict": "buyer",
            "check_opening": "opening",
            "check_schema": "schema",
            "check_value": "schema",
            "find_task": "task",
            "find_tasks": "task",
            "open_result": "statement",
            "seal_result": "statement",
        },
    )

__all__ = [
    "MAX_ON_CHAIN",
    "MAX_RESULT",
    "MAX_SPECIFICATION",
    "Answer",
    "AnswerRefused",
    "AnswerStatus",
    "Buyer",
    "DataTaskHandle",
    "Offer",
    "Opening",
    "Preview",
    "Provider",
    "Specification",
    "Statement",
    "TaskRefused",
    "Terms",
    "Verdict",
    "check_opening",
    "check_schema",
    "check_value",
    "find_task",
    "find_tasks",
    "open_result",
    "seal_result",
]
