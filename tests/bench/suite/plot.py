"""Draws the medians as bars, one panel for each figure of each row: SVG, without any library."""

import html

WIDTH, PANEL_WIDTH, BAR, GAP = 1000, 480, 16, 5
LABEL = 90
COLORS = {"herald": "#0969da", "floor": "#8c959f", "nchan": "#cf222e", "pushpin": "#9a6700"}
FIGURES = {
    "CPU per delivery": "us of server CPU per delivery",
    "deliveries/s": "deliveries per second",
    "p99": "p99 from publish to receive, ms",
    "bytes/stream idle": "bytes of server memory per idle stream",
    "CPU per open": "us of server CPU per stream opened",
    "requests/s": "requests per second",
    "events/s": "events per second",
    "pairs/s": "pairs of callbacks per second",
}


def text(x: float, y: float, words: str, more: str = "") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" {more}>{html.escape(words)}</text>'


def color(name: str) -> str:
    return COLORS.get(name.split("_")[0], "#57606a")


def panel(x: float, y: float, title: str, values: dict[str, float]) -> tuple[str, float]:
    parts = [text(x, y + 12, title, 'font-weight="bold"')]
    top = y + 22
    room = PANEL_WIDTH - LABEL - 90
    longest = max(values.values()) or 1
    for name, value in values.items():
        length = max(1.0, value / longest * room)
        parts.append(text(x + LABEL - 6, top + BAR - 4, name, 'text-anchor="end"'))
        parts.append(f'<rect x="{x + LABEL}" y="{top}" width="{length:.1f}" height="{BAR}" fill="{color(name)}"/>')
        shown = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
        parts.append(text(x + LABEL + length + 5, top + BAR - 4, shown))
        top += BAR + GAP
    return "\n".join(parts), top + 14


def draw(outcome: dict) -> str:
    machine = outcome["machine"]
    parts, y = [], 20.0
    parts.append(text(20, y, "herald beside its peers", 'font-size="18" font-weight="bold"'))
    where = f"{outcome['date'][:10]}, {machine['cores']} x {machine['cpu']}, shared with the clients, {machine['system']}"
    parts.append(text(20, y + 20, f"{where}; medians of {outcome['rounds']}"))
    y += 40
    for scenario in outcome["scenarios"].values():
        shown = [f for f in FIGURES if any(f in of for of in scenario["medians"].values())]
        if not shown:
            continue
        parts.append(text(20, y + 14, scenario["title"], 'font-size="15" font-weight="bold"'))
        y += 24
        for index in range(0, len(shown), 2):
            ends = [y]
            for column, figure in enumerate(shown[index : index + 2]):
                values = {n: of[figure] for n, of in scenario["medians"].items() if figure in of}
                drawn, end = panel(20 + column * PANEL_WIDTH, y, FIGURES[figure], values)
                parts.append(drawn)
                ends.append(end)
            y = max(ends)
    frame = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y:.0f}" font-family="sans-serif" font-size="12" fill="#1f2328">'
    return "\n".join([frame, '<rect width="100%" height="100%" fill="#ffffff"/>', *parts, "</svg>"]) + "\n"
