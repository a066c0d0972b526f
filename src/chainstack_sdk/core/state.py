"""The world state: flat tables, a journal, and the diff that undoes a block.

Reads never walk a trie. Every write goes to a table and leaves ``(table, key, old value)`` in the
journal, so that a checkpoint is an index, a rollback pops entries, and both cost O(changes). Closing a
block folds the journal once: into the set of touched leaves for the tries, and into a
:class:`StateDiff` that takes the state back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from chainstack_sdk.core.commitment import Commitment, FlatCommitment
from chainstack_sdk.core.diff import StateDiff
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

V = TypeVar("V")


class DamagedState(InvalidInput):
    """A value that a lazy commitment should have is missing or wrong: nobody's fault who reads it."""


class Table(dict[bytes, V], Generic[V]):
    """A dict that the journal can name; ``undo`` collects first old values while a block is folded."""

    __slots__ = ("owner", "undo")

    def __init__(self, owner: bytes = b"") -> None:
        super().__init__()
        self.owner = owner
        self.undo: dict[bytes, V] | None = None


class State:
    """Accounts, code and contract storage.

    The tables may be read directly on hot paths; an absent entry is answered by the methods, which
    ask the commitment when it holds accounts that are not in memory. Whoever writes to a table must
    journal the old value first, as the ``set_*`` methods do.

    Parameters
    ----------
    commitment
        Turns changes into roots and proofs; in memory by default.
    """

    __slots__ = ("_balances", "_codes", "_commitment", "_journal", "_lazy", "_nonces", "_storages")

    def __init__(self, commitment: Commitment | None = None) -> None:
        self._commitment: Commitment = FlatCommitment() if commitment is None else commitment
        self._lazy = self._commitment.lazy
        self._nonces: Table[int] = Table()
        self._balances: Table[int] = Table()
        self._codes: Table[bytes] = Table()
        self._storages: dict[bytes, Table[int]] = {}
        self._journal: list[tuple[Table[Any], bytes, Any]] = []

    @property
    def root(self) -> bytes:
        """The 32-byte state root as of the last :meth:`commit`."""
        return self._commitment.root

    @property
    def commitment(self) -> Commitment:
        """The tries behind the state."""
        return self._commitment

    # Reading

    def nonce(self, address: bytes) -> int:
        """Return the number of transactions sent (or contracts issued) by an account."""
        nonce = self._nonces.get(address)
        if nonce is None:
            if not self._lazy:
                return 0
            self._load(address)
            nonce = self._nonces[address]
        return nonce

    def balance(self, address: bytes) -> int:
        """Return an account's coin in wei."""
        balance = self._balances.get(address)
        if balance is None:
            if not self._lazy:
                return 0
            self._load(address)
            balance = self._balances[address]
        return balance

    def code(self, address: bytes) -> bytes:
        """Return an account's code; empty for plain accounts."""
        code = self._codes.get(address)
        if code is None:
            if not self._lazy:
                return b""
            self._load(address)
            code = self._codes[address]
        return code

    def storage(self, address: bytes, slot: bytes) -> int:
        """Return the integer in a contract's 32-byte slot; 0 when never written."""
        table = self._storages.get(address)
        value = None if table is None else table.get(slot)
        if value is None:
            if not self._lazy:
                return 0
            try:
                value = self._commitment.load_slot(address, slot)
            except InvalidInput as error:
                raise DamagedState(error.message, **error.facts) from error
            self.table(address)[slot] = value
        return value

    def table(self, address: bytes) -> Table[int]:
        """Return a contract's storage table, slot to value."""
        table = self._storages.get(address)
        if table is None:
            table = self._storages[address] = Table(address)
        return table

    def accounts(self) -> Iterator[bytes]:
        """Yield the address of every account held in memory, ascending."""
        return iter(sorted({*self._nonces, *self._balances, *self._codes, *self._storages}))

    def supply(self) -> int:
        """Return the sum of all balances in wei.

        Raises
        ------
        UsageError
            When accounts may exist that are not in memory.
        """
        if self._lazy:
            raise UsageError("not all accounts of this state are in memory")
        return sum(self._balances.values())

    # Writing

    def set_nonce(self, address: bytes, nonce: int) -> None:
        """Journal and write a nonce."""
        self._journal.append((self._nonces, address, self._nonces.get(address)))
        self._nonces[address] = nonce

    def set_balance(self, address: bytes, balance: int) -> None:
        """Journal and write a balance in wei."""
        self._journal.append((self._balances, address, self._balances.get(address)))
        self._balances[address] = balance

    def add_balance(self, address: bytes, amount: int) -> None:
        """Journal and add wei to a balance."""
        held = old = self._balances.get(address)
        if old is None:
            old = self.balance(address)
            held = self._balances.get(address)  # None still, unless loaded: a rollback leaves no zero behind
        self._journal.append((self._balances, address, held))
        self._balances[address] = old + amount

    def set_code(self, address: bytes, code: bytes) -> None:
        """Journal and write an account's code."""
        self._journal.append((self._codes, address, self._codes.get(address)))
        self._codes[address] = code

    def set_storage(self, address: bytes, slot: bytes, value: int) -> None:
        """Journal and write a slot; 0 clears it."""
        table = self.table(address)
        self._journal.append((table, slot, table.get(slot)))
        table[slot] = value

    # Journal

    def checkpoint(self) -> int:
        """Return a mark for :meth:`rollback`; marks nest."""
        return len(self._journal)

    def rollback(self, mark: int) -> None:
        """Undo every write since the mark."""
        journal = self._journal
        while len(journal) > mark:
            table, key, old = journal.pop()
            if old is None:
                del table[key]
            else:
                table[key] = old

    def changes(self, mark: int = 0) -> StateDiff:
        """Return the values, from before the mark, of whatever was written since."""
        return self._diff(self._journal[mark:])

    # Blocks

    def commit(self) -> StateDiff:
        """Fold the journal into the tries and return the diff that undoes it; see :attr:`root`.

        When a lazy commitment fails, on a damaged store, the journal is kept: the changes can still be
        rolled back.
        """
        diff = self._diff(self._journal)
        if self._lazy:
            self._load_touched(diff)
        nonce_of, balance_of, code_of = self._nonces.get, self._balances.get, self._codes.get
        accounts = {
            address: (nonce_of(address, 0), balance_of(address, 0), code_of(address, b""))
            for address in diff.addresses()
        }
        storages = self._storages
        storage = {
            address: {slot: table[slot] for slot in slots}
            for address, slots in diff.storage.items()
            for table in (storages[address],)
        }
        self._commitment.commit(accounts, storage)
        self._journal.clear()
        self._drop_zeros(diff)
        return diff

    def restore(self, diff: StateDiff, root: bytes) -> StateDiff:
        """Go to another committed state and return the diff that leads back.

        Parameters
        ----------
        diff
            The values to write.
        root
            The root they lead to, 32 bytes; a lazy commitment just goes there, and forgets what it
            committed since and nobody has written down.

        Raises
        ------
        UsageError
            When uncommitted changes are pending.
        """
        if self._journal:
            raise UsageError("commit or roll back pending changes before going to another state")
        if self._lazy:
            self.forget()
            self._commitment.reset(root)
            return StateDiff()
        self.rewind(diff)
        return self.commit()

    def rewind(self, diff: StateDiff) -> None:
        """Write a diff's values through the journal, without touching the tries."""
        for address, nonce in diff.nonces.items():
            self.set_nonce(address, nonce)
        for address, balance in diff.balances.items():
            self.set_balance(address, balance)
        for address, code in diff.codes.items():
            self.set_code(address, code)
        for address, slots in diff.storage.items():
            for slot, value in slots.items():
                self.set_storage(address, slot, value)

    def forget(self) -> None:
        """Drop what a lazy commitment can load again."""
        self._nonces.clear()
        self._balances.clear()
        self._codes.clear()
        self._storages.clear()

    @property
    def lazy(self) -> bool:
        """Whether accounts are loaded from the commitment when first asked for."""
        return self._lazy

    def _load_touched(self, diff: StateDiff) -> None:
        """Fetch what was not read of the accounts that changed: a leaf is written whole."""
        for address in diff.addresses():
            self._load(address)

    def _diff(self, journal: list[tuple[Table[Any], bytes, Any]]) -> StateDiff:
        touched: list[Table[Any]] = []
        for table, key, old in journal:
            undo = table.undo
            if undo is None:
                undo = table.undo = {}
                touched.append(table)
            undo.setdefault(key, old or 0)
        storage = {table.owner: _undo(table) for table in touched if table.owner}
        return StateDiff(
            nonces=_undo(self._nonces),
            balances=_undo(self._balances),
            codes={address: code or b"" for address, code in _undo(self._codes).items()},
            storage=storage,
        )

    def _drop_zeros(self, diff: StateDiff) -> None:
        """Absent and zero mean the same; keep the tables as small as the tries."""
        for table, keys in ((self._nonces, diff.nonces), (self._balances, diff.balances)):
            for key in keys:
                if not table[key]:
                    del table[key]
        for address in diff.codes:
            if not self._codes[address]:
                del self._codes[address]
        for address, slots in diff.storage.items():
            table = self._storages[address]
            for slot in slots:
                if not table[slot]:
                    del table[slot]

    def _load(self, address: bytes) -> None:
        try:
            nonce, balance, code = self._commitment.load_account(address)
        except InvalidInput as error:
            raise DamagedState(error.message, **error.facts) from error
        self._nonces.setdefault(address, nonce)
        self._balances.setdefault(address, balance)
        self._codes.setdefault(address, code)


def _undo(table: Table[V]) -> dict[bytes, V]:
    undo, table.undo = table.undo, None
    return undo or {}
