#include "sim/output/timeline.h"

#include <algorithm>

#include <fmt/format.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "workloads/io/text_number.h"

namespace fluidbatch::sim {
namespace {

constexpr int kNpu = 1;
constexpr int kSuspended = 2;

/// Trace events count in microseconds.
std::string microseconds(double seconds) { return io::shortest(seconds * 1e6); }

/// As a string of JSON, with its quotes: layers may be called anything.
std::string quoted(const std::string& text) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer>(buffer).String(text.c_str(),
                                                            static_cast<rapidjson::SizeType>(text.size()));
  return {buffer.GetString(), buffer.GetSize()};
}

std::string slice(int track, const std::string& name, double begin_s, double end_s,
                  const std::string& arguments) {
  return fmt::format(R"("ph":"X","pid":1,"tid":{},"name":{},"ts":{},"dur":{},"args":{{{}}})", track,
                     quoted(name), microseconds(begin_s), microseconds(end_s - begin_s), arguments);
}

std::string track_name(int track, const char* name) {
  return fmt::format(R"("ph":"M","pid":1,"tid":{},"name":"thread_name","args":{{"name":"{}"}})", track, name);
}

}  // namespace

Timeline::Timeline(const std::filesystem::path& file, const npu::BatchPolicyTable& table,
                   std::vector<RequestRange> followed)
    : file_(file),
      table_(table),
      followed_(std::move(followed)),
      thresholds_(static_cast<std::size_t>(table.segments()), -1),
      buffer_("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n") {
  event(track_name(kNpu, "NPU"));
  event(track_name(kSuspended, "suspended batches"));
}

void Timeline::event(const std::string& fields) {
  constexpr std::size_t kPiece = std::size_t{1} << 16;
  buffer_ += (first_event_ ? "{" : ",\n{") + fields + "}";
  first_event_ = false;
  if (buffer_.size() < kPiece) return;
  file_.write(buffer_);
  buffer_.clear();
}

void Timeline::close() {
  file_.write(buffer_ + "\n]}\n");
  file_.close();
}

void Timeline::queue_changes(double date_s, int by) {
  queue_ += by;
  event(fmt::format(R"("ph":"C","pid":1,"name":"queue","ts":{},"args":{{"requests":{}}})",
                    microseconds(date_s), queue_));
}

void Timeline::admitted(scheduler::RequestId /*id*/, const scheduler::Request& request) {
  queue_changes(request.arrival_s, 1);
}

void Timeline::started(double date_s, int samples, bool /*preempting*/) { queue_changes(date_s, -samples); }

void Timeline::exit_decided(double date_s, int exit, double threshold) {
  double& written = thresholds_[static_cast<std::size_t>(exit)];
  if (written == threshold) return;
  written = threshold;
  event(fmt::format(R"("ph":"C","pid":1,"name":"threshold of exit {}","ts":{},"args":{{"threshold":{}}})",
                    exit, microseconds(date_s), io::shortest(threshold)));
}

void Timeline::departed(const scheduler::Request& request) {
  if (request.dropped) queue_changes(request.completion_s, -1);
}

void Timeline::suspended(double date_s, const FbeRegisters& registers) {
  suspensions_.push_back({date_s, registers});
}

void Timeline::end_suspension(double date_s) {
  const Suspension suspension = suspensions_.back();
  suspensions_.pop_back();
  event(slice(
      kSuspended,
      fmt::format("{} before {}", suspension.registers.b_old, table_.layer(suspension.registers.l_old).name),
      suspension.begin_s, date_s,
      fmt::format(R"("B_old":{},"l_old":{})", suspension.registers.b_old, suspension.registers.l_old)));
}

/// The batch policies of some layers, equal neighbours once.
std::string Timeline::policies(int first_layer, int end_layer, int batch) const {
  const npu::ControlBlock* block = table_.control_block();
  if (block == nullptr) return "measured";
  std::string text;
  for (int l = first_layer; l < end_layer; ++l) {
    const npu::BatchPolicy& policy = block->policy(l, batch);
    if (l > first_layer && policy == block->policy(l - 1, batch)) continue;
    text += fmt::format("{}{} <{},{},{}>", text.empty() ? "" : ", ", table_.layer(l).name, policy.b_r,
                        policy.b_p, policy.k);
  }
  return text;
}

void Timeline::stepped(const Step& step) {
  // Whatever does not belong to layers comes first: the cost of a preemption.
  double begin_s =
      std::max(step.begin_s, step.end_s - table_.latency_s(step.first_layer, step.end_layer, step.batch));
  int layer = step.first_layer;
  while (layer < step.end_layer) {
    const int segment = table_.layer(layer).segment;
    const int end = std::min(step.end_layer, table_.segment_begin(segment + 1));
    const double end_s =
        end == step.end_layer ? step.end_s : begin_s + table_.latency_s(layer, end, step.batch);
    event(slice(kNpu, fmt::format("segment {} x {}", segment, step.batch), begin_s, end_s,
                fmt::format(R"("segment":{},"batch":{},"layers":{},"policies":{})", segment, step.batch,
                            quoted(table_.layer(layer).name + " to " + table_.layer(end - 1).name),
                            quoted(policies(layer, end, step.batch)))));
    begin_s = end_s;
    layer = end;
  }
}

void Timeline::completed(scheduler::RequestId id, const scheduler::Request& request) {
  const bool followed = std::any_of(followed_.begin(), followed_.end(), [&](const RequestRange& range) {
    return id >= range.first && id <= range.last;
  });
  if (!followed) return;
  const auto span = [&](const char* phase, const std::string& name, double date_s) {
    event(fmt::format(R"("ph":"{}","cat":"request","id":{},"pid":1,"tid":3,"name":"{}","ts":{})", phase, id,
                      name, microseconds(date_s)));
  };
  const std::string name = fmt::format("request {} (device {}, exit {})", id, request.device, request.exit);
  span("b", name, request.arrival_s);
  if (!request.dropped) {
    span("b", "served", request.start_s);
    span("e", "served", request.completion_s);
    const auto arrow = [&](const char* phase, double date_s) {
      event(fmt::format(
          R"("ph":"{}","bp":"e","cat":"flow","id":{},"pid":1,"tid":{},"name":"request {}","ts":{})", phase,
          id, kNpu, id, microseconds(date_s)));
    };
    // A little inside the slices that it joins, since those end where the next ones begin.
    const double inside_s = 1e-3 * (request.completion_s - request.start_s);
    arrow("s", request.start_s + inside_s);
    arrow("f", request.completion_s - inside_s);
  }
  span("e", name, request.completion_s);
}

}  // namespace fluidbatch::sim
