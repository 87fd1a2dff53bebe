#include "sim/output/requests_csv.h"

#include "workloads/io/text_number.h"

namespace fluidbatch::sim {

std::string requests_csv_header() {
  return "request,device,sent_s,arrival_s,start_s,completion_s,exit,correct,latency_s,end_to_end_s,queueing_"
         "s,"
         "suspended_s,executing_s,slo_met\n";
}

void append_requests_csv_row(std::string& text, scheduler::RequestId id, const scheduler::Request& request,
                             const scheduler::Slo& slo) {
  const auto number = [&text](double value) {
    io::append_shortest(text, value);
    text += ',';
  };
  const bool done = !request.dropped;  // a dropped one never started and was never done: empty cells
  const auto number_if_done = [&](double value) {
    if (done) return number(value);
    text += ',';
  };
  text += std::to_string(id) + ',' + std::to_string(request.device) + ',';
  number(request.sent_s);
  number(request.arrival_s);
  number_if_done(request.start_s);
  number_if_done(request.completion_s);
  text += std::to_string(request.exit) + ',';
  if (request.correct >= 0) text += request.correct == 1 ? '1' : '0';
  text += ',';
  number_if_done(request.completion_s - request.arrival_s);
  number_if_done(slo.end_to_end_s(request));
  number((done ? request.start_s : request.completion_s) - request.arrival_s);
  number_if_done(request.suspended_s);
  number_if_done(request.completion_s - request.start_s - request.suspended_s);
  text += done && !slo.is_missed_by(request) ? "1\n" : "0\n";
}

}  // namespace fluidbatch::sim
