import subprocess
import sys

from chainstack_sdk.primitives import Address, ChainId, Gas, Hash32, Height, Nonce, Wei


def test_the_names_cost_nothing_at_run_time():
    raw = bytes(20)
    assert Address(raw) is raw
    assert Hash32(raw) is raw
    for name in (Wei, Gas, Height, Nonce, ChainId):
        assert type(name(5)) is int


def test_importing_is_light():
    heavy = ["coincurve", "pydantic", "eth_hash", "asyncio", "json", "logging"]
    code = (
        "import sys; before = set(sys.modules); import chainstack_sdk.primitives;"
        f"print([name for name in {heavy} if name in set(sys.modules) - before])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"
