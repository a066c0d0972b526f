"""How a sandbox says no.

::

    InvalidInput
    └── AppletError
        ├── AppletRefused      not run at all: bad code or signature, a foreign import, too costly to compile
        ├── AppletFailed       the applet's own mistake: it threw, trapped or broke the calling rules
        ├── FuelExhausted      it used all the work it may do
        ├── TimeExceeded       it ran longer than this machine allows
        ├── MemoryExceeded     it asked for more memory than it may have
        ├── CapabilityDenied   it reached for what was not granted
        └── QuotaExceeded      it tried to let out more bytes than were granted

Each has ``usage``, what the run had used: a :class:`~chainstack_sdk.apps.sandbox.Usage`, or None when it did
not begin.

**Caveats**

The text of :class:`AppletFailed` was written by the applet and may hold what it read: show it to the user of
this machine, and never send it to anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from chainstack_sdk.apps.sandbox.limits import Usage


class AppletError(InvalidInput):
    """An applet was refused or stopped; nothing it let out before is kept."""

    usage: Usage | None = None
    """What the run had used, None when it did not begin."""


class AppletRefused(AppletError):
    """The applet is not run: its package, its code or what it needs is not acceptable."""


class AppletFailed(AppletError):
    """The applet made a mistake of its own: it threw an error, trapped or broke the calling rules."""


class FuelExhausted(AppletError):
    """The applet used up its fuel."""


class TimeExceeded(AppletError):
    """The applet ran longer than the machine's wall clock allows."""


class MemoryExceeded(AppletError):
    """The applet asked for more memory than it may have."""


class CapabilityDenied(AppletError):
    """The applet used a capability that it did not request, or that was not granted."""


class QuotaExceeded(AppletError):
    """The applet tried to let out more bytes than it may."""
