"""The cases of OpenZeppelin's published behaviour tests of ERC-721 and its extensions, and a few more."""

import pytest

from chainstack_sdk.paradigms import (
    FACTORY_ADDRESS,
    Factory,
    Paradigm,
    array_slot,
    default_registry,
    error,
    event,
    external,
    mapping_slot,
    panic,
    slot,
)
from chainstack_sdk.paradigms.erc721 import Erc721
from chainstack_sdk.primitives.address import ZERO_ADDRESS
from chainstack_sdk.primitives.errors import Reverted

FIRST, SECOND, FOURTH, NONEXISTENT = 5042, 79217, 4, 13
MAGIC = bytes.fromhex("150b7a02")
SILENT, REASON, CUSTOM, PANIC, HUNGRY = range(1, 6)


class Receiver(Paradigm):
    """A contract that takes tokens, or not, in the way that its config says."""

    name = "receiver"
    constructor = "constructor(bytes4 answer, uint8 mode)"

    Received = event("event Received(address operator, address from, uint256 tokenId, bytes data)")
    CustomError = error("error CustomError(bytes4 answer)")

    @external(
        "function onERC721Received(address operator, address from, uint256 tokenId, bytes data) "
        "returns (bytes4)"
    )
    def on_received(self, call, operator, sender, token_id, data):
        match self.config.mode:
            case 1:
                raise Reverted("", data=b"")
            case 2:
                raise call.error("ERC721ReceiverMock: reverting")
            case 3:
                raise call.error(self.CustomError, self.config.answer)
            case 4:
                raise panic(0x12)
            case 5:
                call.charge(call.gas_left + 1)
        call.emit(self.Received, operator, sender, token_id, data)
        return self.config.answer


class Wallet(Paradigm):
    """A contract without the function that receiving takes."""

    name = "wallet"

    @external("function f()")
    def f(self, call):
        pass


@pytest.fixture
def chain(make_chain):
    registry = default_registry()
    registry.add(Receiver)
    registry.add(Wallet)
    return make_chain(registry=registry)


@pytest.fixture
def empty(chain, alice):
    return chain.erc721.issue(alice, name="Non Fungible Token", symbol="NFT", burnable=True)


@pytest.fixture
def nft(empty, alice):
    """Alice owns two tokens."""
    empty.mint(alice, alice, FIRST)
    empty.mint(alice, alice, SECOND)
    return empty


@pytest.fixture
def receiver(chain, alice):
    return chain.paradigm("receiver").issue(alice, answer=MAGIC, mode=0)


def test_metadata(empty, chain, alice):
    assert (empty.name, empty.symbol) == ("Non Fungible Token", "NFT")
    assert empty.owner() == alice.address


def test_interfaces(empty):
    for interface in ("01ffc9a7", "80ac58cd", "5b5e139f", "780e9d63", "49064906"):
        assert empty.supports_interface(bytes.fromhex(interface)), interface
    for interface in ("ffffffff", "00000000", "36372b07"):
        assert not empty.supports_interface(bytes.fromhex(interface)), interface


def test_the_interface_identifiers_are_those_of_the_functions():
    """ERC-165: an identifier is the exclusive or of the selectors."""

    def joined(*names):
        total = 0
        for name in names:
            total ^= int.from_bytes(Erc721.abi_function(name).selector, "big")
        return total.to_bytes(4, "big")

    transfers = [f"{name}(address,address,uint256)" for name in ("transferFrom", "safeTransferFrom")]
    erc721 = joined(
        "balanceOf",
        "ownerOf",
        "approve",
        "getApproved",
        "setApprovalForAll",
        "isApprovedForAll",
        "safeTransferFrom(address,address,uint256,bytes)",
        *transfers,
    )
    from chainstack_sdk.paradigms.erc721 import INTERFACES

    assert INTERFACES[0] == joined("supportsInterface")
    assert INTERFACES[1] == erc721
    assert INTERFACES[2] == joined("name", "symbol", "tokenURI")
    assert INTERFACES[3] == joined("totalSupply", "tokenByIndex", "tokenOfOwnerByIndex")


