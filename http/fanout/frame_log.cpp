#include "http/fanout/frame_log.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include <sys/mman.h>
#include <unistd.h>

namespace herald {

namespace {

constexpr std::size_t bytes_per_frame = 64;
/// Room is made in sixteenths.
constexpr std::size_t steps = 16;
/// Memory below this is kept.
constexpr std::size_t keep_bytes = std::size_t{256} * 1024;

} // namespace

frame_log::frame_log(std::size_t capacity)
  : capacity_(std::max<std::size_t>(capacity, 1)),
    max_frames_(std::max<std::size_t>(capacity_ / bytes_per_frame, steps)) {}

log_position frame_log::begin_after(std::size_t bytes) const {
  auto needed = begin();
  if (const auto after = end() + bytes; after > begin() + capacity_)
    needed = std::max(after - capacity_, std::min(begin() + capacity_ / steps, end()));
  if (frames_.size() >= max_frames_)
    needed = std::max(needed, frames_[max_frames_ / steps].end);
  return frame_end(needed);
}

void frame_log::append(const pieces& frame, std::optional<service_type> service) {
  const auto size = frame[0].size() + frame[1].size() + frame[2].size();
  assert(size <= capacity_);
  // Not initialised: the system gives a page when it is first written.
  if (!bytes_)
    bytes_.reset(new char[capacity_]);
  trim(begin_after(size));
  mark next = frames_.empty() ? base_ : frames_.back();
  for (const auto piece : frame) {
    write(next.end, piece);
    next.end += piece.size();
  }
  if (service)
    ++next.upto.at(static_cast<std::size_t>(*service));
  frames_.push_back(next);
}

void frame_log::write(log_position at, std::string_view bytes) {
  if (bytes.empty())
    return;
  const auto start = offset(at);
  const auto head = std::min(bytes.size(), capacity_ - start);
  std::memcpy(bytes_.get() + start, bytes.data(), head);
  std::memcpy(bytes_.get(), bytes.data() + head, bytes.size() - head);
  touched_ = std::max(touched_, start + head);
}

frame_log::parts frame_log::view(log_position from, log_position to) const {
  assert(begin() <= from && from <= to && to <= end());
  const auto size = static_cast<std::size_t>(to - from);
  const auto start = offset(from);
  const auto head = std::min(size, capacity_ - start);
  return {{bytes_.get() + start, head}, {bytes_.get(), size - head}};
}

log_position frame_log::frame_end(log_position at) const {
  if (at <= base_.end)
    return base_.end;
  const auto found = std::lower_bound(
    frames_.begin(), frames_.end(), at, [](const mark& m, log_position p) { return m.end < p; });
  return found == frames_.end() ? end() : found->end;
}

const frame_log::mark& frame_log::mark_at(log_position at) const {
  if (!frames_.empty() && frames_.back().end <= at)
    return frames_.back();
  const auto after = std::upper_bound(
    frames_.begin(), frames_.end(), at, [](log_position p, const mark& m) { return p < m.end; });
  return after == frames_.begin() ? base_ : *std::prev(after);
}

const frame_counts& frame_log::count(log_position from, log_position to) const {
  assert(begin() <= from && from <= to && to <= end());
  if (last_count_.from != from || last_count_.to != to) {
    const auto& before = mark_at(from).upto;
    const auto& after = mark_at(to).upto;
    for (std::size_t i = 0; i < service_type_count; ++i)
      last_count_.frames[i] = static_cast<std::uint32_t>(after[i] - before[i]);
    last_count_.from = from;
    last_count_.to = to;
  }
  return last_count_.frames;
}

void frame_log::trim(log_position to) {
  while (!frames_.empty() && frames_.front().end <= to) {
    base_ = frames_.front();
    frames_.pop_front();
  }
  if (frames_.empty())
    origin_ = base_.end;
}

void frame_log::release_memory() {
  if (!frames_.empty() || touched_ <= keep_bytes)
    return;
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto start = reinterpret_cast<std::uintptr_t>(bytes_.get());
  const auto first = (start + page - 1) / page * page;
  const auto last = (start + touched_) / page * page;
  if (first < last)
    ::madvise(bytes_.get() + (first - start), last - first, MADV_DONTNEED);
  touched_ = 0;
}

} // namespace herald
