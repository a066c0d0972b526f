"""ERC-20 tokens as Python objects."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from chainstack_sdk.paradigms.erc20 import UNLIMITED, Erc20
from chainstack_sdk.paradigms.instance import Instance, InstanceApi
from chainstack_sdk.paradigms.permit import permit_digest
from chainstack_sdk.primitives.address import AddressLike, to_address
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from chainstack_sdk.core.native.host import ContractHost
    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.paradigms.template import Paradigm
    from chainstack_sdk.primitives.keys import Signer


class Erc20Token(Instance):
    """An ERC-20 token on a chain.

    Amounts are in the token's smallest unit. Whoever is named ``sender`` signs the transaction and pays
    its fee. A transaction that the token refuses raises
    :class:`~chainstack_sdk.primitives.errors.Reverted` with the reason, such as
    ``ERC20InsufficientBalance(sender=0x…, balance=1, needed=5)``.
    """

    def __init__(self, host: ContractHost, address: AddressLike, paradigm: type[Paradigm] = Erc20) -> None:
        super().__init__(host, address, paradigm)

    @cached_property
    def name(self) -> str:
        """The token's name."""
        return str(self.read("name"))

    @cached_property
    def symbol(self) -> str:
        """The token's short name."""
        return str(self.read("symbol"))

    @cached_property
    def decimals(self) -> int:
        """How many decimals people are shown."""
        return int(self.read("decimals"))

    def total_supply(self, *, block: int | None = None) -> int:
        """Return the sum of all balances, at a block or now."""
        return int(self.read("totalSupply", block=block))

    def balance_of(self, who: AddressLike, *, block: int | None = None) -> int:
        """Return what an account holds, at a block or now."""
        return int(self.read("balanceOf", who, block=block))

    def allowance(self, owner: AddressLike, spender: AddressLike) -> int:
        """Return how much a spender may still send of an owner's tokens."""
        return int(self.read("allowance", owner, spender))

    def cap(self) -> int:
        """Return the most that may exist; only a capped token answers."""
        return int(self.read("cap"))

    def owner(self) -> bytes:
        """Return the owner, 20 bytes; only a mintable or pausable token answers."""
        return bytes(self.read("owner"))

    def paused(self) -> bool:
        """Tell whether movement is stopped; only a pausable token answers."""
        return bool(self.read("paused"))

    def nonce_of(self, owner: AddressLike) -> int:
        """Return how many permits of an owner have been used."""
        return int(self.read("nonces", owner))

    def transfer(self, sender: Signer, to: AddressLike, value: int) -> Receipt:
        """Send the sender's tokens."""
        return self.send(sender, "transfer", to, value)

    def approve(self, sender: Signer, spender: AddressLike, value: int = UNLIMITED) -> Receipt:
        """Let a spender send up to this much of the sender's tokens; by default without limit."""
        return self.send(sender, "approve", spender, value)

    def transfer_from(self, sender: Signer, owner: AddressLike, to: AddressLike, value: int) -> Receipt:
        """Send an owner's tokens within the allowance it gave to the sender."""
        return self.send(sender, "transferFrom", owner, to, value)

    def mint(self, sender: Signer, to: AddressLike, value: int) -> Receipt:
        """Make new tokens; the owner of a mintable token may."""
        return self.send(sender, "mint", to, value)

    def burn(self, sender: Signer, value: int) -> Receipt:
        """Destroy the sender's tokens, if the token is burnable."""
        return self.send(sender, "burn", value)

    def burn_from(self, sender: Signer, owner: AddressLike, value: int) -> Receipt:
        """Destroy an owner's tokens within the allowance it gave to the sender."""
        return self.send(sender, "burnFrom", owner, value)

    def pause(self, sender: Signer) -> Receipt:
        """Stop all movement; the owner of a pausable token may."""
        return self.send(sender, "pause")

    def unpause(self, sender: Signer) -> Receipt:
        """Let tokens move again; the owner of a pausable token may."""
        return self.send(sender, "unpause")

    def transfer_ownership(self, sender: Signer, to: AddressLike) -> Receipt:
        """Pass the role of the owner on."""
        return self.send(sender, "transferOwnership", to)

    def renounce_ownership(self, sender: Signer) -> Receipt:
        """Give the role of the owner up for ever."""
        return self.send(sender, "renounceOwnership")

    def sign_permit(
        self,
        owner: Signer,
        spender: AddressLike,
        value: int,
        *,
        deadline: int = UNLIMITED,
        nonce: int | None = None,
    ) -> bytes:
        """Sign an approval that anybody may then send with :meth:`permit` (EIP-2612).

        Parameters
        ----------
        deadline
            Unix time in seconds until which it is good; by default for ever.
        nonce
            How many permits of the owner are used before this one; by default what the token says now.

        Returns
        -------
        bytes
            r, s, v (65 bytes); v is 27 or 28.
        """
        nonce = self.nonce_of(owner.address) if nonce is None else nonce
        separator = self.read("DOMAIN_SEPARATOR")
        digest = permit_digest(separator, owner.address, to_address(spender), value, nonce, deadline)
        signature = owner.sign(digest)
        return signature[:64] + bytes((signature[64] + 27,))

    def permit(
        self,
        sender: Signer,
        owner: AddressLike,
        spender: AddressLike,
        value: int,
        signature: bytes,
        *,
        deadline: int = UNLIMITED,
    ) -> Receipt:
        """Bring an owner's signed approval to the chain; see :meth:`sign_permit`.

        Raises
        ------
        UsageError
            When the signature is not 65 bytes.
        Reverted
            When the token does not accept it.
        """
        if len(signature) != 65:
            raise UsageError("a signature has 65 bytes", actual=len(signature))
        r, s, v = signature[:32], signature[32:64], signature[64]
        return self.send(sender, "permit", owner, spender, value, deadline, v, r, s)


class Erc20Api(InstanceApi[Erc20Token]):
    """Issues and finds ERC-20 tokens: ``chain.erc20``."""

    def __init__(self, host: ContractHost) -> None:
        super().__init__(host, Erc20, Erc20Token)

    def issue(
        self,
        sender: Signer,
        *,
        name: str,
        symbol: str,
        supply: int = 0,
        decimals: int = 18,
        cap: int | None = None,
        mintable: bool = False,
        burnable: bool = False,
        pausable: bool = False,
        owner: AddressLike | None = None,
        gas: int | None = None,
    ) -> Erc20Token:
        """Issue a token by one transaction.

        Parameters
        ----------
        sender
            Who signs and pays.
        name, symbol
            As shown to people.
        supply
            Minted to the owner, in the smallest unit and exactly as given: with 18 decimals,
            ``10**18`` makes one token.
        decimals
            How many decimals people are shown.
        cap
            The most that may exist, in the smallest unit; by default there is no limit.
        mintable, burnable, pausable
            Whether the owner can make tokens, holders can destroy theirs, the owner can stop all movement.
        owner
            By default the sender.
        gas
            Gas limit; found by the chain when not given.

        Raises
        ------
        UsageError
            When the config does not fit.
        Reverted
            When the chain refuses.
        """
        config = {
            "name": name,
            "symbol": symbol,
            "decimals": decimals,
            "supply": supply,
            "cap": cap or 0,
            "mintable": mintable,
            "burnable": burnable,
            "pausable": pausable,
            "owner": sender.address if owner is None else owner,
        }
        return self._issue(sender, config, gas)
