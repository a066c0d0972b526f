"""Contracts written as machines: against the same contract in Python, and what deploying one takes."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.evm import BLOCK_GAS_LIMIT, CHAIN_ID
from benchmarks.measure import in_turn, summary
from benchmarks.token_machine import Gold
from benchmarks.workload import HOLDING, run_blocks, transfers
from chainstack_sdk import Account, Chain, ether
from chainstack_sdk.core.call import Call, Environment, invoke
from chainstack_sdk.core.context import BlockContext
from chainstack_sdk.core.native.code import paradigm_code
from chainstack_sdk.core.state import State
from chainstack_sdk.core.transactions import decode_transaction
from chainstack_sdk.machines.check import check_machine
from chainstack_sdk.machines.check.run import QUICK_BUDGET
from chainstack_sdk.machines.contract import MachineContract
from chainstack_sdk.machines.decoding import decode_machine
from chainstack_sdk.machines.deployer import machine_code
from chainstack_sdk.machines.standard import (
    DataTask,
    Insurance,
    ProductLine,
    Rental,
    RightsRegistry,
    Traceability,
)
from chainstack_sdk.paradigms import Erc20, Runtime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.measure import Figure
    from benchmarks.workload import Transfers
    from chainstack_sdk.core.transactions import Transaction
    from chainstack_sdk.machines import Machine

SHIPPED: tuple[type[Machine], ...] = (DataTask, Insurance, Rental, RightsRegistry, Traceability)
"""Machines that come with the library; the largest is deployed and checked."""


def chain_of_machines(work: Transfers) -> Chain:
    """Return a new chain on which the transfers run on a token that is a machine."""
    chain = Chain.in_memory(work.funds, chain_id=CHAIN_ID, gas_limit=BLOCK_GAS_LIMIT)
    token = Gold.deploy(chain, work.owner, supply=HOLDING * len(work.accounts))
    return work.handed_out(chain, token.address)


def prepared(work: Transfers, make: Callable[[], Chain], signed: Sequence[Transaction]) -> Callable[[], int]:
    """Prepare the whole path on a chain, with senders that are known."""
    chain = make()
    work.forgotten()
    work.remember(signed)
    return lambda: run_blocks(chain, work.raws)


def against_native(*, quick: bool) -> Iterator[Figure]:
    """Compare transfers of a token that is a machine with those of the native one; senders are known."""
    work = transfers(3_000 if quick else 10_000)
    signed = [decode_transaction(raw) for raw in work.raws]
    as_machine = partial(prepared, work, partial(chain_of_machines, work), signed)
    native = partial(prepared, work, work.chain, signed)
    rounds = in_turn(as_machine, native, 3 if quick else 9)
    ours, theirs = rounds.micros()
    yield rounds.figure(
        "transfers of a token that is a machine, time over the native one",
        target=3.0,
        at_most=True,
        note=f"{1e6 / ours:,.0f} and {1e6 / theirs:,.0f} transfers a second, no recovery",
    )


def alone(work: Transfers, signed: Sequence[Transaction], code: bytes, arguments: bytes) -> Callable[[], int]:
    """Prepare the transfers as bare calls of a contract, with nothing around them but state and block."""
    block = BlockContext(CHAIN_ID, 1, 0, bytes(20), BLOCK_GAS_LIMIT, 0, bytes(32))
    env = Environment(State(), block, Runtime(), work.owner.address, BLOCK_GAS_LIMIT, 0)
    env.state.set_code(work.token, code)
    contract, call = env.runtime.resolve(code), Call(env, work.owner.address, work.token, 0, 1, False)
    if isinstance(contract, MachineContract):
        contract.create(call, arguments)
    else:
        contract.create(call)

    def run(transactions: Sequence[Transaction]) -> int:
        for each in transactions:
            env.begin(each.sender, BLOCK_GAS_LIMIT, 0)
            invoke(env, each.sender, work.token, 0, each.data, 1, False)
        return len(transactions)

    run(work.handout)
    return partial(run, signed)


def calls(*, quick: bool) -> Iterator[Figure]:
    """Compare the same transfers as bare calls of the two contracts."""
    work = transfers(3_000 if quick else 10_000)
    signed = [decode_transaction(raw) for raw in work.raws]
    supply = HOLDING * len(work.accounts)
    config = {"name": "Gold", "symbol": "GLD", "supply": supply, "owner": work.owner.address}
    native = paradigm_code("erc20", 1, Erc20.encode_config(config))
    rounds = in_turn(
        lambda: alone(work, signed, machine_code(Gold.encoding()), supply.to_bytes(32)),
        lambda: alone(work, signed, native, b""),
        3 if quick else 15,
    )
    ours, theirs = rounds.micros()
    yield rounds.figure(
        "bare calls of a token that is a machine, time over the native one",
        target=3.0,
        at_most=True,
        note=f"{1e6 / ours:,.0f} and {1e6 / theirs:,.0f} transitions a second",
    )


def deployment(*, quick: bool) -> Iterator[Figure]:
    """Measure what the largest machine takes: a node that meets it, a deployment, the checks before."""
    machine = max(SHIPPED, key=lambda each: len(each.encoding()))
    encoding, ir = machine.encoding(), machine.ir()
    what = f"{machine.__name__}, {len(encoding):,} bytes"
    yield milliseconds(
        f"first meeting of a machine, {what}",
        lambda: MachineContract(decode_machine(encoding)),
        5 if quick else 25,
    )
    maker, *regulators = (Account.from_key(bytes([number]) * 32) for number in range(1, 5))
    chain = Chain.in_memory({maker: ether(1_000)}, auto_seal=True)
    yield milliseconds(
        f"deployment of a machine in a block of its own, {what}",
        lambda: ProductLine.issue(
            chain, maker, product="Milk", regulators=regulators, temperature=(0, 80), humidity=(0, 90)
        ),
        5 if quick else 25,
    )
    yield milliseconds(
        f"quick check of a machine before its deployment, {what}",
        lambda: check_machine(ir, budget=QUICK_BUDGET, walks=0),
        2 if quick else 5,
    )
    if not quick:
        yield milliseconds(f"check of a machine, {what}", machine.check, 5)


def milliseconds(name: str, act: Callable[[], object], rounds: int) -> Figure:
    """Return how much CPU time something takes."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        act()
        times.append((time.process_time() - start) * 1e3)
    return summary(name, times, unit="ms")
