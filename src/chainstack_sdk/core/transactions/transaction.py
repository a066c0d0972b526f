"""The transaction as a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives.keys import recover

if TYPE_CHECKING:
    from chainstack_sdk.core.transactions.access_list import AccessList

LEGACY = 0
"""A list without envelope, with (EIP-155) or without a chain id in its signature."""
ACCESS_LIST = 1
"""EIP-2930: ``0x01 ‖ rlp([chain_id, nonce, gas_price, gas, to, value, data, access_list, y, r, s])``."""
DYNAMIC_FEE = 2
"""EIP-1559: as above with ``max_priority_fee_per_gas, max_fee_per_gas`` for ``gas_price``."""


class Transaction:
    """A signed transaction whose form has been checked.

    Made by :func:`~chainstack_sdk.core.transactions.decode_transaction` and
    :func:`~chainstack_sdk.core.transactions.sign_transaction`, which fill the attributes directly:
    thousands are made a second, and a frozen class would double the cost. Read-only by agreement. Two
    transactions are equal when their encodings are.
    """

    __slots__ = (
        "_sender",
        "access_list",
        "chain_id",
        "cost",
        "data",
        "gas",
        "hash",
        "intrinsic_gas",
        "max_fee_per_gas",
        "max_priority_fee_per_gas",
        "nonce",
        "raw",
        "signature",
        "signing_hash",
        "to",
        "type",
        "value",
    )

    raw: bytes
    """The canonical encoding (EIP-2718), what the sender sent and what blocks carry."""
    hash: bytes
    """keccak(raw), 32 bytes."""
    type: int
    """:data:`LEGACY`, :data:`ACCESS_LIST` or :data:`DYNAMIC_FEE`."""
    chain_id: int | None
    """The only chain where it is valid; None in a legacy transaction without EIP-155, valid on any."""
    nonce: int
    """How many transactions the sender sent before, from 0 to 2**64 - 2 (EIP-2681)."""
    max_priority_fee_per_gas: int
    """The most the sender pays the block's producer, in wei per gas; of types 0 and 1 the gas price."""
    max_fee_per_gas: int
    """The most the sender pays in all, in wei per gas; of types 0 and 1 the gas price."""
    gas: int
    """Gas limit."""
    to: bytes | None
    """Recipient, 20 bytes, or None to make a contract."""
    value: int
    """Wei that go to the recipient."""
    data: bytes
    """Input of the call, or the code of the contract to make."""
    access_list: AccessList
    """Announced accounts and slots, in the sender's order; empty in legacy transactions."""
    cost: int
    """The most that it can take from the sender: ``gas * max_fee_per_gas + value``, in wei."""
    intrinsic_gas: int
    """Gas paid before anything runs; at most :attr:`gas`."""
    signing_hash: bytes
    """The 32 bytes that the sender signed."""
    signature: bytes
    """r (32 bytes), s (32 bytes), y parity (one byte, 0 or 1), as for ``recover``."""
    _sender: bytes | None

    @property
    def sender(self) -> bytes:
        """The address that signed, 20 bytes: recovered on first use (about 50 us), then kept.

        Raises
        ------
        InvalidInput
            When no key makes this signature, which decoding alone cannot tell.
        """
        sender = self._sender
        if sender is None:
            sender = self._sender = recover(self.signing_hash, self.signature)
        return sender

    @property
    def is_create(self) -> bool:
        """Whether it makes a contract instead of calling one."""
        return self.to is None

    @property
    def gas_price(self) -> int:
        """Another name of :attr:`max_fee_per_gas`: the price that types 0 and 1 name, in wei per gas."""
        return self.max_fee_per_gas

    @property
    def r(self) -> int:
        """First half of the signature."""
        return int.from_bytes(self.signature[:32], "big")

    @property
    def s(self) -> int:
        """Second half of the signature, at most half the group order (EIP-2)."""
        return int.from_bytes(self.signature[32:64], "big")

    @property
    def y_parity(self) -> int:
        """Which of two points r stands for: 0 or 1."""
        return self.signature[64]

    @property
    def v(self) -> int:
        """The parity as the encoding has it.

        Of a legacy transaction 27 or 28 plus parity, or ``35 + 2 * chain_id`` plus parity (EIP-155);
        of the others the parity itself.
        """
        parity = self.signature[64]
        if self.type != LEGACY:
            return parity
        return parity + (27 if self.chain_id is None else 35 + 2 * self.chain_id)

    def encode(self) -> bytes:
        """Return :attr:`raw`."""
        return self.raw

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Transaction):
            return NotImplemented
        return self.raw == other.raw

    def __hash__(self) -> int:
        return hash(self.raw)

    def __repr__(self) -> str:
        return f"<Transaction 0x{self.hash.hex()}>"
