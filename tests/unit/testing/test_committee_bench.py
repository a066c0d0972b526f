"""The bench for committee chains."""

from __future__ import annotations

import pytest

from chainstack_sdk.consensus.bft.evidence import Evidence, validate_evidence
from chainstack_sdk.consensus.retarget import FixedDifficulty
from chainstack_sdk.consensus.staking import StakingParameters, key_alpha
from chainstack_sdk.consensus.staking.mining import CommitteeWork
from chainstack_sdk.consensus.vrf import vrf_verify
from chainstack_sdk.core.genesis import Genesis
from chainstack_sdk.primitives import InvalidInput, Rejected, UsageError, ether
from chainstack_sdk.testing.bare import payment
from chainstack_sdk.testing.committee import FUNDS, CommitteeBench


def test_equal_benches_make_equal_chains():
    one, other, named = CommitteeBench(3), CommitteeBench(3), CommitteeBench(3, name="named")
    assert one.extend().hash == other.extend().hash != named.extend().hash


def test_what_is_given_goes_into_the_genesis():
    parameters = StakingParameters(7, 2, ether(3))
    bench = CommitteeBench(3, registered=2, parameters=parameters, genesis=Genesis(chain_id=77))
    assert bench.genesis.chain_id == bench.terms.chain_id == 77
    assert [bench.chain.state.balance(one.address) for one in bench.accounts] == [FUNDS] * 3
    assert bench.ask("validators") == tuple(one.address for one in bench.accounts[:2])
    assert bench.ask("minimumDeposit") == ether(3)


def test_blocks_are_sealed_by_whom_one_likes():
    bench = CommitteeBench(4)
    members = [one.address for one in bench.accounts]
    bench.extend(absent=members[:1])
    with pytest.raises(InvalidInput, match="more than 2/3"):
        bench.extend(absent=members[:2])
    assert bench.chain.height == 1


def test_a_refused_transaction_leaves_no_block():
    bench = CommitteeBench(4)
    with pytest.raises(Rejected, match="gap"):
        bench.extend(payment(bench.chain, bench.accounts[0], bytes(20), nonce=5))
    assert bench.chain.height == 0


def test_going_to_a_slot():
    bench = CommitteeBench(4)
    bench.to_slot(2)
    assert bench.chain.height == 8
    bench.to_slot(2)
    assert bench.chain.height == 8
    with pytest.raises(UsageError, match="past"):
        bench.to_slot(1)


def test_evidence_convinces():
    bench = CommitteeBench(4)
    culprit = bench.accounts[2].address
    evidence = Evidence.decode(bench.double_vote(culprit, 9))
    assert evidence.height == 9
    assert validate_evidence(evidence, bench.terms.chain_id, bench.terms.scheme) == culprit


def test_orders_may_carry_coin():
    bench = CommitteeBench(4)
    bench.extend(bench.order(1, "deposit", value=5))
    assert bench.ask("validator", bench.accounts[1].address)[0] == ether(1) + 5


def test_accounts_prove_to_hold_keys():
    bench = CommitteeBench(4, registered=2)
    assert bench.proven_key(2) == bench.proven_key(2, 2)
    key, proof = bench.proven_key(2, 3)
    assert key == bench.vrf_keys[3].public
    assert len(vrf_verify(key, key_alpha(bench.genesis.chain_id, bench.accounts[2].address), proof)) == 64


def test_a_bench_has_little_patience_for_work():
    work = CommitteeWork(FixedDifficulty(2**255), {}.get)
    bench = CommitteeBench(1, work=work)
    with pytest.raises(UsageError, match="too long"):
        bench.extend()
