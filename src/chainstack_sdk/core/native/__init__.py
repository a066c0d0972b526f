"""Native contracts: Python classes behind an ABI, with the storage layout and the events of Solidity.

System contracts and the instances of paradigms are made of these. An account's code says which one
answers its calls.
"""

from chainstack_sdk.core.native.code import paradigm_code, parse_paradigm_code, system_code
from chainstack_sdk.core.native.contract import External, NativeContract, error, event, external, run
from chainstack_sdk.core.native.slots import (
    MappingSlots,
    NestedMappingSlots,
    array_slot,
    load_bytes,
    mapping_slot,
    slot,
    store_bytes,
    text_mapping_slot,
)

__all__ = [
    "External",
    "MappingSlots",
    "NativeContract",
    "NestedMappingSlots",
    "array_slot",
    "error",
    "event",
    "external",
    "load_bytes",
    "mapping_slot",
    "paradigm_code",
    "parse_paradigm_code",
    "run",
    "slot",
    "store_bytes",
    "system_code",
    "text_mapping_slot",
]
