"""The map in docs/layout.md names every module, each where it stands, and nothing that is gone."""

from __future__ import annotations

import ast
import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
LIBRARY = REPOSITORY / "src" / "chainstack_sdk"
MAP = REPOSITORY / "docs" / "layout.md"


def modules_of(library: Path) -> dict[str, str]:
    """Path below the library -> first line of the module's docstring; a package stands as `name/`."""
    found = {}
    for path in sorted(library.rglob("*.py")):
        name = path.relative_to(library).as_posix()
        if name != "__init__.py":
            summary = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[
                0
            ]
            found[name.removesuffix("__init__.py")] = summary
    return found


def named_in(text: str) -> list[str]:
    """The paths that open a line of a list: - `core/state.py`: ..."""
    return re.findall(r"^\s*- `([^`]+)`: \S", text, re.MULTILINE)


def test_the_map_is_whole() -> None:
    modules, named = modules_of(LIBRARY), named_in(MAP.read_text(encoding="utf-8"))
    missing = [f"- `{name}`: {summary}" for name, summary in modules.items() if name not in named]
    assert missing == [], "add to docs/layout.md, in your own words:\n" + "\n".join(missing)
    gone = [name for name in named if name not in modules]
    assert gone == [], "docs/layout.md names what does not exist"
    assert len(named) == len(set(named)), "docs/layout.md names something twice"


def test_modules_and_names_are_found(tmp_path: Path) -> None:
    (tmp_path / "core").mkdir()
    (tmp_path / "__init__.py").touch()
    (tmp_path / "core" / "__init__.py").write_text('"""Layer 1.\n\nMore."""', encoding="utf-8")
    (tmp_path / "core" / "state.py").touch()
    assert modules_of(tmp_path) == {"core/": "Layer 1.", "core/state.py": ""}
    assert named_in(
        "- `core/`: layer 1\n  - `core/state.py`: the state\n- `core/empty.py`:\nSee `core/x.py`."
    ) == [
        "core/",
        "core/state.py",
    ]
