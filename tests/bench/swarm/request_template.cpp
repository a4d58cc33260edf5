#include "tests/bench/swarm/request_template.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace herald::bench {

namespace {

struct digits {
  explicit digits(std::uint64_t number)
    : size(static_cast<std::size_t>(
      std::to_chars(text.data(), text.data() + text.size(), number).ptr - text.data())) {}

  std::array<char, 20> text;
  std::size_t size;
};

void replace_all(std::string& text, std::string_view what, const std::string& by) {
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
}

std::string head_end(const std::vector<std::string>& headers) {
  std::string out = "\r\n";
  for (const auto& header : headers)
    out += header + "\r\n";
  return out + "\r\n";
}

std::string within_json_string(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\')
      out += '\\';
    out += c;
  }
  return out;
}

} // namespace

event_template::event_template(std::string_view text, std::size_t size) {
  parse(text);
  std::size_t fixed = 0;
  for (const auto& p : pieces_)
    fixed += p.text.size();
  room_ = size > fixed ? size - fixed : 0;
}

event_template event_template::body(std::string body, const publish_settings& settings) {
  event_template made;
  made.room_ = event_template{settings.data, settings.data_size}.room_;
  made.tokens_ = settings.tokens;
  made.keys_ = settings.keys;
  replace_all(body, "%D", settings.data);
  replace_all(body, "%E", within_json_string(settings.data));
  made.parse(body);
  return made;
}

void event_template::parse(std::string_view text) {
  const auto kind_of = [](char c) {
    switch (c) {
    case 'T':
      return kind::time;
    case 'S':
      return kind::number;
    case 'P':
      return kind::padding;
    case 'K':
      return kind::token;
    case 'R':
      return kind::key;
    default:
      return kind::text;
    }
  };
  while (!text.empty()) {
    const auto mark = std::min(text.find('%'), text.size());
    auto what = kind::text;
    if (mark + 1 < text.size())
      what = kind_of(text[mark + 1]);
    // A % that stands for itself is text, like what is before it.
    const auto plain = what == kind::text ? std::min(mark + 1, text.size()) : mark;
    if (plain > 0)
      pieces_.push_back({kind::text, std::string{text.substr(0, plain)}});
    if (what != kind::text)
      pieces_.push_back({what, {}});
    text.remove_prefix(what == kind::text ? plain : mark + 2);
  }
}

void event_template::append(std::string& out, nanos at, event_number number) const {
  const digits time{at};
  const digits count{number};
  for (const auto& p : pieces_) {
    switch (p.what) {
    case kind::text:
      out += p.text;
      break;
    case kind::time:
      out.append(time.text.data(), time.size);
      break;
    case kind::number:
      out.append(count.text.data(), count.size);
      break;
    case kind::token:
      if (!tokens_.empty())
        out += tokens_[number % tokens_.size()];
      break;
    case kind::key:
      if (keys_ != 0)
        out += std::to_string(scattered_key(number, keys_));
      break;
    case kind::padding:
      out.append(room_ - std::min(room_, time.size + count.size), 'x');
      break;
    }
  }
}

std::uint64_t scattered_key(std::uint64_t place, std::uint64_t keys) {
  // A prime above any number of keys: its multiples all leave another remainder.
  constexpr std::uint64_t step = 2'654'435'761;
  return place % keys * step % keys;
}

request_template::request_template(const publish_settings& settings)
  : head_(
    "POST " + settings.target + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(settings.port)
    + "\r\nContent-Length: "),
    head_end_(event_template::body(head_end(settings.headers), settings)),
    batch_(settings.batch),
    lines_(settings.lines) {
  for (const auto& body : settings.bodies)
    bodies_.push_back(event_template::body(body, settings));
}

void request_template::make(std::string& out, std::size_t step, nanos at, event_number first) {
  const bool array = batch_ > 1 && !lines_;
  body_.clear();
  if (array)
    body_ += '[';
  for (std::size_t i = 0; i < batch_; ++i) {
    if (i > 0)
      body_ += lines_ ? '\n' : ',';
    bodies_[step].append(body_, at, first + i);
  }
  if (array)
    body_ += ']';
  out = head_;
  out += std::to_string(body_.size());
  head_end_.append(out, at, first);
  out += body_;
}

} // namespace herald::bench
