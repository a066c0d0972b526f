import gc

import pytest

from chainstack_sdk import Account, Chain, ether
from chainstack_sdk.chain.pause import collector_paused


@pytest.fixture
def collector():
    """The collector as it was, whatever a test does."""
    enabled = gc.isenabled()
    gc.enable()
    yield
    (gc.enable if enabled else gc.disable)()


@pytest.mark.usefixtures("collector")
class TestPause:
    def test_pauses_and_resumes(self):
        with collector_paused():
            assert not gc.isenabled()
            with collector_paused():
                assert not gc.isenabled()
            assert not gc.isenabled()
        assert gc.isenabled()

    def test_resumes_after_an_error(self):
        with pytest.raises(ZeroDivisionError), collector_paused():
            raise ZeroDivisionError
        assert gc.isenabled()

    def test_leaves_it_off_where_it_was_off(self):
        gc.disable()
        with collector_paused():
            pass
        assert not gc.isenabled()

    def test_work_on_blocks_pauses_it(self):
        alice, bob = Account.from_key(1), Account.from_key(2)
        chain = Chain.in_memory({alice: ether(1)})
        twin = Chain.in_memory({alice: ether(1)})
        seen = []

        def transactions():
            seen.append(gc.isenabled())
            yield chain.sign(alice, bob, value=1)

        chain.send_many(transactions())
        block = chain.seal()
        assert gc.isenabled()
        twin.append(block)
        assert gc.isenabled()
        assert seen == [False]
        assert twin.balance(bob) == 1
