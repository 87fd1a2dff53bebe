#include "sim/config/exit_control_reader.h"

#include <string>
#include <vector>

#include "sim/config/parameters_reader.h"

namespace fluidbatch::sim {

ExitControlChoice read_exit_control(const io::Node& node, io::Node& resolved) {
  std::vector<std::string> kinds;
  for (const auto& info : scheduler::all_exit_controls()) kinds.push_back(info.name);
  const scheduler::ExitControlInfo& control =
      *scheduler::find_exit_control(kinds[io::read_kind(node, "exit_control", "kind", kinds)]);
  io::MapReader reader(node, "exit_control " + control.name, keys_of("kind", control.parameters));
  reader.text("kind");
  ExitControlChoice choice;
  choice.parameters = read_parameters(reader, control.parameters);
  if (control.make) choice.info = &control;
  resolved = reader.resolved();
  return choice;
}

}  // namespace fluidbatch::sim
