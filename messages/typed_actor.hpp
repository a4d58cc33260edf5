#pragma once

// caf/result.hpp uses this without including it.
#include <caf/make_message.hpp>

#include <caf/replies_to.hpp>
#include <caf/result.hpp>
#include <caf/typed_actor.hpp>

namespace herald {

using caf::result;

namespace detail {

template <class Signature>
struct caf_signature;

template <class... Out, class... In>
struct caf_signature<result<Out...>(In...)> {
  using type = typename caf::replies_to<In...>::template with<Out...>;
};

template <class... In>
struct caf_signature<result<void>(In...)> {
  using type = caf::reacts_to<In...>;
};

} // namespace detail

/// An actor interface in CAF 1.x spelling, `typed_actor<result<Out>(In), result<void>(In)>`, on the
/// CAF 0.17 of Debian 12. A later move to CAF 1.x replaces this file by an alias.
template <class... Signatures>
using typed_actor = caf::typed_actor<typename detail::caf_signature<Signatures>::type...>;

} // namespace herald
