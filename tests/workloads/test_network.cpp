// Networks: published counts, shape inference by hand, exits and their segments, and wrong tables.
#include <catch2/catch.hpp>

#include "tests/support/examples.h"
#include "tests/support/run_helpers.h"
#include "workloads/models/network_file.h"

using namespace fluidbatch;
using Catch::Contains;

namespace {

workloads::Network network_of(const std::string& yaml) {
  const test::TemporaryFolder folder;
  return workloads::load_network(test::named(folder.write("n.yaml", yaml).string()));
}

int count(const workloads::Network& network, npu::LayerKind kind) {
  int n = 0;
  for (const npu::Layer& layer : network.layers) n += layer.kind == kind ? 1 : 0;
  return n;
}

const char* const kHead = "name: n\ninput: [8, 16, 16]\nlayers:\n";

}  // namespace

TEST_CASE("ResNet-50 has its published multiply-accumulates and weights", "[network]") {
  const workloads::Network network = test::shipped_network("resnet50");
  CHECK(network.macs() == 4'089'184'256);
  CHECK(network.weights() == 25'502'912);
  CHECK(count(network, npu::LayerKind::convolution) == 53);
  CHECK(count(network, npu::LayerKind::dense) == 1);
  CHECK(network.layers.size() == 54);
  CHECK(network.exit_count() == 1);
}

TEST_CASE("the other networks have theirs", "[network]") {
  // torchvision's tables of multiply-accumulates (GFLOPS there) and parameters. Parameters count, besides our
  // weights, two for each channel that is normalised (all convolutions but VGG's) and a bias for every other
  // one.
  struct Published {
    const char* name;
    double giga_macs;
    std::int64_t parameters;
    bool normalised;
  };
  for (const Published& p : {Published{"resnet18", 1.814, 11'689'512, true},
                             {"resnet50", 4.089, 25'557'032, true},
                             {"mobilenet_v2", 0.301, 3'504'872, true},
                             {"vgg16", 15.470, 138'357'544, false},
                             {"inception_v3", 5.713, 23'834'568, true}}) {
    const workloads::Network network = test::shipped_network(p.name);
    std::int64_t parameters = network.weights();
    for (const npu::Layer& layer : network.layers) {
      const bool normalised = p.normalised && layer.kind != npu::LayerKind::dense;
      parameters += (normalised ? 2 : 1) * layer.gemm.groups * layer.gemm.c;
    }
    INFO(p.name);
    CHECK(static_cast<double>(network.macs()) / 1e9 == Approx(p.giga_macs).margin(0.0005));
    CHECK(parameters == p.parameters);
    const workloads::Network early = test::shipped_network(std::string("ee_") + p.name);
    CHECK(early.exit_count() == 4);
    CHECK(early.layers.size() == network.layers.size() + 9);
  }
}

TEST_CASE("the early-exit ResNet-50 is ResNet-50 with three heads", "[network]") {
  const workloads::Network plain = test::shipped_network("resnet50");
  const workloads::Network network = test::shipped_network("ee_resnet50");
  CHECK(network.exits == std::vector<std::string>{"exit1", "exit2", "exit3", "final"});
  CHECK(network.layers.size() == 54 + 3 * 3);
  // Head of exit 1, on 256 channels at 56 x 56: two 3 x 3 convolutions to 128 channels at 28 x 28 and
  // 14 x 14, a dense layer of 128 x 1000; exit 2 on 512 at 28 x 28, exit 3 on 1024 at 14 x 14.
  const auto head = [](std::int64_t channels, std::int64_t extent) {
    const std::int64_t half = (extent + 1) / 2;
    const std::int64_t quarter = (half + 1) / 2;
    return half * half * 9 * channels * 128 + quarter * quarter * 9 * 128 * 128 + 128 * 1000;
  };
  CHECK(network.macs() == plain.macs() + head(256, 56) + head(512, 28) + head(1024, 14));
  // The backbone's layers are all there, in order, around the heads.
  std::size_t next = 0;
  for (const npu::Layer& layer : network.layers) {
    if (layer.name.starts_with("exit")) continue;
    CHECK(layer.name == plain.layers[next].name);
    CHECK(layer.gemm == plain.layers[next++].gemm);
  }
  CHECK(next == 54);
  // A segment ends in its exit's head.
  for (std::size_t i = 1; i < network.layers.size(); ++i) {
    const bool cut = network.layers[i - 1].segment != network.layers[i].segment;
    CHECK(cut == network.layers[i - 1].name.ends_with("_fc"));
  }
}

TEST_CASE("shapes by hand: strides, padding, groups, pooling, sums", "[network]") {
  const workloads::Network network = network_of(std::string(kHead) + R"(
  - {name: a, kind: conv, out_channels: 12, kernel: [3, 5], stride: [2, 1], padding: [1, 2], groups: 4}
  - {name: b, kind: conv, out_channels: 12, kernel: 3, padding: 1, groups: 12}
  - {name: c, kind: conv, from: input, out_channels: 12, stride: [2, 1]}
  - {name: s, kind: add, from: [b, c], fused: false}
  - {name: p, kind: pool, kernel: 3, stride: 2, fused: false}
  - {name: g, kind: global_pool}
  - {name: d, kind: dense, out_channels: 10}
)");
  REQUIRE(network.layers.size() == 6);
  CHECK(network.layers[0].gemm == npu::Gemm{.groups = 4, .r = 8 * 16, .p = 3 * 5 * 2, .c = 3});
  CHECK(network.layers[0].kind == npu::LayerKind::convolution);
  CHECK(network.layers[1].gemm == npu::Gemm{.groups = 12, .r = 8 * 16, .p = 9, .c = 1});
  CHECK(network.layers[1].kind == npu::LayerKind::depthwise);
  CHECK(network.layers[2].gemm == npu::Gemm{.groups = 1, .r = 8 * 16, .p = 8, .c = 12});
  CHECK(network.layers[3].mover_input_words == 2 * 12 * 8 * 16);
  CHECK(network.layers[3].mover_output_words == 12 * 8 * 16);
  CHECK(network.layers[4].mover_output_words == 12 * 3 * 7);
  CHECK(network.layers[4].useful_macs() == 0);
  CHECK(network.layers[5].gemm == npu::Gemm{.groups = 1, .r = 1, .p = 12, .c = 10});
  CHECK(network.fused == std::vector<std::string>{"g"});
  CHECK(network.input_words == 8 * 16 * 16);
}

TEST_CASE("shapes by hand: transposed convolutions, products of activations, resizing", "[network]") {
  const workloads::Network network = network_of(std::string(kHead) + R"(
  - {name: t, kind: conv_transpose, out_channels: 6, kernel: 3, stride: 2, padding: 1, output_padding: 1, groups: 2}
  - {name: r, kind: resize, size: [48, 16], fused: false}
  - {name: a, kind: view, from: input, shape: [8, 64, 4]}
  - {name: m, kind: matmul, from: [a, input], groups: 4, depth: 16}
  - {name: c, kind: conv, out_channels: 5}
  - {name: v, kind: view, shape: [1, 32, 1]}
  - {name: g, kind: mul, from: [c, v], fused: false}
)");
  REQUIRE(network.layers.size() == 5);
  CHECK(network.layers[0].gemm == npu::Gemm{.groups = 2, .r = 16 * 16, .p = 4, .c = 3 * 9});
  CHECK(network.layers[1].mover_input_words == 6 * 32 * 32);  // (16 - 1) 2 + 3 + 1 - 2
  CHECK(network.layers[1].mover_output_words == 6 * 48 * 16);
  CHECK(network.layers[2].gemm == npu::Gemm{.groups = 4, .r = 32, .p = 16, .c = 32});  // 2048 words / 64
  CHECK(network.layers[2].kind == npu::LayerKind::matmul);
  CHECK(network.layers[3].gemm == npu::Gemm{.groups = 1, .r = 32, .p = 4 * 32, .c = 5});
  CHECK(network.layers[4].mover_input_words == 5 * 32 + 32);
  CHECK(network.weights() == 2 * 4 * 27 + 128 * 5);
}

TEST_CASE("sizes that would overflow are refused", "[network]") {
  CHECK_THROWS_WITH(
      network_of(
          "name: n\ninput: [1048576, 32768, 32768]\nlayers: [{name: a, kind: dense, out_channels: 1}]\n"),
      Contains("n.yaml:2:8: a shape of more than 2^40 words"));
  CHECK_THROWS_WITH(
      network_of(
          "name: n\ninput: [1048576, 1024, 1024]\nlayers: [{name: a, kind: conv, out_channels: 1048576}]\n"),
      Contains("layer 'a' has more than 2^45 multiply-accumulates"));
  std::string growing = "name: n\ninput: [1, 1024, 1024]\nlayers:\n";
  for (const char* name : {"a", "b", "c"}) {
    growing += std::string("  - {name: ") + name + ", kind: conv_transpose, out_channels: 1, stride: 1024}\n";
  }
  CHECK_THROWS_WITH(network_of(growing), Contains("n.yaml:5:5: a shape of more than 2^40 words"));
}

TEST_CASE("wrong networks are refused where they are wrong", "[network]") {
  const auto refuses = [](const std::string& yaml, const char* message) {
    CHECK_THROWS_WITH(network_of(yaml), Contains(message));
  };
  const std::string head = kHead;
  const std::string conv = "  - {name: a, kind: conv, out_channels: 4}\n";
  refuses(head + "  - {name: a, kind: cnov, out_channels: 4}\n",
          "n.yaml:4:21: unknown layer kind 'cnov' (did you mean 'conv'?)");
  refuses(head + "  - {name: a, kind: conv, out_chanels: 4}\n",
          "unknown key 'out_chanels' (did you mean 'out_channels'?)");
  refuses(head + conv + conv, "n.yaml:5:12: two layers are called 'a'");
  refuses(head + "  - {name: a, kind: conv, out_channels: 4, from: b}\n", "no layer 'b' before this one");
  refuses(head + "  - {name: a, kind: conv, out_channels: 4, kernel: 17}\n", "does not fit an input of 16");
  refuses(head + "  - {name: a, kind: conv, out_channels: 4, groups: 3}\n", "groups (3) must divide");
  refuses(head + "  - {name: a, kind: conv, out_channels: 0}\n",
          "out_channels must be a whole number from 1");
  refuses(head + "  - {name: a, kind: conv, out_channels: 4, kernel: [3]}\n",
          "must be a number or [height, width]");
  refuses(head + conv + "  - {name: s, kind: add, from: [a, input]}\n",
          "this layer needs inputs of one shape");
  refuses(head + conv + "  - {name: s, kind: add, from: a}\n", "two or more layers");
  refuses(head + conv + "  - {name: s, kind: matmul, from: a, depth: 4}\n", "a product reads two layers");
  refuses(head + conv + "  - {name: s, kind: matmul, from: [a, input], depth: 3}\n",
          "1024 words don't make up matrices for 1 groups of depth 3");
  refuses(head + "  - {name: s, kind: resize, size: 4}\n", "size must be a list");
  refuses(head + "  - {name: s, kind: conv_transpose, out_channels: 4, padding: 8}\n", "leaves nothing");
  refuses(head + conv + "  - {name: s, kind: dense, out_channels: 4, from: [a, a]}\n", "exactly one layer");
  refuses("name: n\ninput: [8, 16]\nlayers:\n" + conv, "input must be [channels, height, width]");
  refuses("name: n\ninput: [8, 16, 16]\nlayers: []\n", "nothing runs");
  refuses("name: n\nbase: resnet5\n", "unknown name 'resnet5' (did you mean 'resnet50'?)");
  refuses("name: n\nbase: resnet50\nlayers:\n" + conv, "not both");
  const std::string exits =
      "exits:\n  - {name: e, after: b, head: [{name: h, kind: dense, out_channels: 4}]}\n";
  refuses(head + conv + exits, "n.yaml:6:22: no layer 'b' for it to follow");
  refuses(head + conv + "exits:\n  - {name: e, after: a, head: []}\n",
          "the head of an exit needs at least one layer, its classifier");
  refuses(head + conv + "exits:\n  - {name: e, after: a, haed: []}\n",
          "unknown key 'haed' (did you mean 'head'?)");
}
