"""Imports point down only, and the deterministic packages touch neither clock, chance nor the outside.

The rules are read off the source, by parsing it: an import inside a function or for type checkers only
counts as much as any other. The second half of this file proves on small made-up trees that each kind of
violation is found.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

LIBRARY = "chainstack_sdk"
SOURCE = Path(__file__).parents[2] / "src"

COMPOSITION_ROOT = "the composition root"
"""`chainstack_sdk/__init__.py` and the modules beside it: they wire the packages together."""

PACKAGES_OF_THE_ROOT = ("chain", "system")
"""Parts of the composition root that take more than one module."""

BELOW_APPS = ("primitives", "core", "machines", "paradigms", "consensus", "cspv", "xchain", "network")

MAY_IMPORT: Mapping[str, tuple[str, ...]] = {
    "primitives": (),
    "core": ("primitives",),
    "machines": ("primitives", "core"),
    "paradigms": ("primitives", "core", "machines"),
    "consensus": ("primitives", "core"),
    "cspv": ("primitives", "core", "consensus"),
    "xchain": ("primitives", "core", "paradigms", "consensus", "cspv"),
    "network": ("primitives", "core", "consensus", "cspv"),
    "apps": BELOW_APPS,
    "testing": (*BELOW_APPS, "apps", COMPOSITION_ROOT),
    COMPOSITION_ROOT: (*BELOW_APPS, "apps"),
}

DETERMINISTIC = ("core", "machines", "paradigms", "consensus", "cspv", "xchain")

CLOCK_AND_CHANCE = ("datetime", "random", "secrets", "time", "uuid")
THE_OUTSIDE = ("asyncio", "multiprocessing", "os", "socket", "subprocess", "tempfile", "threading")
NEVER_IN_DETERMINISTIC = frozenset([*CLOCK_AND_CHANCE, *THE_OUTSIDE])
FILES = frozenset(["lmdb", "pathlib", "sqlite3"])
MAY_REACH_FILES: Mapping[str, frozenset[str]] = {
    "core.store": FILES,
    "core.config": frozenset(["pathlib"]),  # read before there is a chain
}


# Reading the imports ------------------------------------------------------------------------------------


def find_modules(source: Path) -> dict[str, Path]:
    """Dotted name -> file of every module of the library, in order of the names."""
    found = {}
    for path in source.rglob("*.py"):
        parts = path.relative_to(source).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return dict(sorted(found.items()))


def imports_of(name: str, path: Path) -> Iterator[tuple[int, str]]:
    """(line, absolute dotted target) of each import; `from a import b` has the target `a.b`."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]

    def absolute(target: str) -> str:
        dots = len(target) - len(target.lstrip("."))
        if not dots:
            return target
        parts = package.split(".")
        base = parts[: len(parts) - dots + 1]
        assert base, f"{path}: {target} leaves the library"
        return ".".join([*base, target[dots:]]) if target[dots:] else ".".join(base)

    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        match node:
            case ast.Import():
                yield from ((node.lineno, alias.name) for alias in node.names)
            case ast.ImportFrom():
                base = absolute("." * node.level + (node.module or ""))
                yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)
            case ast.Call(
                func=ast.Name(id="__import__" | "import_module") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str(target)), *_],
            ):
                yield node.lineno, absolute(target)


def nearest_module(target: str, known: Mapping[str, Path]) -> str:
    """The module of the library in which the imported name lives: the longest known prefix."""
    while target not in known:
        target = target.rpartition(".")[0]
        assert target, "an import of the library that names none of its modules"
    return target


def house_of(module: str, known: Mapping[str, Path]) -> str:
    """The top-level package that a module belongs to."""
    parts = module.split(".")
    beside_the_root = len(parts) == 1 or (len(parts) == 2 and known[module].name != "__init__.py")
    return COMPOSITION_ROOT if beside_the_root or parts[1] in PACKAGES_OF_THE_ROOT else parts[1]


def library_edges(known: Mapping[str, Path]) -> Iterator[tuple[str, int, str]]:
    """(importing module, line, imported module) for imports within the library."""
    for name, path in known.items():
        for line, target in imports_of(name, path):
            if target.partition(".")[0] == LIBRARY:
                yield name, line, nearest_module(target, known)


# The rules ----------------------------------------------------------------------------------------------


