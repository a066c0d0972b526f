"""Every rule of rented resources, and every abuse of them that we could think of."""

from __future__ import annotations

import pytest

from chainstack_sdk import Reverted, UsageError
from chainstack_sdk.machines import Machine, State, address, transfer, transition
from chainstack_sdk.machines.standard import Lease, RentalHandle, RentalTerms, Settlement
from chainstack_sdk.primitives.address import ZERO_ADDRESS

UNIT, SECOND, DEPOSIT, CAPACITY, LONGEST, PATIENCE, WINDOW = 10, 3, 500, 100, 1000, 60, 200
PRICE = 40 * UNIT + 100 * SECOND
ESCROW = PRICE + DEPOSIT
MAX_PRICE, MAX_UNITS, MAX_TIME = 2**96, 2**64, 366 * 86_400


class Pusher(Machine):
    """Pays coin to an address without asking."""

    ready = State()

    @transition(ready, payable=True)
    def push(self, to: address) -> None:
        transfer(to, self.value)


@pytest.fixture
def owner(people):
    return people[0]


@pytest.fixture
def user(people):
    return people[1]


@pytest.fixture
def meters(people):
    return people[2:5]


@pytest.fixture
def stranger(people):
    return people[5]


@pytest.fixture
def issue(chain, owner, meters):
    def issued(**changed):
        terms = {
            "meters": meters,
            "unit": "GB",
            "unit_price": UNIT,
            "time_price": SECOND,
            "deposit": DEPOSIT,
            "capacity": CAPACITY,
            "longest": LONGEST,
            "patience": PATIENCE,
            "window": WINDOW,
        }
        return RentalHandle.issue(chain, owner, **terms | changed)

    return issued


@pytest.fixture
def disk(issue):
    return issue()


@pytest.fixture
def booked(disk, user):
    disk.book(user, 40, 100)
    return disk


@pytest.fixture
def running(booked, meters):
    agree(booked.begin, meters)
    return booked


@pytest.fixture
def reading(running, meters, wait):
    agree(running.meter, meters, 20)
    wait(running, 100)
    return running


@pytest.fixture
def billed(reading, meters):
    agree(reading.conclude, meters, 50)
    return reading


@pytest.fixture
def disputed(billed, user):
    billed.object(user, 77)
    return billed


@pytest.fixture
def gains(chain, owner, user):
    """What owner and user have got since the test began to look, fees given back."""

    def look(act):
        before = [chain.balance(each) for each in (owner, user)]
        receipt = act()
        after = [chain.balance(each) for each in (owner, user)]
        found = [now - then for now, then in zip(after, before, strict=True)]
        if receipt is not None:
            payer = chain.transaction(receipt.transaction_hash).sender
            for at, each in enumerate((owner, user)):
                if payer == each.address:
                    found[at] += receipt.gas_used * receipt.effective_gas_price
        return tuple(found)

    return look


def agree(function, meters, *args):
    """Two of three say the same."""
    function(meters[0], *args)
    return function(meters[2], *args)


def refused(words, act, *args, **named):
    with pytest.raises(Reverted, match=words):
        act(*args, **named)


BILL = 50 * UNIT + 100 * SECOND


def test_terms_and_parties(chain, disk, owner, meters):
    assert disk.terms() == RentalTerms("GB", UNIT, SECOND, DEPOSIT, CAPACITY, LONGEST, PATIENCE, WINDOW)
    assert disk.owner() == owner.address
    assert disk.meters() == tuple(each.address for each in meters)
    assert disk.quote(40, 100) == ESCROW
    assert disk.lease() == Lease(ZERO_ADDRESS, 0, 0, 0, 0, 0, 0)
    assert disk.state == "offered"
    again = RentalHandle.at(chain, disk.address)
    assert (again, type(again), again.terms()) == (disk, RentalHandle, disk.terms())


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"unit_price": MAX_PRICE + 1}, "a price is too high"),
        ({"time_price": MAX_PRICE + 1}, "a price is too high"),
        ({"deposit": MAX_PRICE + 1}, "the deposit is too high"),
        ({"capacity": 0}, "the capacity is out of bounds"),
        ({"capacity": MAX_UNITS + 1}, "the capacity is out of bounds"),
        ({"longest": 0}, "the longest time is out of bounds"),
        ({"longest": MAX_TIME + 1}, "the longest time is out of bounds"),
        ({"patience": 0}, "the patience is out of bounds"),
        ({"patience": MAX_TIME + 1}, "the patience is out of bounds"),
        ({"window": 0}, "the window is out of bounds"),
        ({"window": MAX_TIME + 1}, "the window is out of bounds"),
        ({"unit": "é" * 17}, "unit takes at most 32 bytes"),
    ],
)
def test_an_offer_within_bounds(issue, changed, words):
    refused(words, issue, **changed)


