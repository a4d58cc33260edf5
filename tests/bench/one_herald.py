"""A herald for a measurement by itself."""

import json
import os
import pathlib
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")


class Herald:
    """Runs on free ports, with its log in a folder, and is up once this is made."""

    def __init__(self, build: pathlib.Path, folder: pathlib.Path, *settings: str) -> None:
        ports = folder / "ports"
        ports.unlink(missing_ok=True)
        with open(folder / "log", "w") as log:
            self.process = subprocess.Popen(
                [build / "herald", "--api-port=0", "--stream-port=0", f"--print-ports={ports}", *settings], stderr=log
            )
        while not (ports.exists() and ports.read_text().strip()):
            if self.process.poll() is not None:
                raise SystemExit((folder / "log").read_text())
            time.sleep(0.05)
        self.ports = json.loads(ports.read_text())

    def port(self, which: str) -> int:
        return int(self.ports[which])

    def cpu(self) -> float:
        """What it has used, in seconds."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def end(self) -> None:
        self.process.terminate()
        self.process.wait()
