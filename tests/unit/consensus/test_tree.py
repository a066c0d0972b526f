from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk.consensus.tree import HeaderTree
from chainstack_sdk.core.blocks import Header
from chainstack_sdk.core.genesis import Genesis
from chainstack_sdk.primitives.errors import UsageError

ROOT = Genesis().header(bytes(32))


def child(parent: Header, number: int = 0) -> Header:
    return replace(parent, height=parent.height + 1, parent_hash=parent.hash, extra_data=bytes([number]))


def line(tree: HeaderTree, parent: Header, length: int, number: int = 0, weight: int = 1) -> list[Header]:
    found = []
    for _ in range(length):
        parent = child(parent, number)
        assert tree.add(parent, b"", weight)
        found.append(parent)
    return found


def heights(headers) -> list[int]:
    return [header.height for header in headers]


def test_the_heaviest_tip_is_best_and_of_equals_the_first() -> None:
    tree = HeaderTree(ROOT)
    assert (tree.root, tree.head, tree.best, len(tree)) == (ROOT, ROOT, ROOT, 1)
    long = line(tree, ROOT, 3)
    assert tree.best == long[-1]
    equal = line(tree, ROOT, 1, 1, weight=3)
    assert tree.best == long[-1]
    assert tree.weight(equal[-1].hash) == tree.weight(long[-1].hash) == 3
    (heavy,) = line(tree, ROOT, 1, 2, weight=4)
    assert tree.best == heavy
    assert tree.get(heavy.hash).header == heavy
    assert tree.get(bytes(32)) is None
    assert heavy.hash in tree
    assert tree.head == ROOT


def test_a_header_is_added_once_and_on_a_known_parent() -> None:
    tree = HeaderTree(ROOT)
    one = child(ROOT)
    assert tree.add(one, b"first", 1)
    assert tree.add(one, b"second", 5)
    assert (len(tree), tree.weight(one.hash), tree.get(one.hash).seal) == (2, 1, b"first")
    with pytest.raises(UsageError, match="no such header"):
        tree.add(child(child(one)), b"", 1)
    with pytest.raises(UsageError):
        tree.weight(bytes(32))


def test_paths_and_forks() -> None:
    tree = HeaderTree(ROOT)
    stem = line(tree, ROOT, 2)
    left, right = line(tree, stem[-1], 3, 1), line(tree, stem[-1], 2, 2)
    assert [one.header for one in tree.path(stem[0].hash, left[-1].hash)] == [stem[1], *left]
    assert tree.path(left[0].hash, left[0].hash) == ()
    assert tree.fork(left[-1].hash, right[-1].hash) == stem[-1]
    assert tree.fork(left[-1].hash, left[0].hash) == left[0]
    assert tree.fork(left[-1].hash, ROOT.hash) == ROOT
    assert list(tree.ancestors(right[0].hash)) == [right[0], stem[1], stem[0], ROOT]
    for pair in ((left[0].hash, right[-1].hash), (left[-1].hash, left[0].hash)):
        with pytest.raises(UsageError, match="no branch leads"):
            tree.path(*pair)


def test_removing_a_subtree_brings_back_the_next_best() -> None:
    tree = HeaderTree(ROOT)
    stem = line(tree, ROOT, 1)
    long, short = line(tree, stem[0], 4, 1), line(tree, stem[0], 2, 2)
    twin = line(tree, stem[0], 2, 3)
    assert tree.best == long[-1]
    assert tree.remove(long[1].hash) == tuple(long[1:])
    assert tree.best == short[-1]
    assert all(header.hash not in tree for header in long[1:])
    assert tree.remove(short[0].hash) == tuple(short)
    assert tree.best == twin[-1]
    tree.stand_at(twin[0].hash)
    for wrong in (ROOT, stem[0], twin[0]):
        with pytest.raises(UsageError, match="stands on"):
            tree.remove(wrong.hash)
    assert line(tree, long[0], 3, 1)[-1] == tree.best


