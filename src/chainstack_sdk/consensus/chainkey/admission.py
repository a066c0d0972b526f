"""Which of what blocks bring for the chain key counts, by the one rule for builders and for checkers.

========================  =========================================================================
Brought                   Counts when
========================  =========================================================================
a log                     the block's position in its slot of L blocks is from L // 2 to L - 2,
                          counted from 0; logs are still needed, none of the same place is there;
                          it is valid (:func:`~chainstack_sdk.consensus.chainkey.log.validate_log`)
                          and, being the last one needed, leads to an outcome
an attestation            it is by the key of those who owe one: players whose outcome is known,
                          or holders from genesis; nobody owes a second one
a link                    a link is wanted, and it is from the key of the retired holders, by
                          them, to that of the present ones
a block's signature       the block is one of the :data:`~.payload.SIGNED_WINDOW` before, genesis aside,
                          and the signature by the key of the present holders, or of the retired ones
========================  =========================================================================
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.chainkey import storage as stored
from chainstack_sdk.consensus.chainkey.known import is_signed
from chainstack_sdk.consensus.chainkey.link import KeyLink, validate_link
from chainstack_sdk.consensus.chainkey.log import DealerLog, validate_log
from chainstack_sdk.consensus.chainkey.outcome import combine_logs
from chainstack_sdk.consensus.chainkey.payload import KeyPayload
from chainstack_sdk.primitives.bls import FINALITY_DOMAIN, HOLDERS_DOMAIN
from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainstack_sdk.consensus.bft.scheme import Scheme
    from chainstack_sdk.consensus.chainkey.state import Holders, KeyState
    from chainstack_sdk.consensus.staking.slots import SlotSchedule
    from chainstack_sdk.consensus.staking.storage import Storage


def takes_logs(schedule: SlotSchedule, height: int) -> bool:
    """Tell whether blocks of a height may bring logs."""
    position = height - schedule.first_of(schedule.slot_of(height))
    return schedule.blocks // 2 <= position <= schedule.blocks - 2


class Admission:
    """What one block brings, taken piece by piece; a piece that does not count changes nothing.

    Parameters
    ----------
    state
        The chain key as of the block's parent.
    takes_logs
        Whether the block may bring logs.
    scheme
        Checks signatures of accounts.
    hash_of
        Returns the hash of a block before this one whose signature it may bring, by height; None for others.
    """

    def __init__(
        self,
        state: KeyState,
        *,
        takes_logs: bool,
        scheme: Scheme,
        hash_of: Callable[[int], bytes | None],
    ) -> None:
        self._before = state
        self._state = state
        self._takes_logs = takes_logs
        self._scheme = scheme
        self._hash_of = hash_of

    def take(self, payload: KeyPayload) -> None:
        """Take all of a payload.

        Raises
        ------
        InvalidInput
            When a part of it does not count.
        """
        for log in payload.logs:
            self._take_log(log)
        if payload.attestation:
            self._take_attestation(payload.attestation)
        if payload.link:
            self._take_link(payload.link)
        for height, signature in payload.signatures:
            self._check_signature(height, signature)

    def take_what_counts(self, payload: KeyPayload) -> KeyPayload:
        """Take the parts of a payload that count; return them."""
        logs = tuple(log for log in payload.logs if self._counts(KeyPayload(logs=(log,))))
        attestation, link = KeyPayload(attestation=payload.attestation), KeyPayload(link=payload.link)
        return KeyPayload(
            logs,
            payload.attestation if self._counts(attestation) else b"",
            payload.link if self._counts(link) else b"",
            tuple(each for each in payload.signatures if self._counts(KeyPayload(signatures=(each,)))),
        )

    def write(self, storage: Storage) -> None:
        """Write what was taken to the storage that the state was read from."""
        before, after = self._before, self._state
        for log in after.logs[len(before.logs) :]:
            stored.append_log(storage, log.encode())
        if before.outcome is None and after.outcome is not None:
            stored.store_text(storage, stored.OUTCOME, after.outcome.encode())
        if after.attestation != before.attestation:
            stored.store_text(storage, stored.ATTESTATION, after.attestation)
        if after.holders is not None and after.holders != before.holders:
            stored.set_holders_attestation(storage, after.holders.attestation)
        if after.link != before.link:
            stored.store_link(storage, KeyLink.decode(after.link).generation, after.link)
            stored.store_holders(storage, stored.RETIRED, stored.NOBODY)

    def _counts(self, part: KeyPayload) -> bool:
        try:
            self.take(part)
        except InvalidInput:
            return False
        return True

    def _take_log(self, encoded: bytes) -> None:
        state = self._state
        if not self._takes_logs:
            raise InvalidInput("a block at this place of its slot brings no logs", slot=state.slot)
        ceremony = state.ceremony
        if len(state.logs) >= ceremony.needed:
            raise InvalidInput("no more logs are needed", expected=ceremony.needed)
        log = DealerLog.decode(encoded)
        if any(log.place == known.place for known in state.logs):
            raise InvalidInput("there is a log of this place already", place=log.place)
        validate_log(ceremony, log, self._scheme)
        logs = (*state.logs, log)
        outcome = combine_logs(ceremony, logs) if len(logs) == ceremony.needed else None
        self._state = replace(state, logs=logs, outcome=outcome)

    def _take_attestation(self, attestation: bytes) -> None:
        state = self._state
        if state.holders is not None and self._attests(state.holders, attestation):
            self._state = replace(state, holders=replace(state.holders, attestation=attestation))
        elif state.successors is not None and self._attests(state.successors, attestation):
            self._state = replace(state, attestation=attestation)
        else:
            raise InvalidInput("nobody owes this attestation", actual=attestation)

    def _attests(self, holders: Holders, attestation: bytes) -> bool:
        """Tell whether it is the attestation that holders owe."""
        if holders.attestation:
            return False
        message = holders.message(self._state.chain_id)
        return is_signed(holders.key, message, attestation, HOLDERS_DOMAIN)

    def _check_signature(self, height: int, signature: bytes) -> None:
        block_hash = self._hash_of(height)
        keys = [one.key for one in (self._state.holders, self._state.retired) if one is not None]
        if block_hash is None or not any(
            is_signed(key, block_hash, signature, FINALITY_DOMAIN) for key in keys
        ):
            raise InvalidInput("not the key's signature of a block just before", height=height)

    def _take_link(self, encoded: bytes) -> None:
        state = self._state
        if state.retired is None or state.holders is None:
            raise InvalidInput("no link is wanted", slot=state.slot)
        link = KeyLink.decode(encoded)
        right = (state.holders.generation, state.retired.round, state.retired.members, state.holders.key)
        if (link.generation, link.round, link.members, link.new_key) != right:
            raise InvalidInput("a link between other keys, or by others, than wanted", slot=state.slot)
        validate_link(link, state.chain_id, state.retired.key, self._scheme)
        self._state = replace(state, link=encoded, retired=None)
