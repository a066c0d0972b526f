"""States as flat values: the tries are not stored; they are rebuilt when a chain is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import EMPTY_HASH, keccak256
from chainstack_sdk.primitives.rlp import decode_int, rlp_decode, rlp_encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chainstack_sdk.core.diff import StateDiff
    from chainstack_sdk.core.interfaces import KeyValueStore
    from chainstack_sdk.core.state import State


class FlatCodec:
    """Keeps an account as one value and a storage slot as one value."""

    name = b"flat"
    needs_undo = True

    def writes(self, state: State, diff: StateDiff) -> tuple[dict[bytes, bytes], list[bytes]]:
        """Return the entries of every account and slot the diff names, as they are now."""
        puts: dict[bytes, bytes] = {}
        deletes: list[bytes] = []
        for address in diff.addresses():
            nonce, balance, code = state.nonce(address), state.balance(address), state.code(address)
            if not (nonce or balance or code):
                deletes.append(b"a" + address)
                continue
            code_hash = EMPTY_HASH
            if code:
                code_hash = keccak256(code)
                if address in diff.codes:
                    puts[b"c" + code_hash] = code
            puts[b"a" + address] = rlp_encode([nonce, balance, code_hash])
        for address, slots in diff.storage.items():
            _slot_writes(state.table(address), b"s" + address, slots, puts, deletes)
        return puts, deletes

    def load(self, store: KeyValueStore, state: State, root: bytes) -> None:
        """Fill the tables and rebuild the tries; the ledger compares the root."""
        for key, value in store.iterate(b"a"):
            match rlp_decode(value):
                case [bytes(nonce), bytes(balance), bytes(code_hash)] if len(key) == 21:
                    address = key[1:]
                case _:
                    raise InvalidInput("malformed account in the store", key=key)
            state.set_nonce(address, decode_int(nonce, 8))
            state.set_balance(address, decode_int(balance))
            if code_hash != EMPTY_HASH:
                code = store.get(b"c" + code_hash)
                if code is None or keccak256(code) != code_hash:
                    raise InvalidInput("code is missing from the store", key=key)
                state.set_code(address, code)
        for key, value in store.iterate(b"s"):
            if len(key) != 53:
                raise InvalidInput("malformed slot in the store", key=key)
            state.set_storage(key[1:21], key[21:], int.from_bytes(value, "big"))
        state.commit()


def _slot_writes(
    table: Mapping[bytes, int],
    prefix: bytes,
    slots: Mapping[bytes, int],
    puts: dict[bytes, bytes],
    deletes: list[bytes],
) -> None:
    for slot in slots:
        value = table.get(slot)
        if value:
            puts[prefix + slot] = value.to_bytes((value.bit_length() + 7) >> 3, "big")
        else:
            deletes.append(prefix + slot)
