"""Keyed chains on which every block is decided at once, and people who hold ceremonies for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import repeat

import pytest

from chainstack_sdk import Chain, InvalidInput
from chainstack_sdk.consensus.bft.scheme import Secp256k1Scheme
from chainstack_sdk.consensus.bft.validators import Validator, ValidatorSet
from chainstack_sdk.consensus.chainkey.ceremony import Ceremony
from chainstack_sdk.consensus.chainkey.contract import ChainKeyContract
from chainstack_sdk.consensus.chainkey.dealing import close_log, deal, shares_for
from chainstack_sdk.consensus.chainkey.genesis import deal_locally, with_chain_key
from chainstack_sdk.consensus.chainkey.link import KeyLink, link_digest
from chainstack_sdk.consensus.chainkey.log import ack_digest
from chainstack_sdk.consensus.chainkey.outcome import derive_shares
from chainstack_sdk.consensus.chainkey.payload import KeyPayload, commitment, unwrap, wrap
from chainstack_sdk.consensus.chainkey.rules import KeyedRules
from chainstack_sdk.consensus.chainkey.state import Holders, KeyState, read_key_state
from chainstack_sdk.consensus.chainkey.storage import CHAIN_KEY_ADDRESS, CHAIN_KEY_CODE
from chainstack_sdk.consensus.staking.slots import SlotSchedule
from chainstack_sdk.core import Genesis
from chainstack_sdk.core.blocks import Block
from chainstack_sdk.core.closing import HeaderExtras
from chainstack_sdk.paradigms.instance import Instance
from chainstack_sdk.primitives.bls import FINALITY_DOMAIN, HOLDERS_DOMAIN, combine, sign
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.testing import ScriptedConsensus, ScriptedEngine, accounts, decide

PEOPLE = accounts(8)
ACCOUNTS = {each.address: each for each in PEOPLE}
SCHEDULE = SlotSchedule(8)
PROPOSER = b"\x07" * 20
SEED = b"one who is trusted".ljust(32, b".")


def committee(*numbers: int, weights: Sequence[int] = ()) -> ValidatorSet:
    """Return the committee of people by number, with one vote each by default."""
    each = weights or [1] * len(numbers)
    return ValidatorSet(
        Validator(PEOPLE[number].address, weight) for number, weight in zip(numbers, each, strict=True)
    )


class Inner:
    """What the chain does besides: the header commits to an attachment, and each block notes the slot."""

    def slot(self, height):
        return SCHEDULE.slot_of(height)

    def extras(self, parent, proposer, attachment):
        return HeaderExtras(work_commitment=keccak256(attachment), attachment=attachment)

    def admit(self, state, sender):
        state.set_nonce(b"\xad" * 20, state.nonce(b"\xad" * 20) + 1)

    def close(self, closing):
        if closing.extras.work_commitment != keccak256(closing.extras.attachment):
            raise InvalidInput("wrong work commitment")
        if closing.extras.extra_data:
            raise InvalidInput("extra data")
        closing.state.add_balance(closing.context.proposer, 1)
        closing.next_committee_hash = keccak256(b"%d" % closing.context.height)


class Keyed(ScriptedConsensus):
    """Committees by slot from a function; a key from genesis or none."""

    def __init__(self, committees, polynomial, extensions):
        contracts = {CHAIN_KEY_CODE: ChainKeyContract()}
        super().__init__(ScriptedEngine(repeat(decide())), contracts=contracts)
        self.committees, self.polynomial, self.extensions = committees, polynomial, extensions

    def prepare(self, genesis: Genesis) -> Genesis:
        genesis = super().prepare(genesis)
        return with_chain_key(genesis, self.committees(0), self.committees(1), self.polynomial)

    def rules(self, genesis, view):
        self.made = KeyedRules(
            Inner(),
            view.state,
            SCHEDULE,
            self.committees,
            Secp256k1Scheme(),
            block=lambda height: view.blockchain.ledger.block(height),
            extensions=self.extensions,
        )
        return self.made


class Desk:
    """Always has the same payload, or one by height."""

    def __init__(self, payload):
        self._payload = payload

    def payload(self, height):
        return self._payload(height) if callable(self._payload) else self._payload

    def beacon(self, slot):
        return None

    def signature(self, height):
        return dict(self.payload(height).signatures).get(height)


class People:
    """All secrets of all members in one hand: does by itself what their machines do."""

    def __init__(self):
        self.shares = {}

    def trust(self, polynomial, dealt):
        """Take the shares of a key from genesis."""
        self.shares[polynomial] = {place: share for own in dealt.values() for place, share in own.items()}

    def dealing(self, ceremony: Ceremony, place: int, salt=b""):
        seed = keccak256(b"seed" + salt)
        share = None if ceremony.previous is None else self.shares[ceremony.previous][place]
        return deal(ceremony, place, seed, share)

    def log(self, ceremony: Ceremony, place: int, *, silent=(), salt=b"") -> bytes:
        """Return a place's encoded log; players in ``silent`` do not acknowledge."""
        dealing = self.dealing(ceremony, place, salt)
        digest = ack_digest(ceremony, place, dealing[1].encode())
        acks = {
            index: ACCOUNTS[member.address].sign(digest)
            for index, member in enumerate(ceremony.players)
            if index not in silent and ceremony.player_seats.counts[index]
        }
        dealer = ceremony.dealers.members[ceremony.dealer_seats.holder(place)]
        log = close_log(ceremony, place, dealing, acks, ACCOUNTS[dealer.address].sign)
        return log.encode()

    def logs(self, ceremony: Ceremony, places=None) -> tuple[bytes, ...]:
        chosen = range(1, ceremony.needed + 1) if places is None else places
        return tuple(self.log(ceremony, place) for place in chosen)

    def derive(self, state: KeyState) -> None:
        """Let every player derive its next shares."""
        ceremony = state.ceremony
        own = {}
        for index in range(len(ceremony.players)):
            received = {}
            for log in state.logs:
                polynomial, commitments, _ = self.dealing(ceremony, log.place)
                received[log.place] = (commitments.encode(), shares_for(ceremony, polynomial, index))
            own |= derive_shares(ceremony, state.logs, index, received)
        self.shares[state.outcome] = own

    def attest(self, holders: Holders, chain_id: int) -> bytes:
        message, shares = holders.message(chain_id), self.shares[holders.polynomial]
        chosen = list(shares)[-holders.polynomial.threshold :]
        return combine({place: sign(shares[place], message, HOLDERS_DOMAIN) for place in chosen})

    def sign(self, holders: Holders, block_hash: bytes) -> bytes:
        """Return the key's signature over a block's hash."""
        shares = self.shares[holders.polynomial]
        places = sorted(shares)[: holders.seats.threshold]
        return combine({place: sign(shares[place], block_hash, FINALITY_DOMAIN) for place in places})

    def link(self, retired: Holders, new_key: bytes, chain_id: int, voters=None) -> KeyLink:
        digest = link_digest(chain_id, retired.generation, retired.key, retired.generation + 1, new_key)
        chosen = [member.address for member in retired.members][:voters]
        votes = {address: ACCOUNTS[address].sign(digest) for address in chosen}
        return KeyLink.of(retired, new_key, votes)


