"""Payment proofs before a smart contract: the contract's source, and what its calls want beside the proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives import _lazy

if TYPE_CHECKING:
    from chainstack_sdk.cspv.evm.arguments import contract_source, evm_arguments, evm_key
else:
    __getattr__, __dir__ = _lazy.exports(
        __name__,
        {"contract_source": "arguments", "evm_arguments": "arguments", "evm_key": "arguments"},
    )

__all__ = ["contract_source", "evm_arguments", "evm_key"]
