"""A whole node of a chain: blocks, state, mempool, engine and keys, put together from a kind of consensus."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.beacon import seed_alpha
from chainstack_sdk.consensus.bft.scheme import Secp256k1Scheme
from chainstack_sdk.consensus.chainkey.machine import KeyMachine
from chainstack_sdk.consensus.chainkey.state import read_key_state
from chainstack_sdk.core.blocks import ZERO_HASH
from chainstack_sdk.core.chain import Blockchain
from chainstack_sdk.core.fees import ProposerFees
from chainstack_sdk.core.mempool import Mempool
from chainstack_sdk.core.state import State
from chainstack_sdk.core.view import ChainView
from chainstack_sdk.network.abilities import Branching, Finalising
from chainstack_sdk.network.chain_application import (
    ChainApplication,
    validate_content,
    validate_keyed_content,
)
from chainstack_sdk.network.final_blocks import FinalBlocks
from chainstack_sdk.network.fork import ForkNode
from chainstack_sdk.network.hosting import HasMembership, Keyed, Seeded, keyed_of
from chainstack_sdk.network.keyed import BeaconGate, KeyedNode
from chainstack_sdk.network.validator import ValidatorNode
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from chainstack_sdk.consensus.kinds.kind import Kind
    from chainstack_sdk.consensus.staking.slots import SlotSchedule
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.environment import Environment
    from chainstack_sdk.core.genesis import Genesis
    from chainstack_sdk.core.interfaces import Clock, Contract, ContractRuntime, Ledger
    from chainstack_sdk.network.effects import Node
    from chainstack_sdk.network.hosting import Member
    from chainstack_sdk.network.node import Timing

_NOBODY = bytes(20)


class FullNode:
    """A node with all that belongs to it.

    Parameters
    ----------
    node
        What drivers call.
    application
        The chain behind it.
    """

    __slots__ = ("application", "node")

    def __init__(self, node: Node, application: ChainApplication) -> None:
        self.node = node
        self.application = application

    @property
    def blockchain(self) -> Blockchain:
        """The chain."""
        return self.application.blockchain

    @property
    def pool(self) -> Mempool:
        """Where transactions wait for a block of this node's."""
        return self.application.pool


