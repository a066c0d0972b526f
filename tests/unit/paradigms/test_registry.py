import subprocess
import sys

import pytest

from chainstack_sdk.paradigms.registry import Registry, default_registry
from chainstack_sdk.paradigms.template import Paradigm
from chainstack_sdk.primitives.errors import UsageError


class First(Paradigm):
    """A paradigm."""

    name = "thing"


class Second(Paradigm):
    """Its next version."""

    name = "thing"
    version = 2


class Nameless(Paradigm):
    """A mixin."""


def test_find_and_get():
    registry = Registry()
    assert registry.names == ()
    assert registry.find("thing") is None
    with pytest.raises(UsageError, match="no such paradigm"):
        registry.get("thing")
    registry.add(First)
    assert registry.names == ("thing",)
    assert registry.find("thing") is registry.find("thing", 1) is registry.get("thing") is First
    assert registry.find("thing", 2) is None
    registry.add(Second)
    assert registry.names == ("thing",)
    assert registry.get("thing") is registry.find("thing", 2) is Second
    assert registry.find("thing", 1) is First


def test_an_older_version_added_later_is_not_the_newest():
    registry = Registry()
    registry.add(Second)
    registry.add(First)
    assert registry.get("thing") is Second


def test_duplicates_and_mixins_are_refused():
    registry = Registry()
    registry.add(First)
    with pytest.raises(UsageError, match="registered already"):
        registry.add(First)
    with pytest.raises(UsageError, match="registered already"):
        registry.add_lazily("thing", 1, lambda: Second)
    with pytest.raises(UsageError, match="needs a name"):
        registry.add(Nameless)


def test_loading_happens_once_and_on_first_use():
    loaded = []

    def load():
        loaded.append(1)
        return First

    registry = Registry()
    registry.add_lazily("thing", 1, load)
    assert registry.names == ("thing",)
    assert loaded == []
    assert registry.get("thing") is registry.get("thing") is First
    assert loaded == [1]


def test_a_copy_is_another_registry():
    registry = Registry()
    registry.add(First)
    other = registry.copy()
    other.add(Second)
    assert other.get("thing") is Second
    assert registry.get("thing") is First


def test_the_default_registry():
    registry = default_registry()
    assert registry.names == ("erc20", "erc721", "auction", "shares")
    for name in registry.names:
        assert registry.get(name).name == name
    registry.add(First)
    assert "thing" not in default_registry().names


def test_what_comes_with_the_library_is_loaded_when_used():
    script = """
import sys
import chainstack_sdk.paradigms as paradigms
loaded = lambda: {name.rpartition(".")[2] for name in sys.modules if "paradigms." in name}
assert not loaded() & {"erc20", "erc721", "instance", "config", "permit"}, loaded()
paradigms.Runtime()
assert not loaded() & {"erc20", "erc721"}, loaded()
registry = paradigms.default_registry()
registry.get("erc20")
assert "erc20" in loaded() and not loaded() & {"erc721", "config", "instance"}, loaded()
paradigms.Erc721Api
assert {"erc721", "erc721_handle"} <= loaded() and "config" not in loaded(), loaded()
assert "pydantic" not in sys.modules and "asyncio" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)
