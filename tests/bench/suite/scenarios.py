"""What is measured: each row of the table, and what herald has to reach in it."""

import math
import os
import resource
from dataclasses import dataclass, field, replace

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
OPEN_P50 = Figure("open p50", "streams/open_us/p50", "ms", scale=1e-3)
OPEN_LONGEST = Figure("open max", "streams/open_us/max", "ms", scale=1e-3)
IDLE_CORES = Figure("idle cores", "server/idle_cores")
REOPENED = Figure("reopened", "streams/reopened", less=False)
ANSWER_P50 = Figure("answer p50", "publishing/round_trip_us/p50", "ms", scale=1e-3)
ROUND_TRIP = Figure("answer p99", "publishing/round_trip_us/p99", "ms", scale=1e-3)
PAIRS = Figure("pairs/s", "publishing/events_per_s", "/s", less=False)
CLIENT = Figure("client cores", "machine/client_cores")
SLOW_CLOSED = Figure("slow closed", "slow_readers/ended_by_server", less=False)
SLOW_TOLD = Figure("slow told", "slow_readers/told", less=False)
SLOW_LOST = Figure("slow lost", "slow_readers/lost", worst=True)
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
    # Figures that mean nothing for a contender.
    without: dict = field(default_factory=dict)
    # Runs at most so often, whatever --rounds says: it takes very long.
    rounds: int = 100


def no_faults(of: str = "herald") -> tuple[Bar, ...]:
    return (Bar(FAULTS, 0, of=of), Bar(FAILED, 0, of=of))


NO_FAULTS = no_faults()
LATENCY = (P50, P99, P999, LONGEST)
QUICK = {"warmup": 0.5, "duration": 2, "settle": 0.5}


def closed(streams: int, name: str, cpu_to_nchan: float) -> Scenario:
    def bars(herald: str) -> tuple[Bar, ...]:
        return (
            Bar(CPU, 1.10, "floor", of=herald),
            Bar(CPU, cpu_to_nchan, "nchan", of=herald),
            Bar(P99, 1.10, "floor", of=herald),
            Bar(P99, 0.75, "nchan", of=herald),
            *no_faults(herald),
        )

    return Scenario(
        name=f"closed_{name}",
        title=f"one event at a time, {streams:,} streams",
        # With one thread for streams, as floor and nchan_1 have, a core is left to the load client.
        contenders=("herald", "herald_1", "floor", "floor_2", "nchan_1", "nchan_2", "pushpin"),
        load={"streams": streams, "mode": "closed", "warmup": 1, "duration": 10, "settle": 2},
        quick=QUICK,
        figures=(CPU, DELIVERIES, *LATENCY, IDLE_BYTES, KERNEL_BYTES, FAULTS, FAILED),
        bars=(*bars("herald"), *bars("herald_1")),
    )


def loops_for(streams: int) -> tuple[str, ...]:
    """herald's flags to hold so many: each of its threads has a table of descriptors."""
    _, table = resource.getrlimit(resource.RLIMIT_NOFILE)
    # The kernel spreads streams over threads evenly, but not exactly.
    needed = math.ceil(streams * 1.03 / (table - 500))
    return ("--stream-threads", str(needed)) if needed > (os.cpu_count() or 1) else ()


def saturation(streams: int, name: str, times_nchan: float) -> Scenario:
    # nchan takes one event in a request; herald is given batches.
    singly = {"connections": 4}
    return Scenario(
        name=f"saturation_{name}",
        title=f"as many events as are taken, {streams:,} streams",
        contenders=("herald", "nchan_1", "nchan_2"),
        load={"streams": streams, "mode": "flat", "warmup": 1, "duration": 10, "settle": 1},
        of={"herald": {"batch": 100, "window": 2000}, "nchan_1": singly, "nchan_2": singly},
        quick=QUICK,
        figures=(DELIVERIES, CPU, EVENTS, P99, CLIENT, FAULTS, FAILED),
        bars=(
            Bar(CPU, 0.2, "nchan"),
            Bar(DELIVERIES, times_nchan, "nchan"),
            *NO_FAULTS,
        ),
    )


