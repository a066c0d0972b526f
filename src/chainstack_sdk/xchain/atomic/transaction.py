"""Building a transaction across chains, and bringing it to its end.

::

    with AtomicTransaction(main, carol, carry=relayers) as trade:
        trade.move(gold_chain, alice, gold, 10, to=bob)
        trade.move(art_chain, bob, art, 7, to=alice)
    # here it is committed on all chains; or AtomicAborted was raised and nothing has happened

Nothing is sent before the block ends; an exception inside of it discards the whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

from chainstack_sdk.paradigms.erc20 import Erc20
from chainstack_sdk.paradigms.erc721 import Erc721
from chainstack_sdk.primitives.address import to_address
from chainstack_sdk.primitives.errors import Rejected, Reverted, UsageError
from chainstack_sdk.xchain.addresses import PARTICIPANT_ADDRESS
from chainstack_sdk.xchain.approval import approve
from chainstack_sdk.xchain.atomic.errors import AtomicAborted, AtomicUnsettled
from chainstack_sdk.xchain.atomic.ports import coordinator_of, participant_of
from chainstack_sdk.xchain.atomic.storage import Decision
from chainstack_sdk.xchain.atomic.terms import AtomicTerms, Leg
from chainstack_sdk.xchain.custody import Asset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

    from chainstack_sdk.paradigms.instance import Instance
    from chainstack_sdk.primitives.address import AddressLike
    from chainstack_sdk.primitives.keys import Signer
    from chainstack_sdk.xchain.atomic.ports import AtomicChain, Carry
    from chainstack_sdk.xchain.atomic.terms import Guard

DEFAULT_LIFETIME_MS = 600_000
"""Milliseconds from the coordinator's newest block to the deadline: ten minutes."""
DEFAULT_ROUNDS = 64
"""How often the carrier is called, at most, before the transaction is given up or left to others."""


class Planned(NamedTuple):
    """A leg, where it is prepared, and by whom."""

    chain: AtomicChain
    owner: Signer
    leg: Leg


