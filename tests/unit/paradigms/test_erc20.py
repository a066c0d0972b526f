"""The cases of OpenZeppelin's published behaviour tests of ERC-20 and its extensions, and a few more."""

import pytest

from chainstack_sdk.core.native.slots import mapping_slot, slot
from chainstack_sdk.core.receipts import SUCCEEDED
from chainstack_sdk.paradigms import FACTORY_ADDRESS, Factory
from chainstack_sdk.paradigms.erc20 import UNLIMITED, Erc20
from chainstack_sdk.primitives.abi import encode_abi
from chainstack_sdk.primitives.address import ZERO_ADDRESS
from chainstack_sdk.primitives.errors import Reverted, UsageError

SUPPLY = 100
PANIC_11 = bytes.fromhex("4e487b71") + (0x11).to_bytes(32, "big")


@pytest.fixture(params=["erc20", "shares"])
def issue(request, chain):
    """Issue a token; shares without rules are nothing else."""
    if request.param == "erc20":
        return chain.erc20.issue
    without_rules = {"decimals": 18, "listed_only": False}
    return lambda sender, **config: chain.shares.issue(sender, **without_rules | config)


@pytest.fixture
def token(issue, alice):
    return issue(alice, name="My Token", symbol="MTKN", supply=SUPPLY)


@pytest.fixture
def full(issue, alice):
    """A token with every option."""
    return issue(
        alice,
        name="Full",
        symbol="FULL",
        supply=SUPPLY,
        decimals=2,
        cap=1000,
        mintable=True,
        burnable=True,
        pausable=True,
    )


def test_metadata(token, full):
    assert (token.name, token.symbol, token.decimals, full.decimals) == ("My Token", "MTKN", 18, 2)


def test_supply_and_balances(token, alice, bob):
    assert token.total_supply() == SUPPLY
    assert token.balance_of(alice) == SUPPLY
    assert token.balance_of(bob) == 0


def test_the_initial_supply_is_minted_to_the_owner(chain, alice, bob, emitted):
    token = chain.erc20.issue(alice, name="A", symbol="A", supply=7, owner=bob)
    assert token.balance_of(bob) == 7
    (event,) = token.events()
    receipt = chain.receipt(event.transaction_hash)
    assert emitted(receipt, Erc20, Factory)[0] == ("Transfer", (ZERO_ADDRESS, bob.address, 7))
    assert chain.erc20.issue(alice, name="A", symbol="A").events() == []


