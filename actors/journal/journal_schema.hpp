#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "actors/journal/sqlite.hpp"

namespace herald {

/// The steps that lead from an empty file to the tables of this herald, in their order. A step that
/// was ever released is never changed: a change to the tables is a new step.
[[nodiscard]] std::span<const char* const> journal_migrations();

/// Marks a database file as a journal of herald (`PRAGMA application_id`: "hrld").
inline constexpr std::int64_t journal_application_id = 0x68726c64;

/// Takes the steps that the file (by its `PRAGMA user_version`) has not taken, each whole or not at
/// all. Gives SQLite's code.
[[nodiscard]] int migrate(sqlite::database& db, std::span<const char* const> steps);

} // namespace herald
