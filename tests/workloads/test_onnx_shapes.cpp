// Sizes of ONNX tensors: thousands of random nodes against the inference of ONNX's own library.
#include <algorithm>
#include <onnx/shape_inference/implementation.h>
#include <random>

#include <catch2/catch.hpp>

#include "tests/workloads/test_onnx_model.h"
#include "workloads/models/onnx/onnx_graph.h"

using namespace fluidbatch;

namespace {

using Model = test::OnnxModel;
using Dims = std::vector<std::int64_t>;
using Attributes = std::vector<std::pair<std::string, Dims>>;

class Random {
 public:
  std::int64_t pick(std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(most - least + 1));
  }
  Dims list(std::size_t count, std::int64_t least, std::int64_t most) {
    Dims numbers(count);
    for (std::int64_t& number : numbers) number = pick(least, most);
    return numbers;
  }

 private:
  std::mt19937_64 engine_{20240917};
};

/// What the library infers for the last node's outputs; nothing where it refuses the model.
std::vector<Dims> library_says(onnx::ModelProto model) {
  try {
    onnx::shape_inference::InferShapes(model);
  } catch (const std::exception&) {
    return {};
  }
  std::vector<Dims> shapes;
  for (const std::string& name : model.graph().node(model.graph().node_size() - 1).output()) {
    const auto find = [&](const auto& values) {
      for (const auto& value : values) {
        if (value.name() != name || !value.type().tensor_type().has_shape()) continue;
        Dims dims;
        for (const auto& dim : value.type().tensor_type().shape().dim()) dims.push_back(dim.dim_value());
        shapes.push_back(dims);
      }
    };
    find(model.graph().output());
    find(model.graph().value_info());
  }
  return shapes;
}

std::vector<Dims> we_say(onnx::ModelProto& model) {
  const test::TemporaryFolder folder;
  std::string bytes;
  model.SerializeToString(&bytes);
  std::vector<Dims> shapes;
  try {
    const workloads::OnnxGraph graph(folder.write("m.onnx", bytes), {});
    for (const std::string& name : graph.nodes().back().outputs()) {
      if (const auto& dims = graph.tensor(name).dims) shapes.push_back(*dims);
    }
  } catch (const io::InputError&) {
    return {};
  }
  return shapes;
}

/// Compares one model. True where both infer something.
bool agree(Model& model) {
  onnx::ModelProto& proto = model.finished();
  const std::vector<Dims> library = library_says(proto);
  const std::vector<Dims> ours = we_say(proto);
  INFO(proto.graph().DebugString());
  if (library.empty() && ours.empty()) return false;
  REQUIRE(ours == library);
  return true;
}

Model image(const Dims& dims) {
  std::vector<std::string> sizes;
  for (const std::int64_t dim : dims) sizes.push_back(std::to_string(dim));
  return Model(sizes);
}

/// The share of the cases in which both infer something.
template <typename MakeModel>
double agreement(int cases, const MakeModel& make) {
  Random random;
  int inferred = 0;
  for (int i = 0; i < cases; ++i) {
    Model model = make(random);
    inferred += agree(model) ? 1 : 0;
  }
  return static_cast<double>(inferred) / cases;
}

}  // namespace

TEST_CASE("sizes of convolutions and pooling are those of ONNX's library", "[onnx]") {
  const double inferred = agreement(1500, [](Random& random) {
    Model model = image({1, 4, random.pick(7, 20), random.pick(7, 20)});
    const Dims kernel = random.list(2, 1, 4);
    Attributes attributes{{"strides", random.list(2, 1, 3)}};
    const std::int64_t kind = random.pick(0, 3);
    const bool automatic =
        kind != 3 && random.pick(0, 3) == 0;  // transposed: the library is at odds with ONNX
    if (!automatic)
      attributes.emplace_back("pads", random.list(4, 0, kernel[0] > 1 && kernel[1] > 1 ? 1 : 0));
    if (kind == 0 || kind == 3) attributes.emplace_back("dilations", random.list(2, 1, automatic ? 1 : 2));
    if (kind == 0) {
      model.weights("w", {6, 2, kernel[0], kernel[1]});
      attributes.emplace_back("group", Dims{2});
      model.node("Conv", {"x", "w"}, {"y"}, attributes);
    } else if (kind == 3) {
      model.weights("w", {4, 3, kernel[0], kernel[1]});
      if (random.pick(0, 1) == 0) attributes.emplace_back("group", Dims{2});
      model.node("ConvTranspose", {"x", "w"}, {"y"}, attributes);
    } else {
      attributes.emplace_back("kernel_shape", kernel);
      if (!automatic && random.pick(0, 1) == 0) attributes.emplace_back("ceil_mode", Dims{1});
      model.node(kind == 1 ? "MaxPool" : "AveragePool", {"x"}, {"y"}, attributes);
    }
    if (automatic) model.text_attribute("auto_pad", random.pick(0, 1) == 0 ? "SAME_UPPER" : "VALID");
    return model;
  });
  CHECK(inferred > 0.9);
}

