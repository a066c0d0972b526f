"""Parameters of a consensus as bytes."""

from __future__ import annotations

from dataclasses import dataclass, fields

import pytest

from chainstack_sdk import InvalidInput, UsageError, ether
from chainstack_sdk.consensus.kinds.committee import CommitteeParameters
from chainstack_sdk.consensus.kinds.delegates import DposParameters
from chainstack_sdk.consensus.kinds.miners import PowParameters
from chainstack_sdk.consensus.kinds.parameters import IntegerParameters
from chainstack_sdk.consensus.retarget import FixedDifficulty, MovingWindow
from chainstack_sdk.primitives import rlp_encode

ALL = [CommitteeParameters, DposParameters, PowParameters]


@dataclass(frozen=True, slots=True)
class Two(IntegerParameters):
    """The least there is to encode."""

    first: int = 1
    second: int = 2


@pytest.mark.parametrize("kind", [Two, *ALL])
def test_parameters_come_back_as_they_were(kind) -> None:
    parameters = kind()
    assert kind.decode(parameters.encode()) == parameters
    assert IntegerParameters.decode(IntegerParameters().encode()) == IntegerParameters()


def test_the_encoding_is_a_list_in_the_order_of_the_fields() -> None:
    assert Two(5, 0).encode() == rlp_encode([b"\x05", b""])
    assert Two.decode(rlp_encode([b"", b"\x07"])) == Two(0, 7)


@pytest.mark.parametrize("value", [-1, 1 << 256])
def test_numbers_out_of_range_are_refused(value) -> None:
    with pytest.raises(UsageError, match="second is an integer"):
        Two(second=value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x05",
        rlp_encode([b"\x05"]),
        rlp_encode([b"\x05", b"\x06", b"\x07"]),
        rlp_encode([b"\x05", [b"\x06"]]),
        rlp_encode([b"\x05", b"\x00\x06"]),
        rlp_encode([b"\x05", b"\x01" * 33]),
        rlp_encode([b"\x05", b"\x06"]) + b"\x00",
    ],
)
def test_other_bytes_are_refused(data) -> None:
    with pytest.raises(InvalidInput):
        Two.decode(data)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (CommitteeParameters, {"difficulty": 0}),
        (CommitteeParameters, {"interval_ms": 0}),
        (CommitteeParameters, {"miner_percent": 101}),
        (CommitteeParameters, {"blocks_per_slot": 0}),
        (CommitteeParameters, {"committee_size": 0}),
        (CommitteeParameters, {"minimum_deposit": 0}),
        (PowParameters, {"difficulty": 0}),
        (PowParameters, {"difficulty": 0, "window": 0}),
        (PowParameters, {"confirmations": 0}),
        (DposParameters, {"seats": 0}),
        (DposParameters, {"seats": 101}),
        (DposParameters, {"interval_ms": 0}),
    ],
)
def test_what_no_chain_can_have_is_refused_in_either_form(kind, wrong) -> None:
    with pytest.raises(UsageError):
        kind(**wrong)
    values = [wrong.get(field.name, field.default) for field in fields(kind)]
    with pytest.raises(InvalidInput):
        kind.decode(rlp_encode(values))


@pytest.mark.parametrize("kind", [CommitteeParameters, PowParameters])
def test_difficulty_moves_unless_there_is_no_window(kind) -> None:
    assert isinstance(kind().retarget(), MovingWindow)
    assert isinstance(kind(window=0).retarget(), FixedDifficulty)


def test_rewards_are_divided_as_the_genesis_says() -> None:
    policy = CommitteeParameters(block_reward=ether(3), miner_percent=50).rewards()
    assert policy.block_reward == ether(3)
    assert policy.divide(100) == (50, 50)
