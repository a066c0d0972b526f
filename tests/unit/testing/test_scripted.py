"""Contracts, runtimes and engines that follow a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chainstack_sdk.core.closing import Closing, HeaderExtras
from chainstack_sdk.core.engine import BlockCommitted, BlockProposed, Decide
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.core.queries import simulate
from chainstack_sdk.core.view import ChainView
from chainstack_sdk.primitives.errors import Rejected, Reverted
from chainstack_sdk.testing import (
    AcceptAllHeaders,
    NullRuntime,
    ScriptedCall,
    ScriptedConsensus,
    ScriptedContract,
    ScriptedEngine,
    ScriptedRules,
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
    rule.validate_candidate(header, header)
    rule.validate_finality(header, b"whatever")
    assert rule.work(header) == 5
    assert AcceptAllHeaders().work(header) == 1


def test_rules_put_the_same_into_every_header() -> None:
    chain = bare_chain()
    parent = chain.ledger.block(0)
    extras = HeaderExtras(seed=b"\x01" * 32, attachment=b"always")
    rules = ScriptedRules(slot=7, extras=extras)
    assert [rules.slot(height) for height in (1, 50)] == [7, 7]
    assert rules.extras(parent, WHO, b"") == extras
    assert rules.extras(parent, WHO, b"now") == HeaderExtras(seed=b"\x01" * 32, attachment=b"now")
    assert ScriptedRules().extras(parent, WHO, b"") == HeaderExtras()
    assert ScriptedRules().slot(1) == 0


def test_rules_refuse_those_on_the_list() -> None:
    chain = bare_chain()
    rules = ScriptedRules(refused=[WHO])
    rules.admit(chain.state, WHERE)
    with pytest.raises(Rejected) as caught:
        rules.admit(chain.state, WHO)
    assert (caught.value.code, caught.value.actual) == ("not_permitted", WHO)
    rules.refused.clear()
    rules.admit(chain.state, WHO)


def test_rules_let_a_test_close_blocks() -> None:
    chain = bare_chain()
    context = chain.next_context(timestamp_ms=5, proposer=WHO)
    closings = [Closing(chain.state, context, chain.head, HeaderExtras(), 1, 2) for _ in range(2)]

    def close(closing: Closing) -> None:
        closing.next_committee_hash = HASH

    rules, nothing = ScriptedRules(close=close), ScriptedRules()
    rules.close(closings[0])
    nothing.close(closings[1])
    assert [closing.next_committee_hash for closing in closings] == [HASH, bytes(32)]
    assert (rules.closings, nothing.closings) == (closings[:1], closings[1:])


def test_a_consensus_is_made_of_its_parts() -> None:
    chain = bare_chain()
    view = ChainView(chain.state)
    engine, rules, contracts = ScriptedEngine(name="mine"), ScriptedRules(), {CODE: ScriptedContract()}
    consensus = ScriptedConsensus(engine, rules=rules, contracts=contracts)
    assert (consensus.name, consensus.prepare(GENESIS).engine) == ("mine", "mine")
    assert consensus.prepare(GENESIS).accounts == GENESIS.accounts
    assert consensus.contracts() == contracts
    assert consensus.header_rule(GENESIS, view) is engine.header_rule
    assert consensus.rules(GENESIS, view) is rules
    assert consensus.engine(GENESIS, view) is engine
    plain = ScriptedConsensus()
    assert (plain.name, plain.contracts(), plain.rules(GENESIS, view)) == ("scripted", {}, None)
    assert plain.engine(GENESIS, view).process(BlockProposed(1, HASH)) == ()
