#include "http/config/setting_table.hpp"

namespace herald {

namespace {

using namespace setting_rules;

const std::array table = {
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
    AT(callback.max_identity_bytes), bytes(0),
    "Memory of what backends say of streams (subject, roles, bindings); beyond, it is not kept."},

  setting{
    AT(history.max_events), count(0, 100'000'000),
    "Events kept for streams that come back with Last-Event-ID; 0: none.", shown, live},
  setting{AT(history.max_bytes), bytes(1024), "Memory of the events kept.", shown, live},
  setting{AT(history.max_age_s), long_time_s, "Events older than this are not kept.", shown, live},

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
    "File with the secrets (whsec_..) that sign this, one a line, two while they change.", shown,
    live},
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

  setting{AT(log.level), by_type, "Least level that is logged.", shown, live},
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
    shown, live},
  setting{
    AT(limits.max_addresses), count(1, 10'000'000),
    "Addresses of which it is known what they did; beyond, the one counted longest ago is "
    "forgotten.",
    shown, live},
  setting{
    AT(limits.publishes_per_s), count(0, 10'000'000),
    "Events and versions a second of a key without a rate of its own (429). 0: no limit.", shown,
    live},
  setting{
    AT(limits.publish_bytes_per_s), bytes(0), "Bytes of them a second, likewise. 0: no limit.",
    shown, live},
  setting{
    AT(limits.streams), count(0, 10'000'000), "Streams open at once of one subject. 0: no limit.",
    shown, live},
  setting{
    AT(limits.opens_per_s), count(0, 10'000'000),
    "Streams that one address may open in a second. 0: no limit.", shown, live},
  setting{
    AT(limits.subject_opens_per_s), count(0, 10'000'000),
    "Streams that one subject may open in a second. 0: no limit.", shown, live},
  setting{
    AT(limits.replay_bytes_per_min), bytes(0),
    "Bytes of missed events that one subject is sent in a minute. 0: no limit.", shown, live},
  setting{
    AT(limits.max_subjects), count(1, 10'000'000),
    "Subjects of which that is known; beyond, the one counted longest ago is forgotten.", shown,
    live},
};

} // namespace

std::span<const setting> settings_of_parts() {
  return table;
}

} // namespace herald
