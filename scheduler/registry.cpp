#include "scheduler/registry.h"

#include <algorithm>
#include <set>
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

/// Those that others have taken the place of: scenarios may still point to them.
template <typename Info>
std::list<Info>& replaced() {
  static std::list<Info> all;
  return all;
}

/// Names of those whose place others may take.
template <typename Info>
std::set<std::string>& replaceable() {
  static std::set<std::string> all;
  return all;
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

template <typename Info>
void replace(const Info& info, const char* kind) {
  auto& all = registry<Info>();
  if (replaceable<Info>().contains(info.name)) {
    const auto earlier =
        std::find_if(all.begin(), all.end(), [&](const Info& other) { return other.name == info.name; });
    replaced<Info>().splice(replaced<Info>().end(), all, earlier);
  }
  add(info, kind);
  replaceable<Info>().insert(info.name);
}

/// Whether `info`, which is compiled with the headers `interface`, may be looked at at all.
bool may_be_read(const char* interface) {
  if (std::string_view(interface) == FLUIDBATCH_POLICY_INTERFACE) return true;
  if (being_loaded == nullptr) throw std::logic_error(std::string("a plug-in compiled for ") + interface);
  being_loaded->other_interface = interface;
  return false;
}

/// Registers `info`: with `add`, or with what is being loaded.
template <typename Info>
void keep(const Info& info, const char* interface, std::vector<Info> LoadedPlugin::*loaded,
          void (*add)(const Info&)) {
  if (!may_be_read(interface)) return;
  if (being_loaded != nullptr) {
    (being_loaded->*loaded).push_back(info);
  } else {
    add(info);
  }
}

}  // namespace

const std::list<PolicyInfo>& all_policies() { return registry<PolicyInfo>(); }
const PolicyInfo* find_policy(std::string_view name) { return find<PolicyInfo>(name); }
void add_policy(const PolicyInfo& info) { add(info, "policies"); }
void replace_policy(const PolicyInfo& info) { replace(info, "policies"); }

const std::list<ExitControlInfo>& all_exit_controls() { return registry<ExitControlInfo>(); }
const ExitControlInfo* find_exit_control(std::string_view name) { return find<ExitControlInfo>(name); }
void add_exit_control(const ExitControlInfo& info) { add(info, "exit controls"); }
void replace_exit_control(const ExitControlInfo& info) { replace(info, "exit controls"); }

const std::list<ArbiterInfo>& all_arbiters() { return registry<ArbiterInfo>(); }
const ArbiterInfo* find_arbiter(std::string_view name) { return find<ArbiterInfo>(name); }
void add_arbiter(const ArbiterInfo& info) { add(info, "arbiters"); }
void replace_arbiter(const ArbiterInfo& info) { replace(info, "arbiters"); }

const std::list<RouterInfo>& all_routers() { return registry<RouterInfo>(); }
const RouterInfo* find_router(std::string_view name) { return find<RouterInfo>(name); }
void add_router(const RouterInfo& info) { add(info, "routers"); }
void replace_router(const RouterInfo& info) { replace(info, "routers"); }

PolicyRegistration::PolicyRegistration(const PolicyInfo& info, const char* interface) {
  keep(info, interface, &LoadedPlugin::policies, add_policy);
}

ExitControlRegistration::ExitControlRegistration(const ExitControlInfo& info, const char* interface) {
  keep(info, interface, &LoadedPlugin::exit_controls, add_exit_control);
}

ArbiterRegistration::ArbiterRegistration(const ArbiterInfo& info, const char* interface) {
  keep(info, interface, &LoadedPlugin::arbiters, add_arbiter);
}

RouterRegistration::RouterRegistration(const RouterInfo& info, const char* interface) {
  keep(info, interface, &LoadedPlugin::routers, add_router);
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
