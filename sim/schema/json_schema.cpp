#include "sim/schema/json_schema.h"

#include <algorithm>
#include <array>

#include "sim/config/model_cache.h"
#include "sim/config/run_config.h"
#include "sim/schema/probes.h"
#include "sim/schema/schema_text.h"
#include "sim/sweep/sweep_file.h"
#include "workloads/io/input_error.h"
#include "workloads/io/reading_record.h"
#include "workloads/models/network_file.h"
#include "workloads/models/npu_file.h"

namespace fluidbatch::sim {
namespace {

struct KindName {
  FileKind kind;
  const char* name;
  const char* title;
};
constexpr std::array kKinds{KindName{FileKind::run, "run", "The configuration of a run of fluidbatch"},
                            KindName{FileKind::sweep, "sweep", "A sweep of fluidbatch"},
                            KindName{FileKind::network, "network", "A network of fluidbatch"},
                            KindName{FileKind::npu, "npu", "An NPU of fluidbatch"},
                            KindName{FileKind::board, "board", "A board of fluidbatch"}};

void read(FileKind kind, const io::Node& document, ModelCache& cache) {
  switch (kind) {
    case FileKind::run:
      read_run_config(document, cache);
      break;
    case FileKind::sweep:
      read_sweep(document, [](io::Node& /*base*/) {});
      break;
    case FileKind::network:
      workloads::read_network(document, "probe");
      break;
    case FileKind::npu:
      workloads::read_npu(document);
      break;
    case FileKind::board:
      workloads::read_board(document, "probe");
      break;
  }
}

/// Adds what the reader of that kind asks of all probes.
void record_probes(FileKind kind, io::ReadingRecord& record) {
  ModelCache cache;
  for (const std::string& text : probes_of(kind)) {
    const io::Node document = io::parse_yaml(text, "probe");
    record.note(document, [&] {
      try {
        read(kind, document, cache);
      } catch (const io::InputError&) {
        // A probe's files are not good; what was asked until then counts.
      }
    });
  }
}

}  // namespace

const std::vector<std::string>& schema_kinds() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    all.reserve(kKinds.size());
    for (const KindName& kind : kKinds) all.emplace_back(kind.name);
    return all;
  }();
  return names;
}

FileKind schema_kind(const std::string& name) {
  for (const KindName& kind : kKinds) {
    if (kind.name == name) return kind.kind;
  }
  throw io::InputError("schema: " + io::unknown_word("kind of file", name, schema_kinds()));
}

std::string json_schema(FileKind kind) {
  io::ReadingRecord record;
  record_probes(kind, record);
  const auto found = std::ranges::find(kKinds, kind, &KindName::kind);
  return schema_text(kind, found->title, record);
}

}  // namespace fluidbatch::sim
