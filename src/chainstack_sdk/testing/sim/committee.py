"""Committees of real validators on a tiny chain, ready to be simulated."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft import (
    BftCore,
    Certificate,
    CertificateRule,
    FixedMembership,
    Secp256k1Scheme,
    Validator,
    ValidatorSet,
    validate_certificate,
)
from chainstack_sdk.network.node import Timing
from chainstack_sdk.network.validator import ValidatorNode
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.testing.fixed import accounts
from chainstack_sdk.testing.sim.accountability import Accountability
from chainstack_sdk.testing.sim.application import Tally, TallyDisk, adds_up
from chainstack_sdk.testing.sim.invariants import Agreement, Validity
from chainstack_sdk.testing.sim.net import SimNet

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from chainstack_sdk.consensus.bft import Membership, Scheme
    from chainstack_sdk.core.interfaces import ConsensusEngine, FinalityRule, HeaderRule
    from chainstack_sdk.network.effects import Node
    from chainstack_sdk.testing.sim.host import NodeFactory
    from chainstack_sdk.testing.sim.invariants import Invariant
    from chainstack_sdk.testing.sim.links import LinkFaults
    from chainstack_sdk.testing.sim.world import Commit

CHAIN_ID = 1337
"""Of simulated committees, unless told otherwise."""
_TWIN = "*"
QUICK_TIMING = Timing(base_ms=400, step_ms=200, resend_ms=500)
"""Waits that suit the simulator's usual links, whose messages take up to 50 ms."""


class BareEngine(BftCore):
    """The bare algorithm as an engine: the seal of a block is its certificate.

    Parameters
    ----------
    chain_id, membership, address, height, scheme
        As for :class:`~chainstack_sdk.consensus.bft.BftCore`.
    """

    name = "bare"

    def __init__(
        self, chain_id: int, membership: Membership, *, address: bytes, height: int, scheme: Scheme
    ) -> None:
        super().__init__(chain_id, membership, address=address, height=height, scheme=scheme)
        self._rule = CertificateRule(chain_id, membership, scheme)

    @property
    def header_rule(self) -> HeaderRule:
        """The rule by which others check this engine's headers."""
        return self._rule

    @property
    def finality_rule(self) -> FinalityRule:
        """The rule by which others check this engine's finality."""
        return self._rule


