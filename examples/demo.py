"""The story of a main chain: mined and certified, busy, governed, questioned, proven, and run again."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from chainstack_sdk import Account, Chain, ChainStack, InvalidInput, Reverted, ether
from chainstack_sdk.consensus import Certificate, CommitteeSeal, Evidence
from chainstack_sdk.consensus.bft import SignedVote, Vote, VoteKind
from chainstack_sdk.consensus.mapreduce import Master
from chainstack_sdk.consensus.work import DoubleSha256
from chainstack_sdk.core.transactions import known
from chainstack_sdk.cspv import anchor_from_bytes, transfers
from chainstack_sdk.network import ExecutorPool, HostedConsensus, Member, Miner, local_consensus
from chainstack_sdk.paradigms import Erc20Token
from chainstack_sdk.primitives.keccak import keccak256

ACCOUNTS = 1_000
TRANSFERS = 10_000
BLOCK = 1_000
VALIDATORS, SEATS, SLOT = 7, 4, 10
WORKERS = 3


class Report:
    """What was done, how often, and how long it took."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, int, float]] = []

    @contextmanager
    def step(self, what: str, count: int) -> Iterator[None]:
        """Time one step of the story."""
        started = time.perf_counter()
        yield
        self.rows.append((what, count, time.perf_counter() - started))

    def show(self) -> None:
        """Print the closing table."""
        print(f"\n{'step':<44}{'count':>8}{'seconds':>10}{'a second':>12}")
        for what, count, seconds in self.rows:
            print(f"{what:<44}{count:>8,}{seconds:>10.3f}{count / seconds:>12,.0f}")


def progress(done: int, total: int) -> None:
    """Draw a bar on a terminal, and a line at each fifth elsewhere."""
    if sys.stdout.isatty():
        filled = 40 * done // total
        end = "\n" if done == total else ""
        print(f"\r  [{'#' * filled}{'.' * (40 - filled)}] {done:,}/{total:,}", end=end, flush=True)
    elif 5 * done % total == 0:
        print(f"  {done:,}/{total:,}")


def fund(report: Report, consensus: HostedConsensus) -> tuple[Chain, list[Account]]:
    """Make a chain with funded accounts."""
    with report.step("accounts created", ACCOUNTS):
        accounts = [Account.create() for _ in range(ACCOUNTS)]
        funds = {account: ether(10) for account in accounts}
    with report.step("chain begun with funded accounts", ACCOUNTS):
        chain = ChainStack.local(funds=funds, consensus=consensus, auto_seal=False).main
    print(f"A main chain with {ACCOUNTS:,} funded accounts, genesis {chain.head.hash.hex()[:16]}…")
    print(
        f"  {WORKERS} workers mine it, {SEATS} of {VALIDATORS} validators certify it, for {SLOT} blocks each"
    )
    return chain, accounts


def issue(chain: Chain, accounts: list[Account], report: Report) -> Erc20Token:
    """Issue a token by one transaction and hand it round."""
    gold = chain.erc20.issue(accounts[0], name="Gold", symbol="GLD", supply=1_000_000_000)
    print(f"One transaction issued {gold.name} ({gold.symbol}): supply {gold.total_supply():,}")
    with report.step("first shares handed out", ACCOUNTS - 1):
        first = chain.next_nonce(accounts[0])
        shares = [
            chain.sign(
                accounts[0],
                gold.address,
                data=gold.encode("transfer", account, 100_000),
                gas=80_000,
                nonce=first + offset,
            )
            for offset, account in enumerate(accounts[1:])
        ]
        for start in range(0, len(shares), 250):
            chain.send_many(shares[start : start + 250])
            chain.seal()
    return gold


