"""Consensus among members of one's own, by name: for development, tests, and chains that one party runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.chainkey.storage import MIN_BLOCKS_PER_SLOT
from chainstack_sdk.network.hosting import HostedConsensus, Member, local_members
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chainstack_sdk.consensus.bft.validators import ValidatorSet
    from chainstack_sdk.consensus.chainkey.polynomial import PublicPolynomial
    from chainstack_sdk.consensus.kinds.kind import Kind
    from chainstack_sdk.network.pool import Pool
    from chainstack_sdk.network.record import Record

LOCAL_DIFFICULTY = 64
"""Expected hashes of a block that a local chain mines: real work, done in a fraction of a millisecond."""
LOCAL_INTERVAL_MS = 1_000
"""From one delegate's turn to the next: the distance between blocks that a hand-set clock keeps."""
DEFAULT_VALIDATORS = 4


def local_consensus(
    name: str,
    *,
    validators: int = DEFAULT_VALIDATORS,
    seats: int | None = None,
    blocks_per_slot: int = 100,
    members: Sequence[Member] | None = None,
    pool: Pool | None = None,
    chain_key: bool = True,
    record: Record | None = None,
) -> HostedConsensus:
    """Return a consensus whose members all live in this process.

    Parameters
    ----------
    name
        "dpow", "pos", "pbft", "dpos" or "pow".
    validators
        How many members there are from the start; their keys are the same in every run.
    seats
        Seats of a committee, or of delegates, who are the first members at first; as many as there are
        members by default.
    blocks_per_slot
        How many blocks a committee serves, or how many make an epoch of delegates.
    members
        Members of one's own, in place of those that :func:`local_members` makes.
    pool
        Mines and is paid, where there is proof of work; by default the first member does both.
    chain_key
        Whether committees and delegates hold a chain key, for light proofs. This process deals it, so that
        is for chains of one's own. Where slots or epochs are too short for it there is none.
    record
        Keeps the members' shares of the key, for a chain that outlives the process.

    Raises
    ------
    UsageError
        When no engine of this name comes with the library, there are no members, or an epoch of delegates has
        fewer blocks than there are seats.
    """
    chosen = list(local_members(validators) if members is None else members)
    if not chosen:
        raise UsageError("somebody must take part in a consensus")
    size = len(chosen) if seats is None else seats
    deal = _Deal(chosen) if chain_key and blocks_per_slot >= _least_slot(name, size) else None
    kind = _kind(name, chosen, size, blocks_per_slot, deal)
    return HostedConsensus(
        kind,
        chosen[:1] if name == "pow" else chosen,
        pool=pool,
        first_shares=None if deal is None else deal.shares,
        record=record,
    )


def _least_slot(name: str, seats: int) -> int:
    """Return how many blocks a slot, or an epoch, must have for a chain key."""
    if name != "dpos":
        return MIN_BLOCKS_PER_SLOT
    from chainstack_sdk.consensus.kinds.delegates import least_keyed_epoch

    return least_keyed_epoch(seats)


class _Deal:
    """A key for the first committee, dealt by whoever has all members' secrets at hand."""

    def __init__(self, members: Sequence[Member]) -> None:
        self._seed = keccak256(b"".join(member.vrf_secret for member in members))

    def key(self, committee: ValidatorSet) -> PublicPolynomial:
        from chainstack_sdk.consensus.chainkey.genesis import deal_locally

        return deal_locally(committee, self._seed)[0]

    def shares(self, committee: ValidatorSet) -> Mapping[int, Mapping[int, int]]:
        from chainstack_sdk.consensus.chainkey.genesis import deal_locally

        return deal_locally(committee, self._seed)[1]


def _kind(name: str, members: Sequence[Member], seats: int, blocks_per_slot: int, deal: _Deal | None) -> Kind:
    first_key = None if deal is None else deal.key
    match name:
        case "dpow" | "pos":
            from chainstack_sdk.consensus.kinds.committee import CommitteeParameters, DpowChain, PosChain
            from chainstack_sdk.consensus.staking import GenesisValidator

            parameters = CommitteeParameters(
                blocks_per_slot=blocks_per_slot,
                committee_size=seats,
                difficulty=LOCAL_DIFFICULTY,
                window=0,
            )
            validators = [
                GenesisValidator(member.address, member.vrf.public, parameters.minimum_deposit)
                for member in members
            ]
            chain = DpowChain if name == "dpow" else PosChain
            return chain(validators, parameters=parameters, chain_key=deal is not None, first_key=first_key)
        case "pbft":
            from chainstack_sdk.consensus.kinds.members import PbftChain

            return PbftChain(
                [member.address for member in members],
                blocks_per_slot=blocks_per_slot,
                chain_key=deal is not None,
                first_key=first_key,
            )
        case "pow":
            from chainstack_sdk.consensus.kinds.miners import PowChain, PowParameters

            return PowChain(parameters=PowParameters(difficulty=LOCAL_DIFFICULTY, window=0))
        case "dpos":
            from chainstack_sdk.consensus.kinds.delegates import DposChain, DposParameters

            return DposChain(
                [member.address for member in members[:seats]],
                parameters=DposParameters(
                    blocks_per_epoch=blocks_per_slot, seats=seats, interval_ms=LOCAL_INTERVAL_MS
                ),
                chain_key=deal is not None,
                first_key=first_key,
            )
    raise UsageError("no engine of this name comes with the library", actual=name)
