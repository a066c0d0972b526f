"""Which paradigms a chain knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainstack_sdk.paradigms.template import Paradigm


class Registry:
    """The paradigms of a chain, by name and version.

    All nodes of a chain must register the same: what a node does not know it cannot run.
    """

    __slots__ = ("_loaded", "_loaders", "_newest")

    def __init__(self) -> None:
        self._loaders: dict[tuple[str, int], Callable[[], type[Paradigm]]] = {}
        self._loaded: dict[tuple[str, int], type[Paradigm]] = {}
        self._newest: dict[str, int] = {}

    def add(self, paradigm: type[Paradigm]) -> None:
        """Register a paradigm.

        Raises
        ------
        UsageError
            When it has no name, or another has the same name and version.
        """
        name = getattr(paradigm, "name", None)
        if name is None:
            raise UsageError("a paradigm needs a name to be registered", actual=paradigm.__name__)
        self.add_lazily(name, paradigm.version, lambda: paradigm)

    def add_lazily(self, name: str, version: int, load: Callable[[], type[Paradigm]]) -> None:
        """Register a paradigm that is loaded when it is first used.

        Raises
        ------
        UsageError
            When another has the same name and version.
        """
        if (name, version) in self._loaders:
            raise UsageError(
                "a paradigm of this name and version is registered already", actual=f"{name} {version}"
            )
        self._loaders[name, version] = load
        self._newest[name] = max(version, self._newest.get(name, 0))

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in the order of registration."""
        return tuple(self._newest)

    def find(self, name: str, version: int | None = None) -> type[Paradigm] | None:
        """Return a paradigm in a version, by default the newest; None when it is not registered."""
        key = (name, self._newest.get(name, 0) if version is None else version)
        paradigm = self._loaded.get(key)
        if paradigm is None and key in self._loaders:
            paradigm = self._loaded[key] = self._loaders[key]()
        return paradigm

    def get(self, name: str) -> type[Paradigm]:
        """Return the newest version of a paradigm.

        Raises
        ------
        UsageError
            When there is none of this name.
        """
        paradigm = self.find(name)
        if paradigm is None:
            raise UsageError("no such paradigm", actual=name, expected=", ".join(self.names))
        return paradigm

    def copy(self) -> Registry:
        """Return another registry with the same paradigms."""
        other = Registry()
        other._loaders.update(self._loaders)
        other._loaded.update(self._loaded)
        other._newest.update(self._newest)
        return other


def default_registry() -> Registry:
    """Return a new registry with the paradigms that come with the library, none of them loaded yet."""
    registry = Registry()
    registry.add_lazily("erc20", 1, _erc20)
    registry.add_lazily("erc721", 1, _erc721)
    registry.add_lazily("auction", 1, _auction)
    registry.add_lazily("shares", 1, _shares)
    return registry


def _erc20() -> type[Paradigm]:
    from chainstack_sdk.paradigms.erc20 import Erc20

    return Erc20


def _erc721() -> type[Paradigm]:
    from chainstack_sdk.paradigms.erc721 import Erc721

    return Erc721


def _auction() -> type[Paradigm]:
    from chainstack_sdk.paradigms.auction import AuctionPlatform

    return AuctionPlatform


def _shares() -> type[Paradigm]:
    from chainstack_sdk.paradigms.shares import Shares

    return Shares
