"""Map-Reduce proof of work: one master divides the nonces among many workers.

*Map.* The master cuts the nonces of a candidate block into disjoint ranges, in ascending order, and hands
each to one worker. *Reduce.* It checks what the workers report, counts their shares, and names the winner.

The winner does not depend on who was fast: it is the lowest nonce that meets the target, in the order in
which candidates and their nonces are handed out. So when a range reports a winning nonce, every range
above is called off, nothing new is handed out, and the ranges below, which are out with workers already,
are waited for. That is about one range for each worker, some 0.2 s, and what was left of it; a range below
whose worker dies or falls silent is handed out once more, so each such fault adds at most one time-out.

*Trust.* Workers need not be honest. Every nonce they report is hashed again and must lie in their range,
so a nonce counts once. Pay follows shares: nonces that meet an easier target, about sixteen in a range,
each standing for as many hashes as it takes to find one. Whoever reports something false, or far fewer
shares than the ranges it says it has hashed must hold, is dropped, and the range goes to somebody else.
What the master cannot see: a worker that keeps back a share or a winner now and then.

The master is a state machine without clock, threads or network. ``network.mining`` drives it over any
``concurrent.futures`` executor.
"""

from chainstack_sdk.consensus.mapreduce.claim import is_honest
from chainstack_sdk.consensus.mapreduce.master import Master
from chainstack_sdk.consensus.mapreduce.tally import Tally
from chainstack_sdk.consensus.mapreduce.values import (
    NeedCandidate,
    Reported,
    Verdict,
    Won,
    WorkRange,
    hash_range,
)

__all__ = [
    "Master",
    "NeedCandidate",
    "Reported",
    "Tally",
    "Verdict",
    "Won",
    "WorkRange",
    "hash_range",
    "is_honest",
]
