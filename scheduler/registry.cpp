#include "scheduler/registry.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace fluidbatch::scheduler {
namespace {

// A function's static, since registrations in other files may run before this file's own statics exist.
template <typename Info>
std::list<Info>& registry() {
  static std::list<Info> all;
  return all;
}

LoadedPlugin* being_loaded = nullptr;

template <typename Info>
const Info* find(std::string_view name) {
  const auto& all = registry<Info>();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Info& info) { return info.name == name; });
  return found == all.end() ? nullptr : &*found;
}

/// `kind`: what there are two of, for the message.
template <typename Info>
void add(const Info& info, const char* kind) {
  auto& all = registry<Info>();
  const auto place =
      std::find_if(all.begin(), all.end(), [&](const Info& other) { return other.name >= info.name; });
  if (place != all.end() && place->name == info.name) {
    throw std::logic_error(std::string("two ") + kind + " are called " + info.name);
  }
  all.insert(place, info);
}

/// Whether `info`, which is compiled with the headers `interface`, may be looked at at all.
bool may_be_read(const char* interface) {
  if (std::string_view(interface) == FLUIDBATCH_POLICY_INTERFACE) return true;
  if (being_loaded == nullptr) throw std::logic_error(std::string("a plug-in compiled for ") + interface);
  being_loaded->other_interface = interface;
  return false;
}

}  // namespace

const std::list<PolicyInfo>& all_policies() { return registry<PolicyInfo>(); }
const PolicyInfo* find_policy(std::string_view name) { return find<PolicyInfo>(name); }
void add_policy(const PolicyInfo& info) { add(info, "policies"); }

const std::list<ExitControlInfo>& all_exit_controls() { return registry<ExitControlInfo>(); }
const ExitControlInfo* find_exit_control(std::string_view name) { return find<ExitControlInfo>(name); }
void add_exit_control(const ExitControlInfo& info) { add(info, "exit controls"); }

PolicyRegistration::PolicyRegistration(const PolicyInfo& info, const char* interface) {
  if (!may_be_read(interface)) return;
  if (being_loaded != nullptr) {
    being_loaded->policies.push_back(info);
  } else {
    add_policy(info);
  }
}

ExitControlRegistration::ExitControlRegistration(const ExitControlInfo& info, const char* interface) {
  if (!may_be_read(interface)) return;
  if (being_loaded != nullptr) {
    being_loaded->exit_controls.push_back(info);
  } else {
    add_exit_control(info);
  }
}

LoadedPlugin registered_by(const std::function<void()>& load) {
  LoadedPlugin loaded;
  being_loaded = &loaded;
  load();
  being_loaded = nullptr;
  return loaded;
}

Parameter max_batch_parameter() {
  return {.name = "max_batch",
          .default_value = 8,
          .min = 1,
          .max = 1024,
          .integer = true,
          .meaning = "largest number of samples in a batch"};
}

PolicyTraits traits_of_max_batch(const ParameterValues& values) {
  return {.max_batch = values.integer("max_batch")};
}

}  // namespace fluidbatch::scheduler
