// ONNX import: attention, tokens, and the other operators of recent networks, against hand-worked products.
#include <catch2/catch.hpp>

#include "tests/workloads/test_onnx_model.h"

using namespace fluidbatch;
using Catch::Contains;
using npu::Gemm;

namespace {

using Model = test::OnnxModel;

/// A LayerNorm over the last axis, as exporters before version 17 write it.
void layer_norm(Model& model, const std::string& input, const std::string& output) {
  const auto name = [&](const char* part) { return output + "_" + part; };
  model.node("ReduceMean", {input}, {name("mean")}, {{"axes", {-1}}})
      .node("Sub", {input, name("mean")}, {name("centred")})
      .node("Pow", {name("centred"), "two"}, {name("square")})
      .node("ReduceMean", {name("square")}, {name("variance")}, {{"axes", {-1}}})
      .node("Add", {name("variance"), "epsilon"}, {name("safe")})
      .node("Sqrt", {name("safe")}, {name("deviation")})
      .node("Div", {name("centred"), name("deviation")}, {name("normal")})
      .node("Mul", {name("normal"), "gain"}, {name("scaled")})
      .node("Add", {name("scaled"), "gain"}, {output});
}

/// A vision transformer's block: 3 heads of 4 over 5 x 5 patches and a class token; `batch` is that of the
/// input.
Model transformer(const std::string& batch) {
  Model model({batch, "3", "20", "20"});
  model.weights("patch", {12, 3, 4, 4}).weights("class", {1, 1, 12}).weights("places", {1, 26, 12});
  model.weights("two", {}).weights("epsilon", {}).weights("gain", {12}).weights("scale", {});
  model.weights("qkv", {12, 36}).weights("out", {12, 12}).weights("up", {12, 48}).weights("down", {48, 12});
  model.weights("fc", {10, 12}).integers("tokens", {0, 12, 25}).integers("heads", {0, 26, 3, 3, 4});
  model.integers("joined", {0, 26, 12}).integers("zero", {0});
  for (const char* index : {"0", "1", "2"}) {
    model.integers(index, {index[0] - '0'});
    model.graph().mutable_initializer(model.graph().initializer_size() - 1)->clear_dims();  // a scalar
  }
  model.node("Conv", {"x", "patch"}, {"p"}, {{"strides", {4, 4}}})
      .node("Reshape", {"p", "tokens"}, {"flat"})
      .node("Transpose", {"flat"}, {"rows"}, {{"perm", {0, 2, 1}}})
      .node("Concat", {"class", "rows"}, {"with_class"}, {{"axis", {1}}})
      .node("Add", {"with_class", "places"}, {"embedded"});
  layer_norm(model, "embedded", "norm1");
  model.node("MatMul", {"norm1", "qkv"}, {"all"})
      .node("Reshape", {"all", "heads"}, {"parts"})
      .node("Transpose", {"parts"}, {"by_part"}, {{"perm", {0, 2, 3, 1, 4}}});
  for (const auto& [part, index] : {std::pair{"q", "0"}, {"k", "1"}, {"v", "2"}}) {
    model.node("Gather", {"by_part", index}, {part}, {{"axis", {1}}});
  }
  model.node("Transpose", {"k"}, {"kt"}, {{"perm", {0, 1, 3, 2}}})
      .node("MatMul", {"q", "kt"}, {"scores"})
      .node("Mul", {"scores", "scale"}, {"scaled"})
      .node("Softmax", {"scaled"}, {"weights"}, {{"axis", {-1}}})
      .node("MatMul", {"weights", "v"}, {"mixed"})
      .node("Transpose", {"mixed"}, {"back"}, {{"perm", {0, 2, 1, 3}}})
      .node("Reshape", {"back", "joined"}, {"heads_joined"})
      .node("MatMul", {"heads_joined", "out"}, {"projected"})
      .node("Add", {"embedded", "projected"}, {"residual"});
  layer_norm(model, "residual", "norm2");
  model.node("MatMul", {"norm2", "up"}, {"u"})
      .node("Gelu", {"u"}, {"g"})
      .node("MatMul", {"g", "down"}, {"d"});
  model.node("Add", {"residual", "d"}, {"end"})
      .node("Gather", {"end", "0"}, {"token"}, {{"axis", {1}}})
      .node("Gemm", {"token", "fc"}, {"classes"}, {{"transB", {1}}});
  return model;
}

std::vector<Gemm> products(const workloads::Network& network) {
  std::vector<Gemm> gemms;
  for (const npu::Layer& layer : network.layers) gemms.push_back(layer.gemm);
  return gemms;
}

/// The products of a model of one node after a 1 x 1 convolution, which makes 12 x 6 x 6 of it.
std::vector<Gemm> after_convolution(Model& model) {
  std::vector<Gemm> gemms = products(model.network());
  REQUIRE(gemms.front() == Gemm{.groups = 1, .r = 36, .p = 8, .c = 12});
  gemms.erase(gemms.begin());
  return gemms;
}

Model convolution() {
  Model model({"1", "8", "6", "6"});
  model.weights("first", {12, 8, 1, 1}).node("Conv", {"x", "first"}, {"c"});
  return model;
}

}  // namespace

