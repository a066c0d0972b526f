"""A contract template of one's own: a savings box that opens after a date."""

from chainstack_sdk import Account, Chain, ManualClock, Reverted, ether
from chainstack_sdk.core import Call
from chainstack_sdk.paradigms import Paradigm, default_registry, error, event, external

SAVED = bytes(32)  # slot 0: wei saved so far


class SavingsBox(Paradigm):
    """Anybody may put coin in; the owner takes it out once the date has come."""

    name = "savings"
    constructor = "constructor(address owner, uint256 opensAt)"

    TooEarly = error("error TooEarly(uint256 opensAt)")
    Saved = event("event Saved(address indexed by, uint256 amount)")

    @external("function save() payable")
    def save(self, call: Call) -> None:
        """Add the coin that came with the call."""
        call.store(SAVED, call.load(SAVED) + call.value)
        call.emit(self.Saved, call.caller, call.value)

    @external("function open() returns (uint256)")
    def open(self, call: Call) -> int:
        """Pay everything out to the owner."""
        call.require(call.caller == self.config.owner, "not the owner")
        call.require(call.block.timestamp >= self.config.opensAt, self.TooEarly, self.config.opensAt)
        amount = call.load(SAVED)
        call.store(SAVED, 0)
        call.transfer(self.config.owner, amount)
        return amount

    @external("function saved() view returns (uint256)")
    def saved(self, call: Call) -> int:
        """Tell how much is in the box."""
        return call.load(SAVED)


if __name__ == "__main__":
    registry = default_registry()
    registry.add(SavingsBox)
    owner, aunt = Account.create(), Account.create()
    clock = ManualClock()
    chain = Chain.in_memory({owner: ether(1), aunt: ether(5)}, registry=registry, clock=clock, auto_seal=True)

    box = chain.paradigm("savings").issue(owner, owner=owner, opensAt=clock.now_ms() // 1000 + 3600)
    box.send(aunt, "save", value=ether(2))
    print("saved:", box.read("saved"))
    try:
        box.send(owner, "open")
    except Reverted as refusal:
        print("refused:", refusal.message.split("(")[0])
    clock.advance(3600)
    box.send(owner, "open")
    print("saved after opening:", box.read("saved"), "owner has more than", chain.balance(owner) // ether(1))