def saturation_bare(streams: int, name: str) -> Scenario:
    """The same without chunks: what the load client needs to decode them is left out."""
    row = saturation(streams, name, 3)
    return replace(
        row,
        name=f"saturation_bare_{name}",
        title=row.title + ", of HTTP/1.0",
        contenders=("herald",),
        load=row.load | {"http": "1.0"},
        bars=NO_FAULTS,
    )


def idle_memory(streams: int, name: str, contenders: tuple[str, ...]) -> Scenario:
    million = 1_000_000 // streams
    return Scenario(
        name=f"idle_memory_{name}",
        title=f"memory per stream, {streams:,} streams, idle and after a million deliveries",
        contenders=contenders,
        load={
            "streams": streams,
            "rehearse": 100,
            "open-timeout": 180,
            "mode": "closed",
            "events": million,
            "duration": 120,
            "warmup": 0,
            "settle": 3,
        },
        quick={"settle": 1},
        figures=(IDLE_BYTES, END_BYTES, KERNEL_BYTES, GROWTH, FAULTS, FAILED),
        bars=(Bar(IDLE_BYTES, 256), Bar(END_BYTES, 256), Bar(GROWTH, 256), *NO_FAULTS),
        settings={"herald": loops_for(streams)},
        rounds=5 if streams < 100_000 else 2,
    )


HOLD = Scenario(
    name="hold_100k",
    title="100,000 streams for 10 minutes, an event every 2 s, 500 streams come and go per second",
    contenders=("herald",),
    load={
        "streams": 100_000,
        "open-timeout": 180,
        "mode": "rate",
        "rate": 0.5,
        "churn": 500,
        "warmup": 10,
        "duration": 600,
        "settle": 3,
    },
    quick={"warmup": 2, "duration": 20},
    figures=(P50, P99, LONGEST, CPU, IDLE_BYTES, END_BYTES, GROWTH, REOPENED, FAULTS, FAILED),
    settings={"herald": loops_for(100_000)},
    # 2 % of what it holds.
    bars=(*NO_FAULTS, Bar(END_BYTES, 256), Bar(GROWTH, 1024)),
    rounds=1,
)


def hold(streams: int, name: str, idle_cores: float, events: int, settle: float) -> Scenario:
    """Opens many streams, lets them have some heartbeats, and then each an event."""
    return Scenario(
        name=f"hold_{name}",
        title=f"{streams:,} streams: opened, idle for {settle:.0f} s with heartbeats, {events} events to all",
        contenders=("herald",),
        load={
            "streams": streams,
            "in-flight": 2000,
            "open-timeout": 600,
            "mode": "closed",
            "events": events,
            "duration": 180,
            "patience": 60,
            "warmup": 0,
            "settle": settle,
        },
        quick={"streams": 20_000, "settle": 5},
        figures=(OPEN_RATE, OPEN_CPU, IDLE_CORES, IDLE_BYTES, KERNEL_BYTES, P50, P99, LONGEST, FAULTS, FAILED),
        settings={"herald": (*loops_for(streams), "--stream-max-streams", "10000000")},
        bars=(Bar(IDLE_CORES, idle_cores), Bar(IDLE_BYTES, 200), *NO_FAULTS),
        rounds=1,
    )


HOLD_MANY = hold(300_000, "300k", idle_cores=0.10, events=5, settle=60)
HOLD_MILLION = hold(1_000_000, "1m", idle_cores=0.6, events=3, settle=60)

RATE = Scenario(
    name="rate_10k_5ps",
    title="publish to last stream: 10,000 streams, 5 events a second",
    contenders=("herald", "floor", "floor_2", "nchan_1", "nchan_2"),
    load={"streams": 10_000, "mode": "rate", "rate": 5, "warmup": 2, "duration": 20, "settle": 2},
    quick=QUICK,
    figures=(P50, P99, P999, LONGEST, CPU, FAULTS, FAILED),
    bars=(Bar(P99, 1.10, "floor"), Bar(P99, 0.8, "nchan"), *NO_FAULTS),
)

