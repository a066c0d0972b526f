"""The buyer: publishing, opening, judging, and objecting without a word of the result."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk import Reverted, UsageError
from chainstack_sdk.apps.exchange import AnswerStatus, Buyer, Specification, seal_result
from chainstack_sdk.apps.sandbox import Applet, AppletRefused
from chainstack_sdk.machines import days
from chainstack_sdk.primitives.keccak import keccak256


def forge(scene, task, who, result: bytes, *, signed=None, statement=None, key=None) -> int:
    """Answer with a made-up result, as a provider without our wallet would."""
    about = statement or task.statement(who, b"d" * 32)
    signature = (signed or who).sign(about.digest(result))
    sealed_for = replace(about, provider=who.address)
    envelope = seal_result(sealed_for, result, signature, key=key or task.terms.key, room=64, seed=b"s" * 32)
    return task.answer(who, keccak256(envelope), b"d" * 32, envelope)


def test_good_answers_are_read_and_paid(scene, people) -> None:
    task = scene.publish()
    preview = scene.answer(task)
    (verdict,) = scene.buyer.review(task)
    assert verdict.is_good
    assert (verdict.value, verdict.result) == (17_000, b"17000")
    assert verdict.statement == preview.statement
    assert verdict.signature == people("ann").sign(preview.statement.digest(b"17000"))
    assert task.status(1) is AnswerStatus.WAITING  # looking decides nothing
    scene.buyer.decide(task, verdict)
    assert task.status(1) is AnswerStatus.PAID
    assert scene.buyer.review(task) == []
    with pytest.raises(Reverted, match="nothing to accept"):
        scene.buyer.decide(task, verdict)


def test_the_key_follows_from_the_seed(scene, people) -> None:
    task = scene.publish()
    scene.answer(task)
    again = Buyer(scene.chain, people("buyer"), seed=scene.buyer.seed)
    assert again.review(task)[0].value == 17_000
    stranger = Buyer(scene.chain, people("cheat"))
    assert len(stranger.seed) == 32
    with pytest.raises(UsageError, match="sealed for another key"):
        stranger.review(task)
    with pytest.raises(UsageError, match="at least 32 bytes"):
        Buyer(scene.chain, people("buyer"), seed=b"short")


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (b'"text"', "the result does not fit the schema"),
        (b"200001", "the result does not fit the schema"),
        (b"17000 ", "the result is not canonical JSON"),
        (b'"\\ud800"', "the result is not canonical JSON"),
        (b"", "the result is not canonical JSON"),
        (b"\xff", "the result is not canonical JSON"),
        (b"[" * 64, "the result is not canonical JSON"),
    ],
)
def test_results_that_are_none_are_objected_to(scene, people, result: bytes, told: str) -> None:
    task = scene.publish()
    forge(scene, task, people("cheat"), result)
    (verdict,) = scene.buyer.review(task)
    assert (verdict.is_good, verdict.objection) == (False, told)
    assert (verdict.value, verdict.result, verdict.signature) == (None, b"", b"")
    scene.buyer.decide(task, verdict)
    assert task.status(1) is AnswerStatus.REFUSED
    assert task.events("Objected")[0].args["reason"] == told


def test_answers_for_other_things_are_objected_to(scene, people) -> None:
    task, other = scene.publish(), scene.publish()
    cheat = people("cheat")
    mine = task.statement(cheat, b"d" * 32)
    cases = [
        ({"statement": replace(mine, applet=b"x" * 32)}, "signed by another"),
        ({"statement": replace(mine, specification=b"x" * 32)}, "signed by another"),
        ({"statement": replace(mine, data=b"x" * 32)}, "signed by another"),
        ({"statement": replace(mine, task=other.address)}, "does not open"),
        ({"statement": replace(mine, chain_id=1)}, "does not open"),
        ({"signed": people("ben")}, "signed by another"),
        ({"key": Buyer(scene.chain, cheat).public_key}, "does not open"),
    ]
    for changes, told in cases:
        snapshot = scene.chain.snapshot()
        forge(scene, task, cheat, b"17000", **changes)
        (verdict,) = scene.buyer.review(task)
        assert told in verdict.objection
        scene.chain.revert(snapshot)


def test_a_copied_answer_is_objected_to(scene, people) -> None:
    task = scene.publish()
    preview = scene.answer(task)
    task.answer(people("cheat"), preview.sealed, preview.statement.data, preview.envelope)
    honest, copied = scene.buyer.review(task)
    assert (honest.value, copied.objection) == (17_000, "the envelope does not open")


def test_an_envelope_must_be_the_one_committed_to(scene, people) -> None:
    task = scene.publish()
    preview = scene.ann.prepare(task, scene.grant)
    task.answer(people("ann"), preview.sealed, preview.statement.data)
    (verdict,) = scene.buyer.review(task, envelopes={1: preview.envelope + b"\0"})
    assert verdict.objection == "the envelope is not the one committed to"
    (verdict,) = scene.buyer.review(task, envelopes={1: preview.envelope}, specification=scene.question)
    assert verdict.value == 17_000
    with pytest.raises(UsageError, match="another specification"):
        scene.buyer.review(task, specification=Specification("", None, {}))


def test_a_verdict_decides_its_own_task_only(scene, people) -> None:
    task, other = scene.publish(), scene.publish(price=50)
    scene.answer(task)
    other.answer(people("cheat"), bytes(32), bytes(32))
    (verdict,) = scene.buyer.review(task)
    with pytest.raises(UsageError, match="another task"):
        scene.buyer.decide(other, verdict)
    assert other.status(1) is AnswerStatus.WAITING


def test_every_objection_fits_and_tells_nothing(scene, people) -> None:
    task = scene.publish()
    forge(scene, task, people("cheat"), b'"a secret"')
    (verdict,) = scene.buyer.review(task)
    receipt = scene.buyer.decide(task, verdict)
    assert not any(b"secret" in log.data for log in receipt.logs)
    assert len(verdict.objection.encode()) <= 128


def test_too_late_to_object(scene, people) -> None:
    task = scene.publish()
    forge(scene, task, people("cheat"), b"-1")
    scene.wait(2 * days)
    (verdict,) = scene.buyer.review(task)
    with pytest.raises(Reverted, match="too late to object"):
        scene.buyer.decide(task, verdict)


def test_publishing_checks_first(scene, people) -> None:
    with pytest.raises(UsageError, match="emits nothing"):
        scene.publish(scene.applet(emit=0))
    with pytest.raises(Reverted, match="the price is zero"):
        scene.publish(price=0)
    applet = scene.applet()
    scene.market.publish(applet)
    changed = Applet.sign(replace(applet.manifest, emit=9), applet.code, people("buyer"))
    with pytest.raises(AppletRefused, match="another applet has this name"):
        scene.publish(changed)
