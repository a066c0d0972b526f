"""A Dask cluster as the place where work is hashed; Dask is imported when it is asked for, here only."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor


@contextmanager
def dask_executor(scheduler: Any) -> Iterator[tuple[Executor, int]]:
    """Connect to a Dask cluster; give its executor, and how many threads its workers have by now.

    Parameters
    ----------
    scheduler
        The scheduler's address, such as ``"tcp://10.0.0.1:8786"``, or a cluster object.

    Raises
    ------
    UsageError
        When the extra ``dask`` is not installed.
    """
    try:
        from distributed import Client
    except ImportError:
        raise UsageError("a Dask cluster takes an extra: pip install 'chainstack-sdk[dask]'") from None
    connect: Callable[[Any], Any] = Client
    with connect(scheduler) as client:
        yield client.get_executor(pure=False), sum(client.nthreads().values())