class Committee:
    """Validators with keys and weights; makes the nodes for one simulation after another.

    They are called ``v0``, ``v1`` and so on, and each decides on the blocks of a tiny chain, with the
    library's own engine, node and signatures. The keys are the same in every run: for tests only.

    Parameters
    ----------
    weights
        One for each validator; a number stands for as many validators of weight 1.
    chain_id
        The chain that signatures are for.
    timing
        How long nodes wait.
    """

    def __init__(
        self, weights: int | Sequence[int] = 4, *, chain_id: int = CHAIN_ID, timing: Timing = QUICK_TIMING
    ) -> None:
        each = (1,) * weights if isinstance(weights, int) else tuple(weights)
        self.accounts = {f"v{i}": account for i, account in enumerate(accounts(len(each), "simulated"))}
        """The validators' keys, by name."""
        self.validators = ValidatorSet(
            Validator(account.address, weight)
            for account, weight in zip(self.accounts.values(), each, strict=True)
        )
        """Who votes, with what weight."""
        self.membership = FixedMembership(self.validators)
        """Who votes at which height: all of them, always."""
        self.chain_id = chain_id
        self.scheme = Secp256k1Scheme()
        """Checks signatures; shared by all nodes, so that each signature is checked once."""
        self._timing = timing

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the validators."""
        return tuple(self.accounts)

    @property
    def most_faulty(self) -> int:
        """How many validators of equal weight may be faulty: fewer than a third."""
        return (len(self.accounts) - 1) // 3

    def name_of(self, address: bytes) -> str:
        """Return the name of the validator with an address.

        Raises
        ------
        UsageError
            When there is none.
        """
        for name, account in self.accounts.items():
            if account.address == address:
                return name
        raise UsageError("no validator has this address", actual=address)

    def node(
        self, name: str, disk: TallyDisk, record: bytes | None = None, timing: Timing | None = None
    ) -> ValidatorNode:
        """Make a validator's node.

        Parameters
        ----------
        name
            Whose; a second node with the same key is called :func:`twin_name`.
        disk
            The blocks that it has.
        record
            What it last stored; None at the first start.
        timing
            How long it waits, if not as the committee usually does.
        """
        account = self.accounts[name.removesuffix(_TWIN)]
        chain = Tally(disk, account.address, name, self._check_seal)
        engine = BareEngine(
            self.chain_id,
            self.membership,
            address=account.address,
            height=chain.height + 1,
            scheme=self.scheme,
        )
        return ValidatorNode(engine, chain, signer=account, record=record, timing=timing or self._timing)

    def simulate(
        self,
        seed: int,
        *,
        faulty: Mapping[str, Callable[[Node], Node]] | None = None,
        twins: Mapping[str, Callable[[Node], Node]] | None = None,
        links: LinkFaults | None = None,
        timing: Timing | None = None,
        invariants: Collection[Invariant] | None = None,
    ) -> SimNet:
        """Make a simulation of the committee, each validator with a disk of its own.

        Parameters
        ----------
        seed
            What every draw follows from.
        faulty
            What to put around the nodes of validators that break the rules, by name.
        twins
            By name of a validator: what to put around a second node with the same key, which is called like
            the first with ``*`` after it. Whoever has a twin should be among the faulty too.
        links
            How links treat messages.
        timing
            How long nodes wait, if not as the committee usually does.
        invariants
            What is checked; by default :meth:`safety`.
        """
        faulty, twins = faulty or {}, twins or {}
        disks = {name: TallyDisk() for name in [*self.accounts, *(twin_name(name) for name in twins)]}
        factories: dict[str, NodeFactory] = {
            name: partial(self._make, name, disks[name], timing, faulty.get(name)) for name in self.accounts
        }
        for name, around in twins.items():
            twin = twin_name(name)
            factories[twin] = partial(self._make, twin, disks[twin], timing, around)
        return SimNet(
            seed,
            factories,
            links=links,
            faulty=[*faulty, *(twin_name(name) for name in twins)],
            invariants=self.safety(disks) if invariants is None else invariants,
        )

    def safety(self, disks: Mapping[str, TallyDisk]) -> tuple[Invariant, ...]:
        """Return agreement, validity and accountability for a run over some disks."""

        def is_valid(commit: Commit) -> bool:
            return adds_up(disks[commit.node], commit.height, commit.block_hash)

        return Agreement(), Validity(is_valid), self.accountability()

    def accountability(self) -> Accountability:
        """Return the invariant that forks and accusations name culprits, and only culprits."""
        addresses = {name: account.address for name, account in self.accounts.items()}
        addresses |= {twin_name(name): address for name, address in addresses.items()}
        return Accountability(self.chain_id, self.membership, self.scheme, addresses)

    def _make(
        self,
        name: str,
        disk: TallyDisk,
        timing: Timing | None,
        around: Callable[[Node], Node] | None,
        record: bytes | None,
    ) -> Node:
        node = self.node(name, disk, record, timing)
        return node if around is None else around(node)

    def _check_seal(self, height: int, block_hash: bytes, seal: bytes) -> None:
        validate_certificate(
            Certificate.decode(seal),
            chain_id=self.chain_id,
            height=height,
            block_hash=block_hash,
            validators=self.membership.validators(height),
            scheme=self.scheme,
        )


def twin_name(name: str) -> str:
    """Return what a validator's second node is called."""
    return name + _TWIN


if TYPE_CHECKING:
    _check: type[ConsensusEngine] = BareEngine
