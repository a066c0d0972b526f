"""Every rule of restricted shares, and every way around one that we could think of."""

import pytest

from chainstack_sdk.chain import Chain
from chainstack_sdk.clock import ManualClock
from chainstack_sdk.paradigms import (
    FACTORY_ADDRESS,
    Erc20,
    Factory,
    Lock,
    Restriction,
    Shares,
    ShareToken,
    default_registry,
)
from chainstack_sdk.paradigms.shares_handle import SharesApi
from chainstack_sdk.primitives.address import ZERO_ADDRESS
from chainstack_sdk.primitives.errors import Reverted, UsageError

SUPPLY = 1_000
DAY = 86_400


@pytest.fixture
def clock():
    return ManualClock(step_ms=1)


@pytest.fixture
def chain(people, clock):
    return Chain.in_memory(dict.fromkeys(people, 10**20), auto_seal=True, clock=clock)


@pytest.fixture
def registrar(people):
    return people[4]


@pytest.fixture
def stranger(people):
    return people[5]


@pytest.fixture
def issue(chain, alice, registrar):
    def issued(**config):
        fixed = {"name": "Mill plc", "symbol": "MILL", "supply": SUPPLY, "registrar": registrar}
        return chain.shares.issue(alice, **fixed | config)

    return issued


@pytest.fixture
def mill(issue, registrar, bob, carol):
    """Shares that bob and carol may hold."""
    token = issue()
    for holder in (bob, carol):
        token.list_holder(registrar, holder)
    return token


@pytest.fixture
def now(chain):
    return lambda: chain.head.timestamp_ms // 1000


@pytest.fixture
def restricted(reverts):
    """The transfer is refused, and was foretold."""

    def expect(code):
        return reverts(Shares.TransferRestricted, int(code), code.message)

    return expect


@pytest.fixture
def refuses(restricted):
    def attempt(token, sender, to, value, code):
        assert token.restriction(sender, to, value) == code
        with restricted(code):
            token.transfer(sender, to, value)

    return attempt


class TestIssue:
    def test_what_it_says(self, chain, issue, alice, registrar, emitted):
        token = issue()
        assert (token.name, token.symbol, token.decimals) == ("Mill plc", "MILL", 0)
        assert (token.total_supply(), token.balance_of(alice)) == (SUPPLY, SUPPLY)
        assert token.registrar() == registrar.address
        assert (token.is_listed(alice), token.is_listed(registrar)) == (True, False)
        assert token.holder_count() == 1
        assert token.window_open()
        receipt = chain.receipt(token.events()[0].transaction_hash)
        assert emitted(receipt, Shares, Factory) == [
            ("RegistrarChanged", (ZERO_ADDRESS, registrar.address)),
            ("Listed", (alice.address, True)),
            ("Transfer", (ZERO_ADDRESS, alice.address, SUPPLY)),
            ("Issued", (token.address, alice.address, "shares")),
        ]
        again = SharesApi(chain).at(token.address)
        assert (again, type(again)) == (token, ShareToken)

    def test_the_registrar_is_the_owner_unless_named(self, chain, alice, bob):
        token = chain.shares.issue(alice, name="A", symbol="A", owner=bob)
        assert token.registrar() == bob.address
        assert token.holder_count() == 0

    def test_the_messages(self, mill):
        assert mill.messages == {each: each.message for each in Restriction}
        assert mill.read("messageForTransferRestriction", 255) == "no such restriction"
        function = Shares.abi_function("detectTransferRestriction")
        assert function.selector.hex() == "d4ce1415"
        assert Shares.abi_function("messageForTransferRestriction").selector.hex() == "7f4ab1dd"

    @pytest.mark.parametrize(
        "config",
        [
            {"max_share": 10_001},
            {"max_holders": -1},
            {"window_period": 10},
            {"window_period": 10, "window_length": 11},
            {"window_start": 1 << 64},
            {"registrar": ZERO_ADDRESS},
            {"cap": 5},
        ],
    )
    def test_a_config_that_makes_no_sense(self, issue, config):
        with pytest.raises(UsageError, match="shares"):
            issue(**config)

    @pytest.mark.parametrize(
        ("changed", "told"),
        [
            ({"max_share": 10_001}, [Shares.InvalidRules]),
            ({"window_period": 10}, [Shares.InvalidRules]),
            ({"window_period": 10, "window_length": 11}, [Shares.InvalidRules]),
            ({"registrar": ZERO_ADDRESS}, [Shares.InvalidRegistrar, ZERO_ADDRESS]),
        ],
    )
    def test_the_chain_checks_too(self, chain, alice, reverts, changed, told):
        inputs = Shares.constructor_type.inputs
        values = {param.name: False if param.type == "bool" else 0 for param in inputs}
        values |= {"name": "A", "symbol": "A", "owner": alice.address, "registrar": alice.address}
        data = Shares.constructor_type.encode(*(values | changed).values())
        with reverts(*told):
            call = Factory.abi_function("issue").encode_call("shares", data)
            chain.send_call(alice, FACTORY_ADDRESS, call)

    def test_it_is_among_the_paradigms(self):
        assert default_registry().get("shares") is Shares


