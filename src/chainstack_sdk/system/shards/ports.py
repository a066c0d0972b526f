"""Ways to a shard: in this process, or in one of its own."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from chainstack_sdk.primitives.errors import ChainStackError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import IO

_PATIENCE = 5.0
"""Seconds that a worker has to end by itself."""
_PROGRAM = "import sys; sys.path[:] = {path!r}; from chainstack_sdk.system.shards.worker import main; main()"


class ShardDown(ChainStackError):
    """A shard's process is gone, and with it the shard's state.

    ``shard`` tells which one, ``status`` how the process ended: its exit code, or minus the signal.
    """


class ShardPort(Protocol):
    """A way to a shard. Each request is answered once, in order."""

    def ask(self, request: bytes) -> None:
        """Hand a request over.

        Raises
        ------
        ShardDown
            When the shard is gone.
        """
        ...

    def answer(self) -> bytes:
        """Return the answer to the request.

        Raises
        ------
        ShardDown
            When the shard is gone.
        """
        ...

    def close(self) -> None:
        """End the shard; doing it again does nothing."""
        ...


class LocalPort:
    """A shard in this process, which works while its answer is waited for."""

    def __init__(self) -> None:
        from chainstack_sdk.system.shards.desk import Desk

        self._desk = Desk()
        self._request = b""

    def ask(self, request: bytes) -> None:
        """Hand a request over; see :class:`ShardPort`."""
        self._request = request

    def answer(self) -> bytes:
        """Do the work and return the answer; see :class:`ShardPort`."""
        return self._desk.answer(self._request)

    def close(self) -> None:
        """Nothing to end."""


class ProcessPort:
    """A shard in a process of its own, which works from when it is asked.

    The process is a fresh interpreter, which imports nothing of the calling program.

    Parameters
    ----------
    shard
        Which one it is, for errors.
    """

    def __init__(self, shard: int) -> None:
        self._shard = shard
        self.process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM.format(path=sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        """The worker."""
        self._input, self._output = _pipe(self.process.stdin), _pipe(self.process.stdout)

    def ask(self, request: bytes) -> None:
        """Hand a request over; see :class:`ShardPort`."""
        from chainstack_sdk.system.shards.worker import write_frame

        try:
            write_frame(self._input, request)
        except OSError as error:
            raise self._down() from error

    def answer(self) -> bytes:
        """Wait for the answer; see :class:`ShardPort`."""
        from chainstack_sdk.system.shards.worker import read_frame

        frame = read_frame(self._output)
        if frame is None:
            raise self._down()
        return frame

    def close(self) -> None:
        """End the process; see :class:`ShardPort`."""
        with suppress(OSError):  # what was not written when it died
            self._input.close()
        try:
            self.process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._output.close()

    def _down(self) -> ShardDown:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_PATIENCE)
        status = self.process.returncode
        return ShardDown("the process of a shard is gone", shard=self._shard, status=status)


class Crew:
    """All shards, each of which is asked while the others work.

    Parameters
    ----------
    ports
        A way to each.
    """

    def __init__(self, ports: Sequence[ShardPort]) -> None:
        self.ports = ports
        """A way to each."""
        self._over: ShardDown | None = None

    def gather(self, request: Callable[[int], bytes], shards: Sequence[int] | None = None) -> list[bytes]:
        """Ask shards, by default all, and return their answers.

        Parameters
        ----------
        request
            Gives what each is asked.

        Raises
        ------
        ShardDown
            When one is gone, now or before: it is over, and the others have been ended.
        """
        if self._over is not None:
            raise self._over
        asked = range(len(self.ports)) if shards is None else shards
        try:
            for shard in asked:
                self.ports[shard].ask(request(shard))
            return [self.ports[shard].answer() for shard in asked]
        except ShardDown as error:
            self._over = error
            self.close()
            raise

    def close(self) -> None:
        """End all shards."""
        for port in self.ports:
            port.close()


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None  # it was asked for
    return stream
