"""Packages that load their parts when they are first asked for."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

PACKAGE = """
from chainstack_sdk.primitives import _lazy

__all__ = ["Deep", "Part", "near"]
near = 1
__getattr__, __dir__ = _lazy.exports(__name__, {"Deep": "inner.deep", "Part": "part", "Gone": "part"})
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    home = tmp_path / "lazy_example"
    (home / "inner").mkdir(parents=True)
    (home / "__init__.py").write_text(PACKAGE)
    (home / "part.py").write_text("class Part: pass\n")
    (home / "inner" / "__init__.py").touch()
    (home / "inner" / "deep.py").write_text("class Deep: pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield import_module("lazy_example")
    for name in [name for name in sys.modules if name.startswith("lazy_example")]:
        del sys.modules[name]


def test_a_part_is_loaded_when_it_is_first_asked_for(package: ModuleType) -> None:
    assert "lazy_example.part" not in sys.modules
    part = package.Part
    assert part is sys.modules["lazy_example.part"].Part
    assert "lazy_example.inner" not in sys.modules
    assert package.Deep.__module__ == "lazy_example.inner.deep"


def test_a_part_is_looked_up_once(package: ModuleType) -> None:
    assert "Part" not in vars(package)
    assert package.Part is vars(package)["Part"]


def test_what_there_is_not(package: ModuleType) -> None:
    with pytest.raises(AttributeError, match="module 'lazy_example' has no attribute 'part_of_nothing'"):
        package.part_of_nothing  # noqa: B018
    with pytest.raises(AttributeError, match="Gone"):  # named in the table, not in the module
        package.Gone  # noqa: B018
    assert not hasattr(package, "Nothing")


def test_all_names_are_listed(package: ModuleType) -> None:
    assert dir(package) == sorted(dir(package))
    assert {"Deep", "Part", "near", "__all__"} <= set(dir(package))
    assert "Part" not in vars(package), "listing loads nothing"


def test_everything_can_be_imported_at_once(package: ModuleType) -> None:
    namespace: dict[str, object] = {}
    exec("from lazy_example import *", namespace)
    assert {"Deep", "Part", "near"} <= namespace.keys()


def test_parts_can_be_pickled(package: ModuleType) -> None:
    part = package.Part()
    assert type(pickle.loads(pickle.dumps(part))) is package.Part


@pytest.mark.parametrize(
    ("statement", "module"),
    [
        ("import chainstack_sdk.core", "chainstack_sdk.core.blocks"),
        ("import chainstack_sdk.consensus", "chainstack_sdk.consensus.instant"),
        ("from chainstack_sdk.consensus import InstantEngine", "chainstack_sdk.consensus.vrf"),
        ("import chainstack_sdk.paradigms", "chainstack_sdk.paradigms.erc20"),
    ],
)
def test_packages_of_the_library_load_no_more_than_asked(statement: str, module: str) -> None:
    program = f"{statement}\nimport sys\nassert {module!r} not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
