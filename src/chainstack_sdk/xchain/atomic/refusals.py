"""How both contracts of atomic transactions refuse, and how they read what they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core import gas
from chainstack_sdk.core.native.contract import NativeContract, error
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.xchain.atomic.storage import Decision
from chainstack_sdk.xchain.atomic.terms import AtomicTerms

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from chainstack_sdk.core.call import Call

    T = TypeVar("T")


class AtomicRefusals(NativeContract):
    """Errors that the coordinator and the participant share."""

    Malformed = error("error Malformed(string reason)")
    WrongCoordinator = error("error WrongCoordinator(uint64 expected, uint64 actual)")
    NotALeg = error("error NotALeg(bytes32 id, uint256 index)")
    AlreadyDecided = error("error AlreadyDecided(bytes32 id, uint8 decision)")
    DeadlinePassed = error("error DeadlinePassed(uint64 deadlineMs, uint64 nowMs)")
    NotAllowed = error("error NotAllowed(address caller)")

    def decoded(self, call: Call, decode: Callable[[bytes], T], data: bytes) -> T:
        """Return what some bytes stand for, at the price of hashing them.

        Raises
        ------
        Reverted
            ``Malformed``, with the reason.
        """
        call.charge(gas.KECCAK + gas.KECCAK_WORD * ((len(data) + 31) >> 5))
        try:
            return decode(data)
        except InvalidInput as refusal:
            raise call.error(self.Malformed, refusal.message) from refusal

    def terms(self, call: Call, transaction: bytes) -> AtomicTerms:
        """Return the transaction that some bytes stand for, or revert with ``Malformed``."""
        return self.decoded(call, AtomicTerms.decode, transaction)

    def require_open(self, call: Call, key: bytes, transaction: bytes, deadline_ms: int) -> None:
        """Refuse what comes after the decision, or too late for one.

        Parameters
        ----------
        key
            The slot of the decision.
        transaction
            The id.
        """
        self.require_undecided(call, key, transaction)
        now = call.block.timestamp_ms
        call.require(now < deadline_ms, self.DeadlinePassed, deadline_ms, now)

    def require_undecided(self, call: Call, key: bytes, transaction: bytes) -> None:
        """Refuse what comes after the decision; arguments as for :meth:`require_open`."""
        decision = call.load(key)
        call.require(decision == Decision.NONE, self.AlreadyDecided, transaction, decision)