def forbidden_arrows(source: Path) -> Iterator[str]:
    known = find_modules(source)
    for name, line, target in library_edges(known):
        house, other = house_of(name, known), house_of(target, known)
        if house not in MAY_IMPORT:
            yield f"{name}:{line}: give the new package {house} its place in MAY_IMPORT"
        elif house != other and other not in MAY_IMPORT[house]:
            yield f"{name}:{line}: {house} must not import {other} ({target})"


def forbidden_modules(source: Path) -> Iterator[str]:
    known = find_modules(source)
    for name, path in known.items():
        if house_of(name, known) not in DETERMINISTIC:
            continue
        inner = f"{name.removeprefix(f'{LIBRARY}.')}."
        permitted = [modules for place, modules in MAY_REACH_FILES.items() if inner.startswith(f"{place}.")]
        banned = NEVER_IN_DETERMINISTIC | FILES.difference(*permitted)
        for line, target in imports_of(name, path):
            top = target.partition(".")[0]
            if top in banned:
                yield f"{name}:{line}: {top} has no place in {house_of(name, known)}"


def package_cycles(source: Path) -> Iterator[str]:
    """Cycles among sibling packages, at every depth; modules beside a package are not packages."""
    known = find_modules(source)
    packages = {name for name, path in known.items() if path.name == "__init__.py"}
    edges: dict[str, list[str]] = {}
    for name, _, target in library_edges(known):
        for depth, (mine, other) in enumerate(zip(name.split("."), target.split("."), strict=False), 1):
            if mine != other:
                pair = tuple(".".join(module.split(".")[:depth]) for module in (name, target))
                if packages.issuperset(pair):
                    edges.setdefault(pair[0], []).append(pair[1])
                break
    for start in edges:
        reached, waiting = set(), [start]
        while waiting:
            for after in edges.get(waiting.pop(), ()):
                if after not in reached:
                    reached.add(after)
                    waiting.append(after)
        if start in reached:
            yield f"{start} imports itself through its siblings {sorted(reached - {start})}"


def test_imports_point_down() -> None:
    assert list(forbidden_arrows(SOURCE)) == []


def test_deterministic_packages_touch_nothing_outside() -> None:
    assert list(forbidden_modules(SOURCE)) == []


def test_packages_have_no_cycles() -> None:
    assert list(package_cycles(SOURCE)) == []


def test_the_whole_library_is_read() -> None:
    known = find_modules(SOURCE)
    assert {f"{LIBRARY}.core", f"{LIBRARY}.primitives.errors"} <= known.keys()
    assert any(target == f"{LIBRARY}.primitives.errors" for _, _, target in library_edges(known))


# Self-tests: each violation is found ---------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path: Path):
    """Write a small library: a mapping of paths below the package to their text."""

    def write(files: Mapping[str, str]) -> Path:
        for name in ("", "primitives", "core", "core/store", "core/trie", *DETERMINISTIC, "apps", "testing"):
            folder = tmp_path / LIBRARY / name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "__init__.py").touch()
        for name, text in files.items():
            path = tmp_path / LIBRARY / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return write


ARROWS_DOWN = {
    "primitives/rlp.py": "import time\nfrom . import errors\nfrom .errors import X",
    "primitives/errors.py": "",
    "core/chain.py": "from chainstack_sdk.primitives import rlp\nfrom .trie import node\nfrom . import trie",
    "core/trie/node.py": "from ...primitives.rlp import rlp_encode\nfrom ..chain import Chain",
    "core/store/sqlite.py": "def open():\n    import sqlite3\n    from pathlib import Path",
    "consensus/engine.py": "from chainstack_sdk import core\nfrom concurrent.futures import Executor",
    "apps/rpc.py": "import asyncio\nfrom ..paradigms import erc20",
    "paradigms/erc20.py": "from ..core.chain import Chain",
    "stack.py": "from .apps import rpc\nfrom .core import chain\nfrom .chain.facade import Chain",
    "chain/__init__.py": "",
    "chain/facade.py": "from ..paradigms import erc20\nfrom ..clock import Clock",
    "clock.py": "import time",
    "testing/pairs.py": "from chainstack_sdk import stack\nfrom chainstack_sdk import ether",
}


