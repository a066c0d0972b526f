"""The wallet: what it shows, what it refuses, and that nothing is sent without a word."""

from __future__ import annotations

from dataclasses import replace

import pytest
import wasmtime

from chainstack_sdk import InvalidInput, Reverted, UsageError
from chainstack_sdk.apps.exchange import Buyer, DataTaskHandle, Specification, TaskRefused
from chainstack_sdk.apps.market import AppletRevoked, Market, Revocation
from chainstack_sdk.apps.sandbox import Applet, AppletRefused, CapabilityDenied, Grant, Manifest, compiling
from chainstack_sdk.machines import (
    Machine,
    State,
    address,
    bytes32,
    days,
    keccak,
    timestamp,
    uint256,
    view,
)


def test_a_task_is_shown_whole(scene, people) -> None:
    task = scene.publish(arbiter=people("arbiter"), ruling_period=days)
    text = scene.ann.show(task)
    for part in (
        "Steps of two days",
        f"pays 1000 wei for an answer by {people('buyer').checksum_address}",
        f"objections within 172800 s, ruled on by {people('arbiter').checksum_address}",
        f"steps.0 1.0.0 (js) by {people('buyer').checksum_address}",
        "asks for: records.read steps",
        "asks for: emit <= 16 bytes",
        "input: 2",
        '"maximum":200000',
        "const main = last => records.read('steps')",
    ):
        assert part in text
    assert "nobody: objections are final" in scene.ann.show(scene.publish())


def test_what_is_shown_cannot_drive_a_terminal(scene) -> None:
    hidden = "// \x1b[2J \u202e\x9b1m\tnew\n" + "const main = () => 1"
    about = Specification("safe\n\x1b[31mevil", "\u202e", {"const": "\x9b"})
    text = scene.ann.show(scene.publish(scene.applet(hidden), about))
    assert not {"\x1b", "\u202e", "\x9b", "\t"} & set(text)
    assert "safe\\n\\x1b[31mevil" in text
    assert "// \\x1b[2J \\u202e\\x9b1m" in text


def test_a_module_is_shown_by_its_size(scene, people, monkeypatch) -> None:
    monkeypatch.setattr(compiling, "compile_applet", lambda engine, code, _: wasmtime.Module(engine, code))
    code = bytes(
        wasmtime.wat2wasm(
            '(module (import "chainstack" "emit" (func $emit (param i32 i32))) (memory (export "memory") 1)'
            '(data (i32.const 0) "42") (func (export "main") (call $emit (i32.const 0) (i32.const 2))))'
        )
    )
    manifest = Manifest("module", "1.0.0", people("buyer").address, "wasm", emit=8)
    task = scene.publish(Applet.sign(manifest, code, people("buyer")))
    assert f"a module of {len(code)} bytes" in scene.ann.show(task)
    preview = scene.ann.prepare(task, scene.grant)
    assert preview.result == b"42"
    assert "the applet could read: nothing" in preview.describe()


def test_a_preview_is_exactly_what_leaves(scene, people) -> None:
    task = scene.publish()
    height = scene.chain.height
    preview = scene.ann.prepare(task, scene.grant)
    assert (preview.result, scene.chain.height) == (b"17000", height)
    told = preview.describe()
    assert "the buyer would read: 17000" in told
    assert f"an envelope of {len(preview.envelope)} bytes, in the transaction" in told
    assert preview.sealed.hex() in told
    assert preview.statement.data.hex() in told
    assert "the applet could read: steps" in told
    assert scene.ann.send(preview, confirm=b"17000") == 1
    (answer,) = task.answers()
    assert (answer.envelope, answer.data) == (preview.envelope, preview.statement.data)
    assert preview.usage.emitted == 6


def test_nothing_leaves_unconfirmed(scene) -> None:
    task = scene.publish()
    preview = scene.ann.prepare(task, scene.grant)
    height = scene.chain.height
    for wrong in (b"", b"17001", b"17000 "):
        with pytest.raises(UsageError, match="nothing was sent: what was confirmed"):
            scene.ann.send(preview, confirm=wrong)
    with pytest.raises(UsageError, match="nothing was sent: another wallet"):
        scene.ben.send(preview, confirm=preview.result)
    with pytest.raises(TypeError):
        scene.ann.send(preview)
    assert (scene.chain.height, task.answers()) == (height, [])


def test_the_same_randomness_makes_the_same_answer(scene) -> None:
    task = scene.publish()
    fixed = {"salt": b"s" * 32, "seed": b"e" * 32}
    one, other = (scene.ann.prepare(task, scene.grant, **fixed) for _ in range(2))
    assert one == other
    free = [scene.ann.prepare(task, scene.grant) for _ in range(2)]
    assert len({each.envelope for each in free}) == len({each.statement.data for each in free}) == 2
    for wrong in ({"salt": b"short"}, {"seed": b"short"}):
        with pytest.raises(UsageError, match="has"):
            scene.ann.prepare(task, scene.grant, **wrong)


def test_a_wallet_finds_what_it_can_answer(scene) -> None:
    first, second = scene.publish(answers=1), scene.publish()
    assert scene.ann.tasks() == [first, second]
    scene.answer(first)
    assert scene.ann.tasks() == [second]
    assert scene.ben.tasks() == [second]
    scene.answer(second)
    assert (scene.ann.tasks(), scene.ben.tasks()) == ([], [second])
    scene.wait(10 * days)
    assert scene.ben.tasks() == []


