"""The hub's anchors of other chains: registered once, moved by proof, of every scheme."""

from __future__ import annotations

from typing import Any

import pytest

from chainstack_sdk import Account, Chain, Reverted
from chainstack_sdk.consensus.bft.validators import Validator, ValidatorSet
from chainstack_sdk.consensus.chainkey.ceremony import holders_message
from chainstack_sdk.consensus.chainkey.link import KeyLink, link_digest
from chainstack_sdk.core import gas
from chainstack_sdk.core.genesis import Genesis
from chainstack_sdk.core.messages import HUB_ADDRESS as WHERE_MESSAGES_COME_FROM
from chainstack_sdk.core.messages import MESSAGE_TOPIC
from chainstack_sdk.core.native.slots import mapping_slot, slot
from chainstack_sdk.cspv import ChainKeyAnchor, FinalityProver, StorageKey
from chainstack_sdk.cspv.committee import CommitteeAnchor
from chainstack_sdk.cspv.committee_prover import CommitteeFinality
from chainstack_sdk.cspv.prover import prove_message, prove_storage
from chainstack_sdk.cspv.verify.format import chain_key_finality
from chainstack_sdk.cspv.work_policy import WorkPolicy
from chainstack_sdk.cspv.work_prover import WorkFinality
from chainstack_sdk.network.local import local_consensus
from chainstack_sdk.paradigms import Instance
from chainstack_sdk.primitives.bls import HOLDERS_DOMAIN, public_key, sign
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.testing import accounts
from chainstack_sdk.testing.xchain import (
    GOVERNOR,
    chain_with_hub,
    hub_of,
    link,
    mailbox_pair,
    proof_of_message,
    sent_messages,
)
from chainstack_sdk.xchain import addresses
from chainstack_sdk.xchain.contracts import system_contracts
from chainstack_sdk.xchain.genesis import with_hub
from chainstack_sdk.xchain.hub import HUB_CODE, Hub, commitment_slot, receipt_slot
from chainstack_sdk.xchain.hub.storage import (
    Counters,
    Route,
    read_counters,
    read_route,
    write_counters,
    write_route,
)
from chainstack_sdk.xchain.packets import Packet

LATER = 10**15
STRANGER = accounts(1)[0]
BLOCKS_PER_SLOT = 4
OLD_SECRET, NEW_SECRET = 11, 12


def refused(instance: Instance, *arguments: Any, sender: Any = GOVERNOR) -> str:
    """Send what must be refused, in a block, and return the name of the error."""
    with pytest.raises(Reverted) as caught:
        instance.send(sender, *arguments, gas=2_000_000)
    assert caught.value.receipt is not None
    return caught.value.message.partition("(")[0]


# Registration


def test_the_governor_registers_each_chain_once() -> None:
    a, b = chain_with_hub(1, {STRANGER: 10**18}), chain_with_hub(2)
    hub, anchor = hub_of(a), b.anchor.to_bytes()
    assert hub.read("governor") == GOVERNOR.address
    assert refused(hub, "registerChain", 2, anchor, sender=STRANGER) == "NotTheGovernor"
    for chain, wrong in ((2, b""), (2, anchor[:-1]), (2, b"\x01\x09" + anchor[2:]), (3, anchor)):
        assert refused(hub, "registerChain", chain, wrong) == "InvalidAnchor"
    assert refused(hub, "registerChain", 1, a.anchor.to_bytes()) == "InvalidAnchor"
    assert hub.read("anchorOf", 2) == b""
    hub.send(GOVERNOR, "registerChain", 2, anchor)
    assert hub.read("anchorOf", 2) == anchor
    other = ChainKeyAnchor(2, public_key(OLD_SECRET)).to_bytes()
    for again in (anchor, other):
        assert refused(hub, "registerChain", 2, again) == "AlreadyRegistered"
    assert hub.read("anchorOf", 2) == anchor
    assert [event.args for event in hub.events("ChainRegistered")] == [{"chain": 2, "anchor": anchor}]


def test_an_unknown_chain_proves_nothing() -> None:
    hub = hub_of(chain_with_hub(1))
    assert refused(hub, "updateAnchor", 2, b"") == "UnknownChain"
    assert refused(hub, "pauseChain", 2, True) == "UnknownChain"


# Schemes


def make_link() -> bytes:
    """From the key of one generation to that of the next, for chain 9."""
    account = Account.from_key(1)
    members = ValidatorSet([Validator(account.address, 2, b"\1" * 32)])
    attestation = sign(OLD_SECRET, holders_message(9, 1, 70, members.hash), HOLDERS_DOMAIN)
    vote = account.sign(link_digest(9, 1, public_key(OLD_SECRET), 2, public_key(NEW_SECRET)))
    return KeyLink(2, 70, members, attestation, public_key(NEW_SECRET), ((0, vote),)).encode()


