"""Restricted shares: what a wallet is told before is what happens, whatever the rules and the way."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainstack_sdk.chain import Chain
from chainstack_sdk.clock import ManualClock
from chainstack_sdk.paradigms import Restriction, Shares
from chainstack_sdk.primitives.errors import Reverted
from chainstack_sdk.testing.fixed import accounts

OWNER, REGISTRAR, ANN, BEN = PEOPLE = accounts(4)
OWN_ERRORS = {Restriction.PAUSED: "EnforcedPause", Restriction.INSUFFICIENT_BALANCE: "InsufficientBalance"}
RULES = {
    "pausable": st.booleans(),
    "listed_only": st.booleans(),
    "max_holders": st.integers(0, 3),
    "max_share": st.sampled_from([0, 1, 3_000, 10_000]),
    "window_period": st.sampled_from([0, 10]),
}
person, few = st.sampled_from(PEOPLE), st.integers(0, 70)


@settings(max_examples=max(settings.default.max_examples // 2, 1))
@given(
    rules=st.fixed_dictionaries(RULES),
    start=st.integers(-20, 20),
    held=few,
    listed=st.sets(person),
    frozen=st.sets(person, max_size=2),
    locked=few,
    pauses=st.booleans(),
    move=st.tuples(person, person, few),
)
def test_what_is_foretold_happens_by_every_way(rules, start, held, listed, frozen, locked, pauses, move):
    chain = Chain.in_memory(dict.fromkeys(PEOPLE, 10**20), clock=ManualClock(step_ms=1), auto_seal=True)
    now = chain.head.timestamp_ms // 1000
    windows = {"window_start": now + start + 20, "window_length": 5}
    fixed = {"name": "T", "symbol": "T", "supply": 100, "registrar": REGISTRAR}
    token = chain.shares.issue(OWNER, **fixed, **rules, **windows)
    token.list_holder(REGISTRAR, ANN)
    with suppress(Reverted):
        token.force_transfer(REGISTRAR, OWNER, ANN, held, reason="at first")
    for who in PEOPLE:
        token.list_holder(REGISTRAR, who, who in listed)
        token.freeze(REGISTRAR, who, who in frozen)
    if locked:
        token.lock(REGISTRAR, ANN, locked, end=now + 1_000)
    if pauses and rules["pausable"]:
        token.pause(OWNER)
    sender, to, value = move
    token.approve(sender, BEN, value)

    found = token.restriction(sender, to, value)
    ways = (
        lambda: token.transfer(sender, to, value),
        lambda: token.transfer_from(BEN, sender, to, value),
    )
    for way in ways:
        before = chain.snapshot()
        if found is Restriction.NONE:
            way()
        else:
            with pytest.raises(Reverted) as refusal:
                way()
            if found in OWN_ERRORS:
                assert OWN_ERRORS[found] in refusal.value.message
            else:
                assert refusal.value.data == Shares.TransferRestricted.encode(int(found), found.message)
        assert token.holder_count() == sum(token.balance_of(who) > 0 for who in PEOPLE)
        chain.revert(before)