def test_settling_cuts_off_other_branches() -> None:
    tree = HeaderTree(ROOT)
    stem = line(tree, ROOT, 3)
    heavy = line(tree, stem[0], 1, 1, weight=9)
    top = line(tree, stem[2], 1)
    tree.stand_at(stem[2].hash)
    assert tree.best == heavy[0]
    tree.settle(stem[1].hash)
    assert (tree.root, tree.best, tree.head) == (stem[1], top[0], stem[2])
    assert tree.weight(stem[1].hash) == 0
    assert tree.weight(top[0].hash) == 2
    assert [gone.hash in tree for gone in (ROOT, stem[0], heavy[0])] == [False] * 3
    with pytest.raises(UsageError, match="no branch leads"):
        tree.settle(top[0].hash)
    with pytest.raises(UsageError, match="no such header"):
        tree.settle(ROOT.hash)
    assert heights(tree.ancestors(top[0].hash)) == [4, 3, 2]


def test_pruning_keeps_some_blocks_below_the_head() -> None:
    tree = HeaderTree(ROOT)
    stem = line(tree, ROOT, 6)
    tree.stand_at(stem[3].hash)
    tree.prune(4)
    assert tree.root == ROOT
    tree.prune(3)
    assert tree.root == stem[0]
    tree.prune(1)
    assert tree.root == stem[2]
    assert len(tree) == 4


def test_orphans_wait_for_their_parent() -> None:
    tree = HeaderTree(ROOT, max_orphans=3)
    one = child(ROOT)
    two, three = child(one, 1), child(one, 2)
    assert tree.add_orphan(two, b"a")
    assert not tree.add_orphan(two, b"a")
    assert tree.add_orphan(two, b"b")
    assert tree.add_orphan(three, b"c")
    assert tree.take_orphans(two.hash) == []
    assert [(found.header, found.seal) for found in tree.take_orphans(one.hash)] == [
        (two, b"a"),
        (two, b"b"),
        (three, b"c"),
    ]
    assert tree.take_orphans(one.hash) == []
    for number in range(5):
        tree.add_orphan(child(one, number), b"")
    assert [found.header.extra_data[0] for found in tree.take_orphans(one.hash)] == [2, 3, 4]


def test_orphans_below_what_is_settled_are_forgotten() -> None:
    tree = HeaderTree(ROOT)
    stem = line(tree, ROOT, 2)
    tree.stand_at(stem[-1].hash)
    lost = child(child(ROOT, 7), 7)
    late, later = child(lost), child(child(lost))
    for header in (lost, late, later):
        tree.add_orphan(header, b"")
    tree.settle(stem[-1].hash)
    assert [bool(tree.take_orphans(header.parent_hash)) for header in (lost, late, later)] == [
        False,
        False,
        True,
    ]


def test_a_full_tree_drops_the_lightest_leaf() -> None:
    tree = HeaderTree(ROOT, max_headers=5)
    main = line(tree, ROOT, 2)
    side = line(tree, ROOT, 1, 1)
    other = line(tree, ROOT, 1, 2)
    assert not tree.add(child(ROOT, 3), b"", 1)  # as light as others, and the last to come
    assert tree.add(child(ROOT, 4), b"", 2)
    assert other[0].hash not in tree
    assert side[0].hash in tree
    top = line(tree, main[-1], 1)
    assert side[0].hash not in tree
    assert tree.best == top[0]
    assert len(tree) == 5


def test_head_and_best_tip_never_make_room() -> None:
    tree = HeaderTree(ROOT, max_headers=4)
    (head,) = line(tree, ROOT, 1)
    tree.stand_at(head.hash)
    best = line(tree, ROOT, 2, 1)
    assert tree.best == best[-1]
    assert not tree.add(child(best[-1]), b"", 1)
    assert tree.best == best[-1]
    assert not tree.add(child(ROOT, 3), b"", 1)
    assert head.hash in tree
