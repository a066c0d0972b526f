"""Machines that come with the library: parameters, one transaction that issues them, a typed handle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives import _lazy

if TYPE_CHECKING:
    from chainstack_sdk.machines.standard.data_task import DataTask
    from chainstack_sdk.machines.standard.insurance import Insurance
    from chainstack_sdk.machines.standard.insurance_handle import (
        InsuranceProduct,
        Outcome,
        Policy,
        Pool,
        Terms,
    )
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
            "Batch": "traceability_handle",
            "DataTask": "data_task",
            "Insurance": "insurance",
            "InsuranceProduct": "insurance_handle",
            "Item": "traceability_handle",
            "Outcome": "insurance_handle",
            "Policy": "insurance_handle",
            "Pool": "insurance_handle",
            "ProductLine": "traceability_handle",
            "Terms": "insurance_handle",
            "Traceability": "traceability",
            "label_id": "traceability_handle",
        },
    )

__all__ = [
    "Batch",
    "DataTask",
    "Insurance",
    "InsuranceProduct",
    "Item",
    "Outcome",
    "Policy",
    "Pool",
    "ProductLine",
    "Terms",
    "Traceability",
    "label_id",
]