TEST_CASE("sizes of parts, joints and rearranged tensors are those of ONNX's library", "[onnx]") {
  const double inferred = agreement(1500, [](Random& random) {
    const auto rank = static_cast<std::size_t>(random.pick(2, 4));
    const Dims dims = random.list(rank, 1, 9);
    Model model = image(dims);
    const std::int64_t axis =
        random.pick(-static_cast<std::int64_t>(rank), static_cast<std::int64_t>(rank) - 1);
    Dims order(rank);
    for (std::size_t i = 0; i < rank; ++i) order[i] = static_cast<std::int64_t>(i);
    std::rotate(order.begin(), order.begin() + random.pick(0, static_cast<std::int64_t>(rank) - 1),
                order.end());
    switch (random.pick(0, 9)) {
      case 0:
        model.integers("starts", random.list(1, -12, 12)).integers("ends", random.list(1, -12, 12));
        model.integers("axes", {axis})
            .integers("steps", {random.pick(0, 1) == 0 ? random.pick(1, 3) : random.pick(-3, -1)});
        return model.node("Slice", {"x", "starts", "ends", "axes", "steps"}, {"y"});
      case 1:
        return model.node("Concat", {"x", "x", "x"}, {"y"}, {{"axis", {axis}}});
      case 2:
        return model.node("Transpose", {"x"}, {"y"}, {{"perm", order}});
      case 3:
        model.integers("i", random.list(3, 0, 0));
        return model.node("Gather", {"x", "i"}, {"y"}, {{"axis", {axis}}});
      case 4:
        return model.node("Flatten", {"x"}, {"y"}, {{"axis", {axis}}});
      case 5:
        return model.node("ReduceMean", {"x"}, {"y"}, {{"axes", {axis}}, {"keepdims", {random.pick(0, 1)}}});
      case 6:
        model.integers("pads", random.list(2 * rank, 0, 3));
        return model.node("Pad", {"x", "pads"}, {"y"});
      case 7:
        model.integers("shape", {random.pick(1, 3), -1, random.pick(1, 3)});
        return model.node("Reshape", {"x", "shape"}, {"y"});
      case 8:
        model.integers("axes", random.pick(0, 1) == 0 ? Dims{axis} : Dims{2, 0});
        return model.node("Unsqueeze", {"x", "axes"}, {"y"});
      default:
        model.integers("repeats", random.list(rank, 1, 3));
        return model.node("Tile", {"x", "repeats"}, {"y"});
    }
  });
  CHECK(inferred > 0.7);
}

TEST_CASE("sizes of products and element-wise operators are those of ONNX's library", "[onnx]") {
  const double inferred = agreement(1000, [](Random& random) {
    const auto rank = static_cast<std::size_t>(random.pick(2, 4));
    Dims left = random.list(rank, 1, 5);
    Dims right = left;
    for (std::size_t i = 0; i + 2 < rank; ++i) {
      if (random.pick(0, 2) == 0) (random.pick(0, 1) == 0 ? left : right)[i] = 1;
    }
    Model model = image(left);
    if (random.pick(0, 1) == 0) {
      if (random.pick(0, 3) == 0) right.erase(right.begin());
      if (random.pick(0, 1) == 0) right.back() = 1;
      return model.weights("w", right).node(random.pick(0, 1) == 0 ? "Add" : "Max", {"x", "w"}, {"y"});
    }
    right[rank - 2] = left[rank - 1];
    right[rank - 1] = random.pick(1, 5);
    if (rank == 2 && random.pick(0, 1) == 0) return model.weights("w", right).node("Gemm", {"x", "w"}, {"y"});
    return model.weights("w", right).node("MatMul", {"x", "w"}, {"y"});
  });
  CHECK(inferred > 0.9);
}
