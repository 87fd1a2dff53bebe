#include "sim/output/trace_events.h"

#include <fmt/format.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "workloads/io/text_number.h"

namespace fluidbatch::sim {

std::string microseconds(double seconds) { return io::shortest(seconds * 1e6); }

std::string quoted_json(const std::string& text) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer>(buffer).String(text.c_str(),
                                                            static_cast<rapidjson::SizeType>(text.size()));
  return {buffer.GetString(), buffer.GetSize()};
}

TraceEvents::TraceEvents(const std::filesystem::path& file)
    : file_(file), buffer_("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n") {}

void TraceEvents::name_process(const std::string& name) {
  add(fmt::format(R"("ph":"M","pid":1,"name":"process_name","args":{{"name":{}}})", quoted_json(name)));
}

void TraceEvents::name_track(int track, const std::string& name) {
  add(fmt::format(R"("ph":"M","pid":1,"tid":{},"name":"thread_name","args":{{"name":{}}})", track,
                  quoted_json(name)));
}

void TraceEvents::slice(int track, const std::string& name, double begin_s, double end_s,
                        const std::string& arguments, const char* colour) {
  const std::string painted = colour == nullptr ? "" : fmt::format(R"("cname":"{}",)", colour);
  add(fmt::format(R"("ph":"X","pid":1,"tid":{},"name":{},"ts":{},"dur":{},{}"args":{{{}}})", track,
                  quoted_json(name), microseconds(begin_s), microseconds(end_s - begin_s), painted,
                  arguments));
}

void TraceEvents::counter(const std::string& name, double date_s, const char* series,
                          const std::string& value) {
  add(fmt::format(R"("ph":"C","pid":1,"name":{},"ts":{},"args":{{"{}":{}}})", quoted_json(name),
                  microseconds(date_s), series, value));
}

void TraceEvents::add(const std::string& fields) {
  constexpr std::size_t kPiece = std::size_t{1} << 16;
  buffer_ += (is_first_ ? "{" : ",\n{") + fields + "}";
  is_first_ = false;
  if (buffer_.size() < kPiece) return;
  file_.write(buffer_);
  buffer_.clear();
}

void TraceEvents::close() {
  file_.write(buffer_ + "\n]}\n");
  file_.close();
}

}  // namespace fluidbatch::sim
