"""An index of applets in a key-value store.

Nothing in it is taken on trust: a package is checked when it comes in and again when it goes out, so a
store that somebody changed gives an error and never another applet. For one author, a name and version
stand for one applet.

Keys: ``p ‖ hash`` holds a package, ``m ‖ hash`` its manifest (what searches read), ``v ‖ keccak256(author
‖ name ‖ 0 ‖ version)`` the hash of that version, ``r ‖ hash`` a revocation. A revoked applet stays
listed, marked as such.

**Caveats**

The index is local: it knows the revocations it was given. Carry them to others with their packages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.apps.market.revocation import AppletRevoked, Revocation
from chainstack_sdk.apps.sandbox.errors import AppletRefused
from chainstack_sdk.apps.sandbox.manifest import Manifest, manifest_of
from chainstack_sdk.apps.sandbox.package import Applet
from chainstack_sdk.core.store import MemoryStore
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.rlp import rlp_decode
from chainstack_sdk.primitives.types import Hash32

if TYPE_CHECKING:
    from chainstack_sdk.apps.sandbox.manifest import Kind
    from chainstack_sdk.core.interfaces import KeyValueStore
    from chainstack_sdk.primitives.types import Address

_PACKAGE, _MANIFEST, _VERSION, _REVOKED = b"p", b"m", b"v", b"r"


@dataclass(frozen=True, slots=True)
class Listing:
    """An applet as searches show it."""

    hash: Hash32
    manifest: Manifest
    revoked: bool
    """Whether its author took it back."""


class Market:
    """Publish, search, fetch, verify, revoke.

    Parameters
    ----------
    store
        Where to keep the index; in memory by default. The market has the store to itself.
    """

    def __init__(self, store: KeyValueStore | None = None) -> None:
        self._store = MemoryStore() if store is None else store

    def publish(self, applet: Applet) -> Hash32:
        """List an applet and return its hash; listing it again changes nothing.

        Raises
        ------
        AppletRefused
            When its author published another applet under this name and version.
        AppletRevoked
            When it was taken back.
        """
        self._refuse_revoked(applet.hash)
        manifest = applet.manifest
        name = keccak256(manifest.author + manifest.name.encode() + b"\0" + manifest.version.encode())
        known = self._store.get(_VERSION + name)
        if known is None:
            self._store.write_batch(
                {
                    _PACKAGE + applet.hash: applet.encode(),
                    _MANIFEST + applet.hash: manifest.encode(),
                    _VERSION + name: applet.hash,
                }
            )
        elif known != applet.hash:
            raise AppletRefused(
                "another applet has this name and version",
                name=manifest.name,
                version=manifest.version,
                expected=known,
                actual=applet.hash,
            )
        return applet.hash

    def search(
        self,
        text: str = "",
        *,
        author: Address | None = None,
        kind: Kind | None = None,
        revoked: bool = False,
    ) -> tuple[Listing, ...]:
        """Return what is listed, in order of name, version (as numbers) and hash.

        Parameters
        ----------
        text
            A part of the name.
        author
            Only this author's.
        kind
            Only ``"js"`` or ``"wasm"``.
        revoked
            Whether to show what was taken back.

        Raises
        ------
        InvalidInput
            When the store was damaged.
        """
        found = [
            listing
            for listing in self._listings()
            if text in listing.manifest.name
            and author in (None, listing.manifest.author)
            and kind in (None, listing.manifest.kind)
            and (revoked or not listing.revoked)
        ]
        return tuple(sorted(found, key=_order))

    def fetch(self, applet: Hash32) -> Applet:
        """Return the applet with a hash, checked.

        Raises
        ------
        AppletRefused
            When it is not listed, or the store was damaged.
        AppletRevoked
            When it was taken back.
        """
        self._refuse_revoked(applet)
        return self._listed(applet)

    def verify(self, package: bytes) -> Applet:
        """Return the applet in a package from anywhere, if its signature holds and it was not taken back.

        Raises
        ------
        AppletRefused
            When it is not a signed applet.
        AppletRevoked
            When it was taken back.
        """
        applet = Applet.decode(package)
        self._refuse_revoked(applet.hash)
        return applet

    def revoke(self, revocation: Revocation) -> None:
        """Mark a listed applet as taken back, for good.

        Raises
        ------
        AppletRefused
            When it is not listed, or the revocation is not its author's.
        """
        revocation.check(self._listed(revocation.applet).manifest)
        self._store.write_batch({_REVOKED + revocation.applet: revocation.encode()})

    def revocations(self) -> tuple[Revocation, ...]:
        """Return all revocations, in order of the hashes: what to tell other markets.

        Raises
        ------
        InvalidInput
            When the store was damaged.
        """
        return tuple(Revocation.decode(data) for _, data in self._store.iterate(_REVOKED))

    def _listed(self, applet: Hash32) -> Applet:
        package = self._store.get(_PACKAGE + applet)
        if package is None:
            raise AppletRefused("no applet with this hash is listed", hash=applet)
        found = Applet.decode(package)
        if found.hash != applet:
            raise AppletRefused("the store was damaged", expected=applet, actual=found.hash)
        return found

    def _listings(self) -> list[Listing]:
        revoked = {key[1:] for key, _ in self._store.iterate(_REVOKED)}
        return [
            Listing(Hash32(key[1:]), manifest_of(rlp_decode(data)), key[1:] in revoked)
            for key, data in self._store.iterate(_MANIFEST)
        ]

    def _refuse_revoked(self, applet: Hash32) -> None:
        if self._store.get(_REVOKED + applet) is not None:
            raise AppletRevoked("the applet was taken back by its author", hash=applet)


def _order(listing: Listing) -> tuple[str, list[int], bytes]:
    manifest = listing.manifest
    return manifest.name, [int(number) for number in manifest.version.split(".")], listing.hash
