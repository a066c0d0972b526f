"""A line of traced products against a model in memory: everybody tries everything with every thing."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chainstack_sdk import Chain, Reverted, ether
from chainstack_sdk.machines.standard import ProductLine, Traceability
from chainstack_sdk.primitives.address import ZERO_ADDRESS
from chainstack_sdk.testing.fixed import accounts

MAKER, CARRIER, SHOP, OWNER, STRANGER, *REGULATORS = PEOPLE = accounts(8)
NOBODY = len(PEOPLE)
"""Number in the model of nobody's address."""
DEALERS = (1, 2)
LOTS = ("LOT 1", "LOT 2")
THINGS = ("a", "b", "c", "d")
LOT_OF = dict(zip(THINGS, (LOTS[0], LOTS[0], LOTS[1], LOTS[1]), strict=True))
Status, Condition = Traceability.Status, Traceability.Condition

person = st.sampled_from([0, 1, 2, 1, 2, 3, 4])
anybody = st.sampled_from([0, 1, 2, 3, 4, NOBODY])
things = st.sampled_from(THINGS)
anything = st.sampled_from([*THINGS, *LOTS, "fake"])


def address(number: int) -> bytes:
    return ZERO_ADDRESS if number == NOBODY else PEOPLE[number].address


@dataclass
class Thing:
    """A thing as the model has it."""

    lot: str
    holder: int = 0
    receiver: int = NOBODY
    status: Status = Status.held
    hands: list[int] = field(default_factory=lambda: [0])


@dataclass
class Model:
    """What a line does, in as few words as possible."""

    things: dict[str, Thing] = field(default_factory=dict)
    recalled: set[str] = field(default_factory=set)
    warm: set[str] = field(default_factory=set)
    said: set[tuple[int, str]] = field(default_factory=set)

    def living(self, label: str) -> Thing | None:
        found = self.things.get(label)
        return found if found and found.status in (Status.held, Status.sold) else None

    def is_known(self, label: str) -> bool:
        return label in LOTS or self.living(label) is not None

    def marked(self, label: str, marks: set[str]) -> bool:
        return label in marks or self.things[label].lot in marks

    def may_have(self, label: str, who: int) -> bool:
        is_open = self.things[label].status is Status.sold or who in DEALERS
        return who == 0 or (is_open and not self.marked(label, self.recalled))

    def register(self, who: int, label: str, lot: str) -> bool:
        if who or label in self.things or label in LOTS:
            return False
        self.things[label] = Thing(lot)
        return True

    def offer(self, who: int, label: str, to: int) -> bool:
        thing = self.living(label)
        if thing is None or thing.holder != who or thing.receiver != NOBODY or to in (who, NOBODY):
            return False
        if not self.may_have(label, to):
            return False
        thing.receiver = to
        return True

    def accept(self, who: int, label: str) -> bool:
        thing = self.living(label)
        if thing is None or thing.receiver != who or not self.may_have(label, who):
            return False
        thing.holder, thing.receiver = who, NOBODY
        thing.hands.append(who)
        return True

    def cancel(self, who: int, label: str) -> bool:
        thing = self.living(label)
        if thing is None or thing.receiver == NOBODY or who not in (thing.holder, thing.receiver):
            return False
        thing.receiver = NOBODY
        return True

    def sell(self, who: int, label: str, to: int) -> bool:
        thing = self.living(label)
        if thing is None or thing.holder != who or thing.receiver != NOBODY or who not in (0, *DEALERS):
            return False
        if thing.status is Status.sold or self.marked(label, self.recalled) or self.marked(label, self.warm):
            return False
        thing.status, thing.holder = Status.sold, to
        thing.hands.append(to)
        return True

    def destroy(self, who: int, label: str) -> bool:
        thing = self.living(label)
        if thing is None or thing.holder != who or thing.receiver != NOBODY:
            return False
        thing.status, thing.holder = Status.destroyed, NOBODY
        return True

    def recall(self, who: int, label: str) -> bool:
        """By the maker at once; by regulators, who are numbers 5 to 7, when two have said it."""
        if who == 0:
            if not self.is_known(label) or label in self.recalled:
                return False
            self.recalled.add(label)
            return True
        others = {each for each in range(5, 8) if (each, label) in self.said}
        if who < 5 or who in others or (others and (not self.is_known(label) or label in self.recalled)):
            return False
        if others:
            self.recalled.add(label)
            self.said -= {(each, label) for each in others}
        else:
            self.said.add((who, label))
        return True

    def measure(self, who: int, label: str, is_warm: bool) -> bool:
        if who not in DEALERS or not self.is_known(label):
            return False
        if is_warm:
            self.warm.add(label)
        return True

    def inspect(self, who: int, label: str) -> bool:
        if who != 4 or not self.is_known(label):
            return False
        self.warm.discard(label)
        return True


