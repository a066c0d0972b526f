"""One member's machine: what it answers, what it writes before, and what it does not fall for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from chainstack_sdk.consensus.bft.scheme import Secp256k1Scheme
from chainstack_sdk.consensus.bft.validators import Validator, ValidatorSet
from chainstack_sdk.consensus.chainkey import dealer, pool, waiting
from chainstack_sdk.consensus.chainkey.dealer import MAX_KEYS
from chainstack_sdk.consensus.chainkey.dealing import deal, shares_for
from chainstack_sdk.consensus.chainkey.effects import Heard, KeyOutput, Message, Remember, SendTo
from chainstack_sdk.consensus.chainkey.log import Ack, DealerLog, ack_digest, log_digest
from chainstack_sdk.consensus.chainkey.machine import KeyMachine
from chainstack_sdk.consensus.chainkey.messages import (
    Accept,
    Announce,
    Deal,
    KeyMessage,
    LinkVote,
    Partial,
    PartialKind,
    PostedLog,
    decode_message,
)
from chainstack_sdk.consensus.chainkey.payload import NO_PAYLOAD, KeyPayload
from chainstack_sdk.consensus.chainkey.player import MAX_WRONG
from chainstack_sdk.consensus.chainkey.polynomial import PublicPolynomial
from chainstack_sdk.consensus.chainkey.pool import MAX_REFUSED, LinkVotes
from chainstack_sdk.consensus.chainkey.record import KeyRecord
from chainstack_sdk.consensus.chainkey.topics import KEPT, Topics
from chainstack_sdk.consensus.chainkey.waiting import Waiting
from chainstack_sdk.core.engine import Broadcast, Restored
from chainstack_sdk.primitives.envelope import open_key, seal
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.keys import Account
from chainstack_sdk.testing import accounts
from chainstack_sdk.testing.sim.keys import CHAIN_ID, KeyChain

BLOCKS = 6
PEOPLE = sorted(accounts(6), key=lambda account: account.address)
"""By address: a member's number is its index in the committee, and its place less 1."""
MEMBERS = ValidatorSet(Validator(account.address, 1) for account in PEOPLE[:4])
OUTSIDER = PEOPLE[5]


def new_chain(*, seed: bytes | None = b"k" * 32) -> KeyChain:
    return KeyChain(lambda slot: MEMBERS, blocks=BLOCKS, seed=seed)


def machine(chain: KeyChain, account: Account, entropy: bytes = b"e") -> KeyMachine:
    return KeyMachine(
        CHAIN_ID,
        account.address,
        account.sign,
        keccak256(entropy + account.address),
        chain.schedule,
        chain.scheme,
        initial_shares=chain.initial_shares.get(account.address),
    )


def sent(outputs: Iterable[KeyOutput]) -> list[Message]:
    """What is sent once everything is durable."""
    messages: list[Message] = []
    for output in outputs:
        messages += sent(output.then) if isinstance(output, Remember) else [output]
    return messages


def decoded(outputs: Iterable[KeyOutput]) -> list[KeyMessage]:
    return [decode_message(output.message) for output in sent(outputs)]


class Hub:
    """Machines that hear each other at once."""

    def __init__(self, chain: KeyChain, people: Iterable[Account] = PEOPLE[:4]) -> None:
        self.chain = chain
        self.machines = {account.address: machine(chain, account) for account in people}
        self.spread()

    def spread(self) -> None:
        """Tell all of the head, and carry what they say until nobody says anything."""
        final = self.chain.final(self.chain.height)
        queue = [
            (address, output) for address, one in self.machines.items() for output in sent(one.process(final))
        ]
        while queue:
            sender, output = queue.pop(0)
            for address, one in self.machines.items():
                if address != sender and (isinstance(output, Broadcast) or output.address == address):
                    queue += [(address, answer) for answer in sent(one.process(Heard(output.message)))]

    def grow(self, blocks: int) -> None:
        for _ in range(blocks):
            self.chain.build(next(iter(self.machines.values())))
            self.spread()


def test_entropy_has_32_bytes() -> None:
    chain = new_chain()
    with pytest.raises(UsageError):
        KeyMachine(CHAIN_ID, bytes(20), OUTSIDER.sign, bytes(31), chain.schedule, chain.scheme)


