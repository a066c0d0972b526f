"""Commitments to records, and proving an answer to an arbiter who runs the applet again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk import UsageError
from chainstack_sdk.apps.exchange import AnswerRefused, Opening, Specification, check_opening, seal_result
from chainstack_sdk.apps.sandbox import Limits, TimeExceeded
from chainstack_sdk.apps.sandbox.limits import PAGE
from chainstack_sdk.primitives.keccak import keccak256

RECORDS = {"steps": [1, 2], "age": None}
OPENING = Opening(RECORDS, b"s" * 32, b"e" * 32)


def test_the_layout_of_a_commitment() -> None:
    inner = keccak256(b'{"age":null,"steps":[1,2]}')
    assert OPENING.commitment() == keccak256(b"chainstack-records-v1" + b"s" * 32 + inner)
    assert Opening({"age": None, "steps": [1, 2]}, b"s" * 32, b"").commitment() == OPENING.commitment()


def test_records_and_salt_both_count() -> None:
    others = [replace(OPENING, salt=b"t" * 32), replace(OPENING, records={"steps": [1, 2]})]
    assert OPENING.commitment() not in [each.commitment() for each in others]
    with pytest.raises(UsageError, match="a salt has 32 bytes"):
        Opening({}, b"short", b"")
    with pytest.raises(UsageError, match="no such value"):
        Opening({"x": b"bytes"}, bytes(32), b"").commitment()  # type: ignore[dict-item]


def test_a_printed_opening_shows_nothing() -> None:
    assert repr(OPENING) == "Opening()"


def answered(scene):
    applet = scene.applet()
    task = scene.publish(applet)
    preview = scene.answer(task)
    (answer,) = task.answers()
    with_what = {"applet": applet, "specification": scene.question, "sandbox": scene.sandbox}
    return task, answer, preview.opening, with_what


def test_an_honest_answer_is_proven(scene) -> None:
    task, answer, opening, with_what = answered(scene)
    assert check_opening(opening, task, answer, **with_what) == b"17000"


def test_what_does_not_prove_an_answer(scene, people) -> None:
    task, answer, opening, with_what = answered(scene)
    other = scene.applet("const main = () => 17000")
    cases = [
        (opening, answer, {"applet": other}, "another applet"),
        (opening, answer, {"specification": Specification("", 2, {})}, "another applet or specification"),
        (replace(opening, records={"steps": [17_000]}), answer, {}, "not those committed to"),
        (replace(opening, salt=bytes(32)), answer, {}, "not those committed to"),
        (replace(opening, seed=bytes(32)), answer, {}, "not the one committed to"),
        (replace(opening, signature=bytes(65)), answer, {}, "not signed"),
        (opening, replace(answer, provider=people("ben").address), {}, "signed by another"),
        (opening, replace(answer, sealed=bytes(32)), {}, "not the one committed to"),
    ]
    for shown, about, changes, told in cases:
        with pytest.raises(AnswerRefused, match=told):
            check_opening(shown, task, about, **{**with_what, **changes})


def test_a_made_up_answer_is_found_out(scene, people) -> None:
    """The cheat commits to records of its own, but seals a result that does not follow from them."""
    cheat, applet = people("cheat"), scene.applet()
    task = scene.publish(applet)
    for number, (records, told) in enumerate(
        [
            ({"steps": [1, 2]}, "signed by another"),
            ({"steps": [200_001, 0]}, "does not fit the schema"),
            ({"steps": "none"}, "gives no result"),
        ]
    ):
        snapshot = scene.chain.snapshot()
        opening = Opening(records, bytes([number]) * 32, b"e" * 32)
        statement = task.statement(cheat, opening.commitment())
        signature = cheat.sign(statement.digest(b"17000"))
        envelope = seal_result(statement, b"17000", signature, key=task.terms.key, room=16, seed=opening.seed)
        task.answer(cheat, keccak256(envelope), opening.commitment(), envelope)
        (verdict,) = scene.buyer.review(task)
        assert verdict.value == 17_000  # the buyer alone cannot see it
        with pytest.raises(AnswerRefused, match=told):
            check_opening(
                replace(opening, signature=signature),
                task,
                verdict.answer,
                applet=applet,
                specification=scene.question,
                sandbox=scene.sandbox,
            )
        scene.chain.revert(snapshot)


def test_a_machine_that_cannot_tell_does_not_say_no(scene, monkeypatch) -> None:
    """An honest answer is not refused because the arbiter's machine is slow, or its sandbox small."""
    applet = scene.applet(
        "const main = () => { let s = 0; for (let i = 0; i < 100000; i++) s += i; return 1 }"
    )
    task = scene.publish(applet)
    preview = scene.answer(task)
    (answer,) = task.answers()
    about = {"applet": applet, "specification": scene.question, "sandbox": scene.sandbox}
    for limits, error in (
        (Limits(milliseconds=1), TimeExceeded),
        (Limits(fuel=applet.manifest.limits.fuel - 1), UsageError),
        (Limits(memory=applet.manifest.limits.memory - PAGE), UsageError),
    ):
        monkeypatch.setattr(scene.sandbox, "limits", limits)
        with pytest.raises(error):
            check_opening(preview.opening, task, answer, **about)
    monkeypatch.setattr(scene.sandbox, "limits", replace(applet.manifest.limits, milliseconds=600_000))
    assert check_opening(preview.opening, task, answer, **about) == b"1"


def test_an_applet_that_lets_out_two_values_proves_nothing(scene, people) -> None:
    applet = scene.applet("const main = () => { emit(1); emit(2) }")
    task = scene.publish(applet)
    opening = Opening({}, bytes(32), bytes(32), bytes(65))
    task.answer(people("cheat"), bytes(32), opening.commitment())
    (answer,) = task.answers()
    with pytest.raises(AnswerRefused, match="one value"):
        check_opening(
            opening, task, answer, applet=applet, specification=scene.question, sandbox=scene.sandbox
        )
