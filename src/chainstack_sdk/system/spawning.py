"""Making a side chain from its configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainstack_sdk.chain import Chain
from chainstack_sdk.chain.crosschain import CrossChain
from chainstack_sdk.paradigms import Registry, default_registry
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.system.config import SideChainConfig
from chainstack_sdk.system.engines import WorkOfSideChain, consensus_of, operator_seed

if TYPE_CHECKING:
    from chainstack_sdk.core.interfaces import Consensus, KeyValueStore
    from chainstack_sdk.cspv import FinalityProver
    from chainstack_sdk.primitives.keys import Signer


def side_chain(
    config: SideChainConfig,
    chain_id: int,
    operator: Signer,
    allowance: int,
    *,
    consensus: Consensus | None = None,
    finality: FinalityProver | None = None,
    registry: Registry | None = None,
    store: KeyValueStore | None = None,
    **options: Any,
) -> Chain:
    """Make the side chain that a configuration describes, with the contracts for other chains.

    Parameters
    ----------
    allowance
        Wei of the new chain's coin that the operator has for fees.
    consensus, finality
        Of one's own, in place of what the configuration names.
    registry
        The paradigms there are, of which the configuration may let some be issued.
    store
        Keeps the chain; in memory by default.
    options
        As for :class:`~chainstack_sdk.Chain`.

    Raises
    ------
    UsageError
        When parts do not go together, or a paradigm is not registered.
    """
    if consensus is not None and config.membership is not None:
        raise UsageError("a consensus of one's own says itself who may take part", actual=config.membership)
    mined = None
    if consensus is None and finality is None and config.scheme == "work":
        finality = mined = WorkOfSideChain(config.work)
    chosen = consensus or consensus_of(config, chain_id, operator.address)
    parts: dict[str, Any] = {
        "registry": _permitted(registry or default_registry(), config.paradigms),
        "consensus": chosen,
        "crosschain": CrossChain(operator.address, config.coin_name, config.coin_symbol, allowance),
        "finality": finality,
        "auto_seal": True,
        **options,
    }
    if chosen is None:
        parts.setdefault("operator_seed", operator_seed(operator, chain_id))
    described = config.chain_config(chain_id)
    if store is None:
        chain = Chain.in_memory(config=described, **parts)
    else:
        chain = Chain.open(store, described, **parts)
    if mined is not None:
        mined.bind(chain.blockchain)
    return chain


def _permitted(registry: Registry, names: tuple[str, ...] | None) -> Registry:
    """Return a registry of some paradigms of another; with None, of all."""
    if names is None:
        return registry
    permitted = Registry()
    for name in names:
        permitted.add(registry.get(name))
    return permitted
