"""A machine of one's own, read before it is used: its diagram, the page about it, then a run on a chain."""

from __future__ import annotations

from chainstack_sdk import Account, Chain, ManualClock, Reverted, ether
from chainstack_sdk.machines import (
    Event,
    Indexed,
    Machine,
    State,
    address,
    after,
    days,
    emit,
    require,
    role,
    transfer,
    transition,
    uint256,
    view,
)


class Deposit(Machine):
    """Keeps a tenant's deposit until both sides agree, an arbiter decides, or nobody objects in time."""

    landlord = role()
    """Who lets the flat."""
    tenant = role()
    arbiter = role()
    amount: uint256
    """Wei to be deposited."""
    claim: uint256
    """Wei that the landlord wants to keep."""

    offered = State()
    held = State()
    claimed = State()
    disputed = State()
    settled = State(final=True)

    class Settled(Event):
        """The deposit is gone."""

        tenant: Indexed[address]
        back: uint256

    def __init__(self, tenant: address, arbiter: address, amount: uint256) -> None:
        """Offer a contract."""
        require(amount > 0, "no deposit")
        self.landlord = self.caller
        self.tenant = tenant
        self.arbiter = arbiter
        self.amount = amount

    @transition(offered, held, payable=True, by=tenant)
    def pay(self) -> None:
        """Pay the deposit in."""
        require(self.value == self.amount, "not the deposit")

    @transition(held, settled, by=landlord)
    def give_back(self) -> None:
        """Give all of it back."""
        transfer(self.tenant, self.balance)
        emit(self.Settled(self.tenant, self.amount))

    @transition(held, claimed, by=landlord)
    def claim_part(self, wanted: uint256) -> None:
        """Say how much is to be kept."""
        require(wanted <= self.amount, "more than there is")
        self.claim = wanted

    @transition(claimed, disputed, by=tenant)
    def object_to_it(self) -> None:
        """Refuse the claim in time."""

    @after(claimed, 14 * days, settled)
    def accept_silently(self) -> None:
        """Divide it as the landlord wants."""
        back = self.amount - self.claim
        transfer(self.landlord, self.claim)
        transfer(self.tenant, back)
        emit(self.Settled(self.tenant, back))

    @transition(disputed, settled, by=arbiter)
    def decide(self, kept: uint256) -> None:
        """Divide it as the arbiter finds right."""
        require(kept <= self.claim, "more than was claimed")
        transfer(self.landlord, kept)
        transfer(self.tenant, self.amount - kept)
        emit(self.Settled(self.tenant, self.amount - kept))

    @view
    def at_stake(self) -> uint256:
        """Tell how much the parties differ about."""
        return self.claim if self.is_in(self.disputed) else 0


def section(report: str, title: str) -> str:
    """Return one section of a report."""
    return next(part for part in report.split("\n## ") if title in part.partition("\n")[0])


if __name__ == "__main__":
    print(Deposit.diagram().mermaid())
    report = Deposit.report()
    for title in ("Parties", "When money moves", "What it costs"):
        print(section(report, title))
    print(section(report, "What can be done").partition("### decide")[2])

    lord, lodger, judge = (Account.from_key(bytes([number]) * 32) for number in range(1, 4))
    funds = dict.fromkeys((lord, lodger, judge), ether(1))
    chain = Chain.in_memory(funds, clock=ManualClock(), auto_seal=True)
    flat = Deposit.deploy(chain, lord, tenant=lodger.address, arbiter=judge.address, amount=900)
    flat.send(lodger, "pay", value=900)
    flat.send(lord, "claim_part", 400)
    flat.send(lodger, "object_to_it")
    print(flat.state, flat.read("at_stake"))
    try:
        flat.send(judge, "decide", 500)
    except Reverted as refusal:
        print("refused:", refusal.message)
    flat.send(judge, "decide", 150)
    print(flat.state, flat.events("Settled")[0].args["back"], chain.balance(flat.address))
