"""Non-fungible tokens: EIP-721 with metadata and enumeration.

Behaviour, events, errors (ERC-6093), the order of checks and the storage are those of OpenZeppelin
Contracts 5: ``ERC721``, ``ERC721Enumerable``, ``ERC721URIStorage``, ``ERC721Burnable``, ``Ownable`` with an
owner who mints.

====  ====================================================================
Slot  Value
====  ====================================================================
2     owners: mapping from token
3     balances: mapping from address
4     approved addresses: mapping from token
5     operators: mapping from owner to mapping from operator
6-9   lists of tokens; see :mod:`~chainstack_sdk.paradigms.enumeration`
10    URIs: mapping from token
11    owner of the collection
====  ====================================================================

Name and symbol (slots 0 and 1 in OpenZeppelin's contract) never change, and are in the code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.native.contract import error, event, external
from chainstack_sdk.core.native.slots import (
    MappingSlots,
    NestedMappingSlots,
    load_bytes,
    mapping_slot,
    slot,
    store_bytes,
)
from chainstack_sdk.paradigms.enumeration import Enumeration
from chainstack_sdk.paradigms.ownable import Ownable
from chainstack_sdk.paradigms.receiver import accepts
from chainstack_sdk.primitives.address import ZERO_ADDRESS

if TYPE_CHECKING:
    from pydantic import BaseModel

    from chainstack_sdk.core.call import Call

INTERFACES = (
    bytes.fromhex("01ffc9a7"),  # ERC-165
    bytes.fromhex("80ac58cd"),  # ERC-721
    bytes.fromhex("5b5e139f"),  # ERC-721 metadata
    bytes.fromhex("780e9d63"),  # ERC-721 enumerable
    bytes.fromhex("49064906"),  # ERC-4906, events about metadata
)
"""Identifiers (ERC-165) of what a collection supports."""

_OWNERS = slot(2)
_BALANCES = MappingSlots(3)
_APPROVALS = slot(4)
_OPERATORS = NestedMappingSlots(5)
_URIS = slot(10)


class Erc721(Enumeration, Ownable):
    """The ERC-721 paradigm.

    Config: ``name``, ``symbol``; ``base_uri``, which begins the URI of every token; ``mintable``,
    ``burnable``: whether the functions for it are there; ``owner``, who may mint.
    """

    name = "erc721"
    constructor = (
        "constructor(string name, string symbol, string base_uri, "
        "bool mintable, bool burnable, address owner)"
    )
    owner_slot = slot(11)

    Transfer = event("event Transfer(address indexed from, address indexed to, uint256 indexed tokenId)")
    Approval = event(
        "event Approval(address indexed owner, address indexed approved, uint256 indexed tokenId)"
    )
    ApprovalForAll = event(
        "event ApprovalForAll(address indexed owner, address indexed operator, bool approved)"
    )
    MetadataUpdate = event("event MetadataUpdate(uint256 _tokenId)")

    ERC721InvalidOwner = error("error ERC721InvalidOwner(address owner)")
    ERC721NonexistentToken = error("error ERC721NonexistentToken(uint256 tokenId)")
    ERC721IncorrectOwner = error("error ERC721IncorrectOwner(address sender, uint256 tokenId, address owner)")
    ERC721InvalidSender = error("error ERC721InvalidSender(address sender)")
    ERC721InvalidReceiver = error("error ERC721InvalidReceiver(address receiver)")
    ERC721InsufficientApproval = error("error ERC721InsufficientApproval(address operator, uint256 tokenId)")
    ERC721InvalidApprover = error("error ERC721InvalidApprover(address approver)")
    ERC721InvalidOperator = error("error ERC721InvalidOperator(address operator)")

    @classmethod
    def config_model(cls) -> type[BaseModel]:
        """Return the pydantic model of the config."""
        from chainstack_sdk.paradigms.config import Erc721Config

        return Erc721Config

    def create(self, call: Call) -> None:
        """Set the owner, if it has anything to do."""
        if self.config.mintable:
            self.set_first_owner(call, self.config.owner)

    # Questions

    @external("function supportsInterface(bytes4 interfaceId) view returns (bool)")
    def supports_interface(self, call: Call, interface: bytes) -> bool:
        """Tell whether an interface is supported (ERC-165)."""
        return interface in INTERFACES

    @external("function name() view returns (string)")
    def collection_name(self, call: Call) -> str:
        """Return the collection's name."""
        return str(self.config.name)

    @external("function symbol() view returns (string)")
    def symbol(self, call: Call) -> str:
        """Return the collection's short name."""
        return str(self.config.symbol)

    @external("function balanceOf(address owner) view returns (uint256)")
    def balance_of(self, call: Call, owner: bytes) -> int:
        """Return how many tokens an account owns."""
        call.require(owner != ZERO_ADDRESS, self.ERC721InvalidOwner, ZERO_ADDRESS)
        return call.load(_BALANCES[owner])

    @external("function ownerOf(uint256 tokenId) view returns (address)")
    def owner_of(self, call: Call, token_id: int) -> bytes:
        """Return who owns a token."""
        owner = self._owner_of(call, token_id)
        call.require(owner != ZERO_ADDRESS, self.ERC721NonexistentToken, token_id)
        return owner

    @external("function tokenURI(uint256 tokenId) view returns (string)")
    def token_uri(self, call: Call, token_id: int) -> str:
        """Return where a token's metadata are.

        The base URI followed by what the token was minted with, or by its number in decimal; without a
        base URI only what it was minted with.
        """
        self.owner_of(call, token_id)
        base = str(self.config.base_uri)
        own = load_bytes(call, mapping_slot(_URIS, token_id)).decode()
        return base + (own or str(token_id)) if base else own

    @external("function getApproved(uint256 tokenId) view returns (address)")
    def get_approved(self, call: Call, token_id: int) -> bytes:
        """Return who may move a token besides its owner and the owner's operators."""
        self.owner_of(call, token_id)
        return self._approved(call, token_id)

    @external("function isApprovedForAll(address owner, address operator) view returns (bool)")
    def is_approved_for_all(self, call: Call, owner: bytes, operator: bytes) -> bool:
        """Tell whether an operator may move all tokens of an owner."""
        return bool(call.load(_OPERATORS[owner + operator]))

    # Approvals

    @external("function approve(address to, uint256 tokenId)")
    def approve(self, call: Call, to: bytes, token_id: int) -> None:
        """Let an account move one token, or nobody with the zero address; for owner and operators."""
        owner, caller = self.owner_of(call, token_id), call.caller
        if caller != owner and not self.is_approved_for_all(call, owner, caller):
            raise call.error(self.ERC721InvalidApprover, caller)
        call.store(mapping_slot(_APPROVALS, token_id), int.from_bytes(to, "big"))
        call.emit(self.Approval, owner, to, token_id)

    @external("function setApprovalForAll(address operator, bool approved)")
    def set_approval_for_all(self, call: Call, operator: bytes, approved: bool) -> None:
        """Let an operator move all tokens of the caller, or no longer."""
        call.require(operator != ZERO_ADDRESS, self.ERC721InvalidOperator, ZERO_ADDRESS)
        call.store(_OPERATORS[call.caller + operator], int(approved))
        call.emit(self.ApprovalForAll, call.caller, operator, approved)

    # Transfers

    @external("function transferFrom(address from, address to, uint256 tokenId)")
    def transfer_from(self, call: Call, sender: bytes, to: bytes, token_id: int) -> None:
        """Move a token, without asking the recipient."""
        call.require(to != ZERO_ADDRESS, self.ERC721InvalidReceiver, ZERO_ADDRESS)
        owner = self._owner_of(call, token_id)
        self._check_authorized(call, owner, token_id)
        self._update(call, owner, to, token_id)
        call.require(owner == sender, self.ERC721IncorrectOwner, sender, token_id, owner)

    @external("function safeTransferFrom(address from, address to, uint256 tokenId)")
    def safe_transfer_from(self, call: Call, sender: bytes, to: bytes, token_id: int) -> None:
        """Move a token; a contract must accept it."""
        self.safe_transfer_with_data(call, sender, to, token_id, b"")

    @external("function safeTransferFrom(address from, address to, uint256 tokenId, bytes data)")
    def safe_transfer_with_data(
        self, call: Call, sender: bytes, to: bytes, token_id: int, data: bytes
    ) -> None:
        """Move a token; a contract is given the data and must accept it."""
        self.transfer_from(call, sender, to, token_id)
        self._ask_receiver(call, sender, to, token_id, data)

    # What the config switches on

    @external("function mint(address to, uint256 tokenId)", when="mintable")
    def mint(self, call: Call, to: bytes, token_id: int) -> None:
        """Make a token; for the collection's owner only."""
        self.only_owner(call)
        self._mint(call, to, token_id)

    @external("function mint(address to, uint256 tokenId, string uri)", when="mintable")
    def mint_with_uri(self, call: Call, to: bytes, token_id: int, uri: str) -> None:
        """Make a token with a URI of its own; for the collection's owner only."""
        self.mint(call, to, token_id)
        self._set_uri(call, token_id, uri)

    @external("function safeMint(address to, uint256 tokenId)", when="mintable")
    def safe_mint(self, call: Call, to: bytes, token_id: int) -> None:
        """Make a token; a contract must accept it. For the collection's owner only."""
        self.mint(call, to, token_id)
        self._ask_receiver(call, ZERO_ADDRESS, to, token_id, b"")

    @external("function safeMint(address to, uint256 tokenId, string uri)", when="mintable")
    def safe_mint_with_uri(self, call: Call, to: bytes, token_id: int, uri: str) -> None:
        """Make a token with a URI of its own; a contract must accept it. For the owner only."""
        self.safe_mint(call, to, token_id)
        self._set_uri(call, token_id, uri)

    @external("function burn(uint256 tokenId)", when="burnable")
    def burn(self, call: Call, token_id: int) -> None:
        """Destroy a token; for whoever may move it."""
        owner = self._owner_of(call, token_id)
        self._check_authorized(call, owner, token_id)
        self._update(call, owner, ZERO_ADDRESS, token_id)

    # Inside

    def _owner_of(self, call: Call, token_id: int) -> bytes:
        return call.load(mapping_slot(_OWNERS, token_id)).to_bytes(20, "big")

    def _approved(self, call: Call, token_id: int) -> bytes:
        return call.load(mapping_slot(_APPROVALS, token_id)).to_bytes(20, "big")

    def _check_authorized(self, call: Call, owner: bytes, token_id: int) -> None:
        caller = call.caller
        call.require(owner != ZERO_ADDRESS, self.ERC721NonexistentToken, token_id)
        if caller in (owner, ZERO_ADDRESS):
            allowed = caller == owner
        else:
            allowed = (
                self.is_approved_for_all(call, owner, caller) or self._approved(call, token_id) == caller
            )
        call.require(allowed, self.ERC721InsufficientApproval, caller, token_id)

    def _mint(self, call: Call, to: bytes, token_id: int) -> None:
        call.require(to != ZERO_ADDRESS, self.ERC721InvalidReceiver, ZERO_ADDRESS)
        owner = self._owner_of(call, token_id)
        call.require(owner == ZERO_ADDRESS, self.ERC721InvalidSender, ZERO_ADDRESS)
        self._update(call, ZERO_ADDRESS, to, token_id)

    def _update(self, call: Call, owner: bytes, to: bytes, token_id: int) -> None:
        """Give a token of ``owner`` (nobody: a new one) to ``to`` (nobody: destroy it)."""
        if owner == ZERO_ADDRESS:
            self.enter(call, token_id)
        else:
            call.store(mapping_slot(_APPROVALS, token_id), 0)
        if owner != to:
            if owner != ZERO_ADDRESS:
                self._drop(call, owner, token_id)
            if to != ZERO_ADDRESS:
                self._add(call, to, token_id)
        if to == ZERO_ADDRESS:
            self.leave(call, token_id)
        call.store(mapping_slot(_OWNERS, token_id), int.from_bytes(to, "big"))
        call.emit(self.Transfer, owner, to, token_id)

    def _drop(self, call: Call, owner: bytes, token_id: int) -> None:
        place = _BALANCES[owner]
        left = call.load(place) - 1
        call.store(place, left)
        self.take(call, owner, token_id, left)

    def _add(self, call: Call, owner: bytes, token_id: int) -> None:
        place = _BALANCES[owner]
        held = call.load(place)
        call.store(place, held + 1)
        self.give(call, owner, token_id, held)

    def _set_uri(self, call: Call, token_id: int, uri: str) -> None:
        store_bytes(call, mapping_slot(_URIS, token_id), uri.encode())
        call.emit(self.MetadataUpdate, token_id)

    def _ask_receiver(self, call: Call, sender: bytes, to: bytes, token_id: int, data: bytes) -> None:
        if not accepts(call, sender, to, token_id, data):
            raise call.error(self.ERC721InvalidReceiver, to)