class TestList:
    def test_only_listed_accounts_receive(self, mill, alice, bob, stranger, refuses):
        refuses(mill, alice, stranger, 1, Restriction.NOT_LISTED)
        refuses(mill, alice, stranger, 0, Restriction.NOT_LISTED)
        mill.transfer(alice, bob, 10)
        assert mill.balance_of(bob) == 10

    def test_off_the_list(self, mill, registrar, alice, bob, carol, refuses, emitted):
        mill.transfer(alice, bob, 10)
        receipt = mill.list_holder(registrar, bob, False)
        assert emitted(receipt, Shares) == [("Listed", (bob.address, False))]
        refuses(mill, alice, bob, 1, Restriction.NOT_LISTED)
        mill.transfer(bob, carol, 10)
        assert mill.holder_count() == 2

    def test_also_by_allowance_and_permit(self, mill, alice, bob, stranger, restricted):
        signature = mill.sign_permit(alice, bob, 50)
        mill.permit(bob, alice, bob, 50, signature)
        with restricted(Restriction.NOT_LISTED):
            mill.transfer_from(bob, alice, stranger, 5)
        assert mill.allowance(alice, bob) == 50
        mill.transfer_from(bob, alice, bob, 5)
        assert mill.allowance(alice, bob) == 45

    def test_without_a_list(self, issue, alice, stranger):
        token = issue(listed_only=False)
        token.transfer(alice, stranger, 1)
        assert not token.is_listed(stranger)

    def test_registrars_only(self, mill, alice, stranger, reverts):
        for who in (alice, stranger):
            for act in (
                lambda who=who: mill.list_holder(who, who),
                lambda who=who: mill.freeze(who, alice),
                lambda who=who: mill.lock(who, alice, 1, end=1),
                lambda who=who: mill.unlock(who, alice),
                lambda who=who: mill.force_transfer(who, alice, who, 1, reason=""),
                lambda who=who: mill.set_registrar(who, who),
            ):
                with reverts(Shares.NotRegistrar, who.address):
                    act()

    def test_another_registrar(self, mill, registrar, bob, stranger, emitted, reverts):
        receipt = mill.set_registrar(registrar, stranger)
        assert emitted(receipt, Shares) == [("RegistrarChanged", (registrar.address, stranger.address))]
        with reverts(Shares.NotRegistrar, registrar.address):
            mill.list_holder(registrar, bob)
        with reverts(Shares.InvalidRegistrar, ZERO_ADDRESS):
            mill.set_registrar(stranger, ZERO_ADDRESS)
        mill.list_holder(stranger, bob, False)


class TestOrder:
    """What every token refuses comes first, and as every token says it."""

    def test_the_tokens_own_refusals(self, mill, alice, bob, stranger, reverts):
        assert mill.restriction(alice, ZERO_ADDRESS, 1) == Restriction.NO_ACCOUNT
        assert mill.restriction(ZERO_ADDRESS, bob, 0) == Restriction.NO_ACCOUNT
        assert mill.restriction(bob, stranger, 1) == Restriction.INSUFFICIENT_BALANCE
        with reverts(Erc20.ERC20InvalidReceiver, ZERO_ADDRESS):
            mill.transfer(alice, ZERO_ADDRESS, 1)
        with reverts(Erc20.ERC20InsufficientBalance, bob.address, 0, 1):
            mill.transfer(bob, stranger, 1)
        with reverts(Erc20.ERC20InsufficientAllowance, bob.address, 0, 1):
            mill.transfer_from(bob, alice, stranger, 1)

    def test_a_pause(self, issue, registrar, alice, bob, reverts):
        token = issue(pausable=True)
        token.list_holder(registrar, bob)
        assert token.restriction(alice, bob, 1) == Restriction.NONE
        token.pause(alice)
        assert token.restriction(alice, bob, 1) == Restriction.PAUSED
        for act in (
            lambda: token.transfer(alice, bob, 1),
            lambda: token.force_transfer(registrar, alice, bob, 1, reason=""),
        ):
            with reverts(Erc20.EnforcedPause):
                act()

    def test_a_pause_comes_before_every_rule(self, issue, registrar, alice, bob, stranger, now, reverts):
        token = issue(pausable=True, mintable=True, burnable=True)
        token.list_holder(registrar, bob)
        token.transfer(alice, bob, 10)
        token.lock(registrar, bob, 10, end=now() + DAY)
        token.pause(alice)
        for act in (
            lambda: token.mint(alice, stranger, 1),
            lambda: token.burn(bob, 1),
            lambda: token.force_transfer(registrar, alice, stranger, 1, reason=""),
        ):
            with reverts(Erc20.EnforcedPause):
                act()

    def test_so_does_the_balance_of_a_forced_transfer(self, mill, registrar, bob, stranger, reverts):
        with reverts(Erc20.ERC20InsufficientBalance, bob.address, 0, 1):
            mill.force_transfer(registrar, bob, stranger, 1, reason="")


