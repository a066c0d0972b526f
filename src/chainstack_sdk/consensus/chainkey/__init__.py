"""Chain keys: one BLS key for a chain, shared out among its committee and handed over slot by slot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives import _lazy

if TYPE_CHECKING:
    from chainstack_sdk.consensus.chainkey.beacon import ChainKeyBeacon
    from chainstack_sdk.consensus.chainkey.ceremony import Ceremony, beacon_message, holders_message
    from chainstack_sdk.consensus.chainkey.contract import ChainKeyContract
    from chainstack_sdk.consensus.chainkey.dealing import deal
    from chainstack_sdk.consensus.chainkey.effects import BlockFinal, Heard, Remember, SendTo
    from chainstack_sdk.consensus.chainkey.genesis import deal_locally, with_chain_key
    from chainstack_sdk.consensus.chainkey.link import KeyLink, link_digest, validate_link
    from chainstack_sdk.consensus.chainkey.log import DealerLog, validate_log
    from chainstack_sdk.consensus.chainkey.machine import KeyMachine
    from chainstack_sdk.consensus.chainkey.outcome import combine_logs, derive_shares
    from chainstack_sdk.consensus.chainkey.payload import KeyDesk, KeyPayload, validate_carried
    from chainstack_sdk.consensus.chainkey.polynomial import PublicPolynomial, SecretPolynomial
    from chainstack_sdk.consensus.chainkey.rules import KeyedRules
    from chainstack_sdk.consensus.chainkey.seats import Seats, seats_of
    from chainstack_sdk.consensus.chainkey.state import Holders, KeyState, read_key_state, read_link
    from chainstack_sdk.consensus.chainkey.storage import CHAIN_KEY_ADDRESS, CHAIN_KEY_CODE
else:
    __getattr__, __dir__ = _lazy.exports(
        __name__,
        {
            "BlockFinal": "effects",
            "CHAIN_KEY_ADDRESS": "storage",
            "CHAIN_KEY_CODE": "storage",
            "Ceremony": "ceremony",
            "ChainKeyBeacon": "beacon",
            "ChainKeyContract": "contract",
            "DealerLog": "log",
            "Heard": "effects",
            "Holders": "state",
            "KeyDesk": "payload",
            "KeyLink": "link",
            "KeyMachine": "machine",
            "KeyPayload": "payload",
            "KeyState": "state",
            "KeyedRules": "rules",
            "PublicPolynomial": "polynomial",
            "Remember": "effects",
            "Seats": "seats",
            "SecretPolynomial": "polynomial",
            "SendTo": "effects",
            "beacon_message": "ceremony",
            "combine_logs": "outcome",
            "deal": "dealing",
            "deal_locally": "genesis",
            "derive_shares": "outcome",
            "holders_message": "ceremony",
            "link_digest": "link",
            "read_key_state": "state",
            "read_link": "state",
            "seats_of": "seats",
            "validate_carried": "payload",
            "validate_link": "link",
            "validate_log": "log",
            "with_chain_key": "genesis",
        },
    )

__all__ = [
    "BlockFinal",
    "CHAIN_KEY_ADDRESS",
    "CHAIN_KEY_CODE",
    "Ceremony",
    "ChainKeyBeacon",
    "ChainKeyContract",
    "DealerLog",
    "Heard",
    "Holders",
    "KeyDesk",
    "KeyLink",
    "KeyMachine",
    "KeyPayload",
    "KeyState",
    "KeyedRules",
    "PublicPolynomial",
    "Remember",
    "Seats",
    "SecretPolynomial",
    "SendTo",
    "beacon_message",
    "combine_logs",
    "deal",
    "deal_locally",
    "derive_shares",
    "holders_message",
    "link_digest",
    "read_key_state",
    "read_link",
    "seats_of",
    "validate_carried",
    "validate_link",
    "validate_log",
    "with_chain_key",
]
