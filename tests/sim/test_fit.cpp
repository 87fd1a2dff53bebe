// Fits of an NPU: the values that made a measurement are found again, closed forms, and hand-worked
// statistics.
#include <array>
#include <cmath>

#include <catch2/catch.hpp>

#include "sim/fit/accuracy.h"
#include "sim/fit/npu_fit.h"
#include "tests/support/examples.h"
#include "workloads/random.h"

using namespace fluidbatch;

namespace {

using sim::find_npu_key;
using sim::Fit;
using sim::FitSettings;
using sim::MeasuredLayer;

/// Every layer of a network at some batch sizes, "measured" by the model on `truth`, to be fitted from
/// `base`.
std::vector<MeasuredLayer> measurements(const npu::Npu& truth, const npu::Npu& base, sim::LatencyUnit unit) {
  std::vector<MeasuredLayer> rows;
  for (const npu::Layer& layer : test::shipped_network("resnet18").layers) {
    for (const int batch : {1, 3}) {
      MeasuredLayer row{.layer = layer, .batch = batch, .measured = 0, .npu = truth};
      row.measured = predict(row, npu::Mode::fluid_stacked, unit).modelled;
      row.npu = base;
      rows.push_back(row);
    }
  }
  return rows;
}

npu::Npu true_npu() {
  npu::Npu npu = test::small_npu();
  npu.input_bandwidth_bytes_per_s = npu.output_bandwidth_bytes_per_s = 1.3e9;
  npu.layer_overhead_cycles = 5000;
  npu.fill_cycles = 37;
  return npu;
}

FitSettings free_settings(std::initializer_list<const char*> names) {
  FitSettings settings;
  for (const char* name : names) settings.free.push_back(find_npu_key(name));
  return settings;
}

npu::Npu with(npu::Npu npu, const std::vector<const sim::NpuKey*>& keys, const std::vector<double>& values) {
  for (std::size_t k = 0; k < keys.size(); ++k) keys[k]->set(npu, values[k]);
  return npu;
}

/// A gaussian of sorts: the sum of twelve uniform draws less six.
double noise(workloads::RandomStream& random) {
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += random.uniform();
  return sum;
}

}  // namespace