class TestFreeze:
    def test_neither_sends_nor_receives(self, mill, registrar, alice, bob, carol, refuses, emitted):
        mill.transfer(alice, bob, 10)
        receipt = mill.freeze(registrar, bob)
        assert emitted(receipt, Shares) == [("Frozen", (bob.address, True))]
        assert mill.is_frozen(bob)
        refuses(mill, bob, carol, 1, Restriction.SENDER_FROZEN)
        refuses(mill, alice, bob, 1, Restriction.RECEIVER_FROZEN)
        mill.freeze(registrar, bob, False)
        assert mill.is_listed(bob), "a freeze leaves the list alone"
        mill.transfer(bob, carol, 1)

    def test_nor_burns_nor_is_minted_to(self, issue, registrar, alice, bob, restricted):
        token = issue(mintable=True, burnable=True)
        token.list_holder(registrar, bob)
        token.transfer(alice, bob, 10)
        token.freeze(registrar, bob)
        with restricted(Restriction.SENDER_FROZEN):
            token.burn(bob, 1)
        with restricted(Restriction.RECEIVER_FROZEN):
            token.mint(alice, bob, 1)


class TestLocks:
    def test_a_lock_up_at_once(self, mill, registrar, alice, bob, carol, refuses, now, chain, clock, emitted):
        mill.transfer(alice, bob, 10)
        end = now() + DAY
        receipt = mill.lock(registrar, bob, 8, end=end)
        assert emitted(receipt, Shares) == [("Locked", (bob.address, 8, end, end, end))]
        assert mill.lock_of(bob) == Lock(8, end, end, end)
        assert (mill.locked_of(bob), mill.free_of(bob)) == (8, 2)
        refuses(mill, bob, carol, 3, Restriction.LOCKED)
        mill.transfer(bob, carol, 2)
        refuses(mill, bob, carol, 1, Restriction.LOCKED)
        clock.set_ms(end * 1000)
        chain.seal()
        assert mill.locked_of(bob) == 0
        mill.transfer(bob, carol, 8)

    def test_vesting(self, mill, registrar, alice, bob, carol, refuses, now, chain, clock):
        start = now() + 10
        mill.lock(registrar, bob, 100, start=start, cliff=start + 50, end=start + 100)
        mill.transfer(alice, bob, 100)
        for passed, locked in ((0, 100), (49, 100), (50, 50), (75, 25), (99, 1)):
            clock.set_ms((start + passed) * 1000)
            chain.seal()
            assert mill.locked_of(bob) == locked
            refuses(mill, bob, carol, 101 - locked, Restriction.LOCKED)
        mill.transfer(bob, carol, 99)

    def test_a_line_without_a_cliff(self, mill, registrar, bob, now):
        start = now()
        mill.lock(registrar, bob, 100, start=start, end=start + 100)
        assert mill.lock_of(bob) == Lock(100, start, start, start + 100)

    def test_what_comes_later_is_locked_too(self, mill, registrar, alice, bob, carol, refuses, now):
        mill.lock(registrar, bob, 30, end=now() + DAY)
        assert mill.locked_of(bob) == 0
        mill.transfer(alice, bob, 20)
        assert mill.locked_of(bob) == 20
        refuses(mill, bob, carol, 1, Restriction.LOCKED)
        mill.transfer(alice, bob, 20)
        assert (mill.locked_of(bob), mill.free_of(bob)) == (30, 10)
        assert mill.restriction(bob, carol, 0) == Restriction.NONE

    def test_to_oneself_is_no_way_out(self, mill, registrar, alice, bob, refuses, now):
        mill.transfer(alice, bob, 10)
        mill.lock(registrar, bob, 10, end=now() + DAY)
        refuses(mill, bob, bob, 1, Restriction.LOCKED)

    def test_nor_is_burning(self, issue, registrar, alice, bob, now, restricted, reverts):
        token = issue(burnable=True)
        token.list_holder(registrar, bob)
        token.transfer(alice, bob, 10)
        token.lock(registrar, bob, 6, end=now() + DAY)
        token.approve(bob, alice, 5)
        with restricted(Restriction.LOCKED):
            token.burn(bob, 5)
        with restricted(Restriction.LOCKED):
            token.burn_from(alice, bob, 5)
        with reverts(Erc20.ERC20InsufficientBalance, bob.address, 10, 11):
            token.burn(bob, 11)
        token.burn(bob, 4)
        assert token.holder_count() == 2

    def test_replaced_and_ended(self, mill, registrar, alice, bob, now):
        mill.transfer(alice, bob, 10)
        mill.lock(registrar, bob, 8, end=now() + DAY)
        mill.lock(registrar, bob, 2, end=now() + 2 * DAY)
        assert mill.locked_of(bob) == 2
        mill.unlock(registrar, bob)
        assert (mill.locked_of(bob), mill.lock_of(bob)) == (0, None)

    def test_what_is_no_lock_up(self, mill, registrar, bob, reverts):
        for amount, start, cliff, end in ((0, 1, 2, 3), (1, 2, 1, 3), (1, 1, 4, 3)):
            with reverts(Shares.InvalidLock):
                mill.lock(registrar, bob, amount, start=start, cliff=cliff, end=end)


