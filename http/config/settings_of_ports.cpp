#include "http/config/setting_table.hpp"

namespace herald {

namespace {

using namespace setting_rules;

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
  setting{AT(api.max_body_bytes), bytes(1024), "Longest body of an API request.", shown, live},
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
    AT(api.origins), named_origins, "Pages of which origins may use the API; empty: none.", shown,
    live},
  setting{
    AT(api.hosts), hosts,
    "Host names that requests may name; empty: addresses and localhost where api.host is loopback, "
    "else any.",
    shown, live},

  setting{
    "api.keys", nullptr, by_type,
    R"(Who may use the API: [{"name": "..", "sha256": "..", "scopes": [..], ..}], as herald key prints them; none: whoever reaches it.)",
    shown, live},
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
    AT(stream.retry_ms), delay_ms, "Browsers are told to reconnect after this, jittered.", shown,
    live},
  setting{
    AT(stream.cors_origins), origins,
    "Pages of which origins may open streams; *: all, without credentials.", shown, live},
  setting{
    AT(stream.hosts), hosts,
    "Host names that requests may name beside addresses and localhost; empty: any.", shown, live},
  setting{AT(stream.max_streams), count(1, 10'000'000), "Streams open at once.", shown, live},
  setting{
    AT(stream.max_streams_per_address), count(0, 10'000'000),
    "Streams open at once from one address (IPv6: one /64); 0: no limit. Loopback and private "
    "addresses count where stream.trusted_proxies is set.",
    shown, live},
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
    AT(stream.max_head_bytes), number_range{512, 65'536}, "Longest head of a request.", shown,
    live},
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
    "PEM file of the authorities that https auth.jwks_url and auth.authorize_url are trusted by; "
    "empty: the system's."},
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
    AT(auth.authorize_url), any_url,
    "Where the application is asked who a page is; empty: nowhere.", secrecy::secret_query},
  setting{
    AT(auth.authorize_url_file), plain,
    "File that has auth.authorize_url, with its secrets: its first line."},
  setting{
    AT(auth.authorize_plain), by_type,
    "Asks with plain http elsewhere than on this machine, too: credentials go there unprotected."},
  setting{AT(auth.authorize_timeout_ms), count(1, 20'000), "A question is given up after this."},
  setting{AT(auth.authorize_connections), count(1, 1000), "Questions that are asked at once."},
  setting{
    AT(auth.authorize_max_waiting), count(0, 1'000'000),
    "Questions that wait for one of those to end; pages beyond are told when to come back."},
  setting{AT(auth.authorize_max_bytes), bytes(65'536), "Memory of both."},
  setting{AT(auth.authorize_max_answer_bytes), bytes(256), "Longest answer to a question."},
  setting{
    AT(auth.max_waiting_callbacks), count(1, 65'535),
    "Connects of a gateway that wait for an answer, or for a key, at once; pages beyond come "
    "back."},
};

} // namespace

std::span<const setting> settings_of_ports() {
  return table;
}

} // namespace herald