TEST_CASE("a fit finds the values that made the measurements, from afar", "[fit]") {
  const FitSettings settings =
      free_settings({"bandwidth_bytes_per_s", "layer_overhead_cycles", "fill_cycles"});
  const std::array<std::vector<double>, 4> starts{
      {{0.8e9, 0, 0}, {20e9, 100'000, 4}, {0.05e9, 1, 1000}, {1.3e9, 5000, 37}}};
  for (const std::vector<double>& start : starts) {
    const npu::Npu base = with(test::small_npu(), settings.free, start);
    const Fit fit = sim::fit_npu(measurements(true_npu(), base, settings.unit), settings);
    CHECK(fit.values[0] == Approx(1.3e9).epsilon(0.01));
    CHECK(fit.values[1] == Approx(5000).epsilon(0.01));
    CHECK(fit.values[2] == Approx(37).epsilon(0.01));
    CHECK(fit.rms_log_error < 1e-4);
    CHECK(fit.rms_log_error <= fit.rms_log_error_at_start);
    CHECK(fit.matters == std::vector<bool>{true, true, true});
    CHECK(fit.at_limit == std::vector<bool>{false, false, false});
  }
}

TEST_CASE("who waits for a fit can end it, wherever it is", "[fit]") {
  const FitSettings settings = free_settings({"bandwidth_bytes_per_s"});
  const std::vector<MeasuredLayer> rows = measurements(true_npu(), test::small_npu(), settings.unit);
  int all = 0;
  const Fit fit = sim::fit_npu(rows, settings, [&] { ++all; });
  CHECK(fit.values == sim::fit_npu(rows, settings).values);
  for (int share = 1; share < 20; ++share) {  // on the grid, in the descents, which C has called, and later
    int left = all * share / 20;
    const auto poll = [&] {
      if (--left == 0) throw std::runtime_error("enough");
    };
    CHECK_THROWS_WITH(sim::fit_npu(rows, settings, poll), "enough");
    CHECK(left == 0);
  }
}

TEST_CASE("a fit to noisy measurements comes near, and no nearer than the truth is", "[fit]") {
  FitSettings settings = free_settings({"bandwidth_bytes_per_s", "layer_overhead_cycles", "fill_cycles"});
  std::vector<MeasuredLayer> rows = measurements(true_npu(), test::small_npu(), settings.unit);
  workloads::RandomStream random(1, "noise", 0);
  double truth = 0;
  for (MeasuredLayer& row : rows) {
    const double error = 0.01 * noise(random);
    row.measured *= std::exp(error);
    truth += error * error / static_cast<double>(rows.size());
  }
  const Fit fit = sim::fit_npu(rows, settings);
  CHECK(fit.values[0] == Approx(1.3e9).epsilon(0.01));
  CHECK(fit.values[1] == Approx(5000).epsilon(0.1));
  CHECK(fit.rms_log_error <= std::sqrt(truth));  // the truth is one of the candidates
  const Fit again = sim::fit_npu(rows, settings);
  CHECK(again.values == fit.values);
}

TEST_CASE("separate bandwidths and the clock are fitted to seconds", "[fit]") {
  FitSettings settings =
      free_settings({"input_bandwidth_bytes_per_s", "output_bandwidth_bytes_per_s", "clock_hz"});
  settings.unit = sim::LatencyUnit::seconds;
  npu::Npu base = test::small_npu();
  base.channel = npu::Channel::separate;
  npu::Npu truth = base;
  truth.clock_hz = 140e6;
  truth.input_bandwidth_bytes_per_s = 2.5e9;
  truth.output_bandwidth_bytes_per_s = 0.2e9;
  const Fit fit = sim::fit_npu(measurements(truth, base, settings.unit), settings);
  CHECK(fit.values[0] == Approx(2.5e9).epsilon(0.01));
  CHECK(fit.values[1] == Approx(0.2e9).epsilon(0.01));
  CHECK(fit.values[2] == Approx(140e6).epsilon(0.01));
}

TEST_CASE("an overhead that is all that is missing is found to the cycle", "[fit]") {
  const FitSettings settings = free_settings({"layer_overhead_cycles"});
  for (const double missing : {0.0, 1.0, 7.0, 123'456.0}) {
    std::vector<MeasuredLayer> rows = measurements(test::small_npu(), test::small_npu(), settings.unit);
    for (MeasuredLayer& row : rows) row.measured += missing;
    const Fit fit = sim::fit_npu(rows, settings);
    CHECK(fit.values == std::vector<double>{missing});
    CHECK(fit.rms_log_error < 1e-12);
    CHECK(fit.at_limit.front() == (missing == 0));
  }
}

TEST_CASE("one overhead for rows of unequal residuals: the least squares by hand", "[fit]") {
  // Two equal layers of x cycles, measured at x + a and x + b: the best overhead o has
  // log((x + o)^2 / ((x + a)(x + b))) = 0, the geometric mean.
  const FitSettings settings = free_settings({"layer_overhead_cycles"});
  const npu::Npu npu = test::small_npu();
  MeasuredLayer row{.layer = test::gemm_layer("l", {.groups = 1, .r = 128, .p = 32, .c = 64}),
                    .batch = 1,
                    .measured = 0,
                    .npu = npu};
  const double x = predict(row, settings.mode, settings.unit).modelled;
  std::vector<MeasuredLayer> rows(2, row);
  rows[0].measured = x + 10'000;
  rows[1].measured = x + 90'000;
  const double best = std::sqrt(rows[0].measured * rows[1].measured) - x;
  CHECK(sim::fit_npu(rows, settings).values[0] == std::round(best));
}

TEST_CASE("rows keep what differs between them, and a key that nothing depends on is said to be one",
          "[fit]") {
  FitSettings settings = free_settings({"bandwidth_bytes_per_s", "fill_cycles"});
  npu::Npu truth = true_npu();
  truth.fill_cycles = 0;
  std::vector<MeasuredLayer> rows;
  for (const std::int64_t overhead : {0, 1000, 50'000}) {
    truth.layer_overhead_cycles = overhead;
    npu::Npu base = truth;
    base.input_bandwidth_bytes_per_s = base.output_bandwidth_bytes_per_s = 9e9;
    for (const MeasuredLayer& row : measurements(truth, base, settings.unit)) rows.push_back(row);
  }
  const Fit fit = sim::fit_npu(rows, settings);
  CHECK(fit.values == std::vector<double>{1.3e9, 0});

  // With all compute hidden behind a slow channel no fill shows.
  npu::Npu slow = test::small_npu();
  slow.input_bandwidth_bytes_per_s = slow.output_bandwidth_bytes_per_s = 1e3;
  settings = free_settings({"fill_cycles"});
  CHECK_FALSE(sim::fit_npu(measurements(slow, slow, settings.unit), settings).matters.front());
}

TEST_CASE("a fit stays within its board and within what the chip must hold", "[fit]") {
  FitSettings settings = free_settings({"bandwidth_bytes_per_s", "on_chip_bytes"});
  settings.board = npu::Board{.name = "b",
                              .description = "",
                              .source = "",
                              .dsps = 1000,
                              .on_chip_bytes = 1 << 20,
                              .bandwidth_bytes_per_s = 1e9,
                              .clock_hz = 100e6};
  npu::Npu base = test::small_npu();
  base.residency.reset();
  base.on_chip_bytes = 1 << 18;
  npu::Npu truth = base;
  truth.input_bandwidth_bytes_per_s = truth.output_bandwidth_bytes_per_s = 4e9;
  const Fit fit = sim::fit_npu(measurements(truth, base, settings.unit), settings);
  CHECK(fit.values[0] <= 1e9);
  CHECK(fit.values[0] > 0.9e9);
  CHECK(fit.values[1] <= 1 << 20);
  CHECK_NOTHROW(npu::validate(with(base, settings.free, fit.values)));
  CHECK_NOTHROW(npu::require_fits(with(base, settings.free, fit.values), *settings.board));
}

TEST_CASE("rank correlation by hand", "[fit]") {
  using V = std::vector<double>;
  CHECK(sim::rank_correlation(V{1, 2, 3, 4}, V{10, 100, 1000, 1001}) == Approx(1));
  CHECK(sim::rank_correlation(V{1, 2, 3, 4}, V{4, 3, 2, -7}) == Approx(-1));
  // 1 - 6 sum d^2 / (n (n^2 - 1)), with d = 1, 1, 0, 2, 2.
  CHECK(sim::rank_correlation(V{1, 2, 3, 4, 5}, V{2, 1, 3, 6, 5.5}) == Approx(1 - 6 * 4.0 / 120));
  // Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: deviations -1.5, 0, 0, 1.5 and -1.5, -0.5, 0.5, 1.5.
  CHECK(sim::rank_correlation(V{1, 2, 2, 3}, V{1, 2, 3, 4}) == Approx(4.5 / std::sqrt(4.5 * 5)));
  CHECK(std::isnan(sim::rank_correlation(V{1, 1, 1}, V{1, 2, 3})));
  CHECK(std::isnan(sim::rank_correlation(V{1}, V{1})));
}

TEST_CASE("errors are relative to what was measured", "[fit]") {
  using V = std::vector<double>;
  const sim::Accuracy odd = sim::accuracy_of(V{100, 200, 400}, V{110, 100, 400});
  CHECK(odd.rows == 3);
  CHECK(odd.median_error == Approx(0.1));
  CHECK(odd.largest_error == Approx(0.5));
  CHECK(odd.rank_correlation == Approx(0.5));
  CHECK(sim::accuracy_of(V{100, 200}, V{110, 260}).median_error == Approx(0.2));
}