def test_a_link_moves_the_anchor_of_a_chain_key() -> None:
    hub = hub_of(chain_with_hub(1, {STRANGER: 10**18}))
    hub.send(GOVERNOR, "registerChain", 9, ChainKeyAnchor(9, public_key(OLD_SECRET)).to_bytes())
    update = make_link()
    wrong = update[:-1] + bytes((update[-1] ^ 1,))
    for bad in (b"", wrong):
        assert refused(hub, "updateAnchor", 9, bad) == "InvalidProof"
    receipt = hub.send(STRANGER, "updateAnchor", 9, update)
    moved = ChainKeyAnchor(9, public_key(NEW_SECRET)).to_bytes()
    assert hub.read("anchorOf", 9) == moved
    assert [event.args for event in hub.events("AnchorUpdated")] == [{"chain": 9, "anchor": moved}]
    assert receipt.gas_used > gas.PROOF_KEY_CHECK
    assert refused(hub, "updateAnchor", 9, update) == "InvalidProof"


def test_proofs_that_carry_links_cost_more() -> None:
    """One check of a key for each link and one for the block, taken before any of them is made."""
    a, b = chain_with_hub(1), chain_with_hub(2)
    link(a, b)
    box, _, channel = mailbox_pair(a, b)
    box.send(GOVERNOR, "write", channel, b"hello", 0, LATER)
    (sent,) = sent_messages(a)
    signature = a.finality.evidence(a.blockchain.ledger.header(sent.height))[:48]
    spent = []
    for links in ([b"\xc0"], [b"\xc0"] * 2):
        carried = _Finality(a.finality, chain_key_finality(signature, links))
        proof = prove_message(a.blockchain, carried, sent.height, sent.index).to_bytes()
        with pytest.raises(Reverted, match="InvalidProof") as caught:
            hub_of(b).send(GOVERNOR, "receivePacket", proof, gas=1_000_000)
        spent.append(caught.value.receipt.gas_used)
    assert spent[1] - spent[0] >= gas.PROOF_KEY_CHECK


class _Finality:
    """Evidence that is the same for every block."""

    def __init__(self, own: FinalityProver, evidence: bytes) -> None:
        self.scheme = own.scheme
        self.anchor = own.anchor
        self._evidence = evidence

    def evidence(self, _: Any) -> bytes:
        """Return it."""
        return self._evidence


def committee_chain() -> tuple[Chain, CommitteeFinality]:
    """Chain 2 without a chain key, certified by four members."""
    consensus = local_consensus("pbft", blocks_per_slot=BLOCKS_PER_SLOT, chain_key=False)
    chain = chain_with_hub(2, consensus=consensus)
    assert isinstance(chain.finality, CommitteeFinality)
    return chain, chain.finality


def test_a_committee_proves_its_packets_and_moves_its_anchor() -> None:
    a = chain_with_hub(1, {STRANGER: 10**18})
    b, finality = committee_chain()
    link(a, b)
    box_a, box_b, channel = mailbox_pair(a, b)
    hub = hub_of(a)
    anchor = CommitteeAnchor.from_bytes(hub.read("anchorOf", 2))
    box_b.send(GOVERNOR, "write", channel, b"from a committee", 0, LATER)
    (sent,) = sent_messages(b)
    assert isinstance(sent.message, Packet)
    hub.send(STRANGER, "receivePacket", proof_of_message(b, sent))
    assert box_a.read("tally") == (1, 0, 0, 0)

    while b.height < 3 * BLOCKS_PER_SLOT:
        b.seal()
    step = finality.step(anchor)
    assert refused(hub, "updateAnchor", 2, step[:-1]) == "InvalidProof"
    wrong = finality.step(anchor.advance(step))
    assert refused(hub, "updateAnchor", 2, wrong) == "InvalidProof"
    hub.send(STRANGER, "updateAnchor", 2, step)
    assert hub.read("anchorOf", 2) == anchor.advance(step).to_bytes()
    assert refused(hub, "updateAnchor", 2, step) == "InvalidProof"


def test_what_a_committee_said_long_ago_is_proven_by_the_state_of_today() -> None:
    a = chain_with_hub(1)
    b, finality = committee_chain()
    link(a, b)
    box_a, box_b, channel = mailbox_pair(a, b)
    hub_a, hub_b = hub_of(a), hub_of(b)
    box_b.send(GOVERNOR, "write", channel, b"hello", 0, LATER)
    box_a.send(GOVERNOR, "write", channel, b"hi", 0, LATER)
    (old,), (own,) = list(sent_messages(b)), list(sent_messages(a))
    hub_b.send(GOVERNOR, "receivePacket", proof_of_message(a, own))
    answer = list(sent_messages(b))[-1]
    while b.height < 4 * BLOCKS_PER_SLOT:
        b.seal()
    for _ in range(3):
        anchor = CommitteeAnchor.from_bytes(hub_a.read("anchorOf", 2))
        hub_a.send(GOVERNOR, "updateAnchor", 2, finality.step(anchor))
    assert refused(hub_a, "receivePacket", proof_of_message(b, old)) == "InvalidProof"
    settled = own.message.encode(), proof_of_message(b, answer)
    assert refused(hub_a, "acknowledge", *settled) == "InvalidProof"
    held = b.prove(StorageKey(addresses.HUB_ADDRESS, commitment_slot(channel, 1))).to_bytes()
    hub_a.send(GOVERNOR, "receiveCommitted", old.message.encode(), held)
    receipt = b.prove(StorageKey(addresses.HUB_ADDRESS, receipt_slot(channel, 1))).to_bytes()
    hub_a.send(GOVERNOR, "acknowledgeReceipt", own.message.encode(), answer.message.encode(), receipt)
    assert box_a.read("tally") == (1, 1, 0, 0)


