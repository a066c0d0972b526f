"""Targets: light proofs and anchors of every scheme, and what chain keys send and keep."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

from fuzzing.harness import Target, as_rlp

from chainstack_sdk import Chain, ether
from chainstack_sdk.consensus.chainkey import DealerLog, KeyLink, KeyPayload, PublicPolynomial
from chainstack_sdk.consensus.chainkey.messages import decode_message
from chainstack_sdk.consensus.chainkey.payload import unwrap, wrap
from chainstack_sdk.consensus.chainkey.record import KeyRecord
from chainstack_sdk.cspv import AccountKey, Proof, anchor_from_bytes, prove_account
from chainstack_sdk.cspv.committee_update import decode_update
from chainstack_sdk.cspv.verify.format import split_chain_key_finality, split_evidence_finality
from chainstack_sdk.cspv.work_evidence import WorkEvidence
from chainstack_sdk.cspv.work_policy import WorkPolicy
from chainstack_sdk.cspv.work_prover import WorkFinality
from chainstack_sdk.network.local import local_consensus
from chainstack_sdk.testing import accounts

VECTORS = Path(__file__).parents[2] / "vectors" / "cspv" / "valid.json"
ALICE = accounts(1)[0]
HEIGHT = 7


@cache
def vectors() -> tuple[dict[str, str], ...]:
    return tuple(json.loads(VECTORS.read_text(encoding="utf-8")))


def proofs() -> list[bytes]:
    return [bytes.fromhex(case["proof"].removeprefix("0x")) for case in vectors()]


def links() -> list[bytes]:
    found = [split_chain_key_finality(Proof.from_bytes(proof).finality)[1] for proof in proofs()]
    return [link for own in found for link in own]


@cache
def grown(name: str, **options: Any) -> Chain:
    consensus = local_consensus(name, blocks_per_slot=8, **options)
    chain = Chain.in_memory({ALICE: ether(1)}, consensus=consensus)
    for _ in range(12):
        chain.seal()
    return chain


def attachments() -> list[bytes]:
    chain = grown("pbft")
    carried = [chain.block(height).attachment for height in range(1, chain.height + 1)]
    return [attachment for attachment in carried if attachment]


def payloads() -> list[bytes]:
    return [unwrap(attachment)[1] for attachment in attachments()]


def logs() -> list[bytes]:
    return [log for payload in payloads() for log in KeyPayload.decode(payload).logs]


def records() -> list[bytes]:
    return [record for record in grown("pbft").engine._keys.made._records if record]


def messages() -> list[bytes]:
    """What the machines of a chain say at its newest block."""
    keys = grown("pbft").engine._keys.made
    return [output.message for machine in keys._machines for output in machine.resend()]


def work() -> WorkFinality:
    return WorkFinality(grown("pow").blockchain, WorkPolicy(soundness_bits=8, confirmations=3, parts=2))


def work_evidence() -> list[bytes]:
    chain = grown("pow")
    proof = prove_account(chain.blockchain, work(), ALICE.address, HEIGHT)
    return [split_evidence_finality(proof.finality)]


def anchors() -> list[bytes]:
    committee = grown("pos", chain_key=False)
    keyed = [bytes.fromhex(vectors()[0]["anchor"].removeprefix("0x"))]
    return [*keyed, committee.anchor.to_bytes(), work().anchor().to_bytes()]


def committee_proofs() -> list[bytes]:
    chain = grown("pos", chain_key=False)
    return [chain.prove(AccountKey(ALICE.address), height=12).to_bytes()]


def updates() -> list[bytes]:
    finality = grown("pos", chain_key=False).finality
    return [finality.step(finality.anchor(0))]


def again(decode: Callable[[bytes], Any], data: bytes, encode: str = "encode") -> None:
    encoded = getattr(decode(data), encode)()
    if encoded != data:
        raise AssertionError(f"accepted, and encodes to something else: {encoded.hex()}")


def run_wrapping(data: bytes) -> None:
    if wrap(*unwrap(data)) != data:
        raise AssertionError("an attachment has two encodings")


def verify(finality: Callable[[], Any], data: bytes) -> None:
    finality().anchor().verify(data)


def committee_finality() -> Any:
    return grown("pos", chain_key=False).finality


TARGETS = [
    Target("Proof.from_bytes", proofs, partial(again, Proof.from_bytes, encode="to_bytes"), share=6),
    Target("anchor_from_bytes", anchors, partial(again, anchor_from_bytes, encode="to_bytes")),
    Target("KeyLink.decode", links, partial(again, KeyLink.decode), damage=as_rlp),
    Target("KeyPayload.decode", payloads, partial(again, KeyPayload.decode), damage=as_rlp),
    Target("DealerLog.decode", logs, partial(again, DealerLog.decode), damage=as_rlp),
    Target("PublicPolynomial.decode", lambda: [logs_polynomial()], partial(again, PublicPolynomial.decode)),
    Target("attachment", attachments, run_wrapping, damage=as_rlp),
    Target("KeyRecord.decode", records, partial(again, KeyRecord.decode)),
    Target("key messages", messages, partial(again, decode_message)),
    Target("WorkEvidence.decode", work_evidence, partial(again, WorkEvidence.decode)),
    Target("decode_update", updates, partial(again, decode_update), damage=as_rlp),
    Target("CommitteeAnchor.verify", committee_proofs, partial(verify, committee_finality)),
    Target(
        "WorkAnchor.verify",
        lambda: [prove_account(grown("pow").blockchain, work(), ALICE.address, HEIGHT).to_bytes()],
        partial(verify, work),
    ),
]


def logs_polynomial() -> bytes:
    return DealerLog.decode(logs()[0]).commitments.encode()
