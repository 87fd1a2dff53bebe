#include "sim/output/columns.h"

namespace fluidbatch::sim {

const char* name_of(ColumnType type) {
  switch (type) {
    case ColumnType::whole:
      return "whole number";
    case ColumnType::number:
      return "number";
    case ColumnType::text:
      return "text";
    case ColumnType::flag:
      return "1 or 0";
  }
  return "";
}

}  // namespace fluidbatch::sim
