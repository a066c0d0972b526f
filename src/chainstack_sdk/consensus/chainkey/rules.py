"""What a keyed chain does at the end of a block, around what its consensus does anyway.

1. The attachment is taken apart, and the header has to commit to the key payload in it
   (:mod:`~chainstack_sdk.consensus.chainkey.payload`).
2. Everything in the payload has to count (:mod:`~chainstack_sdk.consensus.chainkey.admission`): a block that
   brings anything else is invalid. Any builder may bring anybody's logs, attestations and links.
3. The rules of the consensus close the block, as if there were no payload.
4. What was brought is written into the chain key contract. In a slot's last block the ceremony is over, and
   the next one begins, with the committees that are fixed then
   (:mod:`~chainstack_sdk.consensus.chainkey.state`).

**Caveats.** Nobody has to bring a payload. Builders that leave logs out can make a ceremony fail, and with it
delay the next committee's taking over. One block of an honest builder in their time has room for 64 logs, and
one after the last of them for the attestation.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.chainkey.admission import Admission, takes_logs
from chainstack_sdk.consensus.chainkey.payload import (
    NO_PAYLOAD,
    SIGNED_WINDOW,
    KeyPayload,
    commitment,
    committed,
    unwrap,
    wrap,
)
from chainstack_sdk.consensus.chainkey.state import read_key_state
from chainstack_sdk.consensus.chainkey.storage import CHAIN_KEY_ADDRESS, MIN_BLOCKS_PER_SLOT
from chainstack_sdk.consensus.chainkey.turning import turn
from chainstack_sdk.consensus.staking.storage import StateStorage
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainstack_sdk.consensus.bft.scheme import Scheme
    from chainstack_sdk.consensus.bft.validators import ValidatorSet
    from chainstack_sdk.consensus.chainkey.payload import KeyDesk
    from chainstack_sdk.consensus.staking.slots import SlotSchedule
    from chainstack_sdk.core.blocks import Block
    from chainstack_sdk.core.closing import Closing, HeaderExtras
    from chainstack_sdk.core.interfaces import ChainRules
    from chainstack_sdk.core.state import State

DEFAULT_EXTENSIONS = 2
"""Ceremonies in a row that may fail before a new key is generated."""


class KeyedRules:
    """The rules of a chain with a key; see the module.

    Parameters
    ----------
    inner
        The rules of the chain's consensus, which do not use ``extra_data``.
    state
        The very object that the chain works on; it holds the chain key contract.
    schedule
        The slots, of at least 4 blocks.
    committee
        Returns the committee of a slot, as of the state: asked at the end of slot s for those of s + 1 and
        s + 2.
    scheme
        Checks signatures of accounts.
    block
        Returns a block of the chain by height, of those just before the one that is made or checked.
    extensions
        Ceremonies in a row that may fail before a new key is generated.

    Attributes
    ----------
    desk
        Where payloads for blocks of this node come from; None: its blocks carry none.

    Raises
    ------
    UsageError
        When slots are too short, or ``extensions`` is negative.
    """

    def __init__(
        self,
        inner: ChainRules,
        state: State,
        schedule: SlotSchedule,
        committee: Callable[[int], ValidatorSet],
        scheme: Scheme,
        *,
        block: Callable[[int], Block],
        extensions: int = DEFAULT_EXTENSIONS,
    ) -> None:
        if schedule.blocks < MIN_BLOCKS_PER_SLOT:
            raise UsageError(
                "slots are too short for a chain key", expected=MIN_BLOCKS_PER_SLOT, actual=schedule.blocks
            )
        if extensions < 0:
            raise UsageError("a number of extensions is not negative", actual=extensions)
        self.desk: KeyDesk | None = None
        self._inner = inner
        self._state = state
        self._schedule = schedule
        self._committee = committee
        self._scheme = scheme
        self._block = block
        self._extensions = extensions

    def slot(self, height: int) -> int:
        """Return the slot in which a height lies, as the consensus counts it."""
        return self._inner.slot(height)

    def extras(self, parent: Block, proposer: bytes, attachment: bytes) -> HeaderExtras:
        """Return what the consensus puts into a block on the head, and what the desk has for it that counts.

        Raises
        ------
        UsageError
            When ``attachment`` is not one that the consensus understands.
        """
        extras = self._inner.extras(parent, proposer, attachment)
        payload = self._payload(parent.height + 1).encode()
        return replace(extras, attachment=wrap(extras.attachment, payload), extra_data=commitment(payload))

    def admit(self, state: State, sender: bytes) -> None:
        """Let an account send, or refuse it, as the consensus does.

        Raises
        ------
        Rejected
            With code ``not_permitted``.
        """
        self._inner.admit(state, sender)

    def close(self, closing: Closing) -> None:
        """Check and keep what the block brings, around what the consensus does; see the module.

        Raises
        ------
        InvalidInput
            When the block brings what does not count, or its header does not commit to it.
        UsageError
            When the state is not the one that these rules were made for, or holds no chain key contract.
        """
        if closing.state is not self._state:
            raise UsageError("these rules serve a chain over another state")
        height = closing.context.height
        inner, encoded = committed(closing.extras.extra_data, closing.extras.attachment)
        admission = None
        if encoded:
            admission = self._admission(height)
            admission.take(KeyPayload.decode(encoded))
        self._close_inner(closing, inner)
        storage = StateStorage(self._state, CHAIN_KEY_ADDRESS)
        if admission is not None:
            admission.write(storage)
        if self._schedule.is_last(height):
            slot = self._schedule.slot_of(height)
            turn(storage, self._committee(slot + 1), self._committee(slot + 2), self._extensions)

    def _payload(self, height: int) -> KeyPayload:
        """Return what the desk has for a height, without what does not count."""
        if self.desk is None:
            return NO_PAYLOAD
        payload = replace(self.desk.payload(height), signatures=self._signatures(self.desk, height))
        return self._admission(height).take_what_counts(payload) if payload else payload

    def _signatures(self, desk: KeyDesk, height: int) -> tuple[tuple[int, bytes], ...]:
        """Return what the desk has of signatures that none of the newest blocks brings."""
        heights = _signable(height)
        brought = {
            signed
            for later in heights
            for signed, _ in KeyPayload.decode(unwrap(self._block(later).attachment)[1]).signatures
        }
        found = ((each, desk.signature(each)) for each in heights if each not in brought)
        return tuple((each, signature) for each, signature in found if signature)

    def _admission(self, height: int) -> Admission:
        state = read_key_state(self._state)
        if state is None:
            raise UsageError("this chain has no chain key contract")
        return Admission(
            state,
            takes_logs=takes_logs(self._schedule, height),
            scheme=self._scheme,
            hash_of=lambda signed: self._block(signed).hash if signed in _signable(height) else None,
        )

    def _close_inner(self, closing: Closing, attachment: bytes) -> None:
        extras = replace(closing.extras, attachment=attachment, extra_data=b"")
        inner = replace(closing, extras=extras)
        self._inner.close(inner)
        closing.next_committee_hash = inner.next_committee_hash


def _signable(height: int) -> range:
    """Return the heights whose signatures a block of a height may bring."""
    return range(max(1, height - SIGNED_WINDOW), height)


if TYPE_CHECKING:
    _check: type[ChainRules] = KeyedRules
