"""Partial signatures of one message, until they make up the key's.

Partial signatures are not checked as they come: as soon as there are enough they are combined and the result
is checked once. Only when that fails is each that is there checked by itself. Thus a message costs one check
as long as all holders are honest, and where one is not, up to two for each seat.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.chainkey.known import is_signed
from chainstack_sdk.primitives.bls import combine
from chainstack_sdk.primitives.errors import InvalidInput, InvariantBroken

if TYPE_CHECKING:
    from chainstack_sdk.consensus.chainkey.polynomial import PublicPolynomial


class Collector:
    """Collects the partial signatures of one message under one key.

    Nothing that is added raises, whatever bytes it is. For each place at most two checks are made and one
    partial signature is kept.

    Parameters
    ----------
    polynomial
        The public polynomial of the shares.
    message
        What is signed.
    domain
        For what purpose: one of the domains of :mod:`chainstack_sdk.primitives.bls`.
    """

    def __init__(self, polynomial: PublicPolynomial, message: bytes, domain: bytes) -> None:
        self.polynomial = polynomial
        self.message = message
        self.signature = b""
        """The key's signature, 48 bytes, once it is there."""
        self._domain = domain
        self._parts: dict[int, bytes] = {}
        self._checked: dict[int, bool] = {}

    @property
    def culprits(self) -> tuple[int, ...]:
        """The places for which a wrong partial signature was given, ascending."""
        return tuple(sorted(place for place, right in self._checked.items() if not right))

    def add(self, place: int, part: bytes) -> bool:
        """Add a partial signature; return whether the key's signature is there.

        Parameters
        ----------
        place
            The share's, from 1. The caller vouches that it was the holder of the place who sent this.
        part
            Any bytes.
        """
        if not self.signature and self._checked.get(place) is None:
            self._take(place, part)
            if len(self._parts) >= self.polynomial.threshold:
                self._complete()
        return bool(self.signature)

    def _take(self, place: int, part: bytes) -> None:
        held = self._parts.get(place)
        if held is None:
            self._parts[place] = part
        elif held != part:
            # There is only one right signature: whoever sends two has sent a wrong one.
            self._check(place)
            if not self._checked[place]:
                self._parts[place] = part
                self._check(place)

    def _check(self, place: int) -> None:
        right = is_signed(self.polynomial.at(place), self.message, self._parts[place], self._domain)
        self._checked[place] = right
        if not right:
            del self._parts[place]

    def _complete(self) -> None:
        if self._combined():
            return
        for place in [place for place in self._parts if place not in self._checked]:
            self._check(place)
        if len(self._parts) >= self.polynomial.threshold and not self._combined():
            raise InvariantBroken("right partial signatures make up a wrong one")

    def _combined(self) -> bool:
        try:
            signature = combine(dict(islice(self._parts.items(), self.polynomial.threshold)))
        except InvalidInput:
            return False
        if is_signed(self.polynomial.key, self.message, signature, self._domain):
            self.signature = signature
        return bool(self.signature)
