"""Every rule of registries of identities and rights, and every abuse of them that we could think of."""

from __future__ import annotations

import dataclasses

import pytest

from chainstack_sdk import Reverted, UsageError
from chainstack_sdk.core import BinaryMerkleProof
from chainstack_sdk.machines.standard import (
    FOREVER,
    Credential,
    Disclosure,
    Record,
    RegistryHandle,
)
from chainstack_sdk.primitives.address import ZERO_ADDRESS
from chainstack_sdk.primitives.keccak import keccak256

ID, OTHER, UNKNOWN = keccak256(b"a work"), keccak256(b"another"), keccak256(b"nothing")
CARD = Credential({"title": "Notes", "author": "Ada", "year": "1843"}, b"\x07" * 32)
DAY = 86_400


@pytest.fixture
def registrars(people):
    return people[:3]


@pytest.fixture
def issuer(people):
    return people[3]


@pytest.fixture
def holder(people):
    return people[4]


@pytest.fixture
def buyer(people):
    return people[5]


@pytest.fixture
def stranger(people):
    return people[6]


@pytest.fixture
def empty(chain, registrars, stranger):
    return RegistryHandle.issue(chain, stranger, registrars=registrars)


@pytest.fixture
def registry(empty, registrars, issuer):
    agree(empty.admit, registrars, issuer)
    return empty


@pytest.fixture
def work(registry, issuer, holder):
    """A registry with one transferable record."""
    registry.register(issuer, ID, holder, CARD, transferable=True)
    return registry


@pytest.fixture
def now(chain):
    return lambda: chain.head.timestamp_ms // 1000


def agree(function, registrars, *args):
    function(registrars[0], *args)
    return function(registrars[1], *args)


def refused(words, act, *args, **named):
    with pytest.raises(Reverted, match=words):
        act(*args, **named)


class TestRegistrars:
    def test_who_they_are(self, chain, empty, registrars):
        assert empty.registrars() == tuple(each.address for each in registrars)
        assert RegistryHandle.at(chain, empty.address) == empty
        assert empty.state == "open"

    @pytest.mark.parametrize("pattern", [(0, 0, 1), (0, 1, 0), (1, 0, 0)])
    def test_three_different_ones(self, chain, empty, registrars, people, pattern):
        wrong = [people[at] for at in pattern]
        refused("a registrar stands twice", RegistryHandle.issue, chain, people[0], registrars=wrong)
        empty.appoint(registrars[0], wrong)
        refused("a registrar stands twice", empty.appoint, registrars[1], wrong)

    def test_nobody_is_none(self, chain, empty, registrars, people):
        wrong = [people[0], people[1], ZERO_ADDRESS]
        refused("a registrar is nobody", RegistryHandle.issue, chain, people[0], registrars=wrong)
        empty.appoint(registrars[0], wrong)
        refused("a registrar is nobody", empty.appoint, registrars[1], wrong)
        with pytest.raises(UsageError):
            RegistryHandle.issue(chain, people[0], registrars=people[:2])

    def test_two_admit_and_dismiss(self, empty, registrars, issuer, stranger):
        empty.admit(registrars[0], issuer)
        assert not empty.is_issuer(issuer)
        empty.admit(registrars[1], stranger)
        assert not empty.is_issuer(issuer)
        empty.admit(registrars[2], issuer)
        assert (empty.is_issuer(issuer), empty.is_issuer(stranger)) == (True, False)
        agree(empty.dismiss, registrars, issuer)
        assert not empty.is_issuer(issuer)
        names = [each.name for each in empty.events() if each.name != "Confirmed"]
        assert names == ["IssuerAdmitted", "IssuerDismissed"]
        empty.admit(registrars[0], ZERO_ADDRESS)
        refused("an issuer is somebody", empty.admit, registrars[1], ZERO_ADDRESS)

    def test_others_do_nothing(self, work, issuer, holder, stranger):
        for who in (issuer, holder, stranger):
            refused("only registrars may call", work.admit, who, who)
            refused("only registrars may call", work.dismiss, who, issuer)
            refused("only registrars may call", work.strike, who, ID)
            refused("only registrars may call", work.appoint, who, [who, issuer, holder])

    def test_new_ones_take_over(self, work, registrars, issuer, holder, buyer):
        work.dismiss(registrars[2], issuer)
        agree(work.appoint, registrars, [holder, buyer, registrars[2]])
        refused("only registrars may call", work.dismiss, registrars[0], issuer)
        work.dismiss(holder, issuer)
        assert work.is_issuer(issuer), "the confirmation of before does not count among the new ones"
        work.dismiss(buyer, issuer)
        assert not work.is_issuer(issuer)

    def test_those_who_come_back_begin_anew(self, empty, registrars, people, issuer):
        empty.admit(registrars[0], issuer)
        others = people[3:6]
        agree(empty.appoint, registrars, others)
        agree(empty.appoint, others, registrars)
        empty.admit(registrars[1], issuer)
        assert not empty.is_issuer(issuer), "what one said in another time counts no more"
        empty.admit(registrars[0], issuer)
        assert empty.is_issuer(issuer)

    def test_a_third_voice_does_not_wait_for_the_next_time(self, empty, registrars, issuer):
        """All three admit; were the third kept, one alone could admit whom two have dismissed."""
        for registrar in registrars:
            empty.send(registrar, "admit", issuer, 0)
        agree(empty.dismiss, registrars, issuer)
        refused("another decision", empty.send, registrars[0], "admit", issuer, 0)
        empty.admit(registrars[0], issuer)
        assert not empty.is_issuer(issuer)
        empty.admit(registrars[1], issuer)
        assert (empty.is_issuer(issuer), empty.read("changes_of", issuer)) == (True, 3)

    def test_what_is_so_already_is_not_decided(self, registry, registrars, issuer, stranger):
        registry.admit(registrars[0], issuer)
        refused("an issuer already", registry.admit, registrars[1], issuer)
        registry.dismiss(registrars[0], stranger)
        refused("no issuer", registry.dismiss, registrars[1], stranger)

    def test_they_strike(self, work, registrars):
        agree(work.strike, registrars, ID)
        assert not work.stands(ID)
        work.strike(registrars[0], ID)
        refused("no such record stands", work.strike, registrars[2], ID)
        work.strike(registrars[0], UNKNOWN)
        refused("no such record stands", work.strike, registrars[1], UNKNOWN)