PUBLISH_SINGLE = Scenario(
    name="publish_single_16conn",
    title="single events over 16 connections, 10 streams, beside a handler that only answers",
    contenders=("herald", "answer", "nchan_1", "nchan_2"),
    load={"streams": 10, "mode": "flat", "connections": 16, "warmup": 1, "duration": 10, "settle": 1},
    of={"answer": {"streams": 0}},
    quick=QUICK,
    figures=(REQUESTS, REQUEST_CPU, ROUND_TRIP, FAULTS, FAILED, REFUSED),
    bars=(Bar(REQUESTS, 0.5, "answer"), *NO_FAULTS, Bar(REFUSED, 0)),
)

PUBLISH_BATCH = Scenario(
    name="publish_batch_100",
    title="batches of 100 events, 10 streams",
    contenders=("herald",),
    load={
        "streams": 10,
        "mode": "flat",
        "connections": 4,
        "batch": 100,
        # Counted over all streams: a single one must not come to be a whole log behind.
        "window": 3_000,
        "warmup": 1,
        "duration": 10,
        "settle": 1,
    },
    quick=QUICK,
    figures=(EVENTS, EVENT_CPU, DELIVERIES, ROUND_TRIP, FAULTS, FAILED, REFUSED),
    bars=(Bar(EVENTS, 200_000), *NO_FAULTS, Bar(REFUSED, 0)),
)

JOURNAL = Scenario(
    name="journal",
    title="batches of 100 events, 10 streams, each batch answered once it is on disk",
    contenders=("herald_journal", "herald"),
    # Slower than either can: what is saved by being late is no merit.
    load={
        "streams": 10,
        "mode": "rate",
        "rate": 20_000,
        "connections": 4,
        "batch": 100,
        "warmup": 1,
        "duration": 10,
        "settle": 1,
    },
    quick=QUICK,
    figures=(EVENT_CPU, EVENTS, ANSWER_P50, ROUND_TRIP, P99, FAULTS, FAILED, REFUSED),
    bars=(
        Bar(EVENT_CPU, 1.5, "herald", of="herald_journal"),
        Bar(FAULTS, 0, of="herald_journal"),
        Bar(FAILED, 0, of="herald_journal"),
        Bar(REFUSED, 0, of="herald_journal"),
    ),
)

JOURNAL_SINGLE = Scenario(
    name="journal_single",
    title="a publisher that waits for each event to be on disk, 10 streams",
    contenders=("herald_journal", "herald"),
    # Each is a group of its own: its answer takes a commit and what is seen without a journal.
    load={"streams": 10, "mode": "flat", "connections": 1, "warmup": 1, "duration": 10, "settle": 1},
    quick=QUICK,
    figures=(ANSWER_P50, ROUND_TRIP, REQUESTS, REQUEST_CPU, P50, P99, FAULTS, FAILED, REFUSED),
    bars=(
        Bar(FAULTS, 0, of="herald_journal"),
        Bar(FAILED, 0, of="herald_journal"),
        Bar(REFUSED, 0, of="herald_journal"),
    ),
)

CONNECT_STORM = Scenario(
    name="connect_storm_20k",
    title="20,000 streams opened as fast as possible",
    contenders=("herald", "floor_2", "nchan_2"),
    load={"streams": 20_000, "mode": "none", "in-flight": 2000, "settle": 0.5},
    figures=(OPEN_CPU, OPEN_RATE, OPEN_P50, OPEN_P99, OPEN_LONGEST, FAILED),
    bars=(Bar(OPEN_CPU, 1.5, "floor_2"), Bar(FAILED, 0)),
)


def external(name: str, title: str, herald: str, bare: str, window: int, bare_load: dict) -> Scenario:
    """Sends to an SSE Gateway, beside a bare load generator with as many connections as senders."""
    return Scenario(
        name=name,
        title=title,
        contenders=(herald, bare),
        load={"streams": 1000, "mode": "flat", "window": window, "warmup": 1, "duration": 10, "settle": 1},
        of={bare: {"connections": 8, "window": 0, **bare_load}},
        # Each of its sends is for one stream: what others do not get is not lost.
        without={bare: (FAULTS,)},
        quick=QUICK,
        figures=(DELIVERIES, CPU, P99, FAULTS, FAILED),
        bars=(
            Bar(DELIVERIES, 0.95, bare, of=herald),
            *no_faults(herald),
        ),
    )


