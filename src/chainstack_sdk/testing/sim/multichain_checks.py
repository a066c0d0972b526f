"""What must hold for packets between chains, by the books of the apps and not by those of the hubs.

Not for production.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.testing.peg import ConservationBroken, check_conservation
from chainstack_sdk.testing.sim.multichain_till import (
    ACCEPTED,
    EXPIRED,
    FIRST_UNITS,
    REFUSED,
    TILL_ADDRESS,
    Payment,
    held_by,
    payments,
)
from chainstack_sdk.testing.xchain import hub_of
from chainstack_sdk.xchain.addresses import PEG_ADDRESS
from chainstack_sdk.xchain.channels import Endpoint, channel_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chainstack_sdk.testing.sim.multichain_sites import Site

_ENDS = (0, ACCEPTED, REFUSED, EXPIRED)


class MultiChainViolation(AssertionError):
    """Something happened between chains that must not. The text has the seed."""


def till_channel(one: Site, other: Site, ordered: bool) -> bytes:
    """Return the channel between the tills of two chains, 32 bytes."""
    ends = Endpoint(one.chain_id, TILL_ADDRESS), Endpoint(other.chain_id, TILL_ADDRESS)
    return channel_id(*ends, ordered)


def check_books(sites: Sequence[Site], told: str, *, pegs: bool) -> None:
    """Check that everything happened at most once, and that nothing was made or lost.

    Parameters
    ----------
    told
        What a violation says about where and when.
    pegs
        Whether to look at the pegs too, which takes longer.

    Raises
    ------
    MultiChainViolation
        When something is wrong.
    """
    held = sum(held_by(site.chain) for site in sites)
    for source, target, channel in _ways(sites):
        for sequence, payment in enumerate(payments(source.chain, target.chain, channel), 1):
            wrong = _wrong(payment)
            if wrong:
                raise MultiChainViolation(
                    f"{wrong}: packet {sequence} from {source.chain_id} to {target.chain_id} ({told})"
                )
            held += _under_way(payment)
    if held != len(sites) * FIRST_UNITS:
        raise MultiChainViolation(f"{held - len(sites) * FIRST_UNITS:+} units were made ({told})")
    if pegs:
        try:
            check_conservation(*(site.chain for site in sites))
        except ConservationBroken as broken:
            raise MultiChainViolation(f"{broken} ({told})") from broken


def under_way(sites: Sequence[Site]) -> list[str]:
    """Return what is in flight by the counts of the hubs, told channel by channel."""
    found = []
    for source in sites:
        for target in sites:
            if target is not source:
                ends = Endpoint(source.chain_id, PEG_ADDRESS), Endpoint(target.chain_id, PEG_ADDRESS)
                tills = (till_channel(source, target, ordered) for ordered in (False, True))
                count = sum(
                    hub_of(source.chain).read("inFlight", each) for each in (channel_id(*ends), *tills)
                )
                if count:
                    found.append(f"{count} packets from {source.chain_id} to {target.chain_id}")
    return found


def check_ends(sites: Sequence[Site], told: str) -> None:
    """Check that nothing is under way any more.

    Raises
    ------
    MultiChainViolation
        When something is.
    """
    stuck = under_way(sites)
    if stuck:
        raise MultiChainViolation(f"stuck: {', '.join(stuck)} ({told})")
    for source, target, channel in _ways(sites):
        if not all(payment.ends for payment in payments(source.chain, target.chain, channel)):
            raise MultiChainViolation(f"a till has not heard of the end of its packet ({told})")


def _ways(sites: Sequence[Site]) -> Iterator[tuple[Site, Site, bytes]]:
    for source in sites:
        for target in sites:
            if target is not source:
                for ordered in (False, True):
                    yield source, target, till_channel(source, target, ordered)


def _wrong(payment: Payment) -> str:
    if payment.arrivals > 1:
        return "it arrived twice"
    if payment.ends not in _ENDS:
        return "it ended twice"
    if payment.arrivals and payment.ends in (REFUSED, EXPIRED):
        return "it arrived and came back"
    if payment.ends == ACCEPTED and not payment.arrivals:
        return "it was acknowledged and never arrived"
    return ""


def _under_way(payment: Payment) -> int:
    return 0 if payment.arrivals or payment.ends else payment.amount