def test_a_good_tree_passes(tree) -> None:
    source = tree(ARROWS_DOWN)
    assert list(forbidden_arrows(source)) == []
    assert list(forbidden_modules(source)) == []
    assert list(package_cycles(source)) == []


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        ("primitives/x.py", "from chainstack_sdk.core import Chain", "primitives must not import core"),
        ("primitives/x.py", "from .. import core", "primitives must not import core"),
        ("primitives/__init__.py", "from ..core.chain import Chain", "primitives must not import core"),
        ("core/x.py", "import chainstack_sdk.apps", "core must not import apps"),
        ("core/x.py", "import chainstack_sdk.apps.rpc as rpc", "core must not import apps"),
        ("core/trie/x.py", "from ...paradigms import erc20", "core must not import paradigms"),
        ("core/x.py", "def f():\n    from ..consensus import engine", ":2: core must not import consensus"),
        (
            "core/x.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..testing import pairs",
            ":3: core must not import testing",
        ),
        ("core/x.py", "from chainstack_sdk import ether", "core must not import the composition root"),
        ("core/x.py", "from ..chain.facade import Chain", "core must not import the composition root"),
        ("core/x.py", "from .. import stack", "core must not import the composition root"),
        ("core/x.py", "from ..stack import ChainStack", "core must not import the composition root"),
        ("core/x.py", "from chainstack_sdk import *", "core must not import the composition root"),
        ("apps/x.py", "from chainstack_sdk import ChainStack", "apps must not import the composition root"),
        ("apps/x.py", "from ..testing import pairs", "apps must not import testing"),
        ("stack.py", "from .testing import pairs", "the composition root must not import testing"),
        ("consensus/x.py", "from ..paradigms import erc20", "consensus must not import paradigms"),
        ("paradigms/x.py", "from ..consensus import engine", "paradigms must not import consensus"),
        (
            "core/x.py",
            "import importlib\nimportlib.import_module('..apps', __name__)",
            "core must not import apps",
        ),
        ("core/x.py", "__import__('chainstack_sdk.apps')", "core must not import apps"),
        ("extras/__init__.py", "from ..core import chain", "give the new package extras its place"),
    ],
)
def test_a_forbidden_arrow_is_found(tree, path: str, text: str, told: str) -> None:
    (found,) = forbidden_arrows(tree(ARROWS_DOWN | {path: text}))
    assert told in found


@pytest.mark.parametrize("house", DETERMINISTIC)
def test_a_forbidden_module_is_found(tree, house: str) -> None:
    banned = sorted(NEVER_IN_DETERMINISTIC | FILES)
    source = tree({f"{house}/x.py": "\n".join(f"def f():  from {module} import y" for module in banned)})
    assert list(forbidden_modules(source)) == [
        f"{LIBRARY}.{house}.x:{line}: {module} has no place in {house}"
        for line, module in enumerate(banned, 1)
    ]


@pytest.mark.parametrize(
    "text", ["import os.path", "import os as o", "import importlib\nimportlib.import_module('os')"]
)
def test_a_forbidden_module_is_found_in_other_words(tree, text: str) -> None:
    assert len(list(forbidden_modules(tree({"core/store/x.py": text})))) == 1


def test_files_are_for_stores_and_the_configuration_only(tree) -> None:
    text = "import lmdb, pathlib, sqlite3"
    assert list(forbidden_modules(tree({"core/store/x.py": text}))) == []
    found = list(forbidden_modules(tree({"core/storey.py": text, "core/config.py": text})))
    assert [
        told.removeprefix(f"{LIBRARY}.core.").removesuffix(" has no place in core") for told in found
    ] == [
        "config:1: lmdb",
        "config:1: sqlite3",
        "storey:1: lmdb",
        "storey:1: pathlib",
        "storey:1: sqlite3",
    ]


def test_a_cycle_of_packages_is_found(tree) -> None:
    source = tree({"core/store/x.py": "from ..trie import y", "core/trie/y.py": "from ..store.x import f"})
    starts = [text.partition(" ")[0] for text in package_cycles(source)]
    assert starts == [f"{LIBRARY}.core.store", f"{LIBRARY}.core.trie"]


def test_a_longer_cycle_is_found(tree) -> None:
    files = {
        "core/a/__init__.py": "from ..trie import x",
        "core/trie/x.py": "from .. import store",
        "core/store/y.py": "from ..a import z",
    }
    assert len(list(package_cycles(tree(files)))) == 3


def test_an_import_out_of_the_library_is_refused(tree) -> None:
    with pytest.raises(AssertionError, match="leaves the library"):
        list(forbidden_arrows(tree({"core/x.py": "from ... import y"})))
