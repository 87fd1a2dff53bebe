// A system in one of its futures.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "sim/tail/tail_counts.h"

namespace fluidbatch::sim {

struct Scenario;
struct System;

/// The state of a system in one of its futures, which can be forked at any event.
class Branch {
 public:
  Branch() = default;
  Branch(const Branch&) = delete;
  Branch& operator=(const Branch&) = delete;
  virtual ~Branch() = default;

  /// The next event of the core, or an arrival during a step: the sooner it splits the better.
  virtual void advance() = 0;
  /// Of the core, as it has them without splitting.
  [[nodiscard]] virtual std::uint64_t events() const = 0;
  [[nodiscard]] virtual std::uint64_t served() const = 0;
  [[nodiscard]] virtual bool is_empty() const = 0;
  /// As Importance and SiteImportance say.
  [[nodiscard]] virtual double importance_s() const = 0;
  /// One that goes on from here with draws of its own, those of the branch `number`.
  [[nodiscard]] virtual std::unique_ptr<Branch> fork(std::uint64_t number) const = 0;
};

/// Makes the first branch, at date 0, of a scenario that must outlive it; its requests are told to `counter`.
using MakeBranch = std::function<std::unique_ptr<Branch>(const Scenario& scenario, TailCounter& counter)>;

/// What makes branches of `system`, which is one of `scenario`'s.
MakeBranch branches_of(const Scenario& scenario, const System& system);

}  // namespace fluidbatch::sim
