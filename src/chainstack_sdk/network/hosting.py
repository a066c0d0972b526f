"""A chain's consensus hosted in this process, or followed without a voice."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, runtime_checkable
from weakref import WeakKeyDictionary

from chainstack_sdk.consensus.vrf import VrfKey
from chainstack_sdk.core.engine import BlockCommitted
from chainstack_sdk.core.late import Late, LateHeaderRule, LateRules
from chainstack_sdk.network.loop_host import LoopHost
from chainstack_sdk.primitives.errors import InvariantBroken, UsageError
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.keys import Account

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chainstack_sdk.consensus.bft import Membership
    from chainstack_sdk.consensus.chainkey.machine import KeyMachine
    from chainstack_sdk.consensus.chainkey.rules import KeyedRules
    from chainstack_sdk.consensus.kinds.kind import Kind
    from chainstack_sdk.consensus.staking.slots import SlotSchedule
    from chainstack_sdk.consensus.terms import CommitteeTerms
    from chainstack_sdk.consensus.work import WorkHash
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.genesis import Genesis
    from chainstack_sdk.core.interfaces import ChainRules, Consensus, ConsensusEngine, Contract, HeaderRule
    from chainstack_sdk.core.view import ChainView
    from chainstack_sdk.network.local_keys import FirstShares, LocalKeys
    from chainstack_sdk.network.pool import Pool
    from chainstack_sdk.network.record import Record


@runtime_checkable
class HasMembership(Protocol):
    """A kind of consensus whose validators propose in turn."""

    def membership(self, genesis: Genesis, view: ChainView) -> Membership:
        """Return who validates and who proposes, height by height."""
        ...


@runtime_checkable
class Mined(Protocol):
    """A kind of consensus that asks for proof of work."""

    @property
    def work_hash(self) -> WorkHash:
        """What miners hash with."""
        ...


@runtime_checkable
class Seeded(Protocol):
    """A kind of consensus whose proposers prove randomness over the seed of their blocks."""

    def terms(self, genesis: Genesis, headers: Callable[[bytes], Header | None]) -> CommitteeTerms:
        """Return what everybody on the chain agrees on."""
        ...


@runtime_checkable
class Keyed(Protocol):
    """A kind of consensus whose committees may hold a chain key."""

    def key_slots(self, genesis: Genesis) -> SlotSchedule | None:
        """Return the slots by which the key is handed over; None when the chain has none."""
        ...


@dataclass(frozen=True)
class Member:
    """One who takes part: a key that signs, and one for verifiable randomness."""

    account: Account
    vrf_secret: bytes
    """32 bytes."""

    @property
    def address(self) -> bytes:
        """Who it is on the chain, 20 bytes."""
        return self.account.address

    @cached_property
    def vrf(self) -> VrfKey:
        """The key for verifiable randomness."""
        return VrfKey(self.vrf_secret)

    @classmethod
    def from_seed(cls, seed: bytes) -> Member:
        """Return the member whose keys follow from a secret seed of any length."""
        return cls(
            Account.from_key(keccak256(b"chainstack member account" + seed)),
            keccak256(b"chainstack member randomness" + seed),
        )


def local_members(count: int, seed: str = "chainstack_sdk local member") -> list[Member]:
    """Return members that are the same in every run. Anybody can make their keys: for one's own chains only.

    Parameters
    ----------
    count
        How many.
    seed
        Other seeds give other members.
    """
    return [Member.from_seed(f"{seed}/{index}".encode()) for index in range(count)]


class FollowedConsensus:
    """A consensus without a voice in it: blocks come from elsewhere.

    Parameters
    ----------
    kind
        How blocks are agreed on.
    """

    def __init__(self, kind: Kind) -> None:
        self.kind = kind

    @property
    def name(self) -> str:
        """The engine's name."""
        return self.kind.name

    def prepare(self, genesis: Genesis) -> Genesis:
        """Return the genesis with the engine's name, parameters, and system contracts."""
        return self.kind.prepare(genesis)

    def contracts(self) -> Mapping[bytes, Contract]:
        """Return the system contracts by their code."""
        return self.kind.contracts()

    def header_rule(self, genesis: Genesis, view: ChainView) -> HeaderRule:
        """Return the rule by which the chain checks headers."""
        return LateHeaderRule(lambda: self.kind.header_rule(genesis, view))

    def rules(self, genesis: Genesis, view: ChainView) -> ChainRules | None:
        """Return what the consensus does on the chain."""
        return self.kind.rules(genesis, view)

    def engine(self, genesis: Genesis, view: ChainView) -> ConsensusEngine:
        """Return an engine that takes no part; it has been told of the head."""
        engine = self.kind.member(genesis, view, None, headers=view.header, producing=False)
        engine.process(_committed(view))
        return engine


