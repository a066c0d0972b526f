"""Hash-time-locked swaps: the contract, the plan's time-outs, and two parties on two chains."""

from __future__ import annotations

import hashlib

import pytest

from chainstack_sdk import Chain
from chainstack_sdk.chain.assembly import assemble, flat_state, with_issuers
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.core.ledger import MemoryLedger
from chainstack_sdk.core.native import external, slot
from chainstack_sdk.paradigms import Erc20, default_registry
from chainstack_sdk.paradigms.instance import Instance
from chainstack_sdk.primitives.errors import Reverted, UsageError
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.keys import Account
from chainstack_sdk.xchain.addresses import SWAPS_ADDRESS
from chainstack_sdk.xchain.approval import approve
from chainstack_sdk.xchain.custody import Asset, AssetKind
from chainstack_sdk.xchain.swaps import (
    SWAPS_CODE,
    HashKind,
    Swap,
    SwapContract,
    SwapPlan,
    SwapStatus,
    SwapStep,
    SwapTerms,
    UnsafeStep,
    UnsafeTimeouts,
    hash_secret,
)

ALICE, BOB, CAROL = PEOPLE = [Account.from_key(number) for number in range(1, 4)]
FUNDS = 10**20
SECRET = b"\x07" * 32
HASH = hashlib.sha256(SECRET).digest()
MARGIN = 60_000
NOBODY = bytes(20)


class Hostile(Erc20):
    """A token that misbehaves as its contract's slot 20 says, and calls back what it was told."""

    name = "hostile"
    mode = slot(20)

    @external("function behave(uint256 how)")
    def behave(self, call, how):
        call.store(self.mode, how)

    @external("function transferFrom(address from, address to, uint256 value) returns (bool)")
    def transfer_from(self, call, sender, to, value):
        match call.load(self.mode):
            case 1:
                return False
            case 2:
                value -= 1  # keeps a fee
            case 3:
                call.call(to, SwapContract.abi_function("refund").encode_call(bytes(32)))
            case 4:
                call.call(to, SwapContract.abi_function("lock").encode_call(to, HASH, 0, 1, 0, NOBODY, 1))
        self._transfer(call, sender, to, value)
        return True

    @external("function transfer(address to, uint256 value) returns (bool)")
    def transfer(self, call, to, value):
        if call.load(self.mode) == 5:
            return False
        return super().transfer(call, to, value)


def make_chain(chain_id):
    accounts = {one.address: GenesisAccount(balance=FUNDS) for one in PEOPLE}
    accounts[SWAPS_ADDRESS] = GenesisAccount(nonce=1, code=SWAPS_CODE)
    registry = default_registry()
    registry.add(Hostile)
    core = assemble(
        with_issuers(Genesis(chain_id, accounts)),
        MemoryLedger(),
        flat_state(None),
        registry=registry,
        fees=None,
        engine=None,
        consensus=None,
    )
    chain = Chain(*core, auto_seal=True)
    chain.blockchain.runtime.add_system(SWAPS_CODE, SwapContract())
    return chain


@pytest.fixture
def chain():
    return make_chain(1)


@pytest.fixture
def swaps(chain):
    return Instance(chain, SWAPS_ADDRESS, SwapContract)


@pytest.fixture
def token(chain):
    return chain.erc20.issue(ALICE, name="Gold", symbol="GLD", supply=1_000)


@pytest.fixture
def hostile(chain):
    config = {"name": "H", "symbol": "H", "decimals": 0, "supply": 1_000, "cap": 0, "owner": ALICE.address}
    switches = dict.fromkeys(("mintable", "burnable", "pausable"), False)
    return chain.paradigm("hostile").issue(ALICE, **config, **switches)


@pytest.fixture
def nft(chain):
    collection = chain.erc721.issue(ALICE, name="Art", symbol="ART")
    for number in (1, 7):
        collection.mint(ALICE, ALICE, number)
    return collection


def terms_of(chain, asset, **changed):
    fields = {
        "owner": ALICE.address,
        "recipient": BOB.address,
        "hash": HASH,
        "hash_kind": HashKind.SHA256,
        "expires_ms": chain.head.timestamp_ms + MARGIN,
        "asset": asset,
    }
    return SwapTerms(**{**fields, **changed})


def lock(swaps, terms, owner=ALICE, value=None):
    approve(swaps.host, owner, SWAPS_ADDRESS, terms.asset)
    swaps.send(owner, "lock", *terms.arguments(), value=terms.asset.wei if value is None else value)
    return terms.id(swaps.host.chain_id)


def refused(error):
    """The next lines revert with this error and leave the contract's storage as it was."""
    return pytest.raises(Reverted, match=error.name + r"\(")


