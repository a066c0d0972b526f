"""The verifiers in other languages, ready to be asked: node with its packages, a chain with the contract.

The npm packages, and the compiled contract, are kept in the machine's folder for temporary files, named after
what they are made from; each appears there whole or not at all.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from cspv_wire import ANCHOR
from web3 import Web3
from web3.contract import Contract
from web3.types import RPCEndpoint

from chainstack_sdk.cspv import evm
from chainstack_sdk.primitives import InvalidInput, keccak256

SOURCES = Path(__file__).parents[1] / "js"
TEMPORARY = Path(tempfile.gettempdir())
NPM = ("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock")


def made_once(name: str, source: str, make: Callable[[Path], None]) -> Path:
    """Return the folder that was made from a source, making it when there is none."""
    ready = TEMPORARY / f"chainstack-sdk-{name}-{keccak256(source.encode()).hex()[:16]}-{os.getuid()}"
    if not ready.exists():
        with tempfile.TemporaryDirectory(dir=TEMPORARY) as folder:
            fresh = Path(folder) / "made"
            fresh.mkdir()
            make(fresh)
            try:
                fresh.rename(ready)
            except OSError:  # another process was faster
                assert ready.exists()
    return ready


def packages() -> Path:
    """Return a folder with the npm packages in it; skip the test where there is no npm."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    wanted = (SOURCES / "package.json").read_text(encoding="utf-8")

    def install(folder: Path) -> None:
        (folder / "package.json").write_text(wanted, encoding="utf-8")
        subprocess.run(NPM, cwd=folder, capture_output=True, text=True, timeout=300, check=True)

    return made_once("cspv-packages", wanted, install)


# JavaScript ---------------------------------------------------------------------------------------------


def told_by_node(folder: Path, program: str, cases: object) -> Any:
    """Run a program of the tests beside the verifier, give it cases, return its answers."""
    module = files("chainstack_sdk.cspv") / "js" / "cspv.mjs"
    (folder / "cspv.mjs").write_text(module.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / program).write_text((SOURCES / program).read_text(encoding="utf-8"), encoding="utf-8")
    if not (folder / "node_modules").exists():
        (folder / "node_modules").symlink_to(packages() / "node_modules")
    done = subprocess.run(
        ["node", program], cwd=folder, input=json.dumps(cases), capture_output=True, text=True, timeout=3_000
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def judged_by_node(folder: Path, proofs: Iterable[bytes], anchor: bytes = ANCHOR) -> list[dict[str, Any]]:
    """Return what the JavaScript verifier says to proofs: `proven` with the facts, or `refused` with why."""
    judged: list[dict[str, Any]] = told_by_node(
        folder, "judge.mjs", [[anchor.hex(), proof.hex()] for proof in proofs]
    )
    return judged


# The contract -------------------------------------------------------------------------------------------


def compiled() -> dict[str, Any]:
    """Return the contract's ABI and bytecode."""
    source = evm.contract_source()

    def build(folder: Path) -> None:
        from vyper import compile_code  # heavy, and seldom needed

        output = compile_code(source, output_formats=["abi", "bytecode"])
        (folder / "contract.json").write_text(json.dumps(output), encoding="utf-8")

    folder = made_once("cspv-contract", source + version("vyper"), build)
    contract: dict[str, Any] = json.loads((folder / "contract.json").read_text(encoding="utf-8"))
    return contract


@contextmanager
def anvil(hardfork: str) -> Iterator[Web3]:
    """Run a development chain by the rules of a fork of Ethereum."""
    (binary,) = (packages() / "node_modules" / "@foundry-rs").glob("anvil-*/bin/anvil*")
    started = [str(binary), "--hardfork", hardfork, "--port", "0", "--host", "127.0.0.1"]
    with subprocess.Popen(started, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            listening = next(line for line in process.stdout if line.startswith("Listening on "))
            threading.Thread(target=process.stdout.read).start()  # or the log would fill the pipe
            yield Web3(Web3.HTTPProvider("http://" + listening.split()[-1]))
        finally:
            process.terminate()


def deploy(chain: Web3, anchor: bytes = ANCHOR) -> Contract:
    """Put the verifier of a chain on another chain."""
    parts = compiled()
    made = chain.eth.contract(abi=parts["abi"], bytecode=parts["bytecode"])
    proven_chain = int.from_bytes(anchor[2:10], "big")
    sent = made.constructor(proven_chain, evm.evm_key(anchor[10:])).transact({"from": chain.eth.accounts[0]})
    return chain.eth.contract(address=wait_for(chain, sent)["contractAddress"], abi=parts["abi"])


def arguments(proof: bytes) -> tuple[bytes, bytes]:
    """Return what the contract takes; where no y fits, some y."""
    try:
        return evm.evm_arguments(proof)
    except InvalidInput:
        return proof, bytes(47) + b"\x01"


def judged_by_contract(contract: Contract, proofs: Sequence[bytes]) -> list[bytes | None]:
    """Return what `verify` answers to proofs, encoded, or None where it reverts."""
    answers: list[bytes | None] = []
    for proof in proofs:
        data = contract.encode_abi("verify", args=arguments(proof))
        response = contract.w3.provider.make_request(
            RPCEndpoint("eth_call"), [{"to": contract.address, "data": data}, "latest"]
        )
        if "error" in response:
            assert "revert" in response["error"]["message"], response
            answers.append(None)
        else:
            answers.append(bytes.fromhex(response["result"][2:]))
    return answers


def wait_for(chain: Web3, sent: bytes) -> Any:
    """Return the receipt of a transaction that was sent."""
    return chain.eth.wait_for_transaction_receipt(sent, poll_latency=0.01)
