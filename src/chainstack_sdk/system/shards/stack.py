"""Many shards as one system: one address space, transactions to where their senders are at home.

::

    with ShardedStack.open(2, {alice: ether(10), bob: 0}) as stack:
        stack.transfer(alice, bob, ether(1))
        stack.balance(bob)

All shards seal together, one block each a round, every one in a process of its own. A round carries what the
round before sent from shard to shard.

**Caveats**

- Shards live in memory, and end with the stack. When the process of one dies, all of it is over.
- Not thread-safe.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, cast

from chainstack_sdk.chain.writer import DEFAULT_TIP
from chainstack_sdk.core.gas import TX_BASE
from chainstack_sdk.core.transactions import sign_transaction
from chainstack_sdk.primitives.address import to_address
from chainstack_sdk.primitives.errors import ChainStackError, InvariantBroken, UsageError
from chainstack_sdk.system.shards import reports
from chainstack_sdk.system.shards.bank import BANK_ADDRESS, MAX_SUPPLY
from chainstack_sdk.system.shards.homes import Homes
from chainstack_sdk.system.shards.ports import Crew, LocalPort, ProcessPort
from chainstack_sdk.system.shards.reports import Sealed
from chainstack_sdk.system.shards.routing import shard_for
from chainstack_sdk.system.shards.shard import OPERATOR_COIN
from chainstack_sdk.xchain.addresses import HUB_ADDRESS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from chainstack_sdk.core.transactions import Transaction
    from chainstack_sdk.primitives.address import AddressLike
    from chainstack_sdk.primitives.keys import Signer
    from chainstack_sdk.system.shards.ports import ShardPort

FIRST_CHAIN = 31_400
"""The chain id of shard 0, if nothing else is said."""
_MOST_ROUNDS = 64
"""More rounds than coin needs to arrive, unless blocks are full."""


@dataclass(frozen=True, slots=True)
class Transferred:
    """A transfer that has arrived."""

    transaction_hash: bytes
    """32 bytes."""
    source: int
    """The sender's shard."""
    destination: int
    """The receiver's shard."""
    rounds: int
    """In how many rounds it arrived: 1 on one shard, 2 from one to another."""


