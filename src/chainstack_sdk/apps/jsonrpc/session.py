"""JSON-RPC 2.0: from a request to its response, whatever the request is.

Source: the JSON-RPC 2.0 specification. Parameters are by position. A response is an ordinary dict and may
be kept or changed by whoever gets it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from chainstack_sdk.apps.jsonrpc.development import Development
from chainstack_sdk.apps.jsonrpc.errors import (
    ANSWERED,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    RpcError,
    error_object,
)
from chainstack_sdk.apps.jsonrpc.filters import FilterTable
from chainstack_sdk.apps.jsonrpc.methods import METHODS, development_methods, filter_methods
from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    from chainstack_sdk.apps.jsonrpc.host import RpcHost
    from chainstack_sdk.apps.jsonrpc.methods import Method

    Response: TypeAlias = dict[str, Any]


class JsonRpc:
    """A session: a chain with the filters and snapshots of its clients.

    Parameters
    ----------
    host
        The chain.
    development
        Whether clients may make blocks, move time and undo blocks (``evm_*``). Not for strangers.
    """

    def __init__(self, host: RpcHost, *, development: bool = False) -> None:
        self.host = host
        self._methods = {**METHODS, **filter_methods(FilterTable())}
        if development:
            self._methods |= development_methods(Development())

    @property
    def methods(self) -> tuple[str, ...]:
        """The names of the methods that this session answers."""
        return tuple(self._methods)

    @overload
    def handle(self, request: dict[str, Any]) -> Response: ...
    @overload
    def handle(self, request: list[Any]) -> Response | list[Response]: ...
    def handle(self, request: object) -> Response | list[Response]:
        """Answer a request, or a list of them, given as JSON values.

        Returns
        -------
        dict or list
            One response, or a list of them in the order of the requests. Empty when there is nothing to
            say: ``{}`` for a notification (a request without ``id``), ``[]`` when all of a list are such.

        Notes
        -----
        Whatever the value is, no exception leaves this method, unless it is a bug of this library or of a
        contract; a server answers that with -32603.
        """
        return _respond(self._methods, self.host, request)

    def handle_bytes(self, body: bytes) -> bytes:
        """Answer what a transport received, JSON in UTF-8, with JSON in ASCII; empty: send nothing."""
        import json

        from chainstack_sdk.apps.jsonrpc.text import parse_json

        try:
            request = parse_json(body)
        except InvalidInput as error:
            return json.dumps(_failure(None, PARSE_ERROR, str(error))).encode()
        response = self.handle(request)
        return json.dumps(response).encode() if response else b""


@overload
def handle(host: RpcHost, request: dict[str, Any]) -> Response: ...
@overload
def handle(host: RpcHost, request: list[Any]) -> Response | list[Response]: ...
def handle(host: RpcHost, request: object) -> Response | list[Response]:
    """Answer as :meth:`JsonRpc.handle` does, without any memory: there are no filters and no ``evm_*``."""
    return _respond(METHODS, host, request)


def _respond(methods: Mapping[str, Method], host: RpcHost, request: object) -> Response | list[Response]:
    if not isinstance(request, list):
        return _respond_to_one(methods, host, request)
    if not request:
        return _failure(None, INVALID_REQUEST, "an empty batch")
    responses = [_respond_to_one(methods, host, single) for single in request]
    return [response for response in responses if response]


def _respond_to_one(methods: Mapping[str, Method], host: RpcHost, request: object) -> Response:
    if not isinstance(request, dict):
        return _failure(None, INVALID_REQUEST, "a request is an object")
    name, number = request.get("method"), request.get("id")
    if not isinstance(number, int | str | None) or isinstance(number, bool):
        return _failure(None, INVALID_REQUEST, "an id is a string, a whole number or null")
    if request.get("jsonrpc") != "2.0" or not isinstance(name, str):
        return _failure(number, INVALID_REQUEST, 'a request has "jsonrpc": "2.0" and the name of a method')
    try:
        result = _run(methods, host, name, request.get("params", []))
    except (RpcError, *ANSWERED) as error:
        response = {"jsonrpc": "2.0", "id": number, "error": error_object(error)}
    else:
        response = {"jsonrpc": "2.0", "id": number, "result": result}
    return response if "id" in request else {}


def _run(methods: Mapping[str, Method], host: RpcHost, name: str, params: object) -> Any:
    method = methods.get(name)
    if method is None:
        raise RpcError(f"the method {name} does not exist or is not available", code=METHOD_NOT_FOUND)
    if not isinstance(params, list):
        raise RpcError("parameters are by position, in an array", code=INVALID_PARAMS)
    return method(host, params)


def _failure(number: int | str | None, code: int, message: str) -> Response:
    return {"jsonrpc": "2.0", "id": number, "error": error_object(RpcError(message, code=code))}
