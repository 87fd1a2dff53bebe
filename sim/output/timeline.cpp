#include "sim/output/timeline.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "workloads/io/text_number.h"

namespace fluidbatch::sim {
namespace {

/// Names of chrome://tracing for colours that can be told apart. More services than these share them; the
/// names of slices tell them apart in any case, and are what Perfetto colours by.
constexpr std::array<const char*, 8> kColours{
    "thread_state_running", "rail_response", "terrible", "rail_animation", "olive",
    "generic_work",         "bad",           "grey"};

/// The batch policies of some layers, equal neighbours once.
std::string policies(const npu::BatchPolicyTable& table, int first_layer, int end_layer, int batch) {
  const npu::ControlBlock* block = table.control_block();
  if (block == nullptr) return "measured";
  std::string text;
  for (int l = first_layer; l < end_layer; ++l) {
    const npu::BatchPolicy& policy = block->policy(l, batch);
    if (l > first_layer && policy == block->policy(l - 1, batch)) continue;
    text += fmt::format("{}{} <{},{},{}>", text.empty() ? "" : ", ", table.layer(l).name, policy.b_r,
                        policy.b_p, policy.k);
  }
  return text;
}

/// As in: " (faces, NPU 1)".
std::string in_brackets(const std::string& service, const std::string& npu) {
  if (service.empty() && npu.empty()) return "";
  return " (" + service + (service.empty() || npu.empty() ? "" : ", ") + npu + ")";
}

}  // namespace

Timeline::Timeline(const std::filesystem::path& file, TimelineShape shape, std::vector<RequestRange> followed)
    : shape_(std::move(shape)), followed_(std::move(followed)), npus_(shape_.tables.size()), events_(file) {
  for (std::size_t npu = 0; npu < npus_.size(); ++npu) add_npu(npu);
}

void Timeline::add_npu(std::size_t npu) {
  const bool several = !shape_.npus.empty();
  const std::string number = several ? fmt::format("NPU {}", npu) : "";
  const std::string track = several ? fmt::format("{} ({})", number, shape_.npus[npu]) : "NPU";
  events_.name_track(npu_track(npu), track);
  events_.name_track(npu_track(npu) + 1, (several ? number + ": " : "") + "suspended batches");
  for (std::size_t service = 0; service < services(); ++service) {
    const npu::BatchPolicyTable* table = shape_.tables[npu][service];
    const std::string name = shape_.services.empty() ? "" : shape_.services[service];
    lanes_.push_back({.table = table,
                      .of = in_brackets(name, number),
                      .slices = name.empty() ? "" : name + ": ",
                      .colour = name.empty() ? nullptr : kColours[service % kColours.size()],
                      .thresholds = std::vector<double>(static_cast<std::size_t>(table->segments()), -1)});
  }
}

void Timeline::turn_to(std::size_t npu, std::size_t service) {
  npu_ = npu;
  service_ = service;
}

void Timeline::queue_changes(double date_s, int by) {
  lane().queue += by;
  events_.counter("queue" + lane().of, date_s, "requests", std::to_string(lane().queue));
}

void Timeline::admitted(scheduler::RequestId /*id*/, const scheduler::Request& request) {
  queue_changes(request.arrival_s, 1);
}

void Timeline::started(double date_s, int samples, bool /*preempting*/) {
  queue_changes(date_s, -samples);
  npus_[npu_].samples += samples;
}

void Timeline::exit_decided(double date_s, int exit, double threshold) {
  double& written = lane().thresholds[static_cast<std::size_t>(exit)];
  if (written == threshold) return;
  written = threshold;
  events_.counter(fmt::format("threshold of exit {}{}", exit, lane().of), date_s, "threshold",
                  io::shortest(threshold));
}

void Timeline::departed(const scheduler::Request& request) {
  if (request.dropped) {
    queue_changes(request.completion_s, -1);
  } else {
    --npus_[npu_].samples;
  }
}

void Timeline::suspended(double date_s, const FbeRegisters& registers) {
  npus_[npu_].suspensions.push_back({date_s, registers});
}

void Timeline::end_suspension(double date_s) {
  const Suspension suspension = npus_[npu_].suspensions.back();
  npus_[npu_].suspensions.pop_back();
  const FbeRegisters& registers = suspension.registers;
  npus_[npu_].next_layer = registers.l_old;
  events_.slice(waiting_track(),
                fmt::format("{}{} before {}", lane().slices, registers.b_old,
                            lane().table->layer(registers.l_old).name),
                suspension.begin_s, date_s,
                fmt::format(R"("B_old":{},"l_old":{})", registers.b_old, registers.l_old), lane().colour);
}

void Timeline::parked(double date_s) {
  NpuState& npu = npus_[npu_];
  npu.parked.push_back({.begin_s = date_s, .samples = npu.samples, .next_layer = npu.next_layer});
  npu.samples = 0;
}

void Timeline::came_back(double date_s) {
  NpuState& npu = npus_[npu_];
  const ParkedStack stack = npu.parked.back();
  npu.parked.pop_back();
  npu.samples = stack.samples;
  npu.next_layer = stack.next_layer;
  events_.slice(waiting_track(),
                fmt::format("{}{} parked before {}", lane().slices, stack.samples,
                            lane().table->layer(stack.next_layer).name),
                stack.begin_s, date_s,
                fmt::format(R"("samples":{},"next_layer":{})", stack.samples, stack.next_layer),
                lane().colour);
}

void Timeline::stepped(const Step& step) {
  const npu::BatchPolicyTable& table = *lane().table;
  npus_[npu_].next_layer = step.end_layer;
  // Whatever does not belong to layers comes first: the cost of a preemption.
  double begin_s =
      std::max(step.begin_s, step.end_s - table.latency_s(step.first_layer, step.end_layer, step.batch));
  int layer = step.first_layer;
  while (layer < step.end_layer) {
    const int segment = table.layer(layer).segment;
    const int end = std::min(step.end_layer, table.segment_begin(segment + 1));
    const double end_s =
        end == step.end_layer ? step.end_s : begin_s + table.latency_s(layer, end, step.batch);
    events_.slice(npu_track(npu_), fmt::format("{}segment {} x {}", lane().slices, segment, step.batch),
                  begin_s, end_s,
                  fmt::format(R"("segment":{},"batch":{},"layers":{},"policies":{})", segment, step.batch,
                              quoted_json(table.layer(layer).name + " to " + table.layer(end - 1).name),
                              quoted_json(policies(table, layer, end, step.batch))),
                  lane().colour);
    begin_s = end_s;
    layer = end;
  }
}

void Timeline::completed(scheduler::RequestId id, const scheduler::Request& request) {
  const bool followed = std::any_of(followed_.begin(), followed_.end(), [&](const RequestRange& range) {
    return id >= range.first && id <= range.last;
  });
  if (!followed) return;
  const int rows = npu_track(npus_.size());  // the track after those of all NPUs
  const auto span = [&](const char* phase, const std::string& name, double date_s) {
    events_.add(fmt::format(R"("ph":"{}","cat":"request","id":{},"pid":1,"tid":{},"name":{},"ts":{})", phase,
                            id, rows, quoted_json(name), microseconds(date_s)));
  };
  const std::string service =
      shape_.services.empty() ? "" : shape_.services[shape_.service_of_device[request.device]] + ", ";
  const std::string name =
      fmt::format("request {} ({}device {}, exit {})", id, service, request.device, request.exit);
  span("b", name, request.arrival_s);
  if (!request.dropped) {
    span("b", "served", request.start_s);
    span("e", "served", request.completion_s);
    const auto arrow = [&](const char* phase, double date_s) {
      events_.add(fmt::format(
          R"("ph":"{}","bp":"e","cat":"flow","id":{},"pid":1,"tid":{},"name":"request {}","ts":{})", phase,
          id, npu_track(request.npu), id, microseconds(date_s)));
    };
    // A little inside the slices that it joins, since those end where the next ones begin.
    const double inside_s = 1e-3 * (request.completion_s - request.start_s);
    arrow("s", request.start_s + inside_s);
    arrow("f", request.completion_s - inside_s);
  }
  span("e", name, request.completion_s);
}

}  // namespace fluidbatch::sim
