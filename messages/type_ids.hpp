#pragma once

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/error.hpp>
#include <caf/type_id.hpp>

#include "messages/actors.hpp"
#include "messages/errors.hpp"

/// Everything that travels in a message, in one block: CAF gives out the numbers by place. Messages
/// never leave the process, hence "unsafe" (not serialisable) for all of ours.

#define HERALD_MESSAGE_TYPES(X)                                                                    \
  X(herald::failure)                                                                               \
  X(herald::publish)                                                                               \
  X(herald::publish_receipt)                                                                       \
  X(herald::deliver)                                                                               \
  X(herald::delivery_settled)                                                                      \
  X(herald::delivery_wait_over)                                                                    \
  X(herald::attach_stream)                                                                         \
  X(herald::refuse_stream)                                                                         \
  X(herald::close_stream)                                                                          \
  X(herald::change_reach)                                                                          \
  X(herald::open_connection)                                                                       \
  X(herald::open_connections)                                                                      \
  X(herald::stream_closed)                                                                         \
  X(herald::delivery_failed)                                                                       \
  X(herald::send_to_stream)                                                                        \
  X(herald::send_status)                                                                           \
  X(herald::call_backend)                                                                          \
  X(herald::backend_answered)                                                                      \
  X(herald::webhook_answered)                                                                      \
  X(herald::webhook_timer)                                                                         \
  X(herald::connections_opened)                                                                    \
  X(herald::connection_closed)                                                                     \
  X(herald::streams_changed)                                                                       \
  X(herald::add_observer)                                                                          \
  X(herald::list_connections)                                                                      \
  X(herald::connection_page)                                                                       \
  X(herald::close_connection)                                                                      \
  X(herald::close_connections)                                                                     \
  X(herald::connections_ended)                                                                     \
  X(herald::revoke_access)                                                                         \
  X(herald::change_topics)                                                                         \
  X(herald::topics_changed)                                                                        \
  X(herald::list_topics)                                                                           \
  X(herald::topic_page)                                                                            \
  X(herald::list_events)                                                                           \
  X(herald::event_page)                                                                            \
  X(herald::send_next)                                                                             \
  X(herald::send_ended)                                                                            \
  X(herald::queue_version)                                                                         \
  X(herald::version_queued)                                                                        \
  X(herald::get_pending_version)                                                                   \
  X(herald::pending_version)                                                                       \
  X(herald::fetch_version)                                                                         \
  X(herald::version_document)                                                                      \
  X(herald::record_entries)                                                                        \
  X(herald::entries_recorded)                                                                      \
  X(herald::back_up_journal)                                                                       \
  X(herald::journal_backup)                                                                        \
  X(herald::copy_more)                                                                             \
  X(herald::change_history)                                                                        \
  X(herald::commit_entries)                                                                        \
  X(herald::publish_recorded)                                                                      \
  X(herald::publish_step)                                                                          \
  X(herald::step_published)                                                                        \
  X(herald::claim_key)                                                                             \
  X(herald::key_grant)                                                                             \
  X(herald::settle_claim)                                                                          \
  X(herald::leave_claim)                                                                           \
  X(herald::claim_answered)                                                                        \
  X(herald::claim_released)                                                                        \
  X(herald::release_claim)                                                                         \
  X(herald::expire_keys)                                                                           \
  X(herald::record_steps_again)                                                                    \
  X(herald::adopt_streams)                                                                         \
  X(herald::task_view)                                                                             \
  X(herald::start_task)                                                                            \
  X(herald::get_task)                                                                              \
  X(herald::list_tasks)                                                                            \
  X(herald::task_page)                                                                             \
  X(herald::cancel_task)                                                                           \
  X(herald::remove_task)                                                                           \
  X(herald::report_progress)                                                                       \
  X(herald::report_completion)                                                                     \
  X(herald::report_failure)                                                                        \
  X(herald::run_task)                                                                              \
  X(herald::abort_task)                                                                            \
  X(herald::task_progressed)                                                                       \
  X(herald::task_finished)                                                                         \
  X(herald::worker_idle)                                                                           \
  X(herald::abort_all_tasks)                                                                       \
  X(herald::task_timer)                                                                            \
  X(herald::task_ended)                                                                            \
  X(herald::begin_shutdown)                                                                        \
  X(herald::flush)                                                                                 \
  X(herald::child_started)                                                                         \
  X(herald::child_restarted)                                                                       \
  X(herald::child_failed)                                                                          \
  X(herald::inside_order)                                                                          \
  X(herald::stop_children)                                                                         \
  X(herald::stop_overdue)                                                                          \
  X(herald::stop_report)                                                                           \
  X(herald::get_actor_status)                                                                      \
  X(herald::actor_status)                                                                          \
  X(herald::actor_tree)                                                                            \
  X(herald::get_backlogs)                                                                          \
  X(herald::stream_backlogs)                                                                       \
  X(herald::connect_answer_read)

#define HERALD_ADD_TYPE_ID(Type) CAF_ADD_TYPE_ID(herald, (Type))

CAF_BEGIN_TYPE_ID_BLOCK(herald, caf::first_custom_type_id)
HERALD_MESSAGE_TYPES(HERALD_ADD_TYPE_ID)
CAF_END_TYPE_ID_BLOCK(herald)

HERALD_MESSAGE_TYPES(CAF_ALLOW_UNSAFE_MESSAGE_TYPE)

CAF_ERROR_CODE_ENUM(herald::ec)