GATEWAY = external(
    "external_gateway",
    "sends to an SSE Gateway with 1,000 streams, beside a bare load generator",
    "herald_gateway",
    "bare",
    window=50,
    bare_load={"streams": 1},
)

NODE_GATEWAY = external(
    "external_gateway_node",
    "the same against an SSE Gateway on Node, with 1,000 real streams",
    "herald_node_gateway",
    "bare_node",
    window=20,
    bare_load={"patience": 1},
)

CALLBACK = '{"action":"%s","token":"t%%S",%s"request":{"url":"/api/sse/stream?request_id=c%%S","headers":{"host":"bench","user-agent":"bench"}}}'

CALLBACKS = Scenario(
    name="callbacks",
    title="connect and disconnect callbacks over 16 connections, beside a handler that only answers",
    contenders=("herald_callbacks", "answer"),
    load={
        "streams": 0,
        "mode": "flat",
        "connections": 16,
        "warmup": 1,
        "duration": 10,
        "settle": 1,
        "body": [CALLBACK % ("connect", ""), CALLBACK % ("disconnect", '"reason":"client_closed",')],
    },
    quick=QUICK,
    figures=(PAIRS, REQUEST_CPU, ROUND_TRIP, REFUSED),
    bars=(Bar(PAIRS, 0.5, "answer", of="herald_callbacks"), Bar(REFUSED, 0, of="herald_callbacks")),
)

TOPIC_ALL = Scenario(
    name="topic_all_10k",
    title="one topic that 10,000 streams listen to, beside events for everyone",
    contenders=("herald_topic", "herald", "nchan_1"),
    load={"streams": 10_000, "mode": "closed", "warmup": 1, "duration": 10, "settle": 2},
    quick=QUICK,
    figures=(CPU, DELIVERIES, *LATENCY, IDLE_BYTES, FAULTS, FAILED),
    bars=(
        Bar(CPU, 1.10, "herald", of="herald_topic"),
        Bar(P99, 1.15, "herald", of="herald_topic"),
        *no_faults("herald_topic"),
    ),
)

# Slower than any of them can.
SCATTERED = {"mode": "rate", "rate": 4000, "connections": 4, "warmup": 1, "duration": 10, "settle": 2}

# More than the default has room for.
MANY_TOPICS = ("--stream-max-topics-bytes", str(1 << 30))

TOPIC_EACH = Scenario(
    name="topic_each_10k",
    title="4,000 events a second for random topics of 10,000, one stream each, beside events for pages",
    contenders=("herald_topics", "herald_pages", "nchan_channels_1"),
    load=SCATTERED | {"streams": 10_000, "keys": 10_000, "reach": 1},
    quick=QUICK,
    figures=(CPU, P50, P99, P999, IDLE_BYTES, FAULTS, FAILED, REFUSED),
    bars=(Bar(CPU, 1.25, "herald_pages", of="herald_topics"), *no_faults("herald_topics")),
)

TOPIC_TEN = Scenario(
    name="topic_ten_100k",
    title="1,000 events a second for random topics of 100,000, 100,000 streams with ten each",
    contenders=("herald_ten_topics", "herald_ten_pages", "nchan_ten_channels_1"),
    load=SCATTERED
    | {"rate": 1000, "streams": 100_000, "keys": 100_000, "reach": 10, "open-timeout": 180},
    of={"herald_ten_pages": {"reach": 1}},
    quick=QUICK,
    figures=(CPU, EVENT_CPU, P50, P99, IDLE_BYTES, END_BYTES, FAULTS, FAILED, REFUSED),
    bars=(Bar(CPU, 1.25, "herald_ten_pages", of="herald_ten_topics"), *no_faults("herald_ten_topics")),
    settings={c: (*loops_for(100_000), *MANY_TOPICS) for c in ("herald_ten_topics", "herald_ten_pages")},
    rounds=2,
)

