"""A registry of identities and rights: who is registered as what, and who may use it.

Registrars, of whom two of three must agree, say who issues. An issuer registers a record: for whom, until
when, whether it may pass to others, and the root of a Merkle tree over its attributes, which stay off the
chain. The holder proves one attribute and shows no other; see
:mod:`chainstack_sdk.machines.standard.credential`. A record of a work is a right: its holder passes it on,
and grants licences that end by themselves and outlive a transfer.

The hashes of leaves take four words, of which the first is 0; those of nodes three, of which the first is 1.
So no node can be shown as an attribute, and no attribute as a node.

An issuer can be admitted again, so decisions about one are numbered: what the third registrar says when two
have decided already does not wait for the next time.
"""

from __future__ import annotations

from typing import Annotated

from chainstack_sdk.machines.language import (
    ZERO_ADDRESS,
    Event,
    Indexed,
    Machine,
    Mapping,
    State,
    address,
    bytes32,
    emit,
    keccak,
    require,
    role,
    timestamp,
    transition,
    uint256,
    view,
)


class RightsRegistry(Machine):
    """Records that issuers make, holders use, and their attributes prove."""

    MAX_DEPTH = 16

    registrars = role(3, threshold=2)
    changes: Mapping[address, uint256]
    root: Mapping[bytes32, bytes32]
    issuer: Mapping[bytes32, address]
    holder: Mapping[bytes32, address]
    offered: Mapping[bytes32, address]
    until: Mapping[bytes32, timestamp]
    transferable: Mapping[bytes32, bool]
    revoked: Mapping[bytes32, bool]
    licences: Mapping[bytes32, Mapping[address, timestamp]]
    granted: Mapping[bytes32, uint256]

    open = State()

    class IssuerAdmitted(Event):
        """Somebody may register."""

        issuer: Indexed[address]

    class IssuerDismissed(Event):
        """Somebody may neither register nor revoke; what they have registered stands."""

        issuer: Indexed[address]

    class Registered(Event):
        """A record is there; Unix seconds until when."""

        id: Indexed[bytes32]
        issuer: Indexed[address]
        holder: Indexed[address]
        root: bytes32
        until: timestamp

    class Offered(Event):
        """A holder offers a record; to the zero address: takes the offer back."""

        id: Indexed[bytes32]
        holder: Indexed[address]
        to: Indexed[address]

    class Transferred(Event):
        """A record has another holder."""

        id: Indexed[bytes32]
        holder: Indexed[address]
        to: Indexed[address]

    class Revoked(Event):
        """A record stands no more, for ever."""

        id: Indexed[bytes32]
        by: Indexed[address]

    class Licensed(Event):
        """Somebody may use it, Unix seconds until when; 0: has given that up."""

        id: Indexed[bytes32]
        licensee: Indexed[address]
        until: timestamp

    def __init__(self, registrars: Annotated[list[address], 3]) -> None:
        """Open a registry."""
        require(ZERO_ADDRESS not in registrars, "a registrar is nobody")
        require(
            registrars[0] not in (registrars[1], registrars[2]) and registrars[1] != registrars[2],
            "a registrar stands twice",
        )
        self.registrars = registrars

    # What registrars do

    @transition(open, open, by=registrars)
    def appoint(self, registrars: Annotated[list[address], 3]) -> None:
        """Replace all registrars; what was confirmed before counts no more, even if they come back."""
        require(ZERO_ADDRESS not in registrars, "a registrar is nobody")
        require(
            registrars[0] not in (registrars[1], registrars[2]) and registrars[1] != registrars[2],
            "a registrar stands twice",
        )
        self.registrars = registrars

    @transition(open, by=registrars)
    def admit(self, issuer: address, change: uint256) -> None:
        """Let somebody register, about whom there have been so many decisions."""
        require(issuer != ZERO_ADDRESS, "an issuer is somebody")
        require(change == self.changes[issuer] and change % 2 == 0, "an issuer already, or another decision")
        self.changes[issuer] = change + 1
        emit(self.IssuerAdmitted(issuer))

    @transition(open, by=registrars)
    def dismiss(self, issuer: address, change: uint256) -> None:
        """Let somebody neither register nor revoke any more, about whom there have been so many decisions."""
        require(change == self.changes[issuer] and change % 2 == 1, "no issuer, or another decision")
        self.changes[issuer] = change + 1
        emit(self.IssuerDismissed(issuer))

    @transition(open, by=registrars)
    def strike(self, id: bytes32) -> None:
        """Revoke a record that should never have been made."""
        require(self.holder[id] != ZERO_ADDRESS and not self.revoked[id], "no such record stands")
        self.revoked[id] = True
        emit(self.Revoked(id, self.caller))

    # What issuers and holders do

    @transition(open)
    def register(
        self, id: bytes32, holder: address, root: bytes32, until: timestamp, transferable: bool
    ) -> None:
        """Make a record; an id is never used again."""
        require(self.changes[self.caller] % 2 == 1, "only an issuer may register")
        require(self.holder[id] == ZERO_ADDRESS, "the id is taken")
        require(holder != ZERO_ADDRESS, "a holder is somebody")
        require(until > self.now, "the record would be over already")
        self.root[id] = root
        self.issuer[id] = self.caller
        self.holder[id] = holder
        self.until[id] = until
        self.transferable[id] = transferable
        emit(self.Registered(id, self.caller, holder, root, until))

    @transition(open)
    def revoke(self, id: bytes32) -> None:
        """End a record for ever; its issuer may, unless dismissed, and its holder."""
        issued = self.caller == self.issuer[id] and self.changes[self.caller] % 2 == 1
        require(issued or self.caller == self.holder[id], "only issuer and holder may revoke")
        require(not self.revoked[id], "it is revoked already")
        self.revoked[id] = True
        emit(self.Revoked(id, self.caller))

    @transition(open)
    def offer(self, id: bytes32, to: address) -> None:
        """Offer a record to somebody, who may accept it; to the zero address: take the offer back."""
        require(self.caller == self.holder[id], "only the holder may offer")
        require(self.transferable[id], "it does not pass to others")
        require(not self.revoked[id] and self.now <= self.until[id], "no such record stands")
        self.offered[id] = to
        emit(self.Offered(id, self.caller, to))

    @transition(open)
    def accept(self, id: bytes32, granted: uint256) -> None:
        """Become the holder of what was offered; the so many licences that have been granted go on."""
        require(self.caller == self.offered[id], "it was not offered to the caller")
        require(granted == self.granted[id], "another licence has been granted")
        require(not self.revoked[id] and self.now <= self.until[id], "no such record stands")
        emit(self.Transferred(id, self.holder[id], self.caller))
        self.holder[id] = self.caller
        self.offered[id] = ZERO_ADDRESS

    @transition(open)
    def grant(self, id: bytes32, licensee: address, until: timestamp) -> None:
        """License somebody, or for longer than before; a licence is not taken back before its time."""
        require(self.caller == self.holder[id], "only the holder may grant")
        require(not self.revoked[id] and self.now <= self.until[id], "no such record stands")
        require(licensee != ZERO_ADDRESS, "a licensee is somebody")
        require(until <= self.until[id], "a licence ends with its record at the latest")
        require(until > max(self.now, self.licences[id][licensee]), "no longer than the licence there is")
        self.licences[id][licensee] = until
        self.granted[id] += 1
        emit(self.Licensed(id, licensee, until))

    @transition(open)
    def surrender(self, id: bytes32) -> None:
        """Give one's licence up."""
        require(self.licences[id][self.caller] >= self.now, "the caller has no licence")
        self.licences[id][self.caller] = 0
        emit(self.Licensed(id, self.caller, 0))

    # Questions

    @view
    def record(
        self, id: bytes32
    ) -> tuple[address, address, bytes32, timestamp, bool, bool, address, uint256]:
        """Tell holder, issuer, root, until when, whether it passes on, is revoked, offered to, licences."""
        return (
            self.holder[id],
            self.issuer[id],
            self.root[id],
            self.until[id],
            self.transferable[id],
            self.revoked[id],
            self.offered[id],
            self.granted[id],
        )

    @view
    def stands(self, id: bytes32) -> bool:
        """Tell whether a record is there, in time and not revoked."""
        return self.holder[id] != ZERO_ADDRESS and not self.revoked[id] and self.now <= self.until[id]

    @view
    def issues(self, who: address) -> bool:
        """Tell whether somebody may register."""
        return self.changes[who] % 2 == 1

    @view
    def changes_of(self, who: address) -> uint256:
        """Tell how many decisions there have been about somebody: odd for an issuer."""
        return self.changes[who]

    @view
    def licence(self, id: bytes32, who: address) -> timestamp:
        """Tell until when somebody may use it, Unix seconds; 0 when not at all, or not any more."""
        good = not self.revoked[id] and self.now <= self.licences[id][who]
        return self.licences[id][who] if good else 0

    @view
    def members(self) -> Annotated[list[address], 3]:
        """Tell who the registrars are."""
        return self.registrars

    @view
    def proves(
        self,
        id: bytes32,
        name: Annotated[str, 64],
        value: Annotated[str, 256],
        salt: bytes32,
        index: uint256,
        depth: uint256,
        path: Annotated[list[bytes32], 16],
    ) -> bool:
        """Tell whether a record that stands has an attribute: at a place in a tree of so many levels.

        Of the path, the lowest sibling first, ``depth`` count.
        """
        node = keccak(0, keccak(name), keccak(value), salt)
        place = index
        for level in range(16):
            if level < depth:
                node = keccak(1, path[level], node) if place % 2 == 1 else keccak(1, node, path[level])
                place = place // 2
        stands = self.holder[id] != ZERO_ADDRESS and not self.revoked[id] and self.now <= self.until[id]
        return stands and node == self.root[id] and place == 0 and depth <= self.MAX_DEPTH
