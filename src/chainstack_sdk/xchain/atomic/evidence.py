"""What a contract may believe of another chain: a slot, proven against the anchor that the hub keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chainstack_sdk.core import gas
from chainstack_sdk.cspv.schemes import anchor_from_bytes
from chainstack_sdk.cspv.verify.facts import ProvenStorage
from chainstack_sdk.cspv.verify.format import FinalityScheme, Proof, split_chain_key_finality
from chainstack_sdk.cspv.verify.opening import open_proof
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.xchain.addresses import HUB_ADDRESS
from chainstack_sdk.xchain.hub.contract import Hub

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call

_ANCHOR_OF: Final = Hub.abi_function("anchorOf")
_IS_VERIFIED: Final = Hub.abi_function("isVerified")
_BYTE_PRICE: Final = {
    FinalityScheme.CHAIN_KEY: gas.PROOF_SIGNATURE_BYTE,
    FinalityScheme.COMMITTEE: gas.PROOF_SIGNATURE_BYTE,
    FinalityScheme.WORK: gas.PROOF_WORK_BYTE,
}


def proven_storage(call: Call, chain: int, proof: bytes) -> ProvenStorage:
    """Return what a proof says of a slot on another chain, once it is proven; the work is charged first.

    Blocks that the hub has verified already need no evidence of their being final.

    Raises
    ------
    InvalidInput
        When it proves nothing, or not a slot, or the hub has no anchor of the chain.
    """
    call.charge(gas.PROOF + gas.PROOF_BYTE * len(proof))
    opened = Proof.from_bytes(proof)
    _, found = open_proof(opened, chain, opened.scheme)
    if not isinstance(found, ProvenStorage):
        raise InvalidInput("not the proof of a slot")
    (verified,) = _IS_VERIFIED.decode_output(
        call.call(HUB_ADDRESS, _IS_VERIFIED.encode_call(chain, found.block_hash))
    )
    if not verified:
        _verify(call, chain, opened)
    return found


def _verify(call: Call, chain: int, opened: Proof) -> None:
    (anchor,) = _ANCHOR_OF.decode_output(call.call(HUB_ADDRESS, _ANCHOR_OF.encode_call(chain)))
    scheme, finality = opened.scheme, opened.finality
    call.charge(gas.PROOF + _BYTE_PRICE[scheme] * len(finality))
    if scheme is FinalityScheme.CHAIN_KEY:
        _, links = split_chain_key_finality(finality)
        call.charge(gas.PROOF_KEY_CHECK * (1 + len(links)))
    anchor_from_bytes(anchor).verify(opened)
