"""How a chain's blocks are shown to be final to those who do not have the chain."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from chainstack_sdk.consensus.chainkey.payload import SIGNED_WINDOW, KeyPayload, unwrap
from chainstack_sdk.consensus.chainkey.storage import CHAIN_KEY_ADDRESS
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from chainstack_sdk.consensus.chainkey.state import Holders
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.chain import Blockchain
    from chainstack_sdk.core.interfaces import ConsensusEngine
    from chainstack_sdk.cspv import Anchor, FinalityProver
    from chainstack_sdk.cspv.schemes import ChainKeyFinality


_SEED_BYTES = 32


@runtime_checkable
class Signing(Protocol):
    """An engine whose host holds shares of the chain's key, or hears of signatures by it."""

    def signature(self, height: int) -> bytes | None:
        """Return the key's signature over the hash of the block at a height, 48 bytes, or None."""
        ...


def finality_of(
    blockchain: Blockchain, engine: ConsensusEngine, operator_seed: bytes | None
) -> FinalityProver:
    """Return what proves that a chain's blocks are final.

    Parameters
    ----------
    operator_seed
        Where the key of a chain comes from whose blocks one party seals at once; 32 random bytes at least.

    Raises
    ------
    UsageError
        When the engine offers nothing, or a chain of one party was given no seed.
    """
    genesis = blockchain.genesis
    if CHAIN_KEY_ADDRESS in genesis.accounts:
        return keyed_finality(blockchain, engine if isinstance(engine, Signing) else None)
    match genesis.engine:
        case "instant":
            if operator_seed is None:
                raise UsageError("light proofs of a chain of one party take a key: give operator_seed")
            from chainstack_sdk.cspv.operator import OperatorKey

            return OperatorKey(operator_seed).finality(genesis.chain_id)
        case "dpow" | "pos":
            from chainstack_sdk.consensus.kinds.committee import CommitteeParameters
            from chainstack_sdk.consensus.staking.slots import SlotSchedule
            from chainstack_sdk.cspv.committee_prover import CommitteeFinality

            blocks_per_slot = CommitteeParameters.of(genesis).blocks_per_slot
            return CommitteeFinality(blockchain, SlotSchedule(blocks_per_slot))
        case "pbft":
            from chainstack_sdk.consensus.membership import MEMBERSHIP_ADDRESS
            from chainstack_sdk.consensus.membership.genesis import schedule_of
            from chainstack_sdk.cspv.committee_prover import CommitteeFinality, bare_certificate

            return CommitteeFinality(
                blockchain,
                schedule_of(genesis),
                contract=MEMBERSHIP_ADDRESS,
                certificate=bare_certificate,
            )
        case "pow":
            from chainstack_sdk.cspv.work_prover import WorkFinality

            return WorkFinality(blockchain)
    raise UsageError("this engine offers no light proofs: give the chain a finality", engine=genesis.engine)


def new_operator_seed() -> bytes:
    """Return 32 random bytes for the key of a chain that lives and dies with this process."""
    return secrets.token_bytes(_SEED_BYTES)


def finality_for(
    own: FinalityProver, blockchain: Blockchain, engine: ConsensusEngine, anchor: Anchor
) -> FinalityProver:
    """Return what proves a chain's blocks to somebody with a certain anchor of it."""
    from chainstack_sdk.cspv.verify.anchor import ChainKeyAnchor

    if isinstance(anchor, ChainKeyAnchor) and CHAIN_KEY_ADDRESS in blockchain.genesis.accounts:
        return keyed_finality(blockchain, engine if isinstance(engine, Signing) else None, anchor.key)
    return own


def keyed_finality(
    blockchain: Blockchain, host: Signing | None, key: bytes | None = None
) -> ChainKeyFinality:
    """Return what proves blocks of a chain with a key.

    Signatures are in the blocks that follow; those of the newest blocks the host knows, if there is one.

    Parameters
    ----------
    key
        What verifiers hold, 96 bytes; by default the present key.
    """
    from chainstack_sdk.cspv.schemes import ChainKeyFinality

    keys = _Keys(blockchain, host)
    held = keys.current if key is None else lambda: key
    return ChainKeyFinality(
        blockchain.genesis.chain_id, held, keys.signature, lambda header: keys.links(held(), header)
    )


class _Keys:
    """The keys of a chain, generation by generation, and what they have signed."""

    def __init__(self, blockchain: Blockchain, host: Signing | None) -> None:
        self._blockchain = blockchain
        self._host = host

    def current(self) -> bytes:
        """Return the key of the present generation, 96 bytes; nothing while there is none."""
        holders = self._holders()
        return b"" if holders is None else holders.key

    def signature(self, header: Header) -> bytes | None:
        """Return the signature of a block, 48 bytes, from one of those after it or from the host."""
        chain = self._blockchain
        newest = min(header.height + SIGNED_WINDOW, chain.height)
        for later in range(header.height + 1, newest + 1):
            payload = KeyPayload.decode(unwrap(chain.ledger.block(later).attachment)[1])
            found = dict(payload.signatures).get(header.height)
            if found is not None:
                return found
        return None if self._host is None else self._host.signature(header.height)

    def links(self, key: bytes, header: Header) -> list[bytes]:
        """Return the links from a key to the one that signed a block: none as a rule.

        Raises
        ------
        UsageError
            When none lead there: it is an older key, or its holders have made no link.
        """
        from chainstack_sdk.consensus.chainkey.known import is_signed
        from chainstack_sdk.primitives.bls import FINALITY_DOMAIN

        signature = self.signature(header)
        passed: list[bytes] = []
        for link, reached in [(b"", key), *self._links_after(key)]:
            passed += [link] if link else []
            if signature is None or is_signed(reached, header.hash, signature, FINALITY_DOMAIN):
                return passed
        raise UsageError("no links lead from this key to the one that signed", height=header.height)

    def _links_after(self, key: bytes) -> list[tuple[bytes, bytes]]:
        """Return the links of the generations after a key's, each with the key that it leads to."""
        from chainstack_sdk.consensus.chainkey.link import KeyLink
        from chainstack_sdk.consensus.chainkey.state import read_link

        holders = self._holders()
        newest = 0 if holders is None else holders.generation
        encoded = [read_link(self._blockchain.state, number) for number in range(2, newest + 1)]
        links = [(link, KeyLink.decode(link).new_key if link else b"") for link in encoded]
        own = next((number for number, (_, reached) in enumerate(links, 1) if reached == key), 0)
        following = links[own:]
        return following if all(link for link, _ in following) else []

    def _holders(self) -> Holders | None:
        from chainstack_sdk.consensus.chainkey.state import read_key_state

        state = read_key_state(self._blockchain.state)
        return None if state is None else state.holders