def test_before_the_first_block_there_is_nothing() -> None:
    chain = new_chain()
    one = machine(chain, PEOPLE[0])
    assert one.height == 0
    assert one.resend() == ()
    assert one.payload(1) == NO_PAYLOAD
    assert one.beacon(0) is None
    assert one.signature(0) is None
    assert not one.lacks_shares
    assert one.process(Heard(b"junk")) == ()


def test_a_whole_slot_of_four() -> None:
    """Dealing in three blocks, logs in one, the attestation in the next, and the key stays."""
    chain = new_chain()
    hub = Hub(chain)
    first = chain.state.holders
    assert first is not None
    assert hub.machines[MEMBERS.members[0].address].payload(1).attestation
    hub.grow(3)
    assert len(hub.machines[MEMBERS.members[0].address].payload(4).logs) == 3
    hub.grow(1)
    assert chain.state.outcome is not None
    hub.grow(1)
    assert chain.state.attestation
    for one in hub.machines.values():
        assert one.beacon(0)
        assert one.signature(5)
    hub.grow(1)
    second = chain.state.holders
    assert second is not None
    assert (second.round, second.key) == (1, first.key)
    for place, one in enumerate(hub.machines.values(), 1):
        assert set(one.shares(second.polynomial)) == {place}
        assert one.shares(first.polynomial) == {}, "forgotten"


def test_who_is_no_member_remembers_nothing_but_passes_logs_and_signatures_on() -> None:
    chain = new_chain()
    hub = Hub(chain, [OUTSIDER, *PEOPLE[:4]])
    hub.grow(4)
    assert chain.state.outcome is not None, "the outsider has built all of the blocks"
    one = hub.machines[OUTSIDER.address]
    assert one.signature(3)
    assert one.process(chain.final(chain.height)) == ()
    assert one.resend() == ()


def test_blocks_of_before_are_ignored_and_the_newest_may_come_again() -> None:
    chain = new_chain()
    hub = Hub(chain, PEOPLE[:1])
    hub.grow(2)
    one = hub.machines[PEOPLE[0].address]
    assert one.height == 2
    assert one.process(chain.final(1)) == ()
    assert sent(one.process(chain.final(2))) == list(one.resend())


def test_nothing_is_sent_before_it_is_durable() -> None:
    chain = new_chain()
    one = machine(chain, PEOPLE[0])
    (output,) = one.process(chain.final(0))
    assert isinstance(output, Remember)
    kinds = [type(message) for message in decoded(output.then)]
    assert kinds == [Announce, Partial, Partial]
    assert KeyRecord.decode(output.record).ceremony is not None


def test_a_restored_machine_goes_on_with_the_same_secrets() -> None:
    chain = new_chain()
    one = machine(chain, PEOPLE[0])
    (output,) = one.process(chain.final(0))
    assert isinstance(output, Remember)
    again = machine(chain, PEOPLE[0], b"other entropy")
    assert again.process(Restored(output.record)) == ()
    assert again.process(chain.final(0)) == output.then
    with pytest.raises(UsageError):
        again.process(Restored(output.record))
    with pytest.raises(UsageError):
        machine(chain, PEOPLE[1]).process(Restored(output.record))
    with pytest.raises(InvalidInput):
        machine(chain, PEOPLE[0]).process(Restored(output.record[:-1]))


def test_wrong_initial_shares_are_not_taken() -> None:
    chain = new_chain()
    chain.initial_shares[PEOPLE[0].address] = {1: 5}
    one = machine(chain, PEOPLE[0])
    one.process(chain.final(0))
    assert chain.state.holders is not None
    assert one.shares(chain.state.holders.polynomial) == {}
    keyless = new_chain(seed=None)
    keyless.initial_shares[PEOPLE[0].address] = {1: 5}
    assert machine(keyless, PEOPLE[0]).process(keyless.final(0))


# Dealers


def announce(chain: KeyChain, account: Account, key: bytes) -> Heard:
    name = chain.state.ceremony.hash
    return Heard(Announce(name, key, account.sign(Announce.digest(name, key))).encode())


def started(chain: KeyChain, account: Account) -> KeyMachine:
    one = machine(chain, account)
    one.process(chain.final(chain.height))
    return one


