"""Every kind of consensus as a whole: genesis, contracts, rules and engines that belong together."""

from chainstack_sdk.consensus.kinds.named import KINDS, kind_named

__all__ = ["KINDS", "kind_named"]
