"""Shards: one address space, coin that goes from one to another, and processes that die."""

from __future__ import annotations

import io
import os
import random
import signal
import time

import pytest

from chainstack_sdk import Chain, ChainStack, ether, gwei
from chainstack_sdk.core.closing import Closing, HeaderExtras
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.core.transactions import sign_transaction
from chainstack_sdk.primitives.errors import InvalidInput, InvariantBroken, Rejected, Reverted, UsageError
from chainstack_sdk.system.shards import (
    BANK_ADDRESS,
    Homes,
    Sealed,
    ShardBank,
    ShardDown,
    ShardedStack,
    Shipment,
    ports,
)
from chainstack_sdk.system.shards.bank import MAX_ENTRIES, MAX_SUPPLY, with_bank
from chainstack_sdk.system.shards.consensus import ShardConsensus, ShardRules
from chainstack_sdk.system.shards.homes import MAX_SHARDS, home_of
from chainstack_sdk.system.shards.ports import LocalPort, ProcessPort
from chainstack_sdk.system.shards.shard import OPERATOR_COIN, Shard, ShardSpec
from chainstack_sdk.system.shards.worker import read_frame, serve, write_frame
from chainstack_sdk.testing.fixed import accounts
from chainstack_sdk.xchain.addresses import HUB_ADDRESS
from chainstack_sdk.xchain.hub.storage import DEFAULT_CAP

PEOPLE = accounts(24, "shard test account")
TWO = Homes(2, 500)


def at_home(shard: int, count: int = 2) -> list:
    return [account for account in PEOPLE if home_of(account.address, count) == shard]


def opened(count: int = 2, **options) -> ShardedStack:
    options = {"workers": False, **options}
    return ShardedStack.open(count, dict.fromkeys(PEOPLE, ether(10)), **options)


def sealed(stack: ShardedStack) -> list[Sealed]:
    """Seal, and check that no coin came or went."""
    reports = stack.seal()
    assert stack.supply() == stack.genesis_supply
    return reports


# Where accounts are at home


def test_homes_are_equal_ranges_of_addresses():
    assert [home_of(bytes([first]) + bytes(19), 4) for first in (0, 63, 64, 127, 128, 191, 192, 255)] == [
        *(0, 0, 1, 1, 2, 2, 3, 3)
    ]
    assert {home_of(bytes([first]) * 20, 1) for first in range(256)} == {0}
    for count in (3, 7, MAX_SHARDS):
        edge = ((1 << 64) + count - 1) // count  # the first value of range 1
        assert home_of(edge.to_bytes(8, "big") + bytes(12), count) == 1
        assert home_of((edge - 1).to_bytes(8, "big") + b"\xff" * 12, count) == 0
        assert home_of(b"\xff" * 20, count) == count - 1


def test_homes_know_their_chains():
    homes = Homes(3, 500).checked()
    assert [homes.chain_of(shard) for shard in range(3)] == [500, 501, 502]
    assert [homes.shard_with(chain) for chain in (499, 500, 502, 503, None)] == [None, 0, 2, None, None]


@pytest.mark.parametrize(
    "homes", [Homes(0, 1), Homes(MAX_SHARDS + 1, 1), Homes(1, 0), Homes(2, (1 << 63) - 2)]
)
def test_impossible_homes(homes):
    with pytest.raises(UsageError):
        homes.checked()


# The stack


@pytest.mark.parametrize("count", [1, 2, 3])
def test_transfers_within_and_between_shards(count):
    with opened(count) as stack:
        assert stack.supply() == stack.genesis_supply == ether(10) * len(PEOPLE) + count * OPERATOR_COIN
        sender = PEOPLE[0]
        for receiver in PEOPLE[1:7]:
            done = stack.transfer(sender, receiver, ether(1))
            same = stack.shard_of(sender) == stack.shard_of(receiver)
            assert (done.source, done.destination) == (stack.shard_of(sender), stack.shard_of(receiver))
            assert done.rounds == (1 if same else 2)
            assert stack.succeeded(done.transaction_hash)
            assert stack.balance(receiver) == ether(11)
            assert stack.in_flight == 0
            assert stack.supply() == stack.genesis_supply
        assert stack.nonce(sender) == 6
        assert ether(4) - gwei(21_000 * 6 * 2) < stack.balance(sender) < ether(4)
        assert stack.succeeded(bytes(32)) is None


