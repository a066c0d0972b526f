"""Trees of blocks in any order: nodes end on the heaviest valid branch, with the state of a replay."""

from __future__ import annotations

from dataclasses import dataclass, replace

import hypothesis.strategies as st
from hypothesis import given, settings

from chainstack_sdk.consensus.block_reward import ConstantReward
from chainstack_sdk.consensus.dpos import DelegationParameters, with_delegation
from chainstack_sdk.consensus.payouts import Payouts
from chainstack_sdk.consensus.pow import WorkRule
from chainstack_sdk.consensus.retarget import MovingWindow
from chainstack_sdk.consensus.sealed import encode_announcement
from chainstack_sdk.consensus.work import NONCES, DoubleSha256, target_of, work_commitment
from chainstack_sdk.core.blocks import Block
from chainstack_sdk.core.chain import Blockchain
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.core.reorganise import reorganise
from chainstack_sdk.testing import accounts, payment
from chainstack_sdk.testing.forks import ForkHost, delegate_host, work_host

PEOPLE = accounts(4)
FUNDS = {one.address: GenesisAccount(balance=10**21) for one in PEOPLE}
GENESIS = Genesis(accounts=FUNDS, engine="pow")
RETARGET = MovingWindow(1_000, 3, 4, minimum=2)
REWARD = ConstantReward(10**18)
WORKERS = Payouts.of({PEOPLE[0].address: 2, PEOPLE[1].address: 1}).encode()


@dataclass(frozen=True)
class Growth:
    """One block of a tree: on which of those before it, how long after, paying whom, spoilt or not."""

    parent: int
    delay_ms: int
    payer: int
    amount: int
    spoilt: bool


