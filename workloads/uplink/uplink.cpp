#include "workloads/uplink/uplink.h"

#include <array>
#include <string>
#include <vector>

#include "workloads/io/names.h"

namespace fluidbatch::workloads {
namespace {

constexpr io::Range kLatencies_ms{.min = 0, .max = 1e12};

io::Range bandwidths(UplinkSpec::Model model) {
  io::Range range = io::Range::positive_or_infinite();
  range.finite = model == UplinkSpec::Model::simgrid;  // which has no link without a bandwidth
  return range;
}

}  // namespace

UplinkSpec make_uplink(const UplinkSpec& spec) {
  if (spec.model == UplinkSpec::Model::none) return {};
  io::require_in(bandwidths(spec.model), spec.access_point_bandwidth_bytes_per_s,
                 "the access point's bandwidth");
  io::require_in(kLatencies_ms.ms_to_s(), spec.latency_s, "the uplink's latency, in seconds,");
  io::require_in(kLatencies_ms.ms_to_s(), spec.answer_latency_s, "the answer's latency, in seconds,");
  return spec;
}

UplinkConfig read_uplink(io::MapReader& workload) {
  using Model = UplinkSpec::Model;
  static constexpr std::array kModels{io::Name{Model::none, "none"}, io::Name{Model::analytic, "analytic"},
                                      io::Name{Model::simgrid, "simgrid"}};
  UplinkConfig config;
  io::Node default_node = io::Node::map();
  default_node.put("model", io::Node::text("none"));
  io::MapReader reader(workload.has("uplink") ? workload.required("uplink") : default_node, "uplink",
                       {"model", "sample_bytes", "access_point_bandwidth_bytes_per_s",
                        "device_bandwidth_bytes_per_s", "latency_ms", "answer_latency_ms"});
  config.spec.model = io::read_name(reader, "model", kModels);
  const bool none = config.spec.model == Model::none;
  // With `none` all else may be there, so that one key switches the uplink on and off, and has no effect.
  if (!none || reader.has("sample_bytes")) {
    config.devices.sample_bytes = static_cast<double>(reader.integer("sample_bytes", 0, kMostSampleBytes));
  }
  if (!none || reader.has("access_point_bandwidth_bytes_per_s")) {
    config.spec.access_point_bandwidth_bytes_per_s =
        reader.number("access_point_bandwidth_bytes_per_s", bandwidths(config.spec.model));
  }
  config.devices.bandwidth_bytes_per_s =
      reader.number("device_bandwidth_bytes_per_s", io::Range::positive_or_infinite(),
                    std::numeric_limits<double>::infinity());
  config.spec.latency_s = reader.number("latency_ms", kLatencies_ms, 0) / 1000;
  config.spec.answer_latency_s = reader.number("answer_latency_ms", kLatencies_ms, 0) / 1000;
  if (none) config.spec.latency_s = config.spec.answer_latency_s = 0;
  workload.resolve("uplink", reader.resolved());
  return config;
}

}  // namespace fluidbatch::workloads
