"""A whole node of a chain: blocks, state, mempool, engine and keys, put together from a kind of consensus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.beacon import seed_alpha
from chainstack_sdk.core.blocks import ZERO_HASH
from chainstack_sdk.core.chain import Blockchain
from chainstack_sdk.core.fees import ProposerFees
from chainstack_sdk.core.mempool import Mempool
from chainstack_sdk.core.state import State
from chainstack_sdk.core.view import ChainView
from chainstack_sdk.network.abilities import Branching
from chainstack_sdk.network.chain_application import ChainApplication
from chainstack_sdk.network.fork import ForkNode
from chainstack_sdk.network.hosting import HasMembership
from chainstack_sdk.network.validator import ValidatorNode
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chainstack_sdk.consensus.kinds.kind import Kind
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.genesis import Genesis
    from chainstack_sdk.core.interfaces import Clock, Contract, ContractRuntime, Ledger
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

    def __init__(self, node: ValidatorNode | ForkNode, application: ChainApplication) -> None:
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
    rule = kind.header_rule(genesis, view)
    blockchain = Blockchain(
        genesis,
        runtime=_WithSystem(kind.contracts(), runtime),
        header_rule=rule,
        fees=ProposerFees(burn_base_fee=genesis.burn_base_fee),
        rules=kind.rules(genesis, view),
        ledger=ledger,
        state=state,
    )
    view.bind(blockchain)
    address = None if member is None else member.address
    application = ChainApplication(
        blockchain,
        Mempool(chain_id=genesis.chain_id) if pool is None else pool,
        rule=rule,
        clock=clock,
        proposer=address or _NOBODY,
        producing=producing and member is not None,
        prove=None if member is None else _prover(kind, genesis, view, member),
        attachment=attachment,
        on_evidence=on_evidence,
    )
    engine = kind.member(
        genesis, view, address, headers=application.header, producing=producing and member is not None
    )
    signer = None if member is None else member.account
    node: ValidatorNode | ForkNode
    if isinstance(engine, Branching):
        node = ForkNode(engine, application, clock=clock, signer=signer, record=record, timing=timing)
    else:
        node = ValidatorNode(engine, application, signer=signer, record=record, timing=timing)
    return FullNode(node, application)


class _WithSystem:
    """A runtime and the contracts that a consensus brings."""

    __slots__ = ("_others", "_system")

    def __init__(self, system: Mapping[bytes, Contract], others: ContractRuntime) -> None:
        self._system = system
        self._others = others

    def resolve(self, code: bytes) -> Contract | None:
        """Return the contract that the code stands for, or None when nobody knows it."""
        return self._system.get(code) or self._others.resolve(code)


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
