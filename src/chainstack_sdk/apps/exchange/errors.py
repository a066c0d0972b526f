"""How the two sides of an exchange say no.

::

    InvalidInput
    ├── TaskRefused      a provider's wallet: the task, or what the applet made of it, is not acceptable
    └── AnswerRefused    a buyer: the answer is not what was asked for

Applets that fail raise :class:`~chainstack_sdk.apps.sandbox.AppletError`. Nothing has left by then.
"""

from __future__ import annotations

from chainstack_sdk.primitives.errors import InvalidInput


class TaskRefused(InvalidInput):
    """A task that a wallet does not work on."""


class AnswerRefused(InvalidInput):
    """An answer that is not worth its price.

    The message is one of a few fixed sentences of at most 128 bytes and never holds anything of the answer:
    it goes on chain as the reason of an objection. What is known besides is among the facts.
    """
