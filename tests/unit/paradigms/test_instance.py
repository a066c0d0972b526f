import pytest

from chainstack_sdk.chain import Chain
from chainstack_sdk.core.native.contract import error, event, external
from chainstack_sdk.core.native.slots import slot
from chainstack_sdk.paradigms import (
    Erc20Api,
    Erc20Token,
    Erc721Token,
    Instance,
    Paradigm,
    ParadigmApi,
    default_registry,
)
from chainstack_sdk.paradigms.erc20 import Erc20
from chainstack_sdk.primitives.address import to_checksum_address
from chainstack_sdk.primitives.errors import Rejected, Reverted, UsageError
from chainstack_sdk.primitives.keys import Account


class Journal(Paradigm):
    """Notes with several kinds of indexed values."""

    name = "journal"
    constructor = "constructor(address editor)"

    Noted = event("event Noted(address indexed by, string indexed topic, uint8 indexed mark, string text)")
    Closed = event("event Closed(uint256 at)")
    Unreadable = error("error Unreadable(string text, uint256[] where)")

    @external("function note(string topic, uint8 mark, string text) payable returns (uint256, string)")
    def note(self, call, topic, mark, text):
        call.require(text, self.Unreadable, text, [1, 2])
        call.store(slot(0), call.load(slot(0)) + 1)
        call.emit(self.Noted, call.caller, topic, mark, text)
        return call.load(slot(0)), text

    @external("function close()")
    def close(self, call):
        call.emit(self.Closed, call.block.height)

    @external("function whoami() view returns (address)")
    def whoami(self, call):
        return call.caller

    @external("function count() view returns (uint256)")
    def count(self, call):
        return call.load(slot(0))


@pytest.fixture
def chain(make_chain):
    registry = default_registry()
    registry.add(Journal)
    return make_chain(registry=registry)


@pytest.fixture
def journal(chain, alice):
    return chain.paradigm("journal").issue(alice, editor=alice)


def test_issue_and_at(chain, journal):
    api = chain.paradigm("journal")
    assert isinstance(api, ParadigmApi)
    assert isinstance(journal, Instance)
    assert len(journal.address) == 20
    for address in (journal, journal.address, to_checksum_address(journal)):
        assert api.at(address) == journal
    assert hash(api.at(journal.address)) == hash(journal)
    assert journal != api.at(bytes(20))
    assert journal != journal.address
    assert repr(journal) == f"Instance({to_checksum_address(journal)})"
    assert journal.abi == Journal.abi()


def test_handles_of_different_chains_differ(chain, journal, make_chain):
    other = make_chain(registry=chain.registry)
    assert other.paradigm("journal").at(journal) != journal


def test_sending(chain, journal, alice, bob):
    before = chain.balance(bob)
    receipt = journal.send(bob, "note", "birds", 3, "a heron", value=7)
    assert receipt.succeeded
    assert Journal.abi_function("note").decode_output(receipt.output) == (1, "a heron")
    assert chain.balance(journal) == 7
    assert before - chain.balance(bob) == 7 + receipt.gas_used * receipt.effective_gas_price
    assert journal.send(alice, "close").succeeded


def test_reading(journal, alice, bob):
    journal.send(alice, "note", "birds", 3, "a heron")
    assert journal.read("count") == 1
    assert journal.read("count", block=1) == 0
    assert journal.read("note", "birds", 3, "two") == (2, "two")
    assert journal.read("count") == 1
    assert journal.read("close") is None
    assert journal.read("whoami") == bytes(20)
    assert journal.read("whoami", sender=bob) == bob.address


def test_refusals_in_words_and_in_bytes(journal, alice):
    text = "Unreadable(text='', where=(1, 2))"
    for attempt in (
        lambda: journal.send(alice, "note", "a", 1, ""),
        lambda: journal.read("note", "a", 1, ""),
        lambda: journal.send(alice, "note", "a", 1, "", gas=200_000),
    ):
        with pytest.raises(Reverted) as caught:
            attempt()
        assert caught.value.message == text
        assert caught.value.data == Journal.Unreadable.encode("", [1, 2])
    assert not caught.value.receipt.succeeded