class TestTransfer:
    def test_more_than_the_balance(self, token, alice, bob, reverts):
        with reverts(Erc20.ERC20InsufficientBalance, alice.address, SUPPLY, SUPPLY + 1):
            token.transfer(alice, bob, SUPPLY + 1)

    @pytest.mark.parametrize("value", [SUPPLY, 1, 0])
    def test_up_to_the_balance(self, token, alice, bob, emitted, value):
        receipt = token.transfer(alice, bob, value)
        assert Erc20.abi_function("transfer").decode_output(receipt.output) == (True,)
        assert (token.balance_of(alice), token.balance_of(bob)) == (SUPPLY - value, value)
        assert emitted(receipt, Erc20) == [("Transfer", (alice.address, bob.address, value))]
        assert token.total_supply() == SUPPLY

    def test_to_oneself(self, token, alice, emitted, reverts):
        receipt = token.transfer(alice, alice, SUPPLY)
        assert token.balance_of(alice) == SUPPLY
        assert emitted(receipt, Erc20) == [("Transfer", (alice.address, alice.address, SUPPLY))]
        with reverts(Erc20.ERC20InsufficientBalance, alice.address, SUPPLY, SUPPLY + 1):
            token.transfer(alice, alice, SUPPLY + 1)

    def test_to_nobody(self, token, alice, reverts):
        with reverts(Erc20.ERC20InvalidReceiver, ZERO_ADDRESS):
            token.transfer(alice, ZERO_ADDRESS, SUPPLY + 1)

    def test_from_nobody(self, token, bob, reverts):
        with reverts(Erc20.ERC20InvalidSender, ZERO_ADDRESS):
            token.read("transfer", bob, 0, sender=ZERO_ADDRESS)

    def test_the_greatest_amount(self, token, alice, bob, reverts):
        with reverts(Erc20.ERC20InsufficientBalance, alice.address, SUPPLY, UNLIMITED):
            token.transfer(alice, bob, UNLIMITED)

    def test_coin_is_not_taken(self, token, alice, bob, reverts):
        with reverts(None):
            token.send(alice, "transfer", bob, 1, value=1)

    def test_a_failed_transfer_changes_nothing_but_pays(self, chain, token, alice, bob):
        before = chain.balance(alice), chain.nonce(alice)
        with pytest.raises(Reverted) as caught:
            token.send(alice, "transfer", bob, SUPPLY + 1, gas=100_000)
        receipt = caught.value.receipt
        assert receipt.status != SUCCEEDED
        assert receipt.logs == ()
        assert chain.balance(alice) == before[0] - receipt.gas_used * receipt.effective_gas_price
        assert chain.nonce(alice) == before[1] + 1
        assert (token.balance_of(alice), token.balance_of(bob)) == (SUPPLY, 0)

    def test_gas(self, chain, alice, bob, carol):
        """Two slots read and written, one of them new, and a log with three topics."""
        token = chain.erc20.issue(alice, name="A", symbol="A", supply=SUPPLY)
        data_gas = 4 * 16 + 20 * 16 + 1 * 16 + (12 + 31) * 4
        first = token.transfer(alice, bob, 1)
        log = 375 + 3 * 375 + 32 * 8
        assert first.gas_used == 21_000 + data_gas + 2 * 2_100 + 5_000 + 20_000 + log
        assert token.transfer(alice, bob, 1).gas_used == first.gas_used - 15_000


class TestTransferFrom:
    def test_within_allowance_and_balance(self, token, alice, bob, carol, emitted):
        token.approve(alice, bob, SUPPLY)
        receipt = token.transfer_from(bob, alice, carol, SUPPLY - 1)
        assert (token.balance_of(alice), token.balance_of(carol)) == (1, SUPPLY - 1)
        assert token.allowance(alice, bob) == 1
        assert emitted(receipt, Erc20) == [("Transfer", (alice.address, carol.address, SUPPLY - 1))]

    def test_more_than_the_balance(self, token, alice, bob, carol, reverts):
        token.approve(alice, bob, SUPPLY)
        token.transfer(alice, carol, 1)
        with reverts(Erc20.ERC20InsufficientBalance, alice.address, SUPPLY - 1, SUPPLY):
            token.transfer_from(bob, alice, carol, SUPPLY)
        assert token.allowance(alice, bob) == SUPPLY

    def test_more_than_the_allowance(self, token, alice, bob, carol, reverts):
        token.approve(alice, bob, SUPPLY - 1)
        with reverts(Erc20.ERC20InsufficientAllowance, bob.address, SUPPLY - 1, SUPPLY):
            token.transfer_from(bob, alice, carol, SUPPLY)
        token.transfer(alice, carol, 2)
        with reverts(Erc20.ERC20InsufficientBalance, alice.address, SUPPLY - 2, SUPPLY - 1):
            token.transfer_from(bob, alice, carol, SUPPLY - 1)

    def test_an_unlimited_allowance_is_not_used_up(self, token, alice, bob, carol, emitted):
        token.approve(alice, bob)
        receipt = token.transfer_from(bob, alice, carol, 1)
        assert token.allowance(alice, bob) == UNLIMITED
        assert [name for name, _values in emitted(receipt, Erc20)] == ["Transfer"]

    def test_to_nobody(self, token, alice, bob, reverts):
        token.approve(alice, bob, SUPPLY)
        with reverts(Erc20.ERC20InvalidReceiver, ZERO_ADDRESS):
            token.transfer_from(bob, alice, ZERO_ADDRESS, SUPPLY)

    def test_from_nobody(self, token, alice, bob, reverts):
        with reverts(Erc20.ERC20InvalidApprover, ZERO_ADDRESS):
            token.transfer_from(bob, ZERO_ADDRESS, alice, 0)
        with reverts(Erc20.ERC20InsufficientAllowance, bob.address, 0, 1):
            token.transfer_from(bob, ZERO_ADDRESS, alice, 1)

    def test_ones_own_tokens_need_an_allowance_too(self, token, alice, bob, reverts):
        with reverts(Erc20.ERC20InsufficientAllowance, alice.address, 0, 1):
            token.transfer_from(alice, alice, bob, 1)