class World:
    """A keyed chain and its people."""

    def __init__(self, committees=None, *, keyed=True, extensions=2, chain_id=31337):
        everywhere = committee(0, 1, 2, 3)
        committees = committees or (lambda slot: everywhere)
        self.people = People()
        polynomial = None
        if keyed:
            polynomial, dealt = deal_locally(committees(0), SEED)
            self.people.trust(polynomial, dealt)
        self.consensus = Keyed(committees, polynomial, extensions)
        self.chain = Chain.in_memory({PEOPLE[0]: 10**18}, chain_id=chain_id, consensus=self.consensus)
        self.core = self.chain.blockchain
        self.chain_id = chain_id

    @property
    def key(self) -> KeyState:
        return read_key_state(self.core.state)

    @property
    def rules(self) -> KeyedRules:
        return self.consensus.made

    def contract(self) -> Instance:
        return Instance(self.chain, CHAIN_KEY_ADDRESS, ChainKeyContract)

    def build(self, payload=None, attachment=b"") -> Block:
        """Build a block whose desk has a payload, and do not append it."""
        self.rules.desk = None if payload is None else Desk(payload)
        timestamp = self.core.head.timestamp_ms + 1
        return self.core.build([], timestamp_ms=timestamp, proposer=PROPOSER, attachment=attachment).block

    def add(self, payload=None, attachment=b"") -> Block:
        """Append a block that brings all of a payload."""
        block = self.build(payload, attachment)
        encoded = b"" if payload is None else payload.encode()
        assert block.attachment == wrap(attachment, encoded)
        self.core.append(block)
        return block

    def forged(self, payload: KeyPayload | bytes) -> Block:
        """Return a block as one would make who does not ask whether a payload counts."""
        encoded = payload if isinstance(payload, bytes) else payload.encode()
        block = self.build()
        header = replace(block.header, extra_data=commitment(encoded))
        return replace(block, header=header, attachment=wrap(b"", encoded))

    def refuse(self, payload: KeyPayload | bytes, match: str) -> None:
        """Check that a payload makes a block invalid, leaves nothing, and is brought by no builder.

        A builder may bring the parts of it that count.
        """
        before, root = self.key, self.core.state.root
        with pytest.raises(InvalidInput, match=match):
            self.core.append(self.forged(payload))
        assert (self.key, self.core.state.root) == (before, root)
        if isinstance(payload, KeyPayload):
            brought = KeyPayload.decode(unwrap(self.build(payload).attachment)[1])
            assert brought != payload
            assert set(brought.logs) <= set(payload.logs)
            assert brought.logs or brought.signatures or not brought
        assert self.core.state.checkpoint() == 0

    def go_to(self, position: int) -> None:
        """Append empty blocks until the next one has a position in its slot."""
        while self.core.height % SCHEDULE.blocks != position:
            self.add()

    def select(self) -> None:
        """Bring the logs of a whole selection."""
        self.go_to(SCHEDULE.blocks // 2)
        self.add(KeyPayload(logs=self.people.logs(self.key.ceremony)))

    def attest(self) -> None:
        """Let the players derive their shares, and bring their attestation."""
        self.people.derive(self.key)
        self.add(KeyPayload(attestation=self.people.attest(self.key.successors, self.chain_id)))

    def finish(self) -> None:
        """Go to the first block of the next slot, which has not been made yet."""
        self.add()
        self.go_to(0)

    def hand_over(self) -> None:
        """Hold a whole ceremony, and go to the first block of the next slot."""
        self.select()
        self.attest()
        self.finish()


@pytest.fixture
def world() -> Callable[..., World]:
    """Make a keyed chain."""
    return World


@pytest.fixture
def choose() -> Callable[..., ValidatorSet]:
    """Make a committee of people by number."""
    return committee
