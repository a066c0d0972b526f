"""What must hold in every simulated run of a chain key, whatever goes wrong.

- A key changes with its generation only.
- Honest members never contradict themselves: for each dealer's place they acknowledge one dealing, deal one
  polynomial, post one log, and they sign one hash for each height.
- An honest member that never lost its record has right shares on every seat, of what it will hold and of what
  it holds; one that did has right shares or none.
- Nobody keeps shares that are neither.
- Faulty members cannot sign; where weights are equal, not even with the shares that were made public.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.chainkey.log import Reveal
from chainstack_sdk.consensus.chainkey.messages import Accept, Deal, Partial, PostedLog, decode_message
from chainstack_sdk.consensus.chainkey.outcome import exposed_members
from chainstack_sdk.primitives.bls import FINALITY_DOMAIN, combine, sign, verify

if TYPE_CHECKING:
    from chainstack_sdk.consensus.chainkey.ceremony import Ceremony
    from chainstack_sdk.consensus.chainkey.log import DealerLog
    from chainstack_sdk.consensus.chainkey.machine import KeyMachine
    from chainstack_sdk.consensus.chainkey.polynomial import PublicPolynomial
    from chainstack_sdk.consensus.chainkey.state import Holders, KeyState
    from chainstack_sdk.testing.sim.keys import KeyNode, KeySim


class KeyViolation(AssertionError):
    """Something happened that must not."""


class KeyChecks:
    """The checks of one run.

    Parameters
    ----------
    within_bounds
        Whether faulty members have no more than the seats to spare in any committee. Otherwise they have
        fewer than the threshold, and shares made public may help them to it.
    """

    def __init__(self, *, within_bounds: bool = True) -> None:
        self.ceremonies: list[bool] = []
        """Of each ceremony that is over, whether it made its players the holders."""
        self.exposed = 0
        """How many shares of honest members were made public."""
        self._within_bounds = within_bounds
        self._keys: dict[int, bytes] = {}
        self._said: dict[tuple[object, ...], bytes] = {}
        self._seen: dict[PublicPolynomial, int] = {}
        self._held: set[tuple[int, PublicPolynomial]] = set()

    def on_block(self, sim: KeySim) -> None:
        """Check the chain after a new block, and the nodes that have all others."""
        before, state = sim.chain.states[-2:]
        if state.slot != before.slot:
            took_over = state.holders is not None and state.holders.round == before.ceremony.round
            self.ceremonies.append(took_over)
        if state.holders is not None:
            self._check_key(state.holders)
        if state.successors is not None and before.successors is None:
            self._check_exposure(sim, state, state.successors)
        for node in sim.nodes:
            if node.is_honest and node.machine is not None and node.height == sim.chain.height - 1:
                self._check_shares(node, node.machine, before)

    def on_message(self, sim: KeySim, node: KeyNode, message: bytes) -> None:
        """Check what an honest node says; who has lost its record may contradict itself."""
        if node.has_lost:
            return
        match decode_message(message):
            case Accept(ceremony, place, commitments_hash):
                self._say((node.number, "acknowledged", ceremony, place), commitments_hash)
            case Deal(ceremony, place, _, commitments):
                self._say((node.number, "dealt", ceremony, place), commitments)
            case PostedLog(ceremony, log):
                self._say((node.number, "posted", ceremony, log[:8]), log)
            case Partial(kind, number, round_, digest):
                self._say((node.number, "signed", kind, number, round_), digest)

    def _check_key(self, holders: Holders) -> None:
        if self._keys.setdefault(holders.generation, holders.key) != holders.key:
            raise KeyViolation(f"the key of generation {holders.generation} has changed")

    def _check_exposure(self, sim: KeySim, state: KeyState, holders: Holders) -> None:
        honest = {node.account.address for node in sim.nodes if node.is_honest}
        ceremony, logs = state.ceremony, state.logs
        told = [log for log in logs if _dealer(ceremony, log) in honest]
        flagged = exposed_members(ceremony, logs)
        known = 0
        for index, member in enumerate(holders.members):
            if member.address not in honest:
                known += holders.seats.counts[index]
            elif holders.seats.counts[index] and all(isinstance(log.results[index], Reveal) for log in told):
                # Faulty dealers know the rest of its shares, as they dealt it.
                self._check_flag(index in flagged or not told)
                self.exposed += holders.seats.counts[index]
                known += holders.seats.counts[index]
        # Rounding of unequal weights may let the shares to spare, twice, reach the threshold.
        is_promised = self._within_bounds and 2 * holders.seats.spare < holders.seats.threshold
        if known >= holders.seats.threshold and is_promised:
            raise KeyViolation(f"faulty members know {known} shares of round {holders.round}")

    def _check_flag(self, flagged: bool) -> None:
        if self._within_bounds and not flagged:
            raise KeyViolation("a share is public that does not count as such")

    def _check_shares(self, node: KeyNode, machine: KeyMachine, state: KeyState) -> None:
        current = [holders for holders in (state.holders, state.successors) if holders is not None]
        for holders in current:
            self._seen.setdefault(holders.polynomial, holders.round)
            if (node.number, holders.polynomial) not in self._held:
                self._check_held(node, machine, holders)
        named = {holders.polynomial for holders in current}
        for polynomial, round_ in self._seen.items():
            if polynomial not in named and machine.shares(polynomial):
                raise KeyViolation(f"node {node.number} keeps shares of round {round_}")

    def _check_held(self, node: KeyNode, machine: KeyMachine, holders: Holders) -> None:
        index = holders.members.index_of(node.account.address)
        places = () if index is None else holders.seats.places(index)
        shares = machine.shares(holders.polynomial)
        if not all(holders.polynomial.is_share(place, share) for place, share in shares.items()):
            raise KeyViolation(f"node {node.number} holds a wrong share of round {holders.round}")
        if not node.has_lost and set(shares) != set(places):
            raise KeyViolation(f"node {node.number} lacks shares of round {holders.round}")
        if shares:
            self._held.add((node.number, holders.polynomial))

    def _say(self, about: tuple[object, ...], content: bytes) -> None:
        if self._said.setdefault(about, content) != content:
            raise KeyViolation(f"node {about[0]} contradicts itself: it has {about[1]} something else")


def _dealer(ceremony: Ceremony, log: DealerLog) -> bytes:
    return ceremony.dealers.members[ceremony.dealer_seats.holder(log.place)].address


def faulty_signature(sim: KeySim, holders: Holders, message: bytes) -> bool:
    """Tell whether the shares of all faulty members together sign a message."""
    shares: dict[int, int] = {}
    for node in sim.nodes:
        if node.fault is not None and node.machine is not None:
            shares |= node.machine.shares(holders.polynomial)
    parts = {place: sign(share, message, FINALITY_DOMAIN) for place, share in sorted(shares.items())}
    return bool(parts) and verify(holders.key, message, combine(parts), FINALITY_DOMAIN)
