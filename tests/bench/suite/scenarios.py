"""What is measured: each row of the table, and what herald has to reach in it."""

from dataclasses import dataclass, field

# A figure of a run: where it is found in the load client's report, its unit, and whether a server
# is better with less or with more of it.
@dataclass(frozen=True)
class Figure:
    name: str
    path: str
    unit: str = ""
    less: bool = True
    scale: float = 1.0
    # Of this one the worst run counts, not the median.
    worst: bool = False


CPU = Figure("CPU per delivery", "server/cpu_us_per_delivery", "us")
DELIVERIES = Figure("deliveries/s", "deliveries/per_s", "/s", less=False)
P50 = Figure("p50", "deliveries/latency_us/p50", "ms", scale=1e-3)
P99 = Figure("p99", "deliveries/latency_us/p99", "ms", scale=1e-3)
P999 = Figure("p99.9", "deliveries/latency_us/p99.9", "ms", scale=1e-3)
LONGEST = Figure("max", "deliveries/latency_us/max", "ms", scale=1e-3)
IDLE_BYTES = Figure("bytes/stream idle", "memory/bytes_per_stream", "B")
END_BYTES = Figure("bytes/stream after", "memory/bytes_per_stream_end", "B")
KERNEL_BYTES = Figure("kernel bytes/stream", "memory/kernel_bytes_per_stream_both_ends", "B")
GROWTH = Figure("growth", "memory/growth_kb", "KiB")
OPEN_CPU = Figure("CPU per open", "server/cpu_us_per_open", "us")
OPEN_RATE = Figure("opened/s", "streams/opened_per_s", "/s", less=False)
OPEN_P99 = Figure("open p99", "streams/open_us/p99", "ms", scale=1e-3)
REQUESTS = Figure("requests/s", "publishing/requests_per_s", "/s", less=False)
EVENTS = Figure("events/s", "publishing/events_per_s", "/s", less=False)
REQUEST_CPU = Figure("CPU per request", "server/cpu_us_per_request", "us")
EVENT_CPU = Figure("CPU per event", "server/cpu_us_per_event", "us")
FAULTS = Figure("lost/dup/disorder", "faults", worst=True)
FAILED = Figure("streams lost", "streams_lost", worst=True)
REFUSED = Figure("requests failed", "publishing/failed", worst=True)


# What herald has to reach: a factor of what another server reaches in the same run ("nchan" stands
# for the best of its settings), or a plain limit.
@dataclass(frozen=True)
class Bar:
    figure: Figure
    limit: float
    than: str = ""
    # Of which contender, where a row has more than one herald.
    of: str = "herald"


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    contenders: tuple[str, ...]
    load: dict
    figures: tuple[Figure, ...]
    bars: tuple[Bar, ...]
    # What differs in a --quick run; of single contenders; and settings of the servers.
    quick: dict = field(default_factory=dict)
    of: dict = field(default_factory=dict)
    settings: dict = field(default_factory=dict)
    # Runs at most so often, whatever --rounds says: it takes very long.
    rounds: int = 100


NO_FAULTS = (Bar(FAULTS, 0), Bar(FAILED, 0))
LATENCY = (P50, P99, P999, LONGEST)
QUICK = {"warmup": 0.5, "duration": 2, "settle": 0.5}


def closed(streams: int, name: str, cpu_to_nchan: float) -> Scenario:
    return Scenario(
        name=f"closed_{name}",
        title=f"one event at a time, {streams:,} streams",
        contenders=("herald", "floor", "floor_2", "nchan_1", "nchan_2", "pushpin"),
        load={"streams": streams, "mode": "closed", "warmup": 1, "duration": 10, "settle": 2},
        quick=QUICK,
        figures=(CPU, DELIVERIES, *LATENCY, IDLE_BYTES, KERNEL_BYTES, FAULTS, FAILED),
        bars=(
            Bar(CPU, 1.10, "floor"),
            Bar(CPU, cpu_to_nchan, "nchan"),
            Bar(P99, 1.10, "floor"),
            Bar(P99, 0.75, "nchan"),
            *NO_FAULTS,
        ),
    )


SCENARIOS = (
    closed(1_000, "1k", 0.85),
    closed(10_000, "10k", 0.70),
)
