#pragma once

#include <string_view>

#include <boost/asio/io_context.hpp>

namespace herald {

/// Runs a thread's steps until there are no more. One that throws is logged in the name of
/// `component`; what it was to do is not done, all others go on.
void run_guarded(boost::asio::io_context& io, std::string_view component);

} // namespace herald