def test_tasks_that_take_no_answer_are_not_worked_on(scene, people) -> None:
    task = scene.publish(answers=1)
    other = scene.publish()
    scene.answer(other)
    with pytest.raises(TaskRefused, match="takes no answer of this wallet"):
        scene.ann.prepare(other, scene.grant)
    late = scene.ben.prepare(task, scene.grant)
    scene.answer(task)
    with pytest.raises(TaskRefused, match="takes no answer"):
        scene.ben.prepare(task, scene.grant)
    height = scene.chain.height
    with pytest.raises(Reverted, match="no more answers"):
        scene.ben.send(late, confirm=late.result)
    assert scene.chain.height == height  # found out before anything was sent


def test_applets_come_from_the_market_by_their_hash(scene, people) -> None:
    applet = scene.applet()
    task = scene.publish(applet)
    scene.ann.market = Market()
    with pytest.raises(AppletRefused, match="no applet with this hash"):
        scene.ann.prepare(task, scene.grant)
    scene.market.revoke(Revocation.sign(applet.hash, people("buyer")))
    for attempt in (scene.ben.show, lambda task: scene.ben.prepare(task, scene.grant)):
        with pytest.raises(AppletRevoked):
            attempt(task)


class Decoy(Machine):
    """Says of itself what a task says."""

    only = State(final=True)

    @view
    def terms(
        self,
    ) -> tuple[address, address, bytes32, bytes32, bytes32, uint256, uint256, timestamp, uint256, uint256]:
        return self.this, self.this, keccak(1), keccak(2), keccak(3), 10**18, 5, self.now + 99, 1, 1


def test_what_only_looks_like_a_task_is_neither_shown_nor_run(scene, people) -> None:
    decoy = DataTaskHandle(scene.chain, Decoy.deploy(scene.chain, people("cheat")).address)
    assert decoy.terms.price == 10**18
    for attempt in (scene.ann.show, lambda task: scene.ann.prepare(task, scene.grant)):
        with pytest.raises(UsageError, match="no data task at this address"):
            attempt(decoy)


def test_a_result_that_does_not_fit_stays(scene) -> None:
    for code, told in (
        ("const main = () => 'text'", "does not fit the schema"),
        ("const main = () => 200001", "does not fit the schema"),
        ("const main = () => undefined", "one value"),
        ("const main = () => { emit(1); emit(2) }", "one value"),
        ("const main = () => { emit(1); return 1 }", "one value"),
    ):
        with pytest.raises(TaskRefused, match=told):
            scene.ann.prepare(scene.publish(scene.applet(code)), scene.grant)


def test_the_grant_is_the_users(scene) -> None:
    task = scene.publish()
    for grant in (Grant({}, 16), Grant({"diary": 1}, 16), Grant({"steps": [1]}, 0)):
        with pytest.raises(CapabilityDenied):
            scene.ann.prepare(task, grant)
    preview = scene.ann.prepare(task, scene.grant)
    assert preview.opening.records == {"steps": [4_000, 6_000, 11_000]}  # not the diary
    assert "4000" not in repr(preview)


def test_a_buyers_key_that_is_none_is_refused(scene, people, monkeypatch) -> None:
    monkeypatch.setattr(Buyer, "public_key", bytes(32))
    task = scene.publish()
    with pytest.raises(InvalidInput, match="no public key"):
        scene.ann.prepare(task, scene.grant)


def test_an_envelope_that_is_long_goes_another_way(scene, people) -> None:
    code = "const main = () => 'x'.repeat(1500)"
    asked = Specification("Text", None, {"type": "string"})
    task = scene.publish(scene.applet(code, emit=2_000), asked)
    preview = scene.ann.prepare(task, replace(scene.grant, emit=2_000))
    assert not preview.goes_on_chain
    assert "for you to deliver" in preview.describe()
    number = scene.ann.send(preview, confirm=preview.result)
    (answer,) = task.answers()
    assert (answer.envelope, answer.sealed) == (b"", preview.sealed)
    (missing,) = scene.buyer.review(task)
    assert missing.objection == "the envelope was not delivered"
    (verdict,) = scene.buyer.review(task, envelopes={number: preview.envelope})
    assert verdict.value == "x" * 1_500


def test_a_long_specification_is_given_by_hand(scene) -> None:
    long = Specification("x" * 1_100, 2, scene.question.schema)
    task = scene.publish(question=long)
    with pytest.raises(TaskRefused, match="not on chain"):
        scene.ann.prepare(task, scene.grant)
    with pytest.raises(TaskRefused, match="another specification"):
        scene.ann.prepare(task, scene.grant, specification=scene.question)
    assert "x" * 1_100 in scene.ann.show(task, long)
    assert scene.ann.prepare(task, scene.grant, specification=long).result == b"17000"


def test_a_wallet_collects_when_nobody_objected(scene, people) -> None:
    task = scene.publish()
    scene.answer(task)
    with pytest.raises(Reverted, match="too early"):
        scene.ann.collect(task)
    scene.wait(2 * days)
    before = scene.chain.balance(task.address)
    scene.ann.collect(task)
    assert before - scene.chain.balance(task.address) == 1_000
    assert task.events("Paid")[0].args["provider"] == people("ann").address


def test_a_printed_grant_shows_no_records() -> None:
    assert repr(Grant({"diary": "Xk7"}, 16)) == "Grant(emit=16)"