def full_node(
    kind: Kind,
    genesis: Genesis,
    member: Member | None = None,
    *,
    runtime: ContractRuntime,
    clock: Clock,
    producing: bool = True,
    record: bytes | None = None,
    timing: Timing | None = None,
    attachment: Callable[[], bytes] | None = None,
    ledger: Ledger | None = None,
    state: State | None = None,
    pool: Mempool | None = None,
    on_evidence: Callable[[bytes], None] | None = None,
    shares: Mapping[int, int] | None = None,
    entropy: bytes | None = None,
    peers: Mapping[bytes, Hashable] | None = None,
) -> FullNode:
    """Put a node together.

    Parameters
    ----------
    kind
        How blocks are agreed on. Nodes of one process may share it; each signature is then checked once.
    genesis
        As ``kind.prepare`` returns it.
    member
        Whose node this is; None for one that only follows.
    runtime
        Runs contracts; those that the consensus brings are found without it.
    clock
        Where timestamps come from.
    producing
        Whether the member makes blocks: that it mines, where blocks are mined.
    record
        What the node stored last, after a crash.
    timing
        How long to wait.
    attachment
        Returns the attachment of the node's next block, such as whom to pay for work; empty by default.
    ledger, state
        Where blocks are kept, and the state that goes with it; in memory by default.
    pool
        Where transactions wait; by default an empty pool.
    on_evidence
        Told of each proof that a validator broke the rules.
    shares
        The member's shares, by place, of a chain key that the genesis fixes.
    entropy
        32 random bytes for the member's part in a chain key; by default those of the operating system.
    peers
        The driver's names of other members by address, for what only they can read; all get it by default.

    Raises
    ------
    UsageError
        When the genesis names another engine, or the ledger holds a chain with another genesis.
    InvalidInput
        When the ledger's contents are damaged.
    """
    if genesis.engine != kind.name:
        raise UsageError("the genesis names another engine", expected=genesis.engine, actual=kind.name)
    state = State() if state is None else state
    view = ChainView(state)
    schedule = kind.key_slots(genesis) if isinstance(kind, Keyed) else None
    rules = kind.rules(genesis, view)
    rule = kind.header_rule(genesis, view)
    blockchain = Blockchain(
        genesis,
        runtime=_WithSystem(kind.contracts(), runtime),
        header_rule=rule,
        fees=ProposerFees(burn_base_fee=genesis.burn_base_fee),
        rules=rules,
        ledger=ledger,
        state=state,
    )
    view.bind(blockchain)
    address = None if member is None else member.address
    machine = gate = None
    if schedule is not None and member is not None:
        machine = _key_machine(genesis, member, schedule, shares, entropy)
        keyed_of(rules).desk = machine
        if isinstance(kind, Seeded):
            gate = BeaconGate(schedule, lambda: read_key_state(state), machine)
    application = ChainApplication(
        blockchain,
        Mempool(chain_id=genesis.chain_id) if pool is None else pool,
        rule=rule,
        clock=clock,
        proposer=address or _NOBODY,
        producing=producing and member is not None,
        prove=None if member is None or schedule is not None else _prover(kind, genesis, view, member),
        attachment=attachment,
        content=validate_content if schedule is None else validate_keyed_content,
        on_evidence=on_evidence,
        gate=gate,
    )
    engine = kind.member(
        genesis, view, address, headers=application.header, producing=producing and member is not None
    )
    signer = None if member is None else member.account

    def decider(record: bytes | None) -> Node:
        if isinstance(engine, Branching):
            return ForkNode(engine, application, clock=clock, signer=signer, record=record, timing=timing)
        return ValidatorNode(engine, application, signer=signer, record=record, timing=timing)

    if machine is None:
        return FullNode(decider(record), application)
    final = FinalBlocks(view, engine.finalized_height if isinstance(engine, Finalising) else None)
    return FullNode(
        KeyedNode(decider, machine, final=final, gate=gate, peers=peers, record=record), application
    )


def _key_machine(
    genesis: Genesis,
    member: Member,
    schedule: SlotSchedule,
    shares: Mapping[int, int] | None,
    entropy: bytes | None,
) -> KeyMachine:
    return KeyMachine(
        genesis.chain_id,
        member.address,
        member.account.sign,
        secrets.token_bytes(32) if entropy is None else entropy,
        schedule,
        Secp256k1Scheme(),
        initial_shares=shares,
    )


class _WithSystem:
    """A runtime and the contracts that a consensus brings."""

    __slots__ = ("_others", "_system")

    def __init__(self, system: Mapping[bytes, Contract], others: ContractRuntime) -> None:
        self._system = system
        self._others = others

    def resolve(self, code: bytes) -> Contract | None:
        """Return the contract that the code stands for, or None when nobody knows it."""
        return self._system.get(code) or self._others.resolve(code)

    def close_block(self, env: Environment) -> None:
        """See :meth:`chainstack_sdk.core.interfaces.ContractRuntime.close_block`."""
        self._others.close_block(env)


def _prover(kind: Kind, genesis: Genesis, view: ChainView, member: Member) -> Callable[[Header], bytes]:
    """Return what proves the seed of a block, when it is asked of one who may propose it."""
    membership = kind.membership(genesis, view) if isinstance(kind, HasMembership) else None

    def prove(header: Header) -> bytes:
        if membership is None or header.seed == ZERO_HASH:
            return b""
        if member.address not in membership.validators(header.height):
            return b""
        return member.vrf.prove(seed_alpha(genesis.chain_id, header.height, header.seed))

    return prove
