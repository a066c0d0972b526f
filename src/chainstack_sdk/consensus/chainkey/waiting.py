"""Messages that came too early, kept within bounds until they can be understood."""

from __future__ import annotations

from collections import deque

MAX_MESSAGES = 512
"""How many messages wait at most."""
MAX_BYTES = 1 << 22
"""How many bytes they have together at most."""


class Waiting:
    """Messages in the order in which they came; where there are too many, the oldest are forgotten."""

    def __init__(self) -> None:
        self._messages: deque[bytes] = deque()
        self._bytes = 0

    def add(self, message: bytes) -> None:
        """Keep a message."""
        self._messages.append(message)
        self._bytes += len(message)
        while len(self._messages) > MAX_MESSAGES or self._bytes > MAX_BYTES:
            self._bytes -= len(self._messages.popleft())

    def take(self) -> tuple[bytes, ...]:
        """Return all messages, and keep none."""
        messages = tuple(self._messages)
        self._messages.clear()
        self._bytes = 0
        return messages
