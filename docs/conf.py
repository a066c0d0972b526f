"""Sphinx configuration."""

from __future__ import annotations

import pkgutil
import re
from pathlib import Path
from typing import TYPE_CHECKING

import chainstack_sdk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

project = "chainstack_sdk"
author = "The chainstack_sdk authors"
copyright = author
version = release = chainstack_sdk.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
root_doc = "index"

html_theme = "furo"
html_title = f"chainstack_sdk {version}"

# Sphinx takes the builtin `type` in a signature for any of the fields that are called so.
suppress_warnings = ["ref.python"]

# With thousands of functions in it, the table of contents would be copied for every page, for minutes.
toc_object_entries = False

myst_heading_anchors = 3
napoleon_google_docstring = False
autodoc_member_order = "bysource"
maximum_signature_line_length = 90

SOURCE = Path(__file__).parents[1] / "src"
REFERENCE = Path(__file__).parent / "api"
MODULES = re.compile(r"^:modules-of: ([\w.]+)$", re.MULTILINE)


def sections_of(package: str) -> Iterator[str]:
    """A section for each public module of a package, depth first, with its text and what is defined in it.

    A package within it gives its text only, since what it offers is shown where it is defined. What has a
    page of its own is left to that page.
    """
    for module in pkgutil.iter_modules([str(SOURCE.joinpath(*package.split(".")))]):
        name = f"{package}.{module.name}"
        has_page = package == "chainstack_sdk" and (REFERENCE / f"{module.name}.md").exists()
        if module.name.startswith("_") or has_page:
            continue
        members = "no-members" if module.ispkg else "members"
        yield f"## {name}\n\n```{{eval-rst}}\n.. automodule:: {name}\n   :{members}:\n```\n"
        if module.ispkg:
            yield from sections_of(name)


def list_modules(app: Sphinx, page: str, source: list[str]) -> None:
    """Replace a line ``:modules-of: package`` by a section for each of its modules."""
    source[0] = MODULES.sub(lambda found: "\n".join(sections_of(found[1])), source[0])


def setup(app: Sphinx) -> None:
    """Connect what this file adds."""
    app.connect("source-read", list_modules)
