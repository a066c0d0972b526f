"""Amounts of coin between people's units and wei, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.types import Wei

if TYPE_CHECKING:
    from decimal import Decimal


_MOST_DIGITS = 1000  # far beyond any amount, below the interpreter's limit for text to integer


def ether(amount: int | str | Decimal) -> Wei:
    """Return an amount of whole coins in wei; ``ether("0.5")`` is ``5 * 10**17``.

    Raises
    ------
    UsageError
        See :func:`parse_units`.
    """
    return Wei(parse_units(amount, 18))


def gwei(amount: int | str | Decimal) -> Wei:
    """Return an amount of gwei, 10**9 wei each, in wei; the usual unit of gas prices.

    Raises
    ------
    UsageError
        See :func:`parse_units`.
    """
    return Wei(parse_units(amount, 9))


def wei(amount: int | str | Decimal) -> Wei:
    """Return an amount given in wei, such as the text ``"1500"``.

    Raises
    ------
    UsageError
        See :func:`parse_units`.
    """
    return Wei(parse_units(amount, 0))


def parse_units(amount: int | str | Decimal, decimals: int = 18) -> int:
    """Return an amount in the smallest unit of a coin or token.

    Parameters
    ----------
    amount
        A non-negative number of whole units: an integer, a ``Decimal``, or text such as ``"1.25"``
        (digits and at most one point).
    decimals
        How many digits the unit has after the point.

    Raises
    ------
    UsageError
        When `amount` is of another type (a float is not exact), negative, not a number, or has more
        digits after the point than the unit.
    """
    unit = _unit(decimals)
    if isinstance(amount, int) and not isinstance(amount, bool):
        if amount < 0:
            raise UsageError("an amount is not negative")
        return amount * unit
    whole, _, fraction = _plain_text(amount).partition(".")
    digits = whole + fraction
    if not (digits.isascii() and digits.isdigit()) or len(digits) > _MOST_DIGITS:
        raise UsageError("an amount is a non-negative decimal number", actual=digits[:80])
    fraction = fraction.rstrip("0")
    if len(fraction) > decimals:
        raise UsageError("the amount is finer than the unit", expected=decimals, actual=len(fraction))
    return int(whole or "0") * unit + int(fraction.ljust(decimals, "0") or "0")


def _unit(decimals: int) -> int:
    if decimals < 0:
        raise UsageError("a unit has no negative number of digits", actual=decimals)
    unit: int = 10**decimals
    return unit


def _plain_text(amount: object) -> str:
    if isinstance(amount, str):
        return amount
    from decimal import Decimal

    if isinstance(amount, Decimal):
        if abs(amount.adjusted()) > _MOST_DIGITS:
            raise UsageError("an amount has no such exponent", actual=amount.adjusted())
        return format(amount, "f")
    raise UsageError("an amount is an int, a str or a Decimal", actual=type(amount).__name__)


def format_units(value: int, decimals: int = 18) -> str:
    """Return an amount in the smallest unit as text in whole units, such as ``"1.25"``.

    The inverse of :func:`parse_units`: exact, no exponent, no trailing zeros; a negative difference gets
    a minus sign.
    """
    whole, fraction = divmod(abs(value), _unit(decimals))
    text = f"{whole}.{fraction:0{decimals}d}".rstrip("0").rstrip(".") if fraction else str(whole)
    return f"-{text}" if value < 0 else text
