"""Machines that come with the library, with parameters and typed handles, issued by one transaction each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives import _lazy

if TYPE_CHECKING:
    from chainstack_sdk.machines.standard.rental import Rental
    from chainstack_sdk.machines.standard.rental_handle import Lease, RentalHandle, RentalTerms, Settlement
else:
    __getattr__, __dir__ = _lazy.exports(
        __name__,
        {
            "Lease": "rental_handle",
            "Rental": "rental",
            "RentalHandle": "rental_handle",
            "RentalTerms": "rental_handle",
            "Settlement": "rental_handle",
        },
    )

__all__ = [
    "Lease",
    "Rental",
    "RentalHandle",
    "RentalTerms",
    "Settlement",
]
