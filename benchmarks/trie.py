"""The state trie against py-trie: random updates of 3,000 keys in tries of different sizes."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Figure, in_turn, progress
from chainstack_sdk.core import MerklePatriciaTrie
from chainstack_sdk.primitives import keccak256

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

UPDATES = 3_000
VALUE_BYTES = 72
"""About the size of an account's leaf."""
SIZES = ((10_000, 35.0), (100_000, 20.0))
"""How many keys the trie has, and how many times as fast as py-trie it shall be."""


class Pair:
    """The same content in both tries, and a sequence of updates that each gets in full."""

    def __init__(self, size: int) -> None:
        draw = random.Random(size)
        self.keys = [keccak256(number.to_bytes(4, "big")) for number in range(size)]
        content = {key: draw.randbytes(VALUE_BYTES) for key in self.keys}
        self.ours = MerklePatriciaTrie(content)
        self.theirs = _py_trie(content)
        self.seeds = {"ours": 0, "theirs": 0}

    def batch(self, whose: str) -> dict[bytes, bytes]:
        """Return the next updates: the same in both sequences."""
        self.seeds[whose] += 1
        draw = random.Random(self.seeds[whose])
        return {key: draw.randbytes(VALUE_BYTES) for key in draw.sample(self.keys, UPDATES)}

    def update_ours(self) -> Callable[[], int]:
        """Prepare an update of the trie of this library."""
        batch = self.batch("ours")

        def run() -> int:
            self.ours.update(batch)
            return UPDATES

        return run

    def update_theirs(self) -> Callable[[], int]:
        """Prepare an update of py-trie, as one batch."""
        batch = self.batch("theirs")

        def run() -> int:
            with self.theirs.squash_changes() as trie:
                for key, value in batch.items():
                    trie[key] = value
            return UPDATES

        return run


def _py_trie(content: dict[bytes, bytes]) -> Any:
    from trie.hexary import HexaryTrie

    trie = HexaryTrie({}, prune=True)
    with trie.squash_changes() as batch:
        for key, value in content.items():
            batch[key] = value
    return trie


def against_py_trie(*, quick: bool) -> Iterator[Figure]:
    """Compare batched random updates; both must arrive at the same root."""
    for size, target in SIZES[:1] if quick else SIZES:
        progress(f"filling tries of {size:,} keys ")
        pair = Pair(size)
        rounds = in_turn(pair.update_theirs, pair.update_ours, 5 if quick else 9)
        if pair.ours.root != pair.theirs.root_hash:
            raise AssertionError("the tries have different roots")
        theirs, ours = rounds.micros()
        yield rounds.figure(
            f"trie of {size:,} keys, updates, rate over py-trie",
            target=target,
            note=f"{1e6 / ours:,.0f} and {1e6 / theirs:,.0f} updates a second",
        )
