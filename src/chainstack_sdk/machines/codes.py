"""Where a chain has its deployer of machines, and how the code of machines begins.

A chain knows this much of machines from the start; everything else is loaded when it meets the first one.
"""

from __future__ import annotations

from typing import Final

from chainstack_sdk.core.native.code import MAGIC, system_code

DEPLOYER_ADDRESS = bytes.fromhex("000000000000000000000000000000000000430c")
"""Where every chain has its deployer of machines: 0x43 as in the code of native contracts, number 12."""
DEPLOYER_CODE = system_code("machines")
"""The deployer's code, to be put at :data:`DEPLOYER_ADDRESS` in the genesis."""
MACHINE: Final = 0x02
"""Kind of the code of machines."""
VERSION: Final = 1
"""Version of that code: of the meaning of encodings."""
MACHINE_HEAD = MAGIC + bytes((MACHINE, VERSION))
"""What the code of a machine begins with; its encoding follows."""
CALENDAR_ROOT = bytes(32)
"""The deployer's slot that is zero when no timer waits; see :mod:`chainstack_sdk.machines.calendar`."""
