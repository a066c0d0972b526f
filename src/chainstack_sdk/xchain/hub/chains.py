"""The hub's part about other chains: their anchors, and what is proven against them.

A block of another chain is verified once. Its hash is kept, and proofs about the same block pay for their
path only; their finality part may then be anything of the right form, such as zeros or nothing.

Of a mined chain each proof raises what is demanded: the next has to show as much work as the best so far. A
fork of blocks that cost nothing, which would do against an anchor that knows genesis only, comes too late.

**Caveats.** Until a mined chain has proven something here, only the ``minimum_work`` of its anchor keeps
forged chains out: have it prove a block before much depends on it. A block that was verified stays so:
pausing a chain stops what comes from it, not what is known of it. Whoever can make an anchor's chain sign,
or mine, what it likes decides what comes from that chain, and nothing else: every packet names its source,
and is checked against the anchor of that. Anybody may move an anchor, by whatever proof its scheme takes:
keep it up to date, as an old committee is trusted for as long as an anchor stands at it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core import gas
from chainstack_sdk.core.native import external, load_bytes, store_bytes
from chainstack_sdk.cspv.schemes import anchor_from_bytes
from chainstack_sdk.cspv.verify.format import FinalityScheme, Proof, split_chain_key_finality
from chainstack_sdk.cspv.verify.opening import open_proof
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.xchain.hub.interface import HubInterface
from chainstack_sdk.xchain.hub.storage import GOVERNOR, anchor_key, paused_key, verified_key

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call
    from chainstack_sdk.cspv.verify.facts import Proven

_BYTE_PRICE = {
    FinalityScheme.CHAIN_KEY: gas.PROOF_SIGNATURE_BYTE,
    FinalityScheme.COMMITTEE: gas.PROOF_SIGNATURE_BYTE,
    FinalityScheme.WORK: gas.PROOF_WORK_BYTE,
}


class Chains(HubInterface):
    """Registers chains, keeps their anchors up to date by proof, and checks what they claim."""

    @external("function registerChain(uint64 chain, bytes anchor)")
    def register_chain(self, call: Call, chain: int, anchor: bytes) -> None:
        """Trust an anchor for a chain, once and for all; for the governor."""
        self._require_governor(call)
        call.require(chain != call.block.chain_id, self.InvalidAnchor, "this is the chain itself")
        call.require(not call.load(anchor_key(chain)), self.AlreadyRegistered, chain)
        call.charge(gas.PROOF + gas.PROOF_BYTE * len(anchor))
        try:
            decoded = anchor_from_bytes(anchor)
        except InvalidInput as refusal:
            raise call.error(self.InvalidAnchor, refusal.message) from refusal
        call.require(decoded.chain_id == chain, self.InvalidAnchor, "the anchor is of another chain")
        store_bytes(call, anchor_key(chain), anchor)
        call.emit(self.ChainRegistered, chain, anchor)

    @external("function updateAnchor(uint64 chain, bytes update)")
    def update_anchor(self, call: Call, chain: int, update: bytes) -> None:
        """Bring the anchor of a chain up to date, by the proof that the update is."""
        encoded = self._anchor(call, chain)
        self._charge_finality(call, FinalityScheme(encoded[1]), len(update), 1)
        try:
            moved = anchor_from_bytes(encoded).advance(update).to_bytes()
        except InvalidInput as refusal:
            raise call.error(self.InvalidProof, refusal.message) from refusal
        self._move(call, chain, moved)

    @external("function pauseChain(uint64 chain, bool paused)")
    def pause_chain(self, call: Call, chain: int, paused: bool) -> None:
        """Stop packets to and from a chain, or let them pass again; for the governor.

        Packets under way can still be acknowledged and time out.
        """
        self._require_governor(call)
        self._require_known(call, chain)
        call.store(paused_key(chain), paused)
        call.emit(self.ChainPaused, chain, paused)

    @external("function governor() view returns (address)")
    def governor(self, call: Call) -> bytes:
        """Return who registers and pauses chains."""
        return call.load(GOVERNOR).to_bytes(20, "big")

    @external("function anchorOf(uint64 chain) view returns (bytes)")
    def anchor_of(self, call: Call, chain: int) -> bytes:
        """Return the anchor of a chain; empty for one that is not registered."""
        return load_bytes(call, anchor_key(chain))

    @external("function isPaused(uint64 chain) view returns (bool)")
    def is_paused(self, call: Call, chain: int) -> bool:
        """Tell whether packets to and from a chain are stopped."""
        return bool(call.load(paused_key(chain)))

    @external("function isVerified(uint64 chain, bytes32 blockHash) view returns (bool)")
    def is_verified(self, call: Call, chain: int, block_hash: bytes) -> bool:
        """Tell whether a block is known to be final, so that proofs about it need no evidence."""
        return bool(call.load(verified_key(chain, block_hash)))

    def opened(self, call: Call, proof: bytes) -> Proof:
        """Return a proof, decoded, of which nothing is proven yet.

        Raises
        ------
        Reverted
            With ``InvalidProof`` when it is none.
        """
        call.charge(gas.PROOF + gas.PROOF_BYTE * len(proof))
        try:
            return Proof.from_bytes(proof)
        except InvalidInput as refusal:
            raise call.error(self.InvalidProof, refusal.message) from refusal

    def proven(self, call: Call, chain: int, proof: Proof) -> Proven:
        """Return what a proof proves about a chain, and remember that its block is final.

        Raises
        ------
        Reverted
            With ``InvalidProof`` when it proves nothing, ``UnknownChain`` when there is no anchor.
        """
        try:
            _, found = open_proof(proof, chain, proof.scheme)
            key = verified_key(chain, found.block_hash)
            if not call.load(key):
                self._verify(call, chain, proof)
                call.store(key, 1)
        except InvalidInput as refusal:
            raise call.error(self.InvalidProof, refusal.message) from refusal
        return found

    def require_running(self, call: Call, chain: int) -> None:
        """Refuse while a chain is paused."""
        call.require(not call.load(paused_key(chain)), self.Paused, chain)

    def _verify(self, call: Call, chain: int, proof: Proof) -> None:
        links: tuple[bytes, ...] = ()
        if proof.scheme is FinalityScheme.CHAIN_KEY:
            _, links = split_chain_key_finality(proof.finality)
        encoded = self._anchor(call, chain)
        self._charge_finality(call, proof.scheme, len(proof.finality), 1 + len(links))
        anchor = anchor_from_bytes(encoded)
        if encoded[1] != FinalityScheme.WORK:
            anchor.verify(proof)
            return
        moved = anchor.advance(proof.to_bytes()).to_bytes()  # which verifies it, too
        if moved != encoded:
            self._move(call, chain, moved)

    def _move(self, call: Call, chain: int, moved: bytes) -> None:
        store_bytes(call, anchor_key(chain), moved)
        call.emit(self.AnchorUpdated, chain, moved)

    def _charge_finality(self, call: Call, scheme: FinalityScheme, size: int, keys: int) -> None:
        """Take gas for evidence of a size, and where keys of a chain sign, for the checks of signatures."""
        checks = keys if scheme is FinalityScheme.CHAIN_KEY else 0
        call.charge(gas.PROOF + _BYTE_PRICE[scheme] * size + gas.PROOF_KEY_CHECK * checks)

    def _anchor(self, call: Call, chain: int) -> bytes:
        encoded = load_bytes(call, anchor_key(chain))
        call.require(encoded, self.UnknownChain, chain)
        return encoded

    def _require_known(self, call: Call, chain: int) -> None:
        call.require(call.load(anchor_key(chain)), self.UnknownChain, chain)

    def _require_governor(self, call: Call) -> None:
        call.require(
            int.from_bytes(call.caller, "big") == call.load(GOVERNOR), self.NotTheGovernor, call.caller
        )
