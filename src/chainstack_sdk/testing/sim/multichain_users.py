"""Users who send things from chain to chain. Not for production."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from chainstack_sdk.paradigms import Erc20, Erc20Token, Erc721Token
from chainstack_sdk.testing.sim.multichain_checks import till_channel
from chainstack_sdk.testing.sim.multichain_sites import ACCOUNTS
from chainstack_sdk.testing.sim.multichain_till import TILL_ADDRESS, Till
from chainstack_sdk.xchain.addresses import PEG_ADDRESS
from chainstack_sdk.xchain.custody import AssetKind
from chainstack_sdk.xchain.peg.contract import Peg
from chainstack_sdk.xchain.peg.handle import PegApi

if TYPE_CHECKING:
    from random import Random

    from chainstack_sdk.primitives.keys import Account
    from chainstack_sdk.testing.sim.multichain_sites import Site

_PAY = Till.abi_function("pay")
_SEND_COIN, _SEND_TOKEN, _SEND_NFT = (Peg.abi_function(name) for name in ("sendCoin", "sendToken", "sendNft"))
_APPROVE = Erc20.abi_function("approve")
"""The same function, by its selector, of both kinds of tokens."""
_NFTS = 4


class Users:
    """Pay tills, and send coin, a token and a collection through the pegs.

    The token and the collection are at home on the first chain.

    Parameters
    ----------
    sites
        All chains.
    random
        All that they do follows from it.
    """

    def __init__(self, sites: list[Site], random: Random) -> None:
        self._sites = sites
        self._random = random
        self._users = ACCOUNTS[:3]
        self.told: Counter[str] = Counter()
        """What they have done, and how often."""
        home, (owner, *_) = sites[0].chain, self._users
        self._token = home.erc20.issue(owner, name="Gold", symbol="GLD", supply=10**6)
        self._pictures = home.erc721.issue(owner, name="Pictures", symbol="PIC")
        for number in range(_NFTS):
            self._pictures.send(owner, "mint", owner, number + 1)

    def act(self, now_ms: int) -> None:
        """Do something, now and then; time-outs count from a time, in Unix milliseconds."""
        for _ in range(self._random.randrange(3)):
            source, target = self._random.sample(self._sites, 2)
            if source.halted:
                continue
            late_ms = now_ms + self._random.choice((2_000, 8_000, 30_000, 90_000))
            what = self._random.choice(
                (self._pay, self._pay, self._send_coin, self._send_token, self._send_nft)
            )
            if what(source, target, late_ms):
                self.told[what.__name__.strip("_").replace("_", " ")] += 1

    def _pay(self, source: Site, target: Site, late_ms: int) -> bool:
        channel = till_channel(source, target, not self._random.randrange(4))
        height = self._random.choice((0, target.chain.height + self._random.randrange(2, 40)))
        data = _PAY.encode_call(
            channel, self._random.randrange(1, 100), not self._random.randrange(4), height, late_ms
        )
        return source.send(self._user(), TILL_ADDRESS, data)

    def _send_coin(self, source: Site, target: Site, late_ms: int) -> bool:
        data = _SEND_COIN.encode_call(target.chain_id, self._user().address, late_ms)
        return source.send(self._user(), PEG_ADDRESS, data, value=self._random.randrange(1, 100))

    def _send_token(self, source: Site, target: Site, late_ms: int) -> bool:
        token = self._here(source, self._token.address, AssetKind.ERC20)
        if token is None:
            return False
        user = self._user()
        if not Erc20Token(source.chain, token).balance_of(user):
            return False
        amount = self._random.randrange(1, 50)
        data = _SEND_TOKEN.encode_call(token, amount, target.chain_id, self._user().address, late_ms)
        return self._send_approved(source, user, token, amount, data)

    def _send_nft(self, source: Site, target: Site, late_ms: int) -> bool:
        collection = self._here(source, self._pictures.address, AssetKind.ERC721)
        if collection is None:
            return False
        owned = [
            (user, number)
            for user in self._users
            for number in Erc721Token(source.chain, collection).tokens_of(user)
        ]
        if not owned:
            return False
        user, number = self._random.choice(owned)
        data = _SEND_NFT.encode_call(collection, number, target.chain_id, self._user().address, late_ms)
        return self._send_approved(source, user, collection, number, data)

    def _send_approved(self, source: Site, user: Account, token: bytes, number: int, data: bytes) -> bool:
        source.send(user, token, _APPROVE.encode_call(PEG_ADDRESS, number))
        return source.send(user, PEG_ADDRESS, data, careless=True)

    def _here(self, site: Site, home: bytes, kind: AssetKind) -> bytes | None:
        """Return a token where it is at home, or what stands for it on another chain."""
        first = self._sites[0]
        if site is first:
            return home
        return PegApi(site.chain).representation_of(first.chain_id, home, kind)

    def _user(self) -> Account:
        return self._random.choice(self._users)
