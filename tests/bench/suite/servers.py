"""The servers that are compared: how each is started, what the load client needs to know of it."""

import contextlib
import contextvars
import http.client
import json
import os
import pathlib
import random
import resource
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = ROOT / "build" / "bench"
TOOLS = BUILD / "tests" / "bench"
PEERS = pathlib.Path(__file__).resolve().parents[1] / "peers"


# For every herald, whatever the row.
HERALD_FLAGS: list[str] = []

# A herald of another tree, to be measured in turns with this one's: its contenders have this prefix.
BEFORE = "before:"
HERALD = {"": BUILD / "herald"}
tree: contextvars.ContextVar[str] = contextvars.ContextVar("tree", default="")


@dataclass
class Running:
    """A server that is up."""

    pids: list[int]
    # Arguments of the load client: streams, single events, batches.
    streams: list[str] = field(default_factory=list)
    publish: list[str] = field(default_factory=list)
    api: str = ""
    # Processes that take part, but are not what is measured.
    beside: list[int] = field(default_factory=list)


class DidNotStart(Exception):
    pass


def free_port() -> int:
    """Below the range that the kernel takes the clients' ports from."""
    for port in random.sample(range(10_000, 32_000), 100):
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise DidNotStart("no free port")


def wait_until(is_up: Callable[[], bool], what: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 20
    while not is_up():
        if process.poll() is not None or time.monotonic() > deadline:
            raise DidNotStart(what)
        time.sleep(0.02)


def listens(port: int) -> bool:
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def streams_open(port: int, path: str) -> bool:
    """Whether a stream is answered with 200. It is closed again."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@contextlib.contextmanager
def process(command: list, **options) -> Iterator[subprocess.Popen]:
    """Runs a command in the background, and ends it."""
    child = subprocess.Popen([str(word) for word in command], start_new_session=True, **options)
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


@contextlib.contextmanager
def herald(*settings: str) -> Iterator[Running]:
    with tempfile.TemporaryDirectory(prefix="herald-bench-") as folder:
        ports_file = pathlib.Path(folder) / "ports"
        command = [HERALD[tree.get()], "--api-port", 0, "--stream-port", 0, "--log-level", "warning"]
        command += ["--print-ports", ports_file, *settings, *HERALD_FLAGS]
        with process(command) as child:
            wait_until(ports_file.exists, "herald", child)
            ports = json.loads(ports_file.read_text())
            api = f"http://127.0.0.1:{ports['api']}"
            streams = ["--port", str(ports.get("stream", 0))]
            streams += ["--path", "/api/sse/stream?request_id=c%d"]
            publish = ["--publish", api + "/api/events"]
            publish += ["--publish-header", "Content-Type: application/json"]
            publish += ["--body", '{"event":"bench","data":%D}']
            yield Running([child.pid], streams, publish, api)


@contextlib.contextmanager
def herald_with_journal(*settings: str) -> Iterator[Running]:
    with tempfile.TemporaryDirectory(prefix="herald-bench-") as folder:
        with herald("--journal-path", f"{folder}/journal.db", *settings) as running:
            yield running


@contextlib.contextmanager
def floor(loops: int = 1) -> Iterator[Running]:
    with process([TOOLS / "herald_floor", loops], stdout=subprocess.PIPE, text=True) as child:
        port = child.stdout.readline().strip()
        if not port:
            raise DidNotStart("floor")
        yield Running([child.pid], ["--port", port], ["--publish", f"http://127.0.0.1:{port}/"])


@contextlib.contextmanager
def nchan(workers: int) -> Iterator[Running]:
    with tempfile.TemporaryDirectory(prefix="herald-bench-") as folder:
        port = free_port()
        _, descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)
        descriptors = min(descriptors, 1_000_000)
        values = {
            "USER": "user root;" if os.geteuid() == 0 else "",
            "WORKERS": workers,
            "DESCRIPTORS": descriptors,
            "CONNECTIONS": descriptors - 100,
            "PORT": port,
        }
        text = (PEERS / "nchan.conf").read_text()
        for name, value in values.items():
            text = text.replace(f"@{name}@", str(value))
        (pathlib.Path(folder) / "nginx.conf").write_text(text)
        command = ["nginx", "-p", folder + "/", "-c", "nginx.conf", "-e", "error.log"]
        with process(command) as child:
            wait_until(lambda: listens(port), "nginx", child)
            publish = ["--publish", f"http://127.0.0.1:{port}/publish"]
            yield Running([child.pid], ["--port", str(port), "--path", "/streams?n=%d"], publish)


@contextlib.contextmanager
def pushpin() -> Iterator[Running]:
    with tempfile.TemporaryDirectory(prefix="herald-bench-") as folder:
        streams_port, publish_port = free_port(), free_port()
        values = {"FOLDER": folder, "PORT": streams_port, "PUBLISH_PORT": publish_port}
        text = (PEERS / "pushpin.conf").read_text()
        for name, value in values.items():
            text = text.replace(f"@{name}@", str(value))
        config = pathlib.Path(folder) / "pushpin.conf"
        config.write_text(text)
        # Its own handler for trying out, which holds a stream open without asking an origin.
        command = ["pushpin", "--config", config, "--route", "* test"]
        with process(command, stdout=subprocess.DEVNULL) as child:
            wait_until(lambda: listens(publish_port), "pushpin", child)
            wait_until(lambda: streams_open(streams_port, "/stream"), "pushpin", child)
            item = r'{"channel":"test","formats":{"http-stream":{"content":"data: %E\n\n"}}}'
            publish = ["--publish", f"http://127.0.0.1:{publish_port}/publish/"]
            publish += ["--body", '{"items":[' + item + "]}"]
            # More than 500 connects a second are refused.
            streams = ["--port", str(streams_port), "--path", "/stream", "--ramp", "450"]
            yield Running([child.pid], streams, publish)


@contextlib.contextmanager
def herald_with_gateway(*settings: str) -> Iterator[Running]:
    """herald beside an SSE Gateway, which is the load client."""
    port = free_port()
    with herald("--gateway-url", f"http://127.0.0.1:{port}", *settings) as running:
        running.streams = ["--gateway", str(port), "--callback", running.api + "/api/sse/callback"]
        yield running


@contextlib.contextmanager
def node_gateway(port: int, callback: str) -> Iterator[subprocess.Popen]:
    """The suite's SSE Gateway, made as production's is."""
    command = ["node", ROOT / "tests" / "support" / "sse_gateway.mjs", 1, port, callback]
    with process(command, stdout=subprocess.DEVNULL) as child:
        wait_until(lambda: listens(port), "node", child)
        yield child


@contextlib.contextmanager
def herald_with_node_gateway() -> Iterator[Running]:
    port = free_port()
    with herald("--gateway-url", f"http://127.0.0.1:{port}") as running:
        with node_gateway(port, running.api + "/api/sse/callback") as gateway:
            running.beside = [gateway.pid]
            running.streams = ["--port", str(port), "--path", "/api/sse/stream?request_id=c%d"]
            yield running


@contextlib.contextmanager
def bare_node() -> Iterator[Running]:
    """The load client posts to the gateway itself."""
    port, backend = free_port(), free_port()
    with node_gateway(port, f"http://127.0.0.1:{backend}/callback") as gateway:
        send = '{"token":"%K","event":{"name":"bench","data":"%E"}}'
        publish = ["--publish", f"http://127.0.0.1:{port}/internal/send", "--body", send]
        publish += ["--publish-header", "Content-Type: application/json"]
        streams = ["--port", str(port), "--path", "/api/sse/stream?request_id=c%d"]
        yield Running([gateway.pid], [*streams, "--backend", str(backend)], publish)


@contextlib.contextmanager
def callbacks() -> Iterator[Running]:
    """herald as the backend that a gateway calls."""
    # Nobody is there: nothing is sent.
    with herald("--gateway-url", f"http://127.0.0.1:{free_port()}") as running:
        running.publish = ["--publish", running.api + "/api/sse/callback"]
        running.publish += ["--publish-header", "Content-Type: application/json"]
        yield running


# Of rows whose events are for some streams: what streams listen to, and what events are for.
def topics(each: int) -> str:
    return "/api/sse/stream?request_id=c%d" + "&topic=t/%R" * each


def event_for(audience: str) -> list[str]:
    return ["--body", '{"event":"bench",%s,"data":%%D}' % audience]


@contextlib.contextmanager
def herald_for(path: str, audience: str, *settings: str) -> Iterator[Running]:
    """herald whose streams ask for `path`, and whose events have an audience."""
    with herald(*settings) as running:
        running.streams[running.streams.index("--path") + 1] = path
        running.publish = running.publish[:-2] + event_for(audience)
        yield running


@contextlib.contextmanager
def nchan_channels(workers: int, each: int) -> Iterator[Running]:
    """A channel for each topic, and `each` of them for a stream."""
    with nchan(workers) as running:
        path = "/channels?ids=" + ",".join(["t%R"] * each)
        running.streams[running.streams.index("--path") + 1] = path
        running.publish[1] = running.publish[1].replace("/publish", "/publish-to")
        running.publish += ["--publish-header", "X-Channel: t%R"]
        yield running


@contextlib.contextmanager
def answer() -> Iterator[Running]:
    """A handler that only answers."""
    with process([TOOLS / "herald_answer"], stdout=subprocess.PIPE, text=True) as child:
        port = child.stdout.readline().strip()
        if not port:
            raise DidNotStart("answer")
        publish = ["--publish", f"http://127.0.0.1:{port}/"]
        publish += ["--publish-header", "Content-Type: application/json"]
        yield Running([child.pid], [], publish)


@contextlib.contextmanager
def bare() -> Iterator[Running]:
    """No server: the load client posts to its own gateway."""
    port = free_port()
    send = '{"token":"b1","event":{"name":"bench","data":"%E"}}'
    publish = ["--publish", f"http://127.0.0.1:{port}/internal/send", "--body", send]
    publish += ["--publish-header", "Content-Type: application/json"]
    yield Running([], ["--gateway", str(port)], publish)


KINDS: dict[str, Callable] = {
    "herald": herald,
    "herald_1": lambda *settings: herald("--stream-threads", "1", *settings),
    "herald_gateway": herald_with_gateway,
    "herald_callbacks": callbacks,
    "herald_undisturbed": herald,
    "herald_journal": herald_with_journal,
    "answer": answer,
    "bare": bare,
    "herald_node_gateway": herald_with_node_gateway,
    "bare_node": bare_node,
    "floor": floor,
    "floor_2": lambda: floor(2),
    # One topic that all listen to; one page, one topic of each stream; ten of them.
    "herald_topic": lambda *s: herald_for(
        "/api/sse/stream?request_id=c%d&topic=t/1", '"topic":"t/1"', *s),
    "herald_pages": lambda *s: herald_for(topics(0), '"request_id":"c%R"', *s),
    "herald_topics": lambda *s: herald_for(topics(1), '"topic":"t/%R"', *s),
    "herald_ten_pages": lambda *s: herald_for(topics(10), '"request_id":"c%R"', *s),
    "herald_ten_topics": lambda *s: herald_for(topics(10), '"topic":"t/%R"', *s),
    "herald_no_page": lambda *s: herald_for(topics(50), '"request_id":"nobody"', *s),
    "herald_no_topic": lambda *s: herald_for(topics(50), '"topic":"no/body"', *s),
    "nchan_channels_1": lambda: nchan_channels(1, 1),
    "nchan_ten_channels_1": lambda: nchan_channels(1, 10),
    "nchan_1": lambda: nchan(1),
    "nchan_2": lambda: nchan(2),
    "pushpin": pushpin,
}


@contextlib.contextmanager
def start(name: str, *settings: str) -> Iterator[Running]:
    mark = tree.set(BEFORE if name.startswith(BEFORE) else "")
    try:
        with KINDS[kind_of(name)](*settings) as running:
            yield running
    finally:
        tree.reset(mark)


def kind_of(name: str) -> str:
    """A contender without the tree that it is of."""
    return name.removeprefix(BEFORE)


def with_those_before(contenders: list[str]) -> list[str]:
    """Each herald followed by its like of the other tree, if there is one."""
    if BEFORE not in HERALD:
        return contenders
    return [n for c in contenders for n in ([c, BEFORE + c] if c.startswith("herald") else [c])]
