"""A chain object as a relayer's port."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from chainstack_sdk.core.merkle import EMPTY_BINARY_ROOT
from chainstack_sdk.core.messages import HUB_ADDRESS, messages_of
from chainstack_sdk.cspv import AccountKey, ChainKeyAnchor, StorageKey, anchor_from_bytes
from chainstack_sdk.cspv.prover import prove_message, prove_storage
from chainstack_sdk.cspv.verify.format import (
    SIGNATURE_BYTES,
    FinalityScheme,
    chain_key_finality,
    evidence_finality,
    split_chain_key_finality,
)
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.xchain.port import Place

if TYPE_CHECKING:
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.chain import Blockchain
    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.core.transactions import Transaction
    from chainstack_sdk.cspv import Anchor, FinalityProver, Proof, Provable
    from chainstack_sdk.cspv.committee import CommitteeAnchor
    from chainstack_sdk.primitives.keys import Signer
    from chainstack_sdk.xchain.port import ChainPort


class Facade(Protocol):
    """The part of the facade of a chain, :class:`~chainstack_sdk.chain.Chain`, that a port works with."""

    blockchain: Blockchain
    """The core."""

    @property
    def chain_id(self) -> int:
        """The chain."""
        ...

    @property
    def finalized_height(self) -> int:
        """Height of the newest block that will not be replaced."""
        ...

    @property
    def finality(self) -> FinalityProver:
        """What proves that the chain's blocks are final."""
        ...

    @property
    def anchor(self) -> Anchor:
        """What verifiers of the chain keep of it now."""
        ...

    def prove(self, target: Provable, *, height: int | None = None, anchor: Anchor | None = None) -> Proof:
        """Prove something to those who have an anchor."""
        ...

    def call(self, to: bytes, data: bytes = b"") -> bytes:
        """Ask a contract."""
        ...

    def sign(self, sender: Signer, to: bytes, *, data: bytes = b"") -> Transaction:
        """Sign a transaction, its gas estimated; raises Reverted when the contract refuses."""
        ...

    def send(self, transaction: bytes | Transaction) -> bytes:
        """Admit a transaction and return its hash."""
        ...

    def find_receipt(self, transaction_hash: bytes) -> Receipt | None:
        """Return the receipt of a transaction, or None while no block holds it."""
        ...

    def seal(self) -> object:
        """Make a block."""
        ...