def test_coin_leaves_in_its_block_and_arrives_in_the_next():
    with opened() as stack:
        alice, bob = at_home(0)[0], at_home(1)[0]
        (digest,) = stack.send_many([stack.sign(alice, bob, ether(3))])
        first, second = sealed(stack)
        assert (first.transactions, second.transactions) == (1, 0)
        assert first.sent == (Shipment(0, 1, 1, ether(3)),)
        assert (first.received, second.sent, second.received) == ((), (), ())
        assert stack.in_flight == ether(3)
        assert stack.balance(bob) == ether(10)
        assert stack.succeeded(digest)
        first, second = sealed(stack)
        assert second.received == (Shipment(0, 1, 1, ether(3)),)
        assert stack.in_flight == 0
        assert stack.balance(bob) == ether(13)
        assert [len(report.mail) for report in sealed(stack)] == [0, 0]  # the acknowledgement went home
        assert stack.settle() == 0


def test_what_goes_to_one_shard_goes_in_one_packet():
    with opened() as stack:
        alice, bob = at_home(0)[0], at_home(1)[:2]
        start = stack.nonce(alice)
        raws = [stack.sign(alice, bob[i % 2], i + 1, nonce=start + i).raw for i in range(10)]
        stack.send_many(raws)
        first, _ = sealed(stack)
        assert first.sent == (Shipment(0, 1, 1, sum(range(1, 11))),)
        sealed(stack)
        assert [stack.balance(one) - ether(10) for one in bob] == [1 + 3 + 5 + 7 + 9, 2 + 4 + 6 + 8 + 10]


def test_more_accounts_than_a_packet_holds():
    with opened() as stack:
        alice, count = at_home(0)[0], MAX_ENTRIES + 5
        receivers = [b"\xff" + number.to_bytes(19, "big") for number in range(count)]
        stack.send_many([stack.sign(alice, one, 1, nonce=n) for n, one in enumerate(receivers)])
        first, _ = sealed(stack)
        assert [shipment.amount for shipment in first.sent] == [MAX_ENTRIES, 5]
        _, second = sealed(stack)
        assert second.received == first.sent
        assert all(stack.balance(one) == 1 for one in receivers)


def test_a_storm_of_transfers_conserves_coin():
    seed = 20
    draw = random.Random(seed)
    with opened(3) as stack:
        nonces = dict.fromkeys(PEOPLE, 0)
        expected = dict.fromkeys(PEOPLE, 0)
        for _ in range(6):
            raws = []
            for _ in range(40):
                sender, receiver, amount = draw.choice(PEOPLE), draw.choice(PEOPLE), draw.randrange(gwei(1))
                raws.append(
                    sign_transaction(
                        sender,
                        chain_id=stack.chain_id_of(sender),
                        nonce=nonces[sender],
                        to=receiver.address,
                        gas=21_000,
                        value=amount,
                        max_fee_per_gas=gwei(3),
                        max_priority_fee_per_gas=draw.randrange(gwei(1)),
                    ).raw
                )
                nonces[sender] += 1
                expected[receiver] += amount
                expected[sender] -= amount
            stack.send_many(raws)
            reports = sealed(stack)
            assert sum(report.transactions for report in reports) == 40, f"seed {seed}"
        stack.settle()
        assert stack.supply() == stack.genesis_supply
        for account, change in expected.items():
            fees = ether(10) + change - stack.balance(account)
            assert 0 <= fees <= nonces[account] * 21_000 * gwei(3), f"seed {seed}"


