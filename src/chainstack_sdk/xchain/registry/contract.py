"""The registry contract: names of side chains, and hashes of their blocks, for everybody to find.

One contract on every chain that has a hub. The hub's governor enters the chains that the hub knows; their
anchors are the hub's own, so that there is one truth about them. After that anybody may have hashes of their
blocks written down, by the proof that a block is final: so the main chain keeps a past of its side chains
that no majority of theirs can rewrite unseen, and nobody is trusted for it.

====  ==================================================================================================
Slot  Value
====  ==================================================================================================
0     ids of the chains: array of uint64, a slot each, in the order of entry
1     ids by name: mapping from string to uint64
2     entries: mapping from chain id to ``{string name; bytes32 genesisHash; string engine}``
3     blocks: mapping from chain id to mapping from height to bytes32
4     newest: mapping from chain id to the greatest height written down
====  ==================================================================================================

**Caveats**

- Names, engines and hashes of genesis blocks are the governor's word. What is proven is all that follows.
- An entry stays for good: hashes and anchors would have no meaning for another chain of the same id.
- Of a chain whose finality is a matter of work, two blocks of one height might both be proven some day. The
  first is kept and the second refused, which is to be looked at by people.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chainstack_sdk.core.native import NativeContract, error, event, external
from chainstack_sdk.core.native.code import system_code
from chainstack_sdk.core.native.slots import (
    array_slot,
    following,
    load_bytes,
    mapping_slot,
    slot,
    store_bytes,
    text_mapping_slot,
)
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.xchain.addresses import HUB_ADDRESS
from chainstack_sdk.xchain.atomic.evidence import proven_storage
from chainstack_sdk.xchain.hub.contract import Hub

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call

REGISTRY_CODE = system_code("registry")
"""The code of the registry."""
MAX_NAME: Final = 64
"""Bytes of a name, of a chain or of an engine, at most."""

_CHAINS, _BY_NAME, _ENTRIES, _BLOCKS, _NEWEST = map(slot, range(5))
_NAME, _GENESIS, _ENGINE = range(3)
_GOVERNOR = Hub.abi_function("governor")
_ANCHOR_OF = Hub.abi_function("anchorOf")


class ChainRegistry(NativeContract):
    """The system contract at :data:`~chainstack_sdk.xchain.addresses.REGISTRY_ADDRESS`."""

    ChainEntered = event(
        "event ChainEntered(uint64 indexed chain, string name, bytes32 genesisHash, string engine)"
    )
    BlockAnchored = event(
        "event BlockAnchored(uint64 indexed chain, uint64 indexed height, bytes32 blockHash)"
    )

    NotTheGovernor = error("error NotTheGovernor(address caller)")
    UnknownChain = error("error UnknownChain(uint64 chain)")
    AlreadyRegistered = error("error AlreadyRegistered(uint64 chain)")
    NameTaken = error("error NameTaken(string name)")
    InvalidName = error("error InvalidName(string name)")
    InvalidProof = error("error InvalidProof(string reason)")
    AlreadyAnchored = error("error AlreadyAnchored(uint64 chain, uint64 height)")
    ConflictingBlock = error("error ConflictingBlock(uint64 chain, uint64 height, bytes32 known)")

    @external("function register(uint64 chain, string name, bytes32 genesisHash, string engine)")
    def register(self, call: Call, chain: int, name: str, genesis_hash: bytes, engine: str) -> None:
        """Enter a chain that the hub knows; for the hub's governor, once for each chain and name."""
        (governor,) = _GOVERNOR.decode_output(call.call(HUB_ADDRESS, _GOVERNOR.encode_call()))
        call.require(call.caller == governor, self.NotTheGovernor, call.caller)
        for text in (name, engine):
            call.require(0 < len(text.encode()) <= MAX_NAME, self.InvalidName, text)
        call.require(self._anchor(call, chain), self.UnknownChain, chain)
        entry = mapping_slot(_ENTRIES, chain)
        call.require(not call.load(entry), self.AlreadyRegistered, chain)
        by_name = text_mapping_slot(_BY_NAME, name)
        call.require(not call.load(by_name), self.NameTaken, name)
        count = call.load(_CHAINS)
        call.store(array_slot(_CHAINS, count), chain)
        call.store(_CHAINS, count + 1)
        call.store(by_name, chain)
        store_bytes(call, following(entry, _NAME), name.encode())
        call.store(following(entry, _GENESIS), int.from_bytes(genesis_hash, "big"))
        store_bytes(call, following(entry, _ENGINE), engine.encode())
        call.store(_block_key(chain, 0), int.from_bytes(genesis_hash, "big"))
        call.emit(self.ChainEntered, chain, name, genesis_hash, engine)

    @external("function anchorBlock(uint64 chain, bytes proof)")
    def anchor_block(self, call: Call, chain: int, proof: bytes) -> None:
        """Write down the hash of a block by the proof that it is final; for anybody.

        Parameters
        ----------
        proof
            Of any slot of any account, present or absent, after that block.
        """
        call.require(call.load(mapping_slot(_ENTRIES, chain)), self.UnknownChain, chain)
        try:
            found = proven_storage(call, chain, proof)
        except InvalidInput as refusal:
            raise call.error(self.InvalidProof, refusal.message) from refusal
        height, key = found.height, _block_key(chain, found.height)
        known = call.load(key).to_bytes(32, "big")
        call.require(known != found.block_hash, self.AlreadyAnchored, chain, height)
        call.require(not any(known), self.ConflictingBlock, chain, height, known)
        call.store(key, int.from_bytes(found.block_hash, "big"))
        newest = mapping_slot(_NEWEST, chain)
        if height > call.load(newest):
            call.store(newest, height)
        call.emit(self.BlockAnchored, chain, height, found.block_hash)

    @external("function chains() view returns (uint64[])")
    def chains(self, call: Call) -> list[int]:
        """Return the ids of all chains, in the order of entry."""
        return [call.load(array_slot(_CHAINS, index)) for index in range(call.load(_CHAINS))]

    @external("function chainNamed(string name) view returns (uint64)")
    def chain_named(self, call: Call, name: str) -> int:
        """Return the id of the chain with a name; 0 when there is none."""
        return call.load(text_mapping_slot(_BY_NAME, name))

    @external(
        "function chainOf(uint64 chain) view"
        " returns (string name, bytes32 genesisHash, string engine, bytes anchor)"
    )
    def chain_of(self, call: Call, chain: int) -> tuple[str, bytes, str, bytes]:
        """Return what is known of a chain, with the anchor that the hub has of it now."""
        entry = mapping_slot(_ENTRIES, chain)
        call.require(call.load(entry), self.UnknownChain, chain)
        name, engine = (load_bytes(call, following(entry, each)).decode() for each in (_NAME, _ENGINE))
        genesis_hash = call.load(following(entry, _GENESIS)).to_bytes(32, "big")
        return name, genesis_hash, engine, self._anchor(call, chain)

    @external("function blockOf(uint64 chain, uint64 height) view returns (bytes32)")
    def block_of(self, call: Call, chain: int, height: int) -> bytes:
        """Return the hash of a chain's block; zeros when it is not written down."""
        return call.load(_block_key(chain, height)).to_bytes(32, "big")

    @external("function newestBlock(uint64 chain) view returns (uint64 height, bytes32 blockHash)")
    def newest_block(self, call: Call, chain: int) -> tuple[int, bytes]:
        """Return the highest block of a chain that is written down; genesis at first."""
        height = call.load(mapping_slot(_NEWEST, chain))
        return height, self.block_of(call, chain, height)

    def _anchor(self, call: Call, chain: int) -> bytes:
        (anchor,) = _ANCHOR_OF.decode_output(call.call(HUB_ADDRESS, _ANCHOR_OF.encode_call(chain)))
        return bytes(anchor)


def _block_key(chain: int, height: int) -> bytes:
    return mapping_slot(mapping_slot(_BLOCKS, chain), height)
