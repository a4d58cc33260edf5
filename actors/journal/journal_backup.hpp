#pragma once

#include <cstdint>
#include <string>

#include "messages/actors.hpp"
#include "messages/type_ids.hpp"

namespace herald {

/// To the journal: copies what is written by then, and while the copy is made, into a new file
/// beside its own.
struct back_up_journal {
  /// Of the new file, in the journal's folder; empty: one that says when it was made.
  std::string name;
};

/// The answer to `back_up_journal`, once the copy is on the disk.
struct journal_backup {
  std::string name;
  std::uint64_t bytes = 0;
};

/// To the journal from itself: copy another piece.
struct copy_more {
  /// One that is not expected any more is ignored.
  std::uint64_t number = 0;
};

/// The FILE JOURNAL actor interface: a journal that is a file, and can be copied.
using file_journal_actor =
  journal_actor::extend<caf::replies_to<back_up_journal>::with<journal_backup>>;

} // namespace herald

// Behind those of messages/type_ids.hpp.
CAF_BEGIN_TYPE_ID_BLOCK(herald_backup, caf::first_custom_type_id + 200)
CAF_ADD_TYPE_ID(herald_backup, (herald::back_up_journal))
CAF_ADD_TYPE_ID(herald_backup, (herald::journal_backup))
CAF_ADD_TYPE_ID(herald_backup, (herald::copy_more))
CAF_END_TYPE_ID_BLOCK(herald_backup)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(herald::back_up_journal)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(herald::journal_backup)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(herald::copy_more)
