# What `cmake --install` copies: the program with its files, and the library with what finds it. Where Debian's own packages
# have other places than programs below a prefix, there are two components: `prefixed`, which `make install` installs with
# what has none, and `debian`, which cmake/debian/build.py takes instead.
include(CMakePackageConfigHelpers)

install(TARGETS fluidbatch RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
if(FLUIDBATCH_ONNX)
  install(TARGETS fluidbatch_network_import RUNTIME DESTINATION libexec/fluidbatch)
endif()
set(written ${CMAKE_BINARY_DIR}/generated/share)  # sim/CMakeLists.txt
install(FILES ${written}/fluidbatch.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME fluidbatch)
install(FILES ${written}/fluidbatch.zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions RENAME _fluidbatch
        COMPONENT prefixed)
install(FILES ${written}/fluidbatch.zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions RENAME _fluidbatch
        COMPONENT debian EXCLUDE_FROM_ALL)
install(FILES ${written}/fluidbatch.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES ${written}/fluidbatch.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(DIRECTORY npu_model/npus npu_model/boards workloads/networks experiments/starter DESTINATION ${CMAKE_INSTALL_DATADIR}/fluidbatch)
install(FILES README.md CITATION.cff DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT prefixed)  # Debian's is in `copyright`
# Without what makes the pages.
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs PATTERN site EXCLUDE PATTERN "*.py" EXCLUDE)
install(CODE "set(FOLDER \$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DOCDIR})
  include(${PROJECT_SOURCE_DIR}/cmake/installed_pages.cmake)")

# What the commands in README.md and docs/ name, below the same paths: configurations and measurements.
file(GLOB_RECURSE examples RELATIVE ${PROJECT_SOURCE_DIR} experiments/*.yaml experiments/*.csv experiments/data/*)
list(FILTER examples EXCLUDE REGEX "^experiments/starter/")
foreach(example IN LISTS examples)
  cmake_path(GET example PARENT_PATH folder)
  install(FILES ${example} DESTINATION ${CMAKE_INSTALL_DATADIR}/fluidbatch/examples/${folder})
endforeach()

# The library: all layers but the importer of ONNX models and the command line.
list(TRANSFORM FLUIDBATCH_LAYERS REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE objects)
add_library(fluidbatch_archive STATIC ${objects})
set_target_properties(fluidbatch_archive PROPERTIES OUTPUT_NAME fluidbatch LINKER_LANGUAGE CXX)

# Its headers, save those of the importer, of commands, and of files that SimGrid's or SQLite's headers go into.
set(headers ${CMAKE_INSTALL_INCLUDEDIR}/fluidbatch)
install(DIRECTORY npu_model scheduler workloads DESTINATION ${headers} FILES_MATCHING PATTERN "*.h"
        PATTERN onnx EXCLUDE PATTERN npus EXCLUDE PATTERN boards EXCLUDE PATTERN networks EXCLUDE PATTERN rtl EXCLUDE
        PATTERN policies EXCLUDE PATTERN arbiters EXCLUDE PATTERN routers EXCLUDE PATTERN exit_controls EXCLUDE
        PATTERN arrivals EXCLUDE)
foreach(folder scenario core drive measure config output run)
  install(DIRECTORY sim/${folder} DESTINATION ${headers}/sim FILES_MATCHING PATTERN "*.h" PATTERN simgrid_compat.h EXCLUDE)
endforeach()
install(FILES ${CMAKE_BINARY_DIR}/generated/scheduler/interface_stamp.h DESTINATION ${headers}/scheduler)
install(FILES ${CMAKE_BINARY_DIR}/generated/sim/version.h DESTINATION ${headers}/sim)

# fluidbatch_install_library(LIBDIR PREFIX ARGN): the archive and what finds it, by CMake or pkg-config, in LIBDIR. All of them find the
# prefix from where they are; PREFIX is where it probably is. ARGN goes to install().
function(fluidbatch_install_library libdir prefix)
  set(CMAKE_INSTALL_LIBDIR ${libdir})
  set(made ${CMAKE_BINARY_DIR}/package/${libdir})
  set(package ${libdir}/cmake/fluidbatch)
  install(TARGETS fluidbatch_archive ARCHIVE DESTINATION ${libdir} ${ARGN})
  configure_package_config_file(cmake/fluidbatchConfig.cmake.in ${made}/fluidbatchConfig.cmake
    INSTALL_DESTINATION ${package} PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR INSTALL_PREFIX ${prefix})
  write_basic_package_version_file(${made}/fluidbatchConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${made}/fluidbatchConfig.cmake ${made}/fluidbatchConfigVersion.cmake DESTINATION ${package} ${ARGN})
  file(RELATIVE_PATH prefix_from_pc /${libdir}/pkgconfig /)
  configure_file(cmake/fluidbatch.pc.in ${made}/fluidbatch.pc @ONLY)
  install(FILES ${made}/fluidbatch.pc DESTINATION ${libdir}/pkgconfig ${ARGN})
endfunction()
fluidbatch_install_library(${CMAKE_INSTALL_LIBDIR} ${CMAKE_INSTALL_PREFIX} COMPONENT prefixed)
if(CMAKE_LIBRARY_ARCHITECTURE)
  fluidbatch_install_library(lib/${CMAKE_LIBRARY_ARCHITECTURE} /usr COMPONENT debian EXCLUDE_FROM_ALL)
endif()
