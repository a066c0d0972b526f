"""The token of the transfer benchmarks, written as a machine: the same calls, events and refusals."""

from __future__ import annotations

from chainstack_sdk.machines import (
    ZERO_ADDRESS,
    Error,
    Event,
    Indexed,
    Machine,
    Mapping,
    State,
    address,
    emit,
    require,
    transition,
    uint256,
    view,
)


class Gold(Machine):
    """An ERC-20 token with a fixed supply."""

    UNLIMITED = 2**256 - 1

    balances: Mapping[address, uint256]
    allowances: Mapping[address, Mapping[address, uint256]]
    supply: uint256

    issued = State()

    class Transfer(Event):
        """Tokens have moved."""

        from_: Indexed[address]
        to: Indexed[address]
        value: uint256

    class Approval(Event):
        """An allowance was given."""

        owner: Indexed[address]
        spender: Indexed[address]
        value: uint256

    class ERC20InsufficientBalance(Error):
        """Less is there than was to be moved."""

        sender: address
        balance: uint256
        needed: uint256

    class ERC20InsufficientAllowance(Error):
        """Less was allowed than was to be moved."""

        spender: address
        allowance: uint256
        needed: uint256

    class ERC20InvalidReceiver(Error):
        """Nobody would get it."""

        receiver: address

    def __init__(self, supply: uint256) -> None:
        """Issue everything to the one who deploys."""
        self.supply = supply
        self.balances[self.caller] = supply
        emit(self.Transfer(ZERO_ADDRESS, self.caller, supply))

    @transition(issued)
    def transfer(self, to: address, value: uint256) -> bool:
        """Send the caller's tokens."""
        require(to != ZERO_ADDRESS, self.ERC20InvalidReceiver(to))
        held = self.balances[self.caller]
        require(held >= value, self.ERC20InsufficientBalance(self.caller, held, value))
        self.balances[self.caller] = held - value
        self.balances[to] += value
        emit(self.Transfer(self.caller, to, value))
        return True

    @transition(issued)
    def approve(self, spender: address, value: uint256) -> bool:
        """Let a spender send up to this much."""
        self.allowances[self.caller][spender] = value
        emit(self.Approval(self.caller, spender, value))
        return True

    @transition(issued)
    def transferFrom(self, from_: address, to: address, value: uint256) -> bool:  # noqa: N802
        """Send an owner's tokens within its allowance."""
        require(to != ZERO_ADDRESS, self.ERC20InvalidReceiver(to))
        allowed = self.allowances[from_][self.caller]
        if allowed < self.UNLIMITED:
            require(allowed >= value, self.ERC20InsufficientAllowance(self.caller, allowed, value))
            self.allowances[from_][self.caller] = allowed - value
        held = self.balances[from_]
        require(held >= value, self.ERC20InsufficientBalance(from_, held, value))
        self.balances[from_] = held - value
        self.balances[to] += value
        emit(self.Transfer(from_, to, value))
        return True

    @view
    def balanceOf(self, account: address) -> uint256:  # noqa: N802
        """Tell what an account has."""
        return self.balances[account]

    @view
    def allowance(self, owner: address, spender: address) -> uint256:
        """Tell how much a spender may send."""
        return self.allowances[owner][spender]

    @view
    def totalSupply(self) -> uint256:  # noqa: N802
        """Tell how much there is."""
        return self.supply
