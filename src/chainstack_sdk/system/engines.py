"""From the configuration of a side chain to its consensus and to what proves its blocks final.

Each chain has validators of its own. They live in this process, with keys that follow from the chain's id:
for development, tests, and chains that one party runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.cspv.verify.format import FinalityScheme
from chainstack_sdk.primitives.address import to_address
from chainstack_sdk.primitives.errors import InvariantBroken
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chainstack_sdk.consensus.bft.validators import ValidatorSet
    from chainstack_sdk.consensus.chainkey.polynomial import PublicPolynomial
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.chain import Blockchain
    from chainstack_sdk.core.interfaces import Consensus
    from chainstack_sdk.cspv import FinalityProver
    from chainstack_sdk.cspv.work import WorkAnchor
    from chainstack_sdk.cspv.work_prover import WorkFinality
    from chainstack_sdk.network.hosting import Member
    from chainstack_sdk.primitives.keys import Signer
    from chainstack_sdk.system.config import SideChainConfig, WorkDemands

_OPERATOR_DOMAIN = b"chainstack operator of the chain "


def consensus_of(config: SideChainConfig, chain_id: int, operator: bytes) -> Consensus | None:
    """Return how a side chain agrees on blocks; None: one party seals them.

    Parameters
    ----------
    operator
        Who relays, and may therefore send on the chain whatever its membership; 20 bytes.

    Raises
    ------
    UsageError
        When the numbers do not go together.
    """
    if config.consensus == "instant":
        return None
    from chainstack_sdk.network.hosting import local_members
    from chainstack_sdk.network.local import local_consensus

    members = local_members(config.validators, f"chainstack_sdk validator of {chain_id}")
    if config.consensus == "pow":
        return _mined(config, members)
    if config.consensus == "pbft":
        return _listed(config, members, operator)
    return local_consensus(
        config.consensus,
        members=members,
        seats=config.seats,
        blocks_per_slot=config.blocks_per_slot,
        chain_key=config.scheme == "chain_key",
    )


class WorkOfSideChain:
    """What proves blocks of a mined side chain final; it is made before the chain, and bound to it then.

    Parameters
    ----------
    demands
        What other chains demand.

    Raises
    ------
    UsageError
        When the demands do not go together.
    """

    scheme = FinalityScheme.WORK
    """See :class:`~chainstack_sdk.cspv.schemes.FinalityProver`."""

    def __init__(self, demands: WorkDemands) -> None:
        from chainstack_sdk.cspv.work_policy import WorkPolicy

        self._policy = WorkPolicy(
            soundness_bits=demands.soundness_bits,
            share=demands.share,
            confirmations=demands.confirmations,
            parts=max(demands.confirmations // 4, 1),
            minimum_work=demands.minimum_work,
        )
        self._proving: WorkFinality | None = None

    def bind(self, blockchain: Blockchain) -> None:
        """Prove blocks of this chain from now on."""
        from chainstack_sdk.cspv.work_prover import WorkFinality

        self._proving = WorkFinality(blockchain, self._policy)

    def anchor(self) -> WorkAnchor:
        """Return the anchor of the chain: always the same."""
        return self._bound().anchor()

    def evidence(self, header: Header) -> bytes:
        """Return the finality part of a proof; see :class:`~chainstack_sdk.cspv.work_prover.WorkFinality`."""
        return self._bound().evidence(header)

    def _bound(self) -> WorkFinality:
        if self._proving is None:
            raise InvariantBroken("a prover is bound to its chain before it is asked")
        return self._proving


def operator_seed(operator: Signer, chain_id: int) -> bytes:
    """Return the secret behind the key of a chain that one party runs, 32 bytes: the same for each run.

    It is the hash of a signature that the operator shows to nobody.
    """
    return keccak256(operator.sign(keccak256(_OPERATOR_DOMAIN + chain_id.to_bytes(8, "big"))))


def _mined(config: SideChainConfig, members: Sequence[Member]) -> Consensus:
    from chainstack_sdk.consensus.kinds.miners import PowChain, PowParameters
    from chainstack_sdk.network.hosting import HostedConsensus
    from chainstack_sdk.network.local import LOCAL_DIFFICULTY

    parameters = PowParameters(difficulty=LOCAL_DIFFICULTY, window=0, confirmations=config.work.confirmations)
    return HostedConsensus(PowChain(parameters=parameters), members[:1])


def _listed(config: SideChainConfig, members: Sequence[Member], operator: bytes) -> Consensus:
    from chainstack_sdk.consensus.chainkey.genesis import deal_locally
    from chainstack_sdk.consensus.kinds.members import PbftChain
    from chainstack_sdk.network.hosting import HostedConsensus

    seed = keccak256(b"".join(member.vrf_secret for member in members))

    def key(committee: ValidatorSet) -> PublicPolynomial:
        return deal_locally(committee, seed)[0]

    def shares(committee: ValidatorSet) -> Mapping[int, Mapping[int, int]]:
        return deal_locally(committee, seed)[1]

    keyed = config.scheme == "chain_key"
    permitted = dict.fromkeys([operator, *map(to_address, config.permitted)])
    kind = PbftChain(
        [member.address for member in members],
        blocks_per_slot=config.blocks_per_slot,
        governed=config.governed,
        senders=list(permitted) if config.membership == "private" else None,
        chain_key=keyed,
        first_key=key if keyed else None,
    )
    return HostedConsensus(kind, members, first_shares=shares if keyed else None)


if TYPE_CHECKING:
    _prover: type[FinalityProver] = WorkOfSideChain