def status(swaps, swap_id):
    return SwapStatus(swaps.read("statusOf", swap_id))


# The contract -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", HashKind)
def test_claimed_for_the_secret(chain, swaps, kind):
    terms = terms_of(chain, Asset.coin(1_000), hash=hash_secret(kind, SECRET), hash_kind=kind)
    swap_id = lock(swaps, terms)
    assert (chain.balance(SWAPS_ADDRESS), status(swaps, swap_id)) == (1_000, SwapStatus.LOCKED)
    swaps.send(CAROL, "claim", swap_id, SECRET)  # who sends it does not matter
    assert chain.balance(BOB) == FUNDS + 1_000
    assert (chain.balance(SWAPS_ADDRESS), status(swaps, swap_id)) == (0, SwapStatus.CLAIMED)
    assert [found.args["secret"] for found in swaps.events("Claimed", id=swap_id)] == [SECRET]
    assert swaps.read("termsOf", swap_id) == (
        *(ALICE.address, BOB.address, terms.hash, kind, terms.expires_ms, 0, NOBODY, 1_000),
    )


def test_the_two_hashes():
    assert hash_secret(HashKind.SHA256, SECRET) == HASH
    assert hash_secret(HashKind.KECCAK256, SECRET) == keccak256(SECRET)
    with pytest.raises(UsageError, match="32 bytes"):
        hash_secret(HashKind.SHA256, SECRET + b"\0")


def test_tokens_are_claimed_and_refunded(chain, swaps, token, nft):
    gold = lock(swaps, terms_of(chain, Asset.erc20(token, 10)))
    art = lock(swaps, terms_of(chain, Asset.erc721(nft, 7)))
    assert (token.balance_of(SWAPS_ADDRESS), nft.owner_of(7)) == (10, SWAPS_ADDRESS)
    swaps.send(BOB, "claim", gold, SECRET)
    assert (token.balance_of(BOB), token.balance_of(ALICE)) == (10, 990)
    chain.clock.advance(ms=MARGIN)
    swaps.send(BOB, "refund", art)
    assert nft.owner_of(7) == ALICE.address
    assert status(swaps, art) is SwapStatus.REFUNDED


def test_a_collections_token_is_claimed(chain, swaps, nft):
    swaps.send(BOB, "claim", lock(swaps, terms_of(chain, Asset.erc721(nft, 7))), SECRET)
    assert nft.owner_of(7) == BOB.address


def test_only_the_secret_opens(chain, swaps):
    swap_id = lock(swaps, terms_of(chain, Asset.coin(5)))
    with refused(SwapContract.WrongSecret):
        swaps.send(BOB, "claim", swap_id, bytes(32))
    with refused(SwapContract.NotLocked):
        swaps.send(BOB, "claim", bytes(32), SECRET)
    with refused(SwapContract.NotLocked):
        swaps.read("termsOf", bytes(32))


def test_the_expiry_divides_claim_and_refund(chain, swaps):
    terms = terms_of(chain, Asset.coin(5))
    swap_id = lock(swaps, terms)
    chain.clock.set_ms(terms.expires_ms - 1)
    chain.clock.step_ms = 1
    with refused(SwapContract.NotExpired):
        swaps.send(ALICE, "refund", swap_id)
    snapshot = chain.snapshot()
    swaps.send(BOB, "claim", swap_id, SECRET)
    assert chain.head.timestamp_ms == terms.expires_ms - 1
    chain.revert(snapshot)
    chain.clock.set_ms(terms.expires_ms)  # the next block is just this late
    with refused(SwapContract.Expired):
        swaps.send(BOB, "claim", swap_id, SECRET)
    swaps.send(BOB, "refund", swap_id)
    for function, *args in (("refund", swap_id), ("claim", swap_id, SECRET)):
        with refused(SwapContract.NotLocked):
            swaps.send(BOB, function, *args)
    assert chain.balance(SWAPS_ADDRESS) == 0


def test_nothing_is_claimed_or_locked_twice(chain, swaps):
    terms = terms_of(chain, Asset.coin(5))
    swap_id = lock(swaps, terms)
    for _ in range(2):
        with refused(SwapContract.AlreadyLocked):
            lock(swaps, terms)
        if status(swaps, swap_id) is SwapStatus.LOCKED:
            swaps.send(BOB, "claim", swap_id, SECRET)
    with refused(SwapContract.NotLocked):
        swaps.send(BOB, "claim", swap_id, SECRET)
    chain.clock.advance(ms=MARGIN)
    with refused(SwapContract.NotLocked):
        swaps.send(ALICE, "refund", swap_id)