def test_a_mined_chain_proves_its_packets_once_they_are_deep() -> None:
    a = chain_with_hub(1, {STRANGER: 10**18})
    b = chain_with_hub(2, consensus=local_consensus("pow"))
    finality = WorkFinality(b.blockchain, WorkPolicy(soundness_bits=10, confirmations=4, parts=2))
    hub_of(a).send(GOVERNOR, "registerChain", 2, finality.anchor().to_bytes())
    hub_of(b).send(GOVERNOR, "registerChain", 1, a.anchor.to_bytes())
    box_a, box_b, channel = mailbox_pair(a, b)
    box_b.send(GOVERNOR, "write", channel, b"mined", 0, LATER)
    (sent,) = sent_messages(b)
    assert isinstance(sent.message, Packet)
    for _ in range(4):
        b.seal()
    proof = prove_message(b.blockchain, finality, sent.height, sent.index).to_bytes()
    receipt = hub_of(a).send(GOVERNOR, "receivePacket", proof)
    assert receipt.gas_used > gas.PROOF_WORK_BYTE * 1_000
    assert box_a.read("tally") == (1, 0, 0, 0)
    assert refused(hub_of(a), "updateAnchor", 2, b"") == "InvalidProof"

    late = b.height
    box_a.send(GOVERNOR, "write", channel, b"late", late, 0)
    own = list(sent_messages(a))[-1].message
    assert isinstance(own, Packet)
    for _ in range(4):
        b.seal()
    absent = prove_storage(
        b.blockchain, finality, addresses.HUB_ADDRESS, receipt_slot(channel, 1), late
    ).to_bytes()
    hub_of(a).send(STRANGER, "timeOut", own.encode(), absent)
    assert box_a.read("tally") == (1, 0, 0, 1)


# Genesis and storage


def test_a_genesis_has_one_hub_and_a_governor() -> None:
    genesis = with_hub(Genesis(1), STRANGER.address)
    assert genesis.accounts[addresses.HUB_ADDRESS].code == HUB_CODE
    with pytest.raises(UsageError, match="already"):
        with_hub(genesis, STRANGER.address)
    for wrong in (b"", bytes(20), STRANGER.address + b"\0"):
        with pytest.raises(UsageError, match="governor"):
            with_hub(Genesis(1), wrong)


def test_the_system_contracts_are_those_of_the_genesis() -> None:
    assert HUB_CODE in system_contracts()


def test_the_addresses_are_fixed_and_all_different() -> None:
    found = [value for name, value in vars(addresses).items() if name.endswith("_ADDRESS")]
    assert len(found) == len(set(found)) == 6
    assert all(len(address) == 20 and address[:18] == bytes(18) for address in found)
    assert addresses.HUB_ADDRESS == WHERE_MESSAGES_COME_FROM
    assert Hub.MessageSent.topic == MESSAGE_TOPIC


class Slots(dict[bytes, int]):
    """Storage without a chain."""

    def load(self, slot: bytes) -> int:
        """Return what is in a slot."""
        return self.get(slot, 0)

    def store(self, slot: bytes, value: int) -> None:
        """Write a slot."""
        self[slot] = value


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("closed", [False, True])
def test_a_channel_is_read_as_it_was_written(ordered: bool, closed: bool) -> None:
    storage, most = Slots(), 2**64 - 1
    route = Route(b"\xff" * 20, most, b"\xfe" * 20, ordered, closed)
    assert read_route(storage, bytes(32)) is None
    write_route(storage, bytes(32), route)
    for counters in (Counters(), Counters(most, most, most, most), Counters(1, 2, 3, 4)):
        write_counters(storage, bytes(32), counters)
        assert read_counters(storage, bytes(32)) == counters
    assert read_route(storage, bytes(32)) == route
    assert all(0 <= value < 1 << 256 for value in storage.values())
    assert len(storage) == 3


def test_slots_of_commitments_and_receipts_are_part_of_the_protocol() -> None:
    channel = b"\xcc" * 32
    for number, found in ((5, commitment_slot(channel, 7)), (6, receipt_slot(channel, 7))):
        assert found == int.from_bytes(mapping_slot(mapping_slot(slot(number), channel), 7), "big")
