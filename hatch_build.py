"""Compiles the one part of the library that is written in C, where that can be done.

An editable installation has it beside its source, a wheel carries it. Without a C compiler, without Python's
headers, or when what was compiled does not work, the library is installed without it: it is slower then and
does the same. What is compiled uses Python's stable interface and serves 3.11 and all later versions.
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

PACKAGE = "chainstack_sdk/primitives"
SOURCE = f"src/{PACKAGE}/_keccak.c"
BINARY = "_keccak.abi3.so"
FLAGS = ("-O2", "-fPIC", "-Wall")
TRIAL = """
import sys
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_file_location
loader = ExtensionFileLoader("_keccak", sys.argv[1])
module = module_from_spec(spec_from_file_location("_keccak", sys.argv[1], loader=loader))
loader.exec_module(module)
known = "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"
assert module.keccak256(b"abc").hex() == known
assert module.keccak256_pieces(b"abc" * 9, 3).hex() == known * 9
"""


class CustomBuildHook(BuildHookInterface[Any]):
    """Adds the compiled part to what is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile into the source tree or into the wheel; say why when it cannot be done."""
        self._directory = tempfile.TemporaryDirectory()
        made = Path(self._directory.name) / BINARY
        try:
            compile_module(Path(self.root) / SOURCE, made)
        except (OSError, subprocess.SubprocessError) as error:
            self.app.display_warning(f"installing without the compiled part, which is optional: {error}")
            return
        if version == "editable":
            place(made, Path(self.root) / "src" / PACKAGE / BINARY)
        else:
            build_data["pure_python"] = False
            build_data["tag"] = f"cp311-abi3-{platform_tag()}"
            build_data["force_include"][str(made)] = f"{PACKAGE}/{BINARY}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Throw away what the wheel holds now."""
        self._directory.cleanup()


def compile_module(source: Path, target: Path) -> None:
    """Compile, and try what came out in another process.

    Raises
    ------
    OSError, subprocess.SubprocessError
        When there is nothing to compile with, or it fails.
    """
    command = [*linker(), *FLAGS, f"-I{sysconfig.get_path('include')}", str(source), "-o", str(target)]
    run(command)
    run([sys.executable, "-I", "-c", TRIAL, str(target)])


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
    beside = target.with_name(f".{BINARY}.{os.getpid()}")
    shutil.copyfile(made, beside)
    beside.replace(target)


def platform_tag() -> str:
    """Return the platform of a wheel that was made here and for here."""
    return next(tag.platform for tag in sys_tags() if not tag.platform.startswith(("manylinux", "musllinux")))
