// Commands about networks and NPUs.
#include <string_view>

#include "sim/cli/options.h"
#include "sim/models/npu_search.h"

namespace fluidbatch::sim::cli {
namespace {

void add_import(CLI::App& networks, NetworkImportArguments& arguments, int& exit_code) {
  CLI::App* command = networks.add_subcommand("import", "Turn an ONNX model into a network's YAML");
  command->add_option("model", arguments.model, "ONNX file, with or without weights")
      ->required()
      ->type_name("MODEL");
  add_output(*command, "--out", arguments.out, "YAML file to write; must not exist yet")
      ->required()
      ->type_name("FILE");
  command->add_option("--exits", arguments.exits, "Layers to put an early exit after")
      ->delimiter(',')
      ->type_name("after=LAYER,..");
  command->add_option("--input", arguments.input, "Size of the input, where the model leaves it open")
      ->delimiter(',')
      ->expected(2)
      ->type_name("H,W")
      ->check(CLI::Range(1, 1 << 16));
  command->callback([&] { exit_code = cli::network_import(arguments); });
}

void add_network_and_npu(CLI::App& command, std::string& network, std::string& npu) {
  command.add_option("--network", network, "Shipped name or path of a YAML")->required()->type_name("N");
  command.add_option("--npu", npu, "Shipped name or path of a YAML")->required()->type_name("NPU");
}

void add_npu_table(CLI::App& npu, NpuTableArguments& arguments) {
  CLI::App* table = npu.add_subcommand("table", "Latency of each layer at each batch size");
  add_network_and_npu(*table, arguments.network, arguments.npu);
  table->add_option("--max-batch", arguments.max_batch, "Largest batch size")
      ->required()
      ->type_name("B")
      ->check(CLI::Range(1, 1024));
  table->add_option("--mode", arguments.mode, "Which batch policies may be chosen; default: r")
      ->type_name("MODE");
  add_formats(*table, arguments.csv, arguments.json, "A row per layer and batch size, with cycles and words");
  table->callback([&] { cli::npu_table(arguments); });
}

void add_npu_explain(CLI::App& npu, NpuExplainArguments& arguments) {
  CLI::App* explain =
      npu.add_subcommand("explain", "Why a layer runs as it does: all batch policies compared");
  add_network_and_npu(*explain, arguments.network, arguments.npu);
  explain->add_option("--layer", arguments.layer, "Name of the layer (network show)")
      ->required()
      ->type_name("L");
  explain->add_option("--batch", arguments.batch, "Batch size")
      ->required()
      ->type_name("B")
      ->check(CLI::Range(1, 1024));
  explain->add_option("--mode", arguments.mode, "Which may be chosen; default: fluid_stacked")
      ->type_name("MODE");
  explain->add_flag("--csv", arguments.csv, "As CSV");
  explain->callback([&] { cli::npu_explain(arguments); });
}

void add_npu_search(CLI::App& npu, NpuSearchArguments& arguments) {
  CLI::App* search = npu.add_subcommand("search", "The best tile sizes for a network on a board");
  search->add_option("--network", arguments.network, "Shipped name or path of a YAML")
      ->required()
      ->type_name("N");
  search->add_option("--board", arguments.board, "Shipped name or path of a YAML")
      ->required()
      ->type_name("BOARD");
  search->add_option("--batches", arguments.batches, "Batch sizes that count alike; default: 1,2,4,8")
      ->delimiter(',')
      ->type_name("B,..")
      ->check(CLI::Range(1, 1024));
  search->add_option("--mode", arguments.mode, "Which batch policies may be chosen; default: fluid_stacked")
      ->type_name("MODE");
  search->add_option("--t_r", arguments.t_r, "Row tiles to try; default: some 60 from 8 to 1024")
      ->delimiter(',')
      ->type_name("T_R,..")
      ->check(CLI::Range(1, 1 << 20));
  search->add_option("--t_p", arguments.t_p, "T_P to try; default: 4 to 96")
      ->delimiter(',')
      ->type_name("T_P,..")
      ->check(CLI::Range(1, 1 << 20));
  search->add_option("--t_c", arguments.t_c, "T_C to try; default: multiples of k_max that use most DSPs")
      ->delimiter(',')
      ->type_name("T_C,..")
      ->check(CLI::Range(1, 1 << 20));
  search->add_option("--k_max", arguments.k_max, "Largest stacking factor; default: 4")->type_name("K");
  search->add_option("--dsps-per-mac", arguments.dsps_per_mac, "Default: 1")
      ->type_name("N")
      ->check(CLI::Range(1, 64));
  search->add_option("--accumulator-bytes", arguments.accumulator_bytes, "Default: 4")
      ->type_name("N")
      ->check(CLI::Range(1, 16));
  for (const char* key : search_engine_keys()) {
    const bool energy = std::string_view(key) == "energy";
    search
        ->add_option_function<std::string>(
            std::string("--") + key,
            [&arguments, key](const std::string& text) { arguments.engine[key] = text; },
            energy ? "What operations take: as in an NPU's YAML, or the NPU that says it"
                   : "As in an NPU's YAML")
        ->type_name(energy ? "{..}|NPU" : "TEXT");
  }
  search
      ->add_option("--objective", arguments.objective,
                   "What is best: latency, energy or edp (energy x latency), per sample; default: latency")
      ->type_name("WORD");
  search->add_option("--top", arguments.top, "Designs to show besides the Pareto set; default: 10")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000));
  add_formats(*search, arguments.csv, arguments.json, "As CSV");
  add_output(*search, "--save", arguments.save, "Write the best design as an NPU's YAML")->type_name("FILE");
  search->callback([&] { cli::npu_search(arguments); });
}