TEST_CASE("a transformer's block: rows are tokens, whatever the batch is", "[onnx]") {
  const std::vector<Gemm> expected{
      {.groups = 1, .r = 25, .p = 48, .c = 12},  // patches
      {.groups = 1, .r = 26, .p = 12, .c = 36},  // queries, keys and values of each token
      {.groups = 3, .r = 26, .p = 4, .c = 26},   // scores, for each head
      {.groups = 3, .r = 26, .p = 26, .c = 4},   // weighted values
      {.groups = 1, .r = 26, .p = 12, .c = 12},  // projection
      {.groups = 1, .r = 26, .p = 12, .c = 48},  // the two layers of the perceptron
      {.groups = 1, .r = 26, .p = 48, .c = 12},
      {.groups = 1, .r = 1, .p = 12, .c = 10}};  // the class token alone
  CHECK(products(transformer("N").network()) == expected);
  CHECK(products(transformer("1").network()) == expected);
  // 26 samples of 26 tokens: the class tokens of a fixed batch can't be joined to it, and this is said.
  CHECK_THROWS_WITH(transformer("26").import(),
                    Contains("node 'with_class' (Concat): its inputs differ along another axis"));
  const workloads::Network network = transformer("N").network();
  CHECK(network.layers[2].kind == npu::LayerKind::matmul);
  CHECK(network.layers[2].weights() == 0);
  CHECK(network.weights() == 48 * 12 + 12 * 36 + 12 * 12 + 2 * 12 * 48 + 12 * 10);
}

TEST_CASE("windows of tokens are taken out of the batch's dimension and put back", "[onnx]") {
  // 6 x 6 positions of 12 in 9 windows of 4, multiplied in each: as in a shifted-window transformer.
  Model model = convolution();
  model.integers("cut", {1, 12, 3, 2, 3, 2}).integers("windows", {9, 4, 12}).weights("w", {12, 24});
  model.node("Reshape", {"c", "cut"}, {"grid"})
      .node("Transpose", {"grid"}, {"order"}, {{"perm", {0, 2, 4, 3, 5, 1}}})
      .node("Reshape", {"order", "windows"}, {"rows"})
      .node("Transpose", {"rows"}, {"columns"}, {{"perm", {0, 2, 1}}})
      .node("MatMul", {"rows", "columns"}, {"scores"})
      .node("MatMul", {"rows", "w"}, {"wide"});
  CHECK(after_convolution(model) ==
        std::vector<Gemm>{{.groups = 9, .r = 4, .p = 12, .c = 4}, {.groups = 1, .r = 36, .p = 12, .c = 24}});
}

