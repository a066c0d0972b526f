"""Insurance products on a chain as Python objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from chainstack_sdk.machines.standard.handle import StandardHandle
from chainstack_sdk.machines.standard.insurance import Insurance
from chainstack_sdk.primitives.address import ZERO_ADDRESS
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chainstack_sdk.core.native.host import ContractHost
    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.primitives.address import AddressLike
    from chainstack_sdk.primitives.keys import Signer


@dataclass(frozen=True, slots=True)
class Terms:
    """What a product promises; fixed for ever."""

    subject: str
    """What is measured, and in which unit."""
    premium: int
    """Wei for one policy."""
    payouts: dict[int, int]
    """Wei for one policy by threshold, the furthest last."""
    at_most: bool
    """Whether a value pays at a threshold and below; otherwise at a threshold and above."""
    sales_end: int
    """When the cover begins and nothing is sold any more, Unix seconds."""
    cover_end: int
    """From when on the oracles report."""
    report_end: int
    """When it is too late for a report."""

    @property
    def highest(self) -> int:
        """The highest payout of one policy, in wei: what each policy sold sets aside."""
        return max(self.payouts.values())

    def payout_of(self, value: int) -> int:
        """Return what a policy pays for a value, in wei."""
        reached = [
            amount
            for threshold, amount in self.payouts.items()
            if (value <= threshold if self.at_most else value >= threshold)
        ]
        return max(reached, default=0)


@dataclass(frozen=True, slots=True)
class Pool:
    """The coin of a product, in wei."""

    balance: int
    reserved: int
    """What may have to be paid: as payouts while the value is open, then as premiums to be taken back."""
    sold: int
    """Policies sold."""

    @property
    def free(self) -> int:
        """What the insurer may withdraw."""
        return self.balance - self.reserved


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy."""

    number: int
    """From 0, in order of sale."""
    holder: bytes
    """20 bytes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a product."""

    value: int
    payout: int
    """Wei that each policy has paid."""


class InsuranceProduct(StandardHandle):
    """An insurance product on a chain: one insured event.

    Amounts are in wei, times in seconds. Whoever is named first signs the transaction and pays its fee. What
    the machine refuses raises :class:`~chainstack_sdk.primitives.errors.Reverted` with the reason.

    Parameters
    ----------
    host
        The chain.
    address
        Where the machine is; nothing is checked.
    """

    machine_class = Insurance

    @classmethod
    def issue(
        cls,
        host: ContractHost,
        insurer: Signer,
        *,
        subject: str,
        premium: int,
        payouts: Mapping[int, int],
        oracles: Sequence[AddressLike],
        selling_time: int,
        cover_time: int,
        report_time: int,
        at_most: bool = False,
        gas: int | None = None,
    ) -> Self:
        """Issue a product by one transaction.

        Parameters
        ----------
        insurer
            Who signs, and is the insurer from then on.
        subject
            What is measured, and in which unit; at most 96 bytes.
        premium
            Wei for one policy: from 1 to the highest payout.
        payouts
            Wei for one policy by threshold, up to four; thresholds further out pay more. Thresholds are in
            the unit of the value, also below zero; no payout is above 10^27 wei.
        oracles
            Three accounts, none of them the insurer, of whom two must report the same value.
        selling_time
            Seconds in which policies are sold; the cover begins after it.
        cover_time
            Seconds of the cover; reports are possible after it.
        report_time
            Seconds in which the oracles may report. No time is longer than 3,660 days.
        at_most
            Whether values at a threshold and below pay; otherwise those at a threshold and above.
        gas
            Gas limit; found by the chain when not given.

        Raises
        ------
        UsageError
            When the arguments do not fit, or the chain has no deployer of machines.
        Reverted
            When the machine refuses them.
        """
        if not 0 < len(payouts) <= Insurance.TIERS:
            raise UsageError("a table has one to four payouts", actual=len(payouts))
        table = sorted(payouts.items(), reverse=at_most)
        unused = [0] * (Insurance.TIERS - len(table))
        made = Insurance.deploy(
            host,
            insurer,
            gas=gas,
            oracles=list(oracles),
            subject=subject,
            premium=premium,
            thresholds=[threshold for threshold, _ in table] + unused,
            payouts=[amount for _, amount in table] + unused,
            at_most=at_most,
            selling_time=selling_time,
            cover_time=cover_time,
            report_time=report_time,
        )
        return cls(host, made.address)

    # Questions

    def terms(self) -> Terms:
        """Return what the product promises."""
        subject, premium, thresholds, payouts, at_most, *times = self.read("terms")
        table = {limit: amount for limit, amount in zip(thresholds, payouts, strict=True) if amount}
        return Terms(subject, premium, table, at_most, *times)

    def insurer(self) -> bytes:
        """Return who offers the product, 20 bytes."""
        return bytes(self.read("parties")[0])

    def oracles(self) -> list[bytes]:
        """Return the three who report, 20 bytes each."""
        return [bytes(each) for each in self.read("parties")[1]]

    def pool(self) -> Pool:
        """Return how the coin stands."""
        return Pool(*self.read("pool"))

    def policies(self) -> list[Policy]:
        """Return the policies by number; those whose premium was taken back are left out."""
        holders = enumerate(self.read("policies"))
        return [Policy(number, bytes(holder)) for number, holder in holders if holder != ZERO_ADDRESS]

    def outcome(self) -> Outcome | None:
        """Return what was reported and paid; None as long as nothing was."""
        return Outcome(*self.read("outcome")) if self.state == "settled" else None

    # Transactions

    def fund(self, insurer: Signer, amount: int) -> Receipt:
        """Put coin into the pool, while policies are sold."""
        return self.send(insurer, "fund", value=amount)

    def buy(self, buyer: Signer) -> Policy:
        """Buy a policy at the premium."""
        receipt = self.send(buyer, "buy", value=self.terms().premium)
        event = self._interface.event("Bought")
        (log,) = [each for each in receipt.logs if each.topics[0] == event.topic]
        found = event.decode(log.topics, log.data)
        return Policy(found["policy"], bytes(found["holder"]))

    def report(self, oracle: Signer, value: int) -> bool:
        """Say what was measured, in the unit of the thresholds; it cannot be taken back.

        Returns
        -------
        bool
            Whether this was the report that decided, and everybody has been paid.
        """
        receipt = self.send(oracle, "attest", value)
        settled = self._interface.event("Settled").topic
        return any(log.topics[0] == settled for log in receipt.logs)

    def refund(self, holder: Signer, number: int) -> Receipt:
        """Take the premium of a policy back, when the oracles have failed."""
        return self.send(holder, "refund", number)

    def withdraw(self, insurer: Signer, amount: int | None = None) -> Receipt:
        """Take coin that nothing needs; by default all of it."""
        return self.send(insurer, "withdraw", self.pool().free if amount is None else amount)
