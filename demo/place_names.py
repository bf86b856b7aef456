"""The invented schools: their phases, sizes, names and trusts."""

from __future__ import annotations

import numpy as np

from demo.plans import School
from demo.seeded_random import stratified, stream
from demo.sources import word_lists

#: Mean roll, spread of its logarithm, youngest age and leaving age, by phase.
SIZES_BY_PHASE = {
    "primary": (290, 0.55, 4, 11),
    "secondary": (1080, 0.42, 11, 16),
    "special": (103, 0.50, 4, 16),
    "all-through": (1100, 0.0, 4, 16),
    "alternative": (45, 0.0, 11, 16),
}
SMALLEST = 20
#: First establishment number of each phase, in the ranges of real ones. The LA number before it does not exist.
ESTABLISHMENTS = {"primary": 2001, "secondary": 4001, "special": 7001, "all-through": 6901, "alternative": 1101}
SCHOOLS_FOR_EVERY_PHASE = 8
SIXTH_FORM_EVERY = 3
NO_CLUSTER = -1


def phases_of(schools: int) -> list[str]:
    """The phase of each school, as in a county: about 80% primary, 15% secondary and 5% special.

    From 8 schools on, one is all-through and one an alternative provision.
    """
    special = max(int(schools > 2) + int(schools > SCHOOLS_FOR_EVERY_PHASE), round(schools * 0.05))
    secondary = max(1, round(schools * 0.15))
    only_one = ["all-through", "alternative"] if schools >= SCHOOLS_FOR_EVERY_PHASE else []
    primary = max(1, schools - special - secondary - len(only_one))
    return ["primary"] * primary + ["secondary"] * secondary + ["special"] * special + only_one


def invented_schools(seed: int, count: int, pupils: int, la_code: str, first_urn: int) -> tuple[School, ...]:
    """`count` schools with about `pupils` on roll between them, in clusters of primaries round a secondary."""
    rng = stream(seed, "schools")
    phases = phases_of(count)
    roll_sizes = _roll_sizes(rng, phases, pupils)
    names = _names(rng, phases)
    schools, next_establishment, feeder_count, secondary_count = [], dict(ESTABLISHMENTS), 0, 0
    secondary_phases = [phase for phase in phases if phase in {"secondary", "all-through"}]
    for number, (phase, roll_size, name) in enumerate(zip(phases, roll_sizes, names, strict=True)):
        _, _, lowest, highest = SIZES_BY_PHASE[phase]
        cluster, sixth_form = NO_CLUSTER, False
        if phase == "primary":
            cluster, feeder_count = (
                feeder_count % max(1, len(secondary_phases) - secondary_phases.count("all-through")),
                feeder_count + 1,
            )
        elif phase in {"secondary", "all-through"}:
            cluster, secondary_count = secondary_count, secondary_count + 1
            sixth_form = phase == "secondary" and cluster % SIXTH_FORM_EVERY == 0
        years = highest - lowest
        schools.append(
            School(
                number=number,
                urn=str(first_urn + number),
                laestab=f"{la_code}{next_establishment[phase]:04d}",
                name=name,
                phase=phase,
                lowest_age=lowest,
                highest_age=highest + 2 * sixth_form,
                trust=_trust(rng, phase, cluster),
                capacity=int(np.ceil(roll_size / years / 5) * 5 * years),
                town=word_lists()["towns"][max(cluster, 0) % len(word_lists()["towns"])],
                cluster=cluster,
                sixth_form=sixth_form,
            )
        )
        next_establishment[phase] += 1
    return tuple(schools)


def _roll_sizes(rng: np.random.Generator, phases: list[str], pupils: int) -> list[float]:
    roll_sizes = np.zeros(len(phases))
    for phase in dict.fromkeys(phases):
        mean, spread, _, _ = SIZES_BY_PHASE[phase]
        indexes = [index for index, candidate in enumerate(phases) if candidate == phase]
        roll_sizes[indexes] = mean * np.exp(spread * stratified(rng, len(indexes)) - spread**2 / 2)
    roll_sizes = np.maximum(roll_sizes, SMALLEST)
    return list(np.maximum(roll_sizes * pupils / roll_sizes.sum(), SMALLEST))


def _names(rng: np.random.Generator, phases: list[str]) -> list[str]:
    first_words = {"primary": list(word_lists()["primary_first"]), "secondary": list(word_lists()["secondary_first"])}
    for words in first_words.values():
        rng.shuffle(words)
    first_words["secondary"] += [word for word in first_words["primary"] if word not in first_words["secondary"]]
    first_words["special_more"] = first_words["primary"]
    used_count: dict[str, int] = {}
    names = []
    for phase in phases:
        number = used_count.get(phase, 0)
        used_count[phase] = number + 1
        pattern_name = phase.replace("-", "_")
        fixed_names = word_lists().get(pattern_name, ())
        if phase in first_words:
            names.append(_generated_name(phase, first_words[phase], number))
        elif number < len(fixed_names):
            names.append(fixed_names[number])
        else:
            names.append(_generated_name("special_more", first_words["special_more"], number))
    return names


def _generated_name(kind: str, first_words: list[str], number: int) -> str:
    """A different name for every number: all first words are used before a pattern repeats."""
    patterns = word_lists()[kind]
    return patterns[(number + number // len(first_words)) % len(patterns)].format(first_words[number % len(first_words)])


def _trust(rng: np.random.Generator, phase: str, cluster: int) -> str | None:
    share = {"primary": 0.4, "secondary": 0.75, "all-through": 1.0, "special": 0.5}.get(phase, 0.0)
    trusts = word_lists()["trusts"]
    return trusts[max(cluster, 0) % len(trusts)] if rng.random() < share else None
