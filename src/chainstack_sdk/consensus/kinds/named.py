"""From the name of an engine to everything that goes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from chainstack_sdk.consensus.kinds.kind import Kind

KINDS = ("dpow", "pos", "pbft", "pow", "dpos")
"""The names of the engines that come with the library, besides "instant"."""


def kind_named(name: str) -> Kind:
    """Return a kind of consensus by the name of its engine, fit to follow a chain of that kind.

    Raises
    ------
    UsageError
        When no engine of this name comes with the library.
    """
    match name:
        case "dpow" | "pos":
            from chainstack_sdk.consensus.kinds.committee import DpowChain, PosChain

            return DpowChain() if name == "dpow" else PosChain()
        case "pbft":
            from chainstack_sdk.consensus.kinds.members import PbftChain

            return PbftChain()
        case "pow":
            from chainstack_sdk.consensus.kinds.miners import PowChain

            return PowChain()
        case "dpos":
            from chainstack_sdk.consensus.kinds.delegates import DposChain

            return DposChain()
    raise UsageError("no engine of this name comes with the library", actual=name, expected=", ".join(KINDS))