@pytest.mark.parametrize("pattern", [(0, 0, 1), (0, 1, 0), (1, 0, 0), (0, 0, 0)])
def test_meters_are_three(issue, people, pattern):
    refused("a meter stands twice", issue, meters=[people[number] for number in pattern])


def test_meters_are_not_parties(issue, disk, owner, people, meters):
    refused("the owner is no meter", issue, meters=[owner, *people[1:3]])
    for meter in meters:
        refused("a meter does not book", disk.book, meter, 1, 1)


def test_a_meter_is_somebody(issue, people):
    refused("a meter is nobody", issue, meters=[people[0], ZERO_ADDRESS, people[1]])
    with pytest.raises(UsageError):
        issue(meters=people[:2])


def test_the_largest_offer_cannot_overflow(issue, owner, user, meters, wait, chain):
    disk = issue(
        unit_price=MAX_PRICE,
        time_price=MAX_PRICE,
        deposit=MAX_PRICE,
        capacity=MAX_UNITS,
        longest=MAX_TIME,
        patience=MAX_TIME,
        window=MAX_TIME,
    )
    assert disk.quote(MAX_UNITS, MAX_TIME) == MAX_PRICE * (MAX_UNITS + MAX_TIME + 1)
    refused("not the price and the deposit", disk.send, user, "book", MAX_UNITS, MAX_TIME)
    refused("more than the capacity", disk.send, user, "book", 2**256 - 1, 1)
    refused("the duration is out of bounds", disk.send, user, "book", 1, 2**256 - 1)
    free = issue(unit_price=MAX_PRICE, time_price=0, deposit=0, capacity=MAX_UNITS)
    free.book(user, 0, 1)
    agree(free.begin, meters)
    wait(free, 1)
    agree(free.conclude, meters, MAX_UNITS)
    assert free.lease().claim == 0


class TestBooking:
    def test_what_it_says(self, booked, chain, user):
        assert booked.state == "booked"
        assert booked.lease() == Lease(user.address, 100, 0, 0, 0, 0, ESCROW)
        assert chain.balance(booked) == ESCROW
        (event,) = booked.events("Booked")
        assert event.args == {"user": user.address, "units": 40, "duration": 100, "escrow": ESCROW}

    @pytest.mark.parametrize("value", [ESCROW - 1, ESCROW + 1, 0])
    def test_the_exact_price(self, disk, user, value):
        refused("not the price and the deposit", disk.send, user, "book", 40, 100, value=value)

    @pytest.mark.parametrize(("units", "duration"), [(CAPACITY, LONGEST), (0, 1)])
    def test_bounds(self, disk, user, units, duration):
        disk.book(user, units, duration)
        assert disk.state == "booked"

    @pytest.mark.parametrize("duration", [0, LONGEST + 1])
    def test_a_time_out_of_bounds(self, disk, user, duration):
        refused("the duration is out of bounds", disk.book, user, 1, duration)

    def test_more_than_there_is(self, disk, user):
        refused("more than the capacity", disk.book, user, CAPACITY + 1, 1)

    def test_one_at_a_time(self, booked, stranger):
        refused("book is not possible in state booked", booked.book, stranger, 1, 1)

    def test_the_user_cancels(self, booked, user, gains):
        assert gains(lambda: booked.cancel(user)) == (0, ESCROW)
        assert booked.state == "offered"

    def test_the_owner_declines(self, booked, owner, gains):
        assert gains(lambda: booked.decline(owner)) == (0, ESCROW)

    def test_an_owner_who_never_serves(self, booked, gains, wait, meters, user):
        booked.begin(meters[0])
        wait(booked, PATIENCE - 1)
        assert booked.state == "booked"
        assert gains(lambda: wait(booked, PATIENCE)) == (0, ESCROW)
        assert booked.state == "offered"
        (ended,) = booked.settlements()
        assert (ended.user, ended.paid, ended.returned) == (user.address, 0, ESCROW)
        refused("begin is not possible in state offered", booked.begin, meters[1])

    def test_who_books_when_it_is_given_up_pays_for_himself(
        self, chain, clock, booked, user, stranger, gains
    ):
        clock.set_ms(chain.head.timestamp_ms + PATIENCE * 1000)
        assert gains(lambda: booked.book(stranger, 40, 100)) == (0, ESCROW)
        assert (booked.state, chain.balance(booked.address)) == ("booked", ESCROW)
        assert gains(lambda: booked.cancel(stranger)) == (0, 0)
        assert [each.returned for each in booked.settlements()] == [ESCROW, ESCROW]

    def test_a_confirmation_does_not_outlive_the_booking(self, booked, user, meters):
        booked.begin(meters[0])
        booked.cancel(user)
        booked.book(user, 1, 1)
        booked.begin(meters[1])
        assert booked.state == "booked"

    def test_strangers(self, booked, stranger, user, owner):
        for act in (booked.cancel, booked.decline, booked.begin):
            refused("only .* may call", act, stranger)
        refused("only user may call cancel", booked.cancel, owner)
        refused("only owner may call decline", booked.decline, user)


