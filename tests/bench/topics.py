#!/usr/bin/env python3
"""Measures events for topics beside events for pages: CPU time of herald for each publish, and the
memory of what streams listen to. Readers are in this process and cost herald nothing.

  tests/bench/topics.py build/release/herald --streams 10000 --topics 10000 --each 1
  tests/bench/topics.py build/release/herald --streams 16000 --topics 16000 --each 10 --rounds 3

Prints a line for each round: CPU microseconds an event, with events to one page, to random topics,
and to topics without listeners. A herald of one loop holds up to some 19,000 streams here.
"""
import argparse
import json
import os
import pathlib
import random
import select
import socket
import statistics
import subprocess
import tempfile
import threading
import time

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident(pid: int) -> int:
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Private_Dirty:"):
            return int(line.split()[1]) * 1024
    return 0


class Readers(threading.Thread):
    """Reads what streams get, and throws it away."""

    def __init__(self):
        super().__init__(daemon=True)
        self.poll = select.epoll()
        self.sockets: dict[int, socket.socket] = {}
        self.bytes = 0

    def add(self, port: int, target: str) -> None:
        stream = socket.create_connection(("127.0.0.1", port))
        stream.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        self.sockets[stream.fileno()] = stream
        self.poll.register(stream.fileno(), select.EPOLLIN)

    def run(self) -> None:
        while True:
            for fd, _ in self.poll.poll():
                try:
                    self.bytes += len(os.read(fd, 65536))
                except OSError:
                    self.poll.unregister(fd)


def post(api: socket.socket, batch: list[dict]) -> None:
    body = json.dumps(batch).encode()
    head = f"POST /api/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    api.sendall((head + "Content-Type: application/json\r\n\r\n").encode() + body)
    answer = api.recv(65536)
    while b"\r\n\r\n" not in answer or not answer.rstrip().endswith(b"}"):
        answer += api.recv(65536)
    if b" 202 " not in answer[:16]:
        raise SystemExit(answer.decode())


def measure(pid: int, api: socket.socket, events: int, batch: int, make) -> float:
    before = cpu_seconds(pid)
    for _ in range(events // batch):
        post(api, [make() for _ in range(batch)])
    time.sleep(0.5)
    return (cpu_seconds(pid) - before) / events * 1e6


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("herald")
    options.add_argument("--streams", type=int, default=10_000)
    options.add_argument("--topics", type=int, default=10_000)
    options.add_argument("--each", type=int, default=1, help="topics of a stream")
    options.add_argument("--events", type=int, default=20_000)
    options.add_argument("--batch", type=int, default=100)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--churn", type=int, default=0, help="changes of topics before a last look")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ports_file = pathlib.Path(folder) / "ports"
        herald = subprocess.Popen(
            [given.herald, "--api-port", "0", "--stream-port", "0", "--log-level", "warning",
             "--print-ports", str(ports_file)])
        try:
            while not ports_file.exists():
                time.sleep(0.02)
            run(given, herald.pid, json.loads(ports_file.read_text()))
        finally:
            herald.terminate()
            herald.wait()


def run(given, pid: int, ports: dict) -> None:
    readers = Readers()
    readers.start()
    chance = random.Random(1)
    # Each topic has as many listeners as any other.
    pool = [i % given.topics for i in range(given.streams * given.each)]
    chance.shuffle(pool)
    idle = resident(pid)
    for i in range(given.streams):
        wanted = pool[i * given.each:(i + 1) * given.each]
        topics = "".join(f"&topic=orders/{t}" for t in wanted)
        readers.add(ports["stream"], f"/api/sse/stream?request_id=p{i}{topics}")
    time.sleep(2)
    with_streams = resident(pid)
    print(f"{(with_streams - idle) / given.streams:.0f} bytes a stream with {given.each} topics")
    api = socket.create_connection(("127.0.0.1", ports["api"]))
    data = "x" * 180
    makers = {
        "page": lambda: {"event": "e", "data": data,
                         "request_id": f"p{chance.randrange(given.streams)}"},
        "topic": lambda: {"event": "e", "data": data,
                          "topic": f"orders/{chance.randrange(given.topics)}"},
        "nobody's page": lambda: {"event": "e", "data": data, "request_id": "nobody"},
        "nobody's topic": lambda: {"event": "e", "data": data, "topic": "nobody/1"},
    }
    found: dict[str, list[float]] = {name: [] for name in makers}
    measure(pid, api, 2000, given.batch, makers["page"])
    for _ in range(given.rounds):
        for name, make in makers.items():
            found[name].append(measure(pid, api, given.events, given.batch, make))
    for name, costs in found.items():
        print(f"{name:15} {statistics.median(costs):7.2f} us an event  {[round(c, 2) for c in costs]}")
    listeners = given.streams * given.each / given.topics
    nobody = statistics.median(found["nobody's topic"])
    page = statistics.median(found["page"]) - statistics.median(found["nobody's page"])
    topic = (statistics.median(found["topic"]) - nobody) / listeners
    print(f"{listeners:.1f} deliveries an event to a topic; a delivery beyond an event to nobody: "
          f"{topic:.2f} us, of an event to a page {page:.2f} us")
    if given.churn:
        before = resident(pid)
        for done in range(given.churn):
            page_id = chance.randrange(given.streams)
            change = {"add": [f"orders/{chance.randrange(given.topics)}"], "remove": ["orders/0"]}
            body = json.dumps(change).encode()
            api.sendall(
                f"POST /api/connections/p{page_id}/topics HTTP/1.1\r\nHost: localhost\r\n"
                f"Content-Length: {len(body)}\r\nContent-Type: application/json\r\n\r\n".encode()
                + body)
            api.recv(65536)
            if (done + 1) % (given.churn // 5) == 0:
                print(f"after {done + 1} changes: {(resident(pid) - before) / 1024:.0f} KiB more")


if __name__ == "__main__":
    main()
