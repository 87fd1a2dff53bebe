// ONNX import: small models made here, and what is said of models that can't be imported.
#include <fstream>
#include <onnx/onnx_pb.h>

#include <catch2/catch.hpp>

#include "tests/support/run_helpers.h"
#include "workloads/network.h"
#include "workloads/onnx/onnx_import.h"

using namespace fluidbatch;
using Catch::Contains;

namespace {

/// Builds a model node by node; tensors without weights, as far as shapes go.
class Model {
 public:
  explicit Model(const std::vector<std::string>& input) {
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

  Model& weights(const std::string& name, const std::vector<std::int64_t>& dims) {
    auto* tensor = graph().add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(onnx::TensorProto::FLOAT);
    for (const std::int64_t dim : dims) tensor->add_dims(dim);
    return *this;
  }

  Model& integers(const std::string& name, const std::vector<std::int64_t>& values) {
    auto* tensor = graph().add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(onnx::TensorProto::INT64);
    tensor->add_dims(static_cast<std::int64_t>(values.size()));
    for (const std::int64_t value : values) tensor->add_int64_data(value);
    return *this;
  }

  Model& node(const std::string& op, const std::vector<std::string>& inputs,
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
      const bool scalar =
          name == "group" || name == "axis" || name == "ceil_mode" || name == "transB" || name == "keepdims";
      attribute->set_type(scalar ? onnx::AttributeProto::INT : onnx::AttributeProto::INTS);
      if (scalar) attribute->set_i(values.front());
      if (!scalar) {
        for (const std::int64_t value : values) attribute->add_ints(value);
      }
    }
    return *this;
  }

  Model& text_attribute(const std::string& name, const std::string& value) {
    auto* attribute = graph().mutable_node(graph().node_size() - 1)->add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::STRING);
    attribute->set_s(value);
    return *this;
  }

  io::Node import(workloads::OnnxImportOptions options = {}) {
    const std::string last = graph().node(graph().node_size() - 1).output(0);
    auto* output = graph().add_output();
    output->set_name(last);
    output->mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
    const test::TemporaryFolder folder;
    std::string bytes;
    model_.SerializeToString(&bytes);
    options.name = "n";
    return workloads::import_onnx(folder.write("m.onnx", bytes), options);
  }

  workloads::Network network(const workloads::OnnxImportOptions& options = {}) {
    return workloads::read_network(io::parse_yaml(io::to_yaml(import(options)), "n.yaml"), "n");
  }

 private:
  onnx::ModelProto model_;
};

}  // namespace

TEST_CASE("convolutions: groups, dilation, padding, open batch; the rest is fused", "[onnx]") {
  const workloads::Network network =
      Model({"N", "3", "16", "20"})
          .weights("w1", {8, 3, 3, 5})
          .weights("b1", {8})
          .weights("w2", {8, 1, 3, 3})
          .weights("w3", {12, 4, 3, 3})
          .weights("s", {8})
          .node("Conv", {"x", "w1", "b1"}, {"c1"}, {{"strides", {2, 1}}, {"pads", {1, 2, 1, 2}}})
          .node("BatchNormalization", {"c1", "s", "s", "s", "s"}, {"n1"})
          .node("Relu", {"n1"}, {"r1"})
          .node("Conv", {"r1", "w2"}, {"c2"}, {{"group", {8}}, {"dilations", {2, 2}}, {"pads", {2, 2, 2, 2}}})
          .node("Conv", {"c2", "w3"}, {"c3"}, {{"group", {2}}, {"pads", {0, 0, 1, 1}}})
          .network();
  REQUIRE(network.layers.size() == 3);
  CHECK(network.layers[0].gemm == npu::Gemm{.groups = 1, .r = 8 * 20, .p = 3 * 5 * 3, .c = 8});
  CHECK(network.layers[1].kind == npu::LayerKind::depthwise);
  CHECK(network.layers[1].gemm == npu::Gemm{.groups = 8, .r = 8 * 20, .p = 9, .c = 1});
  CHECK(network.layers[2].gemm == npu::Gemm{.groups = 2, .r = 7 * 19, .p = 9 * 4, .c = 6});
}

