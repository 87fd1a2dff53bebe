// ONNX models made in a test.
#pragma once

#include <cstdint>
#include <onnx/onnx_pb.h>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/run_helpers.h"
#include "workloads/models/network_file.h"
#include "workloads/models/onnx/onnx_import.h"

namespace fluidbatch::test {

/// Builds a model node by node; its weights come without their data.
class OnnxModel {
 public:
  explicit OnnxModel(const std::vector<std::string>& input) {
    model_.set_ir_version(8);
    model_.add_opset_import()->set_version(13);
    graph().set_name("g");
    auto* value = graph().add_input();
    value->set_name("x");
    auto* type = value->mutable_type()->mutable_tensor_type();
    type->set_elem_type(onnx::TensorProto::FLOAT);
    for (const std::string& dim : input) {
      auto* size = type->mutable_shape()->add_dim();
      if (dim.find_first_not_of("0123456789") == std::string::npos) {
        size->set_dim_value(std::stoll(dim));
      } else {
        size->set_dim_param(dim);
      }
    }
  }

  onnx::GraphProto& graph() { return *model_.mutable_graph(); }

  OnnxModel& weights(const std::string& name, const std::vector<std::int64_t>& dims) {
    auto* tensor = graph().add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(onnx::TensorProto::FLOAT);
    for (const std::int64_t dim : dims) tensor->add_dims(dim);
    return *this;
  }

  OnnxModel& integers(const std::string& name, const std::vector<std::int64_t>& values) {
    auto* tensor = graph().add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(onnx::TensorProto::INT64);
    tensor->add_dims(static_cast<std::int64_t>(values.size()));
    for (const std::int64_t value : values) tensor->add_int64_data(value);
    return *this;
  }

  OnnxModel& reals(const std::string& name, const std::vector<float>& values) {
    auto* tensor = graph().add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(onnx::TensorProto::FLOAT);
    tensor->add_dims(static_cast<std::int64_t>(values.size()));
    for (const float value : values) tensor->add_float_data(value);
    return *this;
  }

  OnnxModel& node(const std::string& op, const std::vector<std::string>& inputs,
                  const std::vector<std::string>& outputs,
                  const std::vector<std::pair<std::string, std::vector<std::int64_t>>>& attributes = {}) {
    auto* node = graph().add_node();
    node->set_op_type(op);
    node->set_name(outputs.front());
    for (const std::string& input : inputs) node->add_input(input);
    for (const std::string& output : outputs) node->add_output(output);
    for (const auto& [name, values] : attributes) {
      auto* attribute = node->add_attribute();
      attribute->set_name(name);
      static const std::set<std::string> kScalars{"group",  "axis",     "ceil_mode", "transA",
                                                  "transB", "keepdims", "blocksize", "to"};
      const bool scalar = kScalars.contains(name);
      attribute->set_type(scalar ? onnx::AttributeProto::INT : onnx::AttributeProto::INTS);
      if (scalar) attribute->set_i(values.front());
      if (!scalar) {
        for (const std::int64_t value : values) attribute->add_ints(value);
      }
    }
    return *this;
  }

  OnnxModel& text_attribute(const std::string& name, const std::string& value) {
    auto* attribute = graph().mutable_node(graph().node_size() - 1)->add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::STRING);
    attribute->set_s(value);
    return *this;
  }

  /// The last node's output becomes the graph's.
  onnx::ModelProto& finished() {
    if (graph().output_size() == 0) {
      auto* output = graph().add_output();
      output->set_name(graph().node(graph().node_size() - 1).output(0));
      output->mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
    }
    return model_;
  }

  io::Node import(workloads::OnnxImportOptions options = {}) {
    const test::TemporaryFolder folder;
    std::string bytes;
    finished().SerializeToString(&bytes);
    options.name = "n";
    return workloads::import_onnx(folder.write("m.onnx", bytes), options);
  }

  workloads::Network network(const workloads::OnnxImportOptions& options = {}) {
    return workloads::read_network(io::parse_yaml(io::to_yaml(import(options)), "n.yaml"), "n");
  }

 private:
  onnx::ModelProto model_;
};

}  // namespace fluidbatch::test
