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

/// How far an arrow begins and ends inside the time in which its request is served.
constexpr double kInside = 1e-3;

/// What tells requests apart; those that agree in all are served in the same slices.
std::array<double, 4> stay_of(const scheduler::Request& request) {
  return {request.arrival_s, request.start_s, request.completion_s, static_cast<double>(request.device)};
}

/// As in: " (faces, NPU 1)".
std::string in_brackets(const std::string& service, const std::string& npu) {
  if (service.empty() && npu.empty()) return "";
  return " (" + service + (service.empty() || npu.empty() ? "" : ", ") + npu + ")";
}

}  // namespace

Timeline::Timeline(const std::filesystem::path& part, TimelineShape shape, TimelineOptions options)
    : shape_(std::move(shape)),
      options_(std::move(options)),
      npus_(shape_.tables.size()),
      events_(part, shape_.process) {
  events_.name_process(shape_.system);
  for (std::size_t npu = 0; npu < npus_.size(); ++npu) add_npu(npu);
  if (!options_.followed.empty()) events_.name_track(npu_track(npus_.size()), "requests");
}

void Timeline::close() {
  for (std::size_t npu = 0; npu < npus_.size(); ++npu) batch_changes(npu, npus_[npu].slice_end_s, 0);
  for (const auto& [name, held] : held_) write_held(name, held);
  events_.close();
}

void Timeline::slice(int track, const std::string& name, double begin_s, double end_s,
                     const std::string& arguments) {
  if (shows(begin_s, end_s)) events_.slice(track, name, begin_s, end_s, arguments, lane().colour);
}

void Timeline::counter(const std::string& name, double date_s, const char* series, const std::string& value) {
  if (date_s > options_.to_s) return;
  if (date_s < options_.from_s) {
    held_[name] = {.series = series, .value = value};
    return;
  }
  if (const auto held = held_.extract(name)) write_held(held.key(), held.mapped());
  events_.counter(name, date_s, series, value);
}

void Timeline::write_held(const std::string& name, const HeldCounter& held) {
  events_.counter(name, options_.from_s, held.series, held.value);
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
  counter("queue" + lane().of, date_s, "requests", std::to_string(lane().queue));
}

void Timeline::batch_changes(std::size_t npu, double date_s, int batch) {
  if (npus_[npu].batch == batch) return;
  npus_[npu].batch = batch;
  const std::string number = shape_.npus.empty() ? "" : fmt::format("NPU {}", npu);
  counter("batch size" + in_brackets("", number), date_s, "samples", std::to_string(batch));
}

/// A slice of the NPU: its layers are served from begin_s on, what comes before them from from_s on.
void Timeline::served(double from_s, double begin_s, double end_s, int batch) {
  NpuState& npu = npus_[npu_];
  // Dates of one moment may differ in their last digits.
  if (begin_s > npu.slice_end_s + 1e-12 * begin_s) batch_changes(npu_, npu.slice_end_s, 0);
  batch_changes(npu_, begin_s, batch);
  npu.slice_begin_s = from_s;
  npu.slice_end_s = end_s;
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
  counter(fmt::format("threshold of exit {}{}", exit, lane().of), date_s, "threshold",
          io::shortest(threshold));
}

void Timeline::departed(const scheduler::Request& request) {
  if (request.dropped) {
    queue_changes(request.completion_s, -1);
    return;
  }
  --npus_[npu_].samples;
  const double inside_s = kInside * (request.completion_s - request.start_s);
  if (!options_.followed.empty() && request.start_s + inside_s >= npus_[npu_].slice_begin_s)
    in_one_slice_.insert(stay_of(request));
}

void Timeline::suspended(double date_s, const FbeRegisters& registers) {
  npus_[npu_].suspensions.push_back({date_s, registers});
}

