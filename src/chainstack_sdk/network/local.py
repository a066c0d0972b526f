"""Consensus among members of one's own, by name: for development, tests, and chains that one party runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.network.hosting import HostedConsensus, Member, local_members
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainstack_sdk.consensus.kinds.kind import Kind
    from chainstack_sdk.network.pool import Pool

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
    kind = _kind(name, chosen, size, blocks_per_slot)
    return HostedConsensus(kind, chosen[:1] if name == "pow" else chosen, pool=pool)


def _kind(name: str, members: Sequence[Member], seats: int, blocks_per_slot: int) -> Kind:
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
            return chain(validators, parameters=parameters)
        case "pbft":
            from chainstack_sdk.consensus.kinds.members import PbftChain

            return PbftChain([member.address for member in members], blocks_per_slot=blocks_per_slot)
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
            )
    raise UsageError("no engine of this name comes with the library", actual=name)
