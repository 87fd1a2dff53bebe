#include "sim/output/trace_events.h"

#include <array>
#include <fstream>
#include <string_view>
#include <system_error>

#include <fmt/format.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "workloads/io/input_error.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::sim {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 16;

void copy_part(const std::filesystem::path& part, OutputFile& to) {
  std::ifstream from(part, std::ios::binary);
  std::array<char, kPiece> piece{};
  while (from) {
    from.read(piece.data(), piece.size());
    to.write(std::string_view(piece.data(), static_cast<std::size_t>(from.gcount())));
  }
  if (!from.eof()) throw io::InputError(part.string() + ": can't be read");
}

void remove_part(const std::filesystem::path& part) {
  std::error_code error;
  if (!std::filesystem::remove(part, error)) {
    throw io::InputError(part.string() + ": can't be removed: " + error.message());
  }
}

}  // namespace

std::string microseconds(double seconds) { return io::shortest(seconds * 1e6); }

std::string quoted_json(const std::string& text) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer>(buffer).String(text.c_str(),
                                                            static_cast<rapidjson::SizeType>(text.size()));
  return {buffer.GetString(), buffer.GetSize()};
}

TraceEvents::TraceEvents(const std::filesystem::path& part, TraceProcess process)
    : file_(part), process_(process) {}

void TraceEvents::name_process(const std::string& name) {
  add(fmt::format(R"("ph":"M","name":"process_name","args":{{"name":{}}})", quoted_json(name)));
  add(fmt::format(R"("ph":"M","name":"process_sort_index","args":{{"sort_index":{}}})", process_.index));
}

void TraceEvents::name_track(int track, const std::string& name) {
  add(fmt::format(R"("ph":"M","tid":{},"name":"thread_name","args":{{"name":{}}})", track,
                  quoted_json(name)));
}

void TraceEvents::slice(int track, const std::string& name, double begin_s, double end_s,
                        const std::string& arguments, const char* colour) {
  const std::string painted = colour == nullptr ? "" : fmt::format(R"("cname":"{}",)", colour);
  add(fmt::format(R"("ph":"X","tid":{},"name":{},"ts":{},"dur":{},{}"args":{{{}}})", track, quoted_json(name),
                  microseconds(begin_s), microseconds(end_s - begin_s), painted, arguments));
}

void TraceEvents::counter(const std::string& name, double date_s, const char* series,
                          const std::string& value) {
  add(fmt::format(R"("ph":"C","name":{},"ts":{},"args":{{"{}":{}}})", quoted_json(name), microseconds(date_s),
                  series, value));
}

void TraceEvents::add(const std::string& fields) {
  const char* before = is_first_ ? "" : ",\n";
  buffer_ += fmt::format(R"({}{{"pid":{},{}}})", before, process_.pid(), fields);
  is_first_ = false;
  if (buffer_.size() < kPiece) return;
  file_.write(buffer_);
  buffer_.clear();
}

void TraceEvents::close() {
  file_.write(buffer_);
  file_.close();
}

void join_trace_events(const std::filesystem::path& file, const std::vector<std::filesystem::path>& parts,
                       TraceParts afterwards) {
  OutputFile joined(file);
  joined.write("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n");
  for (const std::filesystem::path& part : parts) {
    if (&part != &parts.front()) joined.write(",\n");
    copy_part(part, joined);
    if (afterwards == TraceParts::remove) remove_part(part);
  }
  joined.write("\n]}\n");
  joined.close();
}

}  // namespace fluidbatch::sim
