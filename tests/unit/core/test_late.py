"""Parts that are made when they are first used."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk import InvalidInput, Rejected
from chainstack_sdk.core.closing import HeaderExtras
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.core.late import Late, LateContract, LateHeaderRule, LateRules
from chainstack_sdk.core.queries import simulate
from chainstack_sdk.testing import (
    AcceptAllHeaders,
    ScriptedContract,
    ScriptedRules,
    ScriptedRuntime,
    bare_chain,
    extend,
)

TARGET = b"\x07" * 20
CODE = b"\xefC\0\1late"
EXTRAS = HeaderExtras(extra_data=b"late")


def test_a_thing_is_made_once_and_not_before_it_is_asked_for() -> None:
    made: list[object] = []

    def make() -> object:
        made.append(object())
        return made[-1]

    late = Late(make)
    assert made == []
    assert late.made is late.made is made[0]
    assert len(made) == 1


def test_a_chain_begins_without_its_rules_and_goes_on_by_them() -> None:
    made: list[str] = []

    def rule() -> AcceptAllHeaders:
        made.append("rule")
        return AcceptAllHeaders()

    def rules() -> ScriptedRules:
        made.append("rules")
        return ScriptedRules(slot=3, extras=EXTRAS)

    chain = bare_chain(header_rule=LateHeaderRule(rule), rules=LateRules(rules))
    assert made == []
    block = extend(chain)
    assert sorted(made) == ["rule", "rules"]
    assert (block.header.slot, block.header.extra_data) == (3, b"late")
    twin = bare_chain(header_rule=AcceptAllHeaders(), rules=ScriptedRules(slot=3, extras=EXTRAS))
    twin.append(block)
    heavy = LateHeaderRule(lambda: AcceptAllHeaders(work=7))
    assert (heavy.work(chain.ledger.header(0)), heavy.work(block.header)) == (1, 7)


def test_refusals_pass_through() -> None:
    class Strict(AcceptAllHeaders):
        def validate_header(self, header, seal, parent):
            raise InvalidInput("no")

    header = Genesis().header(bytes(32))
    with pytest.raises(InvalidInput, match="no"):
        LateHeaderRule(Strict).validate_header(replace(header, height=1), b"", header)
    sender = b"\x01" * 20
    with pytest.raises(Rejected):
        LateRules(lambda: ScriptedRules(refused=[sender])).admit(bare_chain().state, sender)


def test_a_contract_answers_as_if_it_had_been_there() -> None:
    contract = LateContract(lambda: ScriptedContract({b"abcd": b"answer"}))
    genesis = Genesis(accounts={TARGET: GenesisAccount(nonce=1, code=CODE)})
    chain = bare_chain(genesis=genesis, runtime=ScriptedRuntime({CODE: contract}))
    assert simulate(chain, to=TARGET, data=b"abcd").output == b"answer"
    assert contract.made.calls[0].address == TARGET
