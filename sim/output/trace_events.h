// Chrome trace events, which Perfetto (ui.perfetto.dev) and chrome://tracing open, written while a run goes
// on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "sim/output/output_file.h"

namespace fluidbatch::sim {

/// As a string of JSON, with its quotes: layers may be called anything.
std::string quoted_json(const std::string& text);

/// One of the processes whose events are in one file.
struct TraceProcess {
  std::size_t index = 0;
  std::size_t of = 1;

  /// From 1, since viewers have meanings of their own for 0.
  [[nodiscard]] std::size_t pid() const { return index + 1; }
  /// Viewers join events of the same `id` wherever they are: this is another one in each process for any
  /// `number`, and of a single process the number itself.
  [[nodiscard]] std::uint64_t id(std::uint64_t number) const { return number * of + index; }
};

/// The events of one process, an event a line, which `join_trace_events` makes a part of a file of several.
/// Tracks are numbered from 1, dates are in seconds. All members throw io::InputError where the file can't be
/// written.
class TraceEvents {
 public:
  TraceEvents(const std::filesystem::path& part, TraceProcess process);

  /// What the viewer calls the process; it shows them in their order.
  void name_process(const std::string& name);
  /// What the viewer calls a track.
  void name_track(int track, const std::string& name);
  /// `arguments`: fields of JSON. `colour`: one of chrome://tracing's own names; without one the viewer
  /// chooses.
  void slice(int track, const std::string& name, double begin_s, double end_s, const std::string& arguments,
             const char* colour = nullptr);
  /// The value of a series of numbers from now on, as text.
  void counter(const std::string& name, double date_s, const char* series, const std::string& value);
  /// An event of any kind, as fields of JSON, without its `pid`.
  void add(const std::string& fields);

  /// Must be called at the end: only then is there a file.
  void close();

 private:
  OutputFile file_;
  TraceProcess process_;
  bool is_first_ = true;
  std::string buffer_;
};

/// Whether the parts of a file are still needed.
enum class TraceParts { keep, remove };

/// Writes the file that viewers open: the events of all parts, one part after the other, each of which is
/// removed, where that is wanted, when it has been copied. Throws io::InputError where a file can't be read
/// or written.
void join_trace_events(const std::filesystem::path& file, const std::vector<std::filesystem::path>& parts,
                       TraceParts afterwards);

/// Trace events count in microseconds.
std::string microseconds(double seconds);

}  // namespace fluidbatch::sim
