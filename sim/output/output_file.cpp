#include "sim/output/output_file.h"

#include <cerrno>
#include <cstring>

#include "workloads/io/input_error.h"

namespace fluidbatch::sim {

OutputFile::OutputFile(const std::filesystem::path& path)
    : path_(path.string()), file_(std::fopen(path_.c_str(), "wb")) {
  if (!file_) fail();
}

void OutputFile::write(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size()) fail();
}

void OutputFile::close() {
  if (std::fclose(file_.release()) != 0) fail();
}

void OutputFile::fail() const { throw io::InputError(path_ + ": can't be written: " + std::strerror(errno)); }

void write_file(const std::filesystem::path& path, std::string_view text) {
  OutputFile file(path);
  file.write(text);
  file.close();
}

}  // namespace fluidbatch::sim
