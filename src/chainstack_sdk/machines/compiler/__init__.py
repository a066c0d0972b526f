"""From a class in the machine language to its tree. The class is read, never run."""

from __future__ import annotations

from chainstack_sdk.machines.compiler.compile import compile_machine, compile_text
from chainstack_sdk.machines.compiler.notes import Notes, notes_of
from chainstack_sdk.machines.compiler.source import Source, machine_source

__all__ = ["Notes", "Source", "compile_machine", "compile_text", "machine_source", "notes_of"]
