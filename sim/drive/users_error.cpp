#include "sim/drive/users_error.h"

#include <filesystem>
#include <new>
#include <system_error>

#include "workloads/io/input_error.h"

namespace fluidbatch::sim {

std::optional<std::string> users_error(const std::exception& error) {
  if (dynamic_cast<const io::InputError*>(&error) != nullptr) return error.what();
  if (const auto* refused = dynamic_cast<const std::filesystem::filesystem_error*>(&error)) {
    return "'" + refused->path1().string() + "': " + refused->code().message();
  }
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return kNoMemory;
  if (dynamic_cast<const std::system_error*>(&error) != nullptr) return error.what();
  return std::nullopt;
}

}  // namespace fluidbatch::sim
