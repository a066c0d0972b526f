"""The main chain: blocks mined, certified by a committee, committees elected, a double voter punished."""

from chainstack_sdk import Account, ChainStack, ether
from chainstack_sdk.consensus.bft import Certificate, Evidence, SignedVote, Vote, VoteKind
from chainstack_sdk.consensus.seals import CommitteeSeal
from chainstack_sdk.network.local import local_consensus
from chainstack_sdk.primitives.keccak import keccak256

SLOT = 8

# Seven validators with deposits, four seats in each committee, a committee for every eight blocks.
consensus = local_consensus("dpow", validators=7, seats=4, blocks_per_slot=SLOT)
names = {member.address: f"V{number}" for number, member in enumerate(consensus.members, 1)}
alice, bob = Account.from_key(keccak256(b"alice")), Account.from_key(keccak256(b"bob"))
chain = ChainStack.local(funds={alice: ether(100)}, consensus=consensus).main
start = chain.supply()


def committee(slot: int) -> str:
    """Name the members of a slot's committee."""
    return " ".join(sorted(names[member] for member in chain.staking.read("committee", slot)))


# Every transfer is mined, voted on, and final at once: the seal has the nonce and the signatures.
receipt = chain.transfer(alice, bob, ether(1))
seal = CommitteeSeal.decode(chain.block(receipt.height).seal)
certificate = Certificate.decode(seal.certificate)
print(f"block {receipt.height}: nonce {seal.nonce}, {len(certificate.signatures)} of 4 precommits,", end=" ")
print(f"a seal of {len(chain.block(receipt.height).seal)} bytes")

# The committee of slot s + 2 is drawn at the end of slot s by a seed that nobody chose.
while chain.height < 3 * SLOT:
    chain.transfer(alice, bob, 1)
for slot in range(5):
    print(f"slot {slot}: {committee(slot)}")

# Somebody votes for two blocks at once. Whoever notices proves it to the chain, and earns the deposit.
culprit = consensus.members[2]


def vote(block: bytes) -> SignedVote:
    """Sign a precommit for a block as the culprit."""
    said = Vote(VoteKind.PRECOMMIT, chain.height, 0, keccak256(block))
    return SignedVote(said, culprit.address, culprit.account.sign(said.digest(chain.chain_id)))


evidence = Evidence.of(vote(b"one"), vote(b"another"))
before = chain.balance(bob)
receipt = chain.staking.send(bob, "report", evidence.encode())
gained = chain.balance(bob) - before + receipt.gas_used * receipt.effective_gas_price
print(
    f"{names[culprit.address]} voted twice at one height: bob reports it and gains {gained // ether(1)} ether"
)

while chain.height < 6 * SLOT:
    chain.transfer(alice, bob, 1)
for slot in range(5, 8):
    print(f"slot {slot}: {committee(slot)}")

# Rewards: 87 % to those who mined, the rest to the committee by role. Every wei is accounted for.
minted, burnt = chain.staking.read("minted"), chain.staking.read("burnt")
print(f"minted {minted / ether(1):.2f} ether in {chain.height} blocks, burnt {burnt / ether(1):.2f}")
for address, name in sorted(names.items(), key=lambda entry: entry[1]):
    print(f"  {name} earned {chain.balance(address) / ether(1):.3f} ether")
print(f"supply = start + minted - burnt: {chain.supply() == start + minted - burnt}")
