"""``python -m benchmarks``: measure, print a table, write JSON."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import (
    chainkey,
    consensus,
    latency,
    light,
    machine,
    machines,
    measure,
    memory,
    mining,
    shards,
    stages,
    startup,
    stores,
    transfers,
    trie,
)
from benchmarks.measure import progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.measure import Figure

RESULTS = Path(__file__).with_name("results") / "latest.json"

BENCHMARKS: dict[str, Callable[..., Iterator[Figure]]] = {
    "transfers": transfers.against_recovery,
    "known": transfers.senders_known,
    "workers": transfers.two_workers,
    "evm": transfers.against_evm,
    "latency": latency.bytes_to_receipt,
    "trie": trie.against_py_trie,
    "memory": memory.per_account,
    "import": startup.imports,
    "chain": startup.new_chain,
    "local": startup.main_chain,
    "stores": stores.durable,
    "rpc": stores.json_rpc,
    "mining": mining.against_a_loop,
    "stages": stages.shares,
    "machines": machines.against_native,
    "calls": machines.calls,
    "deploy": machines.deployment,
    "agreement": consensus.agreement,
    "chainkey": chainkey.handover,
    "light": light.verifying,
    "shards": shards.one_and_two,
    "shardcores": shards.with_a_core_each,
}


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, metavar="NAME", help="measure only these")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller workloads")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    parser.add_argument(
        "--wait",
        type=float,
        default=1.0,
        metavar="SECONDS",
        help="how long each round may wait for other programs to be quiet; 1 by default",
    )
    parser.add_argument("--output", type=Path, default=RESULTS, metavar="FILE", help="where the JSON goes")
    options = parser.parse_args()
    if options.list:
        for name, benchmark in BENCHMARKS.items():
            print(f"{name:10} {(benchmark.__doc__ or '').splitlines()[0]}")
        return
    measure.patience = options.wait
    facts, load = machine.description(), machine.Load()
    figures: list[Figure] = []
    for name in options.only or BENCHMARKS:
        progress(f"{name}: ")
        figures += BENCHMARKS[name](quick=options.quick)
    facts["others_cpu_share"] = load.share()
    print("\n".join(table(figures)))
    print(f"\n{machine.build(facts)}.", *remarks(facts))
    options.output.parent.mkdir(exist_ok=True)
    options.output.write_text(json.dumps(as_json(figures, facts, quick=options.quick), indent=2) + "\n")


def table(figures: Sequence[Figure]) -> Iterator[str]:
    """Yield the lines of the table."""
    rows = [
        (
            figure.name,
            f"{figure.value:.2f} {figure.unit}".strip(),
            f"{figure.low:.2f} - {figure.high:.2f}",
            "" if figure.target is None else f"{'<=' if figure.at_most else '>='} {figure.target:g}",
            figure.verdict,
            figure.note,
        )
        for figure in figures
    ]
    heads = ("figure", "median", "quartiles", "target", "", "note")
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in (heads, ["-" * width for width in widths], *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def remarks(facts: dict[str, Any]) -> list[str]:
    """Say what makes the figures doubtful, if anything does."""
    share = facts["others_cpu_share"]
    if share is None or share < measure.QUIET:
        return []
    return [f"Other programs took {share:.0%} of the processor meanwhile: expect worse figures than at rest."]


def as_json(figures: Sequence[Figure], facts: dict[str, Any], *, quick: bool) -> dict[str, Any]:
    """Return everything measured."""
    results = [asdict(figure) | {"met": figure.met} for figure in figures]
    return {"machine": facts, "quick": quick, "figures": results}


if __name__ == "__main__":
    main()
