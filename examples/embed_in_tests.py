"""A chain inside an application's own tests: fresh in each test, or wound back to a snapshot."""

import unittest

from chainstack_sdk import Account, Chain, Rejected, ether
from chainstack_sdk.paradigms import Erc20Token


class Shop:
    """The application under test: it takes a token for its goods."""

    def __init__(self, chain: Chain, till: Account, token: Erc20Token) -> None:
        self.chain, self.till, self.token = chain, till, token

    def is_paid(self, order: bytes, price: int) -> bool:
        """Tell whether a transaction paid an order."""
        receipt = self.chain.find_receipt(order)
        if receipt is None or not receipt.succeeded:
            return False
        paid = self.token.events("Transfer", first=receipt.height, last=receipt.height, to=self.till)
        return any(event.transaction_hash == order and event.args["value"] >= price for event in paid)


class ShopTest(unittest.TestCase):
    """Each test begins at the same snapshot."""

    @classmethod
    def setUpClass(cls) -> None:
        """Make one chain for all tests."""
        cls.customer, cls.till = Account.create(), Account.create()
        cls.chain = Chain.in_memory({cls.customer: ether(1)}, auto_seal=True)
        cls.token = cls.chain.erc20.issue(cls.customer, name="Euro", symbol="EUR", supply=500)
        cls.shop = Shop(cls.chain, cls.till, cls.token)
        cls.start = cls.chain.snapshot()

    def setUp(self) -> None:
        """Forget what the test before this one did."""
        self.chain.revert(self.start)

    def test_a_payment_is_seen(self) -> None:
        """The order's own transaction pays it."""
        receipt = self.token.transfer(self.customer, self.till, 20)
        self.assertTrue(self.shop.is_paid(receipt.transaction_hash, 20))
        self.assertFalse(self.shop.is_paid(receipt.transaction_hash, 21))

    def test_nothing_is_left_of_other_tests(self) -> None:
        """The snapshot took the payment of the other test back."""
        self.assertEqual(self.token.balance_of(self.till), 0)

    def test_who_has_no_coin_cannot_pay_fees(self) -> None:
        """The till has tokens after a sale, and still no coin for a fee."""
        with self.assertRaises(Rejected) as caught:
            self.chain.transfer(self.till, self.customer, 1)
        self.assertEqual(caught.exception.code, "insufficient_funds")


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=0).result
    print(f"{result.testsRun} tests, {len(result.failures) + len(result.errors)} failed")
    raise SystemExit(not result.wasSuccessful())
