"""Applets: small programs of others, in JavaScript or WebAssembly, that cannot do harm.

An :class:`Applet` is a signed package that says what it wants (:class:`Manifest`). A :class:`Sandbox`
runs it with limits on work, time and memory, over an input and the records the user granted
(:class:`Grant`), and hands back what it let out and what it used (:class:`Run`). Running takes the extra
``chainstack-sdk[sandbox]``; making, checking and listing packages does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives import _lazy

if TYPE_CHECKING:
    from chainstack_sdk.apps.sandbox.errors import (
        AppletError,
        AppletFailed,
        AppletRefused,
        CapabilityDenied,
        FuelExhausted,
        MemoryExceeded,
        QuotaExceeded,
        TimeExceeded,
    )
    from chainstack_sdk.apps.sandbox.json_values import Json, decode_json, encode_json
    from chainstack_sdk.apps.sandbox.limits import Limits, Usage
    from chainstack_sdk.apps.sandbox.manifest import MAX_EMIT, Manifest
    from chainstack_sdk.apps.sandbox.package import MAX_CODE, MAX_PACKAGE, Applet
    from chainstack_sdk.apps.sandbox.pins import ENGINE_VERSION, GUEST_SHA256, PROFILE
    from chainstack_sdk.apps.sandbox.sandbox import Grant, Run, Sandbox
else:
    __getattr__, __dir__ = _lazy.exports(
        __name__,
        {
            "ENGINE_VERSION": "pins",
            "GUEST_SHA256": "pins",
            "MAX_CODE": "package",
            "MAX_EMIT": "manifest",
            "MAX_PACKAGE": "package",
            "PROFILE": "pins",
            "Applet": "package",
            "AppletError": "errors",
            "AppletFailed": "errors",
            "AppletRefused": "errors",
            "CapabilityDenied": "errors",
            "FuelExhausted": "errors",
            "Grant": "sandbox",
            "Json": "json_values",
            "Limits": "limits",
            "Manifest": "manifest",
            "MemoryExceeded": "errors",
            "QuotaExceeded": "errors",
            "Run": "sandbox",
            "Sandbox": "sandbox",
            "TimeExceeded": "errors",
            "Usage": "limits",
            "decode_json": "json_values",
            "encode_json": "json_values",
        },
    )

__all__ = [
    "ENGINE_VERSION",
    "GUEST_SHA256",
    "MAX_CODE",
    "MAX_EMIT",
    "MAX_PACKAGE",
    "PROFILE",
    "Applet",
    "AppletError",
    "AppletFailed",
    "AppletRefused",
    "CapabilityDenied",
    "FuelExhausted",
    "Grant",
    "Json",
    "Limits",
    "Manifest",
    "MemoryExceeded",
    "QuotaExceeded",
    "Run",
    "Sandbox",
    "TimeExceeded",
    "Usage",
    "decode_json",
    "encode_json",
]
