"""Machines that come with the library: parameters, one transaction that issues them, a typed handle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives import _lazy

if TYPE_CHECKING:
    from chainstack_sdk.machines.standard.credential import Credential, Disclosure
    from chainstack_sdk.machines.standard.data_task import DataTask
    from chainstack_sdk.machines.standard.handle import StandardHandle
    from chainstack_sdk.machines.standard.insurance import Insurance
    from chainstack_sdk.machines.standard.insurance_handle import (
        InsuranceProduct,
        Outcome,
        Policy,
        Pool,
        Terms,
    )
    from chainstack_sdk.machines.standard.registry import RightsRegistry
    from chainstack_sdk.machines.standard.registry_handle import FOREVER, Record, RegistryHandle
    from chainstack_sdk.machines.standard.rental import Rental
    from chainstack_sdk.machines.standard.rental_handle import Lease, RentalHandle, RentalTerms, Settlement
    from chainstack_sdk.machines.standard.traceability import Traceability
    from chainstack_sdk.machines.standard.traceability_handle import (
        Batch,
        Item,
        ProductLine,
        label_id,
    )
else:
    __getattr__, __dir__ = _lazy.exports(
        __name__,
        {
            "FOREVER": "registry_handle",
            "Batch": "traceability_handle",
            "Credential": "credential",
            "DataTask": "data_task",
            "Disclosure": "credential",
            "Insurance": "insurance",
            "InsuranceProduct": "insurance_handle",
            "Item": "traceability_handle",
            "Lease": "rental_handle",
            "Outcome": "insurance_handle",
            "Policy": "insurance_handle",
            "Pool": "insurance_handle",
            "ProductLine": "traceability_handle",
            "Record": "registry_handle",
            "RegistryHandle": "registry_handle",
            "Rental": "rental",
            "RentalHandle": "rental_handle",
            "RentalTerms": "rental_handle",
            "RightsRegistry": "registry",
            "Settlement": "rental_handle",
            "StandardHandle": "handle",
            "Terms": "insurance_handle",
            "Traceability": "traceability",
            "label_id": "traceability_handle",
        },
    )

__all__ = [
    "FOREVER",
    "Batch",
    "Credential",
    "DataTask",
    "Disclosure",
    "Insurance",
    "InsuranceProduct",
    "Item",
    "Lease",
    "Outcome",
    "Policy",
    "Pool",
    "ProductLine",
    "Record",
    "RegistryHandle",
    "Rental",
    "RentalHandle",
    "RentalTerms",
    "RightsRegistry",
    "Settlement",
    "StandardHandle",
    "Terms",
    "Traceability",
    "label_id",
]
