"""Carrying a swap out: each party's steps, refused while they are not safe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from chainstack_sdk.core.native.host import ContractHost
from chainstack_sdk.paradigms.instance import Instance
from chainstack_sdk.xchain.addresses import SWAPS_ADDRESS
from chainstack_sdk.xchain.approval import approve
from chainstack_sdk.xchain.swaps.contract import SwapContract
from chainstack_sdk.xchain.swaps.plan import SwapStep, UnsafeStep
from chainstack_sdk.xchain.swaps.terms import SwapStatus

if TYPE_CHECKING:
    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.primitives.keys import Signer
    from chainstack_sdk.xchain.swaps.plan import SwapPlan
    from chainstack_sdk.xchain.swaps.terms import SwapTerms


class Timed(Protocol):
    """Has a time: the head of a chain."""

    @property
    def timestamp_ms(self) -> int:
        """Unix time in milliseconds."""
        ...


class SwapChain(ContractHost, Protocol):
    """What a swap needs of a chain; :class:`~chainstack_sdk.Chain` offers it."""

    @property
    def chain_id(self) -> int:
        """EIP-155 chain id."""
        ...

    @property
    def head(self) -> Timed:
        """The newest block."""
        ...

    @property
    def finalized_height(self) -> int:
        """The highest block that no reorganisation undoes."""
        ...


class Swap:
    """A plan on two chains.

    Every step is checked against the state of both chains at the time it is taken, and nobody needs to trust
    the other party's word: a lock is found by its id, which commits to all of its terms. It counts once its
    block is final: who answers a lock that a reorganisation undoes would give without getting.

    Parameters
    ----------
    plan
        Agreed between the parties.
    first, second
        The chains of the initiator's and of the counterparty's lock; they may be the same.
    """

    def __init__(self, plan: SwapPlan, first: SwapChain, second: SwapChain) -> None:
        self.plan = plan
        self._first = _Side(plan.first, first)
        self._second = _Side(plan.second, second)

    @property
    def now_ms(self) -> int:
        """The later of the two chains' times."""
        return max(self._first.chain.head.timestamp_ms, self._second.chain.head.timestamp_ms)

    @property
    def statuses(self) -> tuple[SwapStatus, SwapStatus]:
        """What has become of the first lock and of the second: locked in final blocks, settled in any."""
        return self._first.status, self._second.status

    def safe_steps(self) -> tuple[SwapStep, ...]:
        """Return the steps that may be taken now; see :meth:`SwapPlan.safe_steps`."""
        return self.plan.safe_steps(self.now_ms, *self.statuses)

    def secret(self) -> bytes | None:
        """Return the secret, 32 bytes, once the second lock is claimed."""
        for found in self._second.contract.events("Claimed", id=self._second.id):
            return bytes(found.args["secret"])
        return None

    def lock_first(self, initiator: Signer) -> Receipt:
        """Lock the initiator's asset; approves its token before where that is needed.

        Raises
        ------
        UnsafeStep
            When it is too late for that, or done already.
        Reverted
            When the initiator has not what it gives, or its lock waits to become final.
        """
        self._check(SwapStep.LOCK_FIRST)
        return self._first.lock(initiator)

    def lock_second(self, counterparty: Signer) -> Receipt:
        """Lock the counterparty's asset, when the first lock is there in just these terms.

        Raises
        ------
        UnsafeStep
            When it is not there, or too late.
        Reverted
            When the counterparty has not what it gives, or its lock waits to become final.
        """
        self._check(SwapStep.LOCK_SECOND)
        return self._second.lock(counterparty)

    def claim_second(self, sender: Signer, secret: bytes) -> Receipt:
        """Show the secret on the second chain: the initiator gets the counterparty's asset.

        Raises
        ------
        UnsafeStep
            When there is no such lock, or so little time that the claim might come too late.
        Reverted
            When it is another secret; it has not been shown to anybody then.
        """
        self._check(SwapStep.CLAIM_SECOND)
        return self._second.contract.send(sender, "claim", self._second.id, secret)

    def claim_first(self, sender: Signer) -> Receipt:
        """Use the secret, shown on the second chain, on the first: the counterparty gets its asset.

        Raises
        ------
        UnsafeStep
            When the secret has not been shown, or the lock is settled.
        Reverted
            When the lock is expired.
        """
        self._check(SwapStep.CLAIM_FIRST)
        return self._first.contract.send(sender, "claim", self._first.id, self.secret())

    def refund_first(self, sender: Signer) -> Receipt:
        """Give the initiator its asset back.

        Raises
        ------
        UnsafeStep
            Before the expiry, or when there is nothing to refund.
        """
        self._check(SwapStep.REFUND_FIRST)
        return self._first.contract.send(sender, "refund", self._first.id)

    def refund_second(self, sender: Signer) -> Receipt:
        """Give the counterparty its asset back.

        Raises
        ------
        UnsafeStep
            Before the expiry, or when there is nothing to refund.
        """
        self._check(SwapStep.REFUND_SECOND)
        return self._second.contract.send(sender, "refund", self._second.id)

    def _check(self, step: SwapStep) -> None:
        safe = self.safe_steps()
        if step not in safe:
            told = ", ".join(each.value for each in safe) or "none"
            raise UnsafeStep(f"not safe now: {step.value}", safe=told, now_ms=self.now_ms)


class _Side:
    """One of the two locks."""

    def __init__(self, terms: SwapTerms, chain: SwapChain) -> None:
        self.terms = terms
        self.chain = chain
        self.id = terms.id(chain.chain_id)
        self.contract = Instance(chain, SWAPS_ADDRESS, SwapContract)

    @property
    def status(self) -> SwapStatus:
        newest = self._status_at(None)
        return self._status_at(self.chain.finalized_height) if newest is SwapStatus.LOCKED else newest

    def _status_at(self, height: int | None) -> SwapStatus:
        return SwapStatus(self.contract.read("statusOf", self.id, block=height))

    def lock(self, owner: Signer) -> Receipt:
        asset = self.terms.asset
        approve(self.chain, owner, SWAPS_ADDRESS, asset)
        return self.contract.send(owner, "lock", *self.terms.arguments(), value=asset.wei)