def test_transactions_are_routed_by_the_chain_they_are_signed_for():
    with opened() as stack:
        alice, bob = at_home(0)[0], at_home(1)[0]
        fields = {"nonce": 0, "to": alice.address, "gas": 25_000, "value": 1}
        legacy = sign_transaction(bob, chain_id=stack.chain_id_of(bob), gas_price=gwei(3), **fields)
        listed = sign_transaction(
            alice,
            chain_id=stack.chain_id_of(alice),
            gas_price=gwei(3),
            access_list=((b"\1" * 20, ()),),
            **fields,
        )
        elsewhere = sign_transaction(alice, chain_id=7, gas_price=gwei(3), **fields)
        odd = sign_transaction(
            alice,
            chain_id=9,
            access_list=((b"\1" * 20, ()),),
            max_fee_per_gas=1,
            max_priority_fee_per_gas=1,
            **fields,
        )
        stranger = sign_transaction(
            alice,
            chain_id=stack.chain_id_of(bob),
            max_fee_per_gas=gwei(3),
            max_priority_fee_per_gas=0,
            **fields,
        )
        long_list = sign_transaction(
            alice,
            chain_id=stack.chain_id_of(alice),
            max_fee_per_gas=gwei(3),
            max_priority_fee_per_gas=0,
            access_list=tuple((bytes([n]) * 20, ()) for n in range(20)),
            **{**fields, "nonce": 1, "gas": 100_000},
        )
        garbage = b"\x02" + bytes(40)
        outcomes = stack.send_many(
            [legacy, listed.raw, elsewhere, b"\x05", stranger, long_list, odd, garbage], strict=False
        )
        assert (outcomes[0], outcomes[1], outcomes[5]) == (legacy.hash, listed.hash, long_list.hash)
        assert [getattr(outcomes[n], "code", None) for n in (2, 3, 4, 6)] == [
            *("wrong_chain", None, "not_permitted", "wrong_chain")
        ]
        assert isinstance(outcomes[3], InvalidInput)
        assert isinstance(outcomes[7], Rejected)
        with pytest.raises(Rejected, match="already") as caught:
            stack.send_many([legacy])
        assert caught.value.index == 0
        assert [report.transactions for report in sealed(stack)] == [2, 1]


def test_malformed_transactions_are_the_shards_to_refuse():
    with opened(1) as stack:
        raw = stack.sign(PEOPLE[0], PEOPLE[1], 1).raw
        (outcome,) = stack.send_many([raw + b"\0"], strict=False)
        assert isinstance(outcome, InvalidInput)


def test_more_than_somebody_has():
    with opened() as stack, pytest.raises(Rejected) as caught:
        stack.transfer(at_home(0)[0], at_home(1)[0], ether(11))
    assert caught.value.code == "insufficient_funds"


def test_a_contract_that_takes_no_payments():
    with opened(1) as stack:
        with pytest.raises(UsageError, match="refused"):
            stack.transfer(PEOPLE[0], HUB_ADDRESS, 1)
        transaction = sign_transaction(
            PEOPLE[1],
            chain_id=stack.chain_id_of(PEOPLE[1]),
            nonce=0,
            to=BANK_ADDRESS,
            gas=50_000,
            value=1,
            max_fee_per_gas=gwei(3),
            max_priority_fee_per_gas=0,
        )
        stack.send_many([transaction])
        (report,) = sealed(stack)
        assert report.failed == (transaction.hash,)
        assert stack.succeeded(transaction.hash) is False


@pytest.mark.parametrize(
    ("funds", "reason"),
    [
        ({PEOPLE[0]: MAX_SUPPLY}, "2\\^96"),
        ({PEOPLE[0]: -1}, "2\\^96"),
        ({BANK_ADDRESS: 1}, "endowed"),
        ({HUB_ADDRESS: 1}, "endowed"),
    ],
)
def test_impossible_funds(funds, reason):
    with pytest.raises(UsageError, match=reason):
        ShardedStack.open(1, funds, workers=False)


