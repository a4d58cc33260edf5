#pragma once

#include "messages/backend.hpp"
#include "messages/connections.hpp"
#include "messages/delivery.hpp"
#include "messages/events.hpp"
#include "messages/gateway.hpp"
#include "messages/idempotency.hpp"
#include "messages/journal.hpp"
#include "messages/supervision.hpp"
#include "messages/tasks.hpp"
#include "messages/typed_actor.hpp"
#include "messages/versions.hpp"

namespace herald {

/// The OBSERVER actor interface: whoever wants to know who is connected.
using observer_actor = typed_actor<
  // These streams are open and will get whatever is published from now on.
  result<void>(connections_opened),
  // The stream of a request_id is gone and was not replaced by a newer one.
  result<void>(connection_closed)>;

/// To the registry: tells this observer of every connection from now on.
struct add_observer {
  observer_actor observer;
};

/// The WATCHER actor interface: whoever is told of every stream, topic and task.
using watcher_actor = typed_actor<
  // Streams have opened or ended, topics have got a first listener or lost the last.
  result<void>(streams_changed),
  // A task has ended.
  result<void>(task_ended)>;

/// The WEBHOOKS actor interface: tells a backend what is going on.
using webhooks_actor = typed_actor<
  // What it tells of.
  result<void>(streams_changed), result<void>(task_ended),
  // Answered once everything told before was answered, or has failed once more.
  result<void>(flush)>;

/// The STREAM OWNER actor interface: what a transport tells about its streams. Spoken by the
/// registry, and by the gateway front where herald stands in for an SSE Gateway.
using stream_owner_actor = typed_actor<
  // A client wants a stream, or many do.
  result<void>(open_connection), result<void>(open_connections),
  // A stream is gone.
  result<void>(stream_closed),
  // A stream did not exist any more when something was sent to it.
  result<void>(delivery_failed),
  // A batch that somebody waits for has reached its streams.
  result<void>(delivery_settled),
  // One event to one stream by its token, as the gateway's protocol has it.
  result<send_status>(send_to_stream)>;

/// The CONNECTION LISTER actor interface: whoever knows who is connected.
using connection_lister_actor = typed_actor<
  // Pages through the open connections.
  result<connection_page>(list_connections)>;

/// The PUBLISHER actor interface: the one place that puts events into their order.
using publisher_actor = typed_actor<
  // Orders the drafts and sends them on.
  result<publish_receipt>(publish)>;

/// The RECORDER actor interface: a publisher that has a journal.
using recorder_actor = typed_actor<
  // Publishes, and records what goes with the events together with them.
  result<publish_receipt>(publish_recorded),
  // Publishes a step of a task once it is in the file.
  result<void>(publish_step)>;

/// The CONNECTION REGISTRY actor interface: who is connected, and the order of all that is said.
using connection_registry_actor = typed_actor<
  // What the owner of streams is told.
  result<void>(open_connection), result<void>(open_connections), result<void>(stream_closed),
  result<void>(delivery_failed), result<void>(delivery_settled),
  result<send_status>(send_to_stream),
  // Orders the drafts, keeps them, sends them on.
  result<publish_receipt>(publish),
  // The same for those who have something to record with their events.
  result<publish_receipt>(publish_recorded), result<void>(publish_step),
  // A publisher has waited for its delivery for long enough.
  result<void>(delivery_wait_over),
  // Somebody wants to know about every connection from now on.
  result<void>(add_observer),
  // Pages through the open connections.
  result<connection_page>(list_connections),
  // Ends the stream of one request_id, or those of a subject.
  result<void>(close_connection), result<connections_ended>(close_connections),
  // Ends the streams with a credential that is not good any more, and lets no more in.
  result<void>(revoke_access),
  // Changes what a page's stream hears; counts who listens to what.
  result<topics_changed>(change_topics), result<topic_page>(list_topics),
  // Looks back at what is kept of what was published.
  result<event_page>(list_events),
  // Nobody waits for what this claim has published.
  result<void>(release_claim),
  // Takes streams over that a former life has left open.
  result<void>(adopt_streams),
  // Refuses events from outside from now on; versions and tasks still end in order.
  result<void>(begin_shutdown),
  // Answered once everything published before is on its way to its transports.
  result<void>(flush)>;

/// The JOURNAL actor interface: remembers over restarts what it is told.
using journal_actor = typed_actor<
  // Writes the entries, together with what else there is to write.
  result<void>(record_entries),
  // Answered once everything recorded before is written, or could not be.
  result<void>(flush)>;

/// The FILE JOURNAL actor interface: a journal that is a file, and can be copied.
using file_journal_actor =
  journal_actor::extend<caf::replies_to<back_up_journal>::with<journal_backup>>;

/// The HISTORY KEEPER actor interface: what the registry is to whoever says how much is kept.
using history_keeper_actor = typed_actor<
  // Keeps so much of the past.
  result<void>(change_history)>;

/// The GATEWAY SENDER actor interface: one shard of the streams that an external gateway
/// terminates.
using gateway_sender_actor = typed_actor<
  result<void>(attach_stream), result<void>(refuse_stream), result<void>(close_stream),
  result<void>(change_reach), result<stream_backlogs>(get_backlogs), result<void>(deliver),
  // The gateway says that a stream is gone: what is queued for it has failed.
  result<void>(stream_closed),
  // Answered once everything queued before is sent, has failed or is lost.
  result<void>(flush),
  // To itself, and from its connection.
  result<void>(send_next), result<void>(send_ended)>;

/// The STAND-IN FRONT actor interface: owns the streams where herald stands in for an SSE Gateway,
/// and leaves to the backend whether they open and what they get.
using stand_in_front_actor = typed_actor<
  result<void>(open_connection), result<void>(open_connections), result<void>(stream_closed),
  result<void>(delivery_failed), result<void>(delivery_settled),
  result<send_status>(send_to_stream),
  // What the backend answered to a callback.
  result<void>(backend_answered), result<void>(connect_answer_read),
  // Pages through the open streams.
  result<connection_page>(list_connections),
  // Refuses new streams from now on; answered once no stream waits for its callback any more.
  result<void>(begin_shutdown),
  // Answered once no callback is under way.
  result<void>(flush)>;

/// The VERSION SOURCE actor interface: where the current version document comes from.
using version_source_actor = typed_actor<
  // Gets the document, or says why it cannot be had.
  result<version_document>(fetch_version)>;

/// The VERSION STORE actor interface: one pending version per request_id, sent at each connect.
using version_store_actor = typed_actor<
  result<void>(connections_opened), result<void>(connection_closed),
  // Stores a pending version and tells every stream.
  result<version_queued>(queue_version),
  // Looks a pending version up.
  result<pending_version>(get_pending_version),
  // To pass on, behind what the claim has queued.
  result<void>(release_claim),
  // Refuses new versions from now on.
  result<void>(begin_shutdown)>;

/// The IDEMPOTENCY actor interface: the book of keys, which says whether a request is carried out.
using idempotency_actor = typed_actor<
  result<key_grant>(claim_key), result<void>(settle_claim), result<void>(leave_claim),
  // From the registry.
  result<void>(claim_answered), result<void>(claim_released)>;

/// The TASK WORKER actor interface: does the work of one task at a time.
using task_worker_actor = typed_actor<
  // Starts the work; reports go to the runner.
  result<void>(run_task),
  // Stops it; ignored for a task that is not at work here.
  result<void>(abort_task)>;

/// The TASK RUNNER actor interface: the one owner of the state of all tasks.
using task_runner_actor = typed_actor<
  result<task_view>(start_task), result<task_view>(get_task), result<task_page>(list_tasks),
  result<task_view>(cancel_task), result<void>(remove_task),
  // Reports of a service that does the work of an external task.
  result<task_view>(report_progress), result<task_view>(report_completion),
  result<task_view>(report_failure),
  // Reports of a worker; stale ones (task ended meanwhile) are ignored.
  result<void>(task_progressed), result<void>(task_finished), result<void>(worker_idle),
  // Refuses new tasks and cancels the pending ones; answered when nothing runs any more.
  result<void>(begin_shutdown),
  // Ends all that still runs; answered when nothing is left of it.
  result<void>(abort_all_tasks)>;

/// The RESTARTABLE actor interface: what the supervisor says to a child that has failed.
using restartable_actor = typed_actor<
  // Build the inside anew, or go on without one.
  result<void>(inside_order)>;

/// To the supervisor: this child is up, and takes orders.
struct child_started {
  std::string name;
  restartable_actor child;
  /// What it is one of; empty: the only one, and its name says it.
  std::string kind{};
  /// May be null.
  std::shared_ptr<const mailbox_depth> depth{};
};

/// The SUPERVISOR actor interface: decides when a failed child is restarted, and when to give up;
/// ends the children in order.
using supervisor_actor = typed_actor<
  // A child is up.
  result<void>(child_started),
  // A child's handler threw.
  result<void>(child_failed),
  // A child's inside is built anew.
  result<void>(child_restarted),
  // How all children are.
  result<actor_tree>(get_actor_status),
  // End all children.
  result<stop_report>(stop_children),
  // To itself.
  result<void>(stop_overdue)>;

} // namespace herald
