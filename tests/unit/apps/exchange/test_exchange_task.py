"""Tasks as Python objects, and finding them."""

from __future__ import annotations

from typing import Annotated

import pytest

from chainstack_sdk import Reverted, UsageError
from chainstack_sdk.apps.exchange import (
    AnswerStatus,
    DataTaskHandle,
    Specification,
    TaskRefused,
    find_task,
    find_tasks,
)
from chainstack_sdk.machines import Machine, State, bytes32, days, transition, uint256
from chainstack_sdk.primitives.keccak import keccak256


class Lookalike(Machine):
    """Has the functions, and keeps the money."""

    only = State()

    def __init__(self, applet: bytes32) -> None:
        pass

    @transition(only)
    def answer(
        self, applet: bytes32, sealed: bytes32, data: bytes32, envelope: Annotated[bytes, 1024]
    ) -> uint256:
        return 1


def test_terms_answers_and_progress(scene, people) -> None:
    task = scene.publish(arbiter=people("arbiter"), ruling_period=days)
    terms = task.terms
    assert (terms.buyer, terms.arbiter) == (people("buyer").address, people("arbiter").address)
    assert terms.has_arbiter
    assert (terms.price, terms.wanted, terms.key) == (1_000, 2, scene.buyer.public_key)
    assert (terms.objection_period, terms.ruling_period) == (2 * days, days)
    assert task.specification() == scene.question
    assert (task.answers(), task.progress(), task.takes_answers) == ([], (0, 0, 0), True)
    preview = scene.answer(task)
    (answer,) = task.answers()
    assert (answer.number, answer.provider) == (1, people("ann").address)
    assert answer.status is AnswerStatus.WAITING
    assert (answer.envelope, answer.sealed) == (preview.envelope, keccak256(preview.envelope))
    assert answer.data == preview.opening.commitment()
    assert (task.number_of(people("ann")), task.number_of(people("ben"))) == (1, 0)
    assert task.status(9) is AnswerStatus.NONE
    assert task.answers(last=0) == []


def test_both_ways_to_the_end(scene, people) -> None:
    task = scene.publish(arbiter=people("arbiter"), ruling_period=days)
    scene.answer(task)
    scene.answer(task, scene.ben)
    assert not task.takes_answers
    task.object(people("buyer"), 1, "no")
    assert task.status(1) is AnswerStatus.CONTESTED
    task.rule(people("arbiter"), 1, pay=False)
    assert task.status(1) is AnswerStatus.REFUSED
    assert task.takes_answers
    task.accept(people("buyer"), 2)
    assert task.status(2) is AnswerStatus.PAID
    scene.wait(10 * days)
    assert not task.takes_answers
    task.close(people("ben"))
    assert (task.state, scene.chain.balance(task.address)) == ("closed", 0)


def test_only_genuine_tasks_are_found(scene, people) -> None:
    fake = Lookalike.deploy(scene.chain, people("cheat"), applet=bytes(32))
    first, second = scene.publish(), scene.publish()
    assert find_tasks(scene.chain) == [first, second]
    assert find_tasks(scene.chain, first=scene.chain.height) == [second]
    assert find_tasks(scene.chain, last=0) == []
    assert find_task(scene.chain, first.address) == first
    for address in (fake.address, people("ann")):
        with pytest.raises(UsageError, match="no data task"):
            find_task(scene.chain, address)
    pretended = DataTaskHandle(scene.chain, fake.address)
    with pytest.raises(UsageError, match="no data task"):
        scene.ann.prepare(pretended, scene.grant)


def test_a_long_specification_goes_another_way(scene) -> None:
    long = Specification("x" * 1_100, 2, scene.question.schema)
    task = scene.publish(question=long)
    with pytest.raises(TaskRefused, match="not on chain"):
        task.specification()
    assert task.specification(long.encode()) == long
    with pytest.raises(TaskRefused, match="another specification"):
        task.specification(scene.question.encode())


def test_an_answer_by_hand(scene, people) -> None:
    task = scene.publish()
    assert task.answer(people("cheat"), bytes(32), bytes(32)) == 1
    assert task.answers()[0].envelope == b""
    with pytest.raises(Reverted, match="too early"):
        task.settle(people("cheat"), 1)
