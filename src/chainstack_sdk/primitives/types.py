"""Names for the plain bytes and integers that must not be mixed up.

They exist for the type checker alone: at run time an :data:`Address` is ``bytes`` and a :data:`Wei`
is ``int``.
"""

from __future__ import annotations

from typing import NewType

Address = NewType("Address", bytes)
"""An account's address: 20 bytes."""

Hash32 = NewType("Hash32", bytes)
"""A hash: 32 bytes."""

Wei = NewType("Wei", int)
"""An amount of a chain's coin in its smallest unit; 10**18 make one coin."""

Gas = NewType("Gas", int)
"""An amount of gas, the unit in which work is metered."""

Height = NewType("Height", int)
"""The number of a block; genesis is 0."""

Nonce = NewType("Nonce", int)
"""How many transactions an account has sent; the next one carries this number."""

ChainId = NewType("ChainId", int)
"""The number that keeps transactions of one chain from being replayed on another (EIP-155)."""
