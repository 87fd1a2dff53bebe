#include "workloads/io/files_read.h"

#include <array>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "workloads/io/absolute_path.h"
#include "workloads/io/input_error.h"

namespace fluidbatch::io {

thread_local FilesRead* FilesRead::innermost_ = nullptr;

std::string content_hash(std::string_view content) {
  constexpr const char* kDigits = "0123456789abcdef";
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(content.data(), content.size()));
  std::string text;
  for (const unsigned char byte : canonical.digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 0xF];
  }
  return text;
}

FilesRead::FilesRead() : outer_(innermost_) { innermost_ = this; }

FilesRead::~FilesRead() { innermost_ = outer_; }

void FilesRead::note(const std::filesystem::path& file, std::string_view content) {
  if (innermost_ != nullptr) note_as(absolute_path(file).string(), file.string(), content);
}

void FilesRead::note_data(const std::string& name, std::string_view content) {
  if (innermost_ != nullptr) note_as(name, name, content);
}

void FilesRead::note_as(const std::string& key, const std::string& shown, std::string_view content) {
  const std::string hash = content_hash(content);
  for (FilesRead* files = innermost_; files != nullptr; files = files->outer_) {
    if (files->hashes_.emplace(key, hash).first->second == hash) continue;
    throw InputError(shown + ": has changed while it was in use");
  }
}

}  // namespace fluidbatch::io
