#pragma once

#include <caf/send.hpp>

#include "messages/actors.hpp"
#include "messages/type_ids.hpp"

namespace herald {

/// A stream cannot be had: its client is told so, through its transport.
inline void tell_refused(const open_connection& command, const failure& why) {
  caf::anon_send(command.via, refuse_stream{command.stream, why, 0});
}

inline void tell_all_refused(const open_connections& command, const failure& why) {
  for (const auto& one : command.all)
    tell_refused(one, why);
}

} // namespace herald
