"""The compiled merging of changes into a trie against that in Python, and against misuse."""

from __future__ import annotations

import gc
import random
import sys
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainstack_sdk.core.trie import MerklePatriciaTrie, merge
from chainstack_sdk.core.trie.nodes import Branch, Extension, Node

compiled = pytest.importorskip(
    "chainstack_sdk.core.trie._merge", reason="no C compiler was there when the library was installed"
)

Batch = dict[bytes, bytes]


def described(node: Node | None) -> Any:
    """Return all that a node and those below it hold."""
    if isinstance(node, Branch):
        return node.mask, node.plain, node.payload, [described(child) for child in node.children]
    if isinstance(node, Extension):
        return node.path, node.reference, described(node.child)
    return node


def by_both(batches: list[Batch]) -> None:
    """Merge the same batches in both ways and compare every node after each."""
    tries = MerklePatriciaTrie(), MerklePatriciaTrie()
    for batch in batches:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(merge, "merge_branch", merge.merge_branch_in_python)
            root = tries[0].update(batch)
        assert tries[1].update(batch) == root
        assert described(tries[0]._node) == described(tries[1]._node)


def test_it_is_what_the_trie_uses() -> None:
    assert merge.merge_branch is compiled.merge_branch


@given(
    st.lists(
        st.dictionaries(
            st.binary(max_size=3).map(lambda tail: b"\x12" * 2 + tail) | st.binary(max_size=2),
            st.sampled_from([b"", b"\x01", b"\x80", b"ab", b"c" * 31, b"d" * 56, b"e" * 255, b"f" * 256]),
            min_size=1,
            max_size=12,
        ),
        max_size=6,
    )
)
def test_short_keys_and_values_of_all_sizes(batches: list[Batch]) -> None:
    by_both(batches)


@pytest.mark.parametrize("seed", range(6))
def test_hashed_keys(seed: int) -> None:
    rng = random.Random(seed)
    size = rng.choice([20, 32, 55, 56, 70])
    keys = [rng.randbytes(size) for _ in range(400)]
    batches = []
    for count in (300, 1, 2, 3, 40, 200, 1, 350):
        chosen = rng.sample(keys, count)
        batches.append({key: rng.choice([rng.randbytes(rng.choice([33, 70, 110])), b""]) for key in chosen})
    by_both(batches)


def test_keys_that_nest_deeper_than_the_compiled_part_goes() -> None:
    keys = [b"\x12" * length + tail for length in range(60, 75) for tail in (b"", b"\x34", b"\x56")]
    by_both(
        [dict.fromkeys(keys, bytes(40)), dict.fromkeys(keys[::3], b"x" * 50), dict.fromkeys(keys[::2], b"")]
    )


def plain_branch() -> Branch:
    trie = MerklePatriciaTrie({b"\x00" * 32: b"one" * 9, b"\x10" * 32: b"two" * 9})
    assert isinstance(trie._node, Branch)
    return trie._node


KEY, VALUE = b"\x10" * 32, b"value" * 9
MISUSE: dict[str, tuple[Any, ...]] = {
    "no branch": (None, [KEY], [VALUE], 0, 1, 0),
    "keys in a tuple": (plain_branch(), (KEY,), [VALUE], 0, 1, 0),
    "a key of text": (plain_branch(), ["key"], [VALUE], 0, 1, 0),
    "a value of text": (plain_branch(), [KEY], ["value"], 0, 1, 0),
    "no changes": (plain_branch(), [KEY], [VALUE], 1, 1, 0),
    "fewer keys than said": (plain_branch(), [KEY], [VALUE], 0, 2, 0),
    "fewer values than said": (plain_branch(), [KEY, KEY], [VALUE], 0, 2, 0),
    "before the first": (plain_branch(), [KEY], [VALUE], -1, 1, 0),
    "above the root": (plain_branch(), [KEY], [VALUE], 0, 1, -1),
    "below the key": (plain_branch(), [KEY], [VALUE], 0, 1, 65),
    "a short second key": (plain_branch(), [KEY, b""], [VALUE, VALUE], 0, 2, 0),
    "too few arguments": (plain_branch(), [KEY], [VALUE]),
    "a wrong mask": (Branch(7, plain_branch().payload, [], True), [KEY], [VALUE], 0, 1, 0),
    "too few children": (Branch(3, plain_branch().payload, [], True), [KEY], [VALUE], 0, 1, 0),
    "no payload": (Branch(3, "text", [(KEY, VALUE)] * 2, True), [KEY], [VALUE], 0, 1, 0),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("arguments", MISUSE.values(), ids=MISUSE.keys())
def test_misuse(arguments: tuple[Any, ...]) -> None:
    with pytest.raises((TypeError, ValueError, AttributeError)):
        compiled.merge_branch(*arguments)


def test_what_python_returns_is_checked() -> None:
    embedded = Branch(3, b"", [], False)
    for answer in (None, (), (None,), (None, "text"), (None, b"", b"")):
        compiled.configure(Branch, merge.merge, lambda *_, answer=answer: answer, merge.take_up, None)
        try:
            with pytest.raises(TypeError, match="a node and its encoding"):
                compiled.merge_branch(embedded, [KEY], [VALUE], 0, 1, 0)
        finally:
            merge._compiled()


def test_nothing_is_leaked() -> None:
    rng = random.Random(1)
    keys = [rng.randbytes(32) for _ in range(200)]
    trie = MerklePatriciaTrie(dict.fromkeys(keys, bytes(70)))

    def everything() -> None:
        for value in (b"v" * 70, b"w" * 300, b"", b"v" * 70):
            trie.update(dict.fromkeys(keys[:60], value))
            trie.update({keys[0]: value})
        for arguments in MISUSE.values():
            with pytest.raises((TypeError, ValueError, AttributeError)):
                compiled.merge_branch(*arguments)

    for _ in range(10):
        everything()
    counts = [sys.getrefcount(thing) for thing in (KEY, VALUE, keys[0], keys[100])]
    tracemalloc.start()
    everything()
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(50):
        everything()
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert [sys.getrefcount(thing) for thing in (KEY, VALUE, keys[0], keys[100])] == counts
    assert grown < 4_000  # one object leaked in each round would be more