def test_each_key_of_a_player_is_answered_once() -> None:
    chain = new_chain()
    dealer = started(chain, PEOPLE[0])
    keys = [open_key(bytes([number]) * 32).public for number in range(MAX_KEYS + 1)]
    for key in keys[:-1]:
        (deal_,) = decoded(dealer.process(announce(chain, PEOPLE[1], key)))
        assert isinstance(deal_, Deal)
        assert dealer.process(announce(chain, PEOPLE[1], key)) == ()
    assert dealer.process(announce(chain, PEOPLE[1], keys[-1])) == ()
    again = [message for message in decoded(dealer.resend()) if isinstance(message, Deal)]
    assert again == [deal_], "what is not acknowledged is sent again, for the newest key"


@pytest.mark.parametrize(
    ("account", "key"),
    [(OUTSIDER, open_key(bytes(32)).public), (PEOPLE[1], bytes(32)), (PEOPLE[1], b"\x01" + bytes(31))],
)
def test_announcements_that_get_no_answer(account: Account, key: bytes) -> None:
    chain = new_chain()
    assert started(chain, PEOPLE[0]).process(announce(chain, account, key)) == ()


def test_a_spoilt_announcement_gets_no_answer() -> None:
    chain = new_chain()
    spoilt = Announce(chain.state.ceremony.hash, bytes(32), bytes(65)).encode()
    assert started(chain, PEOPLE[0]).process(Heard(spoilt)) == ()


def test_only_the_own_commitments_can_be_acknowledged() -> None:
    """What does not count changes nothing: to repeat an older word is no fault of players."""
    chain = new_chain()
    dealer = started(chain, PEOPLE[0])
    (deal_,) = decoded(dealer.process(announce(chain, PEOPLE[1], open_key(bytes(32)).public)))
    assert isinstance(deal_, Deal)
    ceremony = chain.state.ceremony
    good = ack_digest(ceremony, 1, deal_.commitments)
    other = ack_digest(ceremony, 1, bytes(96))
    name = keccak256(deal_.commitments)
    for accept in (
        Accept(ceremony.hash, 1, keccak256(bytes(96)), PEOPLE[1].sign(other)),
        Accept(ceremony.hash, 2, name, PEOPLE[1].sign(good)),
        Accept(ceremony.hash, 1, name, PEOPLE[1].sign(other)),
        Accept(ceremony.hash, 1, name, OUTSIDER.sign(good)),
        Accept(ceremony.hash, 1, name, bytes(65)),
    ):
        assert dealer.process(Heard(accept.encode())) == ()
    right = Heard(Accept(ceremony.hash, 1, name, PEOPLE[1].sign(good)).encode())
    (output,) = dealer.process(right)
    assert isinstance(output, Remember)
    assert output.then == ()
    assert dealer.process(right) == (), "known already"
    assert not any(isinstance(message, Deal) for message in decoded(dealer.resend()))


def test_a_dealer_that_would_reveal_too_much_posts_nothing() -> None:
    chain = new_chain()
    hub = Hub(chain, PEOPLE[:2])
    hub.grow(3)
    assert hub.machines[PEOPLE[0].address].payload(4).logs == ()
    assert not any(isinstance(one, PostedLog) for one in decoded(hub.machines[PEOPLE[0].address].resend()))


