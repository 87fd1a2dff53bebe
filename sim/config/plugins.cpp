#include "sim/config/plugins.h"

#include <dlfcn.h>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "scheduler/registry.h"
#include "sim/config/overrides.h"
#include "workloads/io/input_file.h"
#include "workloads/io/map_reader.h"
#include "workloads/io/shipped_files.h"

namespace fluidbatch::sim {
namespace {

using io::InputError;
using io::Node;

constexpr const char* kBringsNothing =
    "brings no policy, exit control, arbiter or router; it needs a static scheduler::PolicyRegistration, "
    "ExitControlRegistration, ArbiterRegistration or RouterRegistration";

[[noreturn]] void refuse(const Node& path, const std::filesystem::path& file, const std::string& why) {
  throw InputError(path.mark, "the plug-in " + io::in_quotes(file.string()) + " " + why);
}

std::string reason_of_loader(const std::filesystem::path& file) {
  const char* text = ::dlerror();
  std::string reason = text == nullptr ? "for no reason that the system gives" : text;
  if (reason.starts_with(file.string() + ": ")) reason.erase(0, file.string().size() + 2);
  if (reason.find("undefined symbol") == std::string::npos) return reason;
  return reason + "; was it built for another version? this is " + FLUIDBATCH_POLICY_INTERFACE;
}

std::string other_interface(std::string_view found) {
  return "was built for " + std::string(found) + ", and this is " + FLUIDBATCH_POLICY_INTERFACE +
         "; build it anew with this one's headers";
}

/// Throws where a shared object must not even be loaded: by then its code has run, and may have taken this
/// program's functions for its own of the same name.
void check_content(const Node& path, const std::filesystem::path& file, std::string_view content) {
  constexpr std::string_view kStamp = FLUIDBATCH_POLICY_INTERFACE;
  constexpr std::string_view kAnyStamp = kStamp.substr(0, kStamp.find_last_of(' ') + 1);
  bool found = false;
  for (std::size_t i = content.find(kAnyStamp); i != content.npos; i = content.find(kAnyStamp, i + 1)) {
    const std::string_view stamp = content.substr(i, content.find('\0', i) - i);
    if (stamp != kStamp) refuse(path, file, other_interface(stamp));
    found = true;
  }
  if (!found && content.starts_with("\x7f"
                                    "ELF"))
    refuse(path, file, kBringsNothing);
}

/// Why those of `infos` that `find` knows already, or which are there twice, can't be taken; or nothing.
template <typename Info, typename Find>
std::string objection_to_names(const std::vector<Info>& infos, const char* kind, const Find& find) {
  std::set<std::string> names;
  for (const Info& info : infos) {
    if (find(info.name) != nullptr || !names.insert(info.name).second) {
      return std::string("brings ") + kind + " " + io::in_quotes(info.name) +
             ", which already exists; give it another name";
    }
  }
  return "";
}

/// Why what was loaded can't be taken, or nothing.
std::string objection_to(const scheduler::LoadedPlugin& loaded) {
  if (!loaded.other_interface.empty()) return other_interface(loaded.other_interface);
  if (loaded.policies.empty() && loaded.exit_controls.empty() && loaded.arbiters.empty() &&
      loaded.routers.empty()) {
    return kBringsNothing;
  }
  for (const std::string& objection :
       {objection_to_names(loaded.policies, "a policy", scheduler::find_policy),
        objection_to_names(loaded.exit_controls, "an exit control", scheduler::find_exit_control),
        objection_to_names(loaded.arbiters, "an arbiter", scheduler::find_arbiter),
        objection_to_names(loaded.routers, "a router", scheduler::find_router)}) {
    if (!objection.empty()) return objection;
  }
  return "";
}

/// Registers what a shared object brings in.
void add(const scheduler::LoadedPlugin& loaded) {
  for (const scheduler::PolicyInfo& info : loaded.policies) scheduler::add_policy(info);
  for (const scheduler::ExitControlInfo& info : loaded.exit_controls) scheduler::add_exit_control(info);
  for (const scheduler::ArbiterInfo& info : loaded.arbiters) scheduler::add_arbiter(info);
  for (const scheduler::RouterInfo& info : loaded.routers) scheduler::add_router(info);
}

/// Takes what a shared object brings in, or leaves everything as it was.
void load(const Node& path, const std::filesystem::path& file) {
  void* object = nullptr;
  std::string failure;
  std::string objection;
  {
    // What it has registered must go before its code does.
    const scheduler::LoadedPlugin loaded = scheduler::registered_by([&] {
      object = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
      if (object == nullptr) failure = reason_of_loader(file);
    });
    if (object != nullptr) objection = objection_to(loaded);
    if (failure.empty() && objection.empty()) add(loaded);
  }
  if (!failure.empty()) refuse(path, file, "can't be loaded: " + failure);
  if (objection.empty()) return;
  ::dlclose(object);
  refuse(path, file, objection);
}

}  // namespace

std::filesystem::path load_plugin(const Node& path) {
  static std::set<std::string> loaded;
  std::filesystem::path file = io::resolve_path(path);
  const std::string content = io::read_file(file);  // a sweep notes what was in it
  std::error_code error;
  const std::string identity = std::filesystem::canonical(file, error).string();
  if (error) refuse(path, file, "can't be found: " + error.message());
  if (loaded.contains(identity)) return file;
  check_content(path, file, content);
  load(path, file);
  loaded.insert(identity);
  return file;
}

Node load_plugins(const Node& plugins) {
  Node resolved = Node::sequence();
  for (const Node& item : io::read_list(plugins, "plugins")) {
    io::read_text(item, "a plug-in");
    resolved.items.push_back(Node::text(load_plugin(item).string()));
  }
  return resolved;
}

void add_plugins(Node& document, const std::vector<std::string>& paths) {
  if (paths.empty()) return;
  const io::Mark mark{"--plugin", 0, 0};
  Node& list = value_at(document, "plugins", mark);
  if (list.kind == Node::Kind::null) list = Node::sequence();
  io::read_list(list, "plugins");
  for (const std::string& path : paths) {
    Node node = Node::text(path);
    node.mark = mark;
    Node absolute = Node::text(io::resolve_path(node).string());
    absolute.mark = mark;
    list.items.push_back(std::move(absolute));
  }
}

}  // namespace fluidbatch::sim
