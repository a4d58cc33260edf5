"""What the numbers were measured on, and with."""

import os
import pathlib
import platform
import re
import subprocess

import servers

PACKAGES = ("nginx", "libnginx-mod-nchan", "pushpin", "condure", "libcaf-dev", "libcpp-httplib-dev")


def output(*command: str) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return done.stdout.strip()


def first(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    return found.group(1).strip() if found else ""


def describe() -> dict:
    cpu = pathlib.Path("/proc/cpuinfo").read_text()
    memory = pathlib.Path("/proc/meminfo").read_text()
    release = pathlib.Path("/etc/os-release").read_text()
    versions = output("dpkg-query", "-W", "-f", "${Package} ${Version}\\n", *PACKAGES)
    return {
        "cpu": first(r"^model name\s*:\s*(.*)$", cpu),
        "cores": os.cpu_count(),
        "memory_gib": round(int(first(r"^MemTotal:\s*(\d+)", memory)) / 2**20, 1),
        "kernel": platform.release(),
        "system": first(r'^PRETTY_NAME="(.*)"$', release),
        "herald": output(str(servers.BUILD / "herald"), "--version"),
        "commit": output("git", "-C", str(servers.ROOT), "describe", "--always", "--dirty"),
        "packages": dict(line.split(" ", 1) for line in versions.splitlines()),
    }
