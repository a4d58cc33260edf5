"""The work of tests/tidy: which sources are due, clang-tidy on each, and the memory of those that were clean."""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time

FOLDERS = ["messages", "actors", "http", "tests"]
BUILD = "build/dev"
INCLUDE = re.compile(rb'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class keys:
    """Names a source together with all that clang-tidy's verdict depends on, Debian's headers left out."""

    def __init__(self):
        with open(f"{BUILD}/compile_commands.json", encoding="utf-8") as file:
            self._commands = {
                os.path.relpath(entry["file"]): entry["command"].replace(os.getcwd(), ".")
                for entry in json.load(file)
            }
        rules = pathlib.Path(".clang-tidy").read_bytes()
        self._tool = rules + output_of("clang-tidy", "--version").encode()
        self._texts = {}

    def compiled(self, source):
        return source in self._commands

    def of(self, source):
        digest = hashlib.sha256(self._tool + self._commands[source].encode())
        for path in sorted(self._with_headers(source)):
            digest.update(path.encode() + b"\0" + self._texts[path] + b"\0")
        return digest.hexdigest()

    def _with_headers(self, source):
        found, todo = set(), [source]
        while todo:
            path = todo.pop()
            if path in found or not os.path.isfile(path):
                continue
            found.add(path)
            if path not in self._texts:
                self._texts[path] = pathlib.Path(path).read_bytes()
            todo += [name.decode() for name in INCLUDE.findall(self._texts[path])]
        return found


def sources_of(places):
    found = set()
    for place in map(pathlib.Path, places):
        found |= {place} if place.is_file() else set(place.rglob("*.cpp"))
    return sorted(str(path) for path in found)


def changed(commits):
    """The sources that the last commits changed, themselves or by their headers, newest first; before them
    what is not committed yet."""
    names = [line[3:] for line in output_of("git", "status", "--porcelain").split("\n")]
    names += output_of("git", "log", f"-{commits}", "--format=", "--name-only").split("\n")
    return list(dict.fromkeys(re.sub(r"\.hpp$", ".cpp", name) for name in names))


def look_at(source):
    """What clang-tidy says of a source; empty if it is clean."""
    run = subprocess.run(
        ["nice", "clang-tidy", "--quiet", "-p", BUILD, source], capture_output=True, text=True, check=False
    )
    if run.returncode == 0:
        return ""
    return run.stdout or f"clang-tidy failed on {source}\n{run.stderr}"


def main():
    parser = argparse.ArgumentParser(prog="tests/tidy")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--commits", type=int, metavar="N")
    parser.add_argument("places", nargs="*", default=FOLDERS)
    options = parser.parse_args()

    known = keys()
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "herald/tidy"
    cache.mkdir(parents=True, exist_ok=True)
    # A source that no target builds cannot be looked at: it has no flags.
    sources = [source for source in sources_of(options.places) if known.compiled(source)]
    if options.commits:
        sources = [source for source in changed(options.commits) if source in sources]
    due = [source for source in sources if not (cache / known.of(source)).exists()]
    until = time.monotonic() + options.seconds
    left, dirty = [], []

    def step(source):
        if time.monotonic() > until:
            left.append(source)
            return
        findings = look_at(source)
        if findings:
            dirty.append(source)
            print(findings, flush=True)
        else:
            (cache / known.of(source)).touch()

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(step, due))
    print(
        f"tests/tidy: {len(sources)} sources, {len(sources) - len(due)} known to be clean, "
        f"{len(due) - len(left) - len(dirty)} found clean, {len(dirty)} not, {len(left)} not looked at for want of time"
    )
    sys.exit(1 if dirty else 0)


main()
