// ONNX files that are broken, mangled or meant to do harm: refused with a message, in bounded time and
// memory.
#include <chrono>
#include <random>

#include <catch2/catch.hpp>

#include "tests/workloads/test_onnx_model.h"

using namespace fluidbatch;
using Catch::Contains;

namespace {

using Model = test::OnnxModel;

Model image() { return Model({"1", "3", "8", "8"}); }

onnx::TensorProto& last_tensor(Model& model) {
  return *model.graph().mutable_initializer(model.graph().initializer_size() - 1);
}

onnx::NodeProto& last_node(Model& model) {
  return *model.graph().mutable_node(model.graph().node_size() - 1);
}

}  // namespace

TEST_CASE("tensors whose data is not what their sizes say", "[onnx]") {
  Model model = image();
  model.weights("w", {4, 3, 3, 3}).node("Conv", {"x", "w"}, {"c"});
  last_tensor(model).set_raw_data("12345678");
  CHECK_THROWS_WITH(model.import(), Contains("tensor 'w' has 8 bytes of data; its sizes make 432"));
  last_tensor(model).clear_raw_data();
  last_tensor(model).add_float_data(1);
  CHECK_THROWS_WITH(model.import(), Contains("tensor 'w' has 1 numbers; its sizes make 108"));
  last_tensor(model).clear_float_data();
  CHECK_NOTHROW(model.import());
  last_tensor(model).set_dims(0, -4);
  CHECK_THROWS_WITH(model.import(), Contains("tensor 'w' has a negative size"));
  last_tensor(model).set_dims(0, std::int64_t{1} << 62);
  CHECK_THROWS_WITH(model.import(), Contains("more than 2^40 numbers"));

  Model target = image();
  target.integers("s", {1, -1}).node("Reshape", {"x", "s"}, {"r"});
  last_tensor(target).clear_int64_data();
  last_tensor(target).set_raw_data("12345");
  CHECK_THROWS_WITH(target.import(), Contains("tensor 's' has 5 bytes of data; its sizes make 16"));
}

TEST_CASE("windows out of range", "[onnx]") {
  const auto conv = [](const std::string& attribute, const std::vector<std::int64_t>& values) {
    return image().weights("w", {4, 3, 3, 3}).node("Conv", {"x", "w"}, {"c"}, {{attribute, values}});
  };
  constexpr std::int64_t kHuge = std::int64_t{1} << 62;
  CHECK_THROWS_WITH(conv("strides", {0, 1}).import(),
                    Contains("node 'c' (Conv)") && Contains("sizes from 1"));
  CHECK_THROWS_WITH(conv("strides", {1, 1, 1}).import(), Contains("windows of one or two dimensions"));
  CHECK_THROWS_WITH(conv("dilations", {kHuge, kHuge}).import(), Contains("sizes from 1 to 1048576"));
  CHECK_THROWS_WITH(conv("dilations", {9, 9}).import(),
                    Contains("reaches over 19 does not fit an input of 8"));
  CHECK_THROWS_WITH(conv("pads", {-1, 0, 0, 0}).import(), Contains("its padding must have"));
  CHECK_THROWS_WITH(conv("pads", {kHuge, 0, 0, kHuge}).import(), Contains("its padding must have"));
  CHECK_THROWS_WITH(conv("group", {0}).import(), Contains("node 'c' (Conv)"));
  CHECK_THROWS_WITH(image().node("MaxPool", {"x"}, {"p"}).import(), Contains("node 'p' (MaxPool)"));
}

