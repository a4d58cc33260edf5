"""Runs the load client against servers, again and again, and takes medians."""

import json
import statistics
import subprocess
import sys
from collections.abc import Iterable

import servers
from scenarios import Figure, Scenario

# More than this many cores used by others, and a run is done again.
NOISY = 0.25
TRIES = 3


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def arguments(load: dict) -> list[str]:
    words = []
    for name, value in load.items():
        for one in value if isinstance(value, list) else [value]:
            words += [f"--{name}", str(one)]
    return words


def load_of(scenario: Scenario, contender: str, quick: bool) -> dict:
    load = scenario.load | scenario.of.get(servers.kind_of(contender), {})
    return load | scenario.quick if quick else load


def swarm(running: servers.Running, label: str, load: dict) -> dict:
    command = [str(servers.TOOLS / "herald_swarm"), "--label", label]
    command += running.streams if load.get("streams", 1) else []
    command += running.publish if load.get("mode", "none") != "none" else []
    for pid in running.pids:
        command += ["--server", str(pid)]
    for pid in running.beside:
        command += ["--beside", str(pid)]
    done = subprocess.run(command + arguments(load), stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def judge(report: dict, connections: int) -> dict:
    """Adds what is summed up from several figures of the load client."""
    streams, deliveries = report["streams"], report["deliveries"]
    report["faults"] = deliveries["lost"] + deliveries["duplicated"] + streams["malformed"]
    # Over several connections the server decides on the order, but it must be one for all streams.
    report["faults"] += deliveries["out_of_order"] if connections == 1 else deliveries["orders"] > 1
    report["streams_lost"] = streams["failed"] + streams["pending"] + streams["ended_by_server"]
    # From when the first quarter was over, so that what is allocated once does not count.
    rss = report["memory"]["rss_kb"]
    report["memory"]["growth_kb"] = rss[-1] - rss[len(rss) // 4] if rss else 0
    return report


def run_once(scenario: Scenario, contender: str, quick: bool) -> dict:
    load = load_of(scenario, contender, quick)
    settings = scenario.settings.get(servers.kind_of(contender), ())
    for _ in range(1 if quick else TRIES):
        with servers.start(contender, *settings) as running:
            report = judge(swarm(running, f"{scenario.name}/{contender}", load), load.get("connections", 1))
        report["noisy"] = report["machine"]["other_cores"] > NOISY
        if not report["noisy"]:
            break
    return report


def value(report: dict, figure: Figure) -> float:
    found = report
    for step in figure.path.split("/"):
        found = found[step]
    return found * figure.scale


def run_scenario(scenario: Scenario, contenders: Iterable[str], rounds: int, quick: bool) -> dict:
    """All reports of a scenario, by contender; the contenders take turns."""
    reports: dict[str, list[dict]] = {name: [] for name in contenders}
    for turn in range(min(rounds, scenario.rounds)):
        for name in reports:
            try:
                report = run_once(scenario, name, quick)
            except (servers.DidNotStart, subprocess.CalledProcessError) as failure:
                say(f"  {turn + 1}  {name:<10} failed: {failure}")
                continue
            reports[name].append(report)
            first = scenario.figures[0]
            noise = "  (noisy machine)" if report["noisy"] else ""
            say(f"  {turn + 1}  {name:<10} {first.name} {value(report, first):.4g} {first.unit}{noise}")
    return reports


def medians(scenario: Scenario, reports: list[dict]) -> dict[str, float]:
    """Of the quiet runs, if there are any. Of what must not happen the worst counts, of all runs."""
    quiet = [r for r in reports if not r["noisy"]] or reports
    result = {}
    for figure in scenario.figures:
        if figure.worst:
            result[figure.name] = max(value(r, figure) for r in reports)
        else:
            result[figure.name] = statistics.median(value(r, figure) for r in quiet)
    return result
