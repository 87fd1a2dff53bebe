// Reading of YAML: yaml-cpp's events become a tree of Nodes, within bounds that no file can exceed.
#include <algorithm>
#include <array>
#include <sstream>
#include <unordered_map>
#include <unordered_set>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include "workloads/io/input_file.h"
#include "workloads/io/yaml_node.h"

namespace fluidbatch::io {
namespace {

constexpr std::uint64_t kMostYamlBytes = std::uint64_t{32} << 20;
constexpr std::size_t kMostNodes = 1'000'000;  // copies made by aliases included
constexpr std::size_t kMostDepth = 64;         // of the recursions over a tree
// yaml-cpp reads ahead to the end of a line, and keeps up to 250 bytes for each of the characters that can
// begin or end a value.
constexpr std::string_view kIndicators = "[]{},:-?&*!|>'\"%";
constexpr std::ptrdiff_t kMostIndicators = 2'500'000;

/// What a tree takes; depth 1 is a node without children.
struct Extent {
  std::size_t nodes = 1;
  std::size_t bytes = 0;
  std::size_t depth = 1;

  void add_child(const Extent& child) {
    nodes += child.nodes;
    bytes += child.bytes;
    depth = std::max(depth, child.depth + 1);
  }
};

Extent extent_of(const Node& node) {
  Extent extent{.nodes = 1, .bytes = node.scalar.size(), .depth = 1};
  for (const Node& item : node.items) extent.add_child(extent_of(item));
  for (const Node::Entry& entry : node.entries) {
    extent.add_child(extent_of(entry.value));
    extent.bytes += entry.key.size();
  }
  return extent;
}

/// Builds the tree of one document. Events rather than yaml-cpp's own tree, since that one takes any number
/// of documents from a stray comma, without end, and time that grows as the square of a map's size.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string source) : source_(std::move(source)) { root_.mark = {source_, 1, 1}; }

  [[nodiscard]] Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (started_) throw InputError(place(mark), "one YAML document is allowed; this does not belong to it");
    started_ = true;
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    close(make(Node::Kind::null, mark), anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node = make(Node::Kind::scalar, mark);
    node.scalar = value;
    node.quoted = tag == "!";
    close(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end())
      throw InputError(place(mark), "an alias can't be part of what it stands for");
    count(found->second, mark);
    close(found->second, YAML::NullAnchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(Node::Kind::sequence, mark, anchor);
  }
  void OnSequenceEnd() override { close_innermost(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(Node::Kind::map, mark, anchor);
  }
  void OnMapEnd() override {
    require_distinct_keys(open_.back().node);
    close_innermost();
  }

 private:
  /// A list or map whose end has not been reached.
  struct Open {
    Node node;
    YAML::anchor_t anchor = YAML::NullAnchor;
    Node key{};  ///< of the next entry
    bool has_key = false;

    [[nodiscard]] bool expects_key() const { return node.kind == Node::Kind::map && !has_key; }
  };

  [[nodiscard]] Mark place(const YAML::Mark& mark) const { return {source_, mark.line + 1, mark.column + 1}; }

  Node make(Node::Kind kind, const YAML::Mark& mark) {
    Node node;
    node.kind = kind;
    node.mark = place(mark);
    ++extent_.nodes;
    require_room(mark, open_.size() + 1);
    return node;
  }

  /// Counts a copy of `node`, which an alias or an anchor makes.
  void count(const Node& node, const YAML::Mark& mark) {
    const Extent extent = extent_of(node);
    extent_.nodes += extent.nodes;
    extent_.bytes += extent.bytes;
    require_room(mark, open_.size() + extent.depth);
  }

  void require_room(const YAML::Mark& mark, std::size_t depth) const {
    if (depth > kMostDepth) {
      throw InputError(place(mark), "the document is too large: more than " + std::to_string(kMostDepth) +
                                        " lists and maps inside each other");
    }
    if (extent_.nodes > kMostNodes || extent_.bytes > kMostYamlBytes) {
      throw InputError(place(mark), "the document is too large: more than " + std::to_string(kMostNodes) +
                                        " values, those that aliases repeat included");
    }
  }

  void open(Node::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    open_.push_back({.node = make(kind, mark), .anchor = anchor});
  }

  void close_innermost() {
    Open innermost = std::move(open_.back());
    open_.pop_back();
    close(std::move(innermost.node), innermost.anchor);
  }

  /// `node` is complete: it becomes the root, or a part of the innermost list or map.
  void close(Node node, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) {
      count(node, {});
      anchors_[anchor] = node;
    }
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Node::Kind::sequence) {
      parent.node.items.push_back(std::move(node));
    } else if (parent.expects_key()) {
      if (node.kind != Node::Kind::scalar) refuse_key(node.mark);
      parent.key = std::move(node);
      parent.has_key = true;
    } else {
      parent.node.entries.push_back(
          {std::move(parent.key.scalar), std::move(parent.key.mark), std::move(node)});
      parent.has_key = false;
    }
  }