TOPIC_CHURN = Scenario(
    name="topic_churn_10k",
    title="10 minutes of 500 streams a second that come and go, each with ten of 100,000 topics",
    contenders=("herald_ten_topics",),
    load=SCATTERED
    | {"rate": 100, "streams": 10_000, "keys": 100_000, "reach": 1, "churn": 500, "duration": 600},
    quick=QUICK,
    settings={"herald_ten_topics": MANY_TOPICS},
    # What was for a stream that had gone is not lost.
    without={"herald_ten_topics": (FAULTS,)},
    figures=(CPU, P50, P99, IDLE_BYTES, END_BYTES, GROWTH, REOPENED, FAILED, REFUSED),
    bars=(Bar(GROWTH, 1024, of="herald_ten_topics"), Bar(FAILED, 0, of="herald_ten_topics")),
    rounds=1,
)

TOPIC_NOBODY = Scenario(
    name="topic_nobody_1m",
    title="events for a topic that nobody listens to among 1,000,000, beside a page that is not there",
    contenders=("herald_no_topic", "herald_no_page"),
    load=SCATTERED
    | {"streams": 20_000, "keys": 1_000_000, "open-timeout": 180, "patience": 1},
    quick=QUICK,
    # Nothing is delivered, and nothing is owed.
    figures=(EVENT_CPU, EVENTS, ROUND_TRIP, IDLE_BYTES, FAILED, REFUSED),
    bars=(Bar(EVENT_CPU, 1.05, "herald_no_page", of="herald_no_topic"), Bar(FAILED, 0, of="herald_no_topic")),
    settings={c: MANY_TOPICS for c in ("herald_no_topic", "herald_no_page")},
)

# So that they are lapped soon, and what grows is not the history.
SMALL = ("--stream-log-bytes", "524288", "--api-max-event-bytes", "65536")
SMALL += ("--history-max-bytes", "1048576")

SLOW_READER = Scenario(
    name="slow_reader",
    title="10 streams that read 1 KiB/s among 1,000, 50 events of 4 KiB a second",
    contenders=("herald", "herald_undisturbed"),
    load={
        "streams": 1000,
        "mode": "rate",
        "rate": 50,
        "data-size": 4096,
        "warmup": 1,
        "duration": 40,
        "settle": 1,
    },
    of={"herald": {"slow-readers": 10, "slow-rate": 1024, "slow-buffer": 4096}},
    settings={c: SMALL for c in ("herald", "herald_undisturbed")},
    quick={"duration": 25},
    figures=(P50, P99, LONGEST, CPU, SLOW_CLOSED, SLOW_TOLD, SLOW_LOST, GROWTH, FAULTS, FAILED),
    bars=(
        # Within noise.
        Bar(P99, 1.15, "herald_undisturbed"),
        Bar(SLOW_CLOSED, 10),
        Bar(SLOW_LOST, 0),
        Bar(GROWTH, 8192),
        *NO_FAULTS,
    ),
)

SCENARIOS = (
    closed(1_000, "1k", 0.85),
    closed(10_000, "10k", 0.70),
    saturation(1_000, "1k", 3),
    saturation(10_000, "10k", 10),
    saturation_bare(1_000, "1k"),
    idle_memory(10_000, "10k", ("herald", "floor", "nchan_1")),
    idle_memory(100_000, "100k", ("herald",)),
    HOLD,
    HOLD_MANY,
    HOLD_MILLION,
    RATE,
    PUBLISH_SINGLE,
    PUBLISH_BATCH,
    JOURNAL,
    JOURNAL_SINGLE,
    CONNECT_STORM,
    GATEWAY,
    NODE_GATEWAY,
    CALLBACKS,
    SLOW_READER,
    TOPIC_ALL,
    TOPIC_EACH,
    TOPIC_TEN,
    TOPIC_CHURN,
    TOPIC_NOBODY,
)