class ShardedStack:
    """A system of equal shards; made by :meth:`open`.

    Parameters
    ----------
    homes
        How accounts are shared out.
    ports
        A way to each shard, none of which has been asked anything.
    funds
        Wei by address.
    """

    def __init__(self, homes: Homes, ports: Sequence[ShardPort], funds: Mapping[bytes, int]) -> None:
        self.homes = homes
        """How accounts are shared out."""
        self._crew = Crew(ports)
        self._mail: list[list[bytes]] = [[] for _ in ports]
        self._shipments: dict[tuple[int, int, int], int] = {}
        self._astray = 0
        self.genesis_supply = sum(funds.values()) + OPERATOR_COIN * homes.count
        """Wei in the system from its start to its end, 10,000 coins of each shard's operator included."""
        if not all(wei >= 0 for wei in funds.values()) or self.genesis_supply > MAX_SUPPLY:
            raise UsageError("a sharded system has less than 2^96 wei, and nobody less than 0")
        if HUB_ADDRESS in funds or BANK_ADDRESS in funds:
            raise UsageError("the hub and the bank of a shard cannot be endowed")
        self._begin(funds)

    @classmethod
    def open(
        cls,
        count: int,
        funds: Mapping[Any, int] | None = None,
        *,
        workers: bool = True,
        first_chain: int = FIRST_CHAIN,
    ) -> Self:
        """Make a system of shards.

        Parameters
        ----------
        count
            How many shards: as many as there are processor cores, as a rule.
        funds
            Wei by address.
        workers
            Whether each shard runs in a process of its own; otherwise all run in this one.
        first_chain
            The chain id of shard 0; the others' follow.

        Raises
        ------
        UsageError
            When there are no shards or too many, or an address or an amount is not one.
        ShardDown
            When a process does not come up.
        """
        homes = Homes(count, first_chain).checked()
        held: dict[bytes, int] = {to_address(who): wei for who, wei in (funds or {}).items()}
        ports: list[ShardPort] = []
        try:
            for shard in range(count):
                ports.append(ProcessPort(shard) if workers else LocalPort())
            return cls(homes, ports, held)
        except BaseException:
            for port in ports:
                port.close()
            raise

    # Looking

    def shard_of(self, address: AddressLike) -> int:
        """Return the shard on which an account is at home, from 0."""
        return self.homes.shard_of(to_address(address))

    def chain_id_of(self, address: AddressLike) -> int:
        """Return the chain id that an account signs for."""
        return self.homes.chain_of(self.shard_of(address))

    def balance(self, address: AddressLike) -> int:
        """Return an account's coin in wei, without what is on its way to it."""
        return self._look(to_address(address))[0]

    def nonce(self, address: AddressLike) -> int:
        """Return the nonce of an account's next transaction."""
        return self._look(to_address(address))[1]

    def succeeded(self, transaction_hash: bytes) -> bool | None:
        """Tell whether a transaction did what it says; None while it is in no block of any shard."""
        request = reports.request(reports.FIND, transaction_hash)
        answers = self._crew.gather(lambda _: request)
        found = max(reports.number(reports.decoded(answer)[0]) for answer in answers)
        return (None, False, True)[found]

    @property
    def in_flight(self) -> int:
        """Wei that has left one shard and not arrived on another."""
        return sum(self._shipments.values())

    def supply(self) -> int:
        """Return the wei of all accounts on all shards, and in flight: always :attr:`genesis_supply`."""
        answers = self._crew.gather(lambda _: reports.request(reports.COUNT))
        return sum(reports.number(reports.decoded(answer)[0]) for answer in answers) + self.in_flight

    # Changing

    def sign(
        self,
        sender: Signer,
        to: AddressLike,
        amount: int,
        *,
        nonce: int | None = None,
        tip: int = DEFAULT_TIP,
    ) -> Transaction:
        """Sign a transfer for the sender's shard.

        Parameters
        ----------
        amount
            Wei.
        nonce
            By default the next one.
        tip
            Wei for each gas above the base fee.
        """
        home = to_address(sender)
        _, expected, base_fee = self._look(home)
        return sign_transaction(
            sender,
            chain_id=self.chain_id_of(home),
            nonce=expected if nonce is None else nonce,
            to=to_address(to),
            gas=TX_BASE,
            value=amount,
            max_fee_per_gas=2 * base_fee + tip,
            max_priority_fee_per_gas=tip,
        )

    def transfer(self, sender: Signer, to: AddressLike, amount: int) -> Transferred:
        """Send coin, in wei, wherever the receiver is at home; seals until it has arrived.

        Raises
        ------
        Rejected
            When the sender does not have it, above all.
        UsageError
            When the receiver is a contract of the sender's shard, which takes no plain payments; or when no
            block has room for the transfer.
        """
        transaction = self.sign(sender, to, amount)
        self.send_many([transaction])
        source, destination = self.shard_of(to_address(sender)), self.shard_of(to)
        rounds = 0
        while (succeeded := self.succeeded(transaction.hash)) is None:
            if rounds == _MOST_ROUNDS:
                raise UsageError("the blocks have no room for the transfer", hash=transaction.hash)
            self.seal()
            rounds += 1
        if not succeeded:
            raise UsageError("the receiver is a contract, and refused", actual=transaction.to)
        if source != destination:
            rounds += self.settle()
        return Transferred(transaction.hash, source, destination, rounds)

    def send_many(
        self, transactions: Iterable[bytes | Transaction], *, strict: bool = True
    ) -> list[bytes | ChainStackError]:
        """Admit many signed transactions, each on the shard that it is signed for.

        Returns
        -------
        list
            The hash of each, in order. Unless ``strict``, the error of each that is refused.

        Raises
        ------
        InvalidInput, Rejected
            When ``strict``: the first refusal, with its ``index``; all others are admitted.
        """
        outcomes: list[bytes | ChainStackError] = []
        places: list[list[int]] = [[] for _ in range(self.homes.count)]
        raws: list[list[bytes]] = [[] for _ in range(self.homes.count)]
        for index, one in enumerate(transactions):
            raw = one if isinstance(one, bytes) else one.raw
            shard = shard_for(self.homes, raw)
            if isinstance(shard, int):
                places[shard].append(index)
                raws[shard].append(raw)
                outcomes.append(b"")
            else:
                outcomes.append(shard)
        answers = self._crew.gather(lambda shard: reports.request(reports.ADMIT, *raws[shard]))
        for shard, answer in enumerate(answers):
            for index, item in zip(places[shard], reports.decoded(answer), strict=True):
                outcomes[index] = reports.outcome_of(item)
        if strict:
            for index, outcome in enumerate(outcomes):
                if isinstance(outcome, ChainStackError):
                    outcome.facts["index"] = index
                    raise outcome
        return outcomes

    def seal(self) -> list[Sealed]:
        """Make a block on every shard at once, and return a report of each."""
        mail, self._mail = self._mail, [[] for _ in range(self.homes.count)]
        answers = self._crew.gather(lambda shard: reports.request(reports.SEAL, *mail[shard]))
        sealed = [Sealed.decode(answer) for answer in answers]
        self._astray = sum(report.astray for report in sealed)
        for report in sealed:
            for shard, proof in report.mail:
                self._mail[shard].append(proof)
            for shipment in report.received:
                self._account(shipment, arrived=True)
            for shipment in report.sent:
                self._account(shipment, arrived=False)
        return sealed

    def settle(self, most: int = _MOST_ROUNDS) -> int:
        """Seal until no coin is on its way to another shard, and return how many rounds it took.

        Raises
        ------
        UsageError
            When so many rounds do not do.
        """
        rounds = 0
        while self._shipments or self._astray:
            if rounds == most:
                raise UsageError(
                    "coin is on its way between shards", rounds=most, actual=self.in_flight + self._astray
                )
            self.seal()
            rounds += 1
        return rounds

    def close(self) -> None:
        """End all shards."""
        self._crew.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Inside

    def _begin(self, funds: Mapping[bytes, int]) -> None:
        homes, supply = self.homes, self.genesis_supply
        held: list[list[reports.Items | bytes]] = [[] for _ in range(self.homes.count)]
        for address, wei in sorted(funds.items()):
            held[homes.shard_of(address)].append([address, reports.number_bytes(wei)])

        def opening(shard: int) -> bytes:
            numbers = map(reports.number_bytes, (homes.count, homes.first_chain, shard))
            seed = secrets.token_bytes(32)
            return reports.request(reports.OPEN, *numbers, seed, reports.number_bytes(supply), *held[shard])

        anchors = self._crew.gather(opening)

        def meeting(shard: int) -> bytes:
            others = [
                cast("reports.Items", [reports.number_bytes(other), anchor])
                for other, anchor in enumerate(anchors)
                if other != shard
            ]
            return reports.request(reports.MEET, *others)

        self._crew.gather(meeting)

    def _look(self, address: bytes) -> tuple[int, int, int]:
        request = reports.request(reports.LOOK, address)
        (answer,) = self._crew.gather(lambda _: request, [self.homes.shard_of(address)])
        balance, nonce, base_fee = map(reports.number, reports.decoded(answer))
        return balance, nonce, base_fee

    def _account(self, shipment: reports.Shipment, *, arrived: bool) -> None:
        key = shipment.source, shipment.destination, shipment.sequence
        if (self._shipments.pop(key, None) == shipment.amount) != arrived:
            raise InvariantBroken("coin between shards came out of nowhere, or twice", actual=shipment)
        if not arrived:
            self._shipments[key] = shipment.amount