void Timeline::end_suspension(double date_s) {
  const Suspension suspension = npus_[npu_].suspensions.back();
  npus_[npu_].suspensions.pop_back();
  const FbeRegisters& registers = suspension.registers;
  npus_[npu_].next_layer = registers.l_old;
  slice(waiting_track(),
        fmt::format("{}{} before {}", lane().slices, registers.b_old,
                    lane().table->layer(registers.l_old).name),
        suspension.begin_s, date_s,
        fmt::format(R"("B_old":{},"l_old":{})", registers.b_old, registers.l_old));
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
  slice(waiting_track(),
        fmt::format("{}{} parked before {}", lane().slices, stack.samples,
                    lane().table->layer(stack.next_layer).name),
        stack.begin_s, date_s,
        fmt::format(R"("samples":{},"next_layer":{})", stack.samples, stack.next_layer));
}

void Timeline::stepped(const Step& step) {
  const npu::BatchPolicyTable& table = *lane().table;
  npus_[npu_].next_layer = step.end_layer;
  // Whatever does not belong to layers comes first: the cost of a preemption.
  double begin_s =
      std::max(step.begin_s, step.end_s - table.latency_s(step.first_layer, step.end_layer, step.batch));
  double from_s = step.begin_s;
  int layer = step.first_layer;
  while (layer < step.end_layer) {
    const int segment = table.layer(layer).segment;
    const int end = std::min(step.end_layer, table.segment_begin(segment + 1));
    const double end_s =
        end == step.end_layer ? step.end_s : begin_s + table.latency_s(layer, end, step.batch);
    slice(npu_track(npu_), fmt::format("{}segment {} x {}", lane().slices, segment, step.batch), begin_s,
          end_s,
          fmt::format(R"("segment":{},"batch":{},"layers":{},"policies":{})", segment, step.batch,
                      quoted_json(table.layer(layer).name + " to " + table.layer(end - 1).name),
                      quoted_json(policies(table, layer, end, step.batch))));
    served(from_s, begin_s, end_s, step.batch);
    from_s = begin_s = end_s;
    layer = end;
  }
}

/// From the first slice of a request to its last, where these are two.
void Timeline::arrow(scheduler::RequestId id, const scheduler::Request& request) {
  // A little inside the slices that it joins, since those end where the next ones begin.
  const double inside_s = kInside * (request.completion_s - request.start_s);
  const double begin_s = request.start_s + inside_s;
  const double end_s = request.completion_s - inside_s;
  if (begin_s < options_.from_s || end_s > options_.to_s) return;
  const auto end_of_arrow = [&](const char* phase, double date_s) {
    events_.add(fmt::format(R"("ph":"{}","bp":"e","cat":"flow","id":{},"tid":{},"name":"request {}","ts":{})",
                            phase, shape_.process.id(id), npu_track(request.npu), id, microseconds(date_s)));
  };
  end_of_arrow("s", begin_s);
  end_of_arrow("f", end_s);
}

void Timeline::completed(scheduler::RequestId id, const scheduler::Request& request) {
  const bool in_one_slice = !in_one_slice_.extract(stay_of(request)).empty();
  const bool followed =
      std::any_of(options_.followed.begin(), options_.followed.end(),
                  [&](const RequestRange& range) { return id >= range.first && id <= range.last; });
  if (!followed || !shows(request.arrival_s, request.completion_s)) return;
  const int rows = npu_track(npus_.size());  // the track after those of all NPUs
  const auto span = [&](const char* phase, const std::string& name, double date_s) {
    events_.add(fmt::format(R"("ph":"{}","cat":"request","id":{},"tid":{},"name":{},"ts":{})", phase,
                            shape_.process.id(id), rows, quoted_json(name), microseconds(date_s)));
  };
  const std::string service =
      shape_.services.empty() ? "" : shape_.services[shape_.service_of_device[request.device]] + ", ";
  const std::string name =
      fmt::format("request {} ({}device {}, exit {})", id, service, request.device, request.exit);
  span("b", name, request.arrival_s);
  if (!request.dropped) {
    span("b", "served", request.start_s);
    span("e", "served", request.completion_s);
    if (!in_one_slice) arrow(id, request);
  }
  span("e", name, request.completion_s);
}

}  // namespace fluidbatch::sim
