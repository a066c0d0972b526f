"""Nodes of engines that choose between branches, in one process, each step by hand. Not for production.

A :class:`ForkHost` carries out what its engine wants on a chain of its own. Blocks are taken from a *shelf*
that hosts share, as if every peer answered at once; what an engine broadcasts waits in
:attr:`ForkHost.outbox` until a test hands it on, in whatever order it likes.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from chainstack_sdk.consensus.dpos import (
    DELEGATION_CODE,
    DelegateBook,
    DelegatedProofOfStake,
    DelegateRule,
    DelegationContract,
    DelegationParameters,
    DelegationRules,
    genesis_delegates,
)
from chainstack_sdk.consensus.dpos.storage import DELEGATION_ADDRESS
from chainstack_sdk.consensus.pow import ProofOfWork, WorkRule, WorkRules
from chainstack_sdk.consensus.sealed import encode_announcement
from chainstack_sdk.consensus.staking.storage import StateStorage
from chainstack_sdk.consensus.work import NONCES, DoubleSha256
from chainstack_sdk.core.chain import Blockchain
from chainstack_sdk.core.engine import (
    BlockCommitted,
    BlockProposed,
    BlockRefused,
    Broadcast,
    Decide,
    FetchBlock,
    MessageReceived,
    Persist,
    RequestWork,
    Restored,
    Sign,
    Signed,
    SwitchHead,
    WorkFound,
)
from chainstack_sdk.core.fees import ProposerFees
from chainstack_sdk.core.reorganise import reorganise
from chainstack_sdk.core.state import State
from chainstack_sdk.paradigms import Runtime
from chainstack_sdk.primitives.errors import InvalidInput, InvariantBroken
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainstack_sdk.consensus.block_reward import BlockReward
    from chainstack_sdk.consensus.retarget import Retarget
    from chainstack_sdk.consensus.sealed import SealedHeader
    from chainstack_sdk.consensus.work import WorkHash
    from chainstack_sdk.core.blocks import Block, Header
    from chainstack_sdk.core.building import Candidate
    from chainstack_sdk.core.engine import EngineInput, EngineOutput
    from chainstack_sdk.core.genesis import Genesis
    from chainstack_sdk.core.interfaces import Ledger
    from chainstack_sdk.core.reorganise import Reorganisation
    from chainstack_sdk.core.transactions import Transaction
    from chainstack_sdk.primitives.keys import Signer


class BranchEngine(Protocol):
    """An engine that chooses between branches."""

    def process(self, event: EngineInput) -> tuple[EngineOutput, ...]:
        """Take one input and return what the host is to do, in order."""
        ...

    def branch(self, tip_hash: bytes) -> tuple[SealedHeader, ...]:
        """Return the sealed headers that lead from the chain to a tip, oldest first."""
        ...


Engine = TypeVar("Engine", bound=BranchEngine)


class ForkHost(Generic[Engine]):
    """A chain and its engine.

    Parameters
    ----------
    chain
        The chain, at whose head the engine is told to stand.
    engine
        Decides and chooses.
    signer
        The key that the engine's signatures are made with.
    proposer
        Earns the fees of blocks built here; the signer's address by default, or nobody's.
    shelf
        Blocks with their seals by hash, where fetched ones come from; blocks decided here are put there.
    work_hash
        What work is done with; double SHA-256 by default.
    """

    def __init__(
        self,
        chain: Blockchain,
        engine: Engine,
        *,
        signer: Signer | None = None,
        proposer: bytes | None = None,
        shelf: dict[bytes, Block] | None = None,
        work_hash: WorkHash | None = None,
    ) -> None:
        self.chain = chain
        self.engine = engine
        self.shelf: dict[bytes, Block] = {} if shelf is None else shelf
        self.outputs: list[EngineOutput] = []
        """All that the engine has wanted so far."""
        self.outbox: list[bytes] = []
        """Messages that the engine has broadcast."""
        self.reorganisations: list[Reorganisation] = []
        """Each time the chain has gone over to another branch, or on by a block of others."""
        self.record: bytes | None = None
        """The engine's durable record."""
        self._signer = signer
        self._work_hash: WorkHash = DoubleSha256() if work_hash is None else work_hash
        self._proposer = (bytes(20) if signer is None else signer.address) if proposer is None else proposer
        self._candidates: dict[bytes, Candidate] = {}
        self._queue: deque[EngineInput] = deque()
        self._do(BlockCommitted(chain.height, chain.head.hash))

    def receive(self, *messages: bytes) -> None:
        """Hand messages of other engines to this one, in order, and carry out what it wants."""
        for message in messages:
            self._do(MessageReceived(message))

    def announce(self, *blocks: Block) -> None:
        """Put sealed blocks on the shelf and hand their announcements to the engine, in order."""
        for block in blocks:
            self.shelf[block.hash] = block
            self.receive(encode_announcement(block.header, block.seal))

    def propose(
        self, transactions: Sequence[Transaction] = (), *, timestamp_ms: int, attachment: bytes = b""
    ) -> Block | None:
        """Build a block on the head, propose it to the engine, and return it once decided, else None.

        Work is found by trying one nonce after the other; signatures are made at once.
        """
        candidate = self.chain.build(
            transactions, timestamp_ms=timestamp_ms, proposer=self._proposer, attachment=attachment
        )
        header = candidate.block.header
        self._candidates[header.hash] = candidate
        self._do(BlockProposed(header.height, header.hash, own=True))
        return self.shelf.get(header.hash)

    def _do(self, event: EngineInput) -> None:
        self._queue.append(event)
        while self._queue:
            for output in self.engine.process(self._queue.popleft()):
                self._carry_out(output)

    def _carry_out(self, output: EngineOutput) -> None:
        self.outputs.append(output)
        match output:
            case Decide(_, block_hash, seal):
                block = self.chain.commit(self._candidates.pop(block_hash), seal)
                self.shelf[block.hash] = block
                self._queue.append(BlockCommitted(block.height, block.hash))
            case SwitchHead():
                self._switch(output)
            case FetchBlock(_, block_hash) if block_hash in self.shelf:
                block = self.shelf[block_hash]
                self._queue.append(MessageReceived(encode_announcement(block.header, block.seal)))
            case RequestWork(block_hash, target) if block_hash in self._candidates:
                self._queue.append(WorkFound(block_hash, self._hash(block_hash, target)))
            case Persist(record, then):
                self.record = record
                for following in then:
                    self._carry_out(following)
            case Sign(payload) if self._signer is not None:
                self._queue.append(Signed(payload, self._signer.sign(keccak256(payload))))
            case Broadcast(message):
                self.outbox.append(message)
            case _:  # a request for a block, or to wait: the test knows when it proposes one
                pass

    def _switch(self, wanted: SwitchHead) -> None:
        """Go over to another branch, if all of its blocks are there and the chain is not on it already."""
        chain = self.chain
        if chain.ledger.height_of(wanted.block_hash) is not None:
            return
        branch = self.engine.branch(wanted.block_hash)
        blocks = [self.shelf[one.header.hash] for one in branch if one.header.hash in self.shelf]
        if len(blocks) < len(branch):
            return
        try:
            self.reorganisations.append(reorganise(chain, branch[0].header.height - 1, blocks))
        except InvalidInput as error:
            refused = self.shelf[error.facts["block_hash"]]
            self._queue.append(BlockRefused(refused.height, refused.hash))
        else:
            self._queue.append(BlockCommitted(chain.height, chain.head.hash))

    def _hash(self, block_hash: bytes, target: int) -> int:
        nonce = self._work_hash.search(block_hash, 0, NONCES, target, target).nonce
        if nonce is None:
            raise InvariantBroken("no nonce does the work", hash=block_hash)
        return nonce


