"""Identity and rights: a student card that shows one line, a work that is sold and licensed."""

from chainstack_sdk import Account, Chain, ManualClock, Reverted, ether
from chainstack_sdk.machines.standard import Credential, Disclosure, RegistryHandle
from chainstack_sdk.primitives.keccak import keccak256

YEAR = 366 * 24 * 3600

*registrars, university, ada, ben = people = [Account.create() for _ in range(6)]
funds = dict.fromkeys(people, ether(1))
clock = ManualClock()
chain = Chain.in_memory(funds, clock=clock, auto_seal=True)
now = chain.head.timestamp_ms // 1000

registry = RegistryHandle.issue(chain, ben, registrars=registrars)
registry.admit(registrars[0], university)
print("one registrar says so:", registry.is_issuer(university))
registry.admit(registrars[2], university)
print("two registrars say so:", registry.is_issuer(university))

print("\nA card of five lines, of which the chain has 32 bytes")
card = Credential(
    {"name": "Ada", "born": "1999-12-10", "subject": "mathematics", "level": "master", "city": "London"},
    seed=keccak256(b"drawn by lot, and kept by Ada and her university"),
)
number = keccak256(b"card 1815")
registry.register(university, number, ada, card, until=now + YEAR)
shown = card.disclose("level").to_bytes()
print("  Ada shows", len(shown), "bytes")
received = Disclosure.from_bytes(shown)
print(f"  Ben reads {received.name} = {received.value}; the chain says:", registry.proves(number, received))
forged = Disclosure("level", "doctor", received.salt, received.proof)
print("  and of 'doctor':", registry.proves(number, forged))
clock.advance(YEAR + 1)
chain.seal()
print("  a year later:", registry.proves(number, received))

print("\nA work, its owner, its licences")
work = keccak256(b"Notes on the engine")
terms = Credential({"title": "Notes", "author": "Ada"}, seed=keccak256(b"drawn again"))
registry.register(university, work, ada, terms, transferable=True)
registry.grant(ada, work, registrars[0], until=now + 3 * YEAR)
registry.offer(ada, work, ben)
registry.accept(ben, work)
print("  it is Ben's:", registry.record(work).holder == ben.address)
print("  the licence goes on:", registry.licence(work, registrars[0]) is not None)
try:
    registry.revoke(registrars[0], work)
except Reverted as refusal:
    print("  a licensee revokes:", refusal.message)
print("  history:", *(event.name for event in registry.history(work)))
