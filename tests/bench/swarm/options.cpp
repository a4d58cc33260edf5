#include "tests/bench/swarm/options.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string_view>
#include <type_traits>

#include "http/protocol/http_url.hpp"

namespace herald::bench {

namespace {

template <class Number>
Number number(const std::string& text) {
  Number value{};
  const auto* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  bool good = error == std::errc{} && at == end;
  if constexpr (std::is_signed_v<Number>)
    good = good && value >= Number{};
  if (!good)
    throw std::invalid_argument{"not a number that fits: " + text};
  return value;
}

pacing mode(const std::string& text) {
  if (text == "none")
    return pacing::none;
  if (text == "closed")
    return pacing::closed;
  if (text == "rate")
    return pacing::rate;
  if (text == "flat")
    return pacing::flat;
  throw std::invalid_argument{"no such mode: " + text};
}

http_url local_url(const std::string& text) {
  const auto url = parse_http_url(text);
  if (!url || url->tls || url->host != "127.0.0.1")
    throw std::invalid_argument{"not a http://127.0.0.1 URL: " + text};
  return *url;
}

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file{path};
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);)
    lines.push_back(line);
  if (lines.empty())
    throw std::invalid_argument{"no lines: " + path};
  return lines;
}

void publish_to(options& o, const std::string& text) {
  const auto url = local_url(text);
  o.publish.port = url.port;
  o.publish.target = url.request_target();
}

void call_back(options& o, const std::string& text) {
  const auto url = local_url(text);
  o.gateway.callback_port = url.port;
  o.gateway.callback_target = url.request_target();
}

template <class Member>
void assign(Member& member, const std::string& text) {
  if constexpr (std::is_same_v<Member, std::string>)
    member = text;
  else if constexpr (std::is_same_v<Member, std::vector<std::string>>)
    member.push_back(text);
  else if constexpr (std::is_same_v<Member, std::vector<pid_t>>)
    member.push_back(number<pid_t>(text));
  else
    member = number<Member>(text);
}

using reader = std::function<void(options&, const std::string&)>;

template <class Member>
reader into(Member options::*member) {
  return [=](options& o, const std::string& text) {
    assign(o.*member, text);
  };
}

template <class Member>
reader into(Member stream_settings::*member) {
  return [=](options& o, const std::string& text) {
    assign(o.streams.*member, text);
  };
}

template <class Member>
reader into(Member publish_settings::*member) {
  return [=](options& o, const std::string& text) {
    assign(o.publish.*member, text);
  };
}

struct row {
  std::string_view name;
  std::string_view value;
  std::string_view help;
  reader read;
};

