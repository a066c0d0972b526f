"""Holding coin and tokens for others: what every contract that escrows something has in common.

An *asset* is an amount of the chain's coin, an amount of an ERC-20 token, or one ERC-721 token. A contract
takes one from its owner (coin comes along with the call; tokens are pulled by ``transferFrom``, so that the
owner approves the contract first) and gives it away once, to whom its rules say.

What is taken is what was meant, or the call reverts: an ERC-20 token must answer ``true`` and raise the
contract's balance by exactly the amount, which tokens that keep a fee do not; an ERC-721 token must belong to
the contract afterwards.

While a token runs, it may call whatever it likes, this contract included. So a contract is *locked* for that
long, and its functions that change anything refuse to run (:meth:`Custodian.require_unlocked`).

**Caveats**

- An ERC-721 token is given by ``transferFrom``: a contract that gets one is not asked, so that it cannot
  hold up those who settle. Whoever names a contract as recipient sees to it that it can move the token again.
- Coin is given without calling any code.
- A token that lies about balances cheats only those who chose it: nothing here mixes two tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final, Self

from chainstack_sdk.core.native.contract import NativeContract, error
from chainstack_sdk.core.native.slots import slot
from chainstack_sdk.paradigms.erc20 import Erc20
from chainstack_sdk.paradigms.erc721 import Erc721
from chainstack_sdk.primitives.address import ZERO_ADDRESS, to_address
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call
    from chainstack_sdk.primitives.address import AddressLike

_TRUE = (1).to_bytes(32, "big")
_WORD = 32
_LOCK = slot(0)
_OPEN, _LOCKED = 0, 1
_TRANSFER = Erc20.abi_function("transfer")
_BALANCE_OF = Erc20.abi_function("balanceOf")
_TRANSFER_FROM = Erc20.abi_function("transferFrom")
"""The same function, by its selector, of both kinds of tokens."""
_OWNER_OF = Erc721.abi_function("ownerOf")
FIRST_SLOT: Final = 1
"""The first number of a slot that contracts of :class:`Custodian` have for themselves."""


class AssetKind(IntEnum):
    """What an asset is made of."""

    COIN = 0
    """The chain's own coin."""
    ERC20 = 1
    ERC721 = 2


@dataclass(frozen=True, slots=True)
class Asset:
    """Some coin, or tokens of one contract.

    Raises
    ------
    UsageError
        When the number does not fit into 256 bits, coin has a token contract, or a token has none.
    """

    kind: AssetKind
    token: bytes
    """The token's contract, 20 bytes; zeros for coin."""
    number: int
    """Wei, an amount in the token's smallest unit, or an ERC-721 token's id."""

    def __post_init__(self) -> None:
        if not 0 <= self.number < 1 << 256:
            raise UsageError("an asset's number has at most 256 bits", actual=self.number)
        if len(self.token) != 20:
            raise UsageError("a token's address has 20 bytes", actual=self.token)
        if (self.kind is AssetKind.COIN) != (self.token == ZERO_ADDRESS):
            raise UsageError("a token has a contract, and coin has none", actual=self.token)

    @classmethod
    def coin(cls, wei: int) -> Self:
        """Return an amount of the chain's coin."""
        return cls(AssetKind.COIN, ZERO_ADDRESS, wei)

    @classmethod
    def erc20(cls, token: AddressLike, amount: int) -> Self:
        """Return an amount of a fungible token, in its smallest unit."""
        return cls(AssetKind.ERC20, to_address(token), amount)

    @classmethod
    def erc721(cls, token: AddressLike, token_id: int) -> Self:
        """Return one token of a collection."""
        return cls(AssetKind.ERC721, to_address(token), token_id)

    @property
    def wei(self) -> int:
        """The coin that has to come along when the asset is handed over: 0 for tokens."""
        return self.number if self.kind is AssetKind.COIN else 0


class Custodian(NativeContract):
    """Takes assets in and gives them away; slot 0 is its lock."""

    WrongFunds = error("error WrongFunds(uint256 expected, uint256 actual)")
    InvalidAsset = error("error InvalidAsset(uint8 kind, address token)")
    TransferRefused = error("error TransferRefused(address token)")
    Reentered = error("error Reentered()")

    def require_unlocked(self, call: Call) -> None:
        """Refuse to run while a token does: called first by every function that changes anything."""
        call.require(call.load(_LOCK) == _OPEN, self.Reentered)

    def asset(self, call: Call, kind: int, token: bytes, number: int) -> Asset:
        """Return the asset that three arguments stand for.

        Raises
        ------
        Reverted
            ``InvalidAsset`` when there is no such kind, or the token's address does not fit it.
        """
        known = kind <= max(AssetKind) and (kind == AssetKind.COIN) == (token == ZERO_ADDRESS)
        call.require(known, self.InvalidAsset, kind, token)
        return Asset(AssetKind(kind), token, number)

    def take(self, call: Call, asset: Asset, owner: bytes) -> None:
        """Take an asset from its owner: coin that came with the call, or tokens the owner has approved.

        Raises
        ------
        Reverted
            ``WrongFunds`` when the coin of the call, or what a token has handed over, is not the amount;
            ``InvalidAsset`` when no contract is at the token's address; ``TransferRefused`` when the token
            answers something else than it must; or the refusal of the token.
        """
        call.require(call.value == asset.wei, self.WrongFunds, asset.wei, call.value)
        if asset.kind is AssetKind.COIN:
            return
        token = asset.token
        call.require(call.is_contract(token), self.InvalidAsset, asset.kind, token)
        call.store(_LOCK, _LOCKED)
        data = _TRANSFER_FROM.encode_call(owner, call.address, asset.number)
        if asset.kind is AssetKind.ERC721:
            call.call(token, data)
            held = self._ask(call, token, _OWNER_OF.encode_call(asset.number))
            call.require(held == int.from_bytes(call.address, "big"), self.TransferRefused, token)
        else:
            question = _BALANCE_OF.encode_call(call.address)
            before = self._ask(call, token, question)
            call.require(call.call(token, data) == _TRUE, self.TransferRefused, token)
            received = max(self._ask(call, token, question) - before, 0)
            call.require(received == asset.number, self.WrongFunds, asset.number, received)
        call.store(_LOCK, _OPEN)

    def try_give(self, call: Call, asset: Asset, to: bytes) -> bool:
        """Give an asset away; tell whether its token did it. Coin cannot be refused."""
        if asset.kind is AssetKind.COIN:
            call.transfer(to, asset.number)
            return True
        outer = call.load(_LOCK)  # a token that is being taken may lead here
        call.store(_LOCK, _LOCKED)
        if asset.kind is AssetKind.ERC721:
            done, _ = call.try_call(asset.token, _TRANSFER_FROM.encode_call(call.address, to, asset.number))
        else:
            done, answer = call.try_call(asset.token, _TRANSFER.encode_call(to, asset.number))
            done = done and answer == _TRUE
        call.store(_LOCK, _LOCKED if outer == _LOCKED else _OPEN)
        return done

    def give(self, call: Call, asset: Asset, to: bytes) -> None:
        """Give an asset away.

        Raises
        ------
        Reverted
            ``TransferRefused`` when its token does not do it.
        """
        call.require(self.try_give(call, asset, to), self.TransferRefused, asset.token)

    def _ask(self, call: Call, token: bytes, question: bytes) -> int:
        answer = call.call(token, question)
        call.require(len(answer) == _WORD, self.TransferRefused, token)
        return int.from_bytes(answer, "big")
