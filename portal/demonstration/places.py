"""The invented schools: how many of each phase, how large, what they are called and which trust runs them."""

from __future__ import annotations

import numpy as np

from portal.demonstration.plans import School
from portal.demonstration.sources import places
from portal.demonstration.streams import stratified, stream

#: Mean roll, spread of its logarithm, youngest age and leaving age, by phase.
SHAPES = {
    "primary": (290, 0.55, 4, 11),
    "secondary": (1080, 0.42, 11, 16),
    "special": (103, 0.50, 4, 16),
    "all-through": (1100, 0.0, 4, 16),
    "alternative": (45, 0.0, 11, 16),
}
SMALLEST = 20
#: First establishment number of each phase, as real ones run; the LA digits before it are impossible.
ESTABLISHMENTS = {"primary": 2001, "secondary": 4001, "special": 7001, "all-through": 6901, "alternative": 1101}
ALL_KINDS = 8
SIXTH_FORM_EVERY = 3
NO_CLUSTER = -1


def phases_of(schools: int) -> list[str]:
    """The phase of each of `schools` schools: about 80 in 100 primary, 15 secondary and 5 special, as in a county.

    From 8 schools on, one is all-through and one an alternative provision.
    """
    special = max(int(schools > 2) + int(schools > ALL_KINDS), round(schools * 0.05))  # noqa: PLR2004  two: no room for it
    secondary = max(1, round(schools * 0.15))
    single = ["all-through", "alternative"] if schools >= ALL_KINDS else []
    primary = max(1, schools - special - secondary - len(single))
    return ["primary"] * primary + ["secondary"] * secondary + ["special"] * special + single


def invented_schools(seed: int, count: int, pupils: int, la_code: str, first_urn: int) -> tuple[School, ...]:
    """`count` schools with about `pupils` on roll between them, in clusters of primaries round a secondary."""
    draw = stream(seed, "schools")
    phases = phases_of(count)
    rolls = _rolls(draw, phases, pupils)
    names = _names(draw, phases)
    made, numbered, feeders, secondaries = [], dict(ESTABLISHMENTS), 0, 0
    senior = [phase for phase in phases if phase in {"secondary", "all-through"}]
    for house, (phase, roll, name) in enumerate(zip(phases, rolls, names, strict=True)):
        _, _, lowest, highest = SHAPES[phase]
        cluster, sixth_form = NO_CLUSTER, False
        if phase == "primary":
            cluster, feeders = feeders % max(1, len(senior) - senior.count("all-through")), feeders + 1
        elif phase in {"secondary", "all-through"}:
            cluster, secondaries = secondaries, secondaries + 1
            sixth_form = phase == "secondary" and cluster % SIXTH_FORM_EVERY == 0
        years = highest - lowest
        made.append(
            School(
                house=house,
                urn=str(first_urn + house),
                laestab=f"{la_code}{numbered[phase]:04d}",
                name=name,
                phase=phase,
                lowest_age=lowest,
                highest_age=highest + 2 * sixth_form,
                trust=_trust(draw, phase, cluster),
                capacity=int(np.ceil(roll / years / 5) * 5 * years),
                town=places()["towns"][max(cluster, 0) % len(places()["towns"])],
                cluster=cluster,
                sixth_form=sixth_form,
            )
        )
        numbered[phase] += 1
    return tuple(made)


def _rolls(draw: np.random.Generator, phases: list[str], pupils: int) -> list[float]:
    rolls = np.zeros(len(phases))
    for phase in dict.fromkeys(phases):
        mean, spread, _, _ = SHAPES[phase]
        here = [place for place, one in enumerate(phases) if one == phase]
        rolls[here] = mean * np.exp(spread * stratified(draw, len(here)) - spread**2 / 2)
    rolls = np.maximum(rolls, SMALLEST)
    return list(np.maximum(rolls * pupils / rolls.sum(), SMALLEST))


def _names(draw: np.random.Generator, phases: list[str]) -> list[str]:
    firsts = {"primary": list(places()["primary_first"]), "secondary": list(places()["secondary_first"])}
    for words in firsts.values():
        draw.shuffle(words)
    firsts["secondary"] += [word for word in firsts["primary"] if word not in firsts["secondary"]]
    firsts["special_more"] = firsts["primary"]
    used: dict[str, int] = {}
    names = []
    for phase in phases:
        number = used.get(phase, 0)
        used[phase] = number + 1
        kind = phase.replace("-", "_")
        fixed = places().get(kind, ())
        if phase in firsts:
            names.append(_made_up(phase, firsts[phase], number))
        elif number < len(fixed):
            names.append(fixed[number])
        else:
            names.append(_made_up("special_more", firsts["special_more"], number))
    return names


def _made_up(kind: str, firsts: list[str], number: int) -> str:
    """A different name for every number: first words run out before the patterns shift."""
    patterns = places()[kind]
    return patterns[(number + number // len(firsts)) % len(patterns)].format(firsts[number % len(firsts)])


def _trust(draw: np.random.Generator, phase: str, cluster: int) -> str | None:
    share = {"primary": 0.4, "secondary": 0.75, "all-through": 1.0, "special": 0.5}.get(phase, 0.0)
    trusts = places()["trusts"]
    return trusts[max(cluster, 0) % len(trusts)] if draw.random() < share else None