class AtomicTransaction:
    """Movements on several chains of which all happen or none.

    Parameters
    ----------
    coordinator
        The chain that decides; it may take part itself.
    initiator
        Opens the coordinator's channels where that is needed, and calls the transaction off when a leg cannot
        be prepared; pays for both on the coordinator's chain.
    carry
        Called again and again until the transaction is settled.
    lifetime_ms
        From the coordinator's newest block to the deadline, by which all votes must have arrived.
    nonce
        Tells apart transactions that are the same in everything else.
    rounds
        How often the carrier is called, at most.
    """

    def __init__(
        self,
        coordinator: AtomicChain,
        initiator: Signer,
        *,
        carry: Carry,
        lifetime_ms: int = DEFAULT_LIFETIME_MS,
        nonce: int = 0,
        rounds: int = DEFAULT_ROUNDS,
    ) -> None:
        self.coordinator = coordinator
        self.initiator = initiator
        self._carry = carry
        self._lifetime_ms = lifetime_ms
        self._nonce = nonce
        self._rounds = rounds
        self._planned: list[Planned] = []
        self._terms: AtomicTerms | None = None

    def move(
        self,
        chain: AtomicChain,
        owner: Signer,
        token: Instance | None,
        number: int,
        *,
        to: AddressLike,
        guards: Sequence[Guard] = (),
    ) -> None:
        """Add a movement of coin or tokens.

        Parameters
        ----------
        token
            The handle of an ERC-20 or ERC-721 token on that chain; None: the chain's coin.
        number
            Wei, an amount in the token's smallest unit, or the id of an ERC-721 token.
        guards
            What must hold on the chain when the funds go into escrow.

        Raises
        ------
        UsageError
            When it is neither kind of token, or the transaction is under way.
        InvalidInput
            When a number or an address does not fit.
        """
        self.add(chain, owner, _asset(token, number), to=to, guards=guards)

    def add(
        self,
        chain: AtomicChain,
        owner: Signer,
        asset: Asset,
        *,
        to: AddressLike,
        guards: Sequence[Guard] = (),
    ) -> None:
        """Add a movement of an asset; see :meth:`move`."""
        if self._terms is not None:
            raise UsageError("the transaction is under way", id=self._terms.id)
        leg = Leg(chain.chain_id, owner.address, to_address(to), asset, tuple(guards))
        self._planned.append(Planned(chain, owner, leg))

    @property
    def terms(self) -> AtomicTerms:
        """What the parties agree on; asking for it the first time fixes the legs and the deadline.

        Raises
        ------
        InvalidInput
            When there is no leg, or more than a transaction can have.
        """
        if self._terms is None:
            self._terms = AtomicTerms.of(
                self.initiator.address,
                self._nonce,
                self.coordinator.chain_id,
                self.coordinator.head.timestamp_ms + self._lifetime_ms,
                [planned.leg for planned in self._planned],
            )
        return self._terms

    @property
    def decision(self) -> Decision:
        """What the coordinator has decided."""
        return Decision(coordinator_of(self.coordinator).read("decisionOf", self.terms.id))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.commit()

    def commit(self) -> AtomicTerms:
        """Prepare every leg, carry until all is settled, and return the terms of the committed transaction.

        Raises
        ------
        AtomicAborted
            When a leg could not be prepared or the votes did not arrive; nothing has happened. The cause is
            the refusal, if there was one.
        AtomicUnsettled
            When the carrier does not bring the decision to all chains.
        InvalidInput
            As for :attr:`terms`.
        """
        refusal = None
        try:
            for _ in self.steps():
                pass
        except (Reverted, Rejected) as error:
            refusal = error
            self.abort()
        if self.settle() is Decision.ABORTED:
            why = "the votes did not arrive" if refusal is None else "a leg could not be prepared"
            raise AtomicAborted(why, id=self.terms.id) from refusal
        return self.terms

    def steps(self) -> Iterator[str]:
        """Take the initiator's steps one by one, each when the next is asked for, and say what was done.

        Whoever stops in between leaves a transaction that anybody can bring to an end.

        Raises
        ------
        Reverted, Rejected
            When a chain refuses the step; :meth:`abort` then.
        """
        terms = self.terms
        coordinator = coordinator_of(self.coordinator)
        for other in terms.chains:
            if other != terms.coordinator and not coordinator.read("isConnected", other):
                coordinator.send(self.initiator, "connect", other)
                yield f"connected {other}"
        for index, (chain, owner, leg) in enumerate(self._planned):
            approve(chain, owner, PARTICIPANT_ADDRESS, leg.asset)
            yield f"approved {index}"
            participant_of(chain).send(
                owner, "prepare", index, leg.encode(), terms.encode(), value=leg.asset.wei
            )
            yield f"prepared {index}"

    def settle(self) -> Decision:
        """Carry until all funds are where the decision wants them; abort when the votes do not arrive.

        Raises
        ------
        AtomicUnsettled
            When the carrier does not bring the decision to all chains.
        """
        self._carry_until(lambda: self.decision is not Decision.NONE)
        self.abort()
        self._carry_until(self.is_settled)
        if not self.is_settled():
            raise AtomicUnsettled("some chain does not know the decision yet", id=self.terms.id)
        return self.decision

    def abort(self) -> None:
        """Call the transaction off, unless it is decided already.

        Raises
        ------
        Reverted, Rejected
            When the initiator cannot pay for it.
        """
        if self.decision is Decision.NONE:
            coordinator_of(self.coordinator).send(self.initiator, "abort", self.terms.encode())

    def is_settled(self) -> bool:
        """Tell whether it is decided, and every chain that holds funds of it knows."""
        decided = self.decision
        return decided is not Decision.NONE and all(
            self._knows(planned, index, decided) for index, planned in enumerate(self._planned)
        )

    def _knows(self, planned: Planned, index: int, decided: Decision) -> bool:
        participant, identity = participant_of(planned.chain), self.terms.id
        told = participant.read("decisionOf", identity) == decided
        return told or not participant.read("holds", identity, index)

    def _carry_until(self, done: Callable[[], bool]) -> None:
        for _ in range(self._rounds):
            if done():
                return
            self._carry()


def _asset(token: Instance | None, number: int) -> Asset:
    if token is None:
        return Asset.coin(number)
    if issubclass(token.contract, Erc20):
        return Asset.erc20(token.address, number)
    if issubclass(token.contract, Erc721):
        return Asset.erc721(token.address, number)
    raise UsageError("neither an ERC-20 nor an ERC-721 token", actual=token.contract.__name__)
