"""Parts of a chain that are made when they are first used.

A chain with a whole consensus behind it is ready before most of that is loaded: what a genesis needs is
made at once, what blocks need with the first block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainstack_sdk.core.blocks import Block, Header
    from chainstack_sdk.core.call import Call
    from chainstack_sdk.core.closing import Closing, HeaderExtras
    from chainstack_sdk.core.interfaces import ChainRules, Contract, HeaderRule
    from chainstack_sdk.core.state import State

T = TypeVar("T")


class Late(Generic[T]):
    """Something that is made once, when it is first asked for.

    Parameters
    ----------
    make
        Makes it.
    """

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: T | None = None

    @property
    def made(self) -> T:
        """The thing itself."""
        if self._made is None:
            self._made = self._make()
        return self._made


class LateHeaderRule(Late["HeaderRule"]):
    """A header rule by which genesis weighs 1."""

    __slots__ = ()

    def validate_header(self, header: Header, seal: bytes, parent: Header) -> None:
        """See :meth:`chainstack_sdk.core.interfaces.HeaderRule.validate_header`."""
        self.made.validate_header(header, seal, parent)

    def work(self, header: Header) -> int:
        """See :meth:`chainstack_sdk.core.interfaces.HeaderRule.work`."""
        return self.made.work(header) if header.height else 1


class LateRules(Late["ChainRules"]):
    """Chain rules."""

    __slots__ = ()

    def slot(self, height: int) -> int:
        """See :meth:`chainstack_sdk.core.interfaces.ChainRules.slot`."""
        return self.made.slot(height)

    def extras(self, parent: Block, proposer: bytes, attachment: bytes) -> HeaderExtras:
        """See :meth:`chainstack_sdk.core.interfaces.ChainRules.extras`."""
        return self.made.extras(parent, proposer, attachment)

    def admit(self, state: State, sender: bytes) -> None:
        """See :meth:`chainstack_sdk.core.interfaces.ChainRules.admit`."""
        self.made.admit(state, sender)

    def close(self, closing: Closing) -> None:
        """See :meth:`chainstack_sdk.core.interfaces.ChainRules.close`."""
        self.made.close(closing)


class LateContract(Late["Contract"]):
    """A contract."""

    __slots__ = ()

    def invoke(self, call: Call, data: bytes) -> bytes:
        """See :meth:`chainstack_sdk.core.interfaces.Contract.invoke`."""
        return self.made.invoke(call, data)


if TYPE_CHECKING:
    _rule: type[HeaderRule] = LateHeaderRule
    _rules: type[ChainRules] = LateRules
    _contract: type[Contract] = LateContract
