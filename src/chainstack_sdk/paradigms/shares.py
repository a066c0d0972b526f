"""Restricted shares: an ERC-20 token with rules about who holds how much, and when it moves.

A registrar keeps the list of holders, freezes accounts, locks shares up and can move them where the law says
so. Everything else is :class:`~chainstack_sdk.paradigms.erc20.Erc20`, whose refusals of accounts, pauses and
missing balances come first. Wallets ask before they send, as ERC-1404 has it. After the slots of the token
come

====  ==================================================================================
Slot  Value
====  ==================================================================================
8     registrar
9     number of holders: accounts with a balance
10    standings: mapping from address; 1 when listed, plus 2 when frozen
11    amounts of lock-ups: mapping from address
12    their times: mapping from address; start + cliff * 2^64 + end * 2^128
====  ==================================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.native.contract import error, event, external
from chainstack_sdk.core.native.slots import MappingSlots, slot
from chainstack_sdk.paradigms.erc20 import Erc20
from chainstack_sdk.paradigms.share_rules import (
    BASIS_POINTS,
    MESSAGES,
    TOKEN_REFUSALS,
    UNKNOWN_MESSAGE,
    Lock,
    Restriction,
)
from chainstack_sdk.primitives.address import ZERO_ADDRESS

if TYPE_CHECKING:
    from pydantic import BaseModel

    from chainstack_sdk.core.call import Call

_REGISTRAR = slot(8)
_HOLDERS = slot(9)
_STANDINGS = MappingSlots(10)
_LOCKED = MappingSlots(11)
_SCHEDULES = MappingSlots(12)
_LISTED, _FROZEN = 1, 2


class Shares(Erc20):
    """The paradigm of restricted shares.

    Config: that of the token, and ``registrar``; ``listed_only``: whether only listed accounts receive;
    ``max_holders`` and ``max_share`` (basis points of the supply that one holder gets to), 0 for no limit;
    ``window_start``, ``window_period``, ``window_length``: transfers are open for so many seconds of each
    period, counted from the start; without a period always. The owner is listed from the beginning, and the
    largest share does not bind it.
    """

    name = "shares"
    constructor = (
        f"{Erc20.constructor.removesuffix(')')}, address registrar, bool listed_only, uint64 max_holders, "
        "uint16 max_share, uint64 window_start, uint64 window_period, uint64 window_length)"
    )

    Listed = event("event Listed(address indexed account, bool listed)")
    Frozen = event("event Frozen(address indexed account, bool frozen)")
    Locked = event(
        "event Locked(address indexed account, uint256 amount, uint64 start, uint64 cliff, uint64 end)"
    )
    ForcedTransfer = event(
        "event ForcedTransfer(address indexed from, address indexed to, uint256 value, string reason)"
    )
    RegistrarChanged = event("event RegistrarChanged(address indexed previous, address indexed registrar)")

    TransferRestricted = error("error TransferRestricted(uint8 code, string message)")
    NotRegistrar = error("error NotRegistrar(address account)")
    InvalidRegistrar = error("error InvalidRegistrar(address registrar)")
    InvalidRules = error("error InvalidRules()")
    InvalidLock = error("error InvalidLock()")

    @classmethod
    def config_model(cls) -> type[BaseModel]:
        """Return the pydantic model of the config."""
        from chainstack_sdk.paradigms.shares_config import SharesConfig

        return SharesConfig

    def create(self, call: Call) -> None:
        """Check the rules, name the registrar, list the owner, and begin as a token does."""
        config = self.config
        windows = config.window_period == 0 or 0 < config.window_length <= config.window_period
        call.require(windows and config.max_share <= BASIS_POINTS, self.InvalidRules)
        self._name_registrar(call, config.registrar)
        self._set_standing(call, config.owner, _LISTED, True)
        call.emit(self.Listed, config.owner, True)
        super().create(call)

    # What everybody may ask

    @external(
        "function detectTransferRestriction(address from, address to, uint256 value) view returns (uint8)"
    )
    def detect_transfer_restriction(self, call: Call, sender: bytes, to: bytes, value: int) -> int:
        """Tell why a transfer would be refused now, by number; 0 when it would not (ERC-1404)."""
        return self._restriction(call, sender, to, value)

    @external("function messageForTransferRestriction(uint8 restrictionCode) view returns (string)")
    def message_for_transfer_restriction(self, call: Call, code: int) -> str:
        """Tell what a number stands for (ERC-1404)."""
        return MESSAGES[code] if code < len(MESSAGES) else UNKNOWN_MESSAGE

    @external("function registrar() view returns (address)")
    def registrar(self, call: Call) -> bytes:
        """Return who keeps the list."""
        return call.load(_REGISTRAR).to_bytes(20, "big")

    @external("function holderCount() view returns (uint256)")
    def holder_count(self, call: Call) -> int:
        """Return how many accounts have a balance."""
        return call.load(_HOLDERS)

    @external("function isListed(address account) view returns (bool)")
    def is_listed(self, call: Call, account: bytes) -> bool:
        """Tell whether an account is on the list of holders."""
        return bool(call.load(_STANDINGS[account]) & _LISTED)

    @external("function isFrozen(address account) view returns (bool)")
    def is_frozen(self, call: Call, account: bytes) -> bool:
        """Tell whether an account can neither send nor receive."""
        return bool(call.load(_STANDINGS[account]) & _FROZEN)

    @external(
        "function lockOf(address account) view returns "
        "(uint256 amount, uint64 start, uint64 cliff, uint64 end)"
    )
    def lock_of(self, call: Call, account: bytes) -> tuple[int, int, int, int]:
        """Return an account's lock-up as it was set; all zero without one."""
        lock = self._lock(call, account)
        return lock.amount, lock.start, lock.cliff, lock.end

    @external("function lockedOf(address account) view returns (uint256)")
    def locked_of(self, call: Call, account: bytes) -> int:
        """Return how much of an account's balance is locked now."""
        return min(self._lock(call, account).locked_at(call.block.timestamp), self.balance_of(call, account))

    @external("function windowOpen() view returns (bool)")
    def window_open(self, call: Call) -> bool:
        """Tell whether shares may be transferred at this time."""
        config, now = self.config, call.block.timestamp
        if not config.window_period:
            return True
        passed = now - config.window_start
        return bool(passed >= 0 and passed % config.window_period < config.window_length)

    # What the registrar does

    @external("function setListed(address account, bool listed)")
    def set_listed(self, call: Call, account: bytes, listed: bool) -> None:
        """Put an account on the list of holders, or off it: then it keeps and sends, and receives no more."""
        self._only_registrar(call)
        self._set_standing(call, account, _LISTED, listed)
        call.emit(self.Listed, account, listed)

    @external("function setFrozen(address account, bool frozen)")
    def set_frozen(self, call: Call, account: bytes, frozen: bool) -> None:
        """Stop an account from sending, receiving and burning, or let it again."""
        self._only_registrar(call)
        self._set_standing(call, account, _FROZEN, frozen)
        call.emit(self.Frozen, account, frozen)

    @external("function lock(address account, uint256 amount, uint64 start, uint64 cliff, uint64 end)")
    def lock(self, call: Call, account: bytes, amount: int, start: int, cliff: int, end: int) -> None:
        """Lock the first so many shares of an account, also those that it will get; replaces its lock-up."""
        self._only_registrar(call)
        lock = Lock(amount, start, cliff, end)
        call.require(lock.is_possible, self.InvalidLock)
        self._set_lock(call, account, lock)

    @external("function unlock(address account)")
    def unlock(self, call: Call, account: bytes) -> None:
        """End an account's lock-up now."""
        self._only_registrar(call)
        self._set_lock(call, account, Lock(0, 0, 0, 0))

    @external("function forceTransfer(address from, address to, uint256 value, string reason)")
    def force_transfer(self, call: Call, sender: bytes, to: bytes, value: int, reason: str) -> None:
        """Move shares whatever their holder, a lock-up, a freeze of the holder or the windows say.

        The rules about receivers hold, and so does a pause.
        """
        self._only_registrar(call)
        found = self._tokens_own(call, sender, to, value) or self._receiving(call, sender, to, value)
        self._refuse(call, found)
        self._move(call, sender, to, value)
        call.emit(self.ForcedTransfer, sender, to, value, reason)

    @external("function setRegistrar(address registrar)")
    def set_registrar(self, call: Call, registrar: bytes) -> None:
        """Pass the registrar's role on."""
        self._only_registrar(call)
        self._name_registrar(call, registrar)

    # Movements of the token, with the rules

    def _transfer(self, call: Call, sender: bytes, to: bytes, value: int) -> None:
        self._refuse(call, self._restriction(call, sender, to, value))
        self._move(call, sender, to, value)

    def _mint(self, call: Call, to: bytes, value: int) -> None:
        if to != ZERO_ADDRESS and not self._is_paused(call):
            self._refuse(call, self._receiving(call, ZERO_ADDRESS, to, value, value))
        joins = value and not self.balance_of(call, to)
        super()._mint(call, to, value)
        if joins:
            call.try_add(_HOLDERS, 1)

    def _burn(self, call: Call, sender: bytes, value: int) -> None:
        left = self.balance_of(call, sender) - value
        if left >= 0 and not self._is_paused(call):
            self._refuse(call, self._sending(call, sender, left))
        super()._burn(call, sender, value)
        if value and not left:
            call.try_add(_HOLDERS, -1)

    def _move(self, call: Call, sender: bytes, to: bytes, value: int) -> None:
        """Transfer as the token does, and count the holders."""
        change = 0
        if value and sender != to:
            change = (not self.balance_of(call, to)) - (self.balance_of(call, sender) == value)
        super()._transfer(call, sender, to, value)
        if change:
            call.try_add(_HOLDERS, change)

    # The rules

    def _restriction(self, call: Call, sender: bytes, to: bytes, value: int) -> Restriction:
        if found := self._tokens_own(call, sender, to, value):
            return found
        if not self.window_open(call):
            return Restriction.WINDOW_CLOSED
        left = self.balance_of(call, sender) - value
        return self._sending(call, sender, left) or self._receiving(call, sender, to, value)

    def _tokens_own(self, call: Call, sender: bytes, to: bytes, value: int) -> Restriction:
        """Return what every token refuses, and has an error of its own for."""
        if ZERO_ADDRESS in (sender, to):
            return Restriction.NO_ACCOUNT
        if self._is_paused(call):
            return Restriction.PAUSED
        short = self.balance_of(call, sender) < value
        return Restriction.INSUFFICIENT_BALANCE if short else Restriction.NONE

    def _is_paused(self, call: Call) -> bool:
        return self.config.pausable and self.paused(call)

    def _sending(self, call: Call, sender: bytes, left: int) -> Restriction:
        """Return what keeps an account from parting with all but so much."""
        if self.is_frozen(call, sender):
            return Restriction.SENDER_FROZEN
        return Restriction.LOCKED if left < self.locked_of(call, sender) else Restriction.NONE

    def _receiving(self, call: Call, sender: bytes, to: bytes, value: int, minted: int = 0) -> Restriction:
        """Return what keeps an account from getting so much, with so much more in existence."""
        config, standing = self.config, call.load(_STANDINGS[to])
        if standing & _FROZEN:
            return Restriction.RECEIVER_FROZEN
        if config.listed_only and not standing & _LISTED:
            return Restriction.NOT_LISTED
        if not value or sender == to:
            return Restriction.NONE
        held = self.balance_of(call, to)
        if config.max_holders and not held:
            leaves = self.balance_of(call, sender) == value
            if self.holder_count(call) + 1 - leaves > config.max_holders:
                return Restriction.TOO_MANY_HOLDERS
        if config.max_share and to != config.owner:
            supply = self.total_supply(call) + minted
            if (held + value) * BASIS_POINTS > config.max_share * supply:
                return Restriction.ABOVE_SHARE
        return Restriction.NONE

    def _refuse(self, call: Call, found: Restriction) -> None:
        """Refuse what is restricted; what the token refuses itself is left to it."""
        if found not in TOKEN_REFUSALS:
            raise call.error(self.TransferRestricted, int(found), found.message)

    # Inside

    def _only_registrar(self, call: Call) -> None:
        call.require(self.registrar(call) == call.caller, self.NotRegistrar, call.caller)

    def _name_registrar(self, call: Call, registrar: bytes) -> None:
        call.require(registrar != ZERO_ADDRESS, self.InvalidRegistrar, registrar)
        previous = self.registrar(call)
        call.store(_REGISTRAR, int.from_bytes(registrar, "big"))
        call.emit(self.RegistrarChanged, previous, registrar)

    def _set_standing(self, call: Call, account: bytes, bit: int, on: bool) -> None:
        before = call.load(_STANDINGS[account])
        call.store(_STANDINGS[account], before | bit if on else before & ~bit)

    def _lock(self, call: Call, account: bytes) -> Lock:
        return Lock.of(call.load(_LOCKED[account]), call.load(_SCHEDULES[account]))

    def _set_lock(self, call: Call, account: bytes, lock: Lock) -> None:
        call.store(_LOCKED[account], lock.amount)
        call.store(_SCHEDULES[account], lock.schedule)
        call.emit(self.Locked, account, lock.amount, lock.start, lock.cliff, lock.end)