void add_npu_fit(CLI::App& npu, NpuFitArguments& arguments) {
  CLI::App* fit = npu.add_subcommand("fit", "Parameters of an NPU from measured latencies of layers");
  fit->add_option(
         "--measured", arguments.measured,
         "A row per layer: cycles or latency_s, and the shape of a convolution (docs/configuration.md)")
      ->required()
      ->type_name("CSV");
  fit->add_option("--npu", arguments.npu, "The NPU to start from: shipped name or path of a YAML")
      ->required()
      ->type_name("NPU");
  fit->add_option("--free", arguments.free, "Numeric keys of the NPU to fit; the others stay")
      ->required()
      ->delimiter(',')
      ->type_name("KEY,..");
  fit->add_option("--network", arguments.network,
                  "Rows name layers of this network, in a column 'layer', instead of shapes")
      ->type_name("N");
  fit->add_option("--hold-out", arguments.hold_out,
                  "Rows with one of these values in this column are not fitted to, but reported on")
      ->type_name("COLUMN=VALUE,..");
  fit->add_option("--hold-out-every", arguments.hold_out_every, "The same of every N-th row")
      ->type_name("N")
      ->check(CLI::Range(2, 1'000'000));
  fit->add_option("--mode", arguments.mode, "Which batch policies may be chosen; default: fluid_stacked")
      ->type_name("MODE");
  add_output(*fit, "--out", arguments.out, "Write the fitted NPU's YAML; must not exist yet")
      ->type_name("FILE");
  fit->add_flag("--csv", arguments.csv, "As CSV: measured and modelled, a row per layer");
  fit->callback([&] { cli::npu_fit(arguments); });
}

}  // namespace

void add_networks(CLI::App& app, Arguments& arguments) {
  CLI::App* networks = app.add_subcommand("network", "Networks")->require_subcommand(1);
  networks->add_subcommand("list", "Shipped networks")->callback([] { network_list(); });
  CLI::App* show = networks->add_subcommand("show", "Layers, segments and exits of a network");
  show->add_option("name", arguments.network, "Shipped name or path of a YAML")
      ->required()
      ->type_name("NAME");
  show->add_flag("--csv", arguments.csv, "As CSV: layer,kind,groups,r,p,c,segment");
  show->callback([&] { cli::network_show(arguments.network, arguments.csv); });
  add_import(*networks, arguments.import, arguments.exit_code);
}

void add_npus(CLI::App& app, Arguments& arguments) {
  CLI::App* npu = app.add_subcommand("npu", "NPUs and their analytic model")->require_subcommand(1);
  npu->add_subcommand("list", "Shipped NPUs")->callback([] { npu_list(); });
  add_npu_table(*npu, arguments.table);
  add_npu_explain(*npu, arguments.explain);
  add_npu_search(*npu, arguments.search);
  add_npu_fit(*npu, arguments.fit);
}

}  // namespace fluidbatch::sim::cli
