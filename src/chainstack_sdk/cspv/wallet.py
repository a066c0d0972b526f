"""A client that believes nobody: it holds anchors, asks any full node, and takes only what is proven.

Every question has its own answer type; whoever gets one of these has it from the chain itself. A node that
lies is found out whatever the lie is: an altered balance or receipt, a failed payment shown as paid, a
proof from another chain, a payment to somebody else, or news that is too old to act on.

**Caveats.** A proof shows that something happened, not that nothing happened since: hence the age. And the
same payment can be shown twice: who sells goods must remember :attr:`Payment.key` of what was paid already.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from chainstack_sdk.core.transactions import decode_transaction
from chainstack_sdk.cspv.verify.facts import Proven, ProvenAccount, ProvenReceipt
from chainstack_sdk.cspv.verify.tokens import transfers
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chainstack_sdk.cspv.schemes import Anchor
    from chainstack_sdk.cspv.verify.format import Proof

_Fact = TypeVar("_Fact", bound=Proven)


@dataclass(frozen=True, slots=True)
class Payment:
    """Coin or units of a token that somebody has paid to the wallet's owner."""

    chain_id: int
    """The chain on which it was paid."""
    height: int
    """The block's height."""
    timestamp_ms: int
    """The block's time: Unix time in milliseconds."""
    transaction_hash: bytes
    """32 bytes."""
    place: int
    """Which of the transaction's transfers it is, from 0; always 0 for coin."""
    token: bytes | None
    """The token's contract, 20 bytes; None for the chain's coin."""
    sender: bytes
    """Who paid, 20 bytes."""
    amount: int
    """Wei, or the smallest units of the token."""

    @property
    def key(self) -> tuple[int, bytes, bytes | None, int]:
        """What no other payment has: chain, transaction, token, place."""
        return self.chain_id, self.transaction_hash, self.token, self.place


class PaymentWallet:
    """Takes proofs of balances and payments of one owner on any number of chains.

    Parameters
    ----------
    anchors
        One for each chain.
    owner
        Whose money it is about, 20 bytes.
    max_age_ms
        Proofs from blocks older than this are refused.

    Raises
    ------
    UsageError
        When two anchors are of one chain, or the address is none.
    """

    def __init__(self, anchors: Iterable[Anchor], owner: bytes, max_age_ms: int) -> None:
        self._anchors: dict[int, Anchor] = {}
        for anchor in anchors:
            if anchor.chain_id in self._anchors:
                raise UsageError("two anchors are of one chain", chain_id=anchor.chain_id)
            self._anchors[anchor.chain_id] = anchor
        if len(owner) != 20:
            raise UsageError("an address has 20 bytes", actual=len(owner))
        self._owner = owner
        self._max_age_ms = max_age_ms

    def account(self, chain_id: int, proof: Proof | bytes, now_ms: int) -> ProvenAccount:
        """Return what the owner's account holds on a chain.

        Parameters
        ----------
        chain_id
            The chain that was asked about.
        proof
            What a node answered.
        now_ms
            Unix time in milliseconds.

        Raises
        ------
        InvalidInput
            When the proof is wrong, too old, or about something else.
        UsageError
            When there is no anchor for this chain; so do all methods.
        """
        account = self._proven(chain_id, proof, now_ms, ProvenAccount)
        if account.address != self._owner:
            raise InvalidInput("the account is another's", expected=self._owner, actual=account.address)
        return account

    def coin_payment(self, chain_id: int, proof: Proof | bytes, raw: bytes, now_ms: int) -> Payment:
        """Return a payment of coin to the owner.

        Parameters
        ----------
        chain_id, now_ms
            As in :meth:`account`.
        proof
            Of the transaction's receipt.
        raw
            The signed transaction itself, which the receipt names by its hash.

        Raises
        ------
        InvalidInput
            When the proof is wrong, too old, or about something else; when the transaction failed, is not the
            receipt's, or pays somebody else.
        """
        receipt = self._paid(chain_id, proof, now_ms)
        if keccak256(raw) != receipt.transaction_hash:
            raise InvalidInput("the receipt is of another transaction", expected=receipt.transaction_hash)
        transaction = decode_transaction(raw)
        if transaction.to != self._owner or not transaction.value:
            raise InvalidInput("the transaction pays somebody else", expected=self._owner)
        return Payment(
            receipt.chain_id,
            receipt.height,
            receipt.timestamp_ms,
            receipt.transaction_hash,
            0,
            None,
            transaction.sender,
            transaction.value,
        )

    def token_payments(
        self, chain_id: int, proof: Proof | bytes, token: bytes, now_ms: int
    ) -> tuple[Payment, ...]:
        """Return the payments of a token to the owner in one transaction, in order: at least one.

        Parameters
        ----------
        chain_id, now_ms
            As in :meth:`account`.
        proof
            Of the transaction's receipt.
        token
            The contract whose transfers count, 20 bytes.

        Raises
        ------
        InvalidInput
            When the proof is wrong, too old, or about something else; when the transaction failed, or paid
            the owner nothing of this token.
        """
        receipt = self._paid(chain_id, proof, now_ms)
        payments = tuple(
            Payment(
                receipt.chain_id,
                receipt.height,
                receipt.timestamp_ms,
                receipt.transaction_hash,
                place,
                token,
                transfer.sender,
                transfer.value,
            )
            for place, transfer in enumerate(transfers(receipt))
            if transfer.token == token and transfer.recipient == self._owner and transfer.value
        )
        if not payments:
            raise InvalidInput("the transaction pays the owner nothing of this token", token=token)
        return payments

    def _paid(self, chain_id: int, proof: Proof | bytes, now_ms: int) -> ProvenReceipt:
        receipt = self._proven(chain_id, proof, now_ms, ProvenReceipt)
        if not receipt.succeeded:
            raise InvalidInput("the payment failed", hash=receipt.transaction_hash)
        return receipt

    def _proven(self, chain_id: int, proof: Proof | bytes, now_ms: int, wanted: type[_Fact]) -> _Fact:
        anchor = self._anchors.get(chain_id)
        if anchor is None:
            raise UsageError("the wallet has no anchor for this chain", chain_id=chain_id)
        proven = anchor.verify(proof)
        if not isinstance(proven, wanted):
            raise InvalidInput("the proof is of something else", expected=wanted.__name__)
        if now_ms - proven.timestamp_ms > self._max_age_ms:
            raise InvalidInput(
                "the proof is too old", expected=self._max_age_ms, actual=now_ms - proven.timestamp_ms
            )
        return proven