class TestUse:
    def test_two_meters_begin(self, booked, meters, chain, user):
        booked.begin(meters[0])
        assert booked.state == "booked"
        refused("you have confirmed this already", booked.begin, meters[0])
        booked.begin(meters[1])
        assert booked.state == "running"
        assert booked.lease().started == chain.head.timestamp_ms // 1000
        assert booked.events("Began")[0].args == {"user": user.address}

    def test_two_meters_agree_on_a_number(self, running, meters):
        running.meter(meters[0], 20)
        running.meter(meters[1], 21)
        assert running.lease().used == 0
        running.meter(meters[2], 20)
        assert running.lease().used == 20
        assert [each.args["used"] for each in running.events("Metered")] == [20]

    def test_meters_do_not_turn_back(self, running, meters):
        agree(running.meter, meters, 20)
        running.meter(meters[0], 19)
        refused("less than before", running.meter, meters[1], 19)
        running.meter(meters[0], CAPACITY + 1)
        refused("more than the capacity", running.meter, meters[1], CAPACITY + 1)
        assert running.lease().used == 20

    def test_the_time_runs_out(self, running, wait):
        wait(running, 99)
        assert running.state == "running"
        wait(running, 100)
        assert (running.state, running.lease().served) == ("reading", 100)

    def test_nobody_looks_for_long(self, running, wait):
        wait(running, 10**6)
        assert (running.state, running.lease().served) == ("reading", 100)

    @pytest.mark.parametrize("who", ["user", "owner"])
    def test_either_ends_it(self, running, user, owner, clock, who):
        clock.set_ms((running.lease().started + 30) * 1000)
        if who == "user":
            running.finish(user)
        else:
            running.stop(owner)
        assert (running.state, running.lease().served) == ("reading", 30)

    def test_no_way_back_once_it_runs(self, running, user, owner):
        refused("cancel is not possible", running.cancel, user)
        refused("decline is not possible", running.decline, owner)
        refused("withdraw is not possible", running.withdraw, owner)
        refused("only user may call finish", running.finish, owner)
        refused("only owner may call stop", running.stop, user)

    def test_only_meters_meter(self, running, user, owner):
        for each in (user, owner):
            refused("only meters may call meter", running.meter, each, 0)

    def test_too_late_to_meter(self, running, meters, clock, wait):
        running.meter(meters[0], 30)
        wait(running, 100)
        refused("meter is not possible in state reading", running.meter, meters[1], 30)


class TestBill:
    def test_what_it_says(self, billed, user):
        assert billed.state == "billed"
        assert billed.lease().claim == BILL
        (event,) = billed.events("Billed")
        assert event.args == {"user": user.address, "used": 50, "served": 100, "claim": BILL}

    def test_the_user_accepts(self, billed, user, gains, chain):
        assert gains(lambda: billed.accept(user)) == (BILL, ESCROW - BILL)
        assert (billed.state, chain.balance(billed)) == ("offered", 0)
        assert billed.settlements() == [Settlement(user.address, BILL, ESCROW - BILL, chain.height)]

    def test_a_user_who_vanishes(self, billed, gains, wait):
        wait(billed, WINDOW - 1)
        assert billed.state == "billed"
        assert gains(lambda: wait(billed, WINDOW)) == (BILL, ESCROW - BILL)

    def test_at_most_what_is_held(self, reading, meters, user, gains):
        agree(reading.conclude, meters, CAPACITY)
        assert reading.lease().claim == ESCROW < CAPACITY * UNIT + 100 * SECOND
        assert gains(lambda: reading.accept(user)) == (ESCROW, 0)

    def test_meters_that_say_no_more(self, reading, wait):
        wait(reading, WINDOW)
        assert reading.state == "billed"
        assert reading.lease().claim == 20 * UNIT + 100 * SECOND

    def test_the_last_reading_keeps_the_bounds(self, reading, meters):
        reading.conclude(meters[0], 19)
        refused("less than before", reading.conclude, meters[1], 19)
        reading.conclude(meters[0], CAPACITY + 1)
        refused("more than the capacity", reading.conclude, meters[1], CAPACITY + 1)

    def test_a_reading_cannot_be_taken_twice(self, billed, meters):
        refused("conclude is not possible in state billed", billed.conclude, meters[1], 60)

    def test_the_wrong_people(self, reading, billed, owner, stranger):
        for each in (owner, stranger):
            refused("only user may call accept", billed.accept, each)
            refused("only user may call object", billed.object, each, 0)

    def test_paid_once(self, billed, user):
        billed.accept(user)
        refused("accept is not possible in state offered", billed.accept, user)
        refused("no timer is due", billed.send, user, "poke")