class TestHolders:
    @pytest.fixture
    def few(self, issue, registrar, bob, carol, dave):
        token = issue(max_holders=2, mintable=True, burnable=True)
        for who in (bob, carol, dave):
            token.list_holder(registrar, who)
        return token

    def test_no_more_than_so_many(self, few, alice, bob, carol, refuses, restricted):
        few.transfer(alice, bob, 10)
        assert few.holder_count() == 2
        refuses(few, alice, carol, 1, Restriction.TOO_MANY_HOLDERS)
        with restricted(Restriction.TOO_MANY_HOLDERS):
            few.mint(alice, carol, 1)
        few.transfer(alice, bob, 1)
        few.mint(alice, bob, 1)

    def test_one_may_take_anothers_place(self, few, alice, bob, carol, refuses):
        few.transfer(alice, bob, 10)
        refuses(few, bob, carol, 9, Restriction.TOO_MANY_HOLDERS)
        few.transfer(bob, carol, 10)
        assert few.holder_count() == 2

    def test_nothing_makes_no_holder(self, few, alice, bob, carol):
        few.transfer(alice, bob, 10)
        few.transfer(alice, carol, 0)
        few.mint(alice, carol, 0)
        few.burn(carol, 0)
        few.transfer(alice, alice, SUPPLY - 10)
        assert few.holder_count() == 2

    def test_who_burns_all_leaves(self, few, alice, bob, carol):
        few.transfer(alice, bob, 10)
        few.burn(bob, 10)
        assert few.holder_count() == 1
        few.mint(alice, carol, 5)
        assert few.holder_count() == 2

    def test_a_registrar_keeps_to_it(self, few, registrar, alice, bob, carol, restricted):
        few.transfer(alice, bob, 10)
        with restricted(Restriction.TOO_MANY_HOLDERS):
            few.force_transfer(registrar, bob, carol, 9, reason="court")


class TestShare:
    @pytest.fixture
    def wide(self, issue, registrar, bob, carol):
        token = issue(max_share=1_000, mintable=True)
        for who in (bob, carol):
            token.list_holder(registrar, who)
        return token

    def test_a_tenth_and_no_more(self, wide, alice, bob, refuses):
        wide.transfer(alice, bob, 100)
        refuses(wide, alice, bob, 1, Restriction.ABOVE_SHARE)
        wide.transfer(bob, bob, 100)

    def test_the_owner_is_not_bound(self, wide, alice, bob):
        wide.transfer(alice, bob, 100)
        wide.transfer(bob, alice, 100)
        assert wide.balance_of(alice) == SUPPLY

    def test_minting_counts_in_the_new_supply(self, wide, alice, bob, restricted):
        wide.mint(alice, bob, 111)  # of 1,111
        with restricted(Restriction.ABOVE_SHARE):
            wide.mint(alice, bob, 1)
        wide.mint(alice, alice, 10)
        wide.mint(alice, bob, 1)

    def test_a_registrar_keeps_to_it(self, wide, registrar, alice, bob, restricted):
        with restricted(Restriction.ABOVE_SHARE):
            wide.force_transfer(registrar, alice, bob, 101, reason="court")

    def test_no_overflow(self, wide, alice, bob, restricted, reverts):
        with restricted(Restriction.ABOVE_SHARE):
            wide.mint(alice, bob, 2**256 - 1)
        with reverts(bytes.fromhex("4e487b71") + (0x11).to_bytes(32, "big")):
            wide.mint(alice, alice, 2**256 - 1)


