"""Proofs in hexary Merkle-Patricia tries whose keys are hashes: accounts by address, values by slot.

Source: Yellow Paper, appendices C and D. A node is the RLP of a branch (17 items) or of a path with what is
at its end (2 items). It refers to a child by the child itself when that takes less than 32 bytes, otherwise
by its keccak-256. A proof lists the nodes on the path of a key, root first, those inside of their parents
left out.

**Caveats.** All keys have 32 bytes, so no key ends at a branch; a branch with a value is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import EMPTY_HASH, EMPTY_ROOT, keccak256
from chainstack_sdk.primitives.rlp import decode_int, rlp_decode, rlp_encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainstack_sdk.primitives.rlp import RlpItem

_EMBEDDED_BELOW = 32


class AccountLeaf(NamedTuple):
    """What a state trie holds for an account."""

    nonce: int
    """How many transactions it has sent."""
    balance: int
    """Wei."""
    storage_root: bytes
    """32 bytes."""
    code_hash: bytes
    """32 bytes."""


NO_ACCOUNT = AccountLeaf(0, 0, EMPTY_ROOT, EMPTY_HASH)
"""What stands for an account that does not exist."""


def root_of(nodes: Sequence[bytes]) -> bytes:
    """Return the root of the trie from which a proof's nodes come; without any it is the empty one."""
    return keccak256(nodes[0]) if nodes else EMPTY_ROOT


def account_at(root: bytes, address: bytes, nodes: Sequence[bytes]) -> AccountLeaf | None:
    """Return the account that a proof shows under a state root, or None when it shows that there is none.

    Raises
    ------
    InvalidInput
        When it shows neither.
    """
    leaf = value_at(root, keccak256(address), nodes)
    if leaf is None:
        return None
    match rlp_decode(leaf):
        case [bytes(nonce), bytes(balance), bytes(storage_root), bytes(code_hash)]:
            if len(storage_root) == len(code_hash) == 32:
                return AccountLeaf(decode_int(nonce, 8), decode_int(balance), storage_root, code_hash)
    raise InvalidInput("not an account", address=address)


def slot_at(root: bytes, slot: bytes, nodes: Sequence[bytes]) -> int:
    """Return the number that a proof shows in a slot under a storage root; 0 when there is none.

    Raises
    ------
    InvalidInput
        When it shows neither.
    """
    leaf = value_at(root, keccak256(slot), nodes)
    if leaf is None:
        return 0
    value = rlp_decode(leaf)
    if not isinstance(value, bytes) or not value:
        raise InvalidInput("not the value of a slot", slot=slot)
    return decode_int(value)


def value_at(root: bytes, key: bytes, nodes: Sequence[bytes]) -> bytes | None:
    """Return what a proof shows about a key: its value, or None for its absence.

    Parameters
    ----------
    root
        32 bytes.
    key
        32 bytes: the hash under which the trie keeps the value.
    nodes
        RLP of the nodes on the key's path, each of which must be needed; none for the empty trie.

    Raises
    ------
    InvalidInput
        When it shows neither.
    """
    if root == EMPTY_ROOT and not nodes:
        return None
    walk = _Walk(root, key, nodes)
    value = walk.run()
    if walk.used != len(nodes):
        raise InvalidInput("a trie proof has surplus nodes", expected=walk.used, actual=len(nodes))
    return value


class _Walk:
    """The way from the root down the path of a key."""

    __slots__ = ("_child", "_nodes", "_path", "used")

    def __init__(self, root: bytes, key: bytes, nodes: Sequence[bytes]) -> None:
        self._child: RlpItem = root
        self._nodes = nodes
        self._path = key.hex()
        self.used = 0

    def run(self) -> bytes | None:
        after_extension = False
        while self._child != b"":
            items = self._next_node()
            if len(items) == 17:
                self._descend(items)
                after_extension = False
                continue
            if len(items) != 2 or after_extension:
                raise InvalidInput("not a node that a trie can have there", actual=len(items))
            steps, is_leaf = _steps(items[0])
            rest = self._path[len(steps) :]
            matches = self._path.startswith(steps)
            if is_leaf:
                if not isinstance(items[1], bytes) or not items[1] or len(steps) != len(self._path):
                    raise InvalidInput("not a leaf that a trie can have there")
                return items[1] if matches else None
            if not steps or not rest:
                raise InvalidInput("an extension of a trie has a path, and something below")
            if not matches:
                return None
            self._path, self._child = rest, items[1]
            if self._child == b"":
                raise InvalidInput("an extension of a trie leads to a branch")
            after_extension = True
        return None

    def _descend(self, items: list[RlpItem]) -> None:
        if items[16] != b"" or not self._path:
            raise InvalidInput("a branch of a trie of hashes has no value")
        self._child = items[int(self._path[0], 16)]
        self._path = self._path[1:]

    def _next_node(self) -> list[RlpItem]:
        """Return the items of the node to which the last one refers."""
        if not isinstance(self._child, bytes):
            if len(rlp_encode(self._child)) >= _EMBEDDED_BELOW:
                raise InvalidInput("a trie node of 32 bytes or more is referred to by its hash")
            return self._child
        if self.used == len(self._nodes):
            raise InvalidInput("a trie proof ends early", expected=self._child)
        raw = self._nodes[self.used]
        if keccak256(raw) != self._child:
            raise InvalidInput("another node belongs there in a trie proof", expected=self._child)
        if self.used and len(raw) < _EMBEDDED_BELOW:
            raise InvalidInput("a trie node of less than 32 bytes stands inside of its parent")
        self.used += 1
        node = rlp_decode(raw)
        if not isinstance(node, list):
            raise InvalidInput("a trie node is a list")
        return node


def _steps(item: RlpItem) -> tuple[str, bool]:
    """Return the nibbles of a hex-prefixed path as hexadecimal digits, and whether it is a leaf's."""
    if not isinstance(item, bytes):  # nor is it told: nobody can print a list that nests deep
        raise InvalidInput("not a path of a trie node, but a list")
    digits = item.hex()
    match digits[:1]:
        case ("1" | "3") as flag:
            return digits[1:], flag == "3"
        case ("0" | "2") as flag if digits[1] == "0":
            return digits[2:], flag == "2"
    raise InvalidInput("not a path of a trie node", actual=item)