TEST_CASE("attributes of another type than the operator's", "[onnx]") {
  Model model = image();
  model.weights("w", {4, 3, 3, 3}).node("Conv", {"x", "w"}, {"c"}).text_attribute("strides", "11");
  CHECK_THROWS_WITH(model.import(), Contains("its attribute 'strides' has type STRING; it must be INTS"));
  Model lost = image();
  lost.node("Transpose", {"x"}, {"t"}, {{"perm", {0, 1, 2, 7}}});
  CHECK_THROWS_WITH(lost.import(), Contains("'perm' must name each dimension once"));
  CHECK_THROWS_WITH(image().node("Concat", {"x", "x"}, {"c"}, {{"axis", {9}}}).import(),
                    Contains("no axis 9"));
  CHECK_THROWS_WITH(image().node("Concat", {}, {"c"}, {{"axis", {0}}}).import(),
                    Contains("input 0 is missing"));
  Model headless = image();
  headless.node("Relu", {"x"}, {"r"});
  last_node(headless).clear_output();
  headless.graph().add_output()->set_name("r");
  CHECK_THROWS_WITH(headless.import(), Contains("it has no output"));
  Model twice = image();
  twice.node("Relu", {"x"}, {"r"}).node("Relu", {"x"}, {"r"});
  CHECK_THROWS_WITH(twice.import(), Contains("its output 'r' is defined twice"));
}

TEST_CASE("a branch to choose is refused, also where its condition is constant", "[onnx]") {
  Model model = image();
  model.integers("yes", {1}).weights("w", {4, 3, 3, 3}).node("If", {"yes"}, {"i"});
  auto* branch = last_node(model).add_attribute();
  branch->set_name("then_branch");
  branch->set_type(onnx::AttributeProto::GRAPH);
  branch->mutable_g()->set_name("b");
  CHECK_THROWS_WITH(model.node("Conv", {"i", "w"}, {"c"}).import(),
                    Contains("node 'i' (If): a subgraph ('then_branch') is not supported"));
}

TEST_CASE("a Reshape for another input size than the model's", "[onnx]") {
  const auto import = [](std::int64_t size) {
    Model model({"N", "3", "H", "W"});
    model.weights("w", {4, 3, 3, 3}).weights("v", {10, 144}).integers("flat", {1, 144});
    model.node("Conv", {"x", "w"}, {"c"}).node("Reshape", {"c", "flat"}, {"r"});
    model.node("Gemm", {"r", "v"}, {"d"}, {{"transB", {1}}});
    workloads::OnnxImportOptions options;
    options.height_width = {size, size};
    return model.import(options);
  };
  CHECK(import(8).find("layers")->items.size() == 2);
  CHECK_THROWS_WITH(import(9),
                    Contains("node 'r' (Reshape): its shape does not have the words of its input"));
}

TEST_CASE("tensors that grow without end", "[onnx]") {
  Model model = image();
  std::string last = "x";
  for (int i = 0; i < 60; ++i) {
    const std::string next = "c" + std::to_string(i);
    model.node("Concat", {last, last}, {next}, {{"axis", {1}}});
    last = next;
  }
  CHECK_THROWS_WITH(model.import(), Contains("(Concat): its output would have more than 2^40 words"));
  Model numbers = image();  // shapes that are computed: 2^28 numbers
  numbers.node("Shape", {"x"}, {"s"});
  last = "s";
  for (int i = 0; i < 28; ++i) {
    const std::string next = "n" + std::to_string(i);
    numbers.node("Concat", {last, last}, {next}, {{"axis", {0}}});
    last = next;
  }
  CHECK_THROWS_WITH(numbers.node("Reshape", {"x", last}, {"r"}).import(),
                    Contains("node 'r' (Reshape): the shape of 'r' can't be inferred"));
  Model deep = image();
  last = "x";
  deep.integers("first", {0});
  for (int i = 0; i < 20; ++i) {
    const std::string next = "u" + std::to_string(i);
    deep.node("Unsqueeze", {last, "first"}, {next});
    last = next;
  }
  CHECK_THROWS_WITH(deep.import(), Contains("(Unsqueeze)") && Contains("16 dimensions"));
  Model wide = image();
  wide.weights("w", {1 << 20, 1 << 20}).weights("v", {1 << 20, 1 << 20}).integers("s", {192, 1, 1});
  wide.weights("u", {1, 1 << 20});
  CHECK_THROWS_WITH(wide.node("Reshape", {"x", "s"}, {"r"})
                        .node("MatMul", {"r", "u"}, {"a"})
                        .node("MatMul", {"a", "w"}, {"b"})
                        .import(),
                    Contains("node 'b' (MatMul)") && Contains("more than 2^45 multiply-accumulates"));
}