def test_balances_and_owners(nft, alice, bob, reverts):
    assert (nft.balance_of(alice), nft.balance_of(bob)) == (2, 0)
    assert nft.owner_of(FIRST) == alice.address
    with reverts(Erc721.ERC721InvalidOwner, ZERO_ADDRESS):
        nft.balance_of(ZERO_ADDRESS)
    with reverts(Erc721.ERC721NonexistentToken, NONEXISTENT):
        nft.owner_of(NONEXISTENT)


PLAIN = "transferFrom(address,address,uint256)", ()
SAFE = "safeTransferFrom(address,address,uint256)", ()
WITH_DATA = "safeTransferFrom(address,address,uint256,bytes)", (b"\x42",)


@pytest.fixture(params=[PLAIN, SAFE, WITH_DATA], ids=["plain", "safe", "data"])
def move(request, nft, people):
    """Send a token in one of the three ways; Bob is approved for the first, Carol is an operator."""
    alice, bob, carol = people[:3]
    nft.approve(alice, bob, FIRST)
    nft.set_approval_for_all(alice, carol)
    function, extra = request.param
    return lambda sender, owner, to, token_id: nft.send(sender, function, owner, to, token_id, *extra)


class TestTransfer:
    @pytest.mark.parametrize("who", [0, 1, 2], ids=["owner", "approved", "operator"])
    @pytest.mark.parametrize("to_contract", [False, True])
    def test_by_those_who_may(self, nft, move, people, receiver, emitted, who, to_contract):
        alice, dave = people[0], people[3]
        to = receiver.address if to_contract else dave.address
        receipt = move(people[who], alice, to, FIRST)
        assert nft.owner_of(FIRST) == to
        events = emitted(receipt, Erc721, Receiver)
        assert events[0] == ("Transfer", (alice.address, to, FIRST))
        assert [name for name, _values in events[1:]] in ([], ["Received"])
        assert nft.get_approved(FIRST) == ZERO_ADDRESS
        assert (nft.balance_of(alice), nft.balance_of(to)) == (1, 1)
        assert nft.token_of_owner_by_index(to, 0) == FIRST
        assert nft.token_of_owner_by_index(alice, 0) == SECOND

    def test_by_an_operator_without_an_approved_user(self, nft, move, alice, carol, dave):
        nft.approve(alice, ZERO_ADDRESS, FIRST)
        move(carol, alice, dave, FIRST)
        assert nft.owner_of(FIRST) == dave.address

    def test_to_the_owner(self, nft, move, alice, emitted):
        before = nft.tokens_of(alice), nft.tokens()
        receipt = move(alice, alice, alice, FIRST)
        assert emitted(receipt, Erc721) == [("Transfer", (alice.address, alice.address, FIRST))]
        assert nft.owner_of(FIRST) == alice.address
        assert nft.get_approved(FIRST) == ZERO_ADDRESS
        assert nft.balance_of(alice) == 2
        assert (nft.tokens_of(alice), nft.tokens()) == before

    def test_a_wrong_owner(self, move, alice, bob, dave, reverts):
        with reverts(Erc721.ERC721IncorrectOwner, dave.address, FIRST, alice.address):
            move(alice, dave, dave, FIRST)

    def test_by_a_stranger(self, move, alice, dave, reverts):
        with reverts(Erc721.ERC721InsufficientApproval, dave.address, FIRST):
            move(dave, alice, dave, FIRST)

    def test_the_approved_may_move_that_token_only(self, move, alice, bob, reverts):
        with reverts(Erc721.ERC721InsufficientApproval, bob.address, SECOND):
            move(bob, alice, bob, SECOND)

    def test_a_token_that_is_not(self, move, alice, bob, receiver, reverts):
        for to in (bob, receiver):
            with reverts(Erc721.ERC721NonexistentToken, NONEXISTENT):
                move(alice, alice, to, NONEXISTENT)

    def test_to_nobody(self, move, alice, reverts):
        with reverts(Erc721.ERC721InvalidReceiver, ZERO_ADDRESS):
            move(alice, alice, ZERO_ADDRESS, FIRST)

    def test_by_nobody(self, nft, alice, bob, reverts):
        with reverts(Erc721.ERC721InsufficientApproval, ZERO_ADDRESS, FIRST):
            nft.read("transferFrom", alice, bob, FIRST, sender=ZERO_ADDRESS)


