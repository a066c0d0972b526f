"""The peg on three chains against a model in memory: whatever is sent, carried, lost, refused and claimed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import product

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chainstack_sdk.paradigms import Erc20Token, Erc721Token, Paradigm, default_registry
from chainstack_sdk.primitives.errors import Reverted
from chainstack_sdk.primitives.units import ether
from chainstack_sdk.testing.fixed import accounts
from chainstack_sdk.testing.peg import Courier, check_conservation, pegged_chains
from chainstack_sdk.xchain.custody import AssetKind
from chainstack_sdk.xchain.peg import PegApi

PEOPLE = accounts(2)
CHAINS = (1, 2, 3)
SUPPLY = 100
NFTS = (0, 5)

COIN, GOLD, CATS = "coin", "gold", "cats"
KINDS = {COIN: AssetKind.COIN, GOLD: AssetKind.ERC20, CATS: AssetKind.ERC721}

person = st.integers(0, len(PEOPLE) - 1)
any_chain = st.sampled_from(CHAINS)
any_place = st.integers(0, 1_000)
patience = st.sampled_from([60_000, 3_600_000, 3_600_000])


class Deaf(Paradigm):
    """A contract that takes no tokens of collections."""

    name = "deaf"


@dataclass
class Sent:
    """A packet, as the model sees it."""

    asset: str
    path: tuple[int, ...]
    """Where the asset is at home, then the chains by which it came to where it was sent from."""
    arrival: tuple[int, ...]
    """The same for where it goes."""
    number: int
    sender: int
    to: int | None
    """None: a contract that takes no tokens of collections."""
    sequence: int
    state: str = "sent"
    """Then "taken" or "refused"."""

    @property
    def goes_home(self) -> bool:
        return len(self.arrival) < len(self.path)


class PegMachine(RuleBasedStateMachine):
    """Gold and cats are at home on chain 1, each chain has its own coin; all of it may go anywhere."""

    def __init__(self) -> None:
        super().__init__()
        registry = default_registry()
        registry.add(Deaf)
        funds = dict.fromkeys(PEOPLE, ether(100))
        made = pegged_chains(*CHAINS, funds=funds, registry=registry)
        self.chains = dict(zip(CHAINS, made, strict=True))
        self.pegs = {number: PegApi(chain) for number, chain in self.chains.items()}
        self.courier = Courier(*made)
        home = self.chains[1]
        self.gold = home.erc20.issue(PEOPLE[0], name="Gold", symbol="G", supply=SUPPLY, pausable=True)
        self.cats = home.erc721.issue(PEOPLE[0], name="Cats", symbol="C")
        for number in NFTS:
            self.cats.mint(PEOPLE[0], PEOPLE[0], number, f"cat/{number}")
        self.deaf = {number: chain.paradigm("deaf").issue(PEOPLE[0]) for number, chain in self.chains.items()}
        # the model: who holds how much, of what came by which path
        self.held: dict[tuple[str, tuple[int, ...], int], int] = defaultdict(int)
        self.held[GOLD, (1,), 0] = SUPPLY
        self.cat_of: dict[int, tuple[tuple[int, ...], int | None] | None] = dict.fromkeys(NFTS, ((1,), 0))
        self.owed: dict[int, int] = defaultdict(int)
        self.paused = False
        self.sequences: dict[tuple[int, int], int] = defaultdict(int)
        self.flying: list[Sent] = []

    # What can be done

    @rule(who=person, to=person, chain=any_chain, away=any_chain, amount=st.integers(1, 50), wait=patience)
    def send_coin(self, who, to, chain, away, amount, wait):
        if chain != away:
            self.pegs[chain].send_coin(
                PEOPLE[who], amount, chain=away, to=PEOPLE[to], timeout_ms=self.late(away, wait)
            )
            self.fly(COIN, (chain,), away, amount, who, to)

    @rule(which=any_place, to=person, away=any_chain, part=st.integers(1, 4), wait=patience)
    def send_held(self, which, to, away, part, wait):
        """Send gold, or what stands for gold or coin, from wherever somebody has it."""
        choice = sorted(key for key, amount in self.held.items() if amount)
        if not choice:
            return
        asset, path, who = choice[which % len(choice)]
        chain = path[-1]
        if chain == away or len(path) > 4:
            return
        amount = -(-self.held[asset, path, who] // part)
        args = (PEOPLE[who], self.token(asset, path), amount)
        options = {"chain": away, "to": PEOPLE[to], "timeout_ms": self.late(away, wait)}
        if self.is_stuck(asset, path):
            with pytest.raises(Reverted):
                self.pegs[chain].send_token(*args, **options)
            return
        self.pegs[chain].send_token(*args, **options)
        self.held[asset, path, who] -= amount
        self.fly(asset, path, away, amount, who, to)

    @rule(number=st.sampled_from(NFTS), to=st.none() | person, away=any_chain, wait=patience)
    def send_cat(self, number, to, away, wait):
        place = self.cat_of[number]
        if place is None or place[1] is None or place[0][-1] == away or len(place[0]) > 4:
            return
        path, who = place
        recipient = self.deaf[away].address if to is None else PEOPLE[to]
        self.pegs[path[-1]].send_nft(
            *(PEOPLE[who], self.token(CATS, path), number),
            chain=away,
            to=recipient,
            timeout_ms=self.late(away, wait),
        )
        self.cat_of[number] = None
        self.fly(CATS, path, away, number, who, to)

    @precondition(lambda self: self.flying)
    @rule(which=any_place)
    def deliver_one(self, which):
        self.deliver(which)

    def deliver(self, which):
        sent, packet = self.chosen(which)
        destination = self.chains[packet.destination]
        late = destination.clock.next_block_ms(destination.head.timestamp_ms) >= packet.timeout_ms
        if sent.state != "sent" or late:
            with pytest.raises(Reverted, match="AlreadyReceived" if sent.state != "sent" else "TimedOut"):
                self.courier.deliver(packet)
            return
        self.courier.deliver(packet)
        refused = (sent.asset == CATS and sent.to is None) or self.is_stuck(sent.asset, sent.arrival)
        sent.state = "refused" if refused else "taken"
        if not refused:
            self.arrive(sent, sent.arrival, sent.to)

    @precondition(lambda self: any(sent.state != "sent" for sent in self.flying))
    @rule(which=any_place)
    def acknowledge_one(self, which):
        self.acknowledge(which)

    def acknowledge(self, which):
        sent, packet = self.chosen(which, lambda sent: sent.state != "sent")
        self.courier.acknowledge(packet)
        self.settle(sent, refund=sent.state == "refused")

    @precondition(lambda self: self.flying)
    @rule()
    def carry_all(self):
        """What a relayer does."""
        for sent in list(self.flying):
            if sent.state == "sent":
                self.deliver(self.flying.index(sent))
        while any(sent.state != "sent" for sent in self.flying):
            self.acknowledge(0)

    @precondition(lambda self: self.flying)
    @rule(which=any_place)
    def time_out(self, which):
        sent, packet = self.chosen(which)
        if sent.state != "sent":
            with pytest.raises(Reverted, match="WasReceived"):
                self.courier.time_out(packet)
            return
        self.courier.time_out(packet)
        self.settle(sent, refund=True)

    @rule()
    def toggle_pause(self):
        (self.gold.unpause if self.paused else self.gold.pause)(PEOPLE[0])
        self.paused = not self.paused

    @precondition(lambda self: any(self.owed.values()))
    @rule(who=person)
    def claim(self, who):
        if self.paused or not self.owed[who]:
            with pytest.raises(Reverted, match="TransferRefused" if self.owed[who] else "NothingOwed"):
                self.pegs[1].claim_token(PEOPLE[who], self.gold)
            return
        self.pegs[1].claim_token(PEOPLE[who], self.gold)
        self.held[GOLD, (1,), who] += self.owed.pop(who)

    # What must hold

    @invariant()
    def nothing_is_made_or_lost(self):
        check_conservation(*self.chains.values())

    @invariant()
    def everybody_has_what_the_model_says(self):
        for (asset, path, who), amount in self.held.items():
            assert (
                Erc20Token(self.chains[path[-1]], self.token(asset, path)).balance_of(PEOPLE[who]) == amount
            )
        for number, place in self.cat_of.items():
            if place is not None:
                path, who = place
                cats = Erc721Token(self.chains[path[-1]], self.token(CATS, path))
                assert cats.owner_of(number) == PEOPLE[who].address
                assert cats.token_uri(number) == f"cat/{number}"
        for who, account in enumerate(PEOPLE):
            assert self.pegs[1].owed(self.gold, account) == self.owed[who]

    def teardown(self):
        """Once all packets have come to their end, everything that there was is with somebody."""
        if self.paused:
            self.toggle_pause()
        while self.flying:
            sent, packet = self.chosen(0)
            if sent.state == "sent":
                self.courier.time_out(packet)
                self.settle(sent, refund=True)
            else:
                self.acknowledge(0)
        self.nothing_is_made_or_lost()
        self.everybody_has_what_the_model_says()
        assert all(place is not None for place in self.cat_of.values())
        gold = sum(amount for (asset, _, _), amount in self.held.items() if asset == GOLD)
        assert gold + sum(self.owed.values()) == SUPPLY
        for one, other in product(CHAINS, CHAINS):
            if one != other:
                locked = self.pegs[one].locked(other)
                away = [
                    self.held[key] for key in self.held if key[:1] == (COIN,) and key[1][:2] == (one, other)
                ]
                assert locked == sum(away)

    # The model

    def fly(self, asset, path, away, number, who, to):
        home = len(path) > 1 and path[-2] == away
        arrival = path[:-1] if home else (*path, away)
        direction = path[-1], away
        self.sequences[direction] += 1
        self.flying.append(Sent(asset, path, arrival, number, who, to, self.sequences[direction]))

    def arrive(self, sent, path, who):
        if sent.asset == CATS:
            self.cat_of[sent.number] = (path, who)
        elif len(path) > 1 or sent.asset == GOLD:
            self.held[sent.asset, path, who] += sent.number

    def settle(self, sent, *, refund):
        self.flying.remove(sent)
        if not refund:
            return
        if self.is_stuck(sent.asset, sent.path) and not sent.goes_home:
            self.owed[sent.sender] += sent.number
        else:
            self.arrive(sent, sent.path, sent.sender)

    def is_stuck(self, asset, path):
        """Whether the token refuses to move: gold at home, while it is paused."""
        return asset == GOLD and path == (1,) and self.paused

    def chosen(self, which, wanted=lambda sent: True):
        """A packet in flight: the model's and the chains'."""
        choice = [sent for sent in self.flying if wanted(sent)]
        sent = choice[which % len(choice)]
        end = sent.path[-1], sent.arrival[-1], sent.sequence
        (packet,) = [
            packet
            for packet in self.courier.waiting()
            if (packet.source, packet.destination, packet.sequence) == end
        ]
        return sent, packet

    def token(self, asset, path):
        """The address of what stands for an asset that came by a path, on the last chain of it."""
        if len(path) == 1:
            return {COIN: bytes(20), GOLD: self.gold.address, CATS: self.cats.address}[asset]
        kind = KINDS[asset] if asset == CATS or len(path) == 2 else AssetKind.ERC20
        return self.pegs[path[-1]].representation_of(path[-2], self.token(asset, path[:-1]), kind)

    def late(self, chain, wait):
        return self.chains[chain].head.timestamp_ms + wait


TestPeg = PegMachine.TestCase
TestPeg.settings = settings(max_examples=max(settings.default.max_examples // 25, 1), stateful_step_count=35)
