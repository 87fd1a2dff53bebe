#include "sim/output/table_json.h"

#include <cmath>
#include <cstdint>
#include <variant>

#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

#include "sim/version.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::sim {
namespace {

using Writer = rapidjson::PrettyWriter<rapidjson::StringBuffer>;

void write(Writer& writer, const std::string& text) {
  writer.String(text.c_str(), static_cast<rapidjson::SizeType>(text.size()));
}
void write(Writer& writer, std::int64_t value) { writer.Int64(value); }
void write(Writer& writer, bool value) { writer.Bool(value); }
void write(Writer& writer, double value) {
  if (!std::isfinite(value)) {
    writer.Null();
    return;
  }
  const std::string text = io::shortest(value);
  writer.RawValue(text.data(), text.size(), rapidjson::kNumberType);
}

void write_cell(Writer& writer, const io::Column& column, std::size_t row) {
  std::visit(
      [&](const auto& values) {
        using Cell = typename std::remove_cvref_t<decltype(values)>::value_type;
        const Cell cell = values[row];
        write(writer, cell);
      },
      column.values);
}

void write_list(Writer& writer, const std::vector<double>& values) {
  if (values.empty()) {
    writer.Null();
    return;
  }
  writer.SetFormatOptions(rapidjson::kFormatSingleLineArray);
  writer.StartArray();
  for (const double value : values) write(writer, value);
  writer.EndArray();
  writer.SetFormatOptions(rapidjson::kFormatDefault);
}

void write_rows(Writer& writer, const NamedTable& named) {
  writer.Key(named.name.c_str(), static_cast<rapidjson::SizeType>(named.name.size()));
  writer.StartArray();
  for (std::size_t row = 0; row < named.table.rows(); ++row) {
    writer.StartObject();
    for (const io::Column& column : named.table.columns()) {
      writer.Key(column.name.c_str(), static_cast<rapidjson::SizeType>(column.name.size()));
      write_cell(writer, column, row);
    }
    for (const NamedTable::Lists& lists : named.lists) {
      writer.Key(lists.name.c_str(), static_cast<rapidjson::SizeType>(lists.name.size()));
      write_list(writer, lists.of_rows[row]);
    }
    writer.EndObject();
  }
  writer.EndArray();
}

}  // namespace

std::string tables_json(const std::string& command, const std::vector<NamedTable>& tables) {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.SetIndent(' ', 2);
  writer.StartObject();
  writer.Key("version");
  write(writer, std::string(kVersion));
  writer.Key("command");
  write(writer, command);
  for (const NamedTable& named : tables) write_rows(writer, named);
  writer.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

std::string table_json(const std::string& command, const io::ColumnTable& table) {
  return tables_json(command, {{"rows", table}});
}

}  // namespace fluidbatch::sim
