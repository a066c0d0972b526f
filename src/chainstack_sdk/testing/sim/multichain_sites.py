"""Chains of several engines with hubs, tills and pegs, which a simulation halts, resumes and reorganises.

Not for production.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.chain import Chain
from chainstack_sdk.clock import ManualClock
from chainstack_sdk.cspv.work_policy import WorkPolicy
from chainstack_sdk.cspv.work_prover import WorkFinality
from chainstack_sdk.network.hosting import HostedConsensus
from chainstack_sdk.network.local import local_consensus
from chainstack_sdk.primitives.errors import Rejected, Reverted, UsageError
from chainstack_sdk.primitives.units import ether
from chainstack_sdk.testing.fixed import accounts
from chainstack_sdk.testing.sim.multichain_till import TILL_ADDRESS, TILL_CODE, Till, with_till
from chainstack_sdk.testing.xchain import GOVERNOR, chain_with_hub, hub_of
from chainstack_sdk.xchain.hub.storage import HUB_CODE
from chainstack_sdk.xchain.peg.contract import Peg
from chainstack_sdk.xchain.peg.genesis import with_peg
from chainstack_sdk.xchain.peg.handle import PegApi
from chainstack_sdk.xchain.peg.storage import PEG_CODE

if TYPE_CHECKING:
    from random import Random

    from chainstack_sdk.core.genesis import Genesis
    from chainstack_sdk.core.interfaces import Consensus, Contract
    from chainstack_sdk.primitives.keys import Account

ENGINES = ("pow", "pbft", "dpow", "pos")
"""Engines of chains beside those that one party runs."""
KEYED = ("keyed pbft", "keyed dpos", "keyed dpow")
"""The same with a chain key; delegates cannot do without."""
ACCOUNTS: list[Account] = accounts(12, "chainstack_sdk simulated user")
"""Users and relayers; each has coin on every chain."""
CONFIRMATIONS = 6
"""After so many further blocks a mined block counts."""
DEEPEST = CONFIRMATIONS - 1
"""So many blocks a reorganisation takes off at most."""
BLOCKS_PER_SLOT, BLOCKS_PER_EPOCH = 8, 16

_POLICY = WorkPolicy(soundness_bits=10, confirmations=CONFIRMATIONS, parts=2)
_GAS = 900_000


class Site:
    """One chain of a simulation.

    Parameters
    ----------
    chain_id
        Its id.
    engine
        One of :data:`ENGINES` or :data:`KEYED`, or "instant". Of the four members of a committee without a
        key one never says anything.
    hub
        The hub's contract, for a hub with a fault; by default the library's.
    """

    def __init__(self, chain_id: int, engine: str, hub: Contract | None = None) -> None:
        self.engine = engine
        self.chain = _chain(chain_id, engine, hub)
        self.halted = False
        self._rival = _chain(chain_id, engine, hub) if engine == "pow" else None
        """Another miner's chain, which is always behind."""

    @property
    def chain_id(self) -> int:
        """The chain's id."""
        return self.chain.chain_id

    def send(
        self, sender: Account, to: bytes, data: bytes, *, value: int = 0, careless: bool = False
    ) -> bool:
        """Sign and send a transaction; tell whether it could be sent.

        Parameters
        ----------
        careless
            Whether to send it even though it will fail.
        """
        try:
            gas = _GAS if careless else None
            self.chain.send(self.chain.sign(sender, to, data=data, value=value, gas=gas))
        except (Reverted, Rejected):
            return False
        return True

    def seal(self, now_ms: int) -> None:
        """Make a block, unless the chain stands still."""
        if not self.halted:
            _set(self.chain, now_ms)
            self.chain.seal()

    def can_fork(self, depth: int) -> bool:
        """Tell whether another miner could take off so many blocks."""
        return self._rival is not None and self._rival.height <= self.chain.height - depth

    def fork(self, depth: int, random: Random) -> None:
        """Go over to the branch of another miner, who left off some blocks ago and found one more since.

        Raises
        ------
        UsageError
            When there is no such miner.
        """
        chain, rival = self.chain, self._rival
        if rival is None:
            raise UsageError("only mined chains fork", actual=self.engine)
        ancestor = chain.height - depth
        for height in range(rival.height + 1, ancestor + 1):
            rival.append(chain.block(height))
        replaced = [chain.block(height) for height in range(ancestor + 1, chain.height + 1)]
        _set(rival, chain.head.timestamp_ms + 1)
        for transaction in [one for block in replaced for one in block.transactions]:
            if random.randrange(3):  # others have not come to this miner
                rival.send_many([transaction], strict=False)
        blocks = [rival.seal() for _ in range(depth + 1)]
        chain.reorganise(ancestor, blocks)


def _set(chain: Chain, now_ms: int) -> None:
    assert isinstance(chain.clock, ManualClock)
    chain.clock.set_ms(now_ms)


def _chain(chain_id: int, engine: str, hub: Contract | None) -> Chain:
    contracts: dict[bytes, Contract] = {TILL_CODE: Till(), PEG_CODE: Peg()}
    if hub is not None:
        contracts[HUB_CODE] = hub
    chain = chain_with_hub(
        chain_id,
        {account: ether(1_000) for account in ACCOUNTS},
        consensus=_consensus(engine),
        contracts=contracts,
        prepare=_prepare,
        auto_seal=False,
    )
    if engine != "pow":
        return chain
    finality = WorkFinality(chain.blockchain, _POLICY)
    return Chain(chain.blockchain, chain.engine, finality=finality)


def _prepare(genesis: Genesis) -> Genesis:
    return with_till(with_peg(genesis))


def _consensus(engine: str) -> Consensus | None:
    if engine == "instant":
        return None
    kept = engine.startswith("keyed ")
    name = engine.removeprefix("keyed ")
    blocks = BLOCKS_PER_EPOCH if name == "dpos" else BLOCKS_PER_SLOT
    whole = local_consensus(name, blocks_per_slot=blocks, chain_key=kept)
    if name == "pow" or kept:
        return whole
    return HostedConsensus(whole.kind, whole.members[:-1])


def link_sites(sites: list[Site]) -> None:
    """Register every chain with every other hub, and open channels between tills."""
    for site in sites:
        for other in sites:
            if other is not site:
                _link(site, other)
    for site in sites:
        if site.engine == "pow":
            for _ in range(CONFIRMATIONS):  # what was done so far stays done
                site.chain.seal()


def _link(site: Site, other: Site) -> None:
    anchor = other.chain.anchor.to_bytes()
    hub_of(site.chain).send(GOVERNOR, "registerChain", other.chain_id, anchor)
    PegApi(site.chain).connect(GOVERNOR, other.chain_id)
    for ordered in (False, True):
        data = Till.abi_function("open").encode_call(other.chain_id, ordered)
        site.chain.send_call(GOVERNOR, TILL_ADDRESS, data)
