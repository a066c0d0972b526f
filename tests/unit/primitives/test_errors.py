import copy
import pickle

import pytest

from chainstack_sdk.primitives import (
    ChainStackError,
    InvalidInput,
    InvariantBroken,
    Rejected,
    Reverted,
    UsageError,
)

EXAMPLES = [
    UsageError("no"),
    InvalidInput("bad root", expected=b"\1" * 32, actual=b"\2" * 32),
    Rejected("too low", code="nonce_too_low", expected=5, actual=4),
    Reverted("refused", data=b"\1\2\3\4", height=7),
    InvariantBroken("a bug"),
]


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
class TestEachError:
    def test_root(self, error):
        assert isinstance(error, ChainStackError)
        assert str(error).startswith(error.message)

    def test_facts_are_attributes(self, error):
        for name, value in error.facts.items():
            assert getattr(error, name) == value
        with pytest.raises(AttributeError, match="no_such_fact"):
            _ = error.no_such_fact

    @pytest.mark.parametrize(
        "copied", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))]
    )
    def test_copies_are_whole(self, error, copied):
        other = copied(error)
        assert type(other) is type(error)
        assert (str(other), other.__dict__) == (str(error), error.__dict__)


def test_text():
    assert str(UsageError("no")) == "no"
    assert str(InvalidInput("bad", expected=b"\1\2", height=7)) == "bad (expected 0x0102, height 7)"
    assert str(InvalidInput("bad", data=bytes(100))) == f"bad (data 0x{'00' * 32}… (100 bytes))"


def test_own_fields():
    assert Rejected("x", code="pool_full").code == "pool_full"
    assert Reverted("x").data == b""
    with pytest.raises(TypeError):
        Rejected("without a code")