TEST_CASE("a graph of 100,000 nodes is imported in linear time", "[onnx]") {
  Model model = image();
  model.weights("w", {3, 3, 3, 3}).integers("zero", {0}).integers("rest", {3, 8, 8});
  std::string last = "x";
  for (int i = 0; i < 100'000 / 6; ++i) {
    const auto name = [i](const char* part) { return part + std::to_string(i); };
    model.node("Conv", {last, "w"}, {name("c")}, {{"pads", {1, 1, 1, 1}}})
        .node("Shape", {name("c")}, {name("s")})
        .node("Gather", {name("s"), "zero"}, {name("b")}, {{"axis", {0}}})
        .node("Concat", {name("b"), "rest"}, {name("t")}, {{"axis", {0}}})
        .node("Reshape", {name("c"), name("t")}, {name("r")})
        .node("Relu", {name("r")}, {name("y")});
    last = name("y");
  }
  const auto begin = std::chrono::steady_clock::now();
  CHECK(model.import().find("layers")->items.size() == 100'000 / 6);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(60));
}

TEST_CASE("a mutated model is imported or refused, nothing else", "[onnx]") {
  Model model = image();
  model.weights("w", {4, 3, 3, 3}).weights("v", {8, 5}).integers("s", {1, 4, 64}).integers("axes", {-1});
  model.integers("starts", {1})
      .integers("ends", {9})
      .reals("scales", {1, 1, 2, 2})
      .weights("up", {4, 2, 2, 2});
  model.node("Conv", {"x", "w"}, {"c"}, {{"pads", {1, 1, 1, 1}}, {"strides", {1, 1}}})
      .node("Resize", {"c", "", "scales"}, {"l"})
      .node("Slice", {"l", "starts", "ends", "axes"}, {"p"})
      .node("Pad", {"p"}, {"q"}, {{"pads", {0, 0, 0, 0, 0, 0, 0, 0}}})
      .node("MaxPool", {"q"}, {"m"}, {{"kernel_shape", {2, 1}}, {"strides", {2, 1}}, {"ceil_mode", {1}}})
      .node("Transpose", {"m"}, {"t"}, {{"perm", {0, 1, 3, 2}}})
      .node("MatMul", {"m", "t"}, {"a"})
      .node("MatMul", {"a", "v"}, {"b"})
      .node("Reshape", {"m", "s"}, {"r"})
      .node("ReduceMean", {"r"}, {"e"}, {{"axes", {1}}, {"keepdims", {0}}})
      .node("ConvTranspose", {"c", "up"}, {"u"}, {{"strides", {2, 2}}})
      .node("Concat", {"u", "u"}, {"j"}, {{"axis", {1}}});
  std::string bytes;
  model.finished().SerializeToString(&bytes);
  std::mt19937_64 random(1);
  const test::TemporaryFolder folder;
  int refused = 0;
  int imported = 0;
  for (int i = 0; i < 1000; ++i) {
    std::string mutated = bytes;
    for (std::uint64_t changes = 1 + random() % 3; changes > 0; --changes) {
      const std::size_t place = random() % mutated.size();
      const char values[] = {
          0, 1, 2, 127, static_cast<char>(128), static_cast<char>(255), static_cast<char>(random())};
      if (random() % 8 == 0) {
        mutated.erase(place, 1 + random() % 4);
      } else {
        mutated[place] = values[random() % std::size(values)];
      }
    }
    try {
      workloads::import_onnx(folder.write("m.onnx", mutated), {});
      ++imported;
    } catch (const io::InputError&) {
      ++refused;
    }
  }
  CHECK(imported > 30);
  CHECK(refused > 30);
}
