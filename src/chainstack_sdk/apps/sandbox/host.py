"""What an applet reaches of the world: its input, the records granted to it, and one way out.

Both languages call the same three functions, and all checks are here: whatever code runs inside, it can
ask for nothing else. Each call costs fuel, :data:`CALL_FUEL` and :data:`BYTE_FUEL` for each byte that
crosses, so that calls are metered like all other work. Everything that leaves counts against one quota:
the canonical size of each value and one byte more, for how often something is said also says something.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.apps.sandbox.errors import AppletFailed, CapabilityDenied, QuotaExceeded
from chainstack_sdk.apps.sandbox.json_values import canonical_json, decode_json, recode
from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

CALL_FUEL = 200_000
"""Fuel for a host call: about what the same time would burn inside."""

BYTE_FUEL = 10
"""Fuel for each byte that a host call carries."""


class Host:
    """The host's side of one run.

    Parameters
    ----------
    input
        The canonical JSON of the input.
    records
        The records that were asked for and granted: name -> canonical JSON.
    quota
        The bytes that were asked for and granted.
    """

    def __init__(self, input: bytes, records: Mapping[str, bytes], quota: int) -> None:
        self.input = input
        self._records = records
        self._quota = quota
        self.emitted: list[bytes] = []
        self.emitted_bytes = 0

    def record(self, name: bytes) -> bytes:
        """Return the JSON of a record.

        Raises
        ------
        CapabilityDenied
            When it was not asked for, not granted, or does not exist: which one is not told.
        """
        text = name.decode("utf-8", "replace")
        record = self._records.get(text)
        if record is None:
            raise CapabilityDenied("a record was not granted", record=printable(text))
        return record

    def emit(self, data: bytes) -> None:
        """Let a value out, given as JSON in any form.

        Raises
        ------
        CapabilityDenied
            When nothing may leave.
        QuotaExceeded
            When it is more than may still leave.
        AppletFailed
            When it is not JSON as the sandbox bounds it.
        """
        self.admit(len(data))
        try:
            value = canonical_json(data)
        except InvalidInput as error:
            raise AppletFailed(f"the applet emitted what it may not: {error.message}") from None
        self.keep(value)

    def admit(self, size: int) -> None:
        """Refuse a value of so many bytes; asked before it is copied out of the applet's memory.

        Raises
        ------
        CapabilityDenied, QuotaExceeded
            As :meth:`emit`.
        """
        if not self._quota:
            raise CapabilityDenied("nothing was granted to be emitted")
        if self.emitted_bytes + size + 1 > self._quota:
            raise QuotaExceeded(
                "the applet emits more than it may", quota=self._quota, used=self.emitted_bytes, size=size
            )

    def keep(self, value: bytes) -> None:
        """Let out a value in its canonical encoding.

        Raises
        ------
        CapabilityDenied, QuotaExceeded
            As :meth:`emit`.
        """
        self.admit(len(value))
        self.emitted.append(value)
        self.emitted_bytes += len(value) + 1

    def arguments(self, data: bytes, count: int) -> list[bytes]:
        """Return the arguments of a call from JavaScript, each as canonical JSON.

        Raises
        ------
        AppletFailed
            When they are not `count` JSON values in a list.
        """
        try:
            values = decode_json(data)
            if isinstance(values, list) and len(values) == count:
                return [recode(value) for value in values]
        except InvalidInput as error:
            raise AppletFailed(f"the applet called the host wrongly: {error.message}") from None
        raise AppletFailed("the applet called the host wrongly", expected=count)


def printable(text: str, limit: int = 200) -> str:
    """Return the first line of an applet's text without what could drive a terminal."""
    line = text.split("\n", 1)[0][:limit]
    return "".join(character if character.isprintable() else "?" for character in line)
