"""Restricted shares as Python objects."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Required, TypedDict

from chainstack_sdk.paradigms.erc20_handle import Erc20Token
from chainstack_sdk.paradigms.instance import InstanceApi
from chainstack_sdk.paradigms.share_rules import Lock, Restriction
from chainstack_sdk.paradigms.shares import Shares

if TYPE_CHECKING:
    from typing import Unpack

    from chainstack_sdk.core.native.host import ContractHost
    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.paradigms.template import Paradigm
    from chainstack_sdk.primitives.address import AddressLike
    from chainstack_sdk.primitives.keys import Signer


class TokenOptions(TypedDict, total=False):
    """The fields of a token's config; see :meth:`~chainstack_sdk.paradigms.erc20_handle.Erc20Api.issue`."""

    name: Required[str]
    symbol: Required[str]
    supply: int
    decimals: int
    cap: int
    mintable: bool
    burnable: bool
    pausable: bool
    owner: AddressLike


class ShareToken(Erc20Token):
    """Restricted shares on a chain: an ERC-20 token with a registrar.

    A transfer that the rules refuse raises :class:`~chainstack_sdk.primitives.errors.Reverted` with
    ``TransferRestricted(code=8, message='more than is unlocked')``; the codes are those of
    :class:`~chainstack_sdk.paradigms.share_rules.Restriction`.
    """

    def __init__(self, host: ContractHost, address: AddressLike, paradigm: type[Paradigm] = Shares) -> None:
        super().__init__(host, address, paradigm)

    # Questions

    @cached_property
    def messages(self) -> dict[Restriction, str]:
        """What the token says about each restriction."""
        return {each: str(self.read("messageForTransferRestriction", int(each))) for each in Restriction}

    def restriction(self, sender: AddressLike, to: AddressLike, value: int) -> Restriction:
        """Return why a transfer would be refused now; ``Restriction.NONE``, which is false: it would not."""
        return Restriction(self.read("detectTransferRestriction", sender, to, value))

    def registrar(self) -> bytes:
        """Return who keeps the list of holders, 20 bytes."""
        return bytes(self.read("registrar"))

    def holder_count(self, *, block: int | None = None) -> int:
        """Return how many accounts have a balance, at a block or now."""
        return int(self.read("holderCount", block=block))

    def is_listed(self, who: AddressLike) -> bool:
        """Tell whether an account is on the list of holders."""
        return bool(self.read("isListed", who))

    def is_frozen(self, who: AddressLike) -> bool:
        """Tell whether an account can neither send nor receive."""
        return bool(self.read("isFrozen", who))

    def lock_of(self, who: AddressLike) -> Lock | None:
        """Return an account's lock-up as it was set, over or not; None without one."""
        lock = Lock(*self.read("lockOf", who))
        return lock if lock.amount else None

    def locked_of(self, who: AddressLike, *, block: int | None = None) -> int:
        """Return how much of an account's balance is locked, at a block or now."""
        return int(self.read("lockedOf", who, block=block))

    def free_of(self, who: AddressLike) -> int:
        """Return how much an account holds that is not locked."""
        return self.balance_of(who) - self.locked_of(who)

    def window_open(self) -> bool:
        """Tell whether shares may be transferred at this time."""
        return bool(self.read("windowOpen"))

    # What the registrar does

    def list_holder(self, registrar: Signer, who: AddressLike, listed: bool = True) -> Receipt:
        """Put an account on the list, or off it: then it keeps and sends, and receives no more."""
        return self.send(registrar, "setListed", who, listed)

    def freeze(self, registrar: Signer, who: AddressLike, frozen: bool = True) -> Receipt:
        """Stop an account from sending, receiving and burning, or let it again."""
        return self.send(registrar, "setFrozen", who, frozen)

    def lock(
        self,
        registrar: Signer,
        who: AddressLike,
        amount: int,
        *,
        end: int,
        start: int | None = None,
        cliff: int | None = None,
    ) -> Receipt:
        """Lock the first so many shares of an account, also those that it will get; replaces its lock-up.

        Parameters
        ----------
        amount
            In the token's smallest unit, from 1.
        end
            From when on nothing is locked, Unix seconds.
        start
            From when on shares are released in a straight line; by default all at the end.
        cliff
            Until when none are, whatever the line says; by default the start.
        """
        first = end if start is None else start
        return self.send(registrar, "lock", who, amount, first, first if cliff is None else cliff, end)

    def unlock(self, registrar: Signer, who: AddressLike) -> Receipt:
        """End an account's lock-up now."""
        return self.send(registrar, "unlock", who)

    def force_transfer(
        self, registrar: Signer, holder: AddressLike, to: AddressLike, value: int, *, reason: str
    ) -> Receipt:
        """Move shares without their holder, who may be frozen or locked up; the chain keeps the reason."""
        return self.send(registrar, "forceTransfer", holder, to, value, reason)

    def set_registrar(self, registrar: Signer, to: AddressLike) -> Receipt:
        """Pass the registrar's role on."""
        return self.send(registrar, "setRegistrar", to)


class SharesApi(InstanceApi[ShareToken]):
    """Issues and finds restricted shares: ``chain.shares``."""

    def __init__(self, host: ContractHost) -> None:
        super().__init__(host, Shares, ShareToken)

    def issue(
        self,
        sender: Signer,
        *,
        registrar: AddressLike | None = None,
        listed_only: bool = True,
        max_holders: int = 0,
        max_share: int = 0,
        window_start: int = 0,
        window_period: int = 0,
        window_length: int = 0,
        gas: int | None = None,
        **token: Unpack[TokenOptions],
    ) -> ShareToken:
        """Issue shares by one transaction.

        Parameters
        ----------
        sender
            Who signs and pays.
        registrar
            Who keeps the list of holders; by default the owner.
        listed_only
            Whether only listed accounts receive.
        max_holders
            How many accounts may have a balance; 0: any number.
        max_share
            What one holder other than the owner may get to, in basis points of the supply; 0: all.
        window_start, window_period, window_length
            Transfers are open for ``window_length`` seconds of every ``window_period``, counted from
            ``window_start`` (Unix seconds); without a period always.
        gas
            Gas limit; found by the chain when not given.
        **token
            ``name``, ``symbol``, ``supply`` and the rest as of any token; ``decimals`` are 0 by default.

        Raises
        ------
        UsageError
            When the config does not fit.
        Reverted
            When the chain refuses.
        """
        owner = token.get("owner", sender.address)
        config = {
            **token,
            "owner": owner,
            "registrar": owner if registrar is None else registrar,
            "listed_only": listed_only,
            "max_holders": max_holders,
            "max_share": max_share,
            "window_start": window_start,
            "window_period": window_period,
            "window_length": window_length,
        }
        return self._issue(sender, config, gas)
