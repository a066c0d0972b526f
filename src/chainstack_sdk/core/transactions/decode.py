"""From bytes to transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.gas import MAX_INITCODE_SIZE, intrinsic_gas
from chainstack_sdk.core.transactions.access_list import decode_access_list
from chainstack_sdk.core.transactions.known import known
from chainstack_sdk.core.transactions.layout import split_transaction
from chainstack_sdk.core.transactions.transaction import DYNAMIC_FEE, LEGACY, Transaction
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256, keccak256_many
from chainstack_sdk.primitives.keys import HALF_N, N
from chainstack_sdk.primitives.rlp import list_header, rlp_int

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chainstack_sdk.core.transactions.access_list import AccessList

MAX_CHAIN_ID = 2**63 - 37
"""The largest chain id: with it the ``v`` of a legacy transaction still fits 64 bits (EIP-2294)."""
MAX_NONCE = 2**64 - 2
"""The largest nonce a transaction may have (EIP-2681)."""
MAX_UINT64 = 2**64 - 1
MAX_UINT256 = 2**256 - 1

_ZERO = bytes(32)
_ORDER = N.to_bytes(32, "big")
_HALF_ORDER = HALF_N.to_bytes(32, "big")
_EMPTY_LIST = b"\xc0"
_PARITIES = {b"\x80": b"\x00", b"\x01": b"\x01"}
"""From the encoding of an integer to the last byte of a signature."""
DONE = (Transaction, InvalidInput)
"""What is decoded already; a union in place would be built anew for each transaction."""

_from_bytes = int.from_bytes


def decode_transaction(raw: bytes) -> Transaction:
    """Decode a signed transaction; one that this process knows already is not decoded again.

    Everything is checked that the bytes alone can tell, except whether the signature belongs to any key:
    see :attr:`Transaction.sender`. Whether the chain id is the right one is for the chain to say.

    Parameters
    ----------
    raw
        The envelope (EIP-2718): ``0x01`` or ``0x02`` and an RLP list, or a legacy RLP list.

    Raises
    ------
    InvalidInput
        For an unknown type, RLP that is not canonical, a wrong number or size of fields, leading zeros; a
        nonce above 2**64 - 2; a priority fee above the maximum fee; ``gas * max_fee_per_gas`` above
        2**256 - 1; a chain id or parity that cannot be; r or s out of range, or s in the upper half of
        the group order (EIP-2); too much init code (EIP-3860); less gas than the intrinsic gas.
    """
    if type(raw) is not bytes:
        raw = _plain(raw)
    transaction = known.get(raw)
    if transaction is None:
        transaction, signed = _decode(raw)
        transaction.signing_hash = keccak256(signed)
        transaction.hash = keccak256(raw)
    return transaction


def decode_many(raws: Iterable[bytes | Transaction | InvalidInput]) -> list[Transaction | InvalidInput]:
    """Do what :func:`decode_transaction` does for many; an error takes its place in the list.

    Those decoded already pass through, and so do errors. All that is to be hashed is hashed together.
    """
    results: list[Transaction | InvalidInput] = []
    new: list[Transaction] = []
    messages: list[bytes] = []  # of each new one what was signed, then the whole
    for raw in raws:
        if isinstance(raw, DONE):
            results.append(raw)
            continue
        if type(raw) is not bytes:
            raw = _plain(raw)
        transaction = known.get(raw)
        if transaction is None:
            try:
                transaction, signed = _decode(raw)
            except InvalidInput as error:
                results.append(error)
                continue
            new.append(transaction)
            messages += (signed, raw)
        results.append(transaction)
    hashes = iter(keccak256_many(messages))
    for transaction in new:
        transaction.signing_hash = next(hashes)
        transaction.hash = next(hashes)
    return results


def _plain(raw: object) -> bytes:
    """Return exact ``bytes``, which hashing wants, for any kind of bytes."""
    if not isinstance(raw, bytes | bytearray | memoryview):
        raise UsageError("an encoded transaction is bytes", actual=type(raw).__name__)
    return bytes(raw)


def _decode(raw: bytes) -> tuple[Transaction, bytes]:
    """Return a transaction without its two hashes, and what was signed."""
    kind, fields, head, signed = split_transaction(raw)
    tx = Transaction()
    tx.type = kind
    access_list: AccessList = ()
    if kind == LEGACY:
        nonce, fee, gas, to, value, tx.data, v, r, s = fields
        tip = fee
        tx.chain_id, parity, message = _legacy_signature(v, signed, head)
    else:
        if kind == DYNAMIC_FEE:
            chain_id, nonce, tip, fee, gas, to, value, tx.data, entries, y, r, s = fields
        else:
            chain_id, nonce, fee, gas, to, value, tx.data, entries, y, r, s = fields
            tip = fee
        tx.chain_id = _from_bytes(chain_id, "big")
        if not 0 < tx.chain_id <= MAX_CHAIN_ID:
            raise InvalidInput("chain id is out of range", actual=tx.chain_id)
        if y not in _PARITIES:
            raise InvalidInput("y parity is neither 0 nor 1", actual=y)
        parity = _PARITIES[y]
        message = head + signed
        if entries != _EMPTY_LIST:
            access_list = decode_access_list(entries)
    tx.access_list = access_list
    tx.nonce = _from_bytes(nonce, "big")
    tx.max_fee_per_gas = max_fee = _from_bytes(fee, "big")
    tx.max_priority_fee_per_gas = priority_fee = max_fee if tip is fee else _from_bytes(tip, "big")
    tx.gas = gas_limit = _from_bytes(gas, "big")
    tx.to = recipient = to or None
    amount = _from_bytes(value, "big")
    tx.value = amount
    most = gas_limit * max_fee
    tx.cost = most + amount
    tx.intrinsic_gas = intrinsic = intrinsic_gas(tx.data, recipient is None, access_list)
    if tx.nonce > MAX_NONCE:
        raise InvalidInput("nonce is too high", expected=MAX_NONCE, actual=tx.nonce)
    if priority_fee > max_fee:
        raise InvalidInput("priority fee is above the maximum fee", expected=max_fee, actual=priority_fee)
    if most > MAX_UINT256:
        raise InvalidInput("gas limit times maximum fee overflows 256 bits", gas=gas_limit, max_fee=max_fee)
    if recipient is None and len(tx.data) > MAX_INITCODE_SIZE:
        raise InvalidInput("init code is too long", expected=MAX_INITCODE_SIZE, actual=len(tx.data))
    if intrinsic > gas_limit:
        raise InvalidInput("gas limit is below the intrinsic gas", expected=intrinsic, actual=gas_limit)
    tx.signature = _signature(r, s, parity)
    tx.raw = raw
    tx._sender = None
    return tx, message


def _legacy_signature(v: bytes, signed: bytes, head: bytes) -> tuple[int | None, bytes, bytes]:
    """Return chain id, parity byte and what was signed of a legacy transaction (EIP-155)."""
    number = _from_bytes(v, "big")
    if number in (27, 28):
        return None, b"\x01" if number == 28 else b"\x00", head + signed
    chain_id = (number - 35) >> 1
    if not 0 < chain_id <= MAX_CHAIN_ID:
        raise InvalidInput("v stands for no chain id (EIP-155)", actual=number)
    payload = signed + rlp_int(chain_id) + b"\x80\x80"
    parity = b"\x00" if number & 1 else b"\x01"
    return chain_id, parity, list_header(len(payload)) + payload


def _signature(r: bytes, s: bytes, parity: bytes) -> bytes:
    """Return the 65 bytes of a signature from its integers without leading zeros."""
    if len(r) != 32:
        r = r.rjust(32, b"\0")
    if len(s) != 32:
        s = s.rjust(32, b"\0")
    if not (_ZERO < r < _ORDER and _ZERO < s <= _HALF_ORDER):
        raise InvalidInput("r or s of the signature is out of range (EIP-2)", r=r, s=s)
    return r + s + parity
