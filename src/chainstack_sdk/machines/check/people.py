"""Who takes part in a check: a deployer, those it names, and strangers, each with coin and tokens.

Their keys are in every test that a check prints, so that addresses, and what is hashed of them, are the same
there.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from chainstack_sdk.machines.check.tree import acting_blocks, statements_in
from chainstack_sdk.machines.rules import TOKENS
from chainstack_sdk.primitives.address import contract_address
from chainstack_sdk.primitives.keys import Account

if TYPE_CHECKING:
    from chainstack_sdk.machines.ir import MachineIR

DEPLOYER = "alice"
STRANGERS = ("mallory", "trudy")
"""Whom no deployment names."""
ISSUER = "issuer"
"""Who issues the tokens."""
PURSE = 10**24
"""What everybody has of coin, in wei, and of the ERC-20 token, in its smallest units."""
MOST_NAMED = 16

_NAMED = ("bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan")


class Cast:
    """The people of one machine's check, and the addresses of what is around.

    Parameters
    ----------
    machine
        Which machine; how many people it names decides how many there are.
    """

    def __init__(self, machine: MachineIR) -> None:
        wanted = min(max(_addresses(machine), 1), MOST_NAMED)
        self.named = tuple([_name(number) for number in range(wanted)])
        """Names of those whom a deployment may name besides the deployer."""
        self.people = (DEPLOYER, *STRANGERS, *self.named)
        """Names of all who call."""
        self.address = {each: _account(at + 1).address for at, each in enumerate(self.people)}
        self.keys = {each: at + 1 for at, each in enumerate(self.people)}
        """Each byte of their secret keys."""
        self.tokens = _kinds_of_tokens(machine)
        """``erc20`` and ``erc721``, as far as the machine uses them, in this order."""
        issuer = _account(ISSUER_KEY).address
        self.token = {each: contract_address(issuer, at) for at, each in enumerate(self.tokens)}
        """Their addresses."""
        # the deployer has approved the machine for each kind before it makes it
        self.machine = contract_address(self.address[DEPLOYER], len(self.tokens))
        self.names: dict[bytes, str] = {address: name for name, address in self.address.items()}
        self.names |= {address: name for name, address in self.token.items()}
        self.names[self.machine] = "the machine"


ISSUER_KEY = 99
"""Each byte of the issuer's secret key."""


@lru_cache(maxsize=128)
def _account(number: int) -> Account:
    return Account.from_key(bytes([number]) * 32)


def _name(number: int) -> str:
    return _NAMED[number] if number < len(_NAMED) else f"person{number + 1}"


def _addresses(machine: MachineIR) -> int:
    """Return how many people a deployment can name."""
    total = 0
    for each in machine.constructor.parameters:
        element = each.type.parts[0] if each.type.kind == "array" else each.type
        if element.kind == "address":
            total += each.type.slots
    return total


def _kinds_of_tokens(machine: MachineIR) -> tuple[str, ...]:
    used = {each.op for block in acting_blocks(machine) for each in statements_in(block) if each.op in TOKENS}
    kinds = {"erc721" if each.endswith("nft") else "erc20" for each in used}
    return tuple([each for each in ("erc20", "erc721") if each in kinds])
