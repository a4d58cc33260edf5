#include "messages/tasks.hpp"

namespace herald {

std::string_view to_string(task_status status) {
  switch (status) {
  case task_status::pending:
    return "pending";
  case task_status::running:
    return "running";
  case task_status::completed:
    return "completed";
  case task_status::failed:
    return "failed";
  case task_status::cancelled:
    return "cancelled";
  }
  return "failed";
}

std::string_view to_string(task_event_type type) {
  switch (type) {
  case task_event_type::task_started:
    return "task_started";
  case task_event_type::progress_update:
    return "progress_update";
  case task_event_type::task_completed:
    return "task_completed";
  case task_event_type::task_failed:
    return "task_failed";
  case task_event_type::task_cancelled:
    return "task_cancelled";
  }
  return "task_failed";
}

} // namespace herald
