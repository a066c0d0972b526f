"""A genesis with a staking contract: its validators, their weights, the committees of the first two slots."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft.validators import ValidatorSet
from chainstack_sdk.consensus.reputation import INITIAL_PERFORMANCE, StakePerformanceActivity
from chainstack_sdk.consensus.staking import registry
from chainstack_sdk.consensus.staking.committees import read_committee, write_committee
from chainstack_sdk.consensus.staking.frozen import FrozenWeight, draw, write_frozen
from chainstack_sdk.consensus.staking.registry import Status, ValidatorRecord
from chainstack_sdk.consensus.staking.storage import STAKING_ADDRESS, MappingStorage
from chainstack_sdk.consensus.vrf import validate_vrf_key
from chainstack_sdk.core.genesis import GenesisAccount
from chainstack_sdk.core.native.code import system_code
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainstack_sdk.consensus.staking.parameters import StakingParameters
    from chainstack_sdk.core.genesis import Genesis

STAKING_CODE = system_code("staking")
"""The code of the staking contract."""
_DRAW_DOMAIN = b"chainstack first committees"


@dataclass(frozen=True, slots=True)
class GenesisValidator:
    """One who is registered from the start."""

    address: bytes
    """20 bytes: who signs votes, and earns the rewards."""
    vrf_key: bytes
    """Ed25519 public key for verifiable randomness, 32 bytes. Nothing proves here that the validator
    holds the secret one: whoever writes the genesis vouches for that."""
    deposit: int
    """Wei, at least the minimum; new coin on the staking contract's balance."""


def with_staking(
    genesis: Genesis, validators: Sequence[GenesisValidator], parameters: StakingParameters
) -> Genesis:
    """Return the genesis with a staking contract at :data:`STAKING_ADDRESS`.

    The committees of slots 0 and 1 are drawn from the validators, by deposit, with a seed that is the hash
    of the genesis without the contract: with no more validators than seats, all of them sit in both. The same
    weights are frozen for the draw at the end of slot 0: those of the default reputation, whatever the chain
    goes by later, as nobody has done anything yet.

    Raises
    ------
    UsageError
        When there is no validator, one is listed twice, a VRF key is used twice or is none, a deposit is
        below the minimum, or the genesis has the contract already.
    """
    if not validators:
        raise UsageError("a committee chain starts with at least one validator")
    if STAKING_ADDRESS in genesis.accounts:
        raise UsageError("this genesis has a staking contract already")
    storage = MappingStorage({})
    parameters.write(storage)
    for validator in validators:
        _register(storage, validator, parameters.minimum_deposit)
    seed = keccak256(_DRAW_DOMAIN + genesis.encode())
    weigh = StakePerformanceActivity(parameters.minimum_deposit).weight
    entrants = [
        (
            FrozenWeight(
                one.address, weigh(one.deposit, INITIAL_PERFORMANCE, 0), parameters.voting_weight(one.deposit)
            ),
            one.vrf_key,
        )
        for one in validators
    ]
    write_frozen(storage, [frozen for frozen, _ in entrants])
    for slot in (0, 1):
        committee = ValidatorSet(draw(seed, slot, entrants, parameters.committee_size))
        write_committee(storage, slot, committee)
    account = GenesisAccount(
        nonce=1,
        balance=sum(validator.deposit for validator in validators),
        code=STAKING_CODE,
        storage=storage.values,
    )
    return replace(genesis, accounts={**genesis.accounts, STAKING_ADDRESS: account})


def genesis_committees(genesis: Genesis) -> dict[int, ValidatorSet]:
    """Return the committees of slots 0 and 1, which a genesis with a staking contract fixes.

    Raises
    ------
    UsageError
        When it has no such contract.
    """
    account = genesis.accounts.get(STAKING_ADDRESS)
    if account is None:
        raise UsageError("this genesis has no staking contract")
    storage = MappingStorage(dict(account.storage))
    found = {slot: read_committee(storage, slot) for slot in (0, 1)}
    return {slot: committee for slot, committee in found.items() if committee is not None}


def _register(storage: MappingStorage, validator: GenesisValidator, minimum: int) -> None:
    address, vrf_key = validator.address, validator.vrf_key
    if len(address) != 20:
        raise UsageError("a validator's address has 20 bytes", actual=address)
    try:
        validate_vrf_key(vrf_key)
    except InvalidInput as error:
        raise UsageError(error.message, address=address, actual=vrf_key) from error
    if registry.read_validator(storage, address).is_liable:
        raise UsageError("a validator is listed twice", address=address)
    if registry.key_owner(storage, vrf_key) is not None:
        raise UsageError("two validators have one VRF key", address=address, actual=vrf_key)
    if validator.deposit < minimum:
        raise UsageError(
            "a validator's deposit is too small",
            address=address,
            expected=minimum,
            actual=validator.deposit,
        )
    record = ValidatorRecord(
        validator.deposit, vrf_key, performance=INITIAL_PERFORMANCE, status=Status.REGISTERED
    )
    registry.add_candidate(storage, address, record)
    registry.take_key(storage, vrf_key, address)
    registry.write_validator(storage, address, record)