class TestRegister:
    def test_what_it_says(self, work, issuer, holder):
        nobody = ZERO_ADDRESS
        expected = Record(ID, holder.address, issuer.address, CARD.root, FOREVER, True, False, nobody, 0)
        assert work.record(ID) == expected
        assert work.stands(ID)
        assert work.record(UNKNOWN) is None
        assert not work.stands(UNKNOWN)
        (event,) = work.events("Registered")
        assert event.args == {
            "id": ID,
            "issuer": issuer.address,
            "holder": holder.address,
            "root": CARD.root,
            "until": FOREVER,
        }

    def test_issuers_only(self, registry, registrars, issuer, holder, stranger):
        for who in (registrars[0], holder, stranger):
            refused("only an issuer may register", registry.register, who, ID, who, CARD)
        agree(registry.dismiss, registrars, issuer)
        refused("only an issuer may register", registry.register, issuer, ID, holder, CARD)

    def test_an_id_is_taken_for_ever(self, work, issuer, holder, stranger):
        refused("the id is taken", work.register, issuer, ID, stranger, bytes(32))
        work.revoke(holder, ID)
        refused("the id is taken", work.register, issuer, ID, stranger, bytes(32))

    def test_for_somebody(self, registry, issuer):
        refused("a holder is somebody", registry.register, issuer, ID, ZERO_ADDRESS, CARD)

    def test_not_over_already(self, registry, issuer, holder, now, clock):
        clock.set_ms((now() + 10) * 1000)
        until = now() + 10
        refused("over already", registry.register, issuer, ID, holder, CARD, until=until)
        registry.register(issuer, ID, holder, CARD.root, until=until + 1)

    def test_in_time(self, registry, issuer, holder, now, chain, clock):
        until = now() + DAY
        registry.register(issuer, ID, holder, CARD, until=until, transferable=True)
        clock.set_ms(until * 1000)
        chain.seal()
        assert registry.stands(ID)
        clock.set_ms((until + 1) * 1000)
        chain.seal()
        assert not registry.stands(ID)
        refused("no such record stands", registry.offer, holder, ID, issuer)
        refused("no such record stands", registry.grant, holder, ID, issuer, until=until + 9)
        assert not registry.proves(ID, CARD.disclose("title"))


