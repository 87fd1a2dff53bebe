// What the serving core of one system works with, as a value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "sim/core/server_options.h"
#include "sim/scenario/scenario.h"
#include "workloads/traffic/exit_source.h"
#include "workloads/traffic/request_stream.h"

namespace fluidbatch::sim {

/// What a server of `system` is told of a service.
ServerOptions server_options(const Scenario& scenario, const System& system, std::size_t service,
                             std::size_t read_ahead);

/// Policy, exit control and requests of one system in one run. A copy goes on from the same state.
class SystemParts {
 public:
  /// At date 0. `scenario` and `system` must outlive it; `read_ahead` as in ServerOptions. Requests come from
  /// `stream` or, where that is null, as the scenario says.
  SystemParts(const Scenario& scenario, const System& system, std::size_t read_ahead,
              std::unique_ptr<workloads::RequestStream> stream = nullptr);
  /// Throws std::logic_error where the stream can't be copied.
  SystemParts(const SystemParts& other);
  SystemParts& operator=(const SystemParts&) = delete;
  ~SystemParts() = default;

  [[nodiscard]] const npu::BatchPolicyTable& table() const { return *system_.table(); }
  [[nodiscard]] const ServerOptions& options() const { return options_; }
  [[nodiscard]] scheduler::Policy& policy() const { return *policy_; }
  [[nodiscard]] workloads::RequestStream& stream() const { return *stream_; }
  /// Whose requests these are the exits of.
  [[nodiscard]] const workloads::ExitSpec& exits() const { return *exits_; }
  /// Whether exits are decided at run time.
  [[nodiscard]] bool decides_exits() const { return exit_control_ != nullptr; }
  [[nodiscard]] ExitSource exit_source() const {
    return {.control = exit_control_.get(), .confidences = exits_->confidences()};
  }

  /// From here on another future, that of `branch`: all that has not been drawn yet is drawn from streams
  /// that are independent of this one's and of other branches' (RandomStream::split).
  void split(std::uint64_t branch) { stream_->split(branch); }

 private:
  const System& system_;
  ServerOptions options_;
  std::unique_ptr<scheduler::Policy> policy_;
  std::unique_ptr<scheduler::ExitControl> exit_control_;  // nullptr: exits are as drawn
  std::shared_ptr<const workloads::ExitSpec> exits_;
  std::unique_ptr<workloads::RequestStream> stream_;
};

}  // namespace fluidbatch::sim