def trade(chain: Chain, accounts: list[Account], gold: Erc20Token, report: Report) -> None:
    """Sign many transfers, then send their raw bytes as strangers would and seal them."""
    nonces = [chain.next_nonce(account) for account in accounts]
    with report.step("token transfers signed", TRANSFERS):
        raws = []
        for number in range(TRANSFERS):
            who = number % ACCOUNTS
            receiver = accounts[(who * 7 + number // ACCOUNTS + 1) % ACCOUNTS]
            data = gold.encode("transfer", receiver, 1 + number % 50)
            signed = chain.sign(accounts[who], gold.address, data=data, gas=80_000, nonce=nonces[who])
            nonces[who] += 1
            raws.append(signed.raw)
    known.clear()  # this process signed them; forget that, so that every sender is recovered
    print(f"{TRANSFERS:,} signed transfers from {ACCOUNTS:,} accounts, {BLOCK:,} to a block:")
    with report.step("transfers decoded, recovered, run, sealed", TRANSFERS):
        for start in range(0, TRANSFERS, BLOCK):
            chain.send_many(raws[start : start + BLOCK])
            chain.seal()
            progress(start + BLOCK, TRANSFERS)
    failed = sum(
        not receipt.succeeded for height in range(chain.height + 1) for receipt in chain.receipts(height)
    )
    print(f"  height {chain.height}, {failed} failed, supply still {gold.total_supply():,}")


def certify(chain: Chain) -> None:
    """Look at what made a block final."""
    block = chain.head
    seal = CommitteeSeal.decode(block.seal)
    certificate = Certificate.decode(seal.certificate)
    print(
        f"Block {block.height} is final: nonce {seal.nonce}, {len(certificate.signatures)} of {SEATS}"
        f" precommits in round {certificate.round}; {len(block.seal)} bytes in all"
    )


def govern(chain: Chain, consensus: HostedConsensus, reporter: Account, report: Report) -> None:
    """Let committees take turns, and punish one who votes twice."""
    names = {member.address: f"V{number}" for number, member in enumerate(consensus.members, 1)}

    def committee(slot: int) -> str:
        return " ".join(sorted(names[address] for address in chain.staking.read("committee", slot)))

    before = chain.staking.read("currentSlot")
    with report.step("blocks mined and certified", 3 * SLOT):
        for _ in range(3 * SLOT):
            chain.seal()
    print("Committees elected by the chain key's signatures, two slots ahead:")
    for slot in range(before, before + 3):
        print(f"  slot {slot}: {committee(slot)}")
    culprit = next(member for member in consensus.members if names[member.address] in committee(slot))
    evidence = Evidence.of(double(chain, culprit, b"one"), double(chain, culprit, b"other"))
    receipt = chain.staking.send(reporter, "report", evidence.encode())
    (slashed,) = chain.staking.events("Slashed", first=receipt.height)
    print(
        f"{names[culprit.address]} voted for two blocks at one height:"
        f" its {slashed.args['amount'] // ether(1)} ether go to whoever proved it"
    )
    for _ in range(4 * SLOT):
        chain.seal()
    now = chain.staking.read("currentSlot")
    print(f"  slot {now}: {committee(now)}; it is not elected again")


def double(chain: Chain, member: Member, block: bytes) -> SignedVote:
    """Sign a precommit for a made-up block."""
    vote = Vote(VoteKind.PRECOMMIT, chain.height, 0, keccak256(block))
    return SignedVote(vote, member.address, member.account.sign(vote.digest(chain.chain_id)))


def rewards(chain: Chain, consensus: HostedConsensus, workers: list[Account], start: int) -> None:
    """Show who earned what, and that no wei is missing."""
    print(f"{'who':<10}{'earned, ether':>16}")
    for number, worker in enumerate(workers, 1):
        print(f"worker {number:<3}{chain.balance(worker) / ether(1):>16.3f}")
    for number, member in enumerate(consensus.members, 1):
        print(f"V{number:<9}{chain.balance(member.address) / ether(1):>16.3f}")
    minted, burnt = chain.staking.read("minted"), chain.staking.read("burnt")
    exact = chain.supply() == start + minted - burnt
    print(
        f"supply = start + {minted / ether(1):.3f} minted - {burnt / ether(1):.3f} burnt, to the wei: {exact}"
    )


def fail(accounts: list[Account], gold: Erc20Token) -> None:
    """Send a transfer that the token refuses."""
    try:
        gold.send(accounts[1], "transfer", accounts[2], 10**12, gas=80_000)
    except Reverted as refusal:
        receipt = refusal.receipt
        print(f"A transfer of too much failed in block {receipt.height}, fee paid: {refusal.message}")


def prove(chain: Chain, accounts: list[Account], gold: Erc20Token, report: Report) -> None:
    """Ask for a balance now and in the past, and prove an account."""
    holder = accounts[3]
    with report.step("queries of a balance", 1_000):
        for _ in range(1_000):
            now = gold.balance_of(holder)
    print(
        f"A query, free of charge: {now:,} {gold.symbol} now, {chain.balance(holder, block=0)} wei at genesis"
    )
    with report.step("account proofs made and verified", 100):
        for account in accounts[:100]:
            proof = chain.prove_account(account)
            proof.verify(chain.head.state_root)
    print(f"A state proof of {sum(map(len, proof.nodes)):,} bytes, verified against the state root alone")
    prove_lightly(chain, accounts, gold, report)


def prove_lightly(chain: Chain, accounts: list[Account], gold: Erc20Token, report: Report) -> None:
    """Prove a payment to somebody who has nothing of the chain but its anchor."""
    anchor = anchor_from_bytes(chain.anchor.to_bytes())
    receipt = gold.transfer(accounts[0], accounts[1], 1)
    crowded = max(range(chain.height + 1), key=lambda height: len(chain.receipts(height)))
    with report.step("light proofs made and verified", 20):
        for number in range(20):
            light = chain.prove(chain.receipts(crowded)[number]).to_bytes()
            anchor.verify(light)
    small = chain.prove(receipt).to_bytes()
    (paid,) = transfers(anchor.verify(small))
    print(
        f"Trusting {len(anchor.to_bytes())} bytes: a payment of {paid.value} proven by {len(small)} bytes,"
        f" one of {len(chain.receipts(crowded)):,} in a block by {len(light)}; so it will be at any height"
    )
    try:
        anchor.verify(small[:-1] + bytes((small[-1] ^ 1,)))
    except InvalidInput as error:
        print(f"  one bit of it changed: {error.message}")


def run_again(chain: Chain, report: Report) -> None:
    """Export the chain, import it, and validate every block on the way."""
    transactions = sum(len(chain.block(height).transactions) for height in range(chain.height + 1))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chain.bin"
        with report.step("blocks exported", chain.height):
            chain.export(path)
        known.clear()
        print(
            f"Exported {path.stat().st_size:,} bytes; importing runs all {transactions:,} transactions again:"
        )
        with report.step("transactions imported, all seals checked", transactions):
            copy = Chain.load(path, progress=progress)
    same = copy.head.hash == chain.head.hash and copy.head.state_root == chain.head.state_root
    print(f"  same head and same state root: {same}")


def main() -> None:
    """Tell the story."""
    report = Report()
    workers = [Account.create() for _ in range(WORKERS)]
    with ThreadPoolExecutor(WORKERS) as executor:
        # ranges so small that all workers get some of these easy blocks
        master = Master(DoubleSha256(), first_count=16, depth=1, range_ms=1)
        addresses = [worker.address for worker in workers]
        pool = ExecutorPool(Miner(executor, addresses, slots=WORKERS, master=master))
        consensus = local_consensus(
            "dpow", validators=VALIDATORS, seats=SEATS, blocks_per_slot=SLOT, pool=pool
        )
        chain, accounts = fund(report, consensus)
        coin = chain.supply()
        gold = issue(chain, accounts, report)
        certify(chain)
        trade(chain, accounts, gold, report)
        fail(accounts, gold)
        govern(chain, consensus, accounts[5], report)
        prove(chain, accounts, gold, report)
        run_again(chain, report)
        rewards(chain, consensus, workers, coin)
    report.show()


if __name__ == "__main__":
    main()
