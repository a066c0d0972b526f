"""The code of native contracts: ``0xEF 0x43 ‖ kind ‖ version ‖ body``.

No EVM code begins with ``0xEF`` (EIP-3541), so that the two cannot be mistaken for each other.

==========  ====================  ==================================================
Kind        Contract              Body
==========  ====================  ==================================================
``0x00``    system contract       its name, UTF-8
``0x01``    paradigm instance     RLP ``[name, config]``, the config ABI-encoded
``0x02``    machine               its canonical encoding
==========  ====================  ==================================================

The version, one byte, is that of the contract's behaviour: an instance keeps the one it was issued with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode

if TYPE_CHECKING:
    from typing import Final

MAGIC = b"\xef\x43"
"""The first two bytes of the code of every native contract."""
SYSTEM: Final = 0x00
"""Kind of the contracts that a chain has from the start."""
PARADIGM: Final = 0x01
"""Kind of the instances of paradigms."""


def system_code(name: str, version: int = 1) -> bytes:
    """Return the code of a system contract."""
    return MAGIC + bytes((SYSTEM, version)) + name.encode()


def paradigm_code(name: str, version: int, config: bytes) -> bytes:
    """Return the code of a paradigm's instance.

    Parameters
    ----------
    config
        The ABI-encoded parameters of its constructor.
    """
    if not 1 <= version <= 0xFF:
        raise UsageError("a version is from 1 to 255", actual=version)
    return MAGIC + bytes((PARADIGM, version)) + rlp_encode([name.encode(), config])


def parse_paradigm_code(code: bytes) -> tuple[str, int, bytes]:
    """Return the name, the version and the ABI-encoded config of a paradigm's instance.

    Raises
    ------
    InvalidInput
        When the code is not that of one.
    """
    if code[:2] != MAGIC or len(code) < 4 or code[2] != PARADIGM or not code[3]:
        raise InvalidInput("not the code of a paradigm's instance", actual=code[:4])
    match rlp_decode(code[4:]):
        case [bytes(name), bytes(config)]:
            try:
                return name.decode(), code[3], config
            except UnicodeDecodeError:
                pass
    raise InvalidInput("malformed code of a paradigm's instance")
