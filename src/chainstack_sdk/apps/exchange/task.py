"""Data tasks on a chain as Python objects."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, NotRequired, Protocol, TypedDict, Unpack

from chainstack_sdk.apps.exchange.errors import TaskRefused
from chainstack_sdk.apps.exchange.specification import MAX_ON_CHAIN, Specification
from chainstack_sdk.apps.exchange.statement import Statement
from chainstack_sdk.core.native.host import ContractHost
from chainstack_sdk.machines.codes import DEPLOYER_ADDRESS
from chainstack_sdk.machines.deployer import Deployer
from chainstack_sdk.machines.standard import DataTask, StandardHandle
from chainstack_sdk.primitives.address import ZERO_ADDRESS, AddressLike, to_address, to_checksum_address
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.primitives.keys import Signer


class ExchangeHost(ContractHost, Protocol):
    """A chain that says which one it is: statements are about tasks of one chain."""

    @property
    def chain_id(self) -> int:
        """The chain's number."""
        ...


class AnswerStatus(IntEnum):
    """What has become of an answer."""

    NONE = 0
    """There is no such answer."""
    WAITING = 1
    """The buyer may accept it or object."""
    PAID = 2
    CONTESTED = 3
    """The buyer objected, and the arbiter may rule."""
    REFUSED = 4
    """It will not be paid."""


