"""Prints what came out."""

from scenarios import Figure, Scenario
from verdicts import Verdict


def number(value: float) -> str:
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def heading(figure: Figure) -> str:
    return f"{figure.name} {figure.unit}" if figure.unit and figure.unit != "/s" else figure.name


def rows_to_text(rows: list[list[str]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for index, row in enumerate(rows):
        cells = [row[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(row[1:], widths[1:])]
        lines.append("| " + " | ".join(cells) + " |")
        if index == 0:
            rules = ["-" * widths[0]] + ["-" * (w - 1) + ":" for w in widths[1:]]
            lines.append("| " + " | ".join(rules) + " |")
    return "\n".join(lines)


def contender_rows(scenario: Scenario, medians: dict) -> str:
    rows = [["", *(heading(f) for f in scenario.figures)]]
    for name, of in medians.items():
        blank = scenario.without.get(name, ())
        rows.append([name, *("" if f in blank else number(of[f.name]) for f in scenario.figures)])
    return rows_to_text(rows)


def verdict_line(verdict: Verdict) -> str:
    bar = verdict.bar
    sign = "<=" if bar.figure.less else ">="
    mark = "met   " if verdict.good else "MISSED"
    if not bar.than:
        return f"  {mark} {bar.of}: {heading(bar.figure)} {number(verdict.reached)} ({sign} {number(bar.limit)})"
    return (
        f"  {mark} {bar.of}: {bar.figure.name} {verdict.ratio:.2f} x {verdict.whose} ({sign} {bar.limit:.2f} x)"
    )


def show(scenario: Scenario, medians: dict, verdicts: list[Verdict]) -> str:
    parts = [f"{scenario.name}: {scenario.title}", "", contender_rows(scenario, medians), ""]
    parts += [verdict_line(v) for v in verdicts]
    return "\n".join(parts) + "\n"


def micro(parts: list[dict]) -> str:
    rows = [["micro", "ns per item", "items/s"]]
    for part in parts:
        name = part.get("run_name", part["name"])
        rows.append([name, number(1e9 / part["items_per_second"]), number(part["items_per_second"])])
    return rows_to_text(rows) + "\n"