class TestApprove:
    @pytest.mark.parametrize("value", [SUPPLY, SUPPLY + 1, 0, UNLIMITED])
    @pytest.mark.parametrize("before", [None, 1])
    def test_sets_the_allowance(self, token, alice, bob, emitted, before, value):
        if before is not None:
            token.approve(alice, bob, before)
        receipt = token.approve(alice, bob, value)
        assert Erc20.abi_function("approve").decode_output(receipt.output) == (True,)
        assert token.allowance(alice, bob) == value
        assert token.allowance(bob, alice) == 0
        assert emitted(receipt, Erc20) == [("Approval", (alice.address, bob.address, value))]

    def test_nobody_as_spender(self, token, alice, reverts):
        with reverts(Erc20.ERC20InvalidSpender, ZERO_ADDRESS):
            token.approve(alice, ZERO_ADDRESS, SUPPLY)

    def test_nobody_as_owner(self, token, alice, reverts):
        with reverts(Erc20.ERC20InvalidApprover, ZERO_ADDRESS):
            token.read("approve", alice, SUPPLY, sender=ZERO_ADDRESS)


class TestMint:
    def test_the_owner_mints(self, full, alice, bob, emitted):
        receipt = full.mint(alice, bob, 50)
        assert (full.total_supply(), full.balance_of(bob)) == (SUPPLY + 50, 50)
        assert emitted(receipt, Erc20) == [("Transfer", (ZERO_ADDRESS, bob.address, 50))]

    def test_nobody_else_mints(self, full, bob, reverts):
        with reverts(Erc20.OwnableUnauthorizedAccount, bob.address):
            full.mint(bob, bob, 1)

    def test_to_nobody(self, full, alice, reverts):
        with reverts(Erc20.ERC20InvalidReceiver, ZERO_ADDRESS):
            full.mint(alice, ZERO_ADDRESS, 1)

    def test_the_supply_does_not_overflow(self, chain, alice, bob, reverts):
        token = chain.erc20.issue(alice, name="A", symbol="A", supply=1, mintable=True)
        with reverts(PANIC_11):
            token.mint(alice, bob, UNLIMITED)
        token.mint(alice, bob, UNLIMITED - 1)
        assert (token.total_supply(), token.balance_of(bob)) == (UNLIMITED, UNLIMITED - 1)
        token.transfer(bob, alice, UNLIMITED - 1)
        assert token.balance_of(alice) == UNLIMITED

    def test_up_to_the_cap(self, full, alice, bob, reverts):
        assert full.cap() == 1000
        full.mint(alice, bob, 900)
        with reverts(Erc20.ERC20ExceededCap, 1001, 1000):
            full.mint(alice, bob, 1)
        full.burn(bob, 1)
        full.mint(alice, bob, 1)

    def test_the_initial_supply_is_capped_too(self, chain, alice, reverts):
        values = ("A", "A", 18, 6, 5, False, False, False, alice.address)
        config = Erc20.constructor_type.encode(*values)
        data = Factory.abi_function("issue").encode_call("erc20", config)
        with reverts(Erc20.ERC20ExceededCap.encode(6, 5)):
            chain.send_call(alice, FACTORY_ADDRESS, data)