class TestObjections:
    @pytest.mark.parametrize("admitted", [BILL, BILL + 1, 2**256 - 1])
    def test_the_whole_claim_is_no_objection(self, billed, user, admitted):
        refused("that is the whole claim", billed.object, user, admitted)

    def test_too_late(self, billed, user, wait):
        wait(billed, WINDOW)
        refused("object is not possible in state offered", billed.object, user, 0)

    def test_meters_decide(self, disputed, meters, gains, user):
        due = 45 * UNIT + 60 * SECOND
        disputed.decide(meters[1], 45, 60)
        assert gains(lambda: disputed.decide(meters[0], 45, 60)) == (due, ESCROW - due)
        assert disputed.settlements()[-1].paid == due
        assert disputed.events("Objected")[0].args == {"user": user.address, "admitted": 77}

    @pytest.mark.parametrize(("used", "served"), [(51, 100), (50, 101), (2**256 - 1, 0), (0, 2**256 - 1)])
    def test_an_objection_makes_nothing_dearer(self, disputed, meters, used, served):
        disputed.decide(meters[0], used, served)
        refused("more than the bill", disputed.decide, meters[1], used, served)

    def test_the_bill_may_stand(self, disputed, meters, gains):
        disputed.decide(meters[0], 50, 100)
        assert gains(lambda: disputed.decide(meters[1], 50, 100)) == (BILL, ESCROW - BILL)

    def test_the_owner_concedes(self, disputed, owner, gains):
        assert gains(lambda: disputed.concede(owner)) == (77, ESCROW - 77)

    def test_meters_that_do_not_decide(self, disputed, meters, wait, gains):
        disputed.decide(meters[0], 50, 100)
        wait(disputed, WINDOW - 1)
        assert disputed.state == "disputed"
        assert gains(lambda: wait(disputed, WINDOW)) == (77, ESCROW - 77)

    def test_the_wrong_people(self, disputed, user, stranger, meters):
        for each in (user, stranger, meters[0]):
            refused("only owner may call concede", disputed.concede, each)
        refused("only meters may call decide", disputed.decide, user, 0, 0)
        refused("object is not possible in state disputed", disputed.object, user, 0)
        refused("accept is not possible in state disputed", disputed.accept, user)


class TestCycle:
    def test_again_with_another(self, billed, user, stranger, meters, chain):
        billed.accept(user)
        billed.book(stranger, 1, 10)
        lease = billed.lease()
        assert (lease.user, lease.used, lease.served) == (stranger.address, 0, 0)
        refused("only user may call cancel", billed.cancel, user)
        agree(billed.begin, meters)
        billed.finish(stranger)
        agree(billed.conclude, meters, 1)
        billed.accept(stranger)
        assert [each.user for each in billed.settlements()] == [user.address, stranger.address]
        assert chain.balance(billed) == 0

    def test_withdrawn_for_ever(self, disk, owner, user):
        refused("only owner may call withdraw", disk.withdraw, user)
        disk.withdraw(owner)
        assert disk.state == "withdrawn"
        refused("book is not possible in state withdrawn", disk.book, user, 1, 1)
        refused("withdraw is not possible", disk.withdraw, owner)

    def test_coin_that_came_unasked_stops_nothing(self, chain, disk, booked, owner, user, stranger, gains):
        pusher = Pusher.deploy(chain, stranger)
        pusher.send(stranger, "push", disk.address, value=5)
        assert gains(lambda: booked.cancel(user)) == (0, ESCROW + 5)
        pusher.send(stranger, "push", disk.address, value=7)
        assert gains(lambda: booked.withdraw(owner)) == (7, 0)

    def test_no_coin_where_none_belongs(self, booked, user, meters):
        refused("takes no coin", booked.send, user, "cancel", value=1)
        refused("takes no coin", booked.send, meters[0], "begin", value=1)
