"""A consensus of one's own: a block counts once more than half of the notaries have signed it."""

from dataclasses import replace

from chainstack_sdk import Chain, InvalidInput, ether
from chainstack_sdk.consensus.bft import Secp256k1Scheme
from chainstack_sdk.core import engine
from chainstack_sdk.network.hosting import FollowedConsensus, HostedConsensus, local_members
from chainstack_sdk.primitives import keccak256
from chainstack_sdk.testing import accounts


def pieces(data, size):
    return [data[start : start + size] for start in range(0, len(data), size)]


class NotaryRule:
    """How others check a block; the seal is the notaries' signatures, in the order of their addresses."""

    def __init__(self, chain_id, notaries):
        self.notaries = notaries
        self.domain = b"\x19notaries example\x00" + chain_id.to_bytes(8, "big")
        self.scheme = Secp256k1Scheme()

    def signer(self, block_hash, signature):
        """Return who has signed a block."""
        return self.scheme.signer(keccak256(self.domain + block_hash), signature)

    def validate_header(self, header, seal, parent):
        """Ask nothing of a header but its seal."""
        self.validate_finality(header, seal)

    def validate_finality(self, header, seal):
        """Ask for the signatures of more than half of the notaries, each once."""
        signers = [self.signer(header.hash, one) for one in pieces(seal, 65)]
        if not set(signers) <= set(self.notaries) or signers != sorted(set(signers)):
            raise InvalidInput("not the signatures of notaries", height=header.height)
        if 2 * len(signers) <= len(self.notaries):
            raise InvalidInput("too few notaries have signed", height=header.height, actual=len(signers))

    def work(self, header):
        """Let the longer chain be the heavier one."""
        return 1


class NotaryEngine:
    """Signs what its host finds valid, tells the others, and decides when enough have signed."""

    name = "notaries"

    def __init__(self, rule, address):
        self.header_rule = self.finality_rule = rule
        self.address = address
        self.height = 0
        self.signatures = {}  # by block hash, then by notary

    def process(self, event):
        """Take one input and return what the host is to do."""
        match event:
            case engine.BlockCommitted(height):
                self.height = height
                self.signatures.clear()
            case engine.BlockProposed(height, block_hash) if height == self.height + 1:
                self.signatures[block_hash] = {}
                if self.address in self.header_rule.notaries:
                    return (engine.Sign(self.header_rule.domain + block_hash),)
            case engine.Signed(payload, signature):
                message = payload[-32:] + signature
                return engine.Broadcast(message), *self.count(message)
            case engine.MessageReceived(message):
                return self.count(message)
        return ()

    def count(self, message):
        """Count a signature; decide with the one that makes more than half."""
        block_hash, signature = message[:32], message[32:]
        notary, known = self.header_rule.signer(block_hash, signature), self.signatures.get(block_hash)
        if known is None or notary in known or notary not in self.header_rule.notaries:
            return ()
        known[notary] = signature
        if len(known) != len(self.header_rule.notaries) // 2 + 1:
            return ()
        seal = b"".join(known[each] for each in sorted(known))
        return (engine.Decide(self.height + 1, block_hash, seal),)


class NotaryChain:
    """All that goes with the engine; the genesis says who the notaries are."""

    name = "notaries"

    def __init__(self, notaries):
        self.notaries = notaries

    def prepare(self, genesis):
        """Fix name and notaries in the genesis."""
        return replace(genesis, engine=self.name, engine_parameters=b"".join(self.notaries))

    def contracts(self):
        """Bring no system contract."""
        return {}

    def header_rule(self, genesis, view):
        """Return the rule by which the chain checks headers."""
        return NotaryRule(genesis.chain_id, pieces(genesis.engine_parameters, 20))

    def rules(self, genesis, view):
        """Do nothing on the chain itself: whoever proposes a block has its fees."""

    def member(self, genesis, view, address, *, headers, producing):
        """Return the engine of one participant, or of one who only follows."""
        return NotaryEngine(self.header_rule(genesis, view), address)


if __name__ == "__main__":
    alice, bob = accounts(2)
    notaries = local_members(5)
    kind = NotaryChain([notary.address for notary in notaries])
    present = HostedConsensus(kind, notaries[:3])  # two are away
    chain = Chain.in_memory({alice: ether(1)}, consensus=present, auto_seal=True)
    chain.transfer(alice, bob, 5)
    print(f"block {chain.height} is sealed with {len(chain.head.seal) // 65} signatures")

    follower = Chain.in_memory({alice: ether(1)}, consensus=FollowedConsensus(kind))
    try:
        follower.append(replace(chain.head, seal=chain.head.seal[65:]))
    except InvalidInput as refusal:
        print("refused:", refusal)
    follower.append(chain.head)
    print("a follower has the same head:", follower.head == chain.head, "and bob has", follower.balance(bob))

    NotaryRule(chain.chain_id, kind.notaries).validate_finality(chain.head.header, chain.head.seal)
    print("final by its header and seal alone: block", chain.head.height)
