"""The instant engine: a table of inputs with the outputs and the height after each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chainstack_sdk.consensus import InstantEngine, InstantRule
from chainstack_sdk.core.engine import BlockCommitted, BlockProposed, Decide
from chainstack_sdk.core.genesis import Genesis
from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from chainstack_sdk.core.engine import EngineInput, EngineOutput

HASH, OTHER = b"\x01" * 32, b"\x02" * 32
HEADER = Genesis().header(bytes(32))

STEPS: list[tuple[str, EngineInput, tuple[EngineOutput, ...], int]] = [
    ("decides on a proposal", BlockProposed(1, HASH), (Decide(1, HASH, b""),), 0),
    ("and on another for the same height", BlockProposed(1, OTHER), (Decide(1, OTHER, b""),), 0),
    ("not on one too high", BlockProposed(2, HASH), (), 0),
    ("follows the chain", BlockCommitted(1, OTHER), (), 1),
    ("not on one too low", BlockProposed(1, HASH), (), 1),
    ("decides on the next", BlockProposed(2, HASH), (Decide(2, HASH, b""),), 1),
    ("follows a leap", BlockCommitted(7, HASH), (), 7),
    ("follows the chain back", BlockCommitted(3, HASH), (), 3),
    ("decides there", BlockProposed(4, HASH), (Decide(4, HASH, b""),), 3),
]


def test_steps() -> None:
    engine = InstantEngine()
    assert engine.height == 0
    for told, event, outputs, height in STEPS:
        assert engine.process(event) == outputs, told
        assert engine.height == height, told


def test_a_start_above_genesis() -> None:
    engine = InstantEngine(9)
    assert engine.process(BlockProposed(9, HASH)) == ()
    assert engine.process(BlockProposed(10, HASH)) == (Decide(10, HASH, b""),)


def test_names_and_rules() -> None:
    engine = InstantEngine()
    assert engine.name == Genesis().engine == "instant"
    assert isinstance(engine.header_rule, InstantRule)
    assert engine.finality_rule is engine.header_rule


def test_the_rule_wants_no_seal() -> None:
    rule = InstantRule()
    rule.validate_header(HEADER, b"", HEADER)
    rule.validate_finality(HEADER, b"")
    assert rule.work(HEADER) == 1
    with pytest.raises(InvalidInput, match="seals with nothing"):
        rule.validate_header(HEADER, b"\x00", HEADER)
    with pytest.raises(InvalidInput, match="seals with nothing"):
        rule.validate_finality(HEADER, b"\x00")
