#pragma once

#include "http/server/router.hpp"

namespace herald {

/// `POST /api/testing/faults`: makes handlers of actors throw, see actors/supervision/faults.hpp.
/// `{"actor"?,"moment"?:"before"|"after"|"hang","count"?,"every"?,"seed"?}`. `GET` of the same: how
/// many are left, how many were thrown. Only the test binary has it.
void add_faults_routes(router& routes);

} // namespace herald
