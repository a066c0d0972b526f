"""Compiles the parts of the library that are written in C, where that can be done.

An editable installation has them beside their sources, a wheel carries them. Without a C compiler, without
Python's headers, or when what was compiled does not work, the library is installed without them: it is
slower then and does the same. What is compiled uses Python's stable interface and serves 3.11 and all later
versions.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import sys_tags

PACKAGE = "chainstack_sdk"
SUFFIX = ".abi3.so"
FLAGS = ("-O2", "-fPIC", "-Wall")
LOAD = """
import sys
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_file_location
loader = ExtensionFileLoader(sys.argv[1], sys.argv[2])
module = module_from_spec(spec_from_file_location(sys.argv[1], sys.argv[2], loader=loader))
loader.exec_module(module)
"""
TRIAL_OF_KECCAK = """
known = "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"
assert module.keccak256(b"abc").hex() == known
assert module.keccak256_pieces(b"abc" * 9, 3).hex() == known * 9
"""
TRIAL_OF_MERGE = """
class Branch:
    mask, plain = 3, True
    payload = 2 * (b"\\xa0" + bytes(32)) + 15 * b"\\x80"
    children = [(32 * b"\\0", b"one"), (32 * b"\\x10", b"two")]
branch = Branch()
module.configure(Branch, None, None, None, None)
node, encoding = module.merge_branch(branch, [32 * b"\\x10"], [9 * b"three"], 0, 1, 0)
known = "eb02a17385edb3f9f811d8413cf436d77b4f7d9a0d244e40770f48d523eb44d7"
assert node is branch and branch.payload[34:66].hex() == known and encoding[2:] == branch.payload
"""
MODULES = {"primitives/_keccak": TRIAL_OF_KECCAK, "core/trie/_merge": TRIAL_OF_MERGE}
"""Each module in C by its path in the package, and the program that tries it."""


class CustomBuildHook(BuildHookInterface[Any]):
    """Adds the compiled parts to what is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile into the source tree or into the wheel; say why when it cannot be done."""
        self._directory = tempfile.TemporaryDirectory()
        for module, trial in MODULES.items():
            made = Path(self._directory.name) / (Path(module).name + SUFFIX)
            source = Path(self.root) / "src" / PACKAGE / module
            try:
                compile_module(source.with_suffix(".c"), made, trial)
            except (OSError, subprocess.SubprocessError) as error:
                self.app.display_warning(f"installing without {module}.c, which is optional: {error}")
                continue
            if version == "editable":
                place(made, source.with_name(made.name))
            else:
                build_data["pure_python"] = False
                build_data["tag"] = f"cp311-abi3-{platform_tag()}"
                build_data["force_include"][str(made)] = f"{PACKAGE}/{module}{SUFFIX}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Throw away what the wheel holds now."""
        self._directory.cleanup()


def compile_module(source: Path, target: Path, trial: str) -> None:
    """Compile, and try what came out in another process.

    Raises
    ------
    OSError, subprocess.SubprocessError
        When there is nothing to compile with, or it fails.
    """
    command = [*linker(), *FLAGS, f"-I{sysconfig.get_path('include')}", str(source), "-o", str(target)]
    run(command)
    run([sys.executable, "-I", "-c", LOAD + trial, source.stem, str(target)])


def linker() -> list[str]:
    """Return the command that makes modules of C: Python's own, with another compiler where that is gone."""
    command = shlex.split(os.environ.get("LDSHARED") or sysconfig.get_config_var("LDSHARED") or "")
    if not command:
        raise FileNotFoundError("this Python does not say how its modules are compiled")
    for compiler in (*shlex.split(os.environ.get("CC", ""))[:1], command[0], "cc", "gcc", "clang"):
        if shutil.which(compiler):
            return [compiler, *command[1:]]
    raise FileNotFoundError("there is no C compiler")


def run(command: list[str]) -> None:
    """Run a command; what it says is part of the error when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise subprocess.SubprocessError(f"{command[0]} failed: {done.stderr.strip()}")


def place(made: Path, target: Path) -> None:
    """Put a file where it belongs in one step: programs may be using the one that is there."""
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copyfile(made, beside)
    beside.replace(target)


def platform_tag() -> str:
    """Return the platform of a wheel that was made here and for here."""
    return next(tag.platform for tag in sys_tags() if not tag.platform.startswith(("manylinux", "musllinux")))
