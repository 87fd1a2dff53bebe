#include "workloads/models/onnx/onnx_model.h"

#include <limits>
#include <onnx/onnx_pb.h>
#include <set>

#include "workloads/io/input_error.h"
#include "workloads/io/input_file.h"

namespace fluidbatch::workloads {
namespace {

using onnx::TensorProto;

constexpr int kMostNodes = 250'000;
constexpr std::size_t kMostDims = 16;

/// Bytes of an element in `raw_data`; 0 for types that have none, or that later versions of ONNX brought.
std::int64_t element_bytes(std::int32_t type) {
  switch (type) {
    case TensorProto::BOOL:
    case TensorProto::INT8:
    case TensorProto::UINT8:
      return 1;
    case TensorProto::INT16:
    case TensorProto::UINT16:
    case TensorProto::FLOAT16:
    case TensorProto::BFLOAT16:
      return 2;
    case TensorProto::FLOAT:
    case TensorProto::INT32:
    case TensorProto::UINT32:
      return 4;
    case TensorProto::DOUBLE:
    case TensorProto::INT64:
    case TensorProto::UINT64:
    case TensorProto::COMPLEX64:
      return 8;
    case TensorProto::COMPLEX128:
      return 16;
    default:
      return 0;
  }
}

void check_tensor(const std::string& where, const TensorProto& tensor) {
  const auto fail = [&](const std::string& message) {
    throw io::InputError(where + ": tensor '" + tensor.name() + "' " + message);
  };
  const std::int64_t words = words_of(dims_of(tensor));
  if (words < 0) fail("has a negative size, more than 16 dimensions, or more than 2^40 numbers");
  const auto raw_bytes = static_cast<std::int64_t>(tensor.raw_data().size());
  const std::int64_t bytes = words * element_bytes(tensor.data_type());
  if (raw_bytes > 0 && bytes > 0 && raw_bytes != bytes) {
    fail("has " + std::to_string(raw_bytes) + " bytes of data; its sizes make " + std::to_string(bytes));
  }
  const std::int64_t numbers =
      std::int64_t{tensor.int64_data_size()} + tensor.int32_data_size() + tensor.float_data_size();
  const bool whole_type =
      tensor.data_type() == TensorProto::INT64 || tensor.data_type() == TensorProto::INT32;
  if ((whole_type || tensor.data_type() == TensorProto::FLOAT) && numbers > 0 && numbers != words) {
    fail("has " + std::to_string(numbers) + " numbers; its sizes make " + std::to_string(words));
  }
}

void check_node(const std::string& file, const onnx::NodeProto& node) {
  const bool named = !node.name().empty() || node.output_size() == 0;
  const std::string where =
      file + ": node '" + (named ? node.name() : node.output(0)) + "' (" + node.op_type() + ")";
  if (node.output_size() == 0) throw io::InputError(where + ": it has no output");
  static const std::set<std::string> kDomains{"", "ai.onnx", "com.microsoft"};
  if (!kDomains.contains(node.domain())) {
    throw io::InputError(where + ": operators of domain '" + node.domain() + "' are not supported");
  }
  for (const auto& attribute : node.attribute()) {
    if (attribute.has_g() || attribute.graphs_size() > 0) {
      throw io::InputError(where + ": a subgraph ('" + attribute.name() +
                           "') is not supported; a network is one graph without branches to choose from");
    }
    if (attribute.has_t()) check_tensor(where, attribute.t());
  }
}

}  // namespace

std::int64_t words_of(const Dims& dims) {
  std::int64_t words = 1;
  bool empty = false;
  if (dims.size() > kMostDims) return -1;
  for (const std::int64_t dim : dims) {
    if (dim < 0 || dim > kMostWords) return -1;
    if (dim == 0) {
      empty = true;
    } else if (words > kMostWords / dim) {
      return -1;
    } else {
      words *= dim;
    }
  }
  return empty ? 0 : words;
}

Dims dims_of(const onnx::TensorProto& tensor) { return {tensor.dims().begin(), tensor.dims().end()}; }

std::unique_ptr<onnx::ModelProto> read_onnx_model(const std::filesystem::path& file) {
  constexpr std::uint64_t kMostBytes = std::numeric_limits<std::int32_t>::max();  // of a protobuf message
  auto model = std::make_unique<onnx::ModelProto>();
  const bool parsed = model->ParseFromString(io::read_file(file, kMostBytes));
  if (!parsed || !model->has_graph() || model->graph().node_size() == 0) {
    throw io::InputError(file.string() + ": not an ONNX model, or one without a node");
  }
  const onnx::GraphProto& graph = model->graph();
  if (graph.node_size() > kMostNodes) {
    throw io::InputError(file.string() + ": the model has " + std::to_string(graph.node_size()) +
                         " nodes; at most " + std::to_string(kMostNodes) + " are supported");
  }
  for (const TensorProto& tensor : graph.initializer()) check_tensor(file.string(), tensor);
  for (const onnx::NodeProto& node : graph.node()) check_node(file.string(), node);
  return model;
}

}  // namespace fluidbatch::workloads