SAFE_WAYS = {
    "transfer": lambda nft, sender, to: nft.safe_transfer_from(sender, sender, to, FIRST),
    "transfer with data": lambda nft, sender, to: nft.safe_transfer_from(sender, sender, to, FIRST, b"\x42"),
    "mint": lambda nft, sender, to: nft.mint(sender, to, FOURTH, safe=True),
    "mint with URI": lambda nft, sender, to: nft.mint(sender, to, FOURTH, "uri", safe=True),
}


@pytest.mark.parametrize("way", SAFE_WAYS.values(), ids=SAFE_WAYS)
class TestReceivers:
    def issue(self, chain, alice, mode=0, answer=MAGIC):
        return chain.paradigm("receiver").issue(alice, answer=answer, mode=mode)

    def test_that_answer_otherwise(self, chain, nft, alice, reverts, way):
        other = self.issue(chain, alice, answer=bytes.fromhex("deadbeef"))
        with reverts(Erc721.ERC721InvalidReceiver, other.address):
            way(nft, alice, other)

    def test_that_revert_with_a_message(self, chain, nft, alice, reverts, way):
        from chainstack_sdk.primitives.abi import encode_revert

        with reverts(encode_revert("ERC721ReceiverMock: reverting")) as caught:
            way(nft, alice, self.issue(chain, alice, REASON))
        assert caught.value.message == "ERC721ReceiverMock: reverting"

    def test_that_revert_without_a_message(self, chain, nft, alice, reverts, way):
        silent = self.issue(chain, alice, SILENT)
        with reverts(Erc721.ERC721InvalidReceiver, silent.address):
            way(nft, alice, silent)

    def test_that_revert_with_a_custom_error(self, chain, nft, alice, reverts, way):
        with reverts(Receiver.CustomError.encode(MAGIC)):
            way(nft, alice, self.issue(chain, alice, CUSTOM))

    def test_that_panic(self, chain, nft, alice, reverts, way):
        with reverts(bytes.fromhex("4e487b71") + (0x12).to_bytes(32, "big")):
            way(nft, alice, self.issue(chain, alice, PANIC))

    def test_that_use_up_all_gas(self, chain, nft, alice, reverts, way):
        with reverts(None) as caught:
            way(nft, alice, self.issue(chain, alice, HUNGRY))
        assert "gas" in caught.value.message

    def test_that_are_none(self, chain, nft, alice, reverts, way):
        for contract in (chain.paradigm("wallet").issue(alice), nft):
            with reverts(Erc721.ERC721InvalidReceiver, contract.address):
                way(nft, alice, contract)


def test_what_a_receiver_is_told(nft, alice, bob, receiver, emitted):
    nft.approve(alice, bob, FIRST)
    receipt = nft.safe_transfer_from(bob, alice, receiver, FIRST, b"\x42")
    assert emitted(receipt, Erc721, Receiver) == [
        ("Transfer", (alice.address, receiver.address, FIRST)),
        ("Received", (bob.address, alice.address, FIRST, b"\x42")),
    ]
    receipt = nft.mint(alice, receiver, FOURTH, "x", safe=True)
    assert emitted(receipt, Erc721, Receiver) == [
        ("Transfer", (ZERO_ADDRESS, receiver.address, FOURTH)),
        ("Received", (alice.address, ZERO_ADDRESS, FOURTH, b"")),
        ("MetadataUpdate", (FOURTH,)),
    ]
    assert nft.transfer(alice, receiver, SECOND).succeeded


def test_a_plain_transfer_asks_nobody(chain, nft, alice):
    wallet = chain.paradigm("wallet").issue(alice)
    nft.transfer_from(alice, alice, wallet, FIRST)
    nft.mint(alice, wallet, FOURTH)
    assert nft.balance_of(wallet) == 2


