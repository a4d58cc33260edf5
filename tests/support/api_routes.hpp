#pragma once

#include <string>
#include <utility>
#include <vector>

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <gtest/gtest.h>

#include "http/server/router.hpp"
#include "messages/type_ids.hpp"

namespace herald::testing {

/// Runs routes against actors that note what they are asked and answer what they are told to.
/// Real threads: an HTTP handler waits for its actor.
class api_routes : public ::testing::Test {
protected:
  ~api_routes() override {
    for (const auto& actor : spawned_)
      caf::anon_send_exit(actor, caf::exit_reason::kill);
  }

  template <class Interface, class... Handlers>
  Interface spawn(Handlers... handlers) {
    Interface actor =
      system_.spawn([=](typename Interface::pointer) -> typename Interface::behavior_type {
        return {handlers...};
      });
    spawned_.push_back(caf::actor_cast<caf::strong_actor_ptr>(actor));
    return actor;
  }

  api_reply call(const std::string& method, const std::string& path, const std::string& body = {}) {
    api_request request;
    request.body = body;
    return call(method, path, std::move(request));
  }

  api_reply call(const std::string& method, const std::string& path, api_request request) {
    auto match = routes.find(method, path);
    if (match.found == nullptr)
      return {404, "no route", "", {}};
    request.path_arguments = std::move(match.path_arguments);
    return match.found->answer(request);
  }

  caf::actor_system& system() { return system_; }

  router routes;

private:
  caf::actor_system_config config_;
  caf::actor_system system_{config_};
  std::vector<caf::strong_actor_ptr> spawned_;
};

} // namespace herald::testing