def work_host(
    genesis: Genesis,
    retarget: Retarget,
    *,
    proposer: bytes = bytes(20),
    depth: int = 128,
    confirmations: int = 6,
    reward: BlockReward | None = None,
    shelf: dict[bytes, Block] | None = None,
    ledger: Ledger | None = None,
) -> ForkHost[ProofOfWork]:
    """Make a chain with the engine ``pow``, which mines, and its host.

    Parameters
    ----------
    retarget
        How difficult blocks are; take something easy.
    proposer, shelf
        As for :class:`ForkHost`.
    depth
        How many blocks the chain goes back at most.
    confirmations
        After how many more a block counts as final.
    reward
        What a block mints; 2 ether by default.
    ledger
        Where blocks are kept; in memory by default.
    """

    def headers(block_hash: bytes) -> Header | None:
        return chain.header_of(block_hash)

    rule = WorkRule(retarget, headers, confirmations=confirmations)
    engine = ProofOfWork(rule, mining=True, depth=depth)
    chain = Blockchain(
        genesis,
        runtime=Runtime(),
        header_rule=engine.header_rule,
        fees=ProposerFees(),
        rules=WorkRules(retarget, headers, reward=reward),
        ledger=ledger,
    )
    return ForkHost(chain, engine, proposer=proposer, shelf=shelf)


def delegate_host(
    genesis: Genesis,
    *,
    signer: Signer | None = None,
    depth: int = 1_024,
    reward: BlockReward | None = None,
    record: bytes | None = None,
    shelf: dict[bytes, Block] | None = None,
    ledger: Ledger | None = None,
) -> ForkHost[DelegatedProofOfStake]:
    """Make a chain with the engine ``dpos`` and its host.

    Parameters
    ----------
    genesis
        One :func:`with_delegation <chainstack_sdk.consensus.dpos.with_delegation>`.
    signer
        A delegate; None: the node only follows.
    depth
        How many blocks the chain goes back at most while none is irreversible.
    reward
        What a block mints; 2 ether by default.
    record
        The engine's durable record, after a crash.
    shelf, ledger
        As for :func:`work_host`.
    """

    def headers(block_hash: bytes) -> Header | None:
        return chain.header_of(block_hash)

    parameters, first, state = DelegationParameters.of(genesis), genesis_delegates(genesis), State()
    book = DelegateBook([first], StateStorage(state, DELEGATION_ADDRESS))
    rule = DelegateRule(parameters, first, book, headers)
    address = None if signer is None else signer.address
    engine = DelegatedProofOfStake(rule, address=address, depth=depth)
    if record is not None:
        engine.process(Restored(record))
    runtime = Runtime()
    runtime.add_system(DELEGATION_CODE, DelegationContract())
    chain = Blockchain(
        genesis,
        runtime=runtime,
        header_rule=engine.header_rule,
        fees=ProposerFees(),
        rules=DelegationRules(parameters, reward=reward),
        ledger=ledger,
        state=state,
    )
    return ForkHost(chain, engine, signer=signer, shelf=shelf)
