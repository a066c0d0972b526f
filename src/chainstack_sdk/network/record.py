"""The durable record of a validator: the last thing its engine wrote before it spoke."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol
from zlib import crc32

from chainstack_sdk.primitives.errors import InvalidInput

_CHECKSUM_BYTES = 4


class Record(Protocol):
    """One value that is replaced as a whole."""

    def load(self) -> bytes | None:
        """Return the value, or None when there was none yet."""
        ...

    def save(self, value: bytes) -> None:
        """Replace the value; durable when it returns."""
        ...


class MemoryRecord:
    """A record that lives as long as the process."""

    def __init__(self, value: bytes | None = None) -> None:
        self._value = value

    def load(self) -> bytes | None:
        """Return the value, or None when there was none yet."""
        return self._value

    def save(self, value: bytes) -> None:
        """Replace the value."""
        self._value = value


class FileRecord:
    """A record in a file of its own, replaced in one step: after a crash it is the old one or the new one.

    Parameters
    ----------
    path
        The file; one beside it, with ``.new`` at the end of its name, is used while writing.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._new = self._path.with_name(self._path.name + ".new")

    def load(self) -> bytes | None:
        """Return the value, or None when there was none yet.

        Raises
        ------
        InvalidInput
            When the file is damaged. A validator must not go on without knowing what it has signed.
        """
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return None
        checksum, value = content[:_CHECKSUM_BYTES], content[_CHECKSUM_BYTES:]
        if checksum != crc32(value).to_bytes(_CHECKSUM_BYTES, "big"):
            raise InvalidInput("a validator's record is damaged", path=str(self._path))
        return value

    def save(self, value: bytes) -> None:
        """Replace the value; durable when it returns."""
        with open(self._new, "wb") as file:
            file.write(crc32(value).to_bytes(_CHECKSUM_BYTES, "big") + value)
            file.flush()
            os.fsync(file.fileno())
        os.replace(self._new, self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
