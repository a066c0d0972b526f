"""What strangers come by without a right to it: coin and tokens, the same payment again, somebody's role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.machines.check.people import STRANGERS
from chainstack_sdk.machines.check.world import CLEAN, KNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainstack_sdk.machines.check.trace import Step
    from chainstack_sdk.machines.check.world import Configuration, World


def gains(world: World, before: Configuration, step: Step, after: Configuration) -> Iterator[tuple[str, int]]:
    """Yield what a stranger who calls has gained: asset and amount over what it had at first.

    A stranger who paid, was named, holds a role, or at whose deeds others had time to look, gains rightly.
    """
    if step.by not in STRANGERS or before.standing[STRANGERS.index(step.by)] == KNOWN or step.value:
        return
    address = world.cast.address[step.by]
    first, had = world.first_holdings, world.holdings(before, address)
    for asset, amount in world.holdings(after, address).items():
        if amount > max(first[asset], had[asset]):
            yield asset, amount - first[asset]


def gains_again(
    world: World, earlier: Configuration, before: Configuration, step: Step, after: Configuration
) -> Iterator[tuple[str, int]]:
    """Yield what a stranger has gained who is paid the same twice by one call, of which nothing is stored.

    That is too much however rightly the first was paid: the next call is paid, too, as long as there is
    something. Amounts that the caller names, and all that there is, are left out: somebody may be free to
    take them bit by bit.

    Parameters
    ----------
    earlier, before, after
        The configurations before the first call, between both and after the second.
    step
        The call.
    """
    if step.by not in STRANGERS or step.value:
        return
    stored = world.stored(earlier)
    if world.stored(before) != stored or world.stored(after) != stored:
        return
    address, first = world.cast.address[step.by], world.first_holdings
    fixed = world.fixed_payments(step.function)
    once, twice = world.holdings(before, address), world.holdings(after, address)
    for asset, amount in world.holdings(earlier, address).items():
        paid = once[asset] - amount
        if asset in fixed and paid > 0 and twice[asset] - once[asset] == paid and twice[asset] > first[asset]:
            yield asset, twice[asset] - first[asset]


def taken_seats(
    world: World, before: Configuration, step: Step, after: Configuration
) -> Iterator[tuple[str, int]]:
    """Yield the roles in which a stranger has put itself in the place of somebody, without paying.

    Yields
    ------
    tuple[str, int]
        Something that the machine holds and a call of the role pays out, and the role's number.
    """
    if step.by not in STRANGERS or step.value or after.paid > before.paid:
        return
    if before.standing[STRANGERS.index(step.by)] != CLEAN:
        return
    own, held = world.cast.address[step.by], world.holdings(before)
    for role, assets in world.paying_roles.items():
        were, members = world.members(before, role), world.members(after, role)
        left = [was for was, now in zip(were, members, strict=True) if was != now == own and any(was)]
        if own not in were and any(each not in world.strangers for each in left):
            yield from [(each, role) for each in sorted(assets) if held[each]][:1]