growths = st.builds(
    Growth,
    parent=st.integers(0, 10**6),
    delay_ms=st.sampled_from([1, 300, 1_000, 5_000]),
    payer=st.integers(0, 3),
    amount=st.integers(0, 5),
    spoilt=st.sampled_from([False, False, False, True]),
)
few = settings(max_examples=settings().max_examples // 3)


class Forest:
    """A maker of blocks on any parent, also on one that no honest node accepts."""

    def __init__(self) -> None:
        self.chain = work_host(GENESIS, RETARGET, reward=REWARD).chain
        self.blocks: dict[bytes, Block] = {}
        self.weights = {self.chain.head.hash: 0}
        self.invalid: set[bytes] = set()
        self.genesis = self.chain.head

    def header(self, block_hash: bytes):
        return self.genesis if block_hash == self.genesis.hash else self.blocks[block_hash].header

    def path(self, block_hash: bytes) -> list[Block]:
        path = []
        while block_hash != self.genesis.hash:
            path.append(self.blocks[block_hash])
            block_hash = path[-1].parent_hash
        return path[::-1]

    def grow(self, growth: Growth) -> None:
        tips = list(self.weights)
        parent = self.header(tips[growth.parent % len(tips)])
        if parent.hash in self.invalid:
            block = self._on_sand(parent, growth)
        else:
            block = self._on_rock(parent, growth)
        if growth.spoilt or parent.hash in self.invalid:
            header = replace(block.header, state_root=bytes(31) + bytes([growth.amount]))
            block = replace(block, header=header)
            self.invalid.add(block.hash)
        rule = WorkRule(RETARGET, self.header)
        difficulty = rule.work(block.header)
        nonce = DoubleSha256().search(block.hash, 0, NONCES, *[target_of(difficulty)] * 2).nonce
        block = replace(block, seal=nonce.to_bytes(8, "big"))
        rule.validate_header(block.header, block.seal, parent)
        self.blocks[block.hash] = block
        self.weights[block.hash] = self.weights[parent.hash] + difficulty

    def _on_rock(self, parent, growth: Growth) -> Block:
        reorganise(self.chain, 0, self.path(parent.hash))
        sender = PEOPLE[growth.payer]
        content = [payment(self.chain, sender, PEOPLE[3 - growth.payer], growth.amount)]
        return self.chain.build(
            content,
            timestamp_ms=parent.timestamp_ms + growth.delay_ms,
            proposer=sender.address,
            attachment=WORKERS if growth.amount % 2 else b"",
        ).block

    def _on_sand(self, parent, growth: Growth) -> Block:
        difficulty = RETARGET.next_difficulty(parent, self.header)
        header = replace(
            parent,
            height=parent.height + 1,
            parent_hash=parent.hash,
            timestamp_ms=parent.timestamp_ms + growth.delay_ms,
            base_fee=self._next_base_fee(parent),
            work_commitment=work_commitment(difficulty, bytes(32)),
        )
        return Block(header, ())

    def _next_base_fee(self, parent) -> int:
        unused = parent.gas_limit // 2 - parent.gas_used
        return parent.base_fee - parent.base_fee * unused // (parent.gas_limit // 2) // 8

    def best(self) -> list[bytes]:
        valid = {tip: weight for tip, weight in self.weights.items() if tip not in self.invalid}
        return [tip for tip, weight in valid.items() if weight == max(valid.values())]


def replayed(chain: Blockchain, path: list[Block]) -> None:
    """Compare a chain that has been back and forth with one that never left its branch."""
    fresh = work_host(GENESIS, RETARGET, reward=REWARD).chain
    for block in path:
        fresh.append(Block.decode(block.encode()))
    assert fresh.head == chain.head
    assert fresh.history.root == chain.history.root
    assert fresh.state.root == chain.state.root == chain.head.state_root
    for one in PEOPLE:
        assert fresh.state.balance(one.address) == chain.state.balance(one.address)
        assert fresh.state.nonce(one.address) == chain.state.nonce(one.address)
    assert chain.state.supply() == 4 * 10**21 + REWARD.minted(chain.height)
    for height in range(1, chain.height + 1):
        assert chain.ledger.receipts(height) == fresh.ledger.receipts(height)


@few
@given(st.lists(growths, min_size=1, max_size=10), st.data())
def test_every_order_leads_to_the_heaviest_valid_branch(plan: list[Growth], data: st.DataObject) -> None:
    forest = Forest()
    for growth in plan:
        forest.grow(growth)
    best = forest.best()
    for _ in range(2):
        node = work_host(GENESIS, RETARGET, reward=REWARD)
        node.announce(*data.draw(st.permutations(list(forest.blocks.values()))))
        head = node.chain.head.hash
        assert head in best
        replayed(node.chain, forest.path(head))
        assert [block.hash for block in forest.path(head)] == [
            node.chain.ledger.header(height).hash for height in range(1, node.chain.height + 1)
        ]


@few
@given(st.lists(growths, min_size=2, max_size=8), st.data())
def test_repeats_and_noise_change_nothing(plan: list[Growth], data: st.DataObject) -> None:
    forest = Forest()
    for growth in plan:
        forest.grow(growth)
    node = work_host(GENESIS, RETARGET, reward=REWARD)
    node.announce(*forest.blocks.values())
    head, refused = node.chain.head, node.engine.refused
    block = data.draw(st.sampled_from(list(forest.blocks.values())))
    message = bytearray(encode_announcement(block.header, block.seal))
    node.receive(bytes(message))
    assert node.chain.head == head
    at = data.draw(st.integers(0, len(message) - 1))
    message[at] ^= data.draw(st.integers(1, 255))
    node.receive(bytes(message), b"", b"\x01", b"\x02" + bytes(message[1:]))
    assert node.chain.head == head
    assert node.engine.refused >= refused + 3
    node.receive(*[encode_announcement(one.header, one.seal) for one in forest.blocks.values()])
    assert node.chain.head == head


DELEGATES = accounts(4, "delegate")
DELEGATION = with_delegation(
    Genesis(accounts=FUNDS, engine="dpos"),
    [one.address for one in DELEGATES],
    DelegationParameters(blocks_per_epoch=5, seats=4, minimum_deposit=1, interval_ms=1_000),
)
turns = st.tuples(st.booleans(), st.lists(st.sampled_from([0, 1, 2, 3]), unique=True, max_size=3))


@few
@given(st.lists(turns, min_size=1, max_size=25))
def test_delegates_agree_whatever_was_late(story: list[tuple[bool, list[int]]]) -> None:
    """In each turn the delegate may be down, and some get its block only when all is delivered at last."""
    hosts: list[ForkHost] = [delegate_host(DELEGATION, signer=one) for one in DELEGATES]
    late: list[list[Block]] = [[] for _ in hosts]
    now = DELEGATION.timestamp_ms - DELEGATION.timestamp_ms % 1_000
    for down, slow in story:
        now += 1_000
        for index, host in enumerate(hosts):
            turn = None if down else host.engine.turn_ms(now)
            if turn is None:
                continue
            before = host.engine.irreversible
            block = host.propose(timestamp_ms=turn)
            assert block is not None
            assert host.engine.irreversible.height >= before.height
            for other in range(len(hosts)):
                if other != index:
                    late[other].append(block)
                    if other not in slow:
                        hosts[other].announce(*late[other])
                        late[other].clear()
    for host, blocks in zip(hosts, late, strict=True):
        host.announce(*blocks)
    longest = max(host.chain.height for host in hosts)
    leaders = [host.chain for host in hosts if host.chain.height == longest]
    for host in hosts:
        assert host.chain.state.root == host.chain.head.state_root
        settled = host.engine.irreversible
        assert host.chain.ledger.header(settled.height) == settled
        if host.chain.height < longest:  # all that may hold a node back is a block that it will not undo
            assert all(leader.ledger.header(settled.height) != settled for leader in leaders)
