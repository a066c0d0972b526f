from __future__ import annotations

import pytest

from chainstack_sdk.cspv import ProvenLog, ProvenReceipt, TokenTransfer, transfers
from chainstack_sdk.cspv.verify.tokens import TRANSFER_TOPIC

TOKEN, ALICE, BOB = b"\x0a" * 20, b"\x0b" * 20, b"\x0c" * 20
TOPICS = (TRANSFER_TOPIC, bytes(12) + ALICE, bytes(12) + BOB)
GOOD = ProvenLog(TOKEN, TOPICS, (5).to_bytes(32, "big"))


def receipt(*logs: ProvenLog, status: int = 1) -> ProvenReceipt:
    return ProvenReceipt(1, 2, 0, 3, bytes(32), 0, bytes(32), status, 21_000, bytes(32), logs)


def test_the_topic_is_that_of_eip_20() -> None:
    assert TRANSFER_TOPIC.hex() == "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"


def test_transfers_are_told_in_order() -> None:
    most = ProvenLog(BOB, TOPICS, b"\xff" * 32)
    expected = (TokenTransfer(TOKEN, ALICE, BOB, 5), TokenTransfer(BOB, ALICE, BOB, 2**256 - 1))
    assert transfers(receipt(GOOD, most)) == expected


def test_a_failed_transaction_transfers_nothing() -> None:
    assert transfers(receipt(GOOD, status=0)) == ()


@pytest.mark.parametrize(
    "log",
    [
        ProvenLog(TOKEN, (), GOOD.data),
        ProvenLog(TOKEN, TOPICS[:2], GOOD.data),
        ProvenLog(TOKEN, (*TOPICS, bytes(32)), GOOD.data),
        ProvenLog(TOKEN, (bytes(32), *TOPICS[1:]), GOOD.data),
        ProvenLog(TOKEN, (TRANSFER_TOPIC, b"\1" * 32, TOPICS[2]), GOOD.data),
        ProvenLog(TOKEN, (TRANSFER_TOPIC, TOPICS[1], b"\1" * 32), GOOD.data),
        ProvenLog(TOKEN, TOPICS, GOOD.data[1:]),
        ProvenLog(TOKEN, TOPICS, GOOD.data + b"\0"),
    ],
)
def test_other_logs_are_no_transfers(log: ProvenLog) -> None:
    assert transfers(receipt(log, GOOD)) == (TokenTransfer(TOKEN, ALICE, BOB, 5),)
