// The shells' halves of completion: each asks the program, which knows what there is.
#include <map>
#include <stdexcept>

#include "sim/cli/completion.h"

namespace fluidbatch::sim::cli {
namespace {

// Bash takes `=` and `:` for words of their own, and replaces only what comes after the last of them.
constexpr const char* kBash = R"(# completion of fluidbatch for bash
_fluidbatch() {
  local words=() word joined="" found files="" i
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word="${COMP_WORDS[i]}"
    if ((${#words[@]} > 0)) && [[ "$word" == [=:]* || -n "$joined" ]]; then
      words[${#words[@]} - 1]+="$word"
    else
      words+=("$word")
    fi
    [[ "$word" == *[=:] ]] && joined=1 || joined=""
  done
  local current="${words[${#words[@]} - 1]}"
  local kept="${current%"${current##*[=:]}"}"
  COMPREPLY=()
  while IFS= read -r found; do
    [[ -n "$found" ]] || continue
    [[ "$found" == / ]] && files=1 && continue
    COMPREPLY+=("${found#"$kept"}")
    [[ "$found" == *[=:] ]] && compopt -o nospace 2>/dev/null
  done < <("${COMP_WORDS[0]}" complete "${words[@]}" 2>/dev/null)
  [[ -n "$files" ]] || return 0
  compopt -o filenames 2>/dev/null
  while IFS= read -r found; do COMPREPLY+=("$found"); done < <(compgen -f -- "$current")
}
complete -o default -F _fluidbatch fluidbatch
)";

constexpr const char* kZsh = R"(#compdef fluidbatch
# completion of fluidbatch for zsh
_fluidbatch() {
  local -a found files open
  found=("${(@f)$("${words[1]}" complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  found=("${(@)found:#}")
  files=("${(@M)found:#/}")
  found=("${(@)found:#/}")
  open=("${(@M)found:#*[=:]}")
  found=("${(@)found:#*[=:]}")
  if (( ${#found} + ${#open} == 0 )); then
    _files
    return
  fi
  compadd -a found
  compadd -S '' -a open
  if (( ${#files} > 0 )); then
    _files
  fi
}
if [[ "${funcstack[1]}" == _fluidbatch ]]; then
  _fluidbatch "$@"
else
  compdef _fluidbatch fluidbatch
fi
)";

constexpr const char* kFish = R"(# completion of fluidbatch for fish
function __fluidbatch_complete
    set -l words (commandline -opc)
    command $words[1] complete $words[2..-1] (commandline -ct) 2>/dev/null | string match -v -- /
end
complete -c fluidbatch -a '(__fluidbatch_complete)'
)";

const std::map<std::string, const char*>& scripts() {
  static const std::map<std::string, const char*> all{{"bash", kBash}, {"fish", kFish}, {"zsh", kZsh}};
  return all;
}

}  // namespace

const std::vector<std::string>& completed_shells() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [name, script] : scripts()) all.push_back(name);
    return all;
  }();
  return names;
}

std::string completion_script(const std::string& shell) { return scripts().at(shell); }

}  // namespace fluidbatch::sim::cli
