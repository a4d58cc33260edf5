#include "tests/chaos/scenario.hpp"

#include <cstdlib>
#include <iostream>

namespace herald::testing {

namespace {

std::string variable(const char* name, const char* otherwise) {
  const auto* text = std::getenv(name);
  return text == nullptr || *text == '\0' ? otherwise : text;
}

} // namespace

scenario::scenario()
  : full_(variable("HERALD_CHAOS", "short") == "full"),
    seed_(static_cast<std::uint32_t>(std::stoul(variable("HERALD_CHAOS_SEED", "1")))),
    random_(seed_) {}

void scenario::TearDown() {
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  const auto took =
    std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - began_);
  std::cout << "chaos: " << test->name() << (full_ ? " full" : " short") << ", seed " << seed_
            << ", " << took.count() << " s";
  for (const auto& [name, value] : results_)
    std::cout << ", " << name << " " << value;
  std::cout << (HasFailure() ? ", FAILED\n" : IsSkipped() ? ", skipped\n" : ", held\n");
}

} // namespace herald::testing
