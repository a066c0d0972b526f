"""A chain, a market, a buyer with a question, and two wallets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from chainstack_sdk import Account, Chain, ManualClock, ether
from chainstack_sdk.apps.exchange import Buyer, DataTaskHandle, Preview, Provider, Specification
from chainstack_sdk.apps.market import Market
from chainstack_sdk.apps.sandbox import Applet, Grant, Limits, Manifest, Sandbox
from chainstack_sdk.machines import days

BUYER, ANN, BEN, ARBITER, CHEAT = (Account.from_key(bytes([number]) * 32) for number in range(1, 6))
TOTAL = "const main = last => records.read('steps').slice(-last).reduce((a, b) => a + b)"
STEPS = [4_000, 6_000, 11_000]


@dataclass
class Scene:
    """Everything that an exchange needs."""

    chain: Chain
    clock: ManualClock
    sandbox: Sandbox
    market: Market = field(default_factory=Market)

    def __post_init__(self) -> None:
        self.buyer = Buyer(self.chain, BUYER, seed=b"b" * 32)
        self.ann, self.ben = (Provider(self.chain, who, self.market, self.sandbox) for who in (ANN, BEN))
        self.question = Specification(
            "Steps of two days", 2, {"type": "integer", "minimum": 0, "maximum": 200_000}
        )
        self.grant = Grant({"steps": STEPS, "diary": "nobody's business"}, 16)

    def applet(self, code: str = TOTAL, **changes: Any) -> Applet:
        fields = {"records": ("steps",), "emit": 16, "limits": Limits(fuel=100_000_000, milliseconds=60_000)}
        name = f"steps.{len(self.market.search())}"
        manifest = Manifest(name, "1.0.0", BUYER.address, "js", **{**fields, **changes})
        return Applet.sign(manifest, code.encode(), BUYER)

    def publish(
        self, applet: Applet | None = None, question: Specification | None = None, **changes: Any
    ) -> DataTaskHandle:
        offer = {"price": 1_000, "answers": 2, "window": 10 * days, "objection_period": 2 * days, **changes}
        return self.buyer.publish(
            applet or self.applet(), question or self.question, market=self.market, **offer
        )

    def answer(self, task: DataTaskHandle, wallet: Provider | None = None) -> Preview:
        wallet = wallet or self.ann
        preview = wallet.prepare(task, self.grant)
        wallet.send(preview, confirm=preview.result)
        return preview

    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)
        self.chain.seal()


@pytest.fixture
def scene(sandbox: Sandbox) -> Scene:
    funds = dict.fromkeys((BUYER, ANN, BEN, ARBITER, CHEAT), ether(1))
    clock = ManualClock()
    return Scene(Chain.in_memory(funds, clock=clock, auto_seal=True), clock, sandbox)


@pytest.fixture
def people() -> Callable[[str], Account]:
    return {"buyer": BUYER, "ann": ANN, "ben": BEN, "arbiter": ARBITER, "cheat": CHEAT}.__getitem__
