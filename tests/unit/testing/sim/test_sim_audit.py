from __future__ import annotations

from hashlib import sha256

from chainstack_sdk.core.engine import Timeout
from chainstack_sdk.testing.sim.audit import DELIVER, SEND, Audit, Entry, timer_text


def test_the_digest_is_a_chain_over_prefixed_fields() -> None:
    audit = Audit()
    assert audit.digest == bytes(32)
    audit.note(3, SEND, "a", "bc", b"xyz")
    audit.note(9, DELIVER, "bc", "a", b"", 3)
    expected = bytes(32)
    for time_ms, fields in ((3, (b"send", b"a", b"bc", b"xyz")), (9, (b"deliver", b"bc", b"a", b""))):
        body = expected + time_ms.to_bytes(8, "big")
        for field in fields:
            body += len(field).to_bytes(4, "big") + field
        expected = sha256(body).digest()
    assert audit.digest == expected
    assert audit.entries == [Entry(3, SEND, "a", "bc", b"xyz", 3), Entry(9, DELIVER, "bc", "a", b"", 3)]
    assert audit.counts == {SEND: 1, DELIVER: 1}


def test_fields_cannot_run_into_each_other() -> None:
    one, other = Audit(), Audit()
    one.note(0, SEND, "ab", "c", b"")
    other.note(0, SEND, "a", "bc", b"")
    assert one.digest != other.digest


def test_timers_have_a_readable_name() -> None:
    assert timer_text(Timeout("propose", 5, 1)) == b"propose 5/1"
    assert timer_text("resend") == b"resend"
