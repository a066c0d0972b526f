"""The bank of a shard: how coin gets from one shard to another.

Coin is sent to an account of another shard as to any other, by a plain transfer. It is then on the wrong
shard, where its owner cannot use it. The bank takes it from there at anybody's request and sends it home, all
that has one destination in one packet, up to 256 accounts, and the bank there pays it out::

    payload of a packet    (account 20 ‖ wei 12) for each account, big-endian

A bank is endowed with all the coin that other shards hold. So each shard has as much coin as the whole
system: what the bank holds is elsewhere, and what it does not hold is here.

**Caveats**

- Contracts keep their coin where they are. Coin that is sent to the address of a contract of *another* shard
  goes to the shard that the address names, where there is no such contract, and nobody can use it.
- Packets of banks never time out: while a shard stands still, what is on its way there stays on its way.
- Storage: slot 0 has the number of shards, slot 1 the chain id of shard 0.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chainstack_sdk.core.genesis import GenesisAccount
from chainstack_sdk.core.native import error, external, slot
from chainstack_sdk.core.native.code import system_code
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.system.shards.homes import Homes, home_of
from chainstack_sdk.xchain.app import CrossChainApp, open_channel, send_packet
from chainstack_sdk.xchain.channels import Endpoint, channel_id
from chainstack_sdk.xchain.packets import MAX_PAYLOAD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainstack_sdk.core.call import Call
    from chainstack_sdk.core.genesis import Genesis
    from chainstack_sdk.xchain.app import PacketContext

BANK_ADDRESS = bytes.fromhex("000000000000000000000000000000000000430b")
"""Where the bank is, on every shard; 20 bytes."""
BANK_CODE = system_code("shard-bank")
"""The code of the bank."""
ENTRY_BYTES = 32
"""What an account takes in a packet."""
MAX_ENTRIES = MAX_PAYLOAD // ENTRY_BYTES
"""Accounts in a packet."""
MAX_SUPPLY = (1 << 96) - 1
"""Wei that the system has at most: 79 thousand million coins."""
NEVER = (1 << 64) - 1
"""The time at which packets of banks time out, in Unix milliseconds."""

_COUNT, _FIRST_CHAIN = slot(0), slot(1)


class ShardBank(CrossChainApp):
    """Takes the coin of accounts that are at home elsewhere, and pays out what came from elsewhere."""

    NoSuchShard = error("error NoSuchShard(uint64 shard)")
    NotAtHomeThere = error("error NotAtHomeThere(address account, uint64 shard)")
    Malformed = error("error Malformed(uint256 size)")

    @external("function connect(uint64 shard) returns (bytes32 channel)")
    def connect(self, call: Call, shard: int) -> bytes:
        """Open the channel to the bank of another shard; anybody may. Doing it again changes nothing."""
        homes = _homes(call)
        self._require_other(call, homes, shard)
        return open_channel(call, homes.chain_of(shard), BANK_ADDRESS)

    @external("function send(uint64 shard, bytes accounts) returns (uint256 sent)")
    def send(self, call: Call, shard: int, accounts: bytes) -> int:
        """Send all the coin of accounts of another shard home, and return how much; anybody may.

        Accounts that hold nothing and contracts are passed over.

        Parameters
        ----------
        accounts
            At most 256 addresses, 20 bytes each, one after the other.
        """
        homes = _homes(call)
        self._require_other(call, homes, shard)
        call.require(len(accounts) % 20 == 0, self.Malformed, len(accounts))
        payload, total = [], 0
        for start in range(0, len(accounts), 20):
            account = accounts[start : start + 20]
            call.require(home_of(account, homes.count) == shard, self.NotAtHomeThere, account, shard)
            amount = call.balance(account)
            if amount and not call.is_contract(account):
                call.within(account).transfer(BANK_ADDRESS, amount)
                payload.append(account + amount.to_bytes(12, "big"))
                total += amount
        if payload:
            here = Endpoint(call.block.chain_id, BANK_ADDRESS)
            channel = channel_id(here, Endpoint(homes.chain_of(shard), BANK_ADDRESS))
            send_packet(call, channel, b"".join(payload), timeout_ms=NEVER)
        return total

    @external("function shards() view returns (uint64 count, uint64 firstChain)")
    def shards(self, call: Call) -> tuple[int, int]:
        """Return how many shards there are, and the chain id of the first."""
        homes = _homes(call)
        return homes.count, homes.first_chain

    @external("function shardOf(address account) view returns (uint64)")
    def shard_of(self, call: Call, account: bytes) -> int:
        """Return the shard on which an account is at home."""
        return _homes(call).shard_of(account)

    def on_packet(self, call: Call, context: PacketContext, payload: bytes) -> bytes:
        """Pay out what came; see :class:`~chainstack_sdk.xchain.app.CrossChainApp`."""
        call.require(len(payload) % ENTRY_BYTES == 0, self.Malformed, len(payload))
        _pay_out(call, payload)
        return b""

    def on_ack(
        self, call: Call, context: PacketContext, payload: bytes, success: bool, result: bytes
    ) -> None:
        """Put coin that was not taken back on the wrong shard, from where it can be sent again."""
        if not success:
            _pay_out(call, payload)

    def _require_other(self, call: Call, homes: Homes, shard: int) -> None:
        here = homes.shard_with(call.block.chain_id)
        call.require(shard < homes.count and shard != here, self.NoSuchShard, shard)


def with_bank(genesis: Genesis, homes: Homes, supply: int) -> Genesis:
    """Return the genesis of a shard with a bank, endowed with all the coin that is not on this shard.

    Parameters
    ----------
    supply
        Wei in the whole system.

    Raises
    ------
    UsageError
        When the genesis has a bank already, or the system has more coin than fits a packet, or less than this
        genesis hands out.
    """
    if BANK_ADDRESS in genesis.accounts:
        raise UsageError("this genesis has a bank already")
    held = sum(account.balance for account in genesis.accounts.values())
    if not held <= supply <= MAX_SUPPLY:
        raise UsageError("a sharded system has less than 2^96 wei", actual=supply)
    storage = {0: homes.count, 1: homes.first_chain}
    bank = GenesisAccount(nonce=1, code=BANK_CODE, balance=supply - held, storage=storage)
    return replace(genesis, accounts={**genesis.accounts, BANK_ADDRESS: bank})


def entries(payload: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield the accounts of a packet between banks, and how much wei each is to get."""
    for start in range(0, len(payload), ENTRY_BYTES):
        yield payload[start : start + 20], int.from_bytes(payload[start + 20 : start + ENTRY_BYTES], "big")


def _homes(call: Call) -> Homes:
    return Homes(call.load(_COUNT), call.load(_FIRST_CHAIN))


def _pay_out(call: Call, payload: bytes) -> None:
    for account, amount in entries(payload):
        call.transfer(account, amount)
