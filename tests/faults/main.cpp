#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "http/protocol/problem.hpp"
#include "http/service/process.hpp"
#include "tests/faults/fault_plan.hpp"

// herald_faults: herald whose actors throw on request, and whose memory is out on request.

namespace herald::faults {
namespace {

using nlohmann::json;

/// Allocations of this thread that fail before others succeed again.
thread_local std::size_t failing_allocations = 0;

api_reply answer(int status, const json& body) {
  api_reply reply;
  reply.status = status;
  reply.body = body.dump();
  return reply;
}

std::optional<moment> moment_of(const json& body) {
  const auto text = body.value("moment", "");
  if (text.empty())
    return std::nullopt;
  if (text == "hang")
    return moment::hang;
  return text == "after" ? moment::after : moment::before;
}

/// `POST /api/testing/faults` arms a plan:
/// `{"actor"?,"moment"?:"before"|"after"|"hang","count"?,"every"?,"seed"?}`. `GET` of the same: how
/// many faults are left, how many were thrown.
void add_routes(router& routes) {
  routes.add("POST", "/api/testing/faults", no_parameters, [](const api_request& request) {
    const auto body = json::parse(request.body, nullptr, false);
    if (!body.is_object())
      return problem({ec::invalid_json, "must be an object", {}});
    plan next;
    next.actor = body.value("actor", "");
    next.when = moment_of(body);
    next.count = body.value("count", std::size_t{1});
    next.every = body.value("every", std::size_t{1});
    next.seed = body.value("seed", std::uint64_t{0});
    arm(std::move(next));
    return answer(202, json::object());
  });
  // `{"allocations":N}`: the next N of the thread that handles this fail.
  routes.add("POST", "/api/testing/out-of-memory", no_parameters, [](const api_request& request) {
    std::size_t count = 1;
    {
      // Gone before: to drop it takes memory.
      const auto body = json::parse(request.body, nullptr, false);
      if (!body.is_object())
        return problem({ec::invalid_json, "must be an object", {}});
      count = body.value("allocations", count);
    }
    failing_allocations = count;
    api_reply reply;
    reply.body.assign(1000, ' ');
    return reply;
  });
  routes.add("GET", "/api/testing/faults", no_parameters, [](const api_request&) {
    const auto now = count();
    return answer(200, {{"left", now.left}, {"before", now.before}, {"after", now.after}});
  });
}

} // namespace

void* allocate(std::size_t size) {
  if (failing_allocations > 0) {
    --failing_allocations;
    throw std::bad_alloc{};
  }
  if (auto* memory = std::malloc(size != 0 ? size : 1)) // NOLINT(cppcoreguidelines-no-malloc)
    return memory;
  throw std::bad_alloc{};
}

} // namespace herald::faults

void* operator new(std::size_t size) {
  return herald::faults::allocate(size);
}
/// Of the library, it calls the one above; a sanitizer's does not, and its memory is not ours to
/// free.
void* operator new(std::size_t size, const std::nothrow_t& /*form*/) noexcept {
  try {
    return herald::faults::allocate(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void operator delete(void* memory) noexcept {
  std::free(memory); // NOLINT(cppcoreguidelines-no-malloc)
}
void operator delete(void* memory, std::size_t /*size*/) noexcept {
  std::free(memory); // NOLINT(cppcoreguidelines-no-malloc)
}

int main(int argc, char** argv) {
  herald::fault_hook = herald::faults::strike;
  return herald::run_process(argc, argv, herald::faults::add_routes);
}
