// Chrome trace events, which Perfetto (ui.perfetto.dev) and chrome://tracing open, written while a run goes
// on.
#pragma once

#include <filesystem>
#include <string>

#include "sim/output/output_file.h"

namespace fluidbatch::sim {

/// As a string of JSON, with its quotes: layers may be called anything.
std::string quoted_json(const std::string& text);

/// A file of trace events, of one process. Tracks are numbered from 1, dates are in seconds. All members
/// throw io::InputError where the file can't be written.
class TraceEvents {
 public:
  explicit TraceEvents(const std::filesystem::path& file);

  /// What the viewer calls the process.
  void name_process(const std::string& name);
  /// What the viewer calls a track.
  void name_track(int track, const std::string& name);
  /// `arguments`: fields of JSON. `colour`: one of chrome://tracing's own names; without one the viewer
  /// chooses.
  void slice(int track, const std::string& name, double begin_s, double end_s, const std::string& arguments,
             const char* colour = nullptr);
  /// The value of a series of numbers from now on, as text.
  void counter(const std::string& name, double date_s, const char* series, const std::string& value);
  /// An event of any kind, as fields of JSON.
  void add(const std::string& fields);

  /// Must be called at the end: only then is there a file.
  void close();

 private:
  OutputFile file_;
  bool is_first_ = true;
  std::string buffer_;
};

/// Trace events count in microseconds.
std::string microseconds(double seconds);

}  // namespace fluidbatch::sim
