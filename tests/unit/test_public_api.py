"""What a user can import: complete, documented, and light."""

from __future__ import annotations

import importlib
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import chainstack_sdk
from chainstack_sdk.primitives.errors import UsageError

REPOSITORY = Path(__file__).parents[2]
SOURCE = REPOSITORY / "src"
PACKAGES = sorted(
    ".".join(path.parent.relative_to(SOURCE).parts)
    for path in (SOURCE / "chainstack_sdk").rglob("__init__.py")
)

HEAVY = (
    "asyncio",
    "eth_abi",
    "eth_account",
    "eth_utils",
    "importlib.metadata",
    "lmdb",
    "pydantic",
    "sqlite3",
    "wasmtime",
    "web3",
)
"""What `import chainstack_sdk` must not load: each costs 3 to 900 ms."""


def undeclared(package: ModuleType) -> set[str]:
    """Public names of a package that are ours to offer but are missing in `__all__`."""
    return {
        name
        for name, value in vars(package).items()
        if not name.startswith("_")
        and name not in package.__all__
        and not isinstance(value, ModuleType)
        and getattr(value, "__module__", "chainstack_sdk").startswith("chainstack_sdk")
        and name not in ("TYPE_CHECKING", "annotations")
    }


def lacks_docstring(value: object) -> bool:
    """Whether a class or function of this library says nothing about itself."""
    if not (inspect.isclass(value) or inspect.isroutine(value)):
        return False
    if not (value.__module__ or "").startswith("chainstack_sdk"):
        return False
    text = value.__dict__.get("__doc__") if inspect.isclass(value) else value.__doc__
    made_by_dataclass = inspect.isclass(value) and (text or "").startswith(f"{value.__name__}(")
    return not (text or "").strip() or made_by_dataclass


@pytest.fixture(params=PACKAGES)
def package(request: pytest.FixtureRequest) -> ModuleType:
    return importlib.import_module(request.param)


def test_all_names_what_can_be_imported(package: ModuleType) -> None:
    assert len(package.__all__) == len(set(package.__all__)), "a name stands twice in __all__"
    assert [name for name in package.__all__ if not hasattr(package, name)] == []
    assert set(package.__all__) <= set(dir(package)), "names imported on first use are missing in __dir__"
    assert undeclared(package) == set()


def test_everything_public_is_documented(package: ModuleType) -> None:
    assert (package.__doc__ or "").strip()
    assert [name for name in package.__all__ if lacks_docstring(getattr(package, name))] == []


def test_an_unknown_name_is_an_attribute_error(package: ModuleType) -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        package.no_such_name  # noqa: B018


def loaded_by(statement: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after the statement."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-c", f"{statement}\nimport sys\nprint(*sys.modules, sep='\\n')"],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return set(done.stdout.split())


def test_the_import_is_light() -> None:
    loaded = loaded_by("import chainstack_sdk")
    assert "chainstack_sdk" in loaded
    assert loaded.isdisjoint(HEAVY), sorted(loaded.intersection(HEAVY))


def test_a_heavy_import_would_be_seen() -> None:
    assert {"asyncio", "sqlite3"} <= loaded_by("import asyncio, sqlite3")


def test_the_changelog_opens_with_this_version() -> None:
    changelog = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    (newest, *_) = re.findall(r"^## \[?([0-9][^\s\]]*)", changelog, re.MULTILINE)
    assert newest == chainstack_sdk.__version__


# Self-tests ----------------------------------------------------------------------------------------------


def test_an_undeclared_name_is_found() -> None:
    module = ModuleType("chainstack_sdk.example")
    vars(module).update(__all__=["SIZE"], SIZE=1, LIMIT=2, _hidden=3, os=os, Path=Path, Error=UsageError)
    assert undeclared(module) == {"LIMIT", "Error"}


EXAMPLE = '''
from dataclasses import dataclass

@dataclass
class Bare:
    x: int

class Silent(Exception): pass

class Told:
    """Says something."""

class Child(Told): pass

def silent(): pass

def told():
    """Says something."""
'''


def test_a_missing_docstring_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("chainstack_sdk.example")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(EXAMPLE, vars(module))
    names = ["Bare", "Silent", "Told", "Child", "silent", "told", "dataclass", "__name__"]
    found = [name for name in names if lacks_docstring(getattr(module, name))]
    assert found == ["Bare", "Silent", "Child", "silent"]
