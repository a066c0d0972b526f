"""The arithmetic of the model of many shards: nothing is lost in it, and its answers move the right way."""

from __future__ import annotations

import json
import sys
from importlib import util
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def model():
    spec = util.spec_from_file_location(
        "scale_model_under_test", REPOSITORY / "benchmarks" / "scale_model.py"
    )
    module = util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def costs(model):
    return model.Costs(*(each / 1e6 for each in (80, 25, 15, 300, 200, 400, 2_000, 200, 200)))


@pytest.mark.parametrize("across", [0.0, 0.1, 0.37, 1.0])
@pytest.mark.parametrize("shards", [1, 2, 5, 16])
@pytest.mark.parametrize("rate", [0.0, 333.0, 20_000.0, 1e6])
def test_every_transfer_is_in_one_place(model, costs, shards, across, rate):
    outcome = model.Model(costs, model.Setting(shards, rate, across, 1.0, 0.3, 7.5)).run()
    assert outcome.conserved
    assert outcome.sent == shards * int(rate / shards * 7.5)
    assert min(outcome.local, outcome.left, outcome.arrived, outcome.waiting, outcome.in_flight) >= 0
    assert 0 <= outcome.busy <= 1
    executed = outcome.local + outcome.left
    assert outcome.left == pytest.approx(executed * across if shards > 1 else 0, abs=shards)


def test_coin_that_leaves_takes_a_block_more(model, costs):
    outcome = model.Model(costs, model.Setting(4, 4_000.0, 0.5, 1.0, 0.4, 40.0)).run()
    assert outcome.waiting <= 2 * 4_000
    assert 0.5 + 0.4 < outcome.local_seconds < 0.5 + 0.4 + 0.3  # half an interval, work, delay
    assert outcome.local_seconds + 0.4 < outcome.across_seconds < outcome.local_seconds + 0.4 + 1.3


def test_the_busy_part_is_the_load(model, costs):
    for across in (0.0, 0.5):
        setting = model.Setting(6, 30_000.0, across, 1.0, 0.2, 60.0)
        assert model.Model(costs, setting).run().busy == pytest.approx(model.load(costs, setting), rel=0.05)


def test_one_shard_by_hand(model, costs):
    setting = model.Setting(1, 1_000.0, 0.9, 1.0, 0.0, 10.0)
    assert model.load(costs, setting) == pytest.approx(costs.block + 1_000 * costs.transfer)
    assert model.saturated(costs, 1, 0.0, 1_000) == pytest.approx(
        1_000 / (costs.block + 1_000 * costs.transfer), rel=0.01
    )


def test_more_shards_carry_more_and_more_traffic_across_costs_more(model, costs):
    rates = [model.saturated(costs, shards, 0.1, 1_000) for shards in (1, 2, 4, 8)]
    assert rates == sorted(rates)
    assert rates[3] > 4 * rates[0]
    rates = [model.saturated(costs, 2, across, 1_000) for across in (0.0, 0.1, 0.5, 1.0)]
    assert rates == sorted(rates, reverse=True)


def test_the_fewest_shards(model, costs):
    found = []
    for rate in (1e3, 1e4, 1e5, 3e5):
        setting = model.Setting(1, rate, 0.1, 2.0, 0.4, 16.0)
        shards = model.shards_for(costs, setting, 0.7)
        found.append(shards)
        several = model._with_shards(setting, shards)
        assert model.load(costs, several) <= 0.7
        assert several.rate * several.interval / shards <= several.most
        if shards > 1:
            fewer = model._with_shards(setting, shards - 1)
            assert model.load(costs, fewer) > 0.7 or fewer.rate * fewer.interval / (shards - 1) > fewer.most
    assert found == sorted(found)
    assert model.shards_for(costs, model.Setting(1, 1e9, 0.5, 2.0, 0.4, 16.0), 0.7) is None


def test_the_command(model, capsys):
    arguments = [
        "--costs",
        "8e-5,2e-5,1e-5,3e-4,2e-4,4e-4,2e-3,2e-4,2e-4",
        "--across",
        "0",
        "0.9",
        "--interval",
        "1",
    ]
    model.main([*arguments, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert [row["across"] for row in found["answers"]] == [0, 0.9, 0, 0.9]
    first, hopeless = found["answers"][:2]
    assert first["machines"] == -(-first["shards"] * 4 // 16)
    assert first["sent"] == first["local"] + first["waiting"]
    assert hopeless["shards"] is None
    assert found["assumptions"]["interval"] == 1.0
    model.main(arguments)
    text = capsys.readouterr().out
    assert "no number of shards keeps up" in text
    assert "It is a model" in text
    model.main(["--costs", arguments[1], "--across", "0", "--peak", "1"])
    assert "1,157/s" in capsys.readouterr().out