class TestApprove:
    @pytest.mark.parametrize("before", [None, 1, 3])
    @pytest.mark.parametrize("target", [None, 1])
    def test_sets_the_approval(self, nft, people, emitted, before, target):
        alice = people[0]
        if before is not None:
            nft.approve(alice, people[before], FIRST)
        to = ZERO_ADDRESS if target is None else people[target].address
        receipt = nft.approve(alice, to, FIRST)
        assert nft.get_approved(FIRST) == to
        assert emitted(receipt, Erc721) == [("Approval", (alice.address, to, FIRST))]

    def test_by_a_stranger(self, nft, bob, dave, reverts):
        with reverts(Erc721.ERC721InvalidApprover, dave.address):
            nft.approve(dave, bob, FIRST)

    def test_by_the_approved(self, nft, alice, bob, dave, reverts):
        nft.approve(alice, bob, FIRST)
        with reverts(Erc721.ERC721InvalidApprover, bob.address):
            nft.approve(bob, dave, FIRST)

    def test_by_an_operator(self, nft, alice, bob, carol, emitted):
        nft.set_approval_for_all(alice, carol)
        receipt = nft.approve(carol, bob, FIRST)
        assert nft.get_approved(FIRST) == bob.address
        assert emitted(receipt, Erc721) == [("Approval", (alice.address, bob.address, FIRST))]

    def test_a_token_that_is_not(self, nft, alice, bob, reverts):
        with reverts(Erc721.ERC721NonexistentToken, NONEXISTENT):
            nft.approve(alice, bob, NONEXISTENT)
        with reverts(Erc721.ERC721NonexistentToken, NONEXISTENT):
            nft.get_approved(NONEXISTENT)
        assert nft.get_approved(FIRST) == ZERO_ADDRESS

    @pytest.mark.parametrize("before", [None, False, True])
    @pytest.mark.parametrize("approved", [True, False])
    def test_operators(self, nft, alice, carol, emitted, before, approved):
        if before is not None:
            nft.set_approval_for_all(alice, carol, before)
        receipt = nft.set_approval_for_all(alice, carol, approved)
        assert nft.is_approved_for_all(alice, carol) is approved
        assert not nft.is_approved_for_all(carol, alice)
        assert emitted(receipt, Erc721) == [("ApprovalForAll", (alice.address, carol.address, approved))]

    def test_nobody_as_operator(self, nft, alice, reverts):
        with reverts(Erc721.ERC721InvalidOperator, ZERO_ADDRESS):
            nft.set_approval_for_all(alice, ZERO_ADDRESS)


class TestMint:
    def test_minting(self, empty, alice, bob, emitted):
        receipt = empty.mint(alice, bob, FIRST)
        assert emitted(receipt, Erc721) == [("Transfer", (ZERO_ADDRESS, bob.address, FIRST))]
        assert (empty.balance_of(bob), empty.owner_of(FIRST)) == (1, bob.address)

    def test_to_nobody(self, empty, alice, reverts):
        for safe in (False, True):
            with reverts(Erc721.ERC721InvalidReceiver, ZERO_ADDRESS):
                empty.mint(alice, ZERO_ADDRESS, FIRST, safe=safe)

    def test_twice(self, nft, alice, bob, reverts):
        with reverts(Erc721.ERC721InvalidSender, ZERO_ADDRESS):
            nft.mint(alice, bob, FIRST)

    def test_the_collections_owner_only(self, nft, bob, reverts):
        for uri in (None, "x"):
            for safe in (False, True):
                with reverts(Erc721.OwnableUnauthorizedAccount, bob.address):
                    nft.mint(bob, bob, FOURTH, uri, safe=safe)

    def test_the_role_can_be_passed_on_and_given_up(self, nft, alice, bob, reverts):
        nft.transfer_ownership(alice, bob)
        nft.mint(bob, bob, FOURTH)
        nft.renounce_ownership(bob)
        assert nft.owner() == ZERO_ADDRESS
        with reverts(Erc721.OwnableUnauthorizedAccount, bob.address):
            nft.mint(bob, bob, 1)

    def test_any_number_will_do(self, empty, alice):
        for number in (0, (1 << 256) - 1):
            empty.mint(alice, alice, number)
            assert empty.owner_of(number) == alice.address
        assert empty.tokens() == [0, (1 << 256) - 1]