def test_coin_that_does_not_arrive_is_not_waited_for_for_ever():
    with opened() as stack:
        stack.send_many([stack.sign(at_home(0)[0], at_home(1)[0], 1)])
        stack.seal()
        with pytest.raises(UsageError, match="on its way between"):
            stack.settle(0)
        stack._shipments[0, 1, 1] += 1
        with pytest.raises(InvariantBroken, match="out of nowhere"):
            stack.seal()


def test_a_transfer_that_no_block_has_room_for(monkeypatch):
    with opened() as stack:
        monkeypatch.setattr(stack, "seal", lambda: None)
        with pytest.raises(UsageError, match="no room"):
            stack.transfer(at_home(0)[0], at_home(1)[0], 1)


# Shards by themselves


def pair(**supply: int) -> list[Shard]:
    shards = []
    for index, name in enumerate(("one", "other")):
        funds = {account.address: ether(10) for account in at_home(index)}
        whole = ether(10) * len(PEOPLE) + 2 * OPERATOR_COIN
        shards.append(Shard(ShardSpec(TWO, index, bytes([index]) * 32, supply.get(name, whole), funds)))
    for here, there in ((0, 1), (1, 0)):
        shards[here].meet([(there, shards[there].anchor)])
    return shards


def pay(shard: Shard, sender, receiver: bytes, amount: int, **options) -> None:
    transaction = shard.chain.sign(sender, receiver, value=amount, **options)
    assert shard.admit([transaction.raw]) == [transaction.hash]


def proofs_for(shard: int, report: Sealed) -> list[bytes]:
    return [proof for whom, proof in report.mail if whom == shard]


def test_full_blocks_leave_coin_for_the_next():
    """When a block may be too full for what follows its transfers, it follows in the next block."""
    one, other = pair()
    alice, bob = at_home(0)[0], at_home(1)[0]
    pay(one, alice, bob.address, 5, gas=600_000_000)
    report = one.seal([])
    assert report.sent == ()
    assert report.astray == 5
    assert one.chain.balance(bob) == 5
    report = one.seal([])
    assert report.sent == (Shipment(0, 1, 1, 5),)
    assert report.astray == 0
    received = other.seal(proofs_for(1, report))
    assert received.received == report.sent
    assert other.chain.balance(bob) == ether(10) + 5


def test_no_more_packets_than_the_channel_has_free():
    one, other = pair()
    alice, bob = at_home(0)[0], at_home(1)[0]
    one._under_way |= {(1, -number): None for number in range(1, DEFAULT_CAP + 1)}
    pay(one, alice, bob.address, 5)
    assert one.seal([]).sent == ()
    one._under_way.clear()
    assert one.seal([]).sent == (Shipment(0, 1, 1, 5),)
    assert other.look(bob.address)[:2] == (ether(10), 0)


def test_contracts_keep_their_coin_wherever_their_address_points():
    _, other = pair()
    assert TWO.shard_of(BANK_ADDRESS) == 0
    pay(other, at_home(1)[0], at_home(1)[1].address, 1)
    other._strays[BANK_ADDRESS] = None
    assert other.seal([]).sent == ()
    assert BANK_ADDRESS not in other._strays


def test_a_bank_that_cannot_pay_out_gives_the_coin_back():
    whole = ether(10) * len(at_home(1)) + OPERATOR_COIN
    one, other = pair(other=whole)  # whose bank is empty
    alice, bob = at_home(0)[0], at_home(1)[0]
    pay(one, alice, bob.address, 5)
    report = one.seal([])
    with pytest.raises(InvariantBroken, match="could not pay out"):
        other.seal(proofs_for(1, report))
    (message,) = other._messages(other.chain.head)
    assert not message.success
    ((_, proof),) = other._proofs(other.chain.head.header, [message])
    before = one.chain.balance(BANK_ADDRESS)
    assert one.seal([proof]).astray == 5  # on the wrong shard again
    assert one.chain.balance(BANK_ADDRESS) == before - 5
    assert one.seal([]).sent == (Shipment(0, 1, 2, 5),)


