# What `cmake --install` copies: the program with its files, and the library with what finds it.
include(CMakePackageConfigHelpers)

install(TARGETS fluidbatch RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
if(FLUIDBATCH_ONNX)
  install(TARGETS fluidbatch_network_import RUNTIME DESTINATION libexec/fluidbatch)
endif()
set(written ${CMAKE_BINARY_DIR}/generated/share)  # sim/CMakeLists.txt
install(FILES ${written}/fluidbatch.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME fluidbatch)
install(FILES ${written}/fluidbatch.zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions RENAME _fluidbatch)
install(FILES ${written}/fluidbatch.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES ${written}/fluidbatch.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(DIRECTORY npu_model/npus npu_model/boards workloads/networks experiments/starter DESTINATION ${CMAKE_INSTALL_DATADIR}/fluidbatch)
install(FILES README.md LICENSE CITATION.cff DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs PATTERN site EXCLUDE)
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
install(TARGETS fluidbatch_archive ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})

# Its headers, save those of the importer, of commands, and of files that SimGrid's or SQLite's headers go into.
set(headers ${CMAKE_INSTALL_INCLUDEDIR}/fluidbatch)
install(DIRECTORY npu_model scheduler workloads DESTINATION ${headers} FILES_MATCHING PATTERN "*.h"
        PATTERN onnx EXCLUDE PATTERN npus EXCLUDE PATTERN boards EXCLUDE PATTERN networks EXCLUDE
        PATTERN policies EXCLUDE)
foreach(folder scenario core drive measure config output run)
  install(DIRECTORY sim/${folder} DESTINATION ${headers}/sim FILES_MATCHING PATTERN "*.h" PATTERN simgrid_compat.h EXCLUDE)
endforeach()
install(FILES ${CMAKE_BINARY_DIR}/generated/scheduler/interface_stamp.h DESTINATION ${headers}/scheduler)
install(FILES ${CMAKE_BINARY_DIR}/generated/sim/version.h DESTINATION ${headers}/sim)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/fluidbatch)
configure_package_config_file(cmake/fluidbatchConfig.cmake.in ${CMAKE_BINARY_DIR}/package/fluidbatchConfig.cmake
  INSTALL_DESTINATION ${package} PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/package/fluidbatchConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/package/fluidbatchConfig.cmake ${CMAKE_BINARY_DIR}/package/fluidbatchConfigVersion.cmake
        DESTINATION ${package})
file(RELATIVE_PATH prefix_from_pc /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/fluidbatch.pc.in ${CMAKE_BINARY_DIR}/package/fluidbatch.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/package/fluidbatch.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