class TestBurn:
    @pytest.mark.parametrize("value", [0, 1, SUPPLY])
    def test_own_tokens(self, full, alice, emitted, value):
        receipt = full.burn(alice, value)
        assert full.balance_of(alice) == full.total_supply() == SUPPLY - value
        assert emitted(receipt, Erc20) == [("Transfer", (alice.address, ZERO_ADDRESS, value))]

    def test_more_than_the_balance(self, full, alice, reverts):
        with reverts(Erc20.ERC20InsufficientBalance, alice.address, SUPPLY, SUPPLY + 1):
            full.burn(alice, SUPPLY + 1)

    @pytest.mark.parametrize("value", [0, 1, SUPPLY])
    def test_on_account(self, full, alice, bob, emitted, value):
        full.approve(alice, bob, SUPPLY)
        receipt = full.burn_from(bob, alice, value)
        assert full.balance_of(alice) == full.total_supply() == SUPPLY - value
        assert full.allowance(alice, bob) == SUPPLY - value
        assert emitted(receipt, Erc20) == [("Transfer", (alice.address, ZERO_ADDRESS, value))]

    def test_on_account_without_limit(self, full, alice, bob):
        full.approve(alice, bob)
        full.burn_from(bob, alice, 1)
        assert full.allowance(alice, bob) == UNLIMITED

    def test_on_account_too_much(self, full, alice, bob, reverts):
        full.approve(alice, bob, SUPPLY + 1)
        with reverts(Erc20.ERC20InsufficientBalance, alice.address, SUPPLY, SUPPLY + 1):
            full.burn_from(bob, alice, SUPPLY + 1)
        full.approve(alice, bob, SUPPLY - 1)
        with reverts(Erc20.ERC20InsufficientAllowance, bob.address, SUPPLY - 1, SUPPLY):
            full.burn_from(bob, alice, SUPPLY)

    def test_of_nobody(self, full, reverts):
        with reverts(Erc20.ERC20InvalidSender, ZERO_ADDRESS):
            full.read("burn", 0, sender=ZERO_ADDRESS)


class TestPause:
    def test_pause_and_unpause(self, full, alice, emitted):
        assert full.paused() is False
        assert emitted(full.pause(alice), Erc20) == [("Paused", (alice.address,))]
        assert full.paused() is True
        assert emitted(full.unpause(alice), Erc20) == [("Unpaused", (alice.address,))]
        assert full.paused() is False

    def test_nothing_moves_while_paused(self, full, alice, bob, reverts):
        full.approve(alice, bob, 10)
        full.pause(alice)
        for attempt in (
            lambda: full.transfer(alice, bob, 1),
            lambda: full.transfer_from(bob, alice, bob, 1),
            lambda: full.mint(alice, bob, 1),
            lambda: full.burn(alice, 1),
            lambda: full.burn_from(bob, alice, 1),
            lambda: full.pause(alice),
        ):
            with reverts(Erc20.EnforcedPause):
                attempt()
        full.approve(alice, bob, 5)
        assert full.allowance(alice, bob) == 5
        full.unpause(alice)
        full.transfer(alice, bob, 1)

    def test_what_is_checked_before_the_pause(self, full, alice, bob, reverts):
        full.pause(alice)
        with reverts(Erc20.ERC20InvalidReceiver, ZERO_ADDRESS):
            full.transfer(alice, ZERO_ADDRESS, 1)
        with reverts(Erc20.ERC20InsufficientAllowance, bob.address, 0, 1):
            full.transfer_from(bob, alice, bob, 1)
        with reverts(Erc20.EnforcedPause):
            full.transfer(alice, bob, SUPPLY + 1)

    def test_unpause_needs_a_pause(self, full, alice, reverts):
        with reverts(Erc20.ExpectedPause):
            full.unpause(alice)

    def test_only_the_owner_pauses(self, full, alice, bob, reverts):
        with reverts(Erc20.OwnableUnauthorizedAccount, bob.address):
            full.pause(bob)
        full.pause(alice)
        with reverts(Erc20.OwnableUnauthorizedAccount, bob.address):
            full.unpause(bob)


