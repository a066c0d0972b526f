"""Whether what a worker says of its range is true, as far as that can be told without hashing it all."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from chainstack_sdk.consensus.work import Found

if TYPE_CHECKING:
    from chainstack_sdk.consensus.mapreduce.values import WorkRange
    from chainstack_sdk.consensus.work import WorkHash


def is_honest(claim: object, work: WorkRange, work_hash: WorkHash) -> TypeGuard[Found]:
    """Tell whether a report on a range holds.

    It must be a :class:`Found` whose shares lie in the range, ascend, and meet the share target; whose
    nonce is the one share that meets the target, and the last; and whose count of hashes is what follows
    from that. Costs one hash for each share up to the first that is false.

    Parameters
    ----------
    claim
        Anything that a worker may send.
    """
    if type(claim) is not Found or not _is_well_formed(work, claim):
        return False
    for nonce in claim.shares:
        digest = int.from_bytes(work_hash.digest(work.block_hash, nonce), "big")
        if digest > work.share_target or (digest <= work.target) != (nonce == claim.nonce):
            return False
    return True


def _is_well_formed(work: WorkRange, claim: Found) -> bool:
    """Tell whether a report could be true, without hashing."""
    shares, nonce = claim.shares, claim.nonce
    if type(shares) is not tuple or len(shares) > work.count or type(claim.hashes) is not int:
        return False
    before = work.start - 1
    for share in shares:
        if type(share) is not int or share <= before:
            return False
        before = share
    if before >= work.start + work.count:
        return False
    if nonce is None:
        return claim.hashes == work.count
    return type(nonce) is int and shares[-1:] == (nonce,) and claim.hashes == nonce - work.start + 1