class TestRevoke:
    @pytest.mark.parametrize("who", ["issuer", "holder"])
    def test_both_may(self, work, issuer, holder, who):
        revoker = issuer if who == "issuer" else holder
        work.revoke(revoker, ID)
        assert not work.stands(ID)
        assert work.record(ID).revoked
        assert work.events("Revoked")[0].args == {"id": ID, "by": revoker.address}
        refused("it is revoked already", work.revoke, revoker, ID)

    def test_others_may_not(self, work, registrars, issuer, stranger):
        for who in (stranger, registrars[0]):
            refused("only issuer and holder may revoke", work.revoke, who, ID)
        refused("only issuer and holder may revoke", work.revoke, stranger, UNKNOWN)
        agree(work.admit, registrars, stranger)
        refused("only issuer and holder may revoke", work.revoke, stranger, ID)

    def test_a_dismissed_issuer_may_not(self, work, registrars, issuer):
        agree(work.dismiss, registrars, issuer)
        refused("only issuer and holder may revoke", work.revoke, issuer, ID)
        assert work.stands(ID)

    def test_nothing_goes_on(self, work, holder, buyer):
        work.offer(holder, ID, buyer)
        work.grant(holder, ID, buyer, until=FOREVER)
        work.revoke(holder, ID)
        refused("no such record stands", work.accept, buyer, ID)
        refused("no such record stands", work.offer, holder, ID, buyer)
        refused("no such record stands", work.grant, holder, ID, holder, until=FOREVER)
        assert work.licence(ID, buyer) is None
        assert not work.proves(ID, CARD.disclose("title"))


class TestTransfer:
    def test_offered_and_accepted(self, work, holder, buyer):
        work.offer(holder, ID, buyer)
        assert work.record(ID).offered == buyer.address
        assert work.record(ID).holder == holder.address
        work.accept(buyer, ID)
        assert (work.record(ID).holder, work.record(ID).offered) == (buyer.address, ZERO_ADDRESS)
        refused("only the holder may offer", work.offer, holder, ID, holder)
        refused("it was not offered", work.accept, buyer, ID)
        names = [each.name for each in work.history(ID)]
        assert names == ["Registered", "Offered", "Transferred"]
        assert work.history(OTHER) == []

    def test_only_to_whom_it_was_offered(self, work, holder, buyer, stranger):
        refused("it was not offered", work.accept, stranger, ID)
        work.offer(holder, ID, buyer)
        refused("it was not offered", work.accept, stranger, ID)
        work.offer(holder, ID, stranger)
        refused("it was not offered", work.accept, buyer, ID)

    def test_an_offer_taken_back(self, work, holder, buyer):
        work.offer(holder, ID, buyer)
        work.offer(holder, ID, ZERO_ADDRESS)
        refused("it was not offered", work.accept, buyer, ID)

    def test_the_holder_only(self, work, issuer, stranger):
        for who in (issuer, stranger):
            refused("only the holder may offer", work.offer, who, ID, who)
        refused("only the holder may offer", work.offer, stranger, UNKNOWN, stranger)

    def test_what_does_not_pass(self, registry, issuer, holder, buyer):
        registry.register(issuer, ID, holder, CARD)
        refused("does not pass to others", registry.offer, holder, ID, buyer)


class TestLicences:
    def test_until_a_time(self, work, holder, buyer, now, chain, clock):
        until = now() + DAY
        assert work.licence(ID, buyer) is None
        work.grant(holder, ID, buyer, until=until)
        assert work.licence(ID, buyer) == until
        clock.set_ms(until * 1000)
        chain.seal()
        assert work.licence(ID, buyer) == until
        clock.set_ms((until + 1) * 1000)
        chain.seal()
        assert work.licence(ID, buyer) is None
        refused("the caller has no licence", work.surrender, buyer, ID)
        work.grant(holder, ID, buyer, until=until + DAY)
        assert work.licence(ID, buyer) == until + DAY

    def test_longer_only(self, work, holder, buyer, now):
        until = now() + DAY
        work.grant(holder, ID, buyer, until=until)
        for wrong in (until, until - 1, now(), 0):
            refused("no longer than", work.grant, holder, ID, buyer, until=wrong)
        work.grant(holder, ID, buyer, until=until + 1)

    def test_not_into_the_past(self, work, holder, buyer, now):
        refused("no longer than", work.grant, holder, ID, buyer, until=now() - 1)

    def test_not_beyond_the_record(self, registry, issuer, holder, buyer, now):
        until = now() + DAY
        registry.register(issuer, ID, holder, CARD, until=until)
        refused("ends with its record", registry.grant, holder, ID, buyer, until=until + 1)
        registry.grant(holder, ID, buyer, until=until)

    def test_the_holder_only(self, work, issuer, buyer, stranger):
        for who in (issuer, stranger, buyer):
            refused("only the holder may grant", work.grant, who, ID, who, until=FOREVER)

    def test_to_somebody(self, work, holder):
        refused("a licensee is somebody", work.grant, holder, ID, ZERO_ADDRESS, until=FOREVER)

    def test_it_outlives_a_transfer(self, work, holder, buyer, stranger):
        work.grant(holder, ID, stranger, until=FOREVER)
        work.offer(holder, ID, buyer)
        work.accept(buyer, ID)
        assert work.licence(ID, stranger) == FOREVER
        refused("only the holder may grant", work.grant, holder, ID, holder, until=FOREVER)

    def test_none_is_slipped_in_before_a_transfer(self, work, holder, buyer, stranger):
        work.grant(holder, ID, holder, until=FOREVER - 1)
        work.offer(holder, ID, buyer)
        seen = work.record(ID).granted
        work.grant(holder, ID, stranger, until=FOREVER)
        refused("another licence has been granted", work.accept, buyer, ID, granted=seen)
        work.grant(holder, ID, holder, until=FOREVER)
        assert work.record(ID).granted == seen + 2
        work.accept(buyer, ID, granted=seen + 2)
        assert work.record(ID).holder == buyer.address

    def test_surrender(self, work, holder, buyer, stranger):
        work.grant(holder, ID, buyer, until=FOREVER)
        refused("the caller has no licence", work.surrender, stranger, ID)
        work.surrender(buyer, ID)
        assert work.licence(ID, buyer) is None
        refused("the caller has no licence", work.surrender, buyer, ID)
        assert [each.args["until"] for each in work.events("Licensed")] == [FOREVER, 0]