class HostedConsensus(FollowedConsensus):
    """A consensus all of whose members live in this process, around one chain.

    Parameters
    ----------
    kind
        How blocks are agreed on.
    members
        Those who take part; more than sit in a committee at a time may be given, and those elected serve.
    pool
        Mines and is paid, where there is proof of work; by default the first member does both.
    on_evidence
        Told of each proof that a member broke the rules.
    first_shares
        Returns the shares of a chain key from genesis: of the first committee, given, by index of the member
        and by place.
    record
        Keeps the members' shares, where the chain outlives the process.

    Raises
    ------
    UsageError
        When there is no member.
    """

    def __init__(
        self,
        kind: Kind,
        members: Sequence[Member],
        *,
        pool: Pool | None = None,
        on_evidence: Callable[[bytes], None] | None = None,
        first_shares: FirstShares | None = None,
        record: Record | None = None,
    ) -> None:
        super().__init__(kind)
        if not members:
            raise UsageError("somebody must take part in a consensus")
        self.members = tuple(members)
        self._pool = pool
        self._on_evidence = on_evidence
        self._first_shares = first_shares
        self._record = record
        self._keys: Late[LocalKeys] | None = None
        self._hosts: WeakKeyDictionary[ChainView, LoopHost] = WeakKeyDictionary()

    def rules(self, genesis: Genesis, view: ChainView) -> ChainRules | None:
        """Return what the consensus does on the chain; blocks made here carry what the chain key asks for."""
        rules = super().rules(genesis, view)
        schedule = self.kind.key_slots(genesis) if isinstance(self.kind, Keyed) else None
        if schedule is None:
            self._keys = None
            return rules
        keys = self._keys = Late(lambda: self._local_keys(genesis, view, schedule))
        return LateRules(lambda: _with_desk(rules, keys))

    def engine(self, genesis: Genesis, view: ChainView) -> LoopHost:
        """Return all members as one engine that decides at once; it has been told of the head."""

        def engines() -> list[ConsensusEngine]:
            return [
                self.kind.member(genesis, view, member.address, headers=view.header, producing=number == 0)
                for number, member in enumerate(self.members)
            ]

        host = LoopHost(
            engines,
            [member.account for member in self.members],
            prove=self._prover(genesis, view) if isinstance(self.kind, Seeded) else None,
            first_proposer=self._first_proposer(genesis, view),
            pool=self._mining_pool,
            on_evidence=self._on_evidence,
            keys=self._keys,
        )
        self._hosts[view] = host
        host.process(_committed(view))
        return host

    def _local_keys(self, genesis: Genesis, view: ChainView, schedule: SlotSchedule) -> LocalKeys:
        from chainstack_sdk.network.final_blocks import FinalBlocks
        from chainstack_sdk.network.local_keys import LocalKeys, member_machines

        host = self._hosts[view]
        final = FinalBlocks(view, host.finalized_height)

        def make() -> list[KeyMachine]:
            return member_machines(self.members, genesis, schedule, self._first_shares)

        addresses = [member.address for member in self.members]
        return LocalKeys(make, addresses, final, self._record)

    def _mining_pool(self) -> Pool:
        from chainstack_sdk.network.pool import SoloPool

        return self._pool or SoloPool(self.kind.work_hash if isinstance(self.kind, Mined) else None)

    def _prover(self, genesis: Genesis, view: ChainView) -> Callable[[int, bytes], bytes]:
        def prove(number: int, block_hash: bytes) -> bytes:
            from chainstack_sdk.consensus.beacon import seed_alpha

            header = view.header(block_hash)
            if header is None:
                raise UsageError("no candidate has this hash", hash=block_hash)
            if self._keys is not None:
                return b""  # seeds come from the chain key
            return self.members[number].vrf.prove(seed_alpha(genesis.chain_id, header.height, header.seed))

        return prove

    def _first_proposer(self, genesis: Genesis, view: ChainView) -> Callable[[int], int | None] | None:
        if not isinstance(self.kind, HasMembership):
            return None
        kind = self.kind
        membership = Late(lambda: kind.membership(genesis, view))
        numbers = {member.address: number for number, member in enumerate(self.members)}
        return lambda height: numbers.get(membership.made.proposer(height, 0))


def keyed_of(rules: ChainRules | None) -> KeyedRules:
    """Return the rules of a chain with a key, which ask a desk for what blocks are to carry.

    Raises
    ------
    InvariantBroken
        When they are rules of a chain without one.
    """
    from chainstack_sdk.consensus.chainkey.rules import KeyedRules

    keyed = rules.made if isinstance(rules, LateRules) else rules
    if not isinstance(keyed, KeyedRules):
        raise InvariantBroken("a chain with a key has rules for it")
    return keyed


def _with_desk(rules: ChainRules | None, keys: Late[LocalKeys]) -> ChainRules:
    keyed = keyed_of(rules)
    keyed.desk = keys.made
    return keyed


def _committed(view: ChainView) -> BlockCommitted:
    head = view.blockchain.head
    return BlockCommitted(head.height, head.hash)


if TYPE_CHECKING:
    _followed: type[Consensus] = FollowedConsensus
    _hosted: type[Consensus] = HostedConsensus
