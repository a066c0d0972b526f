"""Payment proofs of a few hundred bytes that never grow with the chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives import _lazy

if TYPE_CHECKING:
    from chainstack_sdk.cspv.committee import CommitteeAnchor
    from chainstack_sdk.cspv.committee_prover import CommitteeFinality
    from chainstack_sdk.cspv.operator import OperatorKey
    from chainstack_sdk.cspv.prover import (
        AccountKey,
        MessageKey,
        Provable,
        StorageKey,
        prove,
        prove_account,
        prove_message,
        prove_receipt,
        prove_storage,
        prove_transaction,
    )
    from chainstack_sdk.cspv.schemes import Anchor, ChainKeyFinality, FinalityProver, anchor_from_bytes
    from chainstack_sdk.cspv.verify import (
        ChainKeyAnchor,
        FinalityScheme,
        Kind,
        Proof,
        Proven,
        ProvenAccount,
        ProvenLog,
        ProvenMessage,
        ProvenReceipt,
        ProvenStorage,
        ProvenTransaction,
        TokenTransfer,
        transfers,
    )
    from chainstack_sdk.cspv.wallet import Payment, PaymentWallet
    from chainstack_sdk.cspv.work import WorkAnchor, heavier
    from chainstack_sdk.cspv.work_policy import WorkPolicy
    from chainstack_sdk.cspv.work_prover import WorkFinality
else:
    __getattr__, __dir__ = _lazy.exports(
        __name__,
        {
            "AccountKey": "prover",
            "Anchor": "schemes",
            "ChainKeyAnchor": "verify.anchor",
            "ChainKeyFinality": "schemes",
            "CommitteeAnchor": "committee",
            "CommitteeFinality": "committee_prover",
            "FinalityProver": "schemes",
            "FinalityScheme": "verify.format",
            "Kind": "verify.format",
            "MessageKey": "prover",
            "OperatorKey": "operator",
            "Payment": "wallet",
            "PaymentWallet": "wallet",
            "Proof": "verify.format",
            "Provable": "prover",
            "Proven": "verify.facts",
            "ProvenAccount": "verify.facts",
            "ProvenLog": "verify.facts",
            "ProvenMessage": "verify.facts",
            "ProvenReceipt": "verify.facts",
            "ProvenStorage": "verify.facts",
            "ProvenTransaction": "verify.facts",
            "StorageKey": "prover",
            "TokenTransfer": "verify.tokens",
            "WorkAnchor": "work",
            "WorkFinality": "work_prover",
            "WorkPolicy": "work_policy",
            "anchor_from_bytes": "schemes",
            "heavier": "work",
            "prove": "prover",
            "prove_account": "prover",
            "prove_message": "prover",
            "prove_receipt": "prover",
            "prove_storage": "prover",
            "prove_transaction": "prover",
            "transfers": "verify.tokens",
        },
    )

__all__ = [
    "AccountKey",
    "Anchor",
    "ChainKeyAnchor",
    "ChainKeyFinality",
    "CommitteeAnchor",
    "CommitteeFinality",
    "FinalityProver",
    "FinalityScheme",
    "Kind",
    "MessageKey",
    "OperatorKey",
    "Payment",
    "PaymentWallet",
    "Proof",
    "Provable",
    "Proven",
    "ProvenAccount",
    "ProvenLog",
    "ProvenMessage",
    "ProvenReceipt",
    "ProvenStorage",
    "ProvenTransaction",
    "StorageKey",
    "TokenTransfer",
    "WorkAnchor",
    "WorkFinality",
    "WorkPolicy",
    "anchor_from_bytes",
    "heavier",
    "prove",
    "prove_account",
    "prove_message",
    "prove_receipt",
    "prove_storage",
    "prove_transaction",
    "transfers",
]
