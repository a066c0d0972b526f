"""What only a small tree shows; the engines' tests show the rest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk.consensus import forkchoice
from chainstack_sdk.consensus.forkchoice import ForkChoice
from chainstack_sdk.consensus.sealed import encode_announcement
from chainstack_sdk.consensus.tree import HeaderTree
from chainstack_sdk.core.blocks import Header
from chainstack_sdk.core.engine import FetchBlock, SwitchHead
from chainstack_sdk.testing import AcceptAllHeaders, bare_chain, extend

CHAIN = bare_chain()
ROOT = CHAIN.head
LINE = [extend(CHAIN).header for _ in range(6)]
KNOWN = {header.hash: header for header in (ROOT, *LINE)}


def fork(depth: int = 10) -> ForkChoice[AcceptAllHeaders]:
    choice = ForkChoice(lambda headers: AcceptAllHeaders(), KNOWN.get, depth=depth)
    choice.follow(ROOT.hash)
    return choice


def message(header: Header, seal: bytes = b"") -> bytes:
    return encode_announcement(header, seal)


def twin(header: Header, number: int = 1) -> Header:
    return replace(header, extra_data=bytes([number]))


def test_headers_are_found_in_the_tree_and_below_it() -> None:
    choice = fork(depth=1)
    other = twin(LINE[0])
    choice.hear(message(other))
    assert choice.header(other.hash) == other
    assert choice.header(bytes(32)) is None
    choice.follow(LINE[3].hash)
    assert choice.tree.root == LINE[2]
    assert choice.header(LINE[0].hash) == LINE[0]
    assert choice.header(other.hash) is None


def test_of_two_seals_for_an_orphan_the_right_one_counts() -> None:
    class OnlyRight(AcceptAllHeaders):
        def validate_header(self, header: Header, seal: bytes, parent: Header) -> None:
            if seal != b"right":
                raise forkchoice.InvalidInput("wrong seal")

    choice = ForkChoice(lambda headers: OnlyRight(), KNOWN.get, depth=10)
    choice.follow(ROOT.hash)
    for seal in (b"wrong", b"right", b"no"):
        assert choice.hear(message(LINE[1], seal)) == (FetchBlock(1, LINE[0].hash),)
    assert choice.hear(message(LINE[0], b"right")) == (SwitchHead(2, LINE[1].hash),)
    assert choice.refused == 2
    assert choice.tree.get(LINE[1].hash).seal == b"right"


def test_when_there_is_no_room_the_rest_of_a_branch_waits_to_be_heard_again() -> None:
    choice = fork()
    choice.tree = HeaderTree(ROOT, max_headers=3)
    choice.hear(message(LINE[2]))
    choice.hear(message(LINE[1]))
    choice.hear(message(LINE[0]))
    assert choice.tree.best == LINE[1]
    assert len(choice.tree) == 3
    choice.follow(LINE[1].hash)
    choice.tree.settle(LINE[0].hash)
    assert choice.hear(message(LINE[2])) == (SwitchHead(3, LINE[2].hash),)


def test_two_orphans_of_a_parent_without_room() -> None:
    choice = fork()
    choice.tree = HeaderTree(ROOT, max_headers=2)
    for header in (LINE[2], LINE[1]):
        choice.hear(message(header))
    assert choice.hear(message(LINE[0])) == (SwitchHead(1, LINE[0].hash),)
    assert choice.tree.best == LINE[0]


def test_a_header_that_gave_way_leaves_its_children_behind() -> None:
    class Weighted(AcceptAllHeaders):
        def work(self, header: Header) -> int:
            return 1 + sum(header.extra_data)

    choice = ForkChoice(lambda headers: Weighted(), KNOWN.get, depth=10)
    assert choice.header(ROOT.hash) == ROOT  # before there is a tree
    choice.follow(ROOT.hash)
    choice.tree = HeaderTree(ROOT, max_headers=3)
    light, heavy = LINE[1], twin(LINE[1], 5)
    for header in (LINE[2], light, heavy):
        choice.hear(message(header))
    assert choice.hear(message(LINE[0])) == (SwitchHead(2, heavy.hash),)
    assert [header.hash in choice.tree for header in (LINE[0], light, heavy, LINE[2])] == [
        True,
        False,
        True,
        False,
    ]
    assert choice.refused == 0


def test_a_chain_that_finds_no_room_begins_a_new_tree() -> None:
    choice = fork()
    choice.tree = HeaderTree(ROOT, max_headers=3)
    other = [twin(LINE[0]), replace(LINE[1], parent_hash=twin(LINE[0]).hash)]
    for header in other:
        choice.hear(message(header))
    assert choice.tree.best == other[1]
    choice.follow(LINE[0].hash)
    assert choice.tree.head == LINE[0]
    assert other[0].hash not in choice.tree


def test_only_so_many_invalid_blocks_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forkchoice, "MAX_BANNED", 2)
    choice = fork()
    twins = [twin(LINE[0], number) for number in range(1, 4)]
    for header in twins:
        assert choice.ban(header.hash) == ()
    for header in twins:
        choice.hear(message(header))
    assert [header.hash in choice.tree for header in twins] == [True, False, False]
    assert choice.refused == 2
    choice.hear(message(replace(LINE[1], parent_hash=twins[2].hash)))
    assert choice.refused == 3


def test_what_is_below_the_root_is_not_asked_for() -> None:
    choice = fork(depth=1)
    choice.follow(LINE[3].hash)
    for header in LINE[:4]:
        assert choice.hear(message(twin(header))) == ()
    assert choice.hear(message(replace(LINE[4], parent_hash=bytes(32)))) == (FetchBlock(4, bytes(32)),)
    assert choice.refused == 0


def test_blocks_sealed_before_the_first_is_committed_are_not_followed() -> None:
    choice = ForkChoice(lambda headers: AcceptAllHeaders(), KNOWN.get, depth=10)
    choice.offer(LINE[0], b"")
    assert choice.tree is None
