"""Paradigms: templates from which contracts are issued by one transaction.

A paradigm is a class. Its ``constructor`` declares the config, ABI-encoded in the code of each instance;
its methods see the decoded config as ``self.config`` and everything else through the
:class:`~chainstack_sdk.core.call.Call`::

    class Counter(Paradigm):
        name = "counter"
        constructor = "constructor(uint256 start)"

        Increased = event("event Increased(address indexed by, uint256 total)")

        def create(self, call: Call) -> None:
            call.store(slot(0), self.config.start)

        @external("function increase(uint256 amount) returns (uint256)")
        def increase(self, call: Call, amount: int) -> int:
            total = call.load(slot(0)) + amount
            call.store(slot(0), total)
            call.emit(self.Increased, call.caller, total)
            return total

One object serves all calls of all instances with the same code, so that it must hold no state of its own.

An exception that is not :class:`~chainstack_sdk.primitives.errors.Reverted` is a mistake in the paradigm.
It stops the block being built, with the state as before, and reaches whoever asked for the block as a
:class:`~chainstack_sdk.primitives.errors.UsageError` that names the transaction.
"""

from __future__ import annotations

from collections import namedtuple
from typing import TYPE_CHECKING, Any, ClassVar

from chainstack_sdk.core.native.contract import External, NativeContract
from chainstack_sdk.primitives.abi import Constructor, parse_signature
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

    from chainstack_sdk.core.call import Call

MAX_NAME = 64
"""Characters in the name of a paradigm."""

_make_tuple: Any = namedtuple  # the fields are not known to a type checker


class Paradigm(NativeContract):
    """Base of every paradigm.

    Attributes
    ----------
    config
        The parameters of the constructor as a named tuple; the same for the instance's whole life.

    Raises
    ------
    UsageError
        When a subclass with a ``name`` declares something that cannot be; classes without a name may be
        used as mixins.
    """

    name: ClassVar[str]
    """Unique among the paradigms of a chain: up to 64 letters, digits, ``_``, ``-`` and ``.``."""
    version: ClassVar[int] = 1
    """From 1 to 255. Instances keep the version they were issued with."""
    constructor: ClassVar[str] = "constructor()"
    """The config, as a line of Solidity; its names are those of the config's fields."""
    constructor_type: ClassVar[Constructor]
    """The parsed constructor."""
    Config: ClassVar[type[BaseModel]]
    """A pydantic model with the constructor's names as fields: checks and defaults at the edge; optional."""

    _Config: ClassVar[Any]
    config: Any

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "name" not in vars(cls):
            return
        if not (0 < len(cls.name) <= MAX_NAME and cls.name.isascii() and _is_word(cls.name)):
            raise UsageError("not a name for a paradigm", actual=cls.name)
        if not 1 <= cls.version <= 0xFF:
            raise UsageError("a paradigm's version is from 1 to 255", actual=cls.version)
        entry = parse_signature(cls.constructor)
        if not isinstance(entry, Constructor):
            raise UsageError("not the signature of a constructor", actual=cls.constructor)
        cls.constructor_type = entry
        try:
            cls._Config = _make_tuple("Config", [param.name for param in entry.inputs])
        except ValueError as error:
            raise UsageError(f"a constructor's parameters name the config's fields: {error}") from error
        fields = cls._Config._fields
        for name, declared in cls.externals.items():
            if declared.when and not any(field in fields for field in declared.when):
                raise UsageError(f"{name} depends on what the config does not have", actual=declared.when)

    def __init__(self, config: bytes) -> None:
        """Open the instance with an ABI-encoded config.

        Raises
        ------
        InvalidInput
            When it is not the canonical encoding of the constructor's parameters.
        """
        values = self.constructor_type.decode(config)
        if self.constructor_type.encode(*values) != config:
            raise InvalidInput("the config is not encoded canonically", paradigm=self.name)
        self.config = self._Config(*values)
        super().__init__()

    def create(self, call: Call) -> None:
        """Set up a new instance: initial storage, first events. Runs once, when it is issued."""

    def offers(self, declared: External) -> bool:
        """Tell whether this instance has a function that its class declares."""
        return not declared.when or any(getattr(self.config, name, False) for name in declared.when)

    @classmethod
    def config_model(cls) -> type[BaseModel] | None:
        """Return the pydantic model of the config, if there is one; loaded only when this is called."""
        return getattr(cls, "Config", None)

    @classmethod
    def encode_config(cls, fields: Mapping[str, Any]) -> bytes:
        """Check the fields of a config, fill in defaults, and return its ABI encoding.

        Raises
        ------
        UsageError
            When a field is missing, unknown or wrong; the message says which and why.
        """
        model = cls.config_model()
        values = dict(fields) if model is None else _validated(cls.name, model, fields)
        names = [param.name for param in cls.constructor_type.inputs]
        missing = [name for name in names if name not in values]
        unknown = [name for name in values if name not in names]
        if missing or unknown:
            raise UsageError(f"the config of {cls.name} takes other fields", missing=missing, unknown=unknown)
        return cls.constructor_type.encode(*[values[name] for name in names])

    @classmethod
    def abi(cls) -> list[dict[str, Any]]:
        """Return the standard JSON ABI: constructor, functions, events, errors.

        It lists every function that an instance may have; which are there depends on the config.
        """
        return [cls.constructor_type.to_json(), *super().abi()]


def _is_word(name: str) -> bool:
    return all(char.isalnum() or char in "_-." for char in name)


def _validated(name: str, model: type[BaseModel], fields: Mapping[str, Any]) -> dict[str, Any]:
    from pydantic import ValidationError

    try:
        checked = model(**fields)
    except ValidationError as error:
        told = [f"{'.'.join(map(str, item['loc'])) or 'config'}: {item['msg']}" for item in error.errors()]
        raise UsageError(f"config of {name}: {'; '.join(told)}") from error
    return {field: getattr(checked, field) for field in type(checked).model_fields}
