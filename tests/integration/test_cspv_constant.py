"""Light proofs have the same length whatever the height and however often the key changed hands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chainstack_sdk import Chain, ether
from chainstack_sdk.chain.finality import keyed_finality
from chainstack_sdk.consensus.chainkey import BlockFinal, read_key_state
from chainstack_sdk.core.merkle import BinaryMerkleTree
from chainstack_sdk.core.receipts import receipt_item
from chainstack_sdk.cspv import ChainKeyFinality, transfers
from chainstack_sdk.cspv.prover import header_hashes
from chainstack_sdk.cspv.verify import FinalityScheme, ItemPath, Kind, Proof
from chainstack_sdk.network.local import local_consensus
from chainstack_sdk.testing import accounts, payment

ALICE, BOB = accounts(2)
BLOCKS_PER_SLOT = 4
FAR = 1_000_003
LIMIT = 220


def grown(hand_overs: int) -> tuple[Chain, Any]:
    """Return a chain whose key has changed hands so often, and the receipt of a transfer at height 10."""
    consensus = local_consensus("pbft", validators=4, blocks_per_slot=BLOCKS_PER_SLOT)
    chain = Chain.in_memory({ALICE: ether(100)}, consensus=consensus, auto_seal=True)
    gold = chain.erc20.issue(ALICE, name="Gold", symbol="GLD", supply=1_000_000)
    while chain.height < 9:
        chain.seal()
    receipt = gold.transfer(ALICE, BOB, 7)
    assert receipt.height == 10
    while read_key_state(chain.blockchain.state).holders.round < hand_overs:
        chain.seal()
    return chain, receipt


def jumped(chain: Chain, receipts: list, height: int) -> Proof:
    """Prove the last of some receipts in a block at a height that the chain has not come to.

    The block's header is the newest one's but for height, slot and receipts; those who hold the key now sign
    it.
    """
    tree = BinaryMerkleTree([receipt_item(each) for each in receipts])
    slot = (height - 1) // BLOCKS_PER_SLOT
    header = replace(chain.head.header, height=height, slot=slot, receipts_root=tree.root)
    keys = chain.engine._keys.made
    keys.tell(BlockFinal(height, header.hash, read_key_state(chain.blockchain.state)))
    finality = ChainKeyFinality(
        chain.chain_id, lambda: chain.anchor.key, lambda of: keys.signature(of.height)
    )
    hashes, index = header_hashes(header), len(receipts) - 1
    body = ItemPath(index, tree.prove(index).siblings, receipt_item(receipts[index]))
    where = (header.height, header.slot, header.timestamp_ms)
    others = hashes[:2] + hashes[3:]
    return Proof(FinalityScheme.CHAIN_KEY, Kind.RECEIPT, *where, others, finality.evidence(header), body)


@pytest.mark.parametrize("hand_overs", [3, pytest.param(200, marks=pytest.mark.long)])
def test_a_proof_never_grows(hand_overs: int) -> None:
    chain, receipt = grown(hand_overs)
    anchor = chain.anchor
    assert len(anchor.to_bytes()) == 106
    assert read_key_state(chain.blockchain.state).holders.round >= hand_overs
    early = chain.prove(receipt)
    assert transfers(anchor.verify(early.to_bytes()))[0].value == 7
    item = len(receipt_item(receipt))
    assert len(early.to_bytes()) - item <= LIMIT
    late = jumped(chain, [receipt], FAR)
    proven = anchor.verify(late.to_bytes())
    assert (proven.height, transfers(proven)[0].value) == (FAR, 7)
    assert len(late.to_bytes()) == len(early.to_bytes())
    for count, depth in ((4, 2), (10_000, 14)):
        proof = jumped(chain, [receipt] * count, FAR + count).to_bytes()
        assert anchor.verify(proof).index == count - 1
        assert len(proof) - item <= LIMIT + 32 * depth


def test_blocks_of_many_transactions() -> None:
    consensus = local_consensus("pbft", validators=4, blocks_per_slot=BLOCKS_PER_SLOT)
    chain = Chain.in_memory({ALICE: ether(100)}, consensus=consensus)
    chain.send_many([payment(chain.blockchain, ALICE, BOB, 1, nonce=nonce) for nonce in range(300)])
    block = chain.seal()
    chain.seal()
    receipt = chain.receipts(block.height)[299]
    proof = chain.prove(receipt).to_bytes()
    assert chain.anchor.verify(proof).index == 299
    assert len(proof) == 209 + 9 * 32 + len(receipt_item(receipt))
    assert keyed_finality(chain.blockchain, None).anchor() == chain.anchor
