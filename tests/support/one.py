"""The work of tests/one: finds the sources that a test needs by its includes, has Ninja build those, links, runs."""
import json
import os
import re
import subprocess
import sys

BUILD = "build/dev"
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
LIBRARIES = (
    "gtest_main gtest caf_core cpp-httplib curl spdlog fmt prometheus-cpp-core sqlite3 uring utf8proc crypto "
    "absl_raw_logging_internal pthread"
).split()


def objects():
    """The object of each source, as Ninja calls it. A source that is built more than once: the first of them."""
    with open(f"{BUILD}/compile_commands.json", encoding="utf-8") as file:
        found = {}
        for entry in json.load(file):
            output = re.search(r" -o (\S+)", entry["command"]).group(1)
            found.setdefault(os.path.relpath(entry["file"]), output)
        return found


def bodies_of_others(sources):
    """Sources without a header of their name, by the first header of ours that they include; of those that
    include none (boost_url.cpp) by their folder."""
    found = {}
    for path in sources:
        alone = path.startswith("tests/") or path.endswith("/main.cpp")
        if alone or os.path.isfile(path.removesuffix(".cpp") + ".hpp"):
            continue
        with open(path, encoding="utf-8") as file:
            includes = INCLUDE.findall(file.read())
        found.setdefault(includes[0] if includes else os.path.dirname(path), []).append(path)
    return found


def needed_by(test, sources):
    """The test's source, and those beside each header of ours that one of them includes."""
    others = bodies_of_others(sources)
    found, headers, todo = [], set(), [test]
    while todo:
        path = todo.pop()
        if path in headers or not os.path.isfile(path):
            continue
        headers.add(path)
        todo += others.get(path, []) + others.get(os.path.dirname(path), [])
        if path.endswith(".cpp"):
            found.append(path)
        else:
            todo.append(path.removesuffix(".hpp") + ".cpp")
        with open(path, encoding="utf-8") as file:
            todo += INCLUDE.findall(file.read())
    return found


def main():
    if len(sys.argv) < 2 or not sys.argv[1].endswith("_test.cpp"):
        sys.exit("tests/one: name the source of a unit test, as tests/http/protocol/url_test.cpp")
    test = os.path.relpath(sys.argv[1])
    built = objects()
    wanted = [built[source] for source in needed_by(test, built) if source in built]
    subprocess.run(["cmake", "--build", BUILD, "--target", *wanted], check=True)
    binary = f"{BUILD}/one_test"
    libraries = [f"-l{name}" for name in LIBRARIES]
    subprocess.run(
        ["g++", "-o", binary, *(f"{BUILD}/{name}" for name in wanted), "-Wl,--as-needed", *libraries], check=True
    )
    os.execv(binary, [binary, *sys.argv[2:]])


main()