TEST_CASE("pooling that rounds up, automatic padding, global pooling, dense layers", "[onnx]") {
  const workloads::Network network =
      Model({"1", "4", "15", "15"})
          .weights("w1", {6, 4, 3, 3})
          .weights("w2", {10, 6})
          .weights("w3", {10, 7})
          .weights("b", {7})
          .node("MaxPool", {"x"}, {"p"}, {{"kernel_shape", {2, 2}}, {"strides", {2, 2}}, {"ceil_mode", {1}}})
          .node("Conv", {"p", "w1"}, {"c"}, {{"strides", {2, 2}}})
          .text_attribute("auto_pad", "SAME_UPPER")
          .node("ReduceMean", {"c"}, {"m"}, {{"axes", {2, 3}}, {"keepdims", {0}}})
          .node("Gemm", {"m", "w2"}, {"g"}, {{"transB", {1}}})
          .node("MatMul", {"g", "w3"}, {"d"})
          .node("Add", {"d", "b"}, {"a"})
          .network();
  REQUIRE(network.layers.size() == 3);
  CHECK(network.layers[0].gemm == npu::Gemm{.groups = 1, .r = 4 * 4, .p = 36, .c = 6});  // 15 -> 8 -> 4
  CHECK(network.layers[1].gemm == npu::Gemm{.groups = 1, .r = 1, .p = 6, .c = 10});
  CHECK(network.layers[2].gemm == npu::Gemm{.groups = 1, .r = 1, .p = 10, .c = 7});
  CHECK(network.fused.size() == 2);
}

TEST_CASE("dense blocks: normalisation before the convolution, concatenation", "[onnx]") {
  const workloads::Network network = Model({"1", "8", "6", "6"})
                                         .weights("s", {8})
                                         .weights("scale", {8, 1, 1})
                                         .weights("w", {4, 8, 3, 3})
                                         .weights("v", {5, 12, 1, 1})
                                         .node("BatchNormalization", {"x", "s", "s", "s", "s"}, {"n"})
                                         .node("Mul", {"n", "scale"}, {"k"})
                                         .node("Relu", {"k"}, {"r"})
                                         .node("Conv", {"r", "w"}, {"c"}, {{"pads", {1, 1, 1, 1}}})
                                         .node("Concat", {"x", "c"}, {"cat"}, {{"axis", {1}}})
                                         .node("Conv", {"cat", "v"}, {"d"})
                                         .network();
  REQUIRE(network.layers.size() == 2);
  CHECK(network.layers[1].gemm == npu::Gemm{.groups = 1, .r = 36, .p = 12, .c = 5});
}

TEST_CASE("channel shuffle and split are views; a swish is fused", "[onnx]") {
  const workloads::Network network =
      Model({"1", "12", "4", "4"})
          .weights("w", {12, 4, 1, 1})
          .weights("v", {6, 6, 1, 1})
          .integers("in", {1, 3, 4, 4, 4})
          .integers("out", {1, 12, 4, 4})
          .integers("halves", {6, 6})
          .node("Conv", {"x", "w"}, {"c"}, {{"group", {3}}})
          .node("Reshape", {"c", "in"}, {"s1"})
          .node("Transpose", {"s1"}, {"s2"}, {{"perm", {0, 2, 1, 3, 4}}})
          .node("Reshape", {"s2", "out"}, {"s3"})
          .node("Sigmoid", {"s3"}, {"gate"})
          .node("Mul", {"s3", "gate"}, {"swish"})
          .node("Split", {"swish", "halves"}, {"left", "right"}, {{"axis", {1}}})
          .node("Conv", {"left", "v"}, {"d"})
          .node("Concat", {"d", "right"}, {"cat"}, {{"axis", {1}}})
          .node("Add", {"cat", "swish"}, {"sum"})
          .network();
  REQUIRE(network.layers.size() == 2);
  CHECK(network.layers[0].gemm == npu::Gemm{.groups = 3, .r = 16, .p = 4, .c = 4});
  CHECK(network.layers[1].gemm == npu::Gemm{.groups = 1, .r = 16, .p = 6, .c = 6});
}

TEST_CASE("squeeze and excitation; a shape that is computed", "[onnx]") {
  const workloads::Network network = Model({"N", "8", "6", "6"})
                                         .weights("w", {8, 8, 1, 1})
                                         .weights("v", {10, 288})
                                         .integers("zero", {0})
                                         .integers("rest", {-1})
                                         .node("GlobalAveragePool", {"x"}, {"g"})
                                         .node("Conv", {"g", "w"}, {"c"})
                                         .node("Sigmoid", {"c"}, {"s"})
                                         .node("Mul", {"s", "x"}, {"m"})
                                         .node("Shape", {"m"}, {"sizes"})
                                         .node("Gather", {"sizes", "zero"}, {"batch"}, {{"axis", {0}}})
                                         .node("Concat", {"batch", "rest"}, {"target"}, {{"axis", {0}}})
                                         .node("Reshape", {"m", "target"}, {"flat"})
                                         .node("Gemm", {"flat", "v"}, {"d"}, {{"transB", {1}}})
                                         .network();
  REQUIRE(network.layers.size() == 2);
  CHECK(network.layers[1].gemm == npu::Gemm{.groups = 1, .r = 1, .p = 288, .c = 10});
}

