"""Targets: the contracts that come with the library, under call data and configs of any kind.

A call succeeds or reverts. One that reverts in a block changes the sender's nonce and pays its fee, and that
is all that it does.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from fuzzing import samples
from fuzzing.decoders import same
from fuzzing.entrances import check_state, fingerprint
from fuzzing.harness import Target, as_bytes, as_fields

from chainstack_sdk import Chain, Rejected, Reverted
from chainstack_sdk.paradigms import FACTORY_ADDRESS, Erc20, Erc721, Factory, NativeContract
from chainstack_sdk.primitives import decode_revert
from chainstack_sdk.primitives.abi import Function

GAS = 2_000_000
DEADLINE = 2**40
VALUES = 2**256
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "address": (samples.ALICE.address, samples.BOB.address, samples.CAROL.address),
    "uint256": (2, 1, 500),
    "uint8": (27,),
    "bool": (True,),
    "bytes": (b"some data",),
    "bytes4": (bytes.fromhex("80ac58cd"),),
    "bytes32": (b"\x11" * 32,),
    "string": ("erc20", "another text"),
}


@cache
def stage() -> samples.Story:
    """Return a chain of its own for the calls, which put every one of them back."""
    story = samples.tell(Chain.in_memory(config=samples.CONFIG, auto_seal=True))
    story.token.approve(samples.BOB, samples.ALICE, 100)
    story.chain.seal()
    return story


def recipients() -> tuple[bytes, ...]:
    return (*stage().contracts, FACTORY_ADDRESS, samples.BOB.address, bytes(20))


def contracts() -> dict[bytes, type[NativeContract]]:
    token, collection = stage().contracts
    return {token: Erc20, collection: Erc721, FACTORY_ADDRESS: Factory}


def call_of(function: Function) -> bytes:
    """Return call data with plausible arguments: the first address is Alice's, the second Bob's…"""
    seen: dict[str, int] = {}
    arguments = []
    for param in function.inputs:
        choices = ARGUMENTS[param.type]
        arguments.append(choices[seen.setdefault(param.type, 0) % len(choices)])
        seen[param.type] += 1
    return function.encode_call(*arguments)


@cache
def calls() -> tuple[tuple[int, int, bytes], ...]:
    """Return (number of the recipient, coin, data) of good calls of Alice's, to 20 functions at least."""
    token = stage().token
    issues = [Factory.abi_function("issue").encode_call(name, config) for name, config in configs()]
    permit = Erc20.abi_function("permit")
    signature = token.sign_permit(samples.BOB, samples.CAROL, 77, deadline=DEADLINE)
    vrs = signature[64], signature[:32], signature[32:64]
    candidates = [
        *[
            (address, 0, call_of(declared.function))
            for address, contract in contracts().items()
            for declared in contract.externals.values()
        ],
        *[(FACTORY_ADDRESS, 0, data) for data in issues],
        (
            token.address,
            0,
            permit.encode_call(samples.BOB.address, samples.CAROL.address, 77, DEADLINE, *vrs),
        ),
        (samples.BOB.address, 5, b"to a person"),
    ]
    good = tuple(
        (recipients().index(to), value, data) for to, value, data in candidates if succeeds(to, value, data)
    )
    if len({data[:4] for _to, _value, data in good}) < 20:
        raise AssertionError("too few of the calls succeed")
    return good


def succeeds(to: bytes, value: int, data: bytes) -> bool:
    try:
        stage().chain.simulate(to, data, sender=samples.ALICE, value=value)
    except Reverted:
        return False
    return True


def run_simulate(fields: tuple[int, int, bytes]) -> None:
    which, value, data = fields
    to, value = recipients()[which % len(recipients())], value % VALUES
    chain = stage().chain
    before = fingerprint(chain)
    try:
        result = chain.simulate(to, data, sender=samples.ALICE, value=value)
        same((type(result.output), result.gas_used > 0), (bytes, True))
    except Reverted as refusal:
        same(bool(decode_revert(refusal.data)), True)
        raise
    finally:
        same(fingerprint(chain), before)


def run_in_block(fields: tuple[int, int, bytes]) -> None:
    """Send the call as a transaction whose gas is given, so that it runs whatever becomes of it."""
    which, value, data = fields
    to, value = recipients()[which % len(recipients())], value % VALUES
    chain, sender = stage().chain, samples.ALICE
    start, before = chain.snapshot(), tables(chain)
    try:
        digest = chain.send(chain.sign(sender, to, value=value, data=data, gas=GAS))
        chain.seal()
        receipt = chain.receipt(digest)
        check_state(chain)
        if not receipt.succeeded:
            same(receipt.logs, ())
            fee = receipt.gas_used * receipt.effective_gas_price
            expected = {**before, (0, sender.address): before[0, sender.address] + 1}
            expected[1, sender.address] = before[1, sender.address] - fee
            proposer = chain.head.header.proposer
            expected[1, proposer] = before.get((1, proposer), 0) + fee
            same(tables(chain), expected)
            raise Reverted("in a block", data=receipt.output)
    finally:
        chain.revert(start)
        same(tables(chain), before)


def tables(chain: Chain) -> dict[tuple[int, bytes], object]:
    """Return everything that the state holds: nonces, balances, codes, storage."""
    state = chain.blockchain.state
    contents: dict[tuple[int, bytes], object] = {}
    for address in state.accounts():
        values = (
            state.nonce(address),
            state.balance(address),
            state.code(address),
            dict(state.table(address)),
        )
        contents |= {(kind, address): value for kind, value in enumerate(values) if value}
    return contents


# Configs


def configs() -> list[tuple[str, bytes]]:
    token = {**samples.TOKEN, "owner": samples.ALICE}
    plain = {"name": "", "symbol": "", "owner": samples.BOB}
    art = {
        "name": "Art",
        "symbol": "ART",
        "base_uri": "https://example.org/" * 3,
        "burnable": True,
        "owner": samples.ALICE,
    }
    return [
        ("erc20", Erc20.encode_config(token)),
        ("erc20", Erc20.encode_config(plain)),
        ("erc721", Erc721.encode_config(art)),
    ]


def run_issue(fields: tuple[str, bytes]) -> None:
    """Issue an instance; one that came into being must answer every question without a crash."""
    name, config = fields
    chain = stage().chain
    start = chain.snapshot()
    data = Factory.abi_function("issue").encode_call(name, config)
    try:
        receipt = chain.send_call(samples.ALICE, FACTORY_ADDRESS, data, gas=GAS)
        issued = receipt.contract_address
        for function in (
            declared.function for declared in {"erc20": Erc20, "erc721": Erc721}[name].externals.values()
        ):
            try:
                output = chain.call(issued, call_of(function), sender=samples.ALICE)
            except Reverted:
                continue
            function.decode_output(output)
        check_state(chain)
    finally:
        chain.revert(start)


def as_config(rng: Any, samples_: Any) -> Any:
    """Damage the config; the name stays."""
    damage = as_bytes(rng, [config for _name, config in samples_])
    return lambda fields: (fields[0], damage(fields[1]))


REFUSALS = (Reverted, Rejected)

TARGETS = [
    Target("a simulated call", calls, run_simulate, REFUSALS, as_fields, share=15),
    Target("a call in a block", calls, run_in_block, REFUSALS, as_fields, share=9),
    Target("the config of an instance", configs, run_issue, REFUSALS, as_config, share=6),
]