class FacadePort:
    """A chain object, and the account that pays for what is done on it.

    Parameters
    ----------
    chain
        The facade of a chain with a hub. To bring up to date anchors of a committee without a chain key, it
        has to keep the states of a few slots.
    account
        Signs and pays.
    seals
        Whether to make a block at the end of each step in which something was submitted. Not needed where
        every transaction makes a block, and not wanted where others make the blocks.
    """

    def __init__(self, chain: Facade, account: Signer, *, seals: bool = False) -> None:
        self._chain = chain
        self._account = account
        self._seals = seals
        self._submitted = False
        self._final = (b"", Place(0, 0))

    @property
    def chain_id(self) -> int:
        """The chain."""
        return self._chain.chain_id

    def head(self) -> Place:
        """Return the newest block."""
        return _place(self._chain.blockchain.head)

    def final(self) -> Place:
        """Return the newest block that can be proven; found once for each head."""
        head = self._chain.blockchain.head
        if self._final[0] != head.hash:
            self._final = (head.hash, _place(self._header(self._provable_height())))
        return self._final[1]

    def block_hash(self, height: int) -> bytes:
        """Return the hash of a block, 32 bytes."""
        return self._header(height).hash

    def messages(self, height: int) -> list[bytes]:
        """Return the messages of a block, in order; of blocks without any, the header alone is read."""
        if self._header(height).messages_root == EMPTY_BINARY_ROOT:
            return []
        return messages_of(self._chain.blockchain.ledger.receipts(height))

    def prove_message(self, height: int, index: int, anchor: bytes | None) -> bytes:
        """Prove a message; see :meth:`ChainPort.prove_message`."""
        bare = _Bare(self._chain.finality)
        proof = prove_message(self._chain.blockchain, bare, height, index)
        if anchor is None:
            return proof.to_bytes()
        held = anchor_from_bytes(anchor)
        self._require_known(held, height)
        return replace(proof, finality=self._evidence(height, held)).to_bytes()

    def prove_slot(self, slot: int, height: int, anchor: bytes | None) -> bytes:
        """Prove what is in a slot of the hub; see :meth:`ChainPort.prove_slot`."""
        if anchor is None:
            bare = _Bare(self._chain.finality)
            return prove_storage(self._chain.blockchain, bare, HUB_ADDRESS, slot, height).to_bytes()
        held = anchor_from_bytes(anchor)
        self._require_known(held, height)
        return self._chain.prove(StorageKey(HUB_ADDRESS, slot), height=height, anchor=held).to_bytes()

    def update(self, anchor: bytes) -> bytes | None:
        """Return what brings an anchor a step closer to the newest block; see :meth:`ChainPort.update`."""
        from chainstack_sdk.cspv.committee import CommitteeAnchor

        held = anchor_from_bytes(anchor)
        if isinstance(held, ChainKeyAnchor):
            return self._link(held)
        return self._step(held) if isinstance(held, CommitteeAnchor) else None

    def ask(self, data: bytes) -> bytes:
        """Call a view of the hub."""
        return self._chain.call(HUB_ADDRESS, data)

    def submit(self, data: bytes) -> bytes:
        """Send a transaction to the hub, and return its hash."""
        ticket = self._chain.send(self._chain.sign(self._account, HUB_ADDRESS, data=data))
        self._submitted = True
        return ticket

    def outcome(self, ticket: bytes) -> bool | None:
        """Tell whether a transaction succeeded; None while no block holds it."""
        receipt = self._chain.find_receipt(ticket)
        return None if receipt is None else receipt.succeeded

    def flush(self) -> None:
        """Make a block of what was submitted, if that is the port's task."""
        if self._seals and self._submitted:
            self._chain.seal()
        self._submitted = False

    def _header(self, height: int) -> Header:
        return self._chain.blockchain.ledger.header(height)

    def _provable_height(self) -> int:
        from chainstack_sdk.cspv.work import WorkAnchor

        height, anchor = self._chain.finalized_height, self._chain.anchor
        if isinstance(anchor, WorkAnchor):
            height = min(height, self._chain.blockchain.height - anchor.policy.confirmations)
        while height > 0 and not self._is_provable(height):
            height -= 1
        return max(height, 0)

    def _is_provable(self, height: int) -> bool:
        try:
            self._chain.finality.evidence(self._header(height))
        except UsageError:
            return False
        return True

    def _evidence(self, height: int, held: Anchor) -> bytes:
        """Return the finality part of proofs about a block, for those with an anchor."""
        receipts = self._chain.blockchain.ledger.receipts(height)
        if receipts:  # older states, which accounts are proven by, may be gone
            return self._chain.prove(receipts[0], anchor=held).finality
        return self._chain.prove(AccountKey(HUB_ADDRESS), height=height, anchor=held).finality

    def _require_known(self, held: Anchor, height: int) -> None:
        """Refuse blocks whose committee an anchor has forgotten, or not heard of yet."""
        from chainstack_sdk.cspv.committee import CommitteeAnchor

        slot = self._header(height).slot
        if isinstance(held, CommitteeAnchor) and not held.slot <= slot <= held.slot + 1:
            raise UsageError("the anchor does not know the committee of this slot", slot=slot)

    def _link(self, held: ChainKeyAnchor) -> bytes | None:
        if held == self._chain.anchor:
            return None
        links = split_chain_key_finality(self._evidence(self.final().height, held))[1]
        return links[0] if links else None

    def _step(self, held: CommitteeAnchor) -> bytes | None:
        from chainstack_sdk.cspv.committee_prover import CommitteeFinality

        finality = self._chain.finality
        behind = self._header(self.final().height).slot > held.slot + 1
        return finality.step(held) if behind and isinstance(finality, CommitteeFinality) else None


class _Bare:
    """Gives zeros for evidence where none is needed."""

    def __init__(self, finality: FinalityProver) -> None:
        self.scheme = finality.scheme
        self.anchor = finality.anchor

    def evidence(self, header: Header) -> bytes:
        if self.scheme is FinalityScheme.CHAIN_KEY:
            return chain_key_finality(bytes(SIGNATURE_BYTES))
        return evidence_finality(b"")


def _place(header: Header) -> Place:
    return Place(header.height, header.timestamp_ms)


if TYPE_CHECKING:
    _port: type[ChainPort] = FacadePort
