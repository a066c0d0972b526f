"""Blocks beside the chain: shares, and what is let go."""

from __future__ import annotations

from dataclasses import dataclass

from chainstack_sdk.network.bodies import Bodies


@dataclass(frozen=True)
class Body:
    height: int


def test_blocks_are_held_by_hash() -> None:
    bodies: Bodies[Body] = Bodies(2)
    assert bodies.take(b"a", Body(1), "x")
    assert bodies.get(b"a") == Body(1)
    assert bodies.get(b"b") is None
    assert b"a" in bodies
    assert b"b" not in bodies


def test_a_full_share_takes_nothing_more_and_loses_nothing() -> None:
    bodies: Bodies[Body] = Bodies(2)
    assert [bodies.take(bytes([number]), Body(1), "x") for number in range(3)] == [True, True, False]
    assert b"\0" in bodies
    assert b"\2" not in bodies
    assert bodies.take(b"\2", Body(1), "y")


def test_the_node_itself_may_hold_any_number() -> None:
    bodies: Bodies[Body] = Bodies(1)
    assert all(bodies.take(bytes([number]), Body(1), None) for number in range(5))


def test_letting_go_makes_room() -> None:
    bodies: Bodies[Body] = Bodies(2)
    for number, sender in enumerate(("x", "x", "y", None)):
        assert bodies.take(bytes([number]), Body(number), sender)
    bodies.keep_only(lambda body: body.height in (1, 3))
    assert [bytes([number]) in bodies for number in range(4)] == [False, True, False, True]
    assert [bodies.take(bytes([number]), Body(9), "x") for number in (4, 5)] == [True, False]
    assert [bodies.take(bytes([number]), Body(9), "y") for number in (6, 7)] == [True, True]