class TraceMachine(RuleBasedStateMachine):
    """Dealers measure too; the stranger inspects. All others have no part but what they are offered."""

    def __init__(self) -> None:
        super().__init__()
        funds = dict.fromkeys(PEOPLE, ether(1))
        chain = Chain.in_memory(funds, auto_seal=True)
        self.line = ProductLine.issue(
            chain, MAKER, product="any", regulators=REGULATORS, temperature=(0, 9), humidity=(0, 9)
        )
        for dealer in DEALERS:
            self.line.admit(MAKER, PEOPLE[dealer], dealer=True, sensor=True)
        for regulator in REGULATORS[1:]:
            self.line.appoint(regulator, STRANGER)
        for lot in LOTS:
            self.line.open_batch(MAKER, lot)
        self.model = Model()
        for label in THINGS[:3]:
            self.register(0, label)

    # What can be done

    @rule(who=person, label=anything)
    def register(self, who, label):
        lot = LOT_OF.get(label, LOTS[0])
        done = self.model.register(who, label, lot) if label != "fake" else False
        if label != "fake":
            self.check(done, lambda: self.line.register(PEOPLE[who], lot, [label]))

    @rule(who=person, label=anything, to=anybody)
    def offer(self, who, label, to):
        done = self.model.offer(who, label, to)
        self.check(done, lambda: self.line.offer(PEOPLE[who], label, address(to)))

    @rule(label=things, to=anybody, accepted=st.booleans())
    def offer_well(self, label, to, accepted):
        """As the holder would; the receiver may take it at once."""
        thing = self.model.living(label)
        if thing is not None and thing.holder != NOBODY:
            self.offer(thing.holder, label, to)
            if accepted and to != NOBODY:
                self.accept(to, label)

    @rule(who=person, label=anything)
    def accept(self, who, label):
        self.check(self.model.accept(who, label), lambda: self.line.accept(PEOPLE[who], label))

    @rule(who=person, label=anything)
    def cancel(self, who, label):
        self.check(self.model.cancel(who, label), lambda: self.line.cancel(PEOPLE[who], label))

    @rule(who=person, label=anything, to=anybody)
    def sell(self, who, label, to):
        done = self.model.sell(who, label, to)
        self.check(done, lambda: self.line.sell(PEOPLE[who], label, address(to)))

    @rule(label=things, to=anybody)
    def sell_well(self, label, to):
        thing = self.model.living(label)
        if thing is not None and thing.holder != NOBODY:
            self.sell(thing.holder, label, to)

    @rule(who=person, label=things)
    def destroy(self, who, label):
        self.check(self.model.destroy(who, label), lambda: self.line.destroy(PEOPLE[who], label))

    @rule(who=st.sampled_from([0, 1, 5, 6, 7]), label=anything)
    def recall(self, who, label):
        self.check(self.model.recall(who, label), lambda: self.line.recall(PEOPLE[who], label, "why"))

    @rule(who=person, label=anything, is_warm=st.booleans())
    def measure(self, who, label, is_warm):
        reading = 10 if is_warm else 5
        done = self.model.measure(who, label, is_warm)
        self.check(done, lambda: self.line.measure(PEOPLE[who], label, temperature=reading, humidity=5))

    @rule(who=st.sampled_from([4, 4, 0]), label=anything)
    def inspect(self, who, label):
        done = self.model.inspect(who, label)
        self.check(done, lambda: self.line.inspect(PEOPLE[who], label, passed=True))

    # What must hold

    @invariant()
    def every_thing_has_one_holder(self):
        for label in THINGS:
            found, thing = self.line.item(label), self.model.things.get(label)
            if thing is None:
                assert not found.is_genuine
                continue
            assert (found.status, found.holder) == (thing.status, address(thing.holder))
            assert found.receiver == address(thing.receiver)
            assert found.recalled == self.model.marked(label, self.model.recalled)
            is_warm = self.model.marked(label, self.model.warm)
            assert (found.condition is Condition.violated) == is_warm
            assert found.may_be_sold == (thing.status is Status.held and not found.recalled and not is_warm)

    @invariant()
    def the_counts_add_up(self):
        status = [each.status for each in self.model.things.values()]
        counts = (len(status), status.count(Status.sold), status.count(Status.destroyed))
        assert self.line.read("counts") == counts
        assert not self.line.item("fake").is_genuine

    def teardown(self):
        """The events alone tell who has had what."""
        for label, thing in self.model.things.items():
            assert self.line.holders(label) == [address(each) for each in thing.hands]

    def check(self, done, act):
        """The chain does what the model has done, or refuses what the model has refused."""
        try:
            act()
        except Reverted:
            assert not done
        else:
            assert done


TestTraceability = TraceMachine.TestCase
TestTraceability.settings = settings(
    max_examples=max(settings.default.max_examples // 4, 1), stateful_step_count=40
)
