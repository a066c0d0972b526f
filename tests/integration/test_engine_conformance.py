"""One suite for every engine: those that come with the library, and one written here as a user would.

Each case makes the same ten blocks, over several slots where an engine has any. What is tried on them is the
same for all: others follow them without keys, with a chain and without one; nothing that was tampered with
gets through; they survive files, stores, failures and the way back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from chainstack_sdk import Chain, ChainConfig, InvalidInput, UsageError, ether
from chainstack_sdk.consensus import InstantEngine, InstantRule
from chainstack_sdk.consensus.beacon import seed_alpha
from chainstack_sdk.consensus.bft import (
    Certificate,
    Secp256k1Scheme,
    SignedVote,
    ValidatorSet,
    Vote,
    VoteKind,
)
from chainstack_sdk.consensus.certified import CommitteeRule, KnownCommittees
from chainstack_sdk.consensus.dpos import (
    DELEGATION_ADDRESS,
    DelegateBook,
    DelegateRule,
    DelegationParameters,
    genesis_delegates,
    seal_payload,
)
from chainstack_sdk.consensus.dpos.storage import read_delegates
from chainstack_sdk.consensus.kinds import kind_named
from chainstack_sdk.consensus.kinds.committee import CommitteeParameters, DpowChain, PosChain
from chainstack_sdk.consensus.kinds.delegates import DposChain, DposParameters
from chainstack_sdk.consensus.kinds.members import PbftChain
from chainstack_sdk.consensus.kinds.miners import PowChain, PowParameters
from chainstack_sdk.consensus.membership import (
    MEMBERSHIP_ADDRESS,
    MembersOfSlots,
    PbftRule,
    genesis_members,
)
from chainstack_sdk.consensus.membership.genesis import schedule_of
from chainstack_sdk.consensus.pow import WorkRule
from chainstack_sdk.consensus.sealed import SealedHeader, encode_branch
from chainstack_sdk.consensus.seals import CommitteeSeal
from chainstack_sdk.consensus.staking import (
    GenesisValidator,
    SlotSchedule,
    StateCommittees,
    genesis_committees,
)
from chainstack_sdk.consensus.staking.committees import read_committee
from chainstack_sdk.consensus.staking.storage import StateStorage
from chainstack_sdk.consensus.work import DoubleSha256, target_of
from chainstack_sdk.core import Block, Header, SqliteStore
from chainstack_sdk.core.engine import BlockProposed, Broadcast, Decide, MessageReceived, Sign, Signed
from chainstack_sdk.core.validation import validate_lineage
from chainstack_sdk.network.hosting import FollowedConsensus, HostedConsensus, local_members
from chainstack_sdk.primitives import keccak256
from chainstack_sdk.testing import RecordingStore, accounts

ALICE, BOB = accounts(2)
FUNDS = {ALICE: ether(1_000)}
MEMBERS = local_members(4)
ADDRESSES = [member.address for member in MEMBERS]
BLOCKS, PER_SLOT = 10, 3
DIFFICULTY = 2_048
"""High enough for a changed nonce to be worth nothing."""
SCHEDULE = SlotSchedule(PER_SLOT)


# A user's engine: authorities seal in turn, by height ----------------------------------------------------


class AuthorityRule:
    """A header is sealed, and final, with the signature of the authority whose height it is."""

    def __init__(self, authorities: list[bytes]) -> None:
        self.authorities = authorities
        self._scheme = Secp256k1Scheme()

    def whose(self, height: int) -> bytes:
        return self.authorities[height % len(self.authorities)]

    def validate_header(self, header: Header, seal: bytes, parent: Header) -> None:
        self.validate_candidate(header, parent)
        self.validate_finality(header, seal)

    def validate_candidate(self, header: Header, parent: Header) -> None:
        if (
            header.slot
            or any(header.seed)
            or header.seed_proof
            or header.work_commitment
            or header.extra_data
        ):
            raise InvalidInput("a field that this engine does not use", height=header.height)

    def validate_finality(self, header: Header, seal: bytes) -> None:
        if self._scheme.signer(keccak256(authority_payload(header)), seal) != self.whose(header.height):
            raise InvalidInput("not sealed by the authority whose height it is", height=header.height)

    def work(self, header: Header) -> int:
        return 1


def authority_payload(header: Header) -> bytes:
    return b"\x19 my authorities" + header.chain_id.to_bytes(8, "big") + header.hash


class AuthorityEngine:
    """Signs when it is its turn, and tells the others."""

    name = "authorities"

    def __init__(self, rule: AuthorityRule, address: bytes | None, headers: Any) -> None:
        self.header_rule = self.finality_rule = rule
        self.heard: list[bytes] = []
        self._address, self._headers = address, headers
        self._pending: Header | None = None

    def process(self, event: Any) -> tuple[Any, ...]:
        match event:
            case BlockProposed(height, block_hash) if self.header_rule.whose(height) == self._address:
                self._pending = self._headers(block_hash)
                return (Sign(authority_payload(self._pending)),) if self._pending else ()
            case Signed(_, signature) if self._pending is not None:
                header, self._pending = self._pending, None
                return Decide(header.height, header.hash, signature), Broadcast(signature)
            case MessageReceived(message):
                self.heard.append(message)
        return ()


class AuthorityChain:
    """The whole of it: the genesis names the authorities."""

    name = "authorities"

    def __init__(self, authorities: list[bytes] | None = None) -> None:
        self._authorities = authorities or []

    def prepare(self, genesis: Any) -> Any:
        return replace(genesis, engine=self.name, engine_parameters=b"".join(self._authorities))

    def contracts(self) -> dict[bytes, Any]:
        return {}

    def header_rule(self, genesis: Any, view: Any) -> AuthorityRule:
        joined = genesis.engine_parameters
        return AuthorityRule([joined[start : start + 20] for start in range(0, len(joined), 20)])

    def rules(self, genesis: Any, view: Any) -> None:
        return None

    def member(self, genesis: Any, view: Any, address: Any, *, headers: Any, producing: bool) -> Any:
        return AuthorityEngine(self.header_rule(genesis, view), address, headers)


# Light clients: what a verifier holds who has the genesis, and learns from headers ----------------------


@dataclass
class LightClient:
    """Rules that look at nothing but headers, and how they learn who comes next."""

    rule: Any
    headers: dict[bytes, Header]
    learn: Callable[[Block], object] = lambda block: None


def committee_client(chain: Chain) -> LightClient:
    genesis, headers = chain.blockchain.genesis, known_headers(chain)
    terms = kind_named(genesis.engine).terms(genesis, headers.get)
    known = KnownCommittees(terms, genesis_committees(genesis))
    everything = StateCommittees(chain.blockchain.state)

    def learn(block: Block) -> None:
        slot = terms.schedule.newest_fixed(block.height)
        assert known.advance(block.header, block.seal, everything.at(slot)) == slot

    return LightClient(CommitteeRule(terms, known), headers, learn)


def members_client(chain: Chain) -> LightClient:
    genesis = chain.blockchain.genesis
    known, schedule = genesis_members(genesis), schedule_of(genesis)
    storage = StateStorage(chain.blockchain.state, MEMBERSHIP_ADDRESS)

    def learn(block: Block) -> None:
        slot = schedule.newest_fixed(block.height)
        committee = read_committee(storage, slot)
        assert committee.hash == block.header.next_committee_hash
        known[slot] = committee

    rule = PbftRule(genesis.chain_id, schedule, MembersOfSlots(schedule, known.get), Secp256k1Scheme())
    return LightClient(rule, known_headers(chain), learn)


def delegates_client(chain: Chain) -> LightClient:
    genesis, headers = chain.blockchain.genesis, known_headers(chain)
    first = genesis_delegates(genesis)
    book = DelegateBook([first])
    storage = StateStorage(chain.blockchain.state, DELEGATION_ADDRESS)

    def learn(block: Block) -> None:
        book.learn(read_delegates(storage, SCHEDULE_OF_DELEGATES.newest_fixed(block.height)))

    rule = DelegateRule(DelegationParameters.of(genesis), first, book, headers.get)
    return LightClient(rule, headers, learn)


def miners_client(chain: Chain) -> LightClient:
    headers = known_headers(chain)
    parameters = PowParameters.decode(chain.blockchain.genesis.engine_parameters)
    return LightClient(WorkRule(parameters.retarget(), headers.get, confirmations=3), headers)


def known_headers(chain: Chain) -> dict[bytes, Header]:
    genesis = chain.block(0).header
    return {genesis.hash: genesis}


# Forgers: those who hold every key and do all the work, and seal whatever they like ----------------------

ACCOUNTS = {member.address: member.account for member in MEMBERS}


def certificate_for(header: Header, committee: ValidatorSet) -> bytes:
    vote = Vote(VoteKind.PRECOMMIT, header.height, 0, header.hash)
    digest = vote.digest(header.chain_id)
    signed = {
        each.address: SignedVote(vote, each.address, ACCOUNTS[each.address].sign(digest))
        for each in committee
    }
    return Certificate.of(0, signed, committee).encode()


def nonce_for(header: Header) -> int:
    target = target_of(DIFFICULTY)
    return DoubleSha256().search(header.hash, 0, 1 << 20, target, target).nonce


def seal_by_committee(chain: Chain, header: Header) -> bytes:
    height, name = header.height, chain.engine.name
    committee = StateCommittees(chain.blockchain.state).at(SCHEDULE.slot_of(height))
    terms = kind_named(name).terms(chain.blockchain.genesis, chain.blockchain.header_of)
    leader = terms.leader(committee, chain.block(height - 1).header.seed, height, 0)
    key = next(member.vrf for member in MEMBERS if member.address == leader)
    return CommitteeSeal(
        certificate_for(header, committee),
        key.prove(seed_alpha(header.chain_id, height, header.seed)),
        nonce_for(header) if name == "dpow" else None,
    ).encode()


def seal_by_members(chain: Chain, header: Header) -> bytes:
    return certificate_for(header, genesis_members(chain.blockchain.genesis)[0])


def seal_by_proposer(chain: Chain, header: Header) -> bytes:
    signer = ACCOUNTS.get(header.proposer, MEMBERS[0].account)
    return signer.sign(keccak256(seal_payload(header)))


def seal_by_authority(chain: Chain, header: Header) -> bytes:
    signer = ACCOUNTS[AuthorityRule(ADDRESSES).whose(header.height)]
    return signer.sign(keccak256(authority_payload(header)))


# The cases -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """An engine, how it is run, and what is to be expected of it."""

    name: str
    hosted: Callable[[], dict[str, Any]]
    """What makes a chain that produces."""
    followed: Callable[[], dict[str, Any]]
    """What makes one that only follows, without any key."""
    light: Callable[[Chain], LightClient]
    forge: Callable[[Chain, Header], bytes] = lambda chain, header: b""
    """Seals any header, with every key there is."""
    created: Callable[[Chain], int] = lambda chain: 0
    """Coin made less coin destroyed since genesis."""
    slots: bool = False
    buried: bool = False
    """Whether a block is final by what follows it, not by its own seal."""
    sealed: bool = True
    """Whether it takes more to make a block than to operate the chain."""
    certified: bool = False
    """Whether blocks carry the seals of their parents."""


def of_kind(
    kind: Callable[[], Any], light: Callable[[Chain], LightClient], forge: Any, **expected: Any
) -> Case:
    members = MEMBERS[:1] if kind().name == "pow" else MEMBERS
    return Case(
        kind().name,
        lambda: {"consensus": HostedConsensus(kind(), members)},
        lambda: {"consensus": FollowedConsensus(kind())},
        light,
        forge,
        **expected,
    )


SCHEDULE_OF_DELEGATES = SlotSchedule(len(MEMBERS))
COMMITTEES = CommitteeParameters(
    blocks_per_slot=PER_SLOT, committee_size=4, difficulty=DIFFICULTY, window=4, interval_ms=1_000
)
VALIDATORS = [GenesisValidator(member.address, member.vrf.public, ether(32)) for member in MEMBERS]
CASES = [
    Case(
        "instant",
        lambda: {"engine": InstantEngine()},
        lambda: {"engine": InstantEngine()},
        lambda chain: LightClient(InstantRule(), known_headers(chain)),
        sealed=False,
    ),
    of_kind(
        partial(DpowChain, VALIDATORS, parameters=COMMITTEES),
        committee_client,
        seal_by_committee,
        created=lambda chain: chain.staking.read("minted") - chain.staking.read("burnt"),
        slots=True,
        certified=True,
    ),
    of_kind(
        partial(PosChain, VALIDATORS, parameters=COMMITTEES),
        committee_client,
        seal_by_committee,
        created=lambda chain: chain.staking.read("minted") - chain.staking.read("burnt"),
        slots=True,
        certified=True,
    ),
    of_kind(
        partial(PbftChain, ADDRESSES, blocks_per_slot=PER_SLOT), members_client, seal_by_members, slots=True
    ),
    of_kind(
        partial(
            DposChain,
            ADDRESSES,
            parameters=DposParameters(blocks_per_epoch=4, seats=4, interval_ms=1_000),
        ),
        delegates_client,
        seal_by_proposer,
        created=lambda chain: ether(2) * chain.height,
        buried=True,
    ),
    of_kind(
        partial(PowChain, parameters=PowParameters(difficulty=DIFFICULTY, window=4, interval_ms=1_000)),
        miners_client,
        lambda chain, header: nonce_for(header).to_bytes(8, "big"),
        created=lambda chain: ether(2) * chain.height,
        buried=True,
    ),
    of_kind(
        partial(AuthorityChain, ADDRESSES),
        lambda chain: LightClient(
            AuthorityChain().header_rule(chain.blockchain.genesis, None), known_headers(chain)
        ),
        seal_by_authority,
    ),
]


def started(case: Case, **options: Any) -> Chain:
    return Chain.in_memory(FUNDS, **case.hosted(), **options)


def follower_of(case: Case, chain: Chain, height: int) -> Chain:
    """A chain without keys that has followed another up to a height."""
    follower = Chain.in_memory(FUNDS, **case.followed())
    for number in range(1, height + 1):
        follower.append(chain.block(number))
    return follower


def make_blocks(chain: Chain, last: int = BLOCKS) -> Chain:
    """Make the same blocks every time: a token in the first, coin and tokens in every other."""
    if not chain.height:
        chain.erc20.issue(ALICE, name="Gold", symbol="GLD", supply=10**6)
    token = gold(chain)
    while chain.height < last:
        if chain.height % 2:
            chain.send(chain.sign(ALICE, BOB, value=chain.height, gas=21_000))
            data = token.encode("transfer", BOB.address, 5)
            chain.send(chain.sign(ALICE, token.address, data=data, gas=100_000))
        chain.seal()
    return chain


def gold(chain: Chain) -> Any:
    """The token of a chain made by :func:`make_blocks`."""
    return chain.erc20.at(chain.receipts(1)[0].logs[0].address)


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.name)
def case(request) -> Case:
    return request.param


@pytest.fixture(scope="module")
def chain(case) -> Chain:
    """Ten blocks; not to be changed."""
    return make_blocks(started(case))


# Following -----------------------------------------------------------------------------------------------


def test_a_follower_without_keys_comes_to_the_same(case, chain) -> None:
    follower = follower_of(case, chain, BLOCKS)
    assert follower.head.encode() == chain.head.encode()
    assert follower.blockchain.state.root == chain.blockchain.state.root
    assert follower.balance(BOB) == chain.balance(BOB) == sum(range(1, BLOCKS, 2))
    assert gold(follower).balance_of(BOB) == 5 * (BLOCKS // 2)
    assert follower.engine.name == chain.engine.name == case.name
    if case.name != "instant":
        with pytest.raises(UsageError, match="needs a host"):
            follower.seal()
        assert follower.engine.process(MessageReceived(b"junk")) == ()


def test_the_same_blocks_come_out_of_every_run(case, chain) -> None:
    assert make_blocks(started(case)).head.encode() == chain.head.encode()


def test_slots_and_committees_follow_one_another(case, chain) -> None:
    headers = [chain.block(height).header for height in range(1, BLOCKS + 1)]
    if case.slots:
        assert [header.slot for header in headers] == [SCHEDULE.slot_of(height) for height in range(1, 11)]
        assert all(any(header.next_committee_hash) for header in headers)
    elif case.name != "dpos":
        assert {header.slot for header in headers} == {0}


def test_every_coin_is_accounted_for(case, chain) -> None:
    assert chain.supply() == sum(
        account.balance for account in chain.blockchain.genesis.accounts.values()
    ) + case.created(chain)


def test_burnt_fees_are_accounted_for(case) -> None:
    config = ChainConfig(funds={ALICE.checksum_address: ether(5)}, burn_base_fee=True, engine=engine_of(case))
    chain = Chain.in_memory(config=config, **case.hosted(), auto_seal=True)
    before = chain.supply()
    burnt = 0
    for _ in range(2):
        receipt = chain.transfer(ALICE, BOB, 5)
        burnt += receipt.gas_used * chain.head.header.base_fee
    lost = before + case.created(chain) - chain.supply()
    counted = case.name in ("dpow", "pos")  # their contract says what was burnt
    assert lost == (0 if counted else burnt)
    if counted:
        assert chain.staking.read("burnt") >= burnt


def engine_of(case: Case) -> str:
    """What a configuration names: a consensus puts its own name there, an engine alone does not."""
    return case.name if "engine" in case.hosted() else "instant"


# Tampering -----------------------------------------------------------------------------------------------


def header_with(**changes: Any) -> Callable[[Block, Chain], Block]:
    return lambda block, chain: replace(block, header=replace(block.header, **changes))


def reversed_field(name: str) -> Callable[[Block, Chain], Block]:
    """Turn the bytes of a field of the header round, with something at the end that was not there."""

    def tamper(block: Block, chain: Chain) -> Block:
        value = getattr(block.header, name)
        return replace(block, header=replace(block.header, **{name: bytes(255 - byte for byte in value)}))

    return tamper


def one_more(name: str, by: int = 1) -> Callable[[Block, Chain], Block]:
    return lambda block, chain: replace(
        block, header=replace(block.header, **{name: getattr(block.header, name) + by})
    )


TAMPERED: dict[str, Callable[[Block, Chain], Block]] = {
    "no seal": lambda block, chain: replace(block, seal=b""),
    "seal of the parent": lambda block, chain: replace(block, seal=chain.block(block.height - 1).seal),
    "seal with a tail": lambda block, chain: replace(block, seal=block.seal + b"\0"),
    "seal without its end": lambda block, chain: replace(block, seal=block.seal[:-1]),
    "junk for a seal": lambda block, chain: replace(block, seal=b"\xc3\x80\x80\x80"),
    "a parent certificate": lambda block, chain: replace(block, parent_certificate=b"\x05"),
    "no parent certificate": lambda block, chain: replace(block, parent_certificate=b""),
    "an attachment": lambda block, chain: replace(block, attachment=b"\xc0"),
    "slot": one_more("slot"),
    "height": one_more("height"),
    "chain id": one_more("chain_id"),
    "time": one_more("timestamp_ms"),
    "time of the parent": lambda block, chain: header_with(
        timestamp_ms=chain.block(block.height - 1).timestamp_ms
    )(block, chain),
    "gas used": one_more("gas_used"),
    "gas limit": one_more("gas_limit"),
    "base fee": one_more("base_fee", -1),
    "proposer": reversed_field("proposer"),
    "seed": reversed_field("seed"),
    "next committee": reversed_field("next_committee_hash"),
    "state root": reversed_field("state_root"),
    "receipts root": reversed_field("receipts_root"),
    "history root": reversed_field("history_root"),
    "parent hash": reversed_field("parent_hash"),
    "seed proof": header_with(seed_proof=b"\x01" * 82),
    "work commitment": header_with(work_commitment=(1).to_bytes(32, "big") + bytes(32)),
    "extra data": header_with(extra_data=b"something"),
    "no transactions": lambda block, chain: replace(block, transactions=()),
}
OPERATORS_CHOICE = {"slot", "time", "seed", "seed proof", "work commitment", "extra data"}
"""What whoever operates a chain alone may put into a header."""
OF_SEALS = {"no seal", "seal of the parent", "seal without its end"}


def is_wrong(case: Case, name: str) -> bool:
    """Tell whether it is tampering, and not what the block is anyway, or might be."""
    if name == "no parent certificate":
        return case.certified
    return case.sealed or name not in OPERATORS_CHOICE | OF_SEALS


@pytest.fixture(scope="module")
def victim(case, chain) -> Chain:
    """A follower at height 7, to which nothing may ever happen."""
    return follower_of(case, chain, 7)


def takes(victim: Chain, block: Block) -> bool:
    """Tell whether a chain takes a block; when it does not, nothing about it has changed."""
    before = (victim.head.encode(), victim.blockchain.state.root, victim.supply())
    try:
        victim.append(block)
    except InvalidInput:
        assert (victim.head.encode(), victim.blockchain.state.root, victim.supply()) == before
        return False
    return True


def test_nothing_that_was_tampered_with_gets_through(case, chain, victim) -> None:
    tried = {name: tamper(chain.block(8), chain) for name, tamper in TAMPERED.items() if is_wrong(case, name)}
    assert [name for name, block in tried.items() if takes(victim, block)] == []


def test_the_forger_can_seal(case, chain) -> None:
    block = chain.block(8)
    assert takes(follower_of(case, chain, 7), replace(block, seal=case.forge(chain, block.header)))


@pytest.mark.parametrize(
    "name",
    ["slot", "proposer", "seed", "seed proof", "work commitment", "next committee", "state root", "gas used"],
)
def test_no_seal_makes_up_for_a_wrong_header(case, chain, victim, name) -> None:
    """Even all members and miners together cannot pass what the chain itself does not say."""
    if case.sealed or name not in OPERATORS_CHOICE:
        block = TAMPERED[name](chain.block(8), chain)
        assert not takes(victim, replace(block, seal=case.forge(chain, block.header)))


def test_no_bit_of_a_seal_can_be_changed(case, chain, victim) -> None:
    block = chain.block(8)
    for place in range(0, len(block.seal), max(1, len(block.seal) // 24)):
        seal = bytearray(block.seal)
        seal[place] ^= 1 << place % 8
        assert not takes(victim, replace(block, seal=bytes(seal)))


def test_a_block_of_another_chain(case, chain, victim) -> None:
    other = make_blocks(started(case, chain_id=chain.chain_id + 1), 1)
    with pytest.raises(InvalidInput):
        follower_of(case, chain, 0).append(other.head)


def test_the_victim_goes_on_where_it_was(case, chain, victim) -> None:
    fresh = follower_of(case, chain, 7)
    assert not takes(fresh, chain.block(9))
    assert not takes(fresh, replace(chain.block(8), transactions=()))
    assert takes(fresh, chain.block(8))
    assert takes(fresh, chain.block(9))
    assert fresh.head.hash == chain.block(9).hash


# Without a chain -----------------------------------------------------------------------------------------


def finality_proof(case: Case, chain: Chain, height: int) -> bytes:
    """What shows that a block is final: its seal, or the headers that follow."""
    if not case.buried:
        return chain.block(height).seal
    following = (chain.block(number) for number in range(height + 1, BLOCKS + 1))
    return encode_branch(SealedHeader(block.header, block.seal) for block in following)


def test_headers_are_judged_without_a_chain(case, chain) -> None:
    client = case.light(chain)
    for height in range(1, BLOCKS + 1):
        block, parent = chain.block(height), chain.block(height - 1).header
        validate_lineage(block.header, parent)
        client.rule.validate_header(block.header, block.seal, parent)
        assert client.rule.work(block.header) == chain.blockchain.header_rule.work(block.header)
        client.headers[block.hash] = block.header
        client.learn(block)
    for height in (1, BLOCKS // 2):
        client.rule.validate_finality(chain.block(height).header, finality_proof(case, chain, height))


def test_a_light_client_refuses_what_was_tampered_with(case, chain) -> None:
    client = case.light(chain)
    block, parent = chain.block(1), chain.block(0).header
    for field in ("proposer", "seed", "state_root", "next_committee_hash"):
        changed = reversed_field(field)(block, chain).header
        if case.sealed:
            with pytest.raises(InvalidInput):
                client.rule.validate_header(changed, block.seal, parent)
    for seal in (b"\x05", block.seal + b"\0", block.seal * 2 + b"\xc0"):
        with pytest.raises(InvalidInput):
            client.rule.validate_header(block.header, seal, parent)


def test_finality_takes_its_proof(case, chain) -> None:
    client = case.light(chain)
    header = chain.block(1).header
    client.headers[header.hash] = header
    others = finality_proof(case, chain, 2)
    for proof in (b"\xc0", b"\x05" * 90, b"", others)[: None if case.sealed else 2]:
        with pytest.raises(InvalidInput):
            client.rule.validate_finality(header, proof)


# Files, stores, and the way back -------------------------------------------------------------------------


def test_a_file_is_followed_like_any_other_source(case, chain, tmp_path: Path) -> None:
    path = tmp_path / "chain"
    chain.export(path)
    loaded = Chain.load(path, **case.followed())
    assert loaded.head.encode() == chain.head.encode()
    producing = Chain.load(path, **case.hosted())
    assert producing.seal().height == BLOCKS + 1
    loaded.append(producing.head)


def test_a_store_is_taken_up_where_it_was_left(case, chain, tmp_path: Path) -> None:
    config = ChainConfig(funds={ALICE.checksum_address: ether(1_000)})
    for last in (4, 7, BLOCKS):
        with Chain.open(SqliteStore(tmp_path / "store"), config, **case.hosted()) as opened:
            make_blocks(opened, last)
    with Chain.open(SqliteStore(tmp_path / "store"), config, **case.followed()) as opened:
        assert opened.head.hash == chain.head.hash


def test_the_way_back_and_forth_again(case, chain) -> None:
    wandering = make_blocks(started(case), 3)
    snapshot = wandering.snapshot()
    wandering.transfer(ALICE, BOB, 77)
    wandering.seal()
    wandering.revert(snapshot)
    assert wandering.head.hash == chain.block(3).hash
    assert make_blocks(wandering, 7).head.encode() == chain.block(7).encode()


def test_a_follower_goes_back_and_takes_other_blocks(case, chain) -> None:
    other = make_blocks(started(case), 3)
    other.transfer(ALICE, BOB, 77)
    follower = follower_of(case, chain, 5)
    outcome = follower.reorganise(3, [other.head])
    assert (len(outcome.removed), follower.head.hash) == (2, other.head.hash)
    follower.reorganise(3, [chain.block(4), chain.block(5), chain.block(6)])
    assert follower.head.encode() == chain.block(6).encode()


def test_a_block_that_could_not_be_kept_is_made_again(case) -> None:
    config = ChainConfig(funds={ALICE.checksum_address: ether(1_000)})
    chain = Chain.open(RecordingStore(fail_on=[4]), config, **case.hosted())
    failures = 0
    while chain.height < 5:
        try:
            chain.seal()
        except OSError:
            failures += 1
            chain.send(chain.sign(ALICE, BOB, value=5, gas=21_000))
    assert failures == 1
    assert chain.balance(BOB) == 5
