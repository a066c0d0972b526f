"""What a program pays before it does anything: the import, and a new chain."""

from __future__ import annotations

import resource
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.measure import Figure, in_turn, summary
from chainstack_sdk import Account, Chain, ether

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHAINS = 20
"""Made in one timed run."""
FUNDED = 10
HEAVY = ("pydantic", "eth_utils", "asyncio")
"""What `import chainstack_sdk` shall not bring in."""


def child_cpu() -> float:
    """Return the CPU seconds of all finished child processes."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def python(program: str, times: int = 4) -> Callable[[], int]:
    """Prepare starting an interpreter that runs a short program."""

    def run() -> int:
        for _ in range(times):
            subprocess.run([sys.executable, "-c", program], check=True)
        return times

    return run


def imports(*, quick: bool) -> Iterator[Figure]:
    """Compare importing the library with an interpreter that does nothing."""
    count = 5 if quick else 15
    programs = (
        ("import chainstack_sdk, CPU time over bare start", "import chainstack_sdk", 5.0),
        ("import and touch Chain, CPU time over bare start", "from chainstack_sdk import Chain", None),
    )
    for name, program, target in programs:
        rounds = in_turn(partial(python, program), partial(python, "pass"), count, clock=child_cpu)
        ours, bare = rounds.micros()
        note = f"{ours / 1000:.0f} ms, {bare / 1000:.0f} ms for `python -c pass`"
        yield rounds.figure(name, target=target, at_most=True, note=note)
    check = f"import sys, chainstack_sdk; print(*[name for name in {HEAVY} if name in sys.modules])"
    brought = subprocess.run([sys.executable, "-c", check], check=True, capture_output=True, text=True).stdout
    count_heavy = float(len(brought.split()))
    yield Figure(
        "heavy modules that the import brings in",
        count_heavy,
        count_heavy,
        count_heavy,
        unit="",
        target=0.0,
        at_most=True,
        note=brought.strip() or "none of " + ", ".join(HEAVY),
    )


def main_chain(*, quick: bool) -> Iterator[Figure]:
    """Compare the main chain's committee in one process with an engine that just agrees, cold and warm."""
    count = 5 if quick else 15
    program = (
        "import time\n"
        "from chainstack_sdk import ChainStack\n"
        "ChainStack.local(consensus='instant')\n"
        "start = time.process_time()\n"
        "ChainStack.local()\n"
        "cold = time.process_time()\n"
        "ChainStack.local()\n"
        "print(cold - start, time.process_time() - cold)"
    )
    cold, warm = [], []
    for _ in range(count):
        ran = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
        first, again = map(float, ran.stdout.split())
        cold.append(first * 1e3)
        warm.append(again * 1e3)
    name = "ChainStack.local() beyond the instant engine, CPU time"
    yield summary(f"{name}, first in a process", cold, unit="ms", target=50.0, at_most=True)
    yield summary(f"{name}, each further one", warm, unit="ms", target=50.0, at_most=True)


def new_chain(*, quick: bool) -> Iterator[Figure]:
    """Compare making a funded chain with ten signatures."""
    from coincurve import PrivateKey

    accounts = [Account.from_key(number) for number in range(1, FUNDED + 1)]
    funds = {account: ether(100) for account in accounts}
    Chain.in_memory(funds)  # derives the addresses, loads the modules
    key, digest = PrivateKey(b"\1" * 32), bytes(range(32))

    def chains() -> Callable[[], int]:
        def run() -> int:
            for _ in range(CHAINS):
                Chain.in_memory(funds)
            return CHAINS

        return run

    def signatures() -> Callable[[], int]:
        def run() -> int:
            for _ in range(CHAINS):
                for _ in range(FUNDED):
                    key.sign_recoverable(digest, hasher=None)
            return CHAINS

        return run

    rounds = in_turn(chains, signatures, 9 if quick else 25)
    ours, bare = rounds.micros()
    yield rounds.figure(
        f"new chain of {FUNDED} accounts, time over {FUNDED} bare signatures",
        target=1.0,
        at_most=True,
        note=f"{ours:.0f} us, {bare:.0f} us for the signatures",
    )
