"""The process of one shard: requests from standard input, answers to standard output.

Each is preceded by its length in 4 bytes, big-endian. The process ends with its input, hence with the process
that started it, however that one ends.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from chainstack_sdk.system.shards.desk import Desk

if TYPE_CHECKING:
    from typing import IO


def read_frame(source: IO[bytes]) -> bytes | None:
    """Return the next frame, or None when there is no whole one."""
    header = source.read(4)
    if len(header) < 4:
        return None
    size = int.from_bytes(header, "big")
    frame = source.read(size)
    return frame if len(frame) == size else None


def write_frame(sink: IO[bytes], frame: bytes) -> None:
    """Write a frame."""
    sink.write(len(frame).to_bytes(4, "big"))
    sink.write(frame)
    sink.flush()


def serve(source: IO[bytes], sink: IO[bytes]) -> None:
    """Answer requests until there are no more."""
    desk = Desk()
    while (frame := read_frame(source)) is not None:
        write_frame(sink, desk.answer(frame))


def main() -> None:
    """Be the process of a shard."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it decides when it ends
    with os.fdopen(os.dup(1), "wb") as sink:
        os.dup2(2, 1)  # what contracts print is not an answer
        serve(sys.stdin.buffer, sink)
