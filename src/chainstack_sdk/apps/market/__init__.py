"""A local market: an index of applets to publish in, search, fetch from and revoke."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives import _lazy

if TYPE_CHECKING:
    from chainstack_sdk.apps.market.index import Listing, Market
    from chainstack_sdk.apps.market.revocation import AppletRevoked, Revocation
else:
    __getattr__, __dir__ = _lazy.exports(
        __name__,
        {"AppletRevoked": "revocation", "Listing": "index", "Market": "index", "Revocation": "revocation"},
    )

__all__ = ["AppletRevoked", "Listing", "Market", "Revocation"]