class TestWindows:
    def test_open_for_a_part_of_each_period(self, issue, registrar, alice, bob, refuses, now, chain, clock):
        start = now() + 1_000
        token = issue(window_start=start, window_period=100, window_length=10)
        token.list_holder(registrar, bob)
        for at, is_open in ((-500, False), (-1, False), (0, True), (9, True), (10, False), (99, False)):
            clock.set_ms((start + at) * 1000)
            chain.seal()
            assert token.window_open() == is_open
            if is_open:
                token.transfer(alice, bob, 1)
            else:
                refuses(token, alice, bob, 1, Restriction.WINDOW_CLOSED)
        clock.set_ms((start + 1_000_000) * 1000)
        token.transfer(alice, bob, 1)

    def test_a_registrar_is_not_bound(self, issue, registrar, alice, bob, now):
        token = issue(window_start=now() + DAY, window_period=100, window_length=10)
        token.list_holder(registrar, bob)
        token.force_transfer(registrar, alice, bob, 1, reason="inheritance")


class TestForce:
    def test_against_locks_and_freezes(self, mill, registrar, alice, bob, carol, now, emitted):
        mill.transfer(alice, bob, 10)
        mill.lock(registrar, bob, 10, end=now() + DAY)
        mill.freeze(registrar, bob)
        receipt = mill.force_transfer(registrar, bob, carol, 4, reason="ruling 7/26")
        assert emitted(receipt, Shares) == [
            ("Transfer", (bob.address, carol.address, 4)),
            ("ForcedTransfer", (bob.address, carol.address, 4, "ruling 7/26")),
        ]
        assert (mill.balance_of(bob), mill.locked_of(bob), mill.balance_of(carol)) == (6, 6, 4)
        mill.force_transfer(registrar, bob, carol, 6, reason="ruling 8/26")
        assert (mill.locked_of(bob), mill.holder_count()) == (0, 2)

    def test_the_receiver_is_still_one_who_may(self, mill, registrar, alice, bob, stranger, restricted):
        with restricted(Restriction.NOT_LISTED):
            mill.force_transfer(registrar, alice, stranger, 1, reason="")
        mill.freeze(registrar, bob)
        with restricted(Restriction.RECEIVER_FROZEN):
            mill.force_transfer(registrar, alice, bob, 1, reason="")

    def test_not_from_nothing_to_nobody(self, mill, registrar, bob, carol, reverts):
        with reverts(Erc20.ERC20InsufficientBalance, bob.address, 0, 1):
            mill.force_transfer(registrar, bob, carol, 1, reason="")
        with reverts(Erc20.ERC20InvalidReceiver, ZERO_ADDRESS):
            mill.force_transfer(registrar, bob, ZERO_ADDRESS, 0, reason="")
        with reverts(Erc20.ERC20InvalidSender, ZERO_ADDRESS):
            mill.force_transfer(registrar, ZERO_ADDRESS, carol, 0, reason="")


def test_minting_keeps_to_the_list(issue, registrar, alice, bob, stranger, restricted, reverts):
    token = issue(mintable=True)
    token.list_holder(registrar, bob)
    token.mint(alice, bob, 5)
    assert token.holder_count() == 2
    with restricted(Restriction.NOT_LISTED):
        token.mint(alice, stranger, 1)
    with reverts(Erc20.ERC20InvalidReceiver, ZERO_ADDRESS):
        token.mint(alice, ZERO_ADDRESS, 1)


def test_a_registrar_is_no_owner(issue, registrar, bob, reverts):
    token = issue(mintable=True, pausable=True)
    for act in (lambda: token.mint(registrar, bob, 1), lambda: token.pause(registrar)):
        with reverts(Erc20.OwnableUnauthorizedAccount, registrar.address):
            act()


def test_views_do_not_write(mill, alice, bob):
    with pytest.raises(Reverted):
        mill.read("setListed", bob, True, sender=alice)
