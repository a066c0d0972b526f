"""The two-way peg: assets of this chain on other chains, and theirs on this one.

One contract on every chain that takes part, at the same address; two of them talk over one unordered channel.

- An asset that leaves its home is **locked** here for the other chain, where a *representation* is minted.
- A representation that is sent to where it came from is **burnt** here, and the asset is unlocked there.
- A representation that is sent to a third chain is locked like any other token. So it comes back by the way
  it went, step by step, and no chain has to believe one that is not its neighbour on the way.
- What does not arrive, because it was refused or the time ran out, goes back to the sender: unlocked, or
  minted again.

For every asset and every pair of chains, *locked = represented + in flight*: what a chain that lies can take
is at most what is locked for it, whatever it says. Amounts, ids, decimals and URIs are the same everywhere.

A refund that a token refuses, as one that is paused does, is *owed* to the sender, who claims it later: so no
token can hold up a packet, and with it the channel of all others, by refusing or by lying.

**Caveats**

- A token whose ``transfer`` uses up all gas there is holds up the packets with its refunds, which count
  towards the cap of the channel: do not register paradigms in whose transfers users can make loops endless.
- Tokens must say ``true``, move exactly the amount, and keep balances as they are: those that charge for
  transfers are refused, those that change balances by themselves (rebasing) must not be sent.
- Anybody may give a token any name, such as "Gold (chain 1)": the peg's ``originOf`` is what to believe.
- Name, symbol and decimals of a representation are those of the asset when the first of it arrived.
- Coin that comes home is paid without calling any code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.native import error, event, external
from chainstack_sdk.paradigms.erc721 import Erc721
from chainstack_sdk.primitives.address import ZERO_ADDRESS
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.xchain.addresses import PEG_ADDRESS
from chainstack_sdk.xchain.app import CrossChainApp, open_channel, send_packet
from chainstack_sdk.xchain.custody import Asset, AssetKind, Custodian
from chainstack_sdk.xchain.hub.interface import HubInterface
from chainstack_sdk.xchain.peg import storage
from chainstack_sdk.xchain.peg.description import describe, is_collection
from chainstack_sdk.xchain.peg.representations import Representations
from chainstack_sdk.xchain.peg.storage import PeggedClass
from chainstack_sdk.xchain.peg.transfer import Transfer

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call
    from chainstack_sdk.xchain.app import PacketContext
    from chainstack_sdk.xchain.peg.transfer import Metadata

_SAFE_TRANSFER = Erc721.abi_function("safeTransferFrom(address,address,uint256)")
_MOST = (1 << 256) - 1
"""More no token can pay."""
_NOWHERE = (ZERO_ADDRESS, PEG_ADDRESS)
"""Recipients from whom nothing would come back."""


class Peg(CrossChainApp, Custodian, Representations):
    """The system contract at :data:`~chainstack_sdk.xchain.addresses.PEG_ADDRESS`."""

    Connected = event("event Connected(uint64 indexed chain, bytes32 channel)")
    Sent = event(
        "event Sent(uint64 indexed chain, address indexed token, address indexed sender, uint8 kind,"
        " uint256 number, address to, uint64 sequence)"
    )
    Received = event(
        "event Received(uint64 indexed chain, address indexed token, address indexed to, uint8 kind,"
        " uint256 number, uint64 sequence)"
    )
    Refunded = event(
        "event Refunded(uint64 indexed chain, address indexed token, address indexed sender, uint8 kind,"
        " uint256 number, uint64 sequence)"
    )
    Owed = event("event Owed(address indexed token, address indexed account, uint8 kind, uint256 number)")
    Claimed = event(
        "event Claimed(address indexed token, address indexed account, uint8 kind, uint256 number)"
    )

    InvalidRecipient = error("error InvalidRecipient(address to)")
    ZeroAmount = error("error ZeroAmount()")
    WrongKind = error("error WrongKind(address token, uint8 kind)")
    NotAPeg = error("error NotAPeg(address sender)")
    InvalidTransfer = error("error InvalidTransfer(string reason)")
    NotLocked = error("error NotLocked(uint64 chain, address token, uint8 kind, uint256 number)")
    NothingOwed = error("error NothingOwed(address token, address account)")

    # refusals of the hub, passed on
    UnknownChain = HubInterface.UnknownChain
    Paused = HubInterface.Paused
    CapReached = HubInterface.CapReached
    NoTimeOut = HubInterface.NoTimeOut

    # Sending

    @external("function connect(uint64 chain) returns (bytes32)")
    def connect(self, call: Call, chain: int) -> bytes:
        """Open the channel to another chain's peg, which both must do, and return its id; anybody may.

        Sending does it as well. Once it is open this changes nothing.
        """
        channel = storage.load_channel(call, chain)
        if not any(channel):
            channel = open_channel(call, chain, PEG_ADDRESS)
            storage.store_channel(call, chain, channel)
            call.emit(self.Connected, chain, channel)
        return channel

    @external("function sendCoin(uint64 chain, address to, uint64 timeoutMs) payable returns (uint64)")
    def send_coin(self, call: Call, chain: int, to: bytes, timeout_ms: int) -> int:
        """Send the coin of the call to another chain, and return the packet's sequence.

        Parameters
        ----------
        to
            Who gets it there.
        timeout_ms
            The block time there, in Unix milliseconds, from which on it is too late; then it comes back.
        """
        return self._send(call, Asset.coin(call.value), chain, to, timeout_ms)

    @external(
        "function sendToken(address token, uint256 amount, uint64 chain, address to, uint64 timeoutMs)"
        " returns (uint64)"
    )
    def send_token(
        self, call: Call, token: bytes, amount: int, chain: int, to: bytes, timeout_ms: int
    ) -> int:
        """Send ERC-20 tokens that the caller has approved for the peg; see :meth:`send_coin`."""
        asset = self.asset(call, AssetKind.ERC20, token, amount)
        return self._send(call, asset, chain, to, timeout_ms)

    @external(
        "function sendNft(address token, uint256 id, uint64 chain, address to, uint64 timeoutMs)"
        " returns (uint64)"
    )
    def send_nft(
        self, call: Call, token: bytes, token_id: int, chain: int, to: bytes, timeout_ms: int
    ) -> int:
        """Send an ERC-721 token that the caller has approved for the peg; see :meth:`send_coin`."""
        asset = self.asset(call, AssetKind.ERC721, token, token_id)
        return self._send(call, asset, chain, to, timeout_ms)

    @external("function claimToken(address token) returns (uint256)")
    def claim_token(self, call: Call, token: bytes) -> int:
        """Take the refunds that a token refused to pay to the caller, and return how much that was."""
        self.require_unlocked(call)
        amount = storage.load_owed(call, call.caller, token)
        call.require(amount, self.NothingOwed, token, call.caller)
        storage.store_owed(call, call.caller, token, 0)
        self._claim(call, Asset(AssetKind.ERC20, token, amount))
        return amount

    @external("function claimNft(address token, uint256 id)")
    def claim_nft(self, call: Call, token: bytes, token_id: int) -> None:
        """Take a token of a collection that could not be given back to the caller."""
        self.require_unlocked(call)
        owner = storage.load_owed_token(call, token, token_id)
        call.require(owner == call.caller, self.NothingOwed, token, call.caller)
        storage.store_owed_token(call, token, token_id, ZERO_ADDRESS)
        self._claim(call, Asset(AssetKind.ERC721, token, token_id))

    # Called by the hub

    def on_packet(self, call: Call, context: PacketContext, payload: bytes) -> bytes:
        """Unlock an asset that comes home, or mint what stands for a foreign one."""
        chain = self._counterpart(call, context)
        try:
            transfer = Transfer.decode(payload)
        except InvalidInput as refusal:
            raise call.error(self.InvalidTransfer, refusal.message) from refusal
        asset, to = transfer.asset, transfer.to
        pegged = PeggedClass.of(asset, chain)
        if transfer.metadata is None:
            token = asset.token
            self._unlock(call, pegged, asset.number)
            self._deliver(call, asset, to)
        else:
            token = self.mint(call, pegged, transfer, transfer.metadata)
        call.emit(self.Received, chain, token, to, asset.kind, asset.number, context.sequence)
        return b""

    def on_ack(
        self, call: Call, context: PacketContext, payload: bytes, success: bool, result: bytes
    ) -> None:
        """Refund what the other chain has refused."""
        if not success:
            self._refund(call, context, payload)

    def on_timeout(self, call: Call, context: PacketContext, payload: bytes) -> None:
        """Refund what did not arrive in time."""
        self._refund(call, context, payload)

    # Questions

    @external("function channelTo(uint64 chain) view returns (bytes32)")
    def channel_to(self, call: Call, chain: int) -> bytes:
        """Return the channel to another chain's peg; zeros before it is open."""
        return storage.load_channel(call, chain)

    @external("function representationOf(uint64 chain, address home, uint8 kind) view returns (address)")
    def representation_of(self, call: Call, chain: int, home: bytes, kind: int) -> bytes:
        """Return what stands here for an asset of another chain; the zero address when nothing does yet."""
        return storage.load_representation(call, self._class(call, kind, chain, home))

    @external("function originOf(address token) view returns (uint64 chain, address home, uint8 kind)")
    def origin_of(self, call: Call, token: bytes) -> tuple[int, bytes, int]:
        """Return what a token of this chain stands for; zeros when it is no representation."""
        origin = storage.load_origin(call, token)
        return (0, ZERO_ADDRESS, 0) if origin is None else (origin.chain, origin.token, origin.kind)

    @external("function locked(uint64 chain, address token, uint8 kind) view returns (uint256)")
    def locked(self, call: Call, chain: int, token: bytes, kind: int) -> int:
        """Return how much is locked for another chain; of a collection, how many tokens."""
        return storage.load_locked(call, self._class(call, kind, chain, token))

    @external("function lockedFor(address token, uint256 id) view returns (uint64)")
    def locked_for(self, call: Call, token: bytes, token_id: int) -> int:
        """Return which chain a token of a collection is locked for; 0 when it is not locked."""
        return storage.load_place(call, token, token_id)

    @external("function owed(address token, address account) view returns (uint256)")
    def owed(self, call: Call, token: bytes, account: bytes) -> int:
        """Return how much of a token an account may claim."""
        return storage.load_owed(call, account, token)

    @external("function owedTo(address token, uint256 id) view returns (address)")
    def owed_to(self, call: Call, token: bytes, token_id: int) -> bytes:
        """Return who may claim a token of a collection; the zero address for nobody."""
        return storage.load_owed_token(call, token, token_id)

    # Inside

    def _send(self, call: Call, asset: Asset, chain: int, to: bytes, timeout_ms: int) -> int:
        self.require_unlocked(call)
        call.require(to not in _NOWHERE, self.InvalidRecipient, to)
        call.require(asset.number or asset.kind is AssetKind.ERC721, self.ZeroAmount)
        channel = self.connect(call, chain)
        origin = None if asset.kind is AssetKind.COIN else storage.load_origin(call, asset.token)
        self._require_kind(call, asset, origin)
        if origin is not None and origin.chain == chain:
            self.burn(call, asset, call.caller)
            home = Asset(origin.kind, origin.token, asset.number)
            transfer = Transfer(home, call.caller, to)
        else:
            transfer = Transfer(asset, call.caller, to, self._described(call, asset))
            self.take(call, asset, call.caller)
            self._lock(call, PeggedClass.of(asset, chain), asset.number)
        sequence = send_packet(call, channel, transfer.encode(), timeout_ms=timeout_ms)
        call.emit(self.Sent, chain, asset.token, call.caller, asset.kind, asset.number, to, sequence)
        return sequence

    def _described(self, call: Call, asset: Asset) -> Metadata:
        try:
            return describe(call, asset)
        except InvalidInput as refusal:
            raise call.error(self.InvalidTransfer, refusal.message) from refusal

    def _require_kind(self, call: Call, asset: Asset, origin: PeggedClass | None) -> None:
        """Refuse a collection as a fungible token, and the other way round: their transferFrom is one."""
        if asset.kind is AssetKind.COIN:
            return
        if origin is None:
            call.require(call.is_contract(asset.token), self.InvalidAsset, asset.kind, asset.token)
            collection = is_collection(call, asset.token)
        else:
            collection = origin.kind is AssetKind.ERC721
        expected = asset.kind is AssetKind.ERC721
        call.require(collection == expected, self.WrongKind, asset.token, asset.kind)

    def _lock(self, call: Call, pegged: PeggedClass, number: int) -> None:
        collection = pegged.kind is AssetKind.ERC721
        storage.change_locked(call, pegged, 1 if collection else number)
        if collection:
            held = storage.load_place(call, pegged.token, number)  # a liar lets its token be taken twice
            call.require(not held, self.TransferRefused, pegged.token)
            storage.store_place(call, pegged.token, number, pegged.chain)

    def _unlock(self, call: Call, pegged: PeggedClass, number: int) -> None:
        kind, chain, token = pegged
        if kind is AssetKind.ERC721:
            held = storage.load_place(call, token, number) == chain
            call.require(held, self.NotLocked, chain, token, kind, number)
            storage.store_place(call, token, number, 0)
            storage.change_locked(call, pegged, -1)
            return
        held = storage.load_locked(call, pegged) >= number
        call.require(held, self.NotLocked, chain, token, kind, number)
        storage.change_locked(call, pegged, -number)

    def _deliver(self, call: Call, asset: Asset, to: bytes) -> None:
        if asset.kind is AssetKind.ERC721:
            call.call(asset.token, _SAFE_TRANSFER.encode_call(PEG_ADDRESS, to, asset.number))
        else:
            self.give(call, asset, to)

    def _refund(self, call: Call, context: PacketContext, payload: bytes) -> None:
        chain = storage.load_counterpart(call, context.channel)
        transfer = Transfer.decode(payload)
        asset, sender = transfer.asset, transfer.sender
        pegged = PeggedClass.of(asset, chain)
        if transfer.metadata is None:
            token = self.mint_again(call, pegged, asset.number, sender)
        else:
            token = asset.token
            self._unlock(call, pegged, asset.number)
            if not self.try_give(call, asset, sender):
                self._owe(call, asset, sender)
        call.emit(self.Refunded, chain, token, sender, asset.kind, asset.number, context.sequence)

    def _owe(self, call: Call, asset: Asset, who: bytes) -> None:
        token, number = asset.token, asset.number
        if asset.kind is AssetKind.ERC721:
            storage.store_owed_token(call, token, number, who)
        else:
            owed = storage.load_owed(call, who, token) + number
            storage.store_owed(call, who, token, min(owed, _MOST))  # what lies may add up to more
        call.emit(self.Owed, token, who, asset.kind, number)

    def _claim(self, call: Call, asset: Asset) -> None:
        self.give(call, asset, call.caller)
        call.emit(self.Claimed, asset.token, call.caller, asset.kind, asset.number)

    def _counterpart(self, call: Call, context: PacketContext) -> int:
        chain = storage.load_counterpart(call, context.channel)
        call.require(chain and context.sender == PEG_ADDRESS, self.NotAPeg, context.sender)
        return chain

    def _class(self, call: Call, kind: int, chain: int, token: bytes) -> PeggedClass:
        return PeggedClass.of(self.asset(call, kind, token, 0), chain)
