#pragma once

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/type_id.hpp>

#include "actors/history/history_limits.hpp"
#include "messages/typed_actor.hpp"

namespace herald {

/// To the registry: from now on no more of the past is kept than this.
struct change_history {
  history_limits limits;
};

/// The HISTORY KEEPER actor interface: what the registry is to whoever says how much is kept.
using history_keeper_actor = typed_actor<
  // Keeps so much of the past.
  result<void>(change_history)>;

} // namespace herald

// Behind those of messages/type_ids.hpp.
CAF_BEGIN_TYPE_ID_BLOCK(herald_history, caf::first_custom_type_id + 210)
CAF_ADD_TYPE_ID(herald_history, (herald::change_history))
CAF_END_TYPE_ID_BLOCK(herald_history)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(herald::change_history)
