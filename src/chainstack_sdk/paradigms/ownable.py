"""One account that may do more than others: OpenZeppelin's ``Ownable``."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from chainstack_sdk.core.native.contract import error, event, external
from chainstack_sdk.paradigms.template import Paradigm
from chainstack_sdk.primitives.address import ZERO_ADDRESS

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call


class Ownable(Paradigm):
    """Mixin: an owner in storage, who may pass the role on or give it up.

    The functions are there when :attr:`owned` says that the owner has anything to do.
    """

    owner_slot: ClassVar[bytes]
    """Where the owner's address is kept."""

    OwnershipTransferred = event(
        "event OwnershipTransferred(address indexed previousOwner, address indexed newOwner)"
    )
    OwnableUnauthorizedAccount = error("error OwnableUnauthorizedAccount(address account)")
    OwnableInvalidOwner = error("error OwnableInvalidOwner(address owner)")

    def set_first_owner(self, call: Call, owner: bytes) -> None:
        """Set the owner of a new instance.

        Raises
        ------
        Reverted
            ``OwnableInvalidOwner`` for the zero address.
        """
        call.require(owner != ZERO_ADDRESS, self.OwnableInvalidOwner, ZERO_ADDRESS)
        self._set_owner(call, owner)

    def only_owner(self, call: Call) -> None:
        """Refuse whoever is not the owner.

        Raises
        ------
        Reverted
            ``OwnableUnauthorizedAccount``.
        """
        call.require(
            call.load(self.owner_slot) == int.from_bytes(call.caller, "big"),
            self.OwnableUnauthorizedAccount,
            call.caller,
        )

    @external("function owner() view returns (address)", when="mintable pausable")
    def owner(self, call: Call) -> bytes:
        """Return the owner; the zero address when the role has been given up."""
        return call.load(self.owner_slot).to_bytes(20, "big")

    @external("function transferOwnership(address newOwner)", when="mintable pausable")
    def transfer_ownership(self, call: Call, new_owner: bytes) -> None:
        """Pass the role to another account."""
        self.only_owner(call)
        call.require(new_owner != ZERO_ADDRESS, self.OwnableInvalidOwner, ZERO_ADDRESS)
        self._set_owner(call, new_owner)

    @external("function renounceOwnership()", when="mintable pausable")
    def renounce_ownership(self, call: Call) -> None:
        """Give the role up for ever."""
        self.only_owner(call)
        self._set_owner(call, ZERO_ADDRESS)

    def _set_owner(self, call: Call, owner: bytes) -> None:
        previous = call.load(self.owner_slot).to_bytes(20, "big")
        call.store(self.owner_slot, int.from_bytes(owner, "big"))
        call.emit(self.OwnershipTransferred, previous, owner)