class TestBurn:
    def test_burning(self, nft, alice, emitted, reverts):
        receipt = nft.burn(alice, FIRST)
        assert emitted(receipt, Erc721) == [("Transfer", (alice.address, ZERO_ADDRESS, FIRST))]
        assert nft.balance_of(alice) == 1
        for attempt in (
            lambda: nft.owner_of(FIRST),
            lambda: nft.burn(alice, FIRST),
            lambda: nft.get_approved(FIRST),
            lambda: nft.token_uri(FIRST),
        ):
            with reverts(Erc721.ERC721NonexistentToken, FIRST):
                attempt()

    def test_by_those_who_may(self, nft, alice, bob, carol, dave, reverts):
        with reverts(Erc721.ERC721InsufficientApproval, dave.address, FIRST):
            nft.burn(dave, FIRST)
        nft.approve(alice, bob, FIRST)
        nft.burn(bob, FIRST)
        nft.set_approval_for_all(alice, carol)
        nft.burn(carol, SECOND)
        assert nft.total_supply() == 0

    def test_an_approval_does_not_outlive_the_token(self, nft, alice, bob, reverts):
        nft.approve(alice, bob, FIRST)
        nft.burn(alice, FIRST)
        nft.mint(alice, alice, FIRST)
        with reverts(Erc721.ERC721InsufficientApproval, bob.address, FIRST):
            nft.burn(bob, FIRST)


class TestUris:
    BASE, OWN = "https://api.example.com/v1/", "mock://mytoken"

    def test_without_a_base(self, nft, alice, bob, reverts):
        assert nft.token_uri(FIRST) == ""
        nft.mint(alice, bob, FOURTH, self.OWN)
        assert nft.token_uri(FOURTH) == self.OWN
        with reverts(Erc721.ERC721NonexistentToken, NONEXISTENT):
            nft.token_uri(NONEXISTENT)

    @pytest.mark.parametrize("own", [OWN, "ü" * 100])
    def test_with_a_base(self, chain, alice, own, emitted):
        nft = chain.erc721.issue(alice, name="A", symbol="A", base_uri=self.BASE)
        nft.mint(alice, alice, FIRST)
        receipt = nft.mint(alice, alice, SECOND, own)
        assert emitted(receipt, Erc721)[1] == ("MetadataUpdate", (SECOND,))
        assert nft.token_uri(FIRST) == f"{self.BASE}{FIRST}"
        assert nft.token_uri(SECOND) == self.BASE + own


class TestEnumeration:
    def test_lists(self, nft, alice, bob, reverts):
        assert nft.total_supply() == 2
        assert nft.tokens() == nft.tokens_of(alice) == [FIRST, SECOND]
        with reverts(Erc721.ERC721OutOfBoundsIndex, alice.address, 2):
            nft.token_of_owner_by_index(alice, 2)
        with reverts(Erc721.ERC721OutOfBoundsIndex, bob.address, 0):
            nft.token_of_owner_by_index(bob, 0)
        with reverts(Erc721.ERC721OutOfBoundsIndex, ZERO_ADDRESS, 2):
            nft.token_by_index(2)
        with reverts(Erc721.ERC721InvalidOwner, ZERO_ADDRESS):
            nft.token_of_owner_by_index(ZERO_ADDRESS, 0)

    def test_after_giving_everything_away(self, nft, alice, bob, reverts):
        nft.transfer_from(alice, alice, bob, FIRST)
        nft.transfer_from(alice, alice, bob, SECOND)
        assert nft.tokens_of(bob) == [FIRST, SECOND]
        assert nft.tokens_of(alice) == []
        with reverts(Erc721.ERC721OutOfBoundsIndex, alice.address, 0):
            nft.token_of_owner_by_index(alice, 0)

    def test_after_burning(self, nft, alice):
        for burnt in (FIRST, SECOND):
            nft.mint(alice, alice, 300)
            nft.mint(alice, alice, 400)
            nft.burn(alice, burnt)
            left = {FIRST, SECOND, 300, 400} - {burnt}
            assert set(nft.tokens()) == set(nft.tokens_of(alice)) == left
            nft.mint(alice, alice, burnt)
            for number in (300, 400):
                nft.burn(alice, number)
            assert set(nft.tokens()) == {FIRST, SECOND}

    def test_nothing_is_left_of_all_tokens(self, chain, nft, alice, bob):
        root = chain.prove_account(nft).storage_root
        nft.mint(alice, bob, FOURTH)
        nft.approve(bob, alice, FOURTH)
        nft.transfer(bob, alice, FOURTH)
        nft.burn(alice, FOURTH)
        assert chain.prove_account(nft).storage_root == root