TEST_CASE("a fixed batch is left out", "[onnx]") {
  const workloads::Network network = Model({"10", "3", "8", "8"})
                                         .weights("w", {4, 3, 3, 3})
                                         .weights("v", {5, 144})
                                         .integers("flat", {10, -1})
                                         .node("Conv", {"x", "w"}, {"c"})
                                         .node("Reshape", {"c", "flat"}, {"f"})
                                         .node("Gemm", {"f", "v"}, {"d"}, {{"transB", {1}}})
                                         .network();
  CHECK(network.layers[0].gemm.r == 36);
  CHECK(network.layers[1].gemm == npu::Gemm{.groups = 1, .r = 1, .p = 144, .c = 5});
}

TEST_CASE("early exits, and an input size that the model leaves open", "[onnx]") {
  Model model({"N", "3", "H", "W"});
  model.weights("w", {4, 3, 3, 3}).weights("v", {6, 4, 3, 3}).weights("u", {10, 6});
  model.node("Conv", {"x", "w"}, {"c"}).node("Relu", {"c"}, {"r"}).node("Conv", {"r", "v"}, {"d"});
  model.node("GlobalAveragePool", {"d"}, {"g"})
      .node("Flatten", {"g"}, {"f"})
      .node("Gemm", {"f", "u"}, {"out"}, {{"transB", {1}}});
  workloads::OnnxImportOptions options;
  options.height_width = {10, 12};
  options.exits_after = {"r"};
  const workloads::Network network = model.network(options);
  CHECK(network.exits == std::vector<std::string>{"exit1", "final"});
  CHECK(network.layers[0].gemm.r == 8 * 10);
  CHECK(network.layers[1].name == "exit1_a");
  CHECK(network.layers[1].gemm == npu::Gemm{.groups = 1, .r = 4 * 5, .p = 36, .c = 128});
  CHECK(network.layers[3].gemm == npu::Gemm{.groups = 1, .r = 1, .p = 128, .c = 10});  // as many classes
  CHECK(network.layers[4].segment == 1);
}

TEST_CASE("what can't be imported is named by node and operator", "[onnx]") {
  const auto model = [] { return Model({"1", "3", "8", "8"}); };
  CHECK_THROWS_WITH(model().weights("w", {3, 4, 2, 2}).node("ConvTranspose", {"x", "w"}, {"up"}).import(),
                    Contains("m.onnx: node 'up' (ConvTranspose): this operator is not supported"));
  CHECK_THROWS_WITH(model().weights("w", {4, 5, 3, 3}).node("Conv", {"x", "w"}, {"c"}).import(),
                    Contains("node 'c' (Conv)") && Contains("5 input channels, not 3"));
  CHECK_THROWS_WITH(model().node("MatMul", {"x", "x"}, {"m"}).import(),
                    Contains("node 'm' (MatMul): a product of two activations"));
  CHECK_THROWS_WITH(model().weights("w", {8, 5}).node("MatMul", {"x", "w"}, {"m"}).import(),
                    Contains("node 'm' (MatMul): its weights are for 8 words a sample, not 192"));
  CHECK_THROWS_WITH(model().node("Concat", {"x", "x"}, {"c"}, {{"axis", {2}}}).import(),
                    Contains("only channels"));
  CHECK_THROWS_WITH(model().node("ReduceMean", {"x"}, {"m"}, {{"axes", {1}}}).import(),
                    Contains("node 'm' (ReduceMean)"));
  CHECK_THROWS_WITH(model().integers("s", {3, -1}).node("Reshape", {"x", "s"}, {"f"}).import(),
                    Contains("node 'f' (Reshape): the first dimension of 'f' is not the batch (1)"));
  CHECK_THROWS_WITH(Model({"N", "3", "H", "W"}).node("Relu", {"x"}, {"r"}).import(), Contains("--input H,W"));
  Model two({"1", "3", "8", "8"});
  *two.graph().add_input() = two.graph().input(0);
  two.graph().mutable_input(1)->set_name("y");
  CHECK_THROWS_WITH(two.node("Add", {"x", "y"}, {"a"}).import(),
                    Contains("one input is supported") && Contains("'y'"));
  workloads::OnnxImportOptions options;
  options.exits_after = {"convv"};
  CHECK_THROWS_WITH(model().weights("w", {4, 3, 3, 3}).node("Conv", {"x", "w"}, {"conv"}).import(options),
                    Contains("no layer 'convv' (did you mean 'conv'?)"));
  const test::TemporaryFolder folder;
  CHECK_THROWS_WITH(workloads::import_onnx(folder.write("x.onnx", "no model"), {}),
                    Contains("not an ONNX model"));
  CHECK_THROWS_WITH(workloads::import_onnx("/no/such.onnx", {}), Contains("no such file"));
}
