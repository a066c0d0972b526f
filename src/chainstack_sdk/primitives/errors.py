"""The error tree.

::

    ChainStackError
    ├── UsageError        the caller's mistake: configuration, arguments, a missing extra
    ├── InvalidInput      remote data is wrong: encoding, signature, proof, block, vote
    ├── Rejected          a well-formed transaction that the rules refuse: nonce, funds, fee, pool limits
    ├── Reverted          a contract said no; carries ABI-encoded revert data and the decoded reason
    └── InvariantBroken   a bug of this library; never caught inside it

The first split is by who is at fault. Errors carry their facts as attributes, not only as text.
"""

from __future__ import annotations

from typing import Any

_MAX_TEXT = 1_000


class ChainStackError(Exception):
    """Root of every error this library raises on purpose.

    Parameters
    ----------
    message
        One sentence for a person.
    facts
        What a program may want to know (``expected``, ``actual``, ``height``, ``hash``…);
        each becomes an attribute of the error and appears after the message.
    """

    message: str
    """The sentence, without the facts."""

    def __init__(self, message: str, **facts: Any) -> None:
        self.message = message
        self.facts = facts
        super().__init__(message)

    def __getattr__(self, name: str) -> Any:
        facts = self.__dict__.get("facts", {})
        if name in facts:
            return facts[name]
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)

    def __str__(self) -> str:
        if not self.facts:
            return self.message
        told = ", ".join(f"{name} {_show(value)}" for name, value in self.facts.items())
        return f"{self.message} ({told})"


class UsageError(ChainStackError):
    """The caller's mistake: a bad argument or configuration, or an extra that is not installed."""


class InvalidInput(ChainStackError):
    """Data from elsewhere is wrong: bad encoding, signature, proof, block or vote."""


class Rejected(ChainStackError):
    """A well-formed transaction that the rules refuse; the state is as it was.

    ``code`` names the rule: ``"nonce_too_low"``, ``"nonce_too_high"``, ``"insufficient_funds"``,
    ``"fee_too_low"``, ``"intrinsic_gas"``, ``"gas_limit"``, ``"wrong_chain"``, ``"already_known"``,
    ``"underpriced"``, ``"pool_full"``, ``"unsupported"``.
    """

    def __init__(self, message: str, *, code: str, **facts: Any) -> None:
        self.code = code
        super().__init__(message, **facts)


class Reverted(ChainStackError):
    """A contract refused; its changes are undone.

    Parameters
    ----------
    message
        The decoded reason.
    data
        ABI-encoded revert data: ``Error(string)``, ``Panic(uint256)`` or a custom error.
    receipt
        The receipt, when the refusal was found in a block and not before sending.
    """

    def __init__(self, message: str, *, data: bytes = b"", receipt: Any = None, **facts: Any) -> None:
        self.data = data
        self.receipt = receipt
        super().__init__(message, **facts)


class InvariantBroken(ChainStackError):
    """A bug of this library. Please report it; nothing inside catches it."""


def _rebuild(
    kind: type[ChainStackError], args: tuple[Any, ...], attributes: dict[str, Any]
) -> ChainStackError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    error.args = args
    return error


def _show(value: object) -> str:
    if isinstance(value, bytes):
        return "0x" + value.hex() if len(value) <= 36 else f"0x{value[:32].hex()}… ({len(value)} bytes)"
    if isinstance(value, int) and value.bit_length() > 512:
        return f"an integer of {value.bit_length()} bits"  # Python refuses to print very long ones
    text = str(value)
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}… ({len(text)} characters)"
