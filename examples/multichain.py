"""A main chain and four side chains, each with its own engine: assets travel, trades, bad relayers."""

from chainstack_sdk import ChainStack, ether
from chainstack_sdk.primitives import keccak256
from chainstack_sdk.testing import accounts
from chainstack_sdk.xchain.addresses import PEG_ADDRESS
from chainstack_sdk.xchain.atomic import AtomicAborted, Guard
from chainstack_sdk.xchain.custody import Asset
from chainstack_sdk.xchain.facade_port import FacadePort
from chainstack_sdk.xchain.relayer import Relayer
from chainstack_sdk.xchain.swaps import HashKind, Swap, SwapPlan, hash_secret

alice, bob, mallory = accounts(3)
PURSE = {alice: ether(10), bob: ether(10)}


class LyingPort(FacadePort):
    """Shows proofs in which one bit is not true."""

    def prove_message(self, height, index, anchor):
        """Change the last bit of a proof."""
        proof = super().prove_message(height, index, anchor)
        return proof[:-1] + bytes([proof[-1] ^ 1])


def show_chains(stack):
    """Print what the main chain knows of the others."""
    for entry in stack.registry.chains():
        print(f"  {entry.name:8} {entry.engine:8} chain {entry.chain_id}, anchored in", end=" ")
        print(f"{len(entry.anchor.to_bytes())} bytes by {type(entry.anchor).__name__}")


def travel(stack):
    """Take a token main -> market -> studio -> main, and all the way back."""
    gold = stack.main.erc20.issue(alice, name="Gold", symbol="GLD", supply=1_000, decimals=0)
    there = gold
    for place in ("market", "studio", "main"):
        before, there = there, stack.transfer(there, alice, to=place, amount=100).token
        assert before.balance_of(PEG_ADDRESS) == there.total_supply() == 100
        print(
            f"  on {place:7} {there.balance_of(alice):4} of {there.name!r}, as many locked where it came from"
        )
    for place in ("studio", "market", "main"):
        there = stack.transfer(there, alice, to=place, amount=100).token
    same = there == gold and gold.balance_of(alice) == gold.total_supply() == 1_000
    print("  back by the way it came, and the supply is what it was:", same)
    return gold


def peg_a_work_of_art(stack):
    """Send a token of a collection to another chain, where it has the same id and metadata."""
    art = stack.chains["studio"].erc721.issue(alice, name="Art", symbol="ART")
    art.mint(alice, alice, 7, "ipfs://seven")
    there = stack.transfer(art, alice, to="mine", token_id=7, recipient=bob).token
    print(f"  {there.name!r} number 7 belongs to bob: {there.owner_of(7) == bob.address}", there.token_uri(7))


def trade(stack):
    """Trade on two side chains: all or nothing."""
    market, mine = stack.chains["market"], stack.chains["mine"]
    shares = market.erc20.issue(alice, name="Shares", symbol="SHR", supply=100, decimals=0)
    with stack.atomic(alice) as deal:
        deal.move(market, alice, shares, 40, to=bob)
        deal.move(mine, bob, None, ether(1), to=alice)
    print(f"  committed: bob has {shares.balance_of(bob)} shares, alice", end=" ")
    print(f"{mine.balance(alice) / ether(1):.2f} coins of the mine")

    rich = Guard.balance(bob.address, ether(1_000))
    try:
        with stack.atomic(alice, nonce=1) as deal:
            deal.move(market, alice, shares, 60, to=bob)
            deal.move(mine, bob, None, ether(1), to=alice, guards=[rich])
    except AtomicAborted as refusal:
        print(f"  aborted, as {refusal}: alice has her", shares.balance_of(alice), "shares")


def bury(chain):
    """Mine on until all that is there now is final."""
    height = chain.height
    while chain.finalized_height < height:
        chain.seal()


def swap(stack):
    """Swap coin of two chains that know nothing of each other, by a secret and two time-outs."""
    notary, mine = stack.chains["notary"], stack.chains["mine"]
    secret = keccak256(b"alice's secret; take 32 random bytes")
    plan = SwapPlan.agree(
        alice.address,
        bob.address,
        gives=Asset.coin(ether(2)),
        gets=Asset.coin(ether(3)),
        digest=hash_secret(HashKind.SHA256, secret),
        hash_kind=HashKind.SHA256,
        now_ms=max(notary.head.timestamp_ms, mine.head.timestamp_ms),
        margin_ms=60_000,
    )
    deal = Swap(plan, notary, mine)
    deal.lock_first(alice)
    deal.lock_second(bob)
    bury(mine)  # a lock that a reorganisation undoes must not be answered with the secret
    deal.claim_second(alice, secret)
    deal.claim_first(bob)
    print("  both locks:", ", ".join(status.name.lower() for status in deal.statuses))


def bad_relayers(stack, gold):
    """Let one relayer lie, and another die half-way; a third finishes the work."""
    main, market = stack.main, stack.chains["market"]
    sent = stack.transfer(gold, alice, to="market", amount=5, relay=False)
    liar = Relayer(LyingPort(main, mallory), LyingPort(market, mallory))
    lies = liar.run_until_quiet(limit=5)
    print(f"  one lies: {lies.refused} proofs refused, {lies.carried} packets carried; {sent.status.value}")
    brief = Relayer(FacadePort(main, mallory), FacadePort(market, mallory))
    step = brief.step()
    del brief
    print(f"  one dies: {step.carried} packet carried, the sender's chain knows nothing; {sent.status.value}")
    rest = stack.relay()
    print(f"  one goes on: {rest.carried} carried, {rest.acknowledged} acknowledged; {sent.status.value}")


if __name__ == "__main__":
    with ChainStack.local({alice: ether(100), mallory: ether(10)}) as stack:
        print(f"A main chain ({stack.main.engine.name}) and its side chains:")
        stack.spawn(name="market", consensus="pbft", funds={**PURSE, mallory: ether(10)})
        stack.spawn(name="studio", consensus="pos", funds=PURSE, coin_name="Franc", coin_symbol="FRC")
        stack.spawn(name="mine", consensus="pow", funds=PURSE, anchoring_interval=5)
        stack.spawn(name="notary", consensus="instant", funds=PURSE)
        show_chains(stack)
        print("A token travels:")
        gold = travel(stack)
        print("A work of art goes to the miners:")
        peg_a_work_of_art(stack)
        print("Two trades between side chains:")
        trade(stack)
        print("A swap:")
        swap(stack)
        print("Relayers nobody can rely on:")
        bad_relayers(stack, gold)
        stack.relay()
        mine = stack.chains["mine"]
        block = stack.registry.newest_block(mine.chain_id)
        print(f"Block {block.height} of the mine is written down on the main chain:", end=" ")
        print(block.block_hash == mine.block(block.height).hash)
        print(f"\n{stack.assets()}")
