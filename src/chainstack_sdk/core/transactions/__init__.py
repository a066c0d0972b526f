"""Transactions: decoding, signing, senders.

The three envelopes of Ethereum (EIP-2718) bit for bit: legacy with or without EIP-155, ``0x01`` (EIP-2930)
and ``0x02`` (EIP-1559). Blob transactions (``0x03``) are refused.
"""

from __future__ import annotations

from chainstack_sdk.core.transactions.access_list import AccessList
from chainstack_sdk.core.transactions.decode import MAX_CHAIN_ID, decode_transaction
from chainstack_sdk.core.transactions.known import KnownTransactions, known
from chainstack_sdk.core.transactions.senders import decode_and_recover, recover_senders
from chainstack_sdk.core.transactions.sign import sign_transaction
from chainstack_sdk.core.transactions.transaction import ACCESS_LIST, DYNAMIC_FEE, LEGACY, Transaction

__all__ = [
    "ACCESS_LIST",
    "DYNAMIC_FEE",
    "LEGACY",
    "MAX_CHAIN_ID",
    "AccessList",
    "KnownTransactions",
    "Transaction",
    "decode_and_recover",
    "decode_transaction",
    "known",
    "recover_senders",
    "sign_transaction",
]
