// Drives a model that Verilator has made of npu_system, and plays its memory.
#pragma once

#include <cmath>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <verilated.h>

#include "tests/rtl/engine.h"

namespace fluidbatch::rtl {

/// Word `i` of a port: Verilator gives it an integer type up to 64 bits, and an array beyond.
template <typename Port>
void put(Port& port, std::int64_t i, std::uint16_t word) {
  if constexpr (std::is_integral_v<Port>) {
    const auto at = static_cast<unsigned>(16 * i);
    port = static_cast<Port>((port & ~(Port{0xffff} << at)) | (Port{word} << at));
  } else {
    const auto at = static_cast<unsigned>(16 * (i % 2));
    auto& pair = port[static_cast<std::size_t>(i / 2)];
    pair = (pair & ~(0xffffU << at)) | (static_cast<std::uint32_t>(word) << at);
  }
}

template <typename Port>
std::int16_t get(const Port& port, std::int64_t i) {
  if constexpr (std::is_integral_v<Port>) {
    return static_cast<std::int16_t>(port >> static_cast<unsigned>(16 * i));
  } else {
    return static_cast<std::int16_t>(port[static_cast<std::size_t>(i / 2)] >>
                                     static_cast<unsigned>(16 * (i % 2)));
  }
}

template <typename Model>
class VerilatedEngine : public Engine {
 public:
  explicit VerilatedEngine(EngineSize size) : size_(std::move(size)) {}

  [[nodiscard]] const EngineSize& size() const override { return size_; }

  Counters run(const ControlBlockWords& control, LayerData& data, std::int64_t most_cycles) override {
    write(control);
    model_.start = 1;
    cycle();
    model_.start = 0;
    for (std::int64_t cycles = 0;; ++cycles) {
      model_.clk = 0;
      model_.eval();
      if (model_.done) break;
      if (cycles == most_cycles) throw std::runtime_error("the engine does not end");
      serve(control, data);
      model_.clk = 1;
      model_.eval();
    }
    return counters();
  }

 private:
  static constexpr std::uint16_t kBeyondTheEdge = 0x7bcd;  // must not matter

  void cycle() {
    model_.clk = 0;
    model_.eval();
    model_.clk = 1;
    model_.eval();
  }

  [[nodiscard]] Counters counters() const {
    const auto count = [](std::uint64_t counter) { return static_cast<std::int64_t>(counter); };
    Counters counters{.cycles = count(model_.cycles),
                      .compute_cycles = count(model_.compute_cycles),
                      .input_words = count(model_.words_in),
                      .weight_words = count(model_.words_of_weights),
                      .output_words = count(model_.words_out),
                      .accesses = {.macs = count(model_.macs),
                                   .input_writes = count(model_.input_buffer_writes),
                                   .input_reads = count(model_.input_buffer_reads),
                                   .weight_writes = count(model_.weight_buffer_writes),
                                   .weight_reads = count(model_.weight_buffer_reads),
                                   .output_writes = count(model_.output_buffer_writes),
                                   .output_reads = count(model_.output_buffer_reads)}};
    counters.accesses.dram_words = counters.input_words + counters.weight_words + counters.output_words;
    return counters;
  }

  void write(const ControlBlockWords& control) {
    model_.groups = static_cast<std::uint16_t>(control.groups);
    model_.rows = static_cast<std::uint16_t>(control.rows);
    model_.depth = static_cast<std::uint16_t>(control.depth);
    model_.channels = static_cast<std::uint16_t>(control.channels);
    model_.blocks = static_cast<std::uint16_t>(control.blocks);
    model_.k_log2 = control.k == 4 ? 2 : control.k - 1;
    model_.keep_rows = control.keep_rows;
    model_.keep_weights = control.keep_weights;
    model_.blocks_inside = control.blocks_inside;
    model_.pad_rows = control.pad_rows;
    model_.input_places = static_cast<std::uint16_t>(control.input_places);
    model_.weight_places = static_cast<std::uint16_t>(control.weight_places);
    model_.fill_cycles = static_cast<std::uint16_t>(control.fill_cycles);
    model_.shift = static_cast<std::uint8_t>(control.shift);
    model_.unlimited = control.words_per_cycle == 0;
    model_.bandwidth = static_cast<std::uint32_t>(std::lround(control.words_per_cycle * 65536));
  }

  /// What crosses the channel in this cycle, before the clock's edge.
  void serve(const ControlBlockWords& control, LayerData& data) {
    if (model_.input_grant) load_inputs(data);
    if (model_.weight_grant) load_weights(control.k, data);
    if (!model_.output_grant) return;
    for (std::int64_t c = 0; c < model_.output_words; ++c) {
      data.store(model_.output_group, model_.output_block, model_.output_row, model_.output_channel0 + c,
                 get(model_.output_data, c * control.k));
    }
  }

  void load_inputs(const LayerData& data) {
    const Words& inputs = data.inputs(model_.input_group, model_.input_block);
    for (std::int64_t i = 0; i < size_.k_max * size_.t_p; ++i) {
      put(model_.input_data, i,
          i < model_.input_words
              ? static_cast<std::uint16_t>(inputs(model_.input_row, model_.input_depth0 + i))
              : kBeyondTheEdge);
    }
  }

  void load_weights(int k, const LayerData& data) {
    const Words& weights = data.weights(model_.weight_group);
    for (std::int64_t i = 0; i < size_.t_c * size_.t_p; ++i) {
      const std::int64_t column = i / (k * size_.t_p);
      const std::int64_t place = i % (k * size_.t_p);
      const bool real = column < model_.weight_channels && place < model_.weight_depth;
      put(model_.weight_data, i,
          real ? static_cast<std::uint16_t>(
                     weights(model_.weight_depth0 + place, model_.weight_channel0 + column))
               : kBeyondTheEdge);
    }
  }

  EngineSize size_;
  VerilatedContext context_;
  Model model_{&context_};
};

}  // namespace fluidbatch::rtl