class Offer(TypedDict):
    """What a buyer offers, and how long things may take."""

    price: int
    """Wei for each answer."""
    answers: int
    """How many, 1 to 10,000."""
    window: int
    """Seconds in which answers are taken, up to 366 days."""
    objection_period: int
    """Seconds from an answer in which it may be objected to, up to 90 days."""
    arbiter: NotRequired[AddressLike]
    """Who rules on contested answers; by default nobody, and objections are final."""
    ruling_period: NotRequired[int]
    """Seconds from an objection in which the arbiter may rule, up to 90 days."""
    gas: NotRequired[int]
    """Gas limit of the transaction; found by the chain when not given."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a task promises; it never changes. Addresses are 20 bytes, hashes 32."""

    buyer: bytes
    arbiter: bytes
    """Who rules on contested answers; zeros for nobody."""
    applet: bytes
    """Hash of the applet."""
    specification: bytes
    """Hash of the specification."""
    key: bytes
    """The buyer's public X25519 key, 32 bytes."""
    price: int
    """Wei for each answer."""
    wanted: int
    """How many answers."""
    deadline: int
    """Unix seconds; no answers from then on."""
    objection_period: int
    """Seconds from an answer in which the buyer may object."""
    ruling_period: int
    """Seconds from an objection in which the arbiter may rule; 0 without an arbiter."""

    @property
    def has_arbiter(self) -> bool:
        """Whether somebody rules on contested answers."""
        return self.arbiter != ZERO_ADDRESS


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as the chain has it."""

    number: int
    """From 1."""
    provider: bytes
    """20 bytes."""
    status: AnswerStatus
    since: int
    """Unix seconds: of the answer, or of the objection when the arbiter got the case."""
    sealed: bytes
    """keccak-256 of the envelope, 32 bytes."""
    data: bytes
    """Commitment to the records, 32 bytes."""
    envelope: bytes
    """The envelope; empty when it goes another way."""


class DataTaskHandle(StandardHandle):
    """A data task on a chain.

    Whoever is named ``sender`` signs the transaction and pays its fee. What the task refuses raises
    :class:`~chainstack_sdk.primitives.errors.Reverted` with the reason.
    """

    machine_class = DataTask

    def __init__(self, host: ExchangeHost, address: AddressLike) -> None:
        super().__init__(host, address)
        self.chain_id = host.chain_id
        """The chain's number."""

    @classmethod
    def publish(
        cls,
        host: ExchangeHost,
        sender: Signer,
        *,
        applet: bytes,
        specification: Specification,
        key: bytes,
        **offer: Unpack[Offer],
    ) -> DataTaskHandle:
        """Publish a task with the whole escrow by one transaction.

        Parameters
        ----------
        host
            The chain; one with the deployer of machines.
        sender
            The buyer, who signs and pays.
        applet
            Hash of the applet, 32 bytes.
        specification
            What it is asked, and what its result must be. With more than 1,024 bytes it does not go on
            chain: hand its encoding to providers.
        key
            The buyer's public X25519 key, 32 bytes.
        **offer
            See :class:`Offer`.

        Raises
        ------
        Reverted
            When a term is out of range.
        UsageError
            When an argument does not fit its type, or the chain has no deployer.
        """
        text, price, answers = specification.encode(), offer["price"], offer["answers"]
        made = DataTask.deploy(
            host,
            sender,
            value=price * answers,
            gas=offer.get("gas"),
            applet=applet,
            specification=specification.hash,
            text=text if len(text) <= MAX_ON_CHAIN else b"",
            key=key,
            price=price,
            wanted=answers,
            window=offer["window"],
            objection_period=offer["objection_period"],
            ruling_period=offer.get("ruling_period", 0),
            arbiter=to_address(offer.get("arbiter", ZERO_ADDRESS)),
        )
        return cls(host, made.address)

    # Questions

    @cached_property
    def terms(self) -> Terms:
        """What the task promises."""
        return Terms(*self.read("terms"))

    def progress(self) -> tuple[int, int, int]:
        """Return how many answers there have been, how many are undecided, and how many are paid."""
        count, pending, paid = self.read("progress")
        return count, pending, paid

    @property
    def takes_answers(self) -> bool:
        """Whether an answer may be given now: it is open, in time, and wants more."""
        _, pending, paid = self.progress()
        return self.state == "open" and not self.read("due") and pending + paid < self.terms.wanted

    def number_of(self, provider: AddressLike) -> int:
        """Return the number of a provider's answer, 0 for none."""
        return int(self.read("number_of", to_address(provider)))

    def status(self, number: int) -> AnswerStatus:
        """Return what has become of an answer."""
        return AnswerStatus(self.read("answer_of", number)[1])

    def answers(self, *, first: int = 0, last: int | None = None) -> list[Answer]:
        """Return the answers in order of their numbers.

        Parameters
        ----------
        first, last
            Heights between which they were given, both included.
        """
        return [self._answer(each.args) for each in self.events("Answered", first=first, last=last)]

    def _answer(self, args: Mapping[str, Any]) -> Answer:
        number = args["number"]
        provider, status, since, sealed = self.read("answer_of", number)
        return Answer(number, provider, AnswerStatus(status), since, sealed, args["data"], args["envelope"])

    def specification(self, text: bytes | None = None) -> Specification:
        """Return what the task asks.

        Parameters
        ----------
        text
            The specification's encoding, when it is not on chain.

        Raises
        ------
        TaskRefused
            When it is not on chain and not given, or given and another.
        InvalidInput
            When what the task was published with is no specification.
        """
        if text is None:
            (published,) = self.events("Published")
            text = published.args["text"]
        if not text:
            raise TaskRefused("the specification is not on chain: ask the buyer for it")
        found = Specification.decode(text)
        if found.hash != self.terms.specification:
            raise TaskRefused("another specification", expected=self.terms.specification, actual=found.hash)
        return found

    def statement(self, provider: AddressLike, data: bytes) -> Statement:
        """Return what a provider signs here, given its commitment to the data."""
        terms = self.terms
        return Statement(
            self.chain_id, self.address, to_address(provider), terms.applet, terms.specification, data
        )

    # Transactions

    def answer(
        self, sender: Signer, sealed: bytes, data: bytes, envelope: bytes = b"", *, gas: int | None = None
    ) -> int:
        """Answer, and return the answer's number.

        Parameters
        ----------
        sealed
            keccak-256 of the envelope, 32 bytes.
        data
            Commitment to the records, 32 bytes.
        envelope
            The envelope, when it has at most 1,024 bytes; empty when it goes another way.
        gas
            Gas limit; found by the chain when not given.
        """
        self.send(sender, "answer", self.terms.applet, sealed, data, envelope, gas=gas)
        return self.number_of(sender.address)

    def accept(self, sender: Signer, number: int) -> Receipt:
        """Pay for an answer; the buyer may."""
        return self.send(sender, "accept", number)

    def object(self, sender: Signer, number: int, reason: str) -> Receipt:
        """Refuse to pay for an answer, for a reason of at most 128 bytes; the buyer may, in time."""
        return self.send(sender, "object", number, reason)

    def rule(self, sender: Signer, number: int, *, pay: bool) -> Receipt:
        """Decide a contested answer; the arbiter may, in time."""
        return self.send(sender, "rule", number, pay)

    def settle(self, sender: Signer, number: int) -> Receipt:
        """Close an answer whose time is up: it is paid, or refused when contested; anybody may."""
        return self.send(sender, "settle", number)

    def close(self, sender: Signer) -> Receipt:
        """Close a task that has ended and in which no answer waits; anybody may."""
        return self.send(sender, "close")


def find_tasks(host: ExchangeHost, *, first: int = 0, last: int | None = None) -> list[DataTaskHandle]:
    """Return the data tasks of a chain in the order of their publication.

    Only machines with exactly the code of :class:`~chainstack_sdk.machines.standard.DataTask` are found: the
    deployer says so.

    Parameters
    ----------
    first, last
        Heights, both included.
    """
    topics = (_DEPLOYED.topic, None, None, DataTask.identity())
    found = host.logs(DEPLOYER_ADDRESS, topics, first, last)
    return [DataTaskHandle(host, each.log.topics[1][12:]) for each in found]


def find_task(host: ExchangeHost, address: AddressLike) -> DataTaskHandle:
    """Return the data task at an address.

    Raises
    ------
    UsageError
        When none was deployed there.
    """
    where = to_address(address)
    topics = (_DEPLOYED.topic, bytes(12) + where, None, DataTask.identity())
    if not host.logs(DEPLOYER_ADDRESS, topics):
        raise UsageError("no data task at this address", actual=to_checksum_address(where))
    return DataTaskHandle(host, where)


(_DEPLOYED,) = [each for each in Deployer.abi_events if each.name == "Deployed"]
