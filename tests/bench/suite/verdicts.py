"""Holds herald's medians against the bars."""

from dataclasses import dataclass

from scenarios import Bar, Scenario


@dataclass(frozen=True)
class Verdict:
    bar: Bar
    reached: float
    # What was reached by what herald is compared with, and by whom.
    other: float
    whose: str
    # reached / other; for a plain limit what was reached.
    ratio: float
    good: bool


def best_of(bar: Bar, medians: dict) -> tuple[str, float] | None:
    """The contender that a bar names, or the best of its settings, where it has several."""
    names = [n for n in medians if n == bar.than]
    names = names or [n for n in medians if n.startswith(bar.than + "_")]
    values = {n: medians[n][bar.figure.name] for n in names if bar.figure.name in medians[n]}
    if not values:
        return None
    pick = min if bar.figure.less else max
    name = pick(values, key=values.get)
    return name, values[name]


def judge(scenario: Scenario, medians: dict) -> list[Verdict]:
    verdicts = []
    for bar in scenario.bars:
        if bar.of not in medians:
            continue
        reached = medians[bar.of][bar.figure.name]
        whose, other, ratio = "", 0.0, reached
        if bar.than:
            best = best_of(bar, medians)
            if best is None or best[1] == 0:
                continue
            whose, other = best
            ratio = reached / other
        good = ratio <= bar.limit if bar.figure.less else ratio >= bar.limit
        verdicts.append(Verdict(bar, reached, other, whose, ratio, good))
    return verdicts
