#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "tests/bench/swarm/crowd.hpp"
#include "tests/bench/swarm/delivery_counter.hpp"
#include "tests/bench/swarm/options.hpp"
#include "tests/bench/swarm/progress.hpp"
#include "tests/bench/swarm/request_server.hpp"
#include "tests/bench/swarm/sequence_check.hpp"

namespace herald::bench {

/// What a backend sees of an SSE Gateway: it tells of streams by callbacks, takes `POST
/// /internal/send` for each, and answers at once. The streams are only names, "b1", "b2", ...: what
/// is sent to them is judged here.
class stub_gateway : public crowd {
public:
  stub_gateway(const gateway_settings& settings, std::size_t streams, progress& run);
  ~stub_gateway() override;

  void open() override;
  void drain() override {}
  void finish() override;
  void tell(run_result& result) const override;

private:
  void tell_of_streams();
  void sent(std::string_view body, nanos received);

  gateway_settings settings_;
  progress& run_;
  std::vector<sequence_check> streams_;
  delivery_counter counter_;
  std::uint64_t bytes_ = 0;
  std::uint64_t malformed_ = 0;
  std::uint64_t told_ = 0;
  nanos opened_ = 0;
  bool finished_ = false;
  request_server server_;
};

} // namespace herald::bench