def test_what_the_operator_carries_must_be_accepted():
    one, other = pair()
    pay(one, at_home(0)[0], at_home(1)[0].address, 5)
    mail = proofs_for(1, one.seal([]))
    other.seal(mail)
    with pytest.raises(InvariantBroken, match="refused what its operator carried"):
        other.seal(mail)  # once more


# The bank


def bank_chain() -> Chain:
    return pair()[0].chain


def test_the_bank_knows_the_homes():
    bank = bank_chain().contract(BANK_ADDRESS, ShardBank)
    assert bank.read("shards") == (2, 500)
    for account in PEOPLE[:4]:
        assert bank.read("shardOf", account.address) == home_of(account.address, 2)


def test_anybody_may_send_coin_home_and_nothing_else():
    chain = bank_chain()
    bank = chain.contract(BANK_ADDRESS, ShardBank)
    alice, bob = at_home(0)[0], at_home(1)[0]
    chain.transfer(alice, bob, 7)
    before = chain.balance(BANK_ADDRESS)
    for shard, who, reason in (
        (0, b"", "NoSuchShard"),
        (2, b"", "NoSuchShard"),
        (1, bytes(19), "Malformed"),
        (1, alice.address, "NotAtHomeThere"),
    ):
        with pytest.raises(Reverted, match=reason):
            bank.send(alice, "send", shard, who)
    with pytest.raises(Reverted, match="NoSuchShard"):
        bank.send(alice, "connect", 0)
    assert chain.balance(bob) == 7
    bank.send(alice, "send", 1, bob.address + at_home(1)[1].address)
    assert chain.balance(bob) == 0
    assert chain.balance(BANK_ADDRESS) == before + 7
    bank.send(alice, "send", 1, bob.address)  # nothing is there
    assert chain.balance(BANK_ADDRESS) == before + 7


def test_only_the_hub_brings_packets():
    chain = bank_chain()
    bank = chain.contract(BANK_ADDRESS, ShardBank)
    with pytest.raises(Reverted, match="NotTheHub"):
        bank.send(at_home(0)[0], "onPacket", bytes(32), 1, BANK_ADDRESS, bytes(32))


def test_a_bank_is_endowed_once_and_with_no_more_than_there_is():
    poor = Genesis(500, {PEOPLE[0].address: GenesisAccount(balance=5)})
    assert with_bank(poor, TWO, 9).accounts[BANK_ADDRESS].balance == 4
    for supply in (4, MAX_SUPPLY + 1):
        with pytest.raises(UsageError, match="2\\^96"):
            with_bank(poor, TWO, supply)
    with pytest.raises(UsageError, match="already"):
        with_bank(with_bank(poor, TWO, 9), TWO, 9)


# The rules


def test_a_shard_has_no_attachments_and_no_extras():
    chain = bank_chain()
    rules = ShardRules(TWO, 0)
    assert rules.slot(9) == 0
    with pytest.raises(UsageError, match="attachment"):
        rules.extras(chain.head, bytes(20), b"x")
    head = chain.head.header
    closing = Closing(
        chain.blockchain.state,
        chain.blockchain.next_context(timestamp_ms=head.timestamp_ms + 1, proposer=bytes(20)),
        head,
        HeaderExtras(attachment=b"x"),
        0,
        0,
    )
    with pytest.raises(InvalidInput, match="extras"):
        rules.close(closing)


def test_a_shards_blocks_can_be_run_again():
    """Another node, which has the genesis and the rules alone, comes to the same state."""
    shard = pair()[0]
    pay(shard, at_home(0)[0], at_home(1)[0].address, 5)
    shard.seal([])
    genesis = shard.chain.blockchain.genesis
    consensus = ShardConsensus(TWO, 0, b"\1" * 20, genesis.accounts[BANK_ADDRESS].balance)
    consensus.prepare = lambda plain: genesis
    again = Chain.in_memory({}, chain_id=500, consensus=consensus)
    for height in range(1, shard.chain.height + 1):
        again.append(shard.chain.block(height))
    assert again.head.header.state_root == shard.chain.head.header.state_root