  [[noreturn]] static void refuse_key(const Mark& mark) {
    throw InputError(mark, "a key must be a plain word");
  }

  static void require_distinct_keys(const Node& map) {
    std::unordered_set<std::string_view> keys;
    for (const Node::Entry& entry : map.entries) {
      if (!keys.insert(entry.key).second) {
        throw InputError(entry.key_mark, "key " + in_quotes(entry.key) + " appears twice");
      }
    }
  }

  std::string source_;
  bool started_ = false;
  Node root_;
  std::vector<Open> open_;  // from the outermost to the innermost
  std::unordered_map<YAML::anchor_t, Node> anchors_;
  Extent extent_{.nodes = 0, .bytes = 0, .depth = 0};  // so far
};

void require_bounded(const std::string& text, const std::string& source) {
  std::array<bool, 256> is_indicator{};
  for (const char c : kIndicators) is_indicator[static_cast<unsigned char>(c)] = true;
  const auto indicators = std::count_if(text.begin(), text.end(),
                                        [&](char c) { return is_indicator[static_cast<unsigned char>(c)]; });
  if (indicators <= kMostIndicators) return;
  throw InputError({source, 1, 1}, "the document is too large: more than " + std::to_string(kMostIndicators) +
                                       " of the characters that YAML makes values with, such as ',' and ':'");
}

/// Throws at the first byte that is not a part of UTF-8 text: there is no telling what it was meant to be.
void require_utf8(const std::string& text, const std::string& source) {
  int line = 1;
  std::size_t line_begin = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xC2 ? 0
                               : lead < 0xE0 ? 2
                               : lead < 0xF0 ? 3
                               : lead < 0xF5 ? 4
                                             : 0;
    bool good = length > 0 && i + length <= text.size();
    for (std::size_t k = 1; good && k < length; ++k) {
      good = (static_cast<unsigned char>(text[i + k]) & 0xC0U) == 0x80U;
    }
    if (!good) {
      throw InputError({source, line, static_cast<int>(i - line_begin) + 1},
                       "not valid YAML: the text is not UTF-8");
    }
    if (lead == '\n') {
      ++line;
      line_begin = i + 1;
    }
    i += length;
  }
}

}  // namespace

Node parse_yaml(const std::string& text, const std::string& source) {
  require_utf8(text, source);
  require_bounded(text, source);
  TreeBuilder builder(source);
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {  // the builder refuses a second one
    }
  } catch (const YAML::Exception& error) {
    throw InputError({source, error.mark.line + 1, error.mark.column + 1}, "not valid YAML: " + error.msg);
  }
  return builder.take();
}

Node load_yaml(const std::filesystem::path& file) {
  return parse_yaml(read_file(file, kMostYamlBytes), file.string());
}

}  // namespace fluidbatch::io
