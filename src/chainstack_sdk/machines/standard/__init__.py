"""Machines that come with the library, with parameters and typed handles, issued by one transaction each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives import _lazy

if TYPE_CHECKING:
    from chainstack_sdk.machines.standard.credential import Credential, Disclosure
    from chainstack_sdk.machines.standard.handle import StandardHandle
    from chainstack_sdk.machines.standard.registry import RightsRegistry
    from chainstack_sdk.machines.standard.registry_handle import FOREVER, Record, RegistryHandle
    from chainstack_sdk.machines.standard.rental import Rental
    from chainstack_sdk.machines.standard.rental_handle import Lease, RentalHandle, RentalTerms, Settlement
else:
    __getattr__, __dir__ = _lazy.exports(
        __name__,
        {
            "Credential": "credential",
            "Disclosure": "credential",
            "FOREVER": "registry_handle",
            "Lease": "rental_handle",
            "Record": "registry_handle",
            "RegistryHandle": "registry_handle",
            "Rental": "rental",
            "RentalHandle": "rental_handle",
            "RentalTerms": "rental_handle",
            "RightsRegistry": "registry",
            "Settlement": "rental_handle",
            "StandardHandle": "handle",
        },
    )

__all__ = [
    "FOREVER",
    "Credential",
    "Disclosure",
    "Lease",
    "Record",
    "RegistryHandle",
    "Rental",
    "RentalHandle",
    "RentalTerms",
    "RightsRegistry",
    "Settlement",
    "StandardHandle",
]