def test_terms_that_are_refused(chain, swaps, token):
    past = terms_of(chain, Asset.coin(1), expires_ms=chain.head.timestamp_ms)
    with refused(SwapContract.Expired):
        lock(swaps, past)
    for terms in (
        terms_of(chain, Asset.coin(1), recipient=NOBODY),
        terms_of(chain, Asset.coin(1), hash_kind=2),
        terms_of(chain, Asset.coin(0)),
        terms_of(chain, Asset.erc20(token, 0)),
    ):
        with refused(SwapContract.InvalidTerms):
            lock(swaps, terms)
    good = terms_of(chain, Asset.coin(1)).arguments()
    for kind, address in ((3, NOBODY), (0, token.address), (1, NOBODY), (1, BOB.address)):
        with refused(SwapContract.InvalidAsset):
            swaps.send(ALICE, "lock", *good[:4], kind, address, 1)
    for value, terms in ((4, terms_of(chain, Asset.coin(5))), (1, terms_of(chain, Asset.erc20(token, 5)))):
        with refused(SwapContract.WrongFunds):
            lock(swaps, terms, value=value)
    assert chain.prove_account(SWAPS_ADDRESS, [0]).balance == 0


def test_a_collection_is_no_fungible_token(chain, swaps, token, nft):
    """The two kinds share the selector of transferFrom: token 1 must not be taken as an amount of 1."""
    nft.approve(ALICE, SWAPS_ADDRESS, 1)
    terms = terms_of(chain, Asset.erc20(nft, 1))
    with refused(SwapContract.TransferRefused):
        swaps.send(ALICE, "lock", *terms.arguments())
    token.approve(ALICE, SWAPS_ADDRESS)
    with pytest.raises(Reverted):
        swaps.send(ALICE, "lock", *terms_of(chain, Asset.erc721(token, 7)).arguments())
    assert (nft.owner_of(1), token.balance_of(ALICE)) == (ALICE.address, 1_000)


@pytest.mark.parametrize(
    ("how", "error"),
    [
        (1, SwapContract.TransferRefused),
        (2, SwapContract.WrongFunds),
        (3, SwapContract.Reentered),
        (4, SwapContract.Reentered),
    ],
)
def test_tokens_that_do_something_else(chain, swaps, hostile, how, error):
    hostile.send(ALICE, "behave", how)
    with refused(error):
        lock(swaps, terms_of(chain, Asset.erc20(hostile, 10)))
    hostile.send(ALICE, "behave", 0)
    lock(swaps, terms_of(chain, Asset.erc20(hostile, 10)))


def test_a_token_that_does_not_move_stays_locked(chain, swaps, hostile):
    swap_id = lock(swaps, terms_of(chain, Asset.erc20(hostile, 10)))
    hostile.send(ALICE, "behave", 5)
    with refused(SwapContract.TransferRefused):
        swaps.send(BOB, "claim", swap_id, SECRET)
    hostile.send(ALICE, "behave", 0)
    swaps.send(BOB, "claim", swap_id, SECRET)
    assert hostile.read("balanceOf", BOB) == 10


def test_what_an_asset_is():
    assert Asset.erc20(BOB, 3) == Asset(AssetKind.ERC20, BOB.address, 3)
    for kind, address, number in (
        (AssetKind.COIN, NOBODY, 1 << 256),
        (AssetKind.COIN, BOB.address, 1),
        (AssetKind.ERC20, NOBODY, 1),
        (AssetKind.ERC721, b"\x01" * 19, 1),
    ):
        with pytest.raises(UsageError):
            Asset(kind, address, number)


# The plan -----------------------------------------------------------------------------------------------


def plan_of(now_ms=1_000, margin_ms=100, gives=None, gets=None):
    return SwapPlan.agree(
        ALICE.address,
        BOB.address,
        gives=Asset.coin(5) if gives is None else gives,
        gets=Asset.coin(7) if gets is None else gets,
        digest=HASH,
        hash_kind=HashKind.SHA256,
        now_ms=now_ms,
        margin_ms=margin_ms,
    )


def test_time_outs_in_the_wrong_order_are_refused():
    plan = plan_of()
    SwapPlan(plan.first, plan.second, 100)
    for first, second, margin in (
        (plan.second, plan.first, 100),
        (plan.first, plan.first, 100),
        (plan.first, plan.second, 101),
        (plan.first, plan.second, 0),
    ):
        with pytest.raises(UnsafeTimeouts) as caught:
            SwapPlan(first, second, margin)
        assert caught.value.expected == first.expires_ms - margin
    other = SwapTerms(
        **{name: getattr(plan.second, name) for name in plan.second.__slots__ if name != "hash"},
        hash=bytes(32),
    )
    with pytest.raises(UsageError, match="one hash"):
        SwapPlan(plan.first, other, 100)


