"""Anchors of committees and of work, given anything: they answer or raise InvalidInput, nothing else."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chainstack_sdk import Chain, ether
from chainstack_sdk.consensus.staking import StakingParameters
from chainstack_sdk.core.history import MountainRange
from chainstack_sdk.cspv.committee import CommitteeAnchor
from chainstack_sdk.cspv.committee_prover import CommitteeFinality
from chainstack_sdk.cspv.work import WorkAnchor
from chainstack_sdk.cspv.work_policy import WorkPolicy
from chainstack_sdk.cspv.work_prover import WorkFinality
from chainstack_sdk.cspv.work_sampling import sample_count, sample_positions
from chainstack_sdk.cspv.work_tree import fold, leaf_of, nodes_beside
from chainstack_sdk.network.local import local_consensus
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode
from chainstack_sdk.testing import accounts
from chainstack_sdk.testing.committee import CommitteeBench

POLICY = WorkPolicy(soundness_bits=10, confirmations=4, parts=1)
PATIENT = settings(suppress_health_check=[HealthCheck.too_slow])


def mined() -> tuple[WorkAnchor, bytes, bytes]:
    """An anchor, evidence about block 20, and the block's hash."""
    (alice,) = accounts(1)
    chain = Chain.in_memory({alice: ether(1)}, consensus=local_consensus("pow"), auto_seal=True)
    while chain.blockchain.height < 40:
        chain.transfer(alice, alice, 1)
    finality = WorkFinality(chain.blockchain, POLICY)
    header = chain.blockchain.ledger.header(20)
    return finality.anchor(), finality.evidence(header)[4:], header.hash


def certified() -> tuple[CommitteeAnchor, tuple[bytes, bytes]]:
    """An anchor with a step and a skip that it takes."""
    bench = CommitteeBench(4, parameters=StakingParameters(2, 4, ether(1)))
    bench.to_slot(5)
    finality = CommitteeFinality(bench.chain, bench.parameters.schedule)
    anchor = finality.anchor(0)
    return anchor, (finality.step(anchor), finality.skip(anchor, 4))


WORK, EVIDENCE, BLOCK_HASH = mined()
COMMITTEE, UPDATES = certified()


@st.composite
def altered(draw, data: bytes) -> bytes:
    """The same RLP with one part replaced, dropped or repeated, however deep it lies."""
    whole = rlp_decode(data)
    part, place = [whole], 0
    while (
        isinstance(part[place], list)
        and part[place]
        and draw(st.booleans() if part[0] is not whole else st.just(True))
    ):
        part = part[place]
        place = draw(st.integers(0, len(part) - 1))
    match draw(st.sampled_from(("replace", "drop", "repeat", "swap"))):
        case "replace":
            old = part[place]
            part[place] = draw(
                st.binary(max_size=40)
                | st.just([])
                | st.just(b"\xff" * 32)
                | (
                    st.binary(min_size=len(old), max_size=len(old))
                    if isinstance(old, bytes)
                    else st.nothing()
                )
            )
        case "drop":
            del part[place]
        case "repeat":
            part.insert(place, part[place])
        case "swap":
            part[0], part[-1] = part[-1], part[0]
    return rlp_encode(whole)


def refuses_or_agrees(check, *arguments) -> bool:
    try:
        check(*arguments)
    except InvalidInput:
        return False
    return True


@given(st.binary(max_size=200))
def test_any_bytes_are_an_anchor_or_refused(data) -> None:
    for kind, head in ((WorkAnchor, b"\1\3"), (CommitteeAnchor, b"\1\2")):
        for candidate in (data, head + data):
            if refuses_or_agrees(kind.from_bytes, candidate):
                assert kind.from_bytes(candidate).to_bytes() == candidate


@given(st.binary(max_size=200), st.integers(0, 50))
def test_any_bytes_are_evidence_or_refused(data, height) -> None:
    assert not refuses_or_agrees(WORK.check, data, height, BLOCK_HASH)
    assert not refuses_or_agrees(COMMITTEE.advance, data)


@PATIENT
@given(altered(EVIDENCE))
def test_altered_evidence_of_work_is_refused(evidence) -> None:
    if refuses_or_agrees(WORK.check, evidence, 20, BLOCK_HASH):
        # Only the newest header may differ, where the change happens to do the work: that is mining.
        (*parts, tail), (*right, right_tail) = rlp_decode(evidence), rlp_decode(EVIDENCE)
        assert (parts, tail[:-1]) == (right, right_tail[:-1])


@PATIENT
@given(st.sampled_from(UPDATES).flatmap(altered))
def test_altered_updates_lead_nowhere_else(update) -> None:
    """Whatever is changed, an anchor that takes the update is one that the right updates lead to."""
    right = [COMMITTEE.advance(one) for one in UPDATES]
    if refuses_or_agrees(COMMITTEE.advance, update):
        assert COMMITTEE.advance(update) in right


@given(st.lists(st.integers(0, 1 << 60), min_size=2, max_size=40), st.data())
def test_a_history_is_the_same_from_any_of_its_blocks(works, data) -> None:
    history = MountainRange()
    for at, work in enumerate(works):
        history.append(bytes([at]) * 32, work)
    size = data.draw(st.integers(1, len(works) - 1))
    chosen = sorted(data.draw(st.sets(st.integers(0, size - 1))))
    cut = history.copy()
    cut.truncate(size)
    nodes = nodes_beside(history, size, chosen)
    assert fold(size, chosen, nodes, lambda at, _: leaf_of(bytes([at]) * 32, works[at])) == cut.peaks


@given(st.integers(2, 1 << 255), st.data())
def test_positions_are_below_the_tail(total, data) -> None:
    tail = data.draw(st.integers(1, total - 1))
    bits = data.draw(st.integers(1, 4))
    share = data.draw(st.sampled_from(((1, 2), (1, 3), (2, 3))))
    count = sample_count(total, tail, bits, share)
    if tail * share[1] < total * share[0]:
        assert sample_count(total, tail, bits + 1, share) >= count > 0
    else:
        assert count <= 2
    assert all(0 <= at < total - tail for at in sample_positions(b"", min(count, 20), total, tail))
