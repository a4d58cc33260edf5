#include <array>

#include "http/config/setting_rules.hpp"
#include "http/config/settings.hpp"

namespace herald {

namespace {

using namespace setting_rules;

constexpr auto live = applies::live;

/// Key and member of a setting; one text for both, so that they cannot differ.
#define AT(path)                                                                                   \
#path, [](config & c) -> setting_place {                                                         \
    return &c.path;                                                                                \
  }

const std::array table = {
  setting{AT(api.host), host, "Address that the internal API listens on."},
  setting{AT(api.port), port, "Port of the internal API; 0 takes a free one."},
  setting{AT(api.max_connections), count(1, 65'536), "API requests answered at once."},
  setting{
    AT(api.max_waiting_connections), count(0, 65'536),
    "API connections beside them, that are idle, send a request or wait; more are refused."},
  setting{
    AT(api.reserved_connections), count(0, 65'536),
    "API connections beyond these, for /healthz, /readyz and /metrics alone."},
  setting{
    AT(api.max_connections_per_address), count(0, 65'536),
    "API connections of one address, stream.trusted_proxies excepted; 0: no limit (a gateway has "
    "one)."},
  setting{
    AT(api.min_rate_bytes), bytes(0),
    "Where connections are short, requests of fewer bytes a second lose theirs (408); 0: none."},
  setting{
    AT(api.max_request_bytes), bytes(1024),
    "Bytes of all API requests under way together; beyond, the slowest are refused (503)."},
  setting{
    AT(api.max_body_bytes), bytes(1024), "Longest body of an API request.", secrecy::open, live},
  setting{AT(api.max_event_bytes), bytes(1), "Longest data of one event."},
  setting{
    AT(api.wait_ms), number_range{1, max_publish_wait.count()},
    "How long ?wait=true waits for delivery where it has no wait_ms."},
  setting{
    AT(api.idempotency_s), count(1, 604'800),
    "How long the answer to a request with an Idempotency-Key is kept for its retries."},
  setting{
    AT(api.max_idempotency_bytes), bytes(1024), "Bytes of such answers; beyond, the oldest go."},
  setting{
    AT(api.origins), named_origins, "Pages of which origins may use the API; empty: none.",
    secrecy::open, live},
  setting{
    AT(api.hosts), hosts,
    "Host names that requests may name; empty: addresses and localhost where api.host is loopback, "
    "else any.",
    secrecy::open, live},

  setting{
    "api.keys", nullptr, by_type,
    R"(Who may use the API: [{"name": "..", "sha256": "..", "scopes": [..], ..}], as herald key prints them; none: whoever reaches it.)",
    secrecy::open, live},
  setting{
    AT(api.open), by_type,
    "Needed where api.host is no loopback address and there are no api.keys: anybody may do "
    "anything."},

  setting{AT(stream.host), host, "Address that streams are served on."},
  setting{AT(stream.port), port, "Port of the streams; 0 takes a free one."},
  setting{AT(stream.threads), count(0, 1024), "Threads that serve streams; 0: one per core."},
  setting{AT(stream.heartbeat_s), interval_s, "A quiet stream gets a comment this often."},
  setting{
    AT(stream.heartbeat_event), by_type,
    "All streams get an event heartbeat instead, quiet or not; one alone asks by "
    "?heartbeat=event."},
  setting{
    AT(stream.cursor_event), by_type,
    "All streams are told where they stand by an event cursor; else those of browsers and of Node "
    "are, and others by an id alone."},
  setting{
    AT(stream.format), by_type,
    "named: pages listen for events by their names. envelope: each event is "
    R"({"type":NAME,"payload":DATA} without a name, and one onmessage sees all.)"},
  setting{
    AT(stream.unreachable_s), count(0, 3600),
    "A client that acknowledges or takes nothing for so long is given up; 0: the kernel decides."},
  setting{
    AT(stream.retry_ms), delay_ms, "Browsers are told to reconnect after this, jittered.",
    secrecy::open, live},
  setting{
    AT(stream.cors_origins), origins,
    "Pages of which origins may open streams; *: all, without credentials.", secrecy::open, live},
  setting{
    AT(stream.hosts), hosts,
    "Host names that requests may name beside addresses and localhost; empty: any.", secrecy::open,
    live},
  setting{
    AT(stream.max_streams), count(1, 10'000'000), "Streams open at once.", secrecy::open, live},
  setting{
    AT(stream.max_streams_per_address), count(0, 10'000'000),
    "Streams open at once from one address (IPv6: one /64); 0: no limit. Loopback and private "
    "addresses count where stream.trusted_proxies is set.",
    secrecy::open, live},
  setting{
    AT(stream.max_kept_away), count(0, 10'000'000),
    "Pages that may be kept away at once (stay_away_s); more are refused."},
  setting{AT(stream.max_topics), count(0, 1000), "Topics that a stream may listen to."},
  setting{
    AT(stream.max_topic_changes_bytes), bytes(0),
    "Memory for topics that were added to pages' URLs, and removed; more are refused."},
  setting{
    AT(stream.max_topics_bytes), bytes(0),
    "Memory of the topics, subjects and roles that streams listen to; more are refused."},
  setting{
    AT(stream.max_head_bytes), number_range{512, 65'536}, "Longest head of a request.",
    secrecy::open, live},
  setting{AT(stream.head_timeout_ms), interval_ms, "A request's head must be here after this."},
  setting{
    AT(stream.max_heads), count(16, 1'000'000),
    "Clients per thread that may be sending their request's head; one more crowds the oldest out."},
  setting{
    AT(stream.max_openings), count(1, 1'000'000),
    "Clients per thread whose stream may be opening; more are told when to come back."},
  setting{
    AT(stream.io_uring), by_type,
    "Sends to many streams in one system call, where the kernel has io_uring and allows it."},
  setting{
    AT(stream.log_bytes), bytes(65'536),
    "Events kept per thread for streams that read slowly; one that falls further behind is "
    "closed."},
  setting{
    AT(stream.private_queue_bytes), bytes(4096),
    "Events for one stream alone that may wait for it; with more it is closed."},
  setting{
    AT(stream.max_private_bytes), bytes(65'536),
    "The same of all streams of a thread; with more those are closed that do not read."},
  setting{
    AT(stream.trusted_proxies), networks,
    "Networks of the proxies before herald: the client is who their X-Forwarded-For or Forwarded "
    "names."},
  setting{
    AT(stream.proxy_protocol), by_type,
    "Connections of trusted proxies begin with a header of the PROXY protocol, version 2."},
  setting{
    AT(stream.replay_per_minute_bytes), bytes(0),
    "Missed events that one address is sent in a minute; beyond, a gap instead; 0: no limit."},

  setting{
    AT(auth.secret_file), plain,
    "File with the secret of HS256 tokens, at least 32 bytes; read again on SIGHUP."},
  setting{
    AT(auth.jwks_file), plain,
    "File with the public keys of tokens, as a JWKS document; read again on SIGHUP."},
  setting{AT(auth.jwks_url), key_url, "Where the JWKS document is fetched."},
  setting{
    AT(auth.ca_file), plain,
    "PEM file of the authorities that an https auth.jwks_url is trusted by; empty: the system's."},
  setting{AT(auth.issuer), plain, "What iss of a token must be."},
  setting{AT(auth.audience), names, "What aud of a token must name one of."},
  setting{
    AT(auth.algorithms), token_algorithms, "How tokens may be signed; each key is good for one."},
  setting{
    AT(auth.typ), names,
    "What typ of a token may be, where it has one; in any case, without application/."},
  setting{AT(auth.leeway_s), count(0, 600), "How far the clock of who issues tokens may differ."},
  setting{
    AT(auth.max_lifetime_s), count(1, 366 * day_s),
    "A token whose exp is further away than this is refused."},
  setting{
    AT(auth.roles_claim), claim_path,
    "Claim with the roles of a token's subject; dots lead into objects (realm_access.roles)."},
  setting{
    AT(auth.topics_claim), claim_path,
    "Claim with the patterns of the topics that a token's streams may listen to."},
  setting{AT(auth.max_token_bytes), number_range{512, 65'536}, "Longest token."},
  setting{AT(auth.max_roles), count(0, 1000), "Roles of one token; one with more is refused."},
  setting{
    AT(auth.max_topics), count(0, 1000),
    "Patterns of topics of one token; one with more is refused."},
  setting{
    AT(auth.jwks_timeout_ms), interval_ms, "A fetch of auth.jwks_url is given up after this."},
  setting{AT(auth.jwks_refresh_s), interval_s, "The JWKS document is fetched again this often."},
  setting{
    AT(auth.jwks_refetch_s), interval_s,
    "And when a token names a key that is not known, but not more often than this."},
  setting{
    AT(auth.jwks_max_stale_s), long_time_s, "How long keys are good that cannot be fetched again."},
  setting{AT(auth.max_jwks_bytes), bytes(1024), "Longest JWKS document."},
  setting{AT(auth.max_keys), count(1, 1000), "Keys of a JWKS document; one with more is refused."},
  setting{
    AT(auth.max_cached_tokens), count(0, 10'000'000),
    "Good tokens that are known again without another look at their signatures."},
  setting{AT(auth.max_cached_bytes), bytes(0), "Memory of those."},
  setting{
    AT(auth.mode), by_type,
    "Whether streams need a credential. auto: none where stream.host is a loopback address; "
    "elsewhere one of the others has to be said."},
  setting{
    AT(auth.cookie), cookie_name,
    "Cookie that may have the token, of pages of origins that stream.cors_origins lists by name; "
    "empty: none."},
  setting{
    AT(auth.public_topics), patterns,
    "Patterns of topics that every stream may listen to, whatever its token says."},
  setting{
    AT(auth.renew_s), count(0, 3600),
    "A stream is told (event: expired) so long before its credential ends; 0: not."},
  setting{
    AT(auth.max_bindings), count(1, 10'000'000),
    "Pages whose subject is kept; those without a stream go first."},
  setting{
    AT(auth.max_revocations), count(1, 10'000'000),
    "Revocations that are kept until they can have no effect; more are refused."},
  setting{
    AT(auth.max_tickets), count(1, 10'000'000),
    "Tickets that are good, or whose streams may come back; more are refused."},
  setting{AT(auth.max_ticket_bytes), bytes(1024), "Memory of those."},

  setting{
    AT(gateway.url), base_url,
    "Base URL of an external SSE Gateway; empty: herald serves the streams itself."},
  setting{AT(gateway.timeout_ms), interval_ms, "The gateway must answer a send after this."},
  setting{AT(gateway.senders), count(1, 256), "Sends to the gateway under way at once."},
  setting{AT(gateway.retry_ms), delay_ms, "A send that failed is tried again up to this age."},
  setting{AT(gateway.max_queue_events), count(1, 10'000'000), "Sends waiting per sender."},
  setting{AT(gateway.max_queue_bytes), bytes(1024), "Bytes of events waiting per sender."},
  setting{AT(gateway.max_stream_events), count(1, 10'000'000), "Sends waiting per stream."},
  setting{AT(gateway.max_stream_bytes), bytes(1024), "Bytes of events waiting per stream."},
  setting{
    AT(gateway.probe_interval_s), long_time_s,
    "Every stream is probed once in this time, to find those that the gateway lost; 0: never."},
  setting{
    AT(gateway.format), by_type,
    "Generation of the SSE Gateway that herald is where callback.url is set."},
  setting{
    AT(gateway.one_port), by_type,
    "herald is an SSE Gateway: stream.port takes /internal/send, too. Set by herald gateway."},

  setting{
    AT(callback.secret), plain, "Secret that the gateway's callbacks must carry as ?secret=.",
    secrecy::secret, live},
  setting{
    AT(callback.secret_file), plain,
    "File that has it: its first line, read at the start and again on SIGHUP."},
  setting{
    AT(callback.url), any_url,
    "Callback URL of a backend; set, herald stands in for an SSE Gateway.", secrecy::secret_query},
  setting{
    AT(callback.url_file), plain, "File that has callback.url, with its secrets: its first line."},
  setting{
    AT(callback.ca_file), plain,
    "PEM file of the authorities that an https callback.url is trusted by; empty: the system's."},
  setting{AT(callback.timeout_ms), interval_ms, "The backend must answer a callback after this."},
  setting{AT(callback.max_in_flight), count(1, 65'536), "Callbacks under way at once."},
  setting{AT(callback.max_queued), count(1, 10'000'000), "Callbacks that wait to be made."},
  setting{
    AT(callback.max_queued_bytes), bytes(65'536),
    "Bytes of the callbacks that wait, connects and disconnects each."},
  setting{
    AT(callback.max_buffered_events), count(0, 1'000'000),
    "Events that a backend may send to a stream before its connect is answered; more get 503."},
  setting{
    AT(callback.max_buffered_bytes), bytes(0),
    "Bytes of the events that wait for a stream whose connect is not answered."},
  setting{
    AT(callback.max_buffered_total_bytes), bytes(0),
    "Bytes of the events that wait for all such streams together."},
  setting{
    AT(callback.max_kept_bytes), bytes(65'536),
    "Bytes of the requests of streams, which the backend is told at their end; more are refused."},

  setting{
    AT(history.max_events), count(0, 100'000'000),
    "Events kept for streams that come back with Last-Event-ID; 0: none.", secrecy::open, live},
  setting{AT(history.max_bytes), bytes(1024), "Memory of the events kept.", secrecy::open, live},
  setting{
    AT(history.max_age_s), long_time_s, "Events older than this are not kept.", secrecy::open,
    live},

  setting{
    AT(retain.max_topics), count(0, 10'000'000), "Topics that may have a last value; 0: none."},
  setting{AT(retain.max_bytes), bytes(1024), "Memory of the last values."},
  setting{
    AT(retain.max_replay), count(1, 1'000'000),
    "Last values that a stream gets at once; where there are more, the newest and a gap."},

  setting{
    AT(journal.path), plain,
    "File that keeps history, versions, tasks and gateway streams over a restart; empty: none."},
  setting{
    AT(journal.sync), by_type,
    "What an answered publish survives. full: also a power cut; normal: a power cut may take the "
    "last seconds; off: it may take the file. All survive a crash of herald."},
  setting{
    AT(journal.max_queue_events), count(1, 10'000'000),
    "Events that may wait to be written; more are refused."},
  setting{AT(journal.max_queue_bytes), bytes(1024), "Bytes of events that may wait to be written."},

  setting{
    AT(version.url), any_url,
    "Where the current version document is fetched for new streams; empty: nowhere.",
    secrecy::secret_query},
  setting{
    AT(version.url_file), plain, "File that has version.url, with its secrets: its first line."},
  setting{
    AT(version.max_pending), count(1, 10'000'000),
    "Pending versions kept; beyond it the one queued longest ago goes."},
  setting{
    AT(version.max_pending_bytes), bytes(1024),
    "Bytes of the pending versions; beyond, the one queued longest ago goes."},

  setting{
    AT(webhook.url), any_url,
    "Where a backend is told of streams, topics and tasks; empty: nowhere.", secrecy::secret_query},
  setting{
    AT(webhook.url_file), plain, "File that has webhook.url, with its secrets: its first line."},
  setting{
    AT(webhook.secret_file), plain,
    "File with the secrets (whsec_..) that sign this, one a line, two while they change.",
    secrecy::open, live},
  setting{
    AT(webhook.ca_file), plain,
    "PEM file of the authorities that an https webhook.url is trusted by; empty: the system's."},
  setting{AT(webhook.timeout_ms), interval_ms, "The receiver must answer a batch after this."},
  setting{AT(webhook.max_batch_events), count(1, 10'000), "Events sent together."},
  setting{
    AT(webhook.max_batch_bytes), bytes(1024), "Bytes of their data; one event may have more."},
  setting{
    AT(webhook.max_queue_events), count(1, 10'000'000),
    "Events that wait for their answer; beyond, the oldest are lost."},
  setting{AT(webhook.max_queue_bytes), bytes(65'536), "Memory of events that wait; likewise."},
  setting{
    AT(webhook.max_age_s), number_range{1, 30 * day_s},
    "Events that were not answered by this age are lost."},
  setting{
    AT(webhook.min_backoff_ms), interval_ms,
    "Pause before a batch that has failed is sent again; doubles with each failure."},
  setting{AT(webhook.max_backoff_ms), number_range{1, 3'600'000}, "Longest such pause."},

  setting{AT(tasks.workers), count(1, 1024), "Tasks that run at once."},
  setting{AT(tasks.timeout_s), long_time_s, "A task that runs for longer has failed; 0: no limit."},
  setting{AT(tasks.retention_s), long_time_s, "How long an ended task can be looked up."},
  setting{
    AT(tasks.kill_after_ms), delay_ms, "A command's SIGTERM is followed by SIGKILL after this."},
  setting{AT(tasks.max_pending), count(1, 1'000'000), "Tasks that may wait for a worker."},
  setting{AT(tasks.max_external), count(1, 1'000'000), "External tasks that run at once."},
  setting{AT(tasks.max_ended), count(1, 1'000'000), "Ended tasks that can be looked up."},
  setting{
    AT(tasks.max_ended_bytes), bytes(1024),
    "Bytes of ended tasks; beyond, the one that ended first is forgotten."},
  setting{
    AT(tasks.external_timeout_s), long_time_s,
    "An external task without a report for this long has failed; 0: no limit."},
  setting{
    AT(tasks.max_memory_bytes), program_bytes,
    "Address space of each process of a program; 0: no limit."},
  setting{AT(tasks.max_cpu_s), long_time_s, "CPU time of each process of a program; 0: no limit."},
  setting{
    AT(tasks.max_file_bytes), program_bytes, "Longest file that a program writes; 0: no limit."},
  setting{
    AT(tasks.audience), by_type,
    "Who is told of a task that names nobody. none: nobody, its state is shown by the API alone."},
  setting{
    AT(tasks.publish_errors), by_type,
    "task_failed of a program says what that wrote to stderr; else the API alone does."},
  setting{
    "tasks.commands", nullptr, by_type,
    R"(Task types that run a program: {"NAME": {"argv": [..], "cwd": "..", "env": {..}, "timeout_s": N}}.)"},

  setting{
    AT(supervision.strategy), by_type, "Which actors are restarted when one fails: that one."},
  setting{
    AT(supervision.intensity), count(0, 1'000'000),
    "Restarts of all actors together, in supervision.period_ms; at one more herald gives up and "
    "exits."},
  setting{AT(supervision.period_ms), interval_ms, "See supervision.intensity."},
  setting{
    "supervision.children", nullptr, by_type,
    R"(How each kind of actor is supervised: {"NAME": {"restart": "permanent", "shutdown_ms": N, ..}}.)"},

  setting{
    AT(shutdown.grace_s), number_range{0, 3600}, "How long running tasks may go on after SIGTERM."},
  setting{
    AT(shutdown.retry_window_ms), delay_ms,
    "Streams closed by a shutdown are told to reconnect spread over this time."},

  setting{AT(log.level), by_type, "Least level that is logged.", secrecy::open, live},
  setting{AT(log.format), by_type, "Form of the log's lines."},
  setting{
    AT(log.max_queue_lines), count(16, 1'000'000),
    "Lines that may wait to be written; more are lost, and counted."},
  setting{AT(log.max_queue_bytes), bytes(4096), "Bytes of lines that may wait to be written."},

  setting{AT(testing.enabled), by_type, "Serves /api/testing for browser suites."},

  setting{
    AT(internal.secret), plain,
    "Secret that /internal/send must carry, as ?secret= or Authorization: Bearer; empty: none, and "
    "nobody may where there are api.keys.",
    secrecy::secret, live},
  setting{
    AT(internal.secret_file), plain,
    "File that has it: its first line, read at the start and again on SIGHUP."},

  setting{
    AT(limits.failed_auth_per_min), count(0, 1'000'000),
    "Wrong keys and secrets a minute from one address, and on the stream port credentials; more "
    "attempts are refused (429). 0: no limit.",
    secrecy::open, live},
  setting{
    AT(limits.max_addresses), count(1, 10'000'000),
    "Addresses of which it is known what they did; beyond, the one counted longest ago is "
    "forgotten.",
    secrecy::open, live},
  setting{
    AT(limits.publishes_per_s), count(0, 10'000'000),
    "Events and versions a second of a key without a rate of its own (429). 0: no limit.",
    secrecy::open, live},
  setting{
    AT(limits.publish_bytes_per_s), bytes(0), "Bytes of them a second, likewise. 0: no limit.",
    secrecy::open, live},
  setting{
    AT(limits.streams), count(0, 10'000'000), "Streams open at once of one subject. 0: no limit.",
    secrecy::open, live},
  setting{
    AT(limits.opens_per_s), count(0, 10'000'000),
    "Streams that one address may open in a second. 0: no limit.", secrecy::open, live},
  setting{
    AT(limits.subject_opens_per_s), count(0, 10'000'000),
    "Streams that one subject may open in a second. 0: no limit.", secrecy::open, live},
  setting{
    AT(limits.replay_bytes_per_min), bytes(0),
    "Bytes of missed events that one subject is sent in a minute. 0: no limit.", secrecy::open,
    live},
  setting{
    AT(limits.max_subjects), count(1, 10'000'000),
    "Subjects of which that is known; beyond, the one counted longest ago is forgotten.",
    secrecy::open, live},
};

#undef AT

} // namespace

std::span<const setting> settings() {
  return table;
}

} // namespace herald
