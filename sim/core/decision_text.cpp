#include "sim/core/decision_text.h"

#include <array>
#include <charconv>

namespace fluidbatch::sim {
namespace {

/// The shortest text that reads back to the same double.
std::string text_of(double number) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  return {text.data(), end};
}

std::string what_is_asked(const scheduler::Decision& decision, const DecisionPlace& place) {
  using Action = scheduler::Decision::Action;
  const std::string samples =
      std::to_string(decision.samples) + " of " + std::to_string(place.queued) + " queued";
  const std::string room =
      (place.in_flight > 0 ? ", " + std::to_string(place.in_flight) + " in flight" : "") + ", max_batch " +
      std::to_string(place.max_batch);
  switch (decision.action) {
    case Action::go_on:
      return "go on";
    case Action::start:
      return "start " + samples + room;
    case Action::preempt:
      return "preempt with " + samples + room;
    case Action::drop:
      return "drop " + samples;
    case Action::wait_until:
      return "wait until t = " + text_of(decision.date_s);
  }
  return "?";
}

}  // namespace

std::string describe(const DecisionPlace& place) {
  return "policy '" + place.policy + "' at t = " + text_of(place.date_s);
}

std::string describe(const scheduler::Decision& decision, const DecisionPlace& place) {
  return describe(place) + " asked to " + what_is_asked(decision, place);
}

}  // namespace fluidbatch::sim
