"""ERC-721 collections as Python objects."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from chainstack_sdk.paradigms.erc721 import Erc721
from chainstack_sdk.paradigms.instance import Instance, InstanceApi
from chainstack_sdk.primitives.address import AddressLike

if TYPE_CHECKING:
    from chainstack_sdk.core.native.host import ContractHost
    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.paradigms.template import Paradigm
    from chainstack_sdk.primitives.keys import Signer


class Erc721Token(Instance):
    """An ERC-721 collection on a chain.

    Whoever is named ``sender`` signs the transaction and pays its fee. A transaction that the collection
    refuses raises :class:`~chainstack_sdk.primitives.errors.Reverted` with the reason, such as
    ``ERC721NonexistentToken(tokenId=5)``.
    """

    def __init__(self, host: ContractHost, address: AddressLike, paradigm: type[Paradigm] = Erc721) -> None:
        super().__init__(host, address, paradigm)

    @cached_property
    def name(self) -> str:
        """The collection's name."""
        return str(self.read("name"))

    @cached_property
    def symbol(self) -> str:
        """The collection's short name."""
        return str(self.read("symbol"))

    def total_supply(self, *, block: int | None = None) -> int:
        """Return how many tokens there are, at a block or now."""
        return int(self.read("totalSupply", block=block))

    def balance_of(self, who: AddressLike, *, block: int | None = None) -> int:
        """Return how many tokens an account owns, at a block or now."""
        return int(self.read("balanceOf", who, block=block))

    def owner_of(self, token_id: int, *, block: int | None = None) -> bytes:
        """Return who owns a token (20 bytes), at a block or now."""
        return bytes(self.read("ownerOf", token_id, block=block))

    def token_by_index(self, index: int) -> int:
        """Return a token of the list of all, from 0 to the total supply less one."""
        return int(self.read("tokenByIndex", index))

    def token_of_owner_by_index(self, who: AddressLike, index: int) -> int:
        """Return a token of an account, from 0 to its balance less one."""
        return int(self.read("tokenOfOwnerByIndex", who, index))

    def tokens(self) -> list[int]:
        """Return all tokens, in no particular order."""
        return [self.token_by_index(index) for index in range(self.total_supply())]

    def tokens_of(self, who: AddressLike) -> list[int]:
        """Return the tokens of an account, in no particular order."""
        return [self.token_of_owner_by_index(who, index) for index in range(self.balance_of(who))]

    def token_uri(self, token_id: int) -> str:
        """Return where a token's metadata are."""
        return str(self.read("tokenURI", token_id))

    def get_approved(self, token_id: int) -> bytes:
        """Return who may move a token besides its owner and the owner's operators, 20 bytes."""
        return bytes(self.read("getApproved", token_id))

    def is_approved_for_all(self, owner: AddressLike, operator: AddressLike) -> bool:
        """Tell whether an operator may move all tokens of an owner."""
        return bool(self.read("isApprovedForAll", owner, operator))

    def supports_interface(self, interface: bytes) -> bool:
        """Tell whether an interface (4 bytes, ERC-165) is supported."""
        return bool(self.read("supportsInterface", interface))

    def owner(self) -> bytes:
        """Return the owner of the collection, 20 bytes; only a mintable one answers."""
        return bytes(self.read("owner"))

    def mint(
        self, sender: Signer, to: AddressLike, token_id: int, uri: str | None = None, *, safe: bool = False
    ) -> Receipt:
        """Make a token; the owner of a mintable collection may.

        Parameters
        ----------
        uri
            The token's own URI, which follows the base URI in place of the token's number.
        safe
            Whether a contract must accept it.
        """
        function = "safeMint" if safe else "mint"
        return self.send(sender, function, to, token_id, *([] if uri is None else [uri]))

    def burn(self, sender: Signer, token_id: int) -> Receipt:
        """Destroy a token that the sender may move, if the collection is burnable."""
        return self.send(sender, "burn", token_id)

    def approve(self, sender: Signer, to: AddressLike, token_id: int) -> Receipt:
        """Let an account move one token, or nobody with the zero address."""
        return self.send(sender, "approve", to, token_id)

    def set_approval_for_all(self, sender: Signer, operator: AddressLike, approved: bool = True) -> Receipt:
        """Let an operator move all tokens of the sender, or no longer."""
        return self.send(sender, "setApprovalForAll", operator, approved)

    def transfer(self, sender: Signer, to: AddressLike, token_id: int) -> Receipt:
        """Move a token of the sender's own; a contract must accept it."""
        return self.safe_transfer_from(sender, sender, to, token_id)

    def transfer_from(self, sender: Signer, owner: AddressLike, to: AddressLike, token_id: int) -> Receipt:
        """Move a token without asking the recipient."""
        return self.send(sender, "transferFrom", owner, to, token_id)

    def safe_transfer_from(
        self, sender: Signer, owner: AddressLike, to: AddressLike, token_id: int, data: bytes = b""
    ) -> Receipt:
        """Move a token; a contract is given the data and must accept it."""
        return self.send(sender, "safeTransferFrom", owner, to, token_id, *([data] if data else []))

    def transfer_ownership(self, sender: Signer, to: AddressLike) -> Receipt:
        """Pass the role of the collection's owner on."""
        return self.send(sender, "transferOwnership", to)

    def renounce_ownership(self, sender: Signer) -> Receipt:
        """Give the role of the collection's owner up for ever."""
        return self.send(sender, "renounceOwnership")


class Erc721Api(InstanceApi[Erc721Token]):
    """Issues and finds ERC-721 collections: ``chain.erc721``."""

    def __init__(self, host: ContractHost) -> None:
        super().__init__(host, Erc721, Erc721Token)

    def issue(
        self,
        sender: Signer,
        *,
        name: str,
        symbol: str,
        base_uri: str = "",
        mintable: bool = True,
        burnable: bool = False,
        owner: AddressLike | None = None,
        gas: int | None = None,
    ) -> Erc721Token:
        """Issue a collection by one transaction.

        Parameters
        ----------
        sender
            Who signs and pays.
        name, symbol
            As shown to people.
        base_uri
            Begins the URI of every token.
        mintable, burnable
            Whether the owner can make tokens, and those who may move one can destroy it.
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
            "base_uri": base_uri,
            "mintable": mintable,
            "burnable": burnable,
            "owner": sender.address if owner is None else owner,
        }
        return self._issue(sender, config, gas)
