"""The host of a run: capabilities, the quota, and text that is safe to print."""

from __future__ import annotations

import pytest

from chainstack_sdk.apps.sandbox import AppletFailed, CapabilityDenied, QuotaExceeded
from chainstack_sdk.apps.sandbox.host import Host, printable


def test_records_are_those_granted() -> None:
    host = Host(b"null", {"steps": b"[1]"}, 0)
    assert host.record(b"steps") == b"[1]"
    for name in (b"", b"step", b"steps\0", b"\xff", b"__proto__"):
        with pytest.raises(CapabilityDenied, match="not granted"):
            host.record(name)


def test_the_quota_counts_each_value_and_one_more() -> None:
    host = Host(b"null", {}, 10)
    host.emit(b"[1,2]")
    assert (host.emitted, host.emitted_bytes) == ([b"[1,2]"], 6)
    with pytest.raises(QuotaExceeded) as refused:
        host.emit(b"1234")
    assert (refused.value.quota, refused.value.used, refused.value.size) == (10, 6, 4)
    host.emit(b"123")
    assert host.emitted_bytes == 10
    with pytest.raises(QuotaExceeded):
        host.emit(b"")


def test_the_canonical_size_counts_too() -> None:
    host = Host(b"null", {}, 5)
    with pytest.raises(QuotaExceeded):
        host.emit(b"1e10")  # 10000000000.0


def test_nothing_leaves_without_a_grant() -> None:
    host = Host(b"null", {}, 0)
    with pytest.raises(CapabilityDenied, match="nothing was granted"):
        host.emit(b"")
    with pytest.raises(CapabilityDenied):
        host.keep(b"1")


def test_what_is_emitted_is_json() -> None:
    with pytest.raises(AppletFailed, match="emitted what it may not: not JSON"):
        Host(b"null", {}, 10).emit(b"x")


@pytest.mark.parametrize("data", [b"", b"1", b"[]", b"[1,2]", b'["\\ud800"]', b"{}"])
def test_arguments_are_a_list_of_values(data: bytes) -> None:
    host = Host(b"null", {}, 10)
    with pytest.raises(AppletFailed, match="called the host wrongly"):
        host.arguments(data, 1)
    assert host.arguments(b' [ {"b":1, "a":2} ]', 1) == [b'{"a":2,"b":1}']


def test_text_of_applets_is_made_safe() -> None:
    assert printable("a\x1b[31mb\x07\u202ec\nsecond line") == "a?[31mb??c"
    assert printable("é" * 300) == "é" * 200