const std::vector<row>& rows() {
  static const std::vector<row> all = {
    {"label", "TEXT", "names the run in its report", into(&options::label)},

    {"streams", "N", "streams to open (1000)", into(&stream_settings::count)},
    {"port", "PORT", "where, on 127.0.0.1", into(&stream_settings::port)},
    {"path", "TARGET", "what to get; %d is the number of the stream, %R one of --keys",
     into(&stream_settings::path)},
    {"keys", "N", "%R in --path and --body is a number below this, scattered evenly",
     [](options& o, const std::string& text) {
       o.streams.keys = o.publish.keys = number<std::uint64_t>(text);
     }},
    {"header", "'N: V'", "of these requests, repeatable", into(&stream_settings::headers)},
    {"lines", "FILE", "%L in --path and --header is a line of it, for each stream the next",
     [](options& o, const std::string& text) {
       o.streams.lines = lines_of(text);
     }},
    {"http", "VERSION", "of these requests: 1.1, or 1.0 for streams without chunks (1.1)",
     into(&stream_settings::http)},
    {"threads", "N", "receiving threads (1)", into(&stream_settings::threads)},
    {"ramp", "N", "opened per second; 0: as fast as can be (0)", into(&stream_settings::ramp)},
    {"in-flight", "N", "at most this many that are not open yet (256)",
     into(&stream_settings::in_flight)},
    {"open-timeout", "S", "gives up opening after this (60)",
     into(&stream_settings::open_timeout_s)},
    {"churn", "N", "closed and opened again per second while publishing",
     into(&stream_settings::churn)},
    {"slow-readers", "N", "the first N streams read slowly", into(&stream_settings::slow_readers)},
    {"slow-rate", "BYTES", "per second and slow stream (1024)", into(&stream_settings::slow_rate)},
    {"slow-buffer", "BYTES", "SO_RCVBUF of a slow stream", into(&stream_settings::slow_buffer)},
    {"nap", "US", "rest between two looks at the sockets (0)", into(&stream_settings::nap_us)},

    {"gateway", "PORT", "is an SSE Gateway here, with --streams that are only names",
     [](options& o, const std::string& text) {
       o.gateway.port = number<std::uint16_t>(text);
     }},
    {"callback", "URL", "where the gateway tells of its streams", call_back},
    {"backend", "PORT", "takes a gateway's callbacks here, and lets every stream open",
     [](options& o, const std::string& text) {
       o.gateway.backend_port = number<std::uint16_t>(text);
     }},
    {"rehearse", "N", "streams that are opened, told a little and closed before all (0)",
     into(&options::rehearse)},

    {"publish", "URL", "where events are posted", publish_to},
    {"mode", "MODE", "closed: the next event once all have the last; rate; flat: out; none",
     [](options& o, const std::string& text) {
       o.publish.mode = mode(text);
     }},
    {"publish-header", "'N: V'", "of these requests, repeatable; %R one of --keys",
     into(&publish_settings::headers)},
    {"connections", "N", "kept-alive connections to publish over (1)",
     into(&publish_settings::connections)},
    {"body", "TEXT",
     "of a request, repeatable; %D data, %E data within a JSON string, %S number, "
     "%K a token, %R one of --keys",
     into(&publish_settings::bodies)},
    {"data", "TEXT", "of an event; %T time, %S number, %P padding", into(&publish_settings::data)},
    {"data-size", "BYTES", "of an event (200)", into(&publish_settings::data_size)},
    {"batch", "N", "events in a request (1)", into(&publish_settings::batch)},
    {"batch-form", "FORM", "array: a JSON array of bodies; lines: one body a line (array)",
     [](options& o, const std::string& text) {
       o.publish.lines = text == "lines";
     }},
    {"rate", "N", "events per second, in mode rate", into(&publish_settings::rate)},
    {"window", "N", "at most this many events that not all streams have, in mode flat",
     into(&publish_settings::window)},
    {"warmup", "S", "published, not measured (1)", into(&publish_settings::warmup_s)},
    {"duration", "S", "measured (10)", into(&publish_settings::duration_s)},
    {"events", "N", "ends after N measured events, at the latest after --duration",
     into(&publish_settings::events)},
    {"patience", "S", "how long to wait for an event that does not come (10)",
     into(&publish_settings::patience_s)},
    {"reach", "N", "streams that each event is for; 0: all (0)", into(&publish_settings::reach)},

    {"server", "PID", "process to watch, with its children, repeatable", into(&options::servers)},
    {"beside", "PID", "process that takes part, but is not measured, repeatable",
     into(&options::beside)},
    {"settle", "S", "calm between opening and publishing (2)", into(&options::settle_s)},
  };
  return all;
}

void check(const options& o) {
  const auto demand = [](bool holds, const char* what) {
    if (!holds)
      throw std::invalid_argument{what};
  };
  demand(o.streams.http == "1.1" || o.streams.http == "1.0", "--http is 1.1 or 1.0");
  const auto& p = o.publish;
  demand(
    o.streams.count == 0 || o.streams.port != 0 || o.gateway.port != 0,
    "--streams needs --port, or --gateway");
  demand(o.streams.threads > 0 && o.streams.in_flight > 0, "--threads and --in-flight are not 0");
  demand(p.mode == pacing::none || p.port != 0, "--mode needs --publish");
  demand(p.connections > 0 && p.batch > 0, "--connections and --batch are not 0");
  demand(p.mode != pacing::rate || p.rate > 0, "--mode rate needs --rate");
  demand(p.mode != pacing::closed || o.streams.count > 0, "--mode closed needs --streams");
  demand(
    o.streams.churn == 0 || (p.mode != pacing::closed && p.window == 0),
    "with --churn nobody can tell which streams an event is still under way to");
  demand(p.bodies.size() <= 1 || p.batch == 1, "several bodies make no batch");
}

} // namespace

options read_options(const std::vector<std::string>& arguments) {
  options read;
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    const auto& name = arguments[i];
    const auto found = std::find_if(rows().begin(), rows().end(), [&](const row& r) {
      return name.starts_with("--") && r.name == std::string_view{name}.substr(2);
    });
    if (found == rows().end())
      throw std::invalid_argument{"no such option: " + name};
    if (i + 1 == arguments.size())
      throw std::invalid_argument{name + " takes a value"};
    found->read(read, arguments[i + 1]);
  }
  if (read.publish.bodies.empty())
    read.publish.bodies.emplace_back("%D");
  check(read);
  return read;
}

std::string usage() {
  std::string text = "Opens streams, publishes events, prints one line of JSON about it.\n\n";
  for (const row& r : rows()) {
    std::string left = "  --" + std::string{r.name} + " " + std::string{r.value};
    left.resize(std::max<std::size_t>(left.size() + 1, 26), ' ');
    text += left + std::string{r.help} + "\n";
  }
  return text;
}

} // namespace herald::bench
