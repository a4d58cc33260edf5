#include <chrono>
#include <new>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "http/clients/version_source.hpp"
#include "http/tokens/document_fetch.hpp"
#include "messages/errors.hpp"
#include "tests/memory/failing_memory.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/loopback_server.hpp"

namespace herald {
namespace {

/// Too long to lie inside of a string.
std::string long_document() {
  return '"' + std::string(1000, 'x') + '"';
}

/// Has each allocation of a fetch fail once, and fetches again after each: the failures that were
/// told of. Where herald itself had no memory, the fetch may throw.
template <class Fetch>
std::set<std::string> failures_without_memory(Fetch fetch) {
  constexpr std::size_t most = 1000;
  std::set<std::string> told;
  for (std::size_t n = 1; n <= most; ++n) {
    SCOPED_TRACE("allocation " + std::to_string(n) + " fails");
    bool failed = false;
    try {
      const testing::failing_memory memory{n};
      const auto got = fetch();
      failed = memory.failed();
      if (!got)
        told.insert(describe(got.error()).detail);
    } catch (const std::bad_alloc&) {
      failed = true;
    }
    const auto again = fetch();
    EXPECT_TRUE(again && *again == long_document());
    if (!failed)
      return told;
  }
  ADD_FAILURE() << "it takes more than " << most << " allocations";
  return told;
}

/// Nothing is thrown through the C frames of libcurl: the fetch ends as others that fail.
class FetchesMemory : public ::testing::Test {
protected:
  FetchesMemory() {
    server.Get("/document", [](const httplib::Request&, httplib::Response& reply) {
      reply.set_content(long_document(), "application/json");
    });
    server.start();
  }

  testing::loopback_server server;
};

TEST_F(FetchesMemory, SaysThatThereIsNoneForADocument) {
  document_fetch_options options;
  options.url = parse_http_url(server.url("/document")).value();
  options.timeout = testing::patience;
  document_fetch fetch{options};
  EXPECT_EQ(
    failures_without_memory([&] { return fetch.get(); }), std::set<std::string>{"Out of memory"});
}

TEST_F(FetchesMemory, SaysThatThereIsNoneForAVersionDocument) {
  version_source_options options;
  options.url = server.url("/document");
  options.timeout = testing::patience;
  EXPECT_EQ(
    failures_without_memory([&] { return fetch_version_document(options); }),
    std::set<std::string>{"there is no memory for the version document"});
}

} // namespace
} // namespace herald
