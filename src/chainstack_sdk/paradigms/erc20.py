"""Fungible tokens: EIP-20 with EIP-2612 permits, and what the config switches on.

Behaviour, events, errors (ERC-6093) and the order of checks are those of OpenZeppelin Contracts 5:
``ERC20``, ``ERC20Permit``, ``ERC20Capped``, ``ERC20Burnable``, ``ERC20Pausable``, ``Ownable`` with an owner
who mints. So are the first slots of storage:

====  =========================================================
Slot  Value
====  =========================================================
0     balances: mapping from address
1     allowances: mapping from owner to mapping from spender
2     total supply
5     owner
6     1 while paused
7     nonces of permits: mapping from address
====  =========================================================

Name and symbol (slots 3 and 4 in OpenZeppelin's contract) never change, and are in the code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.native.contract import error, event, external
from chainstack_sdk.core.native.slots import MappingSlots, NestedMappingSlots, slot
from chainstack_sdk.core.panics import OVERFLOW, panic
from chainstack_sdk.paradigms.ownable import Ownable
from chainstack_sdk.paradigms.permit import Permit
from chainstack_sdk.primitives.address import ZERO_ADDRESS

if TYPE_CHECKING:
    from pydantic import BaseModel

    from chainstack_sdk.core.call import Call

UNLIMITED = (1 << 256) - 1
"""An allowance of this much is not used up."""

_BALANCES = MappingSlots(0)
_ALLOWANCES = NestedMappingSlots(1)
_SUPPLY = slot(2)
_PAUSED = slot(6)
_PAD = bytes(12)


class Erc20(Ownable, Permit):
    """The ERC-20 paradigm.

    Config: ``name``, ``symbol``, ``decimals``; ``supply``, in the token's smallest unit, minted to the
    owner; ``cap``, the most that may exist, or 0 for no limit; ``mintable``, ``burnable``, ``pausable``:
    whether the functions for it are there; ``owner``, who may mint and pause.
    """

    name = "erc20"
    constructor = (
        "constructor(string name, string symbol, uint8 decimals, uint256 supply, uint256 cap, "
        "bool mintable, bool burnable, bool pausable, address owner)"
    )
    owner_slot = slot(5)

    Transfer = event("event Transfer(address indexed from, address indexed to, uint256 value)")
    Approval = event("event Approval(address indexed owner, address indexed spender, uint256 value)")
    Paused = event("event Paused(address account)")
    Unpaused = event("event Unpaused(address account)")

    ERC20InsufficientBalance = error(
        "error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)"
    )
    ERC20InvalidSender = error("error ERC20InvalidSender(address sender)")
    ERC20InvalidReceiver = error("error ERC20InvalidReceiver(address receiver)")
    ERC20InsufficientAllowance = error(
        "error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)"
    )
    ERC20InvalidApprover = error("error ERC20InvalidApprover(address approver)")
    ERC20InvalidSpender = error("error ERC20InvalidSpender(address spender)")
    ERC20ExceededCap = error("error ERC20ExceededCap(uint256 increasedSupply, uint256 cap)")
    EnforcedPause = error("error EnforcedPause()")
    ExpectedPause = error("error ExpectedPause()")

    @classmethod
    def config_model(cls) -> type[BaseModel]:
        """Return the pydantic model of the config."""
        from chainstack_sdk.paradigms.config import Erc20Config

        return Erc20Config

    def create(self, call: Call) -> None:
        """Set the owner, if it has anything to do, and mint the initial supply to it."""
        config = self.config
        if config.mintable or config.pausable:
            self.set_first_owner(call, config.owner)
        if config.supply:
            self._mint(call, config.owner, config.supply)

    # EIP-20

    @external("function name() view returns (string)")
    def token_name(self, call: Call) -> str:
        """Return the token's name."""
        return str(self.config.name)

    @external("function symbol() view returns (string)")
    def symbol(self, call: Call) -> str:
        """Return the token's short name."""
        return str(self.config.symbol)

    @external("function decimals() view returns (uint8)")
    def decimals(self, call: Call) -> int:
        """Return how many decimals people are shown; amounts here are always in the smallest unit."""
        return int(self.config.decimals)

    @external("function totalSupply() view returns (uint256)")
    def total_supply(self, call: Call) -> int:
        """Return the sum of all balances."""
        return call.load(_SUPPLY)

    @external("function balanceOf(address account) view returns (uint256)")
    def balance_of(self, call: Call, account: bytes) -> int:
        """Return what an account holds."""
        return call.load(_BALANCES[account])

    @external("function transfer(address to, uint256 value) returns (bool)")
    def transfer(self, call: Call, to: bytes, value: int) -> bool:
        """Send the caller's tokens."""
        self._transfer(call, call.caller, to, value)
        return True

    @external("function allowance(address owner, address spender) view returns (uint256)")
    def allowance(self, call: Call, owner: bytes, spender: bytes) -> int:
        """Return how much a spender may still send of an owner's tokens."""
        return call.load(_ALLOWANCES[owner + spender])

    @external("function approve(address spender, uint256 value) returns (bool)")
    def approve(self, call: Call, spender: bytes, value: int) -> bool:
        """Let a spender send up to this much of the caller's tokens; 2^256 - 1 means without limit."""
        self.set_allowance(call, call.caller, spender, value)
        return True

    @external("function transferFrom(address from, address to, uint256 value) returns (bool)")
    def transfer_from(self, call: Call, sender: bytes, to: bytes, value: int) -> bool:
        """Send an owner's tokens within the allowance it gave to the caller."""
        self._spend_allowance(call, sender, value)
        self._transfer(call, sender, to, value)
        return True

    # What the config switches on

    @external("function cap() view returns (uint256)", when="cap")
    def cap(self, call: Call) -> int:
        """Return the most that may exist."""
        return int(self.config.cap)

    @external("function mint(address to, uint256 amount)", when="mintable")
    def mint(self, call: Call, to: bytes, amount: int) -> None:
        """Make new tokens; for the owner only."""
        self.only_owner(call)
        self._mint(call, to, amount)

    @external("function burn(uint256 value)", when="burnable")
    def burn(self, call: Call, value: int) -> None:
        """Destroy the caller's tokens."""
        self._burn(call, call.caller, value)

    @external("function burnFrom(address account, uint256 value)", when="burnable")
    def burn_from(self, call: Call, account: bytes, value: int) -> None:
        """Destroy an account's tokens within the allowance it gave to the caller."""
        self._spend_allowance(call, account, value)
        self._burn(call, account, value)

    @external("function paused() view returns (bool)", when="pausable")
    def paused(self, call: Call) -> bool:
        """Tell whether transfers, mints and burns are stopped."""
        return bool(call.load(_PAUSED))

    @external("function pause()", when="pausable")
    def pause(self, call: Call) -> None:
        """Stop every transfer, mint and burn; for the owner only."""
        self.only_owner(call)
        self._require_not_paused(call)
        call.store(_PAUSED, 1)
        call.emit(self.Paused, call.caller)

    @external("function unpause()", when="pausable")
    def unpause(self, call: Call) -> None:
        """Let tokens move again; for the owner only."""
        self.only_owner(call)
        call.require(call.load(_PAUSED), self.ExpectedPause)
        call.store(_PAUSED, 0)
        call.emit(self.Unpaused, call.caller)

    # Inside

    def set_allowance(self, call: Call, owner: bytes, spender: bytes, value: int) -> None:
        """Write an allowance and tell of it."""
        self._write_allowance(call, owner, spender, value)
        call.log((self.Approval.topic, _PAD + owner, _PAD + spender), value.to_bytes(32, "big"))

    def _write_allowance(self, call: Call, owner: bytes, spender: bytes, value: int) -> None:
        if owner == ZERO_ADDRESS:
            raise call.error(self.ERC20InvalidApprover, ZERO_ADDRESS)
        if spender == ZERO_ADDRESS:
            raise call.error(self.ERC20InvalidSpender, ZERO_ADDRESS)
        call.store(_ALLOWANCES[owner + spender], value)

    def _spend_allowance(self, call: Call, owner: bytes, value: int) -> None:
        spender = call.caller
        allowed = call.load(_ALLOWANCES[owner + spender])
        if allowed == UNLIMITED:
            return
        if allowed < value:
            raise call.error(self.ERC20InsufficientAllowance, spender, allowed, value)
        self._write_allowance(call, owner, spender, allowed - value)

    def _transfer(self, call: Call, sender: bytes, to: bytes, value: int) -> None:
        if sender == ZERO_ADDRESS:
            raise call.error(self.ERC20InvalidSender, ZERO_ADDRESS)
        if to == ZERO_ADDRESS:
            raise call.error(self.ERC20InvalidReceiver, ZERO_ADDRESS)
        if self.config.pausable:
            self._require_not_paused(call)
        left = call.move(_BALANCES[sender], _BALANCES[to], value)
        if left < 0:
            raise call.error(self.ERC20InsufficientBalance, sender, left + value, value)
        call.log((_TRANSFER, _PAD + sender, _PAD + to), value.to_bytes(32, "big"))

    def _mint(self, call: Call, to: bytes, value: int) -> None:
        if to == ZERO_ADDRESS:
            raise call.error(self.ERC20InvalidReceiver, ZERO_ADDRESS)
        if self.config.pausable:
            self._require_not_paused(call)
        supply, cap = call.try_add(_SUPPLY, value), self.config.cap
        if supply > UNLIMITED:
            raise panic(OVERFLOW)
        if cap and supply > cap:
            raise call.error(self.ERC20ExceededCap, supply, cap)
        call.try_add(_BALANCES[to], value)
        call.emit(self.Transfer, ZERO_ADDRESS, to, value)

    def _burn(self, call: Call, sender: bytes, value: int) -> None:
        if sender == ZERO_ADDRESS:
            raise call.error(self.ERC20InvalidSender, ZERO_ADDRESS)
        if self.config.pausable:
            self._require_not_paused(call)
        left = call.try_add(_BALANCES[sender], -value)
        if left < 0:
            raise call.error(self.ERC20InsufficientBalance, sender, left + value, value)
        call.try_add(_SUPPLY, -value)
        call.emit(self.Transfer, sender, ZERO_ADDRESS, value)

    def _require_not_paused(self, call: Call) -> None:
        if call.load(_PAUSED):
            raise call.error(self.EnforcedPause)


_TRANSFER = Erc20.Transfer.topic
