#include "sim/explorer/page_file.h"

#include <fstream>
#include <string_view>
#include <sys/stat.h>
#include <system_error>

#include "sim/output/output_file.h"
#include "workloads/io/input_error.h"

namespace fluidbatch::sim {
namespace {

/// Whether the file begins as pages of this and of earlier versions do.
bool is_page(const std::filesystem::path& file) {
  constexpr std::string_view kBegin = "<!DOCTYPE html>\n";
  constexpr std::string_view kTitle = "\n<title>fluidbatch</title>\n";
  std::string head(2048, '\0');  // the title stands before the styles, within the first 500
  std::ifstream stream(file, std::ios::binary);
  stream.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(stream.gcount()));
  return head.starts_with(kBegin) && head.find(kTitle) != std::string::npos;
}

/// What becomes of what has the page's name: an earlier page is replaced. Throws where it is another file, or
/// a link that leads nowhere; folders, pipes and devices are OutputFile's to refuse, and are not opened here.
Existing of_earlier(const std::filesystem::path& page) {
  struct stat status {};
  if (::lstat(page.c_str(), &status) != 0) return Existing::refuse;  // what appears meanwhile
  const bool leads_on = ::stat(page.c_str(), &status) == 0;
  if (leads_on && (!S_ISREG(status.st_mode) || is_page(page))) return Existing::replace;
  throw io::InputError(page.string() +
                       ": already exists, and is no page of fluidbatch's; give another name with --out");
}

}  // namespace

void write_page(const std::filesystem::path& page, const std::filesystem::path& source,
                const std::vector<std::string>& data) {
  std::error_code not_there;
  if (std::filesystem::equivalent(page, source, not_there) && !not_there) {
    throw io::InputError(page.string() +
                         ": is what the page would be made from; give another file with --out");
  }
  const Existing earlier = of_earlier(page);
  const PageParts parts = page_parts();
  OutputFile file(page, earlier);
  file.write(parts.before);
  for (const std::string& element : data) file.write(element);
  file.write(parts.after);
  file.close();
}

}  // namespace fluidbatch::sim
