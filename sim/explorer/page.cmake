# The page of `report`, put together when the program is built, which keeps it. The library that draws comes from
# Debian's node-d3, and is in nobody's repository here.
set(page_scripts decode.js cells.js state.js marks.js scales.js caption.js chart.js draw.js keys.js controls.js details.js table.js run.js main.js)

if(FLUIDBATCH_EXPLORER)
  find_file(FLUIDBATCH_D3 d3.min.js PATHS /usr/share/nodejs/d3/dist /usr/share/javascript/d3 NO_DEFAULT_PATH
            DOC "d3.min.js of version 5")
endif()
if(FLUIDBATCH_EXPLORER STREQUAL "ON" AND NOT FLUIDBATCH_D3)
  message(FATAL_ERROR "FLUIDBATCH_EXPLORER needs d3.min.js: Debian's node-d3, or -DFLUIDBATCH_D3=PATH")
endif()

if(FLUIDBATCH_EXPLORER AND FLUIDBATCH_D3)
  set(page_folder ${CMAKE_CURRENT_SOURCE_DIR}/explorer/page)
  set(page ${CMAKE_BINARY_DIR}/generated/explorer/page.html)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/generated/explorer)
  list(TRANSFORM page_scripts PREPEND ${page_folder}/)
  set(all_inputs ${page_folder}/head.html ${page_folder}/page.css ${page_folder}/body.html ${FLUIDBATCH_D3}
      ${page_folder}/scripts.html ${page_scripts} ${page_folder}/foot.html)
  add_custom_command(OUTPUT ${page} COMMAND ${CMAKE_COMMAND} -E cat ${all_inputs} > ${page} DEPENDS ${all_inputs} VERBATIM)
  set_source_files_properties(explorer/page.cpp PROPERTIES COMPILE_DEFINITIONS "FLUIDBATCH_PAGE=\"${page}\""
                              OBJECT_DEPENDS ${page})
endif()
