"""Contracts, runtimes and engines that follow a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chainstack_sdk.core.engine import BlockCommitted, BlockProposed, Decide
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.core.queries import simulate
from chainstack_sdk.primitives.errors import Reverted
from chainstack_sdk.testing import (
    AcceptAllHeaders,
    NullRuntime,
    ScriptedCall,
    ScriptedContract,
    ScriptedEngine,
    ScriptedRuntime,
    bare_chain,
    decide,
)

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call

CODE, WHERE, WHO = b"\xef\x43code", b"\x0c" * 20, b"\x0a" * 20
GENESIS = Genesis(accounts={WHERE: GenesisAccount(code=CODE), WHO: GenesisAccount(balance=9)})
HASH = b"\x01" * 32


def echo(call: Call, data: bytes) -> bytes:
    return call.caller + data


def test_a_contract_looks_its_answers_up() -> None:
    refusal = Reverted("no", data=b"no")
    contract = ScriptedContract({b"fix!": b"fixed", b"no!!": refusal, b"echo": echo})
    chain = bare_chain(genesis=GENESIS, runtime=ScriptedRuntime({CODE: contract}))
    assert simulate(chain, to=WHERE, data=b"fix!", sender=WHO, value=2).output == b"fixed"
    assert simulate(chain, to=WHERE, data=b"echo..", sender=WHO).output == WHO + b"echo.."
    with pytest.raises(Reverted) as caught:
        simulate(chain, to=WHERE, data=b"no!!", sender=WHO)
    assert caught.value is refusal
    with pytest.raises(Reverted, match="no answer"):
        simulate(chain, to=WHERE, data=b"what", sender=WHO)
    contract.answers[b""] = b"else"
    assert simulate(chain, to=WHERE, data=b"", sender=WHO).output == b"else"
    assert simulate(chain, to=WHERE, data=b"what", sender=WHO).output == b"else"
    assert contract.calls[0] == ScriptedCall(WHO, WHERE, 2, b"fix!")
    assert [call.data for call in contract.calls] == [b"fix!", b"echo..", b"no!!", b"what", b"", b"what"]


def test_a_contract_without_a_script_refuses() -> None:
    chain = bare_chain(genesis=GENESIS, runtime=ScriptedRuntime({CODE: ScriptedContract()}))
    with pytest.raises(Reverted, match="no answer"):
        simulate(chain, to=WHERE)


def test_runtimes() -> None:
    contract = ScriptedContract()
    assert ScriptedRuntime({CODE: contract}).resolve(CODE) is contract
    assert ScriptedRuntime({CODE: contract}).resolve(b"other") is None
    assert NullRuntime().resolve(CODE) is None
    with pytest.raises(Reverted, match="no runtime"):
        simulate(bare_chain(genesis=GENESIS), to=WHERE)


def test_an_engine_answers_from_a_list() -> None:
    fixed = (Decide(7, HASH, b"fixed"),)
    engine = ScriptedEngine([decide(b"seal"), fixed, decide()])
    assert engine.process(BlockProposed(1, HASH)) == (Decide(1, HASH, b"seal"),)
    assert engine.process(BlockProposed(2, HASH)) == fixed
    assert engine.process(BlockCommitted(2, HASH)) == ()
    assert engine.process(BlockProposed(3, HASH)) == ()
    assert engine.inputs == [
        BlockProposed(1, HASH),
        BlockProposed(2, HASH),
        BlockCommitted(2, HASH),
        BlockProposed(3, HASH),
    ]


def test_names_and_rules() -> None:
    assert ScriptedEngine().name == "scripted"
    rule = AcceptAllHeaders(work=5)
    engine = ScriptedEngine(name="mine", rule=rule)
    assert (engine.name, engine.header_rule, engine.finality_rule) == ("mine", rule, rule)


def test_a_rule_that_accepts_all() -> None:
    header = Genesis().header(bytes(32))
    rule = AcceptAllHeaders(work=5)
    rule.validate_header(header, b"whatever", header)
    rule.validate_finality(header, b"whatever")
    assert rule.work(header) == 5
    assert AcceptAllHeaders().work(header) == 1
