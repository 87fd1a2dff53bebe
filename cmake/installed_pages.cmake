# Makes the pages in FOLDER, copies of README.md and docs/, speak of the installed program: its name in commands, and in
# README.md, instead of how to build it, where its examples are.
file(GLOB pages ${FOLDER}/README.md ${FOLDER}/docs/*.md)
foreach(page IN LISTS pages)
  file(READ ${page} text)
  foreach(indent "" "    ")
    string(REPLACE "\n${indent}build/release/bin/fluidbatch " "\n${indent}fluidbatch " text "${text}")
  endforeach()
  file(WRITE ${page} "${text}")
endforeach()

set(start [[
## To begin with

The commands of these pages are for a folder with a copy of the examples:

```sh
cp -r "$(dirname "$(command -v fluidbatch)")/../share/fluidbatch/examples" fluidbatch-examples
cd fluidbatch-examples
fluidbatch run experiments/quickstart.yaml
```

`fluidbatch init` writes files to start from with something of your own. What needs `make`, and folders such as `build/` and `tests/`,
are those of the source.

What you should see (the same digits on every machine):
]])
file(READ ${FOLDER}/README.md text)
set(last "What you should see at the end of `make run` (the same digits on every machine):\n")
string(FIND "${text}" "## Two commands\n" begin)
string(FIND "${text}" "${last}" end)
if(begin EQUAL -1 OR end LESS begin)
  message(FATAL_ERROR "README.md no longer says how to begin where cmake/installed_pages.cmake looks for it")
endif()
string(LENGTH "${last}" length)
math(EXPR end "${end} + ${length}")
string(SUBSTRING "${text}" 0 ${begin} before)
string(SUBSTRING "${text}" ${end} -1 after)
file(WRITE ${FOLDER}/README.md "${before}${start}${after}")
