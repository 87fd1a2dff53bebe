#include "sim/output/requests_csv.h"

#include "sim/recorder.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::sim {

std::string requests_csv_header() {
  return "request,device,arrival_s,start_s,completion_s,exit,latency_s,queueing_s,suspended_s,executing_s,"
         "slo_met\n";
}

void append_requests_csv_row(std::string& text, scheduler::RequestId id, const scheduler::Request& request,
                             double slo_s) {
  const auto number = [&text](double value) {
    io::append_shortest(text, value);
    text += ',';
  };
  text += std::to_string(id) + ',' + std::to_string(request.device) + ',';
  number(request.arrival_s);
  if (request.dropped) {  // never started, never done: the cells stay empty
    text += ",," + std::to_string(request.exit) + ",,";
    number(request.completion_s - request.arrival_s);
    text += ",,0\n";
    return;
  }
  const double latency_s = request.completion_s - request.arrival_s;
  number(request.start_s);
  number(request.completion_s);
  text += std::to_string(request.exit) + ',';
  number(latency_s);
  number(request.start_s - request.arrival_s);
  number(request.suspended_s);
  number(request.completion_s - request.start_s - request.suspended_s);
  text += is_late(latency_s, slo_s) ? "0\n" : "1\n";
}

}  // namespace fluidbatch::sim
