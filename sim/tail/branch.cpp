#include "sim/tail/branch.h"

#include <cmath>
#include <utility>
#include <vector>

#include "sim/core/server_impl.h"
#include "sim/core/site_impl.h"
#include "sim/run/site_parts.h"
#include "sim/run/system_parts.h"
#include "sim/scenario/scenario.h"
#include "sim/tail/importance.h"

namespace fluidbatch::sim {
namespace {

/// Of one service on one NPU.
class ServerBranch final : public Branch {
 public:
  ServerBranch(const Scenario& scenario, const System& system, TailCounter& counter, Importance& importance)
      : parts_(scenario, system, 1),
        counter_(counter),
        importance_(importance),
        server_(parts_.table(), parts_.options(), parts_.policy(), parts_.exit_source(), parts_.stream(),
                counter, nullptr) {}
  ServerBranch(const ServerBranch& other, std::uint64_t number)
      : parts_(other.parts_),
        counter_(other.counter_),
        importance_(other.importance_),
        server_(parts_.table(), parts_.options(), parts_.policy(), parts_.exit_source(), parts_.stream(),
                counter_, nullptr, other.server_.state()) {
    parts_.split(number);
    server_.restart_stream();
  }

  void advance() override {
    if (server_.admit_during_step()) return;
    server_.advance(server_.next_event_s());
    ++events_;
  }
  [[nodiscard]] std::uint64_t events() const override { return events_; }
  [[nodiscard]] std::uint64_t served() const override {
    const Conservation& conservation = server_.state().conservation;
    return conservation.completed + conservation.dropped;
  }
  [[nodiscard]] bool is_empty() const override { return server_.state().in_system == 0; }
  [[nodiscard]] double importance_s() const override { return importance_.of(server_.state()); }
  [[nodiscard]] std::unique_ptr<Branch> fork(std::uint64_t number) const override {
    return std::make_unique<ServerBranch>(*this, number);
  }

 private:
  SystemParts parts_;
  TailCounter& counter_;
  Importance& importance_;
  Server<TailCounter> server_;
  std::uint64_t events_ = 0;
};

/// Of any number of them.
class SiteBranch final : public Branch {
 public:
  SiteBranch(const Scenario& scenario, const System& system, TailCounter& counter, SiteImportance& importance)
      : parts_(scenario, system, 1), counter_(counter), importance_(importance), site_(core_parts()) {}
  SiteBranch(const SiteBranch& other, std::uint64_t number)
      : parts_(other.parts_),
        counter_(other.counter_),
        importance_(other.importance_),
        site_(core_parts(), other.site_.state()) {
    parts_.split(number);
    site_.split(number);
    site_.restart_stream();
  }

  void advance() override {
    site_.advance(site_.next_event_s());
    ++events_;
  }
  [[nodiscard]] std::uint64_t events() const override { return events_; }
  [[nodiscard]] std::uint64_t served() const override {
    return site_.state().admitted - static_cast<std::uint64_t>(site_.state().in_system);
  }
  [[nodiscard]] bool is_empty() const override { return site_.state().in_system == 0; }
  [[nodiscard]] double importance_s() const override { return importance_.of(site_.state()); }
  [[nodiscard]] std::unique_ptr<Branch> fork(std::uint64_t number) const override {
    return std::make_unique<SiteBranch>(*this, number);
  }

 private:
  [[nodiscard]] SiteCoreParts<TailCounter> core_parts() {
    const auto sink = [&](std::size_t, std::size_t) -> TailCounter& { return counter_; };
    return parts_.core_parts<TailCounter>(sink, nullptr);
  }

  SiteParts parts_;
  TailCounter& counter_;
  SiteImportance& importance_;
  Site<TailCounter> site_;
  std::uint64_t events_ = 0;
};

SiteImportance site_importance(const Scenario& scenario, const System& system) {
  const double least_s = scenario.least_slo_s();
  std::vector<std::vector<SiteImportance::ServiceOn>> services;
  for (const SystemNpu& npu : system.npus) {
    auto& of_npu = services.emplace_back();
    for (std::size_t s = 0; s < scenario.services.size(); ++s) {
      const scheduler::Slo& slo = scenario.services[s].slo;
      const double scale = std::isfinite(least_s) ? least_s / slo.latency_s : 1;
      of_npu.push_back({.table = npu.tables[s].get(), .slo = slo.of_server(), .scale = scale});
    }
  }
  return {std::move(services), system.max_batch()};
}

}  // namespace

MakeBranch branches_of(const Scenario& scenario, const System& system) {
  if (!scenario.is_site(system)) {
    const auto importance =
        std::make_shared<Importance>(*system.table(), scenario.service().slo.of_server(), system.max_batch());
    return [&system, importance](const Scenario& endless, TailCounter& counter) {
      return std::make_unique<ServerBranch>(endless, system, counter, *importance);
    };
  }
  const auto importance = std::make_shared<SiteImportance>(site_importance(scenario, system));
  return [&system, importance](const Scenario& endless, TailCounter& counter) {
    return std::make_unique<SiteBranch>(endless, system, counter, *importance);
  };
}

}  // namespace fluidbatch::sim