class TestOwnership:
    def test_the_first_owner(self, chain, alice, bob, emitted):
        full = chain.erc20.issue(alice, name="A", symbol="A", supply=SUPPLY, pausable=True)
        assert full.owner() == alice.address
        receipt = chain.receipt(full.events("OwnershipTransferred")[0].transaction_hash)
        assert emitted(receipt, Erc20, Factory) == [
            ("OwnershipTransferred", (ZERO_ADDRESS, alice.address)),
            ("Transfer", (ZERO_ADDRESS, alice.address, SUPPLY)),
            ("Issued", (full.address, alice.address, "erc20")),
        ]
        other = chain.erc20.issue(alice, name="A", symbol="A", mintable=True, owner=bob)
        assert other.owner() == bob.address

    def test_passing_on(self, full, alice, bob, emitted, reverts):
        receipt = full.transfer_ownership(alice, bob)
        assert emitted(receipt, Erc20) == [("OwnershipTransferred", (alice.address, bob.address))]
        assert full.owner() == bob.address
        full.mint(bob, bob, 1)
        with reverts(Erc20.OwnableUnauthorizedAccount, alice.address):
            full.mint(alice, bob, 1)

    def test_refusals(self, full, alice, bob, reverts):
        with reverts(Erc20.OwnableUnauthorizedAccount, bob.address):
            full.transfer_ownership(bob, bob)
        with reverts(Erc20.OwnableUnauthorizedAccount, bob.address):
            full.renounce_ownership(bob)
        with reverts(Erc20.OwnableInvalidOwner, ZERO_ADDRESS):
            full.transfer_ownership(alice, ZERO_ADDRESS)

    def test_giving_up(self, full, alice, emitted, reverts):
        receipt = full.renounce_ownership(alice)
        assert emitted(receipt, Erc20) == [("OwnershipTransferred", (alice.address, ZERO_ADDRESS))]
        assert full.owner() == ZERO_ADDRESS
        with reverts(Erc20.OwnableUnauthorizedAccount, alice.address):
            full.mint(alice, alice, 1)

    def test_nobody_cannot_be_the_first_owner(self, chain, alice, reverts):
        for flags in ((True, False, False), (False, False, True)):
            config = Erc20.constructor_type.encode("A", "A", 18, 0, 0, *flags, ZERO_ADDRESS)
            data = Factory.abi_function("issue").encode_call("erc20", config)
            with reverts(Erc20.OwnableInvalidOwner.encode(ZERO_ADDRESS)):
                chain.send_call(alice, FACTORY_ADDRESS, data)


def test_what_is_switched_off_is_not_there(chain, token, alice, bob, reverts):
    for attempt in (
        lambda: token.mint(alice, bob, 1),
        lambda: token.burn(alice, 1),
        lambda: token.burn_from(alice, bob, 1),
        lambda: token.pause(alice),
        lambda: token.unpause(alice),
        lambda: token.transfer_ownership(alice, bob),
        lambda: token.renounce_ownership(alice),
        token.owner,
        token.paused,
        token.cap,
    ):
        with reverts(None):
            attempt()
    pausable = chain.erc20.issue(alice, name="A", symbol="A", pausable=True)
    assert pausable.owner() == alice.address
    with reverts(None):
        pausable.mint(alice, bob, 1)


def test_storage_is_laid_out_as_in_openzeppelins_contract(chain, full, alice, bob):
    full.approve(alice, bob, 3)
    full.transfer(alice, bob, 40)
    full.pause(alice)

    def at(place):
        return chain.storage(full, int.from_bytes(place, "big"))

    assert at(mapping_slot(slot(0), alice.address)) == SUPPLY - 40
    assert at(mapping_slot(slot(0), bob.address)) == 40
    assert at(mapping_slot(mapping_slot(slot(1), alice.address), bob.address)) == 3
    assert at(slot(2)) == SUPPLY
    assert at(slot(5)) == int.from_bytes(alice.address, "big")
    assert at(slot(6)) == 1


