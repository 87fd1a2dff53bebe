// requests.csv: a row per request, in order of request number.
#pragma once

#include <string>

#include "scheduler/request.h"
#include "scheduler/slo.h"

namespace fluidbatch::sim {

/// The header line, with its line end.
std::string requests_csv_header();

/// Appends a completed request's row. Numbers are the shortest text that reads back to the same double.
void append_requests_csv_row(std::string& text, scheduler::RequestId id, const scheduler::Request& request,
                             const scheduler::Slo& slo);

}  // namespace fluidbatch::sim