def test_storage_is_laid_out_as_in_openzeppelins_contract(chain, nft, alice, bob):
    nft.approve(alice, bob, SECOND)
    nft.set_approval_for_all(alice, bob)

    def at(place):
        return chain.storage(nft, int.from_bytes(place, "big"))

    who = int.from_bytes(alice.address, "big")
    assert at(mapping_slot(slot(2), FIRST)) == who
    assert at(mapping_slot(slot(3), alice.address)) == 2
    assert at(mapping_slot(slot(4), SECOND)) == int.from_bytes(bob.address, "big")
    assert at(mapping_slot(mapping_slot(slot(5), alice.address), bob.address)) == 1
    assert at(mapping_slot(mapping_slot(slot(6), alice.address), 1)) == SECOND
    assert at(mapping_slot(slot(7), SECOND)) == 1
    assert (at(slot(8)), at(array_slot(slot(8), 1))) == (2, SECOND)
    assert at(mapping_slot(slot(9), SECOND)) == 1
    assert at(slot(11)) == who


def test_what_is_switched_off_is_not_there(chain, alice, bob, reverts):
    nft = chain.erc721.issue(alice, name="A", symbol="A", mintable=False)
    for attempt in (
        lambda: nft.mint(alice, bob, 1),
        lambda: nft.mint(alice, bob, 1, "uri", safe=True),
        lambda: nft.burn(alice, 1),
        lambda: nft.transfer_ownership(alice, bob),
        lambda: nft.renounce_ownership(alice),
        nft.owner,
    ):
        with reverts(None):
            attempt()
    assert nft.events() == []


def test_the_first_owner(chain, nft, alice, bob, emitted, reverts):
    other = chain.erc721.issue(alice, name="A", symbol="A", owner=bob)
    assert other.owner() == bob.address
    config = Erc721.constructor_type.encode("A", "A", "", True, False, ZERO_ADDRESS)
    data = Factory.abi_function("issue").encode_call("erc721", config)
    with reverts(Erc721.OwnableInvalidOwner.encode(ZERO_ADDRESS)):
        chain.send_call(alice, FACTORY_ADDRESS, data)


def test_the_standards_selectors():
    selectors = {
        entry.function.signature: entry.function.selector.hex() for entry in Erc721.externals.values()
    }
    assert selectors["safeTransferFrom(address,address,uint256)"] == "42842e0e"
    assert selectors["safeTransferFrom(address,address,uint256,bytes)"] == "b88d4fde"
    assert selectors["ownerOf(uint256)"] == "6352211e"
    assert selectors["setApprovalForAll(address,bool)"] == "a22cb465"
    errors = {entry.name: entry.selector.hex() for entry in Erc721.abi_errors}
    assert errors["ERC721InvalidOwner"] == "89c62b64"
    assert errors["ERC721NonexistentToken"] == "7e273289"
    assert errors["ERC721IncorrectOwner"] == "64283d7b"
    assert errors["ERC721InvalidSender"] == "73c6ac6e"
    assert errors["ERC721InvalidReceiver"] == "64a0ae92"
    assert errors["ERC721InsufficientApproval"] == "177e802f"
    assert errors["ERC721InvalidApprover"] == "a9fbf51f"
    assert errors["ERC721InvalidOperator"] == "5b08ba18"
    assert errors["ERC721OutOfBoundsIndex"] == "a57d13dc"
