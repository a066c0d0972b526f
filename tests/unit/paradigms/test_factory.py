import pytest

from chainstack_sdk.core.native.code import paradigm_code
from chainstack_sdk.core.native.contract import error, event, external
from chainstack_sdk.core.native.slots import slot
from chainstack_sdk.paradigms import FACTORY_ADDRESS, FACTORY_CODE, Factory, Paradigm, default_registry
from chainstack_sdk.primitives.address import contract_address
from chainstack_sdk.primitives.errors import Reverted

ISSUE = Factory.abi_function("issue")
PANIC_12 = bytes.fromhex("4e487b71") + (0x12).to_bytes(32, "big")


class Picky(Paradigm):
    """Refuses some configs when it is created."""

    name = "picky"
    constructor = "constructor(uint256 number)"

    Created = event("event Created(address by, uint256 quotient)")
    Disliked = error("error Disliked(uint256 number)")

    def create(self, call):
        number = self.config.number
        call.require(number != 13, self.Disliked, number)
        call.store(slot(0), number)
        call.emit(self.Created, call.caller, 100 // number)


class Breeder(Paradigm):
    """A contract that issues contracts."""

    name = "breeder"

    @external("function breed(uint256 count)")
    def breed(self, call, count):
        for number in range(1, count + 1):
            call.call(FACTORY_ADDRESS, ISSUE.encode_call("picky", number.to_bytes(32, "big")))


@pytest.fixture
def chain(make_chain):
    registry = default_registry()
    registry.add(Picky)
    registry.add(Breeder)
    return make_chain(registry=registry)


def issue(chain, sender, name, config, **options):
    return chain.send_call(sender, FACTORY_ADDRESS, ISSUE.encode_call(name, config), **options)


def word(number):
    return number.to_bytes(32, "big")


def test_the_factory_stands_at_its_address(chain):
    assert FACTORY_ADDRESS.hex() == "0" * 36 + "4301"
    assert chain.code(FACTORY_ADDRESS) == FACTORY_CODE
    output = chain.call(FACTORY_ADDRESS, Factory.abi_function("paradigms").encode_call())
    names = Factory.abi_function("paradigms").decode_output(output)[0]
    assert names == ("erc20", "erc721", "auction", "shares", "picky", "breeder")


def test_issuing(chain, alice, emitted):
    nonce = chain.nonce(alice)
    receipt = issue(chain, alice, "picky", word(5))
    address = contract_address(alice.address, nonce)
    assert receipt.contract_address == address
    assert ISSUE.decode_output(receipt.output) == (address,)
    assert chain.code(address) == paradigm_code("picky", 1, word(5))
    assert (chain.nonce(address), chain.balance(address), chain.storage(address, 0)) == (1, 0, 5)
    assert emitted(receipt, Picky, Factory) == [
        ("Created", (alice.address, 20)),
        ("Issued", (address, alice.address, "picky")),
    ]
    assert [log.address for log in receipt.logs] == [address, FACTORY_ADDRESS]
    assert chain.nonce(alice) == nonce + 1


def test_each_instance_has_an_address_of_its_own(chain, alice, bob):
    receipts = [issue(chain, who, "picky", word(5)) for who in (alice, alice, bob)]
    assert len({receipt.contract_address for receipt in receipts}) == 3


def test_contracts_can_issue_too(chain, alice):
    breeder = chain.paradigm("breeder").issue(alice)
    receipt = breeder.send(alice, "breed", 3)
    for nonce in (1, 2, 3):
        child = contract_address(breeder.address, nonce)
        assert chain.storage(child, 0) == nonce
    assert chain.nonce(breeder) == 4
    assert receipt.contract_address == child


def test_refusals(chain, alice, reverts):
    for name, config, expected in [
        ("nothing", b"", Factory.UnknownParadigm.encode("nothing")),
        ("picky", word(13), Picky.Disliked.encode(13)),
        ("picky", word(0), PANIC_12),
    ]:
        with reverts(expected):
            issue(chain, alice, name, config)
    for config in (b"", bytes(31), bytes(33)):
        with pytest.raises(Reverted) as caught:
            issue(chain, alice, "picky", config)
        assert caught.value.data[:4] == Factory.InvalidConfig.selector
    with reverts(None):
        issue(chain, alice, "picky", word(5), value=1)


def test_a_refused_instance_leaves_nothing(chain, alice):
    nonce = chain.nonce(alice)
    with pytest.raises(Reverted) as caught:
        issue(chain, alice, "picky", word(13), gas=1_000_000)
    receipt = caught.value.receipt
    address = contract_address(alice.address, nonce)
    assert (receipt.status, receipt.logs, receipt.contract_address) == (0, (), None)
    assert (chain.code(address), chain.nonce(address)) == (b"", 0)
    assert chain.nonce(alice) == nonce + 1


def test_a_longer_code_costs_more(chain, alice):
    short, long = (
        chain.erc20.issue(alice, name="x" * size, symbol="X", supply=1).events(first=0)[-1].transaction_hash
        for size in (10, 1_000)
    )
    assert chain.receipt(long).gas_used > chain.receipt(short).gas_used + 900 * 200
