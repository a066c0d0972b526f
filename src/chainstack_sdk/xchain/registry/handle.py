"""The registry of a chain as a Python object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.cspv import anchor_from_bytes
from chainstack_sdk.paradigms.instance import Instance
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.xchain.addresses import REGISTRY_ADDRESS
from chainstack_sdk.xchain.registry.contract import ChainRegistry

if TYPE_CHECKING:
    from chainstack_sdk.core.native.host import ContractHost
    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.cspv import Anchor
    from chainstack_sdk.primitives.keys import Signer


@dataclass(frozen=True, slots=True)
class RegisteredChain:
    """A side chain, as its main chain knows it."""

    chain_id: int
    name: str
    genesis_hash: bytes
    """32 bytes."""
    engine: str
    """The name of its consensus engine."""
    anchor: Anchor
    """What the main chain's hub verifies its proofs by, at present."""


@dataclass(frozen=True, slots=True)
class RegisteredBlock:
    """A block of a side chain that its main chain has written down."""

    height: int
    block_hash: bytes
    """32 bytes."""


class ChainRegistryApi(Instance):
    """The registry of a chain.

    Parameters
    ----------
    host
        The chain that keeps it.
    """

    def __init__(self, host: ContractHost) -> None:
        super().__init__(host, REGISTRY_ADDRESS, ChainRegistry)

    def chains(self) -> tuple[RegisteredChain, ...]:
        """Return all side chains, in the order of entry."""
        return tuple(self._entry(chain_id) for chain_id in self.read("chains"))

    def chain(self, name: str) -> RegisteredChain:
        """Return the side chain of a name.

        Raises
        ------
        UsageError
            When none is registered under it.
        """
        chain_id = int(self.read("chainNamed", name))
        if not chain_id:
            raise UsageError("no chain of this name is registered", actual=name)
        return self._entry(chain_id)

    def is_registered(self, chain_id: int) -> bool:
        """Tell whether a chain is registered."""
        return chain_id in self.read("chains")

    def register(
        self, governor: Signer, chain_id: int, name: str, genesis_hash: bytes, engine: str
    ) -> Receipt:
        """Enter a chain that the hub knows.

        Raises
        ------
        Reverted
            When the sender does not govern the hub, the hub does not know the chain, or the id or the name
            is taken.
        """
        return self.send(governor, "register", chain_id, name, genesis_hash, engine)

    def anchor_block(self, sender: Signer, chain_id: int, proof: bytes) -> Receipt:
        """Have the hash of a block written down by a proof of any slot after it.

        Raises
        ------
        Reverted
            When it proves nothing to the hub's anchor, or the block is written down already.
        """
        return self.send(sender, "anchorBlock", chain_id, proof)

    def block_hash(self, chain_id: int, height: int) -> bytes | None:
        """Return the hash of a side chain's block, 32 bytes, or None when it is not written down."""
        found = bytes(self.read("blockOf", chain_id, height))
        return found if any(found) else None

    def newest_block(self, chain_id: int) -> RegisteredBlock:
        """Return the highest block of a side chain that is written down."""
        return RegisteredBlock(*self.read("newestBlock", chain_id))

    def _entry(self, chain_id: int) -> RegisteredChain:
        name, genesis_hash, engine, anchor = self.read("chainOf", chain_id)
        return RegisteredChain(chain_id, name, genesis_hash, engine, anchor_from_bytes(anchor))
