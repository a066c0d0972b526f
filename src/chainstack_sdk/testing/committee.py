"""A committee chain whose every key is at hand: blocks certified by whom a test likes. Not for production."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chainstack_sdk.consensus.beacon import seed_alpha
from chainstack_sdk.consensus.bft.certificate import Certificate
from chainstack_sdk.consensus.bft.evidence import Evidence
from chainstack_sdk.consensus.bft.messages import SignedVote, Vote, VoteKind
from chainstack_sdk.consensus.bft.scheme import Secp256k1Scheme
from chainstack_sdk.consensus.certified import CommitteeRule
from chainstack_sdk.consensus.reputation import StakePerformanceActivity
from chainstack_sdk.consensus.rewards import SharedRewards
from chainstack_sdk.consensus.seals import CommitteeSeal
from chainstack_sdk.consensus.staking import (
    STAKING_ADDRESS,
    STAKING_CODE,
    GenesisValidator,
    StakingContract,
    StakingMembership,
    StakingParameters,
    StakingRules,
    StateCommittees,
    key_alpha,
    with_staking,
)
from chainstack_sdk.consensus.terms import CommitteeTerms, rotating_leader
from chainstack_sdk.consensus.vrf import VrfKey
from chainstack_sdk.consensus.work import target_of
from chainstack_sdk.core.chain import Blockchain
from chainstack_sdk.core.fees import ProposerFees
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.core.queries import simulate
from chainstack_sdk.core.state import State
from chainstack_sdk.paradigms.runtime import Runtime
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.keys import Account
from chainstack_sdk.primitives.units import ether
from chainstack_sdk.testing.bare import PROPOSER, payment

if TYPE_CHECKING:
    from collections.abc import Collection

    from chainstack_sdk.consensus.reputation import Reputation
    from chainstack_sdk.consensus.rewards import RewardPolicy
    from chainstack_sdk.consensus.staking.mining import CommitteeWork
    from chainstack_sdk.consensus.terms import Leader
    from chainstack_sdk.core.blocks import Block, Header
    from chainstack_sdk.core.transactions import Transaction

FUNDS = ether(1_000)
"""Wei that every account of a bench has besides its deposit."""
_CALL_GAS = 1_000_000
_PATIENCE = 1 << 16
"""Nonces that are tried for a block."""


class CommitteeBench:
    """Validators with known keys, and a chain that they certify.

    Parameters
    ----------
    size
        How many accounts there are.
    registered
        How many of them, the first ones, are validators from the start; by default all.
    parameters
        By default slots of 4 blocks, 4 seats and a minimum deposit of 1 ether, which all validators give.
    genesis
        Everything else about block 0.
    rewards, reputation, leader, work, burn_base_fee
        As for :class:`~chainstack_sdk.consensus.staking.StakingRules` and
        :class:`~chainstack_sdk.consensus.terms.CommitteeTerms`.
    name
        Benches of different names have different keys.
    """

    def __init__(
        self,
        size: int = 4,
        *,
        registered: int | None = None,
        parameters: StakingParameters | None = None,
        genesis: Genesis | None = None,
        rewards: RewardPolicy | None = None,
        reputation: Reputation | None = None,
        leader: Leader = rotating_leader,
        work: CommitteeWork | None = None,
        burn_base_fee: bool = False,
        name: str = "bench",
    ) -> None:
        keys = [keccak256(f"{name} {index}".encode()) for index in range(size)]
        self.accounts = tuple(Account.from_key(key) for key in keys)
        self.vrf_keys = tuple(VrfKey(keccak256(key)) for key in keys)
        self.parameters = parameters or StakingParameters(4, 4, ether(1))
        base = genesis or Genesis()
        funds: dict[bytes, GenesisAccount] = {
            account.address: GenesisAccount(balance=FUNDS) for account in self.accounts
        }
        self.genesis = with_staking(
            replace(base, accounts={**base.accounts, **funds}),
            [
                GenesisValidator(account.address, vrf_key.public, self.parameters.minimum_deposit)
                for account, vrf_key in list(zip(self.accounts, self.vrf_keys, strict=True))[:registered]
            ],
            self.parameters,
        )
        self.terms = CommitteeTerms(
            base.chain_id, self.parameters.schedule, Secp256k1Scheme(), leader=leader, work=work
        )
        self._rewards: RewardPolicy = SharedRewards() if rewards is None else rewards
        self._reputation: Reputation = (
            StakePerformanceActivity(self.parameters.minimum_deposit) if reputation is None else reputation
        )
        self._work = work
        self._burn_base_fee = burn_base_fee
        self._by_address: dict[bytes, tuple[Account, VrfKey]] = {
            account.address: (account, vrf_key)
            for account, vrf_key in zip(self.accounts, self.vrf_keys, strict=True)
        }
        self.chain = self.new_chain()
        """What :meth:`extend` adds to."""
        self.committees = StateCommittees(self.chain.state)
        """Those of :attr:`chain`."""
        self.membership = StakingMembership(
            self.terms, self.committees, lambda height: self.chain.ledger.header(height).seed
        )

    def new_chain(self) -> Blockchain:
        """Return another chain from the same genesis, with rules of its own, to append blocks to."""
        state = State()
        runtime = Runtime()
        runtime.add_system(STAKING_CODE, StakingContract(self.terms.scheme))
        return Blockchain(
            self.genesis,
            runtime=runtime,
            header_rule=CommitteeRule(self.terms, StateCommittees(state)),
            fees=ProposerFees(),
            rules=StakingRules(
                self.terms,
                state,
                rewards=self._rewards,
                reputation=self._reputation,
                mining=self._work,
                burn_base_fee=self._burn_base_fee,
            ),
            state=state,
        )

    def seal(
        self,
        header: Header,
        *,
        round: int = 0,
        absent: Collection[bytes] = (),
        nonce: int | None = None,
    ) -> bytes:
        """Return the seal that a header's committee gives to a child of the chain's head.

        Parameters
        ----------
        round
            In which the committee decides.
        absent
            Addresses of members that do not sign; the proposer's proof of randomness is there all the same.
        nonce
            The proof of work.
        """
        committee = self.committees.at(header.slot)
        vote = Vote(VoteKind.PRECOMMIT, header.height, round, header.hash)
        precommits = {
            member.address: self._signed(vote, member.address)
            for member in committee
            if member.address not in absent
        }
        proposer = self.membership.proposer(header.height, round)
        proof = self._by_address[proposer][1].prove(seed_alpha(header.chain_id, header.height, header.seed))
        certificate = Certificate.of(round, precommits, committee)
        return CommitteeSeal(certificate.encode(), proof, nonce).encode()

    def extend(
        self,
        *transactions: Transaction,
        round: int = 0,
        absent: Collection[bytes] = (),
        proposer: bytes = PROPOSER,
        attachment: bytes = b"",
    ) -> Block:
        """Append a block of these transactions, one second after its parent, and return it.

        Raises
        ------
        Rejected
            When one of them may not run; nothing has been appended.
        """
        candidate = self.chain.build(
            transactions,
            timestamp_ms=self.chain.head.timestamp_ms + 1_000,
            proposer=proposer,
            attachment=attachment,
        )
        for _transaction, error in candidate.rejected:
            raise error
        header = candidate.block.header
        nonce = None if self._work is None else self._mine(self._work, header)
        return self.chain.commit(candidate, self.seal(header, round=round, absent=absent, nonce=nonce))

    def to_slot(self, slot: int) -> None:
        """Append empty blocks until the next block is the first of a slot.

        Raises
        ------
        UsageError
            When the chain is past that.
        """
        last = self.parameters.schedule.first_of(slot) - 1
        if self.chain.height > last:
            raise UsageError("the chain is past the beginning of this slot", slot=slot)
        while self.chain.height < last:
            self.extend()

    def order(self, sender: int, function: str, *args: Any, value: int = 0) -> Transaction:
        """Sign a call of the staking contract by the account of a number, for the next block.

        Parameters
        ----------
        function
            Name of a function that changes something.
        value
            Wei that goes with it.
        """
        data = StakingContract.abi_function(function).encode_call(*args)
        return payment(self.chain, self.accounts[sender], STAKING_ADDRESS, value, data=data, gas=_CALL_GAS)

    def proven_key(self, sender: int, key: int | None = None) -> tuple[bytes, bytes]:
        """Return the arguments of ``register``: a VRF key, and the proof that the sender holds it.

        Parameters
        ----------
        sender
            Number of the account that is to register.
        key
            Number of the account whose VRF key it is; by default the sender's own.
        """
        vrf_key = self.vrf_keys[sender if key is None else key]
        alpha = key_alpha(self.genesis.chain_id, self.accounts[sender].address)
        return vrf_key.public, vrf_key.prove(alpha)

    def ask(self, function: str, *args: Any) -> Any:
        """Return the answer of one of the staking contract's views: a tuple when there are several values."""
        entry = StakingContract.abi_function(function)
        output = simulate(self.chain, to=STAKING_ADDRESS, data=entry.encode_call(*args)).output
        values = entry.decode_output(output)
        return values[0] if len(values) == 1 else values

    def double_vote(self, culprit: bytes, height: int) -> bytes:
        """Return encoded evidence that an account precommitted to two blocks in round 0 of a height."""
        one, other = (
            self._signed(Vote(VoteKind.PRECOMMIT, height, 0, keccak256(block)), culprit)
            for block in (b"one", b"other")
        )
        return Evidence.of(one, other).encode()

    def _signed(self, vote: Vote, address: bytes) -> SignedVote:
        account = self._by_address[address][0]
        return SignedVote(vote, address, account.sign(vote.digest(self.terms.chain_id)))

    @staticmethod
    def _mine(work: CommitteeWork, header: Header) -> int:
        target = target_of(work.difficulty(header))
        found = work.work_hash.search(header.hash, 0, _PATIENCE, target, target).nonce
        if found is None:
            raise UsageError("this difficulty takes too long for a bench", height=header.height)
        return found