@pytest.mark.parametrize("limit", [100, 1 << 16])
def test_no_block_has_room_for_a_log_that_is_too_long(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    """As in committees of more than 500 seats, whose members have to be able to build blocks all the same."""
    monkeypatch.setattr(dealer, "MAX_ITEM_BYTES", limit)
    chain = new_chain()
    hub = Hub(chain)
    hub.grow(3)
    one = hub.machines[PEOPLE[0].address]
    posted = [each for each in decoded(one.resend()) if isinstance(each, PostedLog)]
    assert bool(posted) == bool(one.payload(4).logs) == (limit > 100)


# Players


def dealt(
    chain: KeyChain, receiver: KeyMachine, dealer: int = 0, seed: bytes = b"d" * 32, **changes: object
) -> Deal:
    """Return a right dealing of a dealer, by index, for a player, or one with changes, signed again."""
    announced = next(one for one in decoded(receiver.resend()) if isinstance(one, Announce))
    ceremony = chain.state.ceremony
    place = dealer + 1
    share = chain.initial_shares[PEOPLE[dealer].address][place]
    polynomial, commitments, _ = deal(ceremony, place, seed, share)
    content = b"".join(share.to_bytes(32, "big") for share in shares_for(ceremony, polynomial, 3))
    content = bytes(changes.pop("content", content))  # type: ignore[call-overload]
    sealed = seal(announced.key, content, Deal.context(ceremony.hash, place, 3), seed)
    message = replace(
        Deal(ceremony.hash, place, 3, commitments.encode(), sealed, b""),
        **changes,  # type: ignore[arg-type]
    )
    digest = Deal.digest(message.ceremony, message.place, message.player, message.commitments, message.sealed)
    return replace(message, signature=PEOPLE[dealer].sign(digest))


def test_a_right_dealing_is_kept_and_acknowledged_once_and_for_all() -> None:
    chain = new_chain()
    player = started(chain, PEOPLE[3])
    right = dealt(chain, player)
    (output,) = player.process(Heard(right.encode()))
    assert isinstance(output, Remember)
    (answer,) = output.then
    assert isinstance(answer, SendTo)
    assert answer.address == PEOPLE[0].address
    accept = decode_message(answer.message)
    assert isinstance(accept, Accept)
    digest = ack_digest(chain.state.ceremony, 1, right.commitments)
    assert chain.scheme.signer(digest, accept.signature) == PEOPLE[3].address
    other = dealt(chain, player, seed=b"D" * 32)
    assert other.commitments != right.commitments
    assert player.process(Heard(other.encode())) == (answer,), "the same, whatever is dealt now"


def test_wrong_dealings_get_no_answer() -> None:
    chain = new_chain()
    player = started(chain, PEOPLE[3])
    good = dealt(chain, player)
    silent = [
        replace(good, signature=bytes(65)),
        dealt(chain, player, player=2),
        dealt(chain, player, place=5),
        dealt(chain, player, place=2),
        dealt(chain, player, sealed=bytes(80)),
    ]
    wrong = [
        dealt(chain, player, content=bytes(31)),
        dealt(chain, player, content=bytes(32)),
        dealt(chain, player, content=(7).to_bytes(32, "big")),
        dealt(chain, player, commitments=good.commitments[:192]),
        dealt(chain, player, commitments=b"\xff" * 288),
    ]
    for message in (*silent, *wrong[:MAX_WRONG]):
        assert player.process(Heard(message.encode())) == ()
    assert len(wrong) > MAX_WRONG
    assert player.process(Heard(good.encode())) == (), "one may err only so often"
    assert player.process(Heard(dealt(chain, player, dealer=1).encode()))


def test_who_signed_for_shares_and_lost_them_knows() -> None:
    chain = new_chain()
    hub = Hub(chain)
    hub.grow(3)
    hub.machines[PEOPLE[3].address] = machine(chain, PEOPLE[3], b"fresh")
    hub.grow(1)
    one = hub.machines[PEOPLE[3].address]
    assert one.lacks_shares
    hub.grow(1)
    assert chain.state.attestation, "three are enough"
    assert one.lacks_shares
    hub.grow(2)
    assert not one.lacks_shares, "another ceremony"


# Logs


def test_logs_that_nobody_takes_up() -> None:
    chain = new_chain()
    hub = Hub(chain)
    hub.grow(3)
    logs = [one for one in decoded(hub.machines[PEOPLE[1].address].resend()) if isinstance(one, PostedLog)]
    (posted,) = logs
    fresh = started(chain, OUTSIDER)
    for junk in (b"\x01", bytes(60_000), posted.log[:-65] + bytes(65), posted.log[1:]):
        fresh.process(Heard(PostedLog(posted.ceremony, junk).encode()))
    assert fresh.payload(4) == NO_PAYLOAD
    for _ in range(2):
        fresh.process(Heard(posted.encode()))
        assert fresh.payload(4).logs == (posted.log,)


def test_a_dealer_may_post_only_so_many_wrong_logs() -> None:
    chain = new_chain()
    hub = Hub(chain)
    hub.grow(3)
    (posted,) = [
        one for one in decoded(hub.machines[PEOPLE[1].address].resend()) if isinstance(one, PostedLog)
    ]
    log = DealerLog.decode(posted.log)
    fresh = started(chain, OUTSIDER)
    for number in range(MAX_REFUSED):
        results = (Ack(bytes([number]) * 65), *log.results[1:])
        digest = log_digest(chain.state.ceremony, log.place, log.commitments, b"", results)
        wrong = replace(log, results=results, signature=PEOPLE[1].sign(digest))
        fresh.process(Heard(PostedLog(posted.ceremony, wrong.encode()).encode()))
    fresh.process(Heard(posted.encode()))
    assert fresh.payload(4) == NO_PAYLOAD
    beyond = replace(log, place=9)
    fresh.process(Heard(PostedLog(posted.ceremony, beyond.encode()).encode()))
    assert fresh.payload(4) == NO_PAYLOAD


# Signatures


def partials(outputs: Iterable[KeyOutput], kind: PartialKind) -> list[Partial]:
    return [one for one in decoded(outputs) if isinstance(one, Partial) and one.kind is kind]


def test_partials_count_for_the_sender_s_own_places_only() -> None:
    chain = new_chain()
    chain.append(KeyPayload())
    observer = started(chain, OUTSIDER)
    for number in range(3):
        one = started(chain, PEOPLE[number])
        (partial,) = partials(one.resend(), PartialKind.FINALITY)
        account = PEOPLE[number]
        place, part = partial.parts[0]
        for changed, signer in (
            (partial, OUTSIDER),
            (replace(partial, parts=((place % 4 + 1, part),)), account),
            (replace(partial, digest=bytes(32)), account),
            (replace(partial, round=7), account),
            (replace(partial, number=0), account),
        ):
            signed = replace(changed, signature=signer.sign(changed.signed_digest(CHAIN_ID)))
            observer.process(Heard(signed.encode()))
        observer.process(Heard(replace(partial, signature=bytes(65)).encode()))
        assert observer.signature(1) is None
        observer.process(Heard(partial.encode()))
        observer.process(Heard(partial.encode()))
    assert observer.signature(1) is not None


def test_what_comes_too_early_is_heard_later() -> None:
    chain = new_chain()
    observer = started(chain, OUTSIDER)
    hub = Hub(chain)
    hub.grow(5)
    early = [output.message for one in hub.machines.values() for output in one.resend()]
    assert partials((Broadcast(one) for one in early), PartialKind.BEACON)
    for message in early:
        assert observer.process(Heard(message)) == ()
    for height in range(1, 6):
        assert observer.signature(5) is None
        observer.process(chain.final(height))
    assert observer.signature(5) is not None
    assert observer.beacon(0) is not None


def test_too_much_that_comes_too_early_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Waiting()
    for number in range(waiting.MAX_MESSAGES + 5):
        kept.add(number.to_bytes(2, "big"))
    messages = kept.take()
    assert len(messages) == waiting.MAX_MESSAGES
    assert messages[0] == b"\0\x05"
    assert kept.take() == ()
    monkeypatch.setattr(waiting, "MAX_BYTES", 100)
    for number in range(5):
        kept.add(bytes([number]) * 40)
    assert [message[0] for message in kept.take()] == [3, 4]


# Links


def test_the_holders_of_the_key_before_vote_for_the_next() -> None:
    """Nobody deals in slots 1 to 3; slot 4 generates a key, and the link is in slot 5's first block."""
    chain = KeyChain(lambda slot: MEMBERS, blocks=BLOCKS, extensions=0, seed=b"k" * 32)
    hub = Hub(chain)
    hub.grow(1)
    old = chain.state.holders
    assert old is not None
    assert old.attestation
    idle, hub.machines = hub.machines, {}
    while chain.state.ceremony.previous is not None:
        chain.append(KeyPayload())
        for one in idle.values():
            one.process(chain.final(chain.height))
    hub.machines = idle
    hub.spread()
    hub.grow(BLOCKS)
    assert chain.state.retired is not None
    assert chain.state.retired.key == old.key
    some = idle[PEOPLE[0].address]
    votes = [one for one in decoded(some.resend()) if isinstance(one, LinkVote)]
    assert len(votes) == 1
    late = started(chain, PEOPLE[0])
    assert late.payload(chain.height + 1).link == b""
    for vote in (
        replace(votes[0], generation=3),
        replace(votes[0], generation=9),
        replace(votes[0], signature=bytes(65)),
        replace(votes[0], signature=OUTSIDER.sign(bytes(32))),
    ):
        late.process(Heard(vote.encode()))
    assert late.payload(chain.height + 1).link == b""
    assert some.payload(chain.height + 1).link
    chain.append(KeyPayload())
    hub.spread()
    assert some.payload(chain.height + 1).link, "it is wanted still"
    hub.grow(1)
    assert chain.state.retired is None
    assert chain.state.link
    assert some.payload(chain.height + 1).link == b""
    some.process(Heard(votes[0].encode()))
    assert not any(isinstance(one, LinkVote) for one in decoded(some.resend()))


def test_no_block_has_room_for_a_link_that_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    state = new_chain().state
    assert state.holders is not None
    old = replace(state.holders, attestation=bytes(48))
    new = PublicPolynomial(old.polynomial.points[1:])
    after = replace(state, retired=old, holders=replace(old, generation=2, polynomial=new))
    for limit in (1 << 16, 100):
        monkeypatch.setattr(pool, "MAX_ITEM_BYTES", limit)
        votes = [LinkVotes(CHAIN_ID, one.address, one.sign, Secp256k1Scheme()) for one in PEOPLE[:4]]
        for each in votes:
            each.enter(after)
        for other in votes[1:]:
            vote = decode_message(other.own)
            assert isinstance(vote, LinkVote)
            votes[0].hear(vote)
        assert bool(votes[0].link) == (limit > 100)


# Other committees, other slots


def test_members_that_only_deal_and_members_that_only_receive() -> None:
    """Committees of three without a common member: the first is told of its successors' signature, too."""
    sets = [ValidatorSet(Validator(one.address, 1) for one in PEOPLE[at : at + 3]) for at in (0, 3)]
    chain = KeyChain(lambda slot: sets[slot % 2], blocks=BLOCKS, seed=b"k" * 32)
    hub = Hub(chain, PEOPLE)
    one = hub.machines[PEOPLE[0].address]
    hub.grow(3)
    stale = [output.message for output in sent(hub.machines[PEOPLE[1].address].resend())]
    (own,) = [message for message in decoded(one.resend()) if isinstance(message, PostedLog)]
    chain.append(KeyPayload(logs=(own.log,)))
    hub.spread()
    assert not any(isinstance(message, PostedLog) for message in decoded(one.resend())), "it is on the chain"
    hub.grow(2)
    assert chain.state.holders is not None
    assert chain.state.holders.round == 1
    assert one.shares(chain.state.holders.polynomial) == {}
    for message in stale:
        assert one.process(Heard(message)) == ()
    hub.grow(BLOCKS)
    assert chain.state.holders.round == 2
    assert one.shares(chain.state.holders.polynomial)


def test_an_attestation_that_is_heard_before_its_outcome_is_known() -> None:
    chain = new_chain()
    hub = Hub(chain)
    hub.grow(3)
    observer = started(chain, OUTSIDER)
    hub.grow(1)
    parts = [
        partial.encode()
        for one in hub.machines.values()
        for partial in partials(one.resend(), PartialKind.HOLDERS)
    ]
    assert len(parts) == 4
    for part in parts:
        assert observer.process(Heard(part)) == ()
    assert observer.payload(5).attestation == b""
    observer.process(chain.final(4))
    assert len(observer.payload(5).attestation) == 48


def test_signatures_are_kept_for_a_while() -> None:
    chain = new_chain()
    topics = Topics(CHAIN_ID, OUTSIDER.address, OUTSIDER.sign, chain.scheme)
    holders = chain.state.holders
    assert holders is not None
    kept = KEPT[PartialKind.BEACON]
    for number in range(kept + 3):
        topics.open(PartialKind.BEACON, number, holders, b"slot")
    assert topics.unfinished(PartialKind.BEACON) == list(range(3, kept + 3))
    assert topics.own(PartialKind.BEACON, 0) == b""


def test_an_older_topic_than_all_that_are_kept_may_begin() -> None:
    """Holders from genesis, of round 0, may owe their attestation however many rounds go by."""
    chain = new_chain()
    account = PEOPLE[0]
    topics = Topics(CHAIN_ID, account.address, account.sign, chain.scheme)
    holders = chain.state.holders
    assert holders is not None
    shares = chain.initial_shares[account.address]
    for number in range(1, KEPT[PartialKind.HOLDERS] + 3):
        for each in (number, 0):
            topics.open(PartialKind.HOLDERS, each, holders, bytes([each]))
            topics.contribute(PartialKind.HOLDERS, each, shares)
            assert topics.own(PartialKind.HOLDERS, each)
    assert len(topics.unfinished(PartialKind.HOLDERS)) == KEPT[PartialKind.HOLDERS]
