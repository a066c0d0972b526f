"""ethers 6 and viem 2 against a chain behind a plain HTTP server.

Needs node and npm; the packages are installed once into the machine's folder for temporary files. Without
them, or without a registry to install from, these tests are skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from chainstack_sdk import Account, Chain, ChainStack, ether
from chainstack_sdk.apps.jsonrpc import JsonRpc
from chainstack_sdk.primitives import keccak256, to_checksum_address

PACKAGES = ("ethers@6.17.0", "viem@2.57.20")
PROGRAMS = Path(__file__).parent / "js"
INSTALLED = Path(tempfile.gettempdir()) / f"chainstack-sdk-tests-{'-'.join(PACKAGES)}-{os.getuid()}"
NPM = ("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=0", *PACKAGES)

ALICE, BOB = (Account.from_key(keccak256(name)) for name in (b"alice", b"bob"))


def install() -> Path:
    """Install the packages unless that was done before; the folder appears whole or not at all."""
    if not INSTALLED.exists():
        with tempfile.TemporaryDirectory(dir=INSTALLED.parent) as folder:
            fresh = Path(folder) / "packages"
            fresh.mkdir()
            (fresh / "package.json").write_text("{}", encoding="utf-8")
            try:
                subprocess.run(NPM, cwd=fresh, capture_output=True, text=True, timeout=120, check=True)
            except subprocess.TimeoutExpired:
                pytest.skip(f"npm cannot install {PACKAGES} in two minutes")
            except subprocess.CalledProcessError as error:
                pytest.skip(f"npm cannot install {PACKAGES}: {error.stderr.strip()[-200:]}")
            try:
                fresh.rename(INSTALLED)
            except OSError:  # another process was faster
                assert INSTALLED.exists()
    return INSTALLED


@pytest.fixture(scope="module")
def packages() -> Path:
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    return install()


@contextmanager
def served(chain: Chain) -> Iterator[str]:
    """Serve a chain at the URL given; its one thread is the only one to touch it."""
    rpc = JsonRpc(chain)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer = rpc.handle_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200 if answer else 204)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def run(name: str, packages: Path) -> tuple[Chain, bytes, dict[str, Any]]:
    """Run a program against a new chain; return the chain, the token's address and what it told."""
    chain = ChainStack.local(funds={ALICE: ether(100)}).main
    token = chain.erc20.issue(ALICE, name="Gold", symbol="GLD", supply=1_000_000)
    with served(chain) as url:
        facts = {
            "url": url,
            "key": "0x" + ALICE.secret_key.hex(),
            "token": to_checksum_address(token),
            "abi": token.abi,
            "bob": BOB.checksum_address,
        }
        done = subprocess.run(
            ["node", "--input-type=module", "--eval", (PROGRAMS / name).read_text(encoding="utf-8")],
            cwd=packages,
            env={"PATH": os.environ["PATH"], "CHAINSTACK_TEST": json.dumps(facts)},
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return chain, token.address, told


def check_what_both_tell(chain: Chain, token: bytes, told: dict[str, Any]) -> None:
    digest = bytes.fromhex(told["transactionHash"][2:])
    block = chain.block(chain.receipt(digest).height)
    assert told["spent"] == "25"
    assert told["events"] == ["25"]
    assert told["block"] == {
        "hash": "0x" + block.hash.hex(),
        "parentHash": "0x" + block.parent_hash.hex(),
        "transactions": [told["transactionHash"]],
    }
    assert told["balance"] == "14"
    assert told["code"] == "0x" + chain.code(token).hex()


def test_ethers(packages: Path) -> None:
    chain, token, told = run("ethers.mjs", packages)
    check_what_both_tell(chain, token, told)
    assert (told["status"], told["type"]) == (1, 2)
    assert told["logs"] == [{"name": "Transfer", "value": "25"}]
    assert told["refusal"] == {
        "code": "CALL_EXCEPTION",
        "name": "ERC20InsufficientBalance",
        "needed": str(10**9),
    }
    assert told["refusalOfEstimate"] == "CALL_EXCEPTION"
    assert told["legacy"] == {"status": 1, "type": 0}
    assert told["listed"] == {"status": 1, "type": 1}
    assert told["usedNonce"] == "NONCE_EXPIRED"
    assert told["baseFee"] == str(chain.next_base_fee + 10**9)
    assert told["logCount"] == 2


def test_viem(packages: Path) -> None:
    chain, token, told = run("viem.mjs", packages)
    check_what_both_tell(chain, token, told)
    assert (told["status"], told["type"]) == ("success", "eip1559")
    assert told["logs"] == [{"address": "0x" + token.hex(), "index": 0, "removed": False}]
    assert told["refusal"] == {"name": "ERC20InsufficientBalance", "needed": str(10**9)}
    assert told["usedNonce"] == "NonceTooLowError"
    assert told["legacy"] == {"status": "success", "type": "legacy"}
    assert told["listed"] == {"status": "success", "type": "eip2930"}
    assert told["proof"]["nodes"] >= 1
    assert told["proof"]["slots"] == 1
    assert told["history"] == {"baseFees": 3, "rewards": 2}
    assert told["changes"] == ["3"]
    assert told["uninstalled"] is True