def test_safe_steps_at_every_time():
    """All steps follow from the two expiries (1,300 and 1,400) and the margin (100)."""
    plan = plan_of()
    nothing, locked = SwapStatus.UNKNOWN, SwapStatus.LOCKED
    claimed, refunded = SwapStatus.CLAIMED, SwapStatus.REFUNDED
    windows = {  # (first, second): step -> from, until
        (nothing, nothing): {SwapStep.LOCK_FIRST: (0, 1_000)},
        (locked, nothing): {SwapStep.LOCK_SECOND: (0, 1_100), SwapStep.REFUND_FIRST: (1_400, 2_000)},
        (locked, locked): {
            SwapStep.CLAIM_SECOND: (0, 1_200),
            SwapStep.REFUND_SECOND: (1_300, 2_000),
            SwapStep.REFUND_FIRST: (1_400, 2_000),
        },
        (locked, claimed): {SwapStep.CLAIM_FIRST: (0, 2_000), SwapStep.REFUND_FIRST: (1_400, 2_000)},
        (locked, refunded): {SwapStep.REFUND_FIRST: (1_400, 2_000)},
        (refunded, claimed): {},
        (claimed, claimed): {},
    }
    for statuses, steps in windows.items():
        for now in (0, 1_000, 1_001, 1_100, 1_101, 1_200, 1_201, 1_299, 1_300, 1_399, 1_400, 2_000):
            expected = [step for step, (start, end) in steps.items() if start <= now <= end]
            assert list(plan.safe_steps(now, *statuses)) == expected, (statuses, now)


# Two parties --------------------------------------------------------------------------------------------


@pytest.fixture
def swap():
    """Alice's coin on chain 1 against Bob's token on chain 2."""
    one, two = make_chain(1), make_chain(2)
    gold = two.erc20.issue(BOB, name="Gold", symbol="GLD", supply=100)
    plan = plan_of(max(one.head.timestamp_ms, two.head.timestamp_ms), MARGIN, gets=Asset.erc20(gold, 7))
    return Swap(plan, one, two), one, two, gold


def test_a_swap(swap):
    swap, one, _, gold = swap
    with pytest.raises(UnsafeStep) as caught:
        swap.lock_second(BOB)  # the first lock is not there
    assert caught.value.safe == "lock first"
    swap.lock_first(ALICE)
    swap.lock_second(BOB)
    assert swap.secret() is None
    with pytest.raises(UnsafeStep):
        swap.claim_first(BOB)
    swap.claim_second(ALICE, SECRET)
    assert swap.secret() == SECRET
    swap.claim_first(BOB)
    assert swap.statuses == (SwapStatus.CLAIMED, SwapStatus.CLAIMED)
    assert (one.balance(SWAPS_ADDRESS), gold.balance_of(ALICE), gold.balance_of(BOB)) == (0, 7, 93)
    assert swap.safe_steps() == ()
    with pytest.raises(UnsafeStep, match="none"):
        swap.refund_first(ALICE)


def test_a_secret_is_not_shown_late(swap):
    swap, one, two, gold = swap
    swap.lock_first(ALICE)
    swap.lock_second(BOB)
    two.clock.set_ms(swap.plan.second.expires_ms - MARGIN + 1)
    two.seal()
    with pytest.raises(UnsafeStep):
        swap.claim_second(ALICE, SECRET)
    two.clock.advance(ms=MARGIN)
    two.seal()
    swap.refund_second(CAROL)
    with pytest.raises(UnsafeStep):
        swap.refund_first(CAROL)
    one.clock.set_ms(swap.plan.first.expires_ms)
    one.seal()
    swap.refund_first(CAROL)
    assert (one.balance(SWAPS_ADDRESS), gold.balance_of(BOB)) == (0, 100)


def test_the_counterparty_has_a_margin_after_the_last_claim(swap):
    swap, one, two, _ = swap
    swap.lock_first(ALICE)
    swap.lock_second(BOB)
    latest = swap.plan.second.expires_ms
    two.clock.set_ms(latest - 1_000)
    swap._second.contract.send(ALICE, "claim", swap._second.id, SECRET)  # as late as the contract lets her
    one.clock.set_ms(latest + MARGIN - 5_000)
    one.seal()
    swap.claim_first(CAROL)
    assert one.balance(BOB) == FUNDS + 5


def test_the_wrong_secret_costs_nothing(swap):
    swap, _, _, _ = swap
    swap.lock_first(ALICE)
    swap.lock_second(BOB)
    with refused(SwapContract.WrongSecret):
        swap.claim_second(ALICE, bytes(32))
