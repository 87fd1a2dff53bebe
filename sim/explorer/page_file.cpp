#include "sim/explorer/page_file.h"

#include <system_error>

#include "sim/output/output_file.h"
#include "workloads/io/input_error.h"

namespace fluidbatch::sim {

void write_page(const std::filesystem::path& page, const std::filesystem::path& source,
                const std::vector<std::string>& data) {
  std::error_code not_there;
  if (std::filesystem::equivalent(page, source, not_there) && !not_there) {
    throw io::InputError(page.string() +
                         ": is what the page would be made from; give another file with --out");
  }
  const PageParts parts = page_parts();
  OutputFile file(page);
  file.write(parts.before);
  for (const std::string& element : data) file.write(element);
  file.write(parts.after);
  file.close();
}

}  // namespace fluidbatch::sim
