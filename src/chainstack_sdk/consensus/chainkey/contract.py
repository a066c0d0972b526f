"""The system contract in which a chain keeps its key: it can be asked, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft.validators import ValidatorSet
from chainstack_sdk.consensus.chainkey.storage import (
    GENERATION,
    HOLDERS,
    LOGS,
    ROUND,
    StoredHolders,
    load_holders,
    load_link,
)
from chainstack_sdk.core.native.contract import NativeContract, external
from chainstack_sdk.primitives.bls import PUBLIC_KEY_BYTES

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call


class ChainKeyContract(NativeContract):
    """Answers about the chain's key; blocks write to it, transactions cannot.

    Where there is no key yet, answers about it are zero or empty. A key from genesis is of generation 1, and
    its first holders of round 0; the rounds of ceremonies are the numbers of their slots plus 1.
    """

    @external("function groupKey() view returns (bytes)")
    def group_key(self, call: Call) -> bytes:
        """Return the key, 96 bytes: a compressed point of G2."""
        return _holders(call).polynomial[:PUBLIC_KEY_BYTES]

    @external("function generation() view returns (uint32)")
    def generation(self, call: Call) -> int:
        """Return the generation of the key."""
        return _holders(call).generation

    @external("function round() view returns (uint64)")
    def round(self, call: Call) -> int:
        """Return the round of the ceremony that made the holders."""
        return _holders(call).round

    @external("function holders() view returns (address[])")
    def holders(self, call: Call) -> list[bytes]:
        """Return who holds the key, by ascending address."""
        members = _holders(call).members
        return [member.address for member in ValidatorSet.decode(members)] if members else []

    @external("function threshold() view returns (uint256)")
    def threshold(self, call: Call) -> int:
        """Return how many shares sign."""
        return len(_holders(call).polynomial) // PUBLIC_KEY_BYTES

    @external("function polynomial() view returns (bytes)")
    def polynomial(self, call: Call) -> bytes:
        """Return the public polynomial behind the shares, 96 bytes for each coefficient, the key's first."""
        return _holders(call).polynomial

    @external("function attestation() view returns (bytes)")
    def attestation(self, call: Call) -> bytes:
        """Return the key's signature for its holders, 48 bytes; empty where holders from genesis owe it."""
        return _holders(call).attestation

    @external("function ceremonyRound() view returns (uint64)")
    def ceremony_round(self, call: Call) -> int:
        """Return the round of the ceremony that runs."""
        return call.load(ROUND)

    @external("function ceremonyGeneration() view returns (uint32)")
    def ceremony_generation(self, call: Call) -> int:
        """Return the generation of the key that the ceremony deals."""
        return call.load(GENERATION)

    @external("function logsPosted() view returns (uint256)")
    def logs_posted(self, call: Call) -> int:
        """Return how many logs of the ceremony count so far."""
        return call.load(LOGS)

    @external("function link(uint32 generation) view returns (bytes)")
    def link(self, call: Call, generation: int) -> bytes:
        """Return the link from the key of the generation before to that of a generation, or nothing."""
        return load_link(call, generation)


def _holders(call: Call) -> StoredHolders:
    return load_holders(call, HOLDERS)