def test_refusals_without_words(journal, alice):
    with pytest.raises(Reverted) as caught:
        journal.send(alice, "close", value=1)
    assert caught.value.data == b""


def test_a_gas_limit_that_is_too_low(journal, alice):
    with pytest.raises(Reverted) as caught:
        journal.send(alice, "note", "a", 1, "text", gas=25_000)
    assert caught.value.receipt.gas_used == 25_000
    with pytest.raises(UsageError, match="intrinsic"):
        journal.send(alice, "close", gas=20_000)


def test_mistakes_of_the_caller(chain, journal, alice):
    for attempt in (
        lambda: journal.send(alice, "shut"),
        lambda: journal.send(alice, "close", 1),
        lambda: journal.read("note", "a", 256, "b"),
        lambda: journal.read("count", sender="0x12"),
        lambda: chain.paradigm("journal").issue(alice),
        lambda: chain.paradigm("journal").issue(alice, editor=5),
        lambda: chain.paradigm("diary"),
    ):
        with pytest.raises(UsageError):
            attempt()


def test_who_has_no_coin_cannot_send(journal):
    with pytest.raises(Rejected) as caught:
        journal.send(Account.from_key(99), "close", gas=100_000)
    assert caught.value.code == "insufficient_funds"


def test_an_address_without_a_contract(chain, alice):
    nothing = chain.paradigm("journal").at(b"\x77" * 20)
    with pytest.raises(UsageError, match="no such contract"):
        nothing.read("count")
    assert nothing.read("close") is None
    assert nothing.events() == []


def test_a_chain_without_a_factory(make_chain, alice):
    """The receipt then tells of no contract."""
    chain = make_chain()

    class Elsewhere:
        def send_call(self, sender, to, data, *, value=0, gas=None):
            return chain.send_call(sender, b"\x55" * 20, data, value=value, gas=gas)

    with pytest.raises(UsageError, match="no factory"):
        Erc20Api(Elsewhere()).issue(alice, name="A", symbol="A")


class TestEvents:
    @pytest.fixture
    def journal(self, journal, alice, bob):
        journal.send(alice, "note", "birds", 1, "a heron")
        journal.send(bob, "note", "birds", 2, "a grebe")
        journal.send(alice, "note", "bees", 2, "a swarm")
        journal.send(alice, "close")
        return journal

    def texts(self, found):
        return [event.args["text"] for event in found]

    def test_all(self, chain, journal, alice):
        found = journal.events()
        assert [event.name for event in found] == ["Noted", "Noted", "Noted", "Closed"]
        assert [event.height for event in found] == [2, 3, 4, 5]
        first = found[0]
        assert (first.address, first.log_index) == (journal.address, 0)
        assert chain.receipt(first.transaction_hash).height == 2
        assert first.args["by"] == alice.address
        assert first.args["mark"] == 1
        assert found[3].args == {"at": 5}

    def test_by_name_and_height(self, journal):
        assert self.texts(journal.events("Noted")) == ["a heron", "a grebe", "a swarm"]
        assert self.texts(journal.events("Noted", first=3)) == ["a grebe", "a swarm"]
        assert self.texts(journal.events("Noted", last=3)) == ["a heron", "a grebe"]
        assert self.texts(journal.events("Noted", first=3, last=3)) == ["a grebe"]
        assert len(journal.events("Closed")) == 1

    def test_by_indexed_values(self, journal, alice, bob):
        assert self.texts(journal.events("Noted", by=alice)) == ["a heron", "a swarm"]
        assert self.texts(journal.events("Noted", by=[alice, bob.address])) == [
            "a heron",
            "a grebe",
            "a swarm",
        ]
        assert self.texts(journal.events("Noted", by=[])) == []
        assert self.texts(journal.events("Noted", topic="birds")) == ["a heron", "a grebe"]
        assert self.texts(journal.events("Noted", topic=["bees", "ants"])) == ["a swarm"]
        assert self.texts(journal.events("Noted", mark=2)) == ["a grebe", "a swarm"]
        assert self.texts(journal.events("Noted", mark=2, by=to_checksum_address(bob))) == ["a grebe"]
        assert self.texts(journal.events("Noted", mark=3)) == []

    def test_what_is_not_indexed_cannot_be_looked_for(self, journal):
        for name, filters in (("Noted", {"text": "a heron"}), ("Noted", {"who": 1}), ("Closed", {"at": 5})):
            with pytest.raises(UsageError, match="no such indexed parameter"):
                journal.events(name, **filters)
        with pytest.raises(UsageError, match="name the event"):
            journal.events(mark=2)
        with pytest.raises(UsageError, match="no such event"):
            journal.events("Opened")
        with pytest.raises(UsageError):
            journal.events("Noted", mark=256)

    def test_only_of_this_contract(self, chain, journal, alice):
        other = chain.paradigm("journal").issue(alice, editor=alice)
        other.send(alice, "note", "birds", 1, "elsewhere")
        assert len(journal.events()) == 4
        assert self.texts(other.events()) == ["elsewhere"]

    def test_events_that_the_paradigm_does_not_declare(self, chain, journal):
        """A handle of another kind passes over them."""
        assert chain.erc20.at(journal).events() == []

    def test_reserved_words(self, chain, alice, bob):
        token = chain.erc20.issue(alice, name="A", symbol="A", supply=5)
        token.transfer(alice, bob, 1)
        assert [event.args["value"] for event in token.events("Transfer", from_=alice)] == [1]
        assert [event.args["value"] for event in token.events("Transfer", to=alice)] == [5]


