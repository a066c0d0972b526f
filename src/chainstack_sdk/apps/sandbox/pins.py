"""Which engine and which JavaScript guest: exactly these, found without loading them.

The guest is quickjs-ng compiled to WebAssembly, as the package ``pwasm`` ships it (only that file is
used, and none of the package's code is run). It is checked against its recorded hash each time it is
loaded.
"""

from __future__ import annotations

from hashlib import sha256

from chainstack_sdk.primitives.errors import UsageError

ENGINE_VERSION = "50.0.1"
"""The version of wasmtime."""

GUEST_PACKAGE = "pwasm"
"""The package that ships the guest."""

GUEST_FILE = "guests/quickjs.wasm"
"""Where in the package it is."""

GUEST_SHA256 = "6dba22b6af15ae1d3e13d0a1e780ab21e8d2814ab934760fe17bdaa63c0d7191"
"""The guest's hash."""

SETTINGS = 1
"""Number of the settings in :mod:`~chainstack_sdk.apps.sandbox.engine`, the host's prices and the prelude."""

PROFILE = sha256(f"wasmtime {ENGINE_VERSION} quickjs {GUEST_SHA256} settings {SETTINGS}".encode()).digest()
"""Names all that results and fuel depend on: 32 bytes."""


def require_wasmtime() -> None:
    """Check that the pinned engine is installed.

    Raises
    ------
    UsageError
        When it is missing, or of another version.
    """
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version("wasmtime")
    except PackageNotFoundError:
        raise _missing("wasmtime") from None
    if found != ENGINE_VERSION:
        raise UsageError(
            "the sandbox runs on another version of wasmtime", expected=ENGINE_VERSION, actual=found
        )


def load_guest() -> bytes:
    """Return the WebAssembly module of the JavaScript engine.

    Raises
    ------
    UsageError
        When it is not installed, or its hash is not the recorded one.
    """
    from importlib.util import find_spec
    from pathlib import Path

    spec = find_spec(GUEST_PACKAGE)  # finds the package's place; its code is not run
    if spec is None or spec.origin is None:
        raise _missing(GUEST_PACKAGE)
    try:
        guest = Path(spec.origin).parent.joinpath(GUEST_FILE).read_bytes()
    except OSError:
        raise _missing(GUEST_FILE) from None
    found = sha256(guest).hexdigest()
    if found != GUEST_SHA256:
        raise UsageError("the JavaScript guest is not the recorded one", expected=GUEST_SHA256, actual=found)
    return guest


def _missing(what: str) -> UsageError:
    return UsageError(f"the sandbox needs {what}: pip install 'chainstack-sdk[sandbox]'", extra="sandbox")
