"""The market: publish, search, fetch, verify, revoke, in memory and on disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from chainstack_sdk import Account, InvalidInput
from chainstack_sdk.apps.market import AppletRevoked, Market, Revocation
from chainstack_sdk.apps.sandbox import Applet, AppletRefused, Manifest
from chainstack_sdk.core.store import MemoryStore, SqliteStore
from chainstack_sdk.primitives.rlp import rlp_encode

ALICE, BOB = Account.from_key(b"\x01" * 32), Account.from_key(b"\x02" * 32)
WASM = b"\0asm\x01\0\0\0"


def applet(name: str, version: str = "1.0.0", author: Account = ALICE, code: bytes = b"code") -> Applet:
    kind = "wasm" if code == WASM else "js"
    return Applet.sign(Manifest(name, version, author.address, kind), code, author)


@pytest.fixture(params=["memory", "disk"])
def store(request, tmp_path) -> Iterator[MemoryStore | SqliteStore]:
    with MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "market") as store:
        yield store


@pytest.fixture
def market(store) -> Market:
    return Market(store)


def test_what_is_published_is_fetched(market, store) -> None:
    steps = applet("steps")
    assert market.publish(steps) == steps.hash
    assert market.publish(steps) == steps.hash
    assert market.fetch(steps.hash) == steps
    assert Market(store).fetch(steps.hash) == steps


def test_by_default_it_is_in_memory() -> None:
    assert Market().search() == ()


def test_what_is_not_there_is_not_fetched(market) -> None:
    with pytest.raises(AppletRefused, match="no applet with this hash"):
        market.fetch(bytes(32))


def test_search_goes_by_name_author_and_kind(market) -> None:
    known = [
        applet("sleep", code=WASM),
        applet("steps", "1.2.0"),
        applet("steps", "1.10.0"),
        applet("steps", author=BOB),
    ]
    for one in known:
        market.publish(one)

    def found(*words: str, **filters) -> list[tuple[str, str]]:
        return [(one.manifest.name, one.manifest.version) for one in market.search(*words, **filters)]

    every = [("sleep", "1.0.0"), ("steps", "1.0.0"), ("steps", "1.2.0"), ("steps", "1.10.0")]
    assert found() == every
    assert found("tep") == every[1:]
    assert found("steps", author=BOB.address) == every[1:2]
    assert found(kind="wasm") == every[:1]
    assert found("none") == []
    (first, *_) = market.search()
    assert (first.hash, first.manifest, first.revoked) == (known[0].hash, known[0].manifest, False)


def test_a_name_and_version_stand_for_one_applet_of_an_author(market) -> None:
    market.publish(applet("steps"))
    with pytest.raises(AppletRefused, match="another applet has this name"):
        market.publish(applet("steps", code=b"other"))
    market.publish(applet("steps", code=b"other", author=BOB))
    market.publish(applet("steps", "1.0.1", code=b"other"))
    assert len(market.search()) == 3


def test_a_revoked_applet_is_gone_for_good(market, store) -> None:
    steps = applet("steps")
    market.publish(steps)
    revocation = Revocation.sign(steps.hash, ALICE)
    market.revoke(revocation)
    market.revoke(revocation)
    for again in (market, Market(store)):
        for attempt in (again.fetch, lambda _, again=again: again.publish(steps)):
            with pytest.raises(AppletRevoked, match="taken back"):
                attempt(steps.hash)
        with pytest.raises(AppletRevoked):
            again.verify(steps.encode())
        assert again.search() == ()
        assert [one.revoked for one in again.search(revoked=True)] == [True]
        assert again.revocations() == (revocation,)


def test_only_the_author_revokes_and_only_what_is_listed(market) -> None:
    steps = applet("steps")
    with pytest.raises(AppletRefused, match="no applet with this hash"):
        market.revoke(Revocation.sign(steps.hash, ALICE))
    market.publish(steps)
    for bad in (
        Revocation.sign(steps.hash, BOB),
        Revocation(steps.hash, steps.signature),
        Revocation(steps.hash, b""),
    ):
        with pytest.raises(AppletRefused):
            market.revoke(bad)
    assert market.fetch(steps.hash) == steps


def test_a_revocation_holds_for_one_applet(market) -> None:
    steps, sleep = applet("steps"), applet("sleep")
    market.publish(steps)
    market.publish(sleep)
    with pytest.raises(AppletRefused, match="signed by its author"):
        market.revoke(replace(Revocation.sign(steps.hash, ALICE), applet=sleep.hash))


def test_packages_from_elsewhere_are_verified(market) -> None:
    steps = applet("steps")
    assert market.verify(steps.encode()) == steps
    with pytest.raises(AppletRefused):
        market.verify(steps.encode()[:-1])


def test_a_changed_store_gives_errors_and_never_another_applet(market, store) -> None:
    steps, sleep = applet("steps"), applet("sleep")
    market.publish(steps)
    store.write_batch({b"p" + steps.hash: sleep.encode()})
    with pytest.raises(AppletRefused, match="damaged"):
        market.fetch(steps.hash)
    with pytest.raises(AppletRefused, match="damaged"):
        market.revoke(Revocation.sign(steps.hash, ALICE))
    store.write_batch({b"p" + steps.hash: b"\xff"})
    with pytest.raises(AppletRefused):
        market.fetch(steps.hash)
    store.write_batch({b"m" + steps.hash: b"\xff"})
    with pytest.raises(InvalidInput):
        market.search()


def test_a_revocation_has_one_encoding() -> None:
    revocation = Revocation.sign(applet("steps").hash, ALICE)
    assert Revocation.decode(revocation.encode()) == revocation
    bad = [
        b"", b"\xc0", revocation.encode() + b"\0", rlp_encode([bytes(31), bytes(65)]),
        rlp_encode([bytes(32), bytes(64)]), rlp_encode([bytes(32), []]), rlp_encode([bytes(32)] * 3),
    ]  # fmt: skip
    for data in bad:
        with pytest.raises(AppletRefused, match="not a revocation"):
            Revocation.decode(data)