def test_the_token_handles_are_instances(chain, alice):
    token = chain.erc20.issue(alice, name="Gold", symbol="GLD", supply=5)
    assert isinstance(token, Erc20Token)
    assert isinstance(chain.erc20.at(token.address), Erc20Token)
    assert Erc20Token(chain, token.address) == token
    assert token.contract is Erc20
    assert token.read("balanceOf(address)", alice) == 5
    nft = chain.erc721.issue(alice, name="Art", symbol="ART")
    assert Erc721Token(chain, nft.address).name == "Art"
    assert repr(nft).startswith("Erc721Token(0x")


def test_history_of_a_token(chain, alice, bob):
    token = chain.erc20.issue(alice, name="Gold", symbol="GLD", supply=5, burnable=True)
    token.burn(alice, 1)
    token.transfer(alice, bob, 1)
    assert [token.total_supply(block=height) for height in (1, 2, 3)] == [5, 4, 4]
    assert [token.balance_of(bob, block=height) for height in (1, 2, 3)] == [0, 0, 1]
    nft = chain.erc721.issue(alice, name="Art", symbol="ART")
    nft.mint(alice, alice, 1)
    nft.transfer(alice, bob, 1)
    assert [nft.owner_of(1, block=height) for height in (5, 6)] == [alice.address, bob.address]
    assert [nft.balance_of(bob, block=height) for height in (5, 6)] == [0, 1]
    assert [nft.total_supply(block=height) for height in (4, 5)] == [0, 1]


def test_any_signer_will_do(alice, bob):
    """A signer of the user's own: address and sign, as a hardware wallet has them."""

    class Wallet:
        address = alice.address

        def sign(self, digest):
            return alice.sign(digest)

    chain = Chain.in_memory({alice: 10**18}, auto_seal=True)
    token = chain.erc20.issue(Wallet(), name="Gold", symbol="GLD", supply=5)
    token.transfer(Wallet(), bob, 2)
    assert token.balance_of(bob) == 2
    token.permit(Wallet(), alice, bob, 1, token.sign_permit(Wallet(), bob, 1))
    assert token.allowance(alice, bob) == 1


def test_call_data_and_topics_for_ones_own_use():
    alice, bob = Account.from_key(21), Account.from_key(22)
    chain = Chain.in_memory({alice: 10**18})
    token = chain.erc20.issue(alice, name="Gold", symbol="GLD", supply=9)
    chain.send(chain.sign(alice, token.address, data=token.encode("transfer", bob, 4)).raw)
    chain.seal()
    assert token.balance_of(bob) == 4
    found = chain.logs(topics=[token.topic("Transfer"), None, bob.address.rjust(32, b"\0")])
    assert [each.log.data for each in found] == [(4).to_bytes(32, "big")]
    with pytest.raises(UsageError):
        token.topic("Moved")
