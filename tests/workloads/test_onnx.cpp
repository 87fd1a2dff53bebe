// ONNX import: small models made here, and what is said of models that can't be imported.
#include <catch2/catch.hpp>

#include "tests/workloads/test_onnx_model.h"

using namespace fluidbatch;
using Catch::Contains;

namespace {

using Model = test::OnnxModel;

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

TEST_CASE("early exits that make no sense are refused", "[onnx]") {
  const auto import = [](const std::vector<std::string>& after) {
    Model model({"1", "3", "8", "8"});
    model.weights("w", {4, 3, 3, 3}).weights("v", {6, 4, 3, 3});
    model.node("Conv", {"x", "w"}, {"first"}).node("Relu", {"first"}, {"r"}).node("Conv", {"r", "v"}, {"b"});
    model.node("Sigmoid", {"b"}, {"s"});
    workloads::OnnxImportOptions options;
    options.exits_after = after;
    return model.import(options);
  };
  CHECK(import({"first"}).find("exits")->items.size() == 1);
  CHECK_THROWS_WITH(import({"first", "first"}), Contains("--exits: 'first' appears twice"));
  CHECK_THROWS_WITH(import({"first", "r"}), Contains("--exits: 'r' and 'first' are one layer"));
  CHECK_THROWS_WITH(import({"b"}), Contains("--exits: nothing is computed after 'b'"));
  CHECK_THROWS_WITH(import({"s"}), Contains("nothing is computed after 's' (in layer 'b')"));
  CHECK_THROWS_WITH(import({"x"}), Contains("--exits: no layer computes 'x'"));
  CHECK_THROWS_WITH(import({"frist"}), Contains("no layer 'frist' (did you mean 'first'?)"));
}

TEST_CASE("an input size is for models that leave it open", "[onnx]") {
  workloads::OnnxImportOptions options;
  options.height_width = {32, 32};
  const auto model = [](const std::vector<std::string>& input) {
    return Model(input).weights("w", {4, 3, 3, 3}).node("Conv", {"x", "w"}, {"c"});
  };
  CHECK_THROWS_WITH(model({"1", "3", "16", "16"}).import(options),
                    Contains("--input 32,32: the model fixes the size of its input 'x' at 16 x 16"));
  CHECK(model({"1", "3", "32", "W"}).network(options).layers[0].gemm.r == 30 * 30);
  CHECK_THROWS_WITH(model({"1", "3", "H", "16"}).import(), Contains("is open; give it with --input H,W"));
}

TEST_CASE("what can't be imported is named by node and operator", "[onnx]") {
  const auto model = [] { return Model({"1", "3", "8", "8"}); };
  CHECK_THROWS_WITH(model().node("LSTM", {"x"}, {"l"}).import(),
                    Contains("m.onnx: node 'l' (LSTM): this operator is not supported"));
  CHECK_THROWS_WITH(model().weights("w", {4, 5, 3, 3}).node("Conv", {"x", "w"}, {"c"}).import(),
                    Contains("node 'c' (Conv)") && Contains("5 input channels, not 3"));
  CHECK_THROWS_WITH(model().weights("w", {7, 5}).node("MatMul", {"x", "w"}, {"m"}).import(),
                    Contains("node 'm' (MatMul): it multiplies rows of 8 by columns of 7"));
  CHECK_THROWS_WITH(model().node("Relu", {"x"}, {"r"}).import(),
                    Contains("m.onnx: the model has no convolution and no matrix product"));
  CHECK_THROWS_WITH(model().integers("s", {5, -1}).node("Reshape", {"x", "s"}, {"f"}).import(),
                    Contains("node 'f' (Reshape): its shape does not have the words of its input"));
  CHECK_THROWS_WITH(model().node("Relu", {"later"}, {"r"}).import(),
                    Contains("node 'r' (Relu): its input 'later' comes from nowhere"));
  Model two({"1", "3", "8", "8"});
  *two.graph().add_input() = two.graph().input(0);
  two.graph().mutable_input(1)->set_name("y");
  CHECK_THROWS_WITH(two.node("Add", {"x", "y"}, {"a"}).import(),
                    Contains("one input is supported") && Contains("'y'"));
  const test::TemporaryFolder folder;
  CHECK_THROWS_WITH(workloads::import_onnx(folder.write("x.onnx", "no model"), {}),
                    Contains("not an ONNX model"));
  CHECK_THROWS_WITH(workloads::import_onnx("/no/such.onnx", {}), Contains("no such file"));
}
