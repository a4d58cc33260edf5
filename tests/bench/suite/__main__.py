"""Runs scenarios, prints their tables, writes what was measured. Started by tests/bench/run."""

import argparse
import datetime
import json
import pathlib
import subprocess

import machine
import plot
import rounds
import servers
import table
import verdicts
from scenarios import SCENARIOS

RESULTS = pathlib.Path(__file__).resolve().parents[1] / "results"


def options() -> argparse.Namespace:
    names = [s.name for s in SCENARIOS]
    parser = argparse.ArgumentParser(
        prog="tests/bench/run",
        description="Measures herald beside nchan, Pushpin and a floor: same clients, same sitting.",
        epilog="Rows: " + ", ".join(names),
    )
    parser.add_argument("--quick", action="store_true", help="short runs, once: a look at whether all of it works")
    parser.add_argument("--only", nargs="+", metavar="ROW", choices=names, help="these rows only")
    parser.add_argument("--servers", nargs="+", metavar="NAME", help="these servers only")
    parser.add_argument("--rounds", type=int, help="runs of each server in each row, of which the median counts (5)")
    parser.add_argument("--out", type=pathlib.Path, default=RESULTS, help="folder for the results")
    parser.add_argument("--herald", action="append", default=[], metavar="FLAG", help="a flag for herald, e.g. --herald=--stream-threads=1")
    parser.add_argument("--before", type=pathlib.Path, metavar="BINARY", help="a herald of another tree, measured in turns with this one")
    return parser.parse_args()


def measure(scenario, wanted: argparse.Namespace, count: int) -> tuple[dict, dict, list]:
    contenders = [c for c in scenario.contenders if not wanted.servers or c in wanted.servers]
    contenders = servers.with_those_before(contenders)
    rounds.say(f"{scenario.name}: {scenario.title}")
    reports = rounds.run_scenario(scenario, contenders, count, wanted.quick)
    medians = {name: rounds.medians(scenario, of) for name, of in reports.items() if of}
    return reports, medians, verdicts.judge(scenario, medians)


def micro(quick: bool) -> list[dict]:
    """The pure parts by themselves, without a socket."""
    rounds.say("micro: the pure parts")
    command = [str(servers.TOOLS / "herald_micro"), "--benchmark_format=json"]
    command += ["--benchmark_min_time=0.05"] if quick else ["--benchmark_repetitions=5"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    parts = json.loads(done.stdout)["benchmarks"]
    parts = [p for p in parts if quick or p.get("aggregate_name") == "median"]
    print(table.micro(parts), flush=True)
    return parts


def main() -> None:
    wanted = options()
    servers.HERALD_FLAGS.extend(wanted.herald)
    if wanted.before:
        servers.HERALD[servers.BEFORE] = wanted.before.resolve()
    count = wanted.rounds or (1 if wanted.quick else 5)
    outcome = {"date": datetime.datetime.now().isoformat(timespec="seconds"), "quick": wanted.quick}
    outcome |= {"rounds": count, "machine": machine.describe(), "scenarios": {}}
    wanted.out.mkdir(parents=True, exist_ok=True)
    name = datetime.datetime.now().strftime("%Y-%m-%d_%H%M%S")
    for scenario in SCENARIOS:
        if wanted.only and scenario.name not in wanted.only:
            continue
        reports, medians, judged = measure(scenario, wanted, count)
        print(table.show(scenario, medians, judged), flush=True)
        outcome["scenarios"][scenario.name] = {
            "title": scenario.title,
            "medians": medians,
            "bars": [table.verdict_line(v).strip() for v in judged],
            "runs": reports,
        }
        # After each row, so that an end before the last one loses nothing.
        (wanted.out / f"{name}.json").write_text(json.dumps(outcome, indent=1) + "\n")
    if not wanted.only:
        outcome["micro"] = micro(wanted.quick)
        (wanted.out / f"{name}.json").write_text(json.dumps(outcome, indent=1) + "\n")
    (wanted.out / f"{name}.svg").write_text(plot.draw(outcome))
    print(f"written: {wanted.out / name}.json and .svg")


main()
