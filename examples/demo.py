"""The story of one chain: funded, busy, questioned, proven, exported and run again."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chainstack_sdk import Account, Chain, ChainStack, Reverted, ether
from chainstack_sdk.core.transactions import known
from chainstack_sdk.paradigms import Erc20Token

ACCOUNTS = 1_000
TRANSFERS = 10_000
BLOCK = 1_000


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


def fund(report: Report) -> tuple[Chain, list[Account]]:
    """Make a chain with funded accounts."""
    with report.step("accounts created", ACCOUNTS):
        accounts = [Account.create() for _ in range(ACCOUNTS)]
        funds = {account: ether(10) for account in accounts}
    with report.step("chain begun with funded accounts", ACCOUNTS):
        chain = ChainStack.local(funds=funds, auto_seal=False).main
    print(f"A chain with {ACCOUNTS:,} funded accounts, genesis {chain.head.hash.hex()[:16]}…")
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
        with report.step("transactions imported and validated", transactions):
            copy = Chain.load(path, progress=progress)
    same = copy.head.hash == chain.head.hash and copy.head.state_root == chain.head.state_root
    print(f"  same head and same state root: {same}")


def main() -> None:
    """Tell the story."""
    report = Report()
    chain, accounts = fund(report)
    coin = chain.supply()
    gold = issue(chain, accounts, report)
    trade(chain, accounts, gold, report)
    fail(accounts, gold)
    prove(chain, accounts, gold, report)
    run_again(chain, report)
    print(f"Coin in existence before and after: {coin == chain.supply()}")
    report.show()


if __name__ == "__main__":
    main()
