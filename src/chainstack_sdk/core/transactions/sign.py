"""From fields to signed transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.gas import MAX_INITCODE_SIZE, intrinsic_gas
from chainstack_sdk.core.transactions.access_list import encode_access_list
from chainstack_sdk.core.transactions.decode import MAX_CHAIN_ID, MAX_NONCE, MAX_UINT64, MAX_UINT256
from chainstack_sdk.core.transactions.known import known
from chainstack_sdk.core.transactions.transaction import ACCESS_LIST, DYNAMIC_FEE, LEGACY, Transaction
from chainstack_sdk.primitives.address import to_address
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.keys import Account, recover_sender
from chainstack_sdk.primitives.rlp import list_header, rlp_bytes, rlp_int

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chainstack_sdk.core.transactions.access_list import AccessList
    from chainstack_sdk.primitives.address import AddressLike
    from chainstack_sdk.primitives.keys import Signer

_ENVELOPES = {LEGACY: b"", ACCESS_LIST: b"\x01", DYNAMIC_FEE: b"\x02"}


def sign_transaction(
    signer: Signer,
    *,
    chain_id: int,
    nonce: int,
    to: AddressLike | None,
    gas: int,
    value: int = 0,
    data: bytes = b"",
    max_fee_per_gas: int | None = None,
    max_priority_fee_per_gas: int | None = None,
    gas_price: int | None = None,
    access_list: Iterable[tuple[AddressLike, Iterable[bytes]]] | None = None,
) -> Transaction:
    """Sign a transaction; the process then knows it (see :class:`KnownTransactions`).

    The type follows from the fees: ``max_fee_per_gas`` makes a type 2 transaction, ``gas_price`` a legacy
    one (always with EIP-155), or type 1 when there is an access list.

    Parameters
    ----------
    signer
        An account, or anything with ``address`` and ``sign(digest)``. What other signers than
        :class:`Account` return is verified by recovering the address, about 50 us more.
    chain_id
        The chain where it will be valid.
    nonce
        How many transactions the signer sent before.
    to
        Recipient, or None to make a contract.
    gas
        Gas limit.
    value
        Wei for the recipient.
    data
        Input of the call, or code of the contract to make.
    max_fee_per_gas, max_priority_fee_per_gas
        Wei per gas: the most in all, and the most for the producer (0 when not given).
    gas_price
        Wei per gas, in place of the two.
    access_list
        Pairs of an address and its storage keys of 32 bytes each.

    Raises
    ------
    UsageError
        When an argument is missing, contradicts another or is out of range, gas is below the intrinsic
        gas, or the signer's signature is not its own: whatever is returned can be decoded.
    """
    tx = Transaction()
    tx.chain_id = chain_id
    tx.nonce = nonce
    tx.gas = gas
    tx.to = None if to is None else to_address(to)
    tx.value = value
    tx.data = _checked_data(data)
    tx.access_list = _checked_list(access_list) if access_list else ()
    _set_fees(tx, max_fee_per_gas, max_priority_fee_per_gas, gas_price, access_list is not None)
    _check(tx)
    envelope = _ENVELOPES[tx.type]
    fields = _fields(tx)
    payload = fields if tx.type else b"".join((fields, rlp_int(chain_id), b"\x80\x80"))
    tx.signing_hash = keccak256(b"".join((envelope, list_header(len(payload)), payload)))
    tx.signature = signature = _signature(signer, tx.signing_hash)
    tx._sender = signer.address
    payload = b"".join((fields, rlp_int(tx.v), _scalar(signature[:32]), _scalar(signature[32:64])))
    tx.raw = b"".join((envelope, list_header(len(payload)), payload))
    tx.hash = keccak256(tx.raw)
    known.add(tx)
    return tx


def _set_fees(
    tx: Transaction, max_fee: int | None, priority_fee: int | None, gas_price: int | None, has_list: bool
) -> None:
    if gas_price is None:
        if max_fee is None:
            raise UsageError("name a price: max_fee_per_gas or gas_price")
        tx.type = DYNAMIC_FEE
        tx.max_fee_per_gas = max_fee
        tx.max_priority_fee_per_gas = 0 if priority_fee is None else priority_fee
    else:
        if max_fee is not None or priority_fee is not None:
            raise UsageError("gas_price excludes max_fee_per_gas and max_priority_fee_per_gas")
        tx.type = ACCESS_LIST if has_list else LEGACY
        tx.max_fee_per_gas = tx.max_priority_fee_per_gas = gas_price


def _check(tx: Transaction) -> None:
    """Raise UsageError for the first field out of range."""
    for name, number, least, most in (
        ("chain_id", tx.chain_id, 1, MAX_CHAIN_ID),
        ("nonce", tx.nonce, 0, MAX_NONCE),
        ("gas", tx.gas, 0, MAX_UINT64),
        ("value", tx.value, 0, MAX_UINT256),
        ("price per gas", tx.max_fee_per_gas, 0, MAX_UINT256),
        ("priority fee per gas", tx.max_priority_fee_per_gas, 0, tx.max_fee_per_gas),
    ):
        if not isinstance(number, int):
            raise UsageError(f"{name} is a whole number", actual=type(number).__name__)
        if not least <= number <= most:
            raise UsageError(f"{name} is out of range", least=least, most=most, actual=number)
    tx.cost = tx.gas * tx.max_fee_per_gas + tx.value
    if tx.cost - tx.value > MAX_UINT256:
        raise UsageError("gas times price per gas overflows 256 bits")
    is_create = tx.to is None
    if is_create and len(tx.data) > MAX_INITCODE_SIZE:
        raise UsageError("init code is too long", most=MAX_INITCODE_SIZE, actual=len(tx.data))
    tx.intrinsic_gas = intrinsic_gas(tx.data, is_create, tx.access_list)
    if tx.gas < tx.intrinsic_gas:
        raise UsageError("gas limit is below the intrinsic gas", expected=tx.intrinsic_gas, actual=tx.gas)


def _checked_data(data: bytes) -> bytes:
    if not isinstance(data, bytes | bytearray | memoryview):
        raise UsageError("data is bytes", actual=type(data).__name__)
    return bytes(data)


def _checked_list(access_list: Iterable[tuple[AddressLike, Iterable[bytes]]]) -> AccessList:
    checked = tuple([(bytes(to_address(address)), tuple(keys)) for address, keys in access_list])
    for _address, keys in checked:
        for key in keys:
            if not isinstance(key, bytes) or len(key) != 32:
                raise UsageError("a storage key in an access list has 32 bytes", actual=key)
    return checked


def _fields(tx: Transaction) -> bytes:
    """Return the RLP of every field before the signature, joined."""
    price = rlp_int(tx.max_fee_per_gas)
    to = b"\x80" if tx.to is None else b"\x94" + tx.to
    common = (rlp_int(tx.gas), to, rlp_int(tx.value), rlp_bytes(tx.data))
    if tx.type == LEGACY:
        return b"".join((rlp_int(tx.nonce), price, *common))
    if tx.type == DYNAMIC_FEE:
        price = rlp_int(tx.max_priority_fee_per_gas) + price
    assert tx.chain_id is not None
    entries = encode_access_list(tx.access_list) if tx.access_list else b"\xc0"
    return b"".join((rlp_int(tx.chain_id), rlp_int(tx.nonce), price, *common, entries))


def _signature(signer: Signer, digest: bytes) -> bytes:
    """Return the signer's signature, verified unless this library made it."""
    signature = signer.sign(digest)
    if type(signer) is not Account:
        try:
            actual = recover_sender(digest, signature)
        except InvalidInput as error:
            raise UsageError("the signer returned no valid signature") from error
        if signature[64] > 1 or actual != signer.address:
            raise UsageError("the signature is not the signer's", expected=signer.address, actual=actual)
    return signature


def _scalar(number: bytes) -> bytes:
    """Return the RLP of an integer given as 32 bytes."""
    return rlp_bytes(number.lstrip(b"\0"))