TEST_CASE("a fixed batch is never taken for tokens", "[onnx]") {
  const auto model = [] {
    Model made({"6", "4", "6"});  // six samples of four tokens of six
    made.weights("w", {6, 6}).node("MatMul", {"x", "w"}, {"m"});
    return made;
  };
  CHECK(products(model().network()) == std::vector<Gemm>{{.groups = 1, .r = 4, .p = 6, .c = 6}});
  CHECK(model().network().description == "one sample of the model's batch of 6");
  CHECK_THROWS_WITH(model().node("Transpose", {"m"}, {"t"}, {{"perm", {2, 1, 0}}}).import(),
                    Contains("node 't' (Transpose): it cuts, joins or moves the batch (6)"));
  CHECK_THROWS_WITH(model().node("ReduceMean", {"m"}, {"t"}, {{"axes", {0}}}).import(),
                    Contains("node 't' (ReduceMean): it cuts, joins or moves the batch (6)"));
  CHECK_THROWS_WITH(model().integers("rows", {24, 6}).node("Reshape", {"m", "rows"}, {"t"}).import(),
                    Contains("node 't' (Reshape): the first dimension of 't' is not the batch (6)"));
}

TEST_CASE("products of two operands: shared sides, Einsum, weights on the left", "[onnx]") {
  const auto product = [](const std::string& op, const std::vector<std::string>& inputs,
                          const std::string& equation = "") {
    Model model = convolution();
    model.integers("three", {1, 3, 4, 36}).integers("turned", {1, 3, 36, 4}).integers("one", {1, 1, 36, 12});
    model.weights("left", {5, 12}).weights("many", {3, 4, 7}).integers("plain", {1, 12, 36});
    model.node("Reshape", {"c", "three"}, {"a"}).node("Reshape", {"c", "turned"}, {"b"});
    model.node("Reshape", {"c", "one"}, {"shared"}).node("Reshape", {"c", "plain"}, {"columns"});
    model.node(op, inputs, {"y"});
    if (!equation.empty()) model.text_attribute("equation", equation);
    return after_convolution(model);
  };
  CHECK(product("MatMul", {"b", "a"}) == std::vector<Gemm>{{.groups = 3, .r = 36, .p = 4, .c = 36}});
  CHECK(product("MatMul", {"a", "shared"}) == std::vector<Gemm>{{.groups = 1, .r = 12, .p = 36, .c = 12}});
  CHECK(product("MatMul", {"left", "columns"}) == std::vector<Gemm>{{.groups = 1, .r = 36, .p = 12, .c = 5}});
  CHECK(product("MatMul", {"b", "many"}) == std::vector<Gemm>{{.groups = 3, .r = 36, .p = 4, .c = 7}});
  CHECK(product("Einsum", {"b", "b"}, "bhid,bhjd->bhij") ==
        std::vector<Gemm>{{.groups = 3, .r = 36, .p = 4, .c = 36}});
  CHECK(product("Einsum", {"b", "many"}, "bhid, hdk -> bihk") ==
        std::vector<Gemm>{{.groups = 3, .r = 36, .p = 4, .c = 7}});
  CHECK_THROWS_WITH(product("Einsum", {"b", "b"}, "bhii,bhjd->bhij"), Contains("found 'bhii'"));
  CHECK_THROWS_WITH(product("Einsum", {"b", "b"}, "bhid,bkjd->bhij"),
                    Contains("sums over one operand alone"));
  CHECK_THROWS_WITH(product("Einsum", {"b"}, "bhid->bih"), Contains("a batched matrix product such as"));
}

TEST_CASE("a transposed convolution is its GEMM: a kernel for each input position", "[onnx]") {
  const auto up = [](const std::vector<std::int64_t>& weights,
                     const std::vector<std::pair<std::string, std::vector<std::int64_t>>>& attributes) {
    Model model = convolution();
    model.weights("w", weights)
        .weights("next", {2, weights[1] * (weights[0] == 12 && weights[1] == 1 ? 12 : 1), 1, 1});
    model.node("ConvTranspose", {"c", "w"}, {"t"}, attributes).node("Conv", {"t", "next"}, {"n"});
    return after_convolution(model);
  };
  const std::vector<Gemm> doubled = up({12, 5, 4, 4}, {{"strides", {2, 2}}, {"pads", {1, 1, 1, 1}}});
  CHECK(doubled[0] == Gemm{.groups = 1, .r = 36, .p = 12, .c = 5 * 16});
  CHECK(doubled[1].r == 12 * 12);  // (6 - 1) 2 + 4 - 2
  const std::vector<Gemm> padded =
      up({12, 5, 3, 3}, {{"strides", {2, 2}}, {"pads", {1, 1, 1, 1}}, {"output_padding", {1, 1}}});
  CHECK(padded[1].r == 12 * 12);
  const std::vector<Gemm> wider = up({12, 5, 2, 2}, {{"strides", {2, 3}}, {"output_padding", {0, 1}}});
  CHECK(wider[1].r == 12 * 18);  // (6 - 1) 3 + 2 + 1
  const std::vector<Gemm> depthwise = up({12, 1, 2, 2}, {{"strides", {2, 2}}, {"group", {12}}});
  CHECK(depthwise[0] == Gemm{.groups = 12, .r = 36, .p = 1, .c = 4});
}

