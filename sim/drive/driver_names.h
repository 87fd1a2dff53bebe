// What the drivers are called, on the command line and in Python.
#pragma once

#include <array>

#include "sim/drive/driver.h"
#include "workloads/io/names.h"

namespace fluidbatch::sim {

inline constexpr std::array kDriverNames{io::Name{Driver::bare, "bare"}, io::Name{Driver::simgrid, "simgrid"},
                                         io::Name{Driver::simgrid_window, "simgrid_window"}};

}  // namespace fluidbatch::sim
