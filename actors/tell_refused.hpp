#pragma once

#include <caf/send.hpp>

#include "messages/actors.hpp"
#include "messages/type_ids.hpp"

namespace herald {

/// A stream cannot be had: its client is told so, through its transport.
inline void tell_refused(const open_connection& command, const failure& why) {
  caf::anon_send(command.via, refuse_stream{command.stream, why, 0});
}

} // namespace herald
