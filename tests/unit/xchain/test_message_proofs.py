"""Messages to other chains as light proofs: whoever has the anchor knows what was sent."""

from __future__ import annotations

import pytest

from chainstack_sdk import UsageError
from chainstack_sdk.cspv import MessageKey, ProvenMessage
from chainstack_sdk.testing.xchain import (
    GOVERNOR,
    linked_chains,
    mailbox_pair,
    mailbox_registry,
    sent_messages,
)

LATER = 10**15


def test_a_message_is_proven_in_its_own_block() -> None:
    here, there = linked_chains(1, 2, registry=mailbox_registry())
    ours, _, channel = mailbox_pair(here, there)
    ours.send(GOVERNOR, "write", channel, b"good news", 0, LATER)
    *_, sent = sent_messages(here)
    target = MessageKey(sent.height, sent.index)
    proven = here.anchor.verify(here.prove(target).to_bytes())
    assert isinstance(proven, ProvenMessage)
    assert (proven.height, proven.index, proven.message) == (sent.height, sent.index, sent.message.encode())
    assert here.prove(target, height=sent.height) == here.prove(target)
    with pytest.raises(UsageError, match="another block"):
        here.prove(target, height=sent.height - 1)
    with pytest.raises(UsageError):
        here.prove(MessageKey(sent.height, sent.index + 1))
