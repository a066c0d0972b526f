"""What a committee chain does at the end of each block: it checks the parent's seal, pays, and elects.

The seal of a block comes back in its child, so everything here follows from the chain alone:

1. The parent's seal is checked in full, and the seed with it.
2. Block reward and fees are divided. The miners' part goes to those who worked for the block, or to its
   proposer; the verifiers' part to the committee *of the parent*, by the parent's certificate. What is not
   paid is not minted, or burnt where it exceeds the reward: block 1 has no certificate to pay by.
3. Members that the certificate lacks are noted. In the first block of a slot, which brings the last
   certificate of the slot before, the members' performance follows.
4. In the last block of slot s the committee of slot s + 2 is drawn with the block's own seed, by the weights
   that were frozen at the end of slot s - 1, or in genesis. Then weights are frozen anew.
5. The header commits to the newest committee.

``genesis supply + minted - burnt`` is the sum of all balances after every block; both counters are in the
staking contract.

**Caveats**

- Whoever proposes a block chooses among the parent's certificates, and may leave out signatures beyond the
  2/3 that it needs. That costs others part of a reward and some performance, and itself nothing.
- Who knows the seed of a slot's last block ahead of others can make nobody weigh more. It can only make room
  for the next in the draw: by unregistering itself, or by evidence against others that it has kept back.
- From the block that freezes the weights on, the seed of the draw takes as many proposers as a slot has
  blocks. A coalition that provides all of them in a row, the first included, knows the seed while weights can
  still be changed. Slots are to be too long for that; those of a single block are for tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from chainstack_sdk.consensus.beacon import seed_after_genesis
from chainstack_sdk.consensus.payouts import split
from chainstack_sdk.consensus.staking.committees import note_missed, read_hash
from chainstack_sdk.consensus.staking.elections import elect_committee, fold_performance, freeze_weights
from chainstack_sdk.consensus.staking.membership import StateCommittees
from chainstack_sdk.consensus.staking.storage import BURNT, MINTED, PARENT_SEED, StateStorage
from chainstack_sdk.core.closing import HeaderExtras
from chainstack_sdk.primitives.errors import InvalidInput, InvariantBroken, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainstack_sdk.consensus.reputation import Reputation
    from chainstack_sdk.consensus.rewards import RewardPolicy
    from chainstack_sdk.consensus.terms import CommitteeTerms, SealFacts
    from chainstack_sdk.core.blocks import Block, Header
    from chainstack_sdk.core.closing import Closing
    from chainstack_sdk.core.interfaces import ChainRules
    from chainstack_sdk.core.state import State


class Mining(Protocol):
    """What blocks carry for the sake of those who mine them."""

    def commitment(self, parent: Header, attachment: bytes) -> bytes:
        """Return the work commitment of a block on ``parent`` with this attachment, at most 64 bytes.

        Raises
        ------
        InvalidInput
            When the attachment is malformed.
        """
        ...

    def payees(self, attachment: bytes) -> Sequence[tuple[bytes, int]]:
        """Return addresses and positive weights of those who worked; none: the proposer alone."""
        ...


class StakingRules:
    """The rules of a chain whose committees are elected by stake; see the module.

    Parameters
    ----------
    terms
        What the chain's members agree on.
    state
        The very object that the chain works on.
    rewards
        How much a block mints and who gets how much.
    reputation
        What candidates weigh when committees are drawn.
    mining
        What miners add to blocks; None: blocks carry no attachment and no work commitment.
    burn_base_fee
        Destroy the base fees instead of paying them out.
    """

    def __init__(
        self,
        terms: CommitteeTerms,
        state: State,
        *,
        rewards: RewardPolicy,
        reputation: Reputation,
        mining: Mining | None = None,
        burn_base_fee: bool = False,
    ) -> None:
        self._terms = terms
        self._state = state
        self._committees = StateCommittees(state)
        self._rewards = rewards
        self._reputation = reputation
        self._mining = mining
        self._burn_base_fee = burn_base_fee

    def slot(self, height: int) -> int:
        """Return the slot in which a height lies."""
        return self._terms.schedule.slot_of(height)

    def extras(self, parent: Block, proposer: bytes, attachment: bytes) -> HeaderExtras:
        """Return seed, seed proof, parent certificate and work commitment of a block on the head.

        Raises
        ------
        UsageError
            When the attachment is not one that the chain's miners make.
        """
        facts = self._facts(parent.header, parent.seal)
        proof = facts.seed_proof if facts is not None and facts.seed_proof else None
        if proof is None:
            proof = self._terms.seeds.proof_after(parent.header)
        try:
            commitment = self._work_commitment(parent.header, attachment)
        except InvalidInput as error:
            raise UsageError(error.message, **error.facts) from error
        return HeaderExtras(
            seed=self._seed_after(parent.header, facts, proof),
            seed_proof=proof,
            parent_certificate=parent.seal,
            work_commitment=commitment,
            attachment=attachment,
        )

    def admit(self, state: State, sender: bytes) -> None:
        """Let everybody send."""

    def close(self, closing: Closing) -> None:
        """Check what the block brings, pay, and elect; see the module.

        Raises
        ------
        InvalidInput
            When seal of the parent, seed or work commitment are not right.
        UsageError
            When the state is not the one that these rules were made for.
        """
        if closing.state is not self._state:
            raise UsageError("these rules serve a chain over another state")
        facts = self._facts(closing.parent, closing.extras.parent_certificate)
        self._validate_extras(closing, facts)
        self._pay(closing, facts)
        if facts is not None:
            self._note_absent(closing.parent, facts)
        self._turn_slots(closing)
        storage = StateStorage(closing.state)
        storage.store(PARENT_SEED, int.from_bytes(closing.parent.seed, "big"))
        newest = self._terms.schedule.newest_fixed(closing.context.height)
        closing.next_committee_hash = read_hash(storage, newest)

    # Checks

    def _facts(self, parent: Header, seal: bytes) -> SealFacts | None:
        """Return what the parent's seal says once it has been checked; None for genesis, which has none."""
        if parent.height == 0:
            if seal:
                raise InvalidInput("nobody certifies genesis", actual=seal)
            return None
        seed = StateStorage(self._state).load(PARENT_SEED)
        committee = self._committees.at(parent.slot)
        return self._terms.open_seal(parent, seal, committee, seed.to_bytes(32, "big"))

    def _validate_extras(self, closing: Closing, facts: SealFacts | None) -> None:
        extras, parent, context = closing.extras, closing.parent, closing.context
        from_seal = b"" if facts is None else facts.seed_proof
        expected = (
            self.slot(context.height),
            self._seed_after(parent, facts, extras.seed_proof),
            from_seal or extras.seed_proof,
            self._work_commitment(parent, extras.attachment),
        )
        actual = (context.slot, extras.seed, extras.seed_proof, extras.work_commitment)
        names = ("slot", "seed", "seed proof", "work commitment")
        for name, right, there in zip(names, expected, actual, strict=True):
            if there != right:
                raise InvalidInput(
                    f"wrong {name} in a block", height=context.height, expected=right, actual=there
                )

    def _seed_after(self, parent: Header, facts: SealFacts | None, proof: bytes) -> bytes:
        """Return the next header's seed: the one that a seal's proof has given, or the beacon's."""
        if facts is None:
            return seed_after_genesis(parent, proof)
        if facts.next_seed:
            return facts.next_seed
        return self._terms.seeds.seed_after(parent, proof, self._committees.at(parent.slot))

    def _work_commitment(self, parent: Header, attachment: bytes) -> bytes:
        if self._mining is not None:
            return self._mining.commitment(parent, attachment)
        if attachment:
            raise InvalidInput("blocks of this chain carry no attachment", actual=attachment)
        return b""

    # Coin

    def _pay(self, closing: Closing, facts: SealFacts | None) -> None:
        reward = self._rewards.block_reward
        fees = closing.fees(burn_base_fee=self._burn_base_fee)
        for_miners, for_verifiers = self._rewards.divide(reward + fees)
        credits = self._miners(closing, for_miners)
        if facts is not None:
            members = [member.address for member in self._committees.at(closing.parent.slot)]
            credits += self._rewards.verifier_shares(
                for_verifiers, members, frozenset(facts.signers), facts.proposer
            )
        paid = sum(amount for _, amount in credits)
        if paid > reward + fees or any(amount < 0 for _, amount in credits):
            raise InvariantBroken("the reward policy pays more than there is", actual=paid)
        for address, amount in credits:
            closing.state.add_balance(address, amount)
        self._count(MINTED, max(paid - fees, 0))
        self._count(BURNT, closing.base_fees + closing.tips - fees + max(fees - paid, 0))

    def _miners(self, closing: Closing, part: int) -> list[tuple[bytes, int]]:
        payees = () if self._mining is None else self._mining.payees(closing.extras.attachment)
        return split(part, payees) if payees else [(closing.context.proposer, part)]

    def _count(self, slot: bytes, amount: int) -> None:
        if amount:
            storage = StateStorage(self._state)
            storage.store(slot, storage.load(slot) + amount)

    # Committees

    def _note_absent(self, parent: Header, facts: SealFacts) -> None:
        signers = frozenset(facts.signers)
        for index, member in enumerate(self._committees.at(parent.slot)):
            if member.address not in signers:
                note_missed(StateStorage(self._state), parent.slot, index)

    def _turn_slots(self, closing: Closing) -> None:
        schedule, height = self._terms.schedule, closing.context.height
        slot = schedule.slot_of(height)
        if schedule.is_last(height - 1):
            fold_performance(closing.state, slot - 1, schedule.blocks)
        if schedule.is_last(height):
            elect_committee(closing.state, slot + 2, closing.extras.seed)
            freeze_weights(closing.state, self._reputation)


if TYPE_CHECKING:
    _rules: type[ChainRules] = StakingRules