def test_a_balance_of_zero_leaves_no_slot(chain, token, alice, bob):
    """As on Ethereum a zero is not stored; the state root is that of a token that never had it."""
    place = int.from_bytes(mapping_slot(slot(0), bob.address), "big")
    root = chain.prove_account(token).storage_root
    token.transfer(alice, bob, 5)
    token.transfer(bob, alice, 5)
    assert chain.storage(token, place) == 0
    assert chain.prove_account(token).storage_root == root


def test_malformed_calls_revert_without_data(chain, token, alice, bob, reverts):
    good = Erc20.abi_function("transfer").encode_call(bob, 1)
    for data in (good[:4], good[:-1], good[:4] + b"\x01" + good[5:], b"\xa9\x05\x9c", b"\x01\x02\x03\x04"):
        with reverts(None):
            chain.send_call(alice, token.address, data)
    with reverts(None):
        chain.send_call(alice, token.address, b"", value=1)
    assert token.balance_of(alice) == SUPPLY
    chain.send_call(alice, token.address, good + b"trailing")
    assert token.balance_of(bob) == 1


def test_the_selectors_are_those_of_the_standard():
    expected = {
        "transfer": "a9059cbb",
        "transferFrom": "23b872dd",
        "approve": "095ea7b3",
        "balanceOf": "70a08231",
        "allowance": "dd62ed3e",
        "totalSupply": "18160ddd",
        "name": "06fdde03",
        "symbol": "95d89b41",
        "decimals": "313ce567",
        "permit": "d505accf",
        "nonces": "7ecebe00",
        "DOMAIN_SEPARATOR": "3644e515",
        "eip712Domain": "84b0196e",
        "mint": "40c10f19",
        "burn": "42966c68",
        "burnFrom": "79cc6790",
        "cap": "355274ea",
        "pause": "8456cb59",
        "unpause": "3f4ba83a",
        "paused": "5c975abb",
        "owner": "8da5cb5b",
        "transferOwnership": "f2fde38b",
        "renounceOwnership": "715018a6",
    }
    assert {
        entry.function.name: entry.function.selector.hex() for entry in Erc20.externals.values()
    } == expected
    topics = {entry.name: entry.topic.hex() for entry in Erc20.abi_events}
    assert topics["Transfer"] == "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
    assert topics["Approval"] == "8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925"
    errors = {entry.name: entry.selector.hex() for entry in Erc20.abi_errors}
    assert errors["ERC20InsufficientBalance"] == "e450d38c"
    assert errors["ERC20InvalidSender"] == "96c6fd1e"
    assert errors["ERC20InvalidReceiver"] == "ec442f05"
    assert errors["ERC20InsufficientAllowance"] == "fb8f41b2"
    assert errors["ERC20InvalidApprover"] == "e602df05"
    assert errors["ERC20InvalidSpender"] == "94280d62"
    assert errors["OwnableUnauthorizedAccount"] == "118cdaa7"
    assert errors["EnforcedPause"] == "d93c0665"


def test_another_encoding_of_the_config_is_refused(chain, alice):
    values = ("A", "A", 18, 6, 0, False, False, False, alice.address)
    types = [param.type for param in Erc20.constructor_type.inputs]
    assert Erc20.constructor_type.encode(*values) == encode_abi(types, values)
    data = Factory.abi_function("issue").encode_call("erc20", encode_abi(types, values) + bytes(32))
    with pytest.raises(Reverted) as caught:
        chain.send_call(alice, FACTORY_ADDRESS, data)
    assert caught.value.data[:4] == Factory.InvalidConfig.selector


def test_arguments_are_checked_before_anything_is_sent(chain, token, alice, bob):
    height = chain.height
    for value in (-1, 1 << 256, 1.5, "1"):
        with pytest.raises(UsageError):
            token.transfer(alice, bob, value)
    with pytest.raises(UsageError):
        token.transfer(alice, "0x123", 1)
    assert chain.height == height
