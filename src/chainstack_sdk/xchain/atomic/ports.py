"""What atomic transactions need of chains and of those who carry packets between them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias

from chainstack_sdk.core.native.host import ContractHost
from chainstack_sdk.paradigms.instance import Instance
from chainstack_sdk.xchain.addresses import COORDINATOR_ADDRESS, PARTICIPANT_ADDRESS
from chainstack_sdk.xchain.atomic.coordinator import Coordinator
from chainstack_sdk.xchain.atomic.participant import Participant

if TYPE_CHECKING:
    from chainstack_sdk.cspv import Anchor, Proof, StorageKey

Carry: TypeAlias = Callable[[], object]
"""Carries what waits between the chains, as far as it can at the moment: a step of every relayer, say."""


class Timed(Protocol):
    """Has a time: the head of a chain."""

    @property
    def timestamp_ms(self) -> int:
        """Unix time in milliseconds."""
        ...


class AtomicChain(ContractHost, Protocol):
    """A chain that takes part; :class:`~chainstack_sdk.Chain` is one."""

    @property
    def chain_id(self) -> int:
        """EIP-155 chain id."""
        ...

    @property
    def head(self) -> Timed:
        """The newest block."""
        ...


class ProvingChain(AtomicChain, Protocol):
    """A chain whose state can be proven to others."""

    def prove(self, target: StorageKey, *, anchor: Anchor | None = None) -> Proof:
        """Prove a slot, as of the newest final block, to those who hold an anchor."""
        ...


def coordinator_of(chain: ContractHost) -> Instance:
    """Return the handle of a chain's coordinator."""
    return Instance(chain, COORDINATOR_ADDRESS, Coordinator)


def participant_of(chain: ContractHost) -> Instance:
    """Return the handle of a chain's participant."""
    return Instance(chain, PARTICIPANT_ADDRESS, Participant)
