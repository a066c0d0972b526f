"""The gas table: what every operation costs, in units of gas.

One table for every chain. What a transaction pays before it runs is Ethereum's intrinsic gas; what a
native contract does is charged as the EVM instruction that would do the same, with every account and
slot counted as not touched before in the transaction (EIP-2929's cold price).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chainstack_sdk.core.transactions.access_list import AccessList

# Intrinsic: paid by every transaction, whatever becomes of it (Yellow Paper, section 6.2)

TX_BASE = 21_000
"""Any transaction (Yellow Paper, appendix G, G_transaction)."""
TX_CREATE = 32_000
"""More for a transaction without recipient (EIP-2)."""
TX_DATA_ZERO = 4
"""Each zero byte of data (Yellow Paper, appendix G, G_txdatazero)."""
TX_DATA_NONZERO = 16
"""Each other byte of data (EIP-2028)."""
INITCODE_WORD = 2
"""Each 32 bytes begun of a creation's data (EIP-3860)."""
MAX_INITCODE_SIZE = 49_152
"""Bytes of data that a creation may carry: 2 * 24,576 (EIP-3860)."""
ACCESS_LIST_ADDRESS = 2_400
"""Each address in the access list (EIP-2930)."""
ACCESS_LIST_KEY = 1_900
"""Each storage key in the access list (EIP-2930)."""

# Operations of native contracts

STORAGE_READ = 2_100
"""Reading a slot (EIP-2929, COLD_SLOAD_COST)."""
STORAGE_SET = 20_000
"""Writing a non-zero value where zero was (EIP-2200, SSTORE_SET_GAS)."""
STORAGE_RESET = 5_000
"""Any other write (EIP-2929: SSTORE_RESET_GAS 2,900 + COLD_SLOAD_COST 2,100)."""
LOG = 375
"""An event (Yellow Paper, appendix G, G_log)."""
LOG_TOPIC = 375
"""Each topic of an event (G_logtopic)."""
LOG_BYTE = 8
"""Each byte of an event's data (G_logdata)."""
KECCAK = 30
"""A hash (G_keccak256)."""
KECCAK_WORD = 6
"""Each 32 bytes begun of a hash's input (G_keccak256word)."""
CALL = 2_600
"""A call to another contract (EIP-2929, COLD_ACCOUNT_ACCESS_COST)."""
CALL_VALUE = 9_000
"""More for a call or a payment that carries coin (G_callvalue)."""
BALANCE_READ = 2_600
"""Reading an account's balance (EIP-2929, COLD_ACCOUNT_ACCESS_COST)."""
SIGNATURE_RECOVERY = 3_000
"""Recovering a signer (Yellow Paper, appendix E.1, ECREC)."""
CREATE = 32_000
"""Making a contract (G_create)."""
CODE_BYTE = 200
"""Each byte of a new contract's code (G_codedeposit)."""

# Cross-chain proofs: by what the check of one costs, counted in bytes that are known before it begins

PROOF = 3_000
"""Opening a proof: hashes from the thing to its block, as much as recovering a signer takes."""
PROOF_BYTE = 8
"""Each byte of a proof or an update: decoding, hashing of its path."""
PROOF_KEY_CHECK = 114_275
"""Checking one signature of a chain key: two pairings, 37,700 + 2 * 32,600, and a hash to the curve, two
mappings of 5,500 and an addition of 375 (EIP-2537)."""
PROOF_SIGNATURE_BYTE = 47
"""Each byte of evidence that is made of signatures: one in 65 bytes, 3,000 for its signer, rounded up."""
PROOF_WORK_BYTE = 40
"""Each byte of evidence that is made of mined headers: a header takes at least 200 bytes, and its check as
long as recovering two and a half signers."""


def intrinsic_gas(data: bytes, is_create: bool, access_list: AccessList = ()) -> int:
    """Return the gas that a transaction pays before anything runs.

    Parameters
    ----------
    data
        The transaction's data; the init code of a creation.
    is_create
        Whether the transaction has no recipient.
    access_list
        Pairs of an address and its storage keys; repeated entries count each time.
    """
    size = len(data)
    gas = TX_BASE + TX_DATA_NONZERO * size
    if size:
        gas -= (TX_DATA_NONZERO - TX_DATA_ZERO) * data.count(0)
    if is_create:
        gas += TX_CREATE + INITCODE_WORD * ((size + 31) >> 5)
    for _address, keys in access_list:
        gas += ACCESS_LIST_ADDRESS + ACCESS_LIST_KEY * len(keys)
    return gas