class TestProofs:
    def test_each_attribute(self, work):
        for name in CARD.attributes:
            assert work.proves(ID, CARD.disclose(name))

    def test_the_chain_and_python_agree(self, registry, issuer, holder):
        sizes = (1, 2, 3, 5, 8, 33)
        for size in sizes:
            card = Credential({str(at): str(at * at) for at in range(size)}, bytes(32))
            id = keccak256(bytes([size]))
            registry.register(issuer, id, holder, card)
            for at in {0, size // 2, size - 1}:
                shown = card.disclose(str(at))
                assert registry.proves(id, shown)
                assert shown.root == registry.record(id).root

    def test_the_deepest_tree(self, registry, issuer, holder):
        proof = BinaryMerkleProof(0b1010_1010_1010_1010, tuple(bytes([at]) * 32 for at in range(16)))
        shown = Disclosure("n", "v", bytes(32), proof)
        registry.register(issuer, ID, holder, shown.root)
        assert registry.proves(ID, shown)

    @pytest.mark.parametrize(
        "change",
        [
            {"value": "Poems"},
            {"name": "subtitle"},
            {"salt": bytes(32)},
            {"proof": BinaryMerkleProof(3, CARD.disclose("title").proof.siblings)},
            {"proof": BinaryMerkleProof(0, ())},
        ],
    )
    def test_what_is_not_so(self, work, change):
        assert not work.proves(ID, dataclasses.replace(CARD.disclose("title"), **change))

    def test_another_record(self, work, issuer, holder):
        work.register(issuer, OTHER, holder, Credential({"title": "Notes"}, bytes(32)))
        assert not work.proves(OTHER, CARD.disclose("title"))
        assert not work.proves(UNKNOWN, CARD.disclose("title"))

    def test_an_index_and_a_depth_beside_the_tree(self, work):
        shown = CARD.disclose("title")
        proof = shown.proof

        def ask(index, depth):
            return work.read("proves", ID, shown.name, shown.value, shown.salt, index, depth, shown.path)

        assert ask(proof.index, proof.depth)
        assert not ask(proof.index + (1 << proof.depth), proof.depth)
        assert not ask(proof.index, proof.depth + 1)
        assert not ask(proof.index, proof.depth - 1)
        assert not ask(2**256 - 1, 2**256 - 1)

    def test_a_node_is_no_attribute(self, work, issuer, holder):
        """A root whose children an attacker chose as `keccak(name)` and `keccak(value)` proves nothing."""
        children = keccak256(b"x"), keccak256(b"y")
        forged = keccak256((1).to_bytes(32, "big") + children[0] + children[1])
        work.register(issuer, OTHER, holder, forged)
        assert not work.proves(OTHER, Disclosure("x", "y", bytes(32), BinaryMerkleProof(0, ())))

    def test_beyond_the_bounds(self, work):
        args = [bytes(32), 0, 0, (bytes(32),) * 16]
        refused("name takes at most 64 bytes", work.read, "proves", ID, "n" * 65, "v", *args)
        refused("value takes at most 256 bytes", work.read, "proves", ID, "n", "v" * 257, *args)