# Processes


def test_workers_do_the_same_and_one_that_is_killed_is_named():
    with opened(workers=True) as stack:
        alice, bob = at_home(0)[0], at_home(1)[0]
        assert stack.transfer(alice, bob, ether(1)).rounds == 2
        assert stack.balance(bob) == ether(11)
        assert stack.supply() == stack.genesis_supply
        victim = stack._crew.ports[1].process
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait()
        with pytest.raises(ShardDown) as caught:
            stack.seal()
        assert caught.value.shard == 1
        assert caught.value.status == -signal.SIGKILL
        assert stack._crew.ports[0].process.poll() == 0  # the other was ended in order
        with pytest.raises(ShardDown):
            stack.balance(alice)
        stack.close()


def test_a_worker_that_dies_at_work(capfd):
    port = ProcessPort(4)
    try:
        port.ask(b"\xc1\x09")  # no such request
        with pytest.raises(ShardDown) as caught:
            port.answer()
        assert (caught.value.shard, caught.value.status) == (4, 1)
        assert "KeyError" in capfd.readouterr().err
        with pytest.raises(ShardDown):
            port.ask(bytes(1 << 17))  # more than a pipe holds
    finally:
        port.close()


def test_a_worker_that_does_not_end_is_killed(monkeypatch):
    monkeypatch.setattr(ports, "_PATIENCE", 0.05)
    monkeypatch.setattr(ports, "_PROGRAM", "import time; {path!r}; time.sleep(60)")
    port = ProcessPort(0)
    start = time.monotonic()
    assert port._down().status is None
    port.close()
    assert port.process.returncode == -signal.SIGKILL
    assert time.monotonic() - start < 30


def test_what_does_not_come_up_leaves_nothing_behind(monkeypatch):
    started = []

    class Recorded(ProcessPort):
        def __init__(self, shard):
            if shard == 1:
                raise UsageError("no more")
            super().__init__(shard)
            started.append(self.process)

    monkeypatch.setattr("chainstack_sdk.system.shards.stack.ProcessPort", Recorded)
    monkeypatch.setattr(ports, "_PROGRAM", "import sys; {path!r}; sys.stdin.read()")
    with pytest.raises(UsageError, match="no more"):
        opened(workers=True)
    assert [process.returncode for process in started] == [0]


def test_frames():
    whole = io.BytesIO()
    write_frame(whole, b"abc")
    data = whole.getvalue()
    assert data == b"\0\0\0\3abc"
    source = io.BytesIO(data + data)
    assert [read_frame(source) for _ in range(3)] == [b"abc", b"abc", None]
    for cut in range(len(data)):
        assert read_frame(io.BytesIO(data[:cut])) is None


def test_a_server_answers_as_a_shard_in_this_process_does():
    requests = []

    class Recorded(LocalPort):
        def ask(self, request):
            requests.append(request)
            super().ask(request)

    port = Recorded()
    with ShardedStack(Homes(1, 9), [port], {PEOPLE[0].address: ether(1)}) as stack:
        stack.seal()
        stack.balance(PEOPLE[0])
    source, sink = io.BytesIO(), io.BytesIO()
    for request in requests:
        write_frame(source, request)
    source.seek(0)
    serve(source, sink)
    sink.seek(0)
    answers = [read_frame(sink) for _ in requests]
    for request, answer in zip(requests[:2], answers, strict=False):
        port.ask(request)
        assert port.answer() == answer
    assert Sealed.decode(answers[2]).height == stack.seal()[0].height


def test_the_stack_makes_them() -> None:
    with ChainStack.sharded(2, {PEOPLE[0]: ether(1)}, workers=False) as stack:
        assert isinstance(stack, ShardedStack)
        assert stack.balance(PEOPLE[0]) == ether(1)