TEST_CASE("resizing, padding, parts of tensors and repeated ones", "[onnx]") {
  Model model = convolution();
  model.reals("twice", {1, 1, 2, 2}).integers("pads", {0, 0, 1, 0, 0, 0, 1, 2}).weights("v", {2, 12, 1, 1});
  model.integers("starts", {2, 1})
      .integers("ends", {1000, -1})
      .integers("axes", {2, 3})
      .integers("steps", {2, 1});
  model.weights("half", {3, 6, 1, 1}).weights("joint", {5, 4, 1, 1}).integers("shape", {1, 3, 6, 15});
  model.weights("per_channel", {7, 3, 1, 1});
  model.node("Resize", {"c", "", "twice"}, {"large"})
      .node("Pad", {"large", "pads"}, {"padded"})
      .node("Conv", {"padded", "v"}, {"a"})
      .node("Slice", {"padded", "starts", "ends", "axes", "steps"}, {"cut"})
      .node("Conv", {"cut", "v"}, {"b"})
      .node("Split", {"cut"}, {"left", "right"}, {{"axis", {1}}})
      .node("Conv", {"right", "half"}, {"d"})
      .node("ReduceMax", {"left"}, {"e"}, {{"axes", {1}}})
      .node("Concat", {"d", "e"}, {"joined"}, {{"axis", {1}}})
      .node("Conv", {"joined", "joint"}, {"f"})
      .node("ReduceMean", {"d"}, {"rows"}, {{"axes", {3}}})
      .node("Expand", {"rows", "shape"}, {"wide"})
      .node("Conv", {"wide", "per_channel"}, {"g"});
  CHECK(after_convolution(model) == std::vector<Gemm>{{.groups = 1, .r = 14 * 14, .p = 12, .c = 2},
                                                      {.groups = 1, .r = 6 * 12, .p = 12, .c = 2},
                                                      {.groups = 1, .r = 6 * 12, .p = 6, .c = 3},
                                                      {.groups = 1, .r = 6 * 12, .p = 4, .c = 5},
                                                      {.groups = 1, .r = 6 * 15, .p = 3, .c = 7}});
}

TEST_CASE("statistics over channels ride along; weights for each position and a segmentation's end",
          "[onnx]") {
  Model model = convolution();
  model.weights("spatial", {1, 2, 3, 3}).weights("v", {4, 12, 1, 1});
  model.node("ReduceMean", {"c"}, {"mean"}, {{"axes", {1}}})
      .node("ReduceMax", {"c"}, {"max"}, {{"axes", {1}}})
      .node("Concat", {"mean", "max"}, {"both"}, {{"axes", {1}}})
      .node("Conv", {"both", "spatial"}, {"map"}, {{"pads", {1, 1, 1, 1}}})
      .node("Sigmoid", {"map"}, {"gate"})
      .node("Mul", {"gate", "c"}, {"gated"})
      .node("Where", {"chosen", "gated", "c"}, {"w"})
      .node("Conv", {"w", "v"}, {"e"})
      .node("ArgMax", {"e"}, {"labels"}, {{"axis", {1}}});
  model.weights("chosen", {1, 12, 6, 6});
  CHECK(after_convolution(model) == std::vector<Gemm>{{.groups = 1, .r = 36, .p = 2 * 9, .c = 1},
                                                      {.groups = 1, .r = 36, .p = 12, .c = 4}});
}
