// Numbers as text, strict YAML, CSV: what they take, and what they say of what they do not take.
#include <array>
#include <chrono>
#include <cmath>
#include <limits>
#include <random>

#include <catch2/catch.hpp>

#include "tests/support/run_helpers.h"
#include "workloads/io/column_table.h"
#include "workloads/io/csv.h"
#include "workloads/io/files_read.h"
#include "workloads/io/input_file.h"
#include "workloads/io/map_reader.h"
#include "workloads/io/names.h"
#include "workloads/io/text_number.h"

using namespace fluidbatch;
using Catch::Contains;

TEST_CASE("numbers are written in the shortest form that reads back", "[io]") {
  CHECK(io::shortest(0.1) == "0.1");
  CHECK(io::shortest(3) == "3");
  CHECK(io::shortest(1e-9) == "1e-09");
  CHECK(io::shortest(0.1 + 0.2) == "0.30000000000000004");
  std::mt19937_64 random(3);
  for (int i = 0; i < 10000; ++i) {
    const double value = std::ldexp(static_cast<double>(random()), static_cast<int>(random() % 200) - 150);
    CHECK(io::parse_number(io::shortest(value)) == value);
  }
}

TEST_CASE("numbers are read whole or not at all", "[io]") {
  CHECK(io::parse_number("1.5e3") == 1500);
  CHECK(io::parse_number("+2") == 2);
  CHECK(io::parse_number("-.5") == -0.5);
  CHECK(io::parse_number(".inf") == std::numeric_limits<double>::infinity());
  CHECK(io::parse_number("-.inf") == -std::numeric_limits<double>::infinity());
  CHECK(std::isnan(*io::parse_number(".nan")));
  for (const char* text : {"", "-", ".", "12ms", "1 2", "inf", "nan", "0x10", "1e999", "--1", " 1"}) {
    INFO("'" << text << "'");
    CHECK_FALSE(io::parse_number(text).has_value());
  }
  CHECK(io::parse_integer("42") == 42);
  CHECK_FALSE(io::parse_integer("4.2").has_value());
  CHECK_FALSE(io::parse_integer("99999999999999999999").has_value());
}

TEST_CASE("a word that is nearly right is suggested", "[io]") {
  const std::vector<std::string> known{"clock_hz", "t_r", "t_p", "bandwidth_bytes_per_s"};
  CHECK(io::did_you_mean("clock_mzh", known) == " (did you mean 'clock_hz'?)");
  CHECK(io::did_you_mean("badnwidth_bytes_per_s", known) == " (did you mean 'bandwidth_bytes_per_s'?)");
  CHECK(io::did_you_mean("colour", known).empty());
}

TEST_CASE("YAML keeps places, quotes and order, and reads back what it writes", "[io]") {
  const io::Node node = io::parse_yaml("b: 1\na: {x: [1, 2], y: '3'}\n", "f.yaml");
  REQUIRE(node.entries.size() == 2);
  CHECK(node.entries[0].key == "b");
  CHECK(io::to_string(node.entries[1].key_mark) == "f.yaml:2:1");
  const io::Node* y = node.find("a")->find("y");
  CHECK(io::to_string(y->mark) == "f.yaml:2:19");
  CHECK(y->quoted);

  io::Node written = io::Node::map();
  written.put("text", io::Node::text("null"));
  written.put("number", io::Node::number(0.1));
  written.put("infinite", io::Node::number(std::numeric_limits<double>::infinity()));
  written.put("digits", io::Node::text("12"));
  written.put("colon", io::Node::text("a: b # c"));
  written.put("nothing", io::Node::map());
  const io::Node back = io::parse_yaml(io::to_yaml(written), "f.yaml");
  CHECK(io::to_yaml(back) == io::to_yaml(written));
  CHECK(back.find("text")->scalar == "null");
  CHECK(back.find("digits")->quoted);
  CHECK(back.find("colon")->scalar == "a: b # c");
  CHECK(io::read_number(*back.find("infinite"), "x", io::Range::positive_or_infinite()) ==
        std::numeric_limits<double>::infinity());
}

TEST_CASE("YAML that is not one plain document is refused", "[io]") {
  CHECK_THROWS_WITH(io::parse_yaml("a: 1\na: 2\n", "f.yaml"), Contains("f.yaml:2:1: key 'a' appears twice"));
  CHECK_THROWS_WITH(io::parse_yaml("a: [1, 2\nb: 3\n", "f.yaml"),
                    Contains("f.yaml:2:") && Contains("not valid YAML"));
  CHECK_THROWS_WITH(io::parse_yaml("a: 1\n---\nb: 2\n", "f.yaml"), Contains("one YAML document"));
  CHECK_THROWS_WITH(io::parse_yaml("[1]: 2\n", "f.yaml"), Contains("a key must be a plain word"));
  std::string laughs = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n";
  for (int i = 1; i < 9; ++i) {
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) laughs += "*a" + std::to_string(i - 1) + (j < 9 ? ", " : "]\n");
  }
  CHECK_THROWS_WITH(io::parse_yaml(laughs, "f.yaml"), Contains("too large"));
  CHECK_THROWS_WITH(io::parse_yaml(",", "f.yaml"), Contains("f.yaml:1:1: one YAML document"));
  CHECK_THROWS_WITH(io::parse_yaml("[0.1], 0.3", "--set k"), Contains("--set k:1:6: one YAML document"));
  CHECK_THROWS_WITH(io::parse_yaml("a: &a [*a]\n", "f.yaml"), Contains("f.yaml:1:8: an alias can't be part"));
  CHECK_THROWS_WITH(io::parse_yaml(std::string(70, '[') + std::string(70, ']'), "f.yaml"),
                    Contains("more than 64 lists and maps inside each other"));
  CHECK_THROWS_WITH(io::parse_yaml(std::string(3'000'000, '['), "f.yaml"),
                    Contains("f.yaml:1:1: the document is too large"));
  CHECK_THROWS_WITH(io::load_yaml("/no/such.yaml"), Contains("/no/such.yaml: no such file"));
  CHECK_THROWS_WITH(io::load_yaml("/tmp"), Contains("is a folder"));
}

TEST_CASE("aliases are copies, within the bounds of a document", "[io]") {
  const io::Node node = io::parse_yaml("a: &x {k: [1, 2]}\nb: *x\nc: {&y name: *y}\n", "f.yaml");
  CHECK(io::to_yaml(*node.find("b")) == io::to_yaml(*node.find("a")));
  CHECK(node.find("c")->find("name")->scalar == "name");

  std::string nested = "a0: &a0 [1]\n";
  for (int i = 1; i < 70; ++i) {
    nested += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
  }
  CHECK_THROWS_WITH(io::parse_yaml(nested, "f.yaml"), Contains("inside each other"));
  std::string long_text = "a: &a " + std::string(1'000'000, 'x') + "\nb: [*a";
  for (int i = 0; i < 40; ++i) long_text += ", *a";
  CHECK_THROWS_WITH(io::parse_yaml(long_text + "]\n", "f.yaml"), Contains("too large"));
}

TEST_CASE("a map of 300,000 keys and a header of 100,000 columns are read at once", "[io]") {
  // Time that grew as the square of these took a minute and more; this takes a second.
  std::string yaml;
  for (int i = 0; i < 300'000; ++i) yaml += "k" + std::to_string(i) + ": 1\n";
  std::string csv = "k0";
  for (int i = 1; i < 100'000; ++i) csv += ",k" + std::to_string(i);
  const test::TemporaryFolder folder;
  const std::string file = folder.write("a.csv", csv + "\n");
  const auto begin = std::chrono::steady_clock::now();
  CHECK(io::parse_yaml(yaml, "f.yaml").entries.size() == 300'000);
  CHECK(io::CsvReader(file).column("k99999") == 99'999U);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(15));
  CHECK_THROWS_WITH(io::parse_yaml(yaml + "k7: 1\n", "f.yaml"),
                    Contains("f.yaml:300001:1: key 'k7' appears twice"));
}

TEST_CASE("a message shows a long or unprintable text in part, and the first of many names", "[io]") {
  CHECK(io::in_quotes("a\x1b[2J\n") == "'a\\x1b[2J\\x0a'");
  CHECK(io::in_quotes(std::string(79, 'a') + "\u00e9b") == "'" + std::string(79, 'a') + "...'");
  CHECK(io::quoted_list(std::vector<std::string>(100, "a")).ends_with("'a' and 60 more"));
  CHECK(io::did_you_mean(std::string(1'000'000, 'a'), {"a"}).empty());
}

namespace {

/// Reads one key `x` of a map.
template <typename Read>
void read_x(const std::string& value, Read read) {
  const io::Node node = io::parse_yaml("x: " + value + "\n", "f.yaml");
  io::MapReader reader(node, "a thing", {"x", "other"});
  read(reader);
}

}  // namespace

TEST_CASE("a map's values are of their type and in range", "[io]") {
  const auto positive = [](io::MapReader& r) { r.number("x", io::Range::positive()); };
  CHECK_THROWS_WITH(read_x("0", positive),
                    Contains("f.yaml:1:4: x must be a number, above 0, finite; found '0'"));
  CHECK_THROWS_WITH(read_x(".nan", positive), Contains("above 0"));
  CHECK_THROWS_WITH(read_x(".inf", positive), Contains("finite"));
  CHECK_THROWS_WITH(read_x("'3'", positive),
                    Contains("must be a number, found '3' in quotes, which make it a text"));
  CHECK_THROWS_WITH(read_x("[3]", positive), Contains("found a list"));
  CHECK_THROWS_WITH(read_x("", positive), Contains("found nothing"));
  CHECK_THROWS_WITH(read_x("2", [](io::MapReader& r) { r.number("x", io::Range::probability()); }),
                    Contains("from 0 to 1"));

  const auto whole = [](io::MapReader& r) { r.integer("x", 1, 100); };
  CHECK_NOTHROW(read_x("1e2", whole));
  CHECK_THROWS_WITH(read_x("1.5", whole), Contains("must be a whole number, found '1.5'"));
  CHECK_THROWS_WITH(read_x("101", whole), Contains("from 1 to 100"));
  CHECK_THROWS_WITH(read_x("\"7\"", whole), Contains("found '7' in quotes, which make it a text"));
  CHECK_THROWS_WITH(read_x("1e20", whole), Contains("from 1 to 100; found '1e20'"));
  std::int64_t seed = 0;
  const auto any = [&seed](io::MapReader& r) {
    seed = r.integer("x", 0, std::numeric_limits<std::int64_t>::max());
    if (r.resolved().find("x")->scalar != std::to_string(seed)) throw std::logic_error("not resolved");
  };
  read_x("9007199254740993", any);
  CHECK(seed == 9'007'199'254'740'993);  // 2^53 + 1, which no double is
  CHECK_THROWS_WITH(read_x("9.007199254740993e15", any), Contains("must be written digit by digit"));

  CHECK_THROWS_WITH(read_x("yes", [](io::MapReader& r) { r.boolean("x", false); }),
                    Contains("true or false"));
  CHECK_THROWS_WITH(read_x("shraed",
                           [](io::MapReader& r) {
                             r.choice("x", {"shared", "separate"});
                           }),
                    Contains("unknown x 'shraed' (did you mean 'shared'?); allowed: 'shared', 'separate'"));
  CHECK_THROWS_WITH(read_x("1", [](io::MapReader& r) { r.number("other", {}); }),
                    Contains("f.yaml:1:1: a thing needs the key 'other'"));
  CHECK_THROWS_WITH(io::MapReader(io::parse_yaml("oter: 1", "f.yaml"), "a thing", {"x", "other"}),
                    Contains("f.yaml:1:1: unknown key 'oter' (did you mean 'other'?)"));
}

TEST_CASE("names of values: one table for reading, writing and messages", "[io]") {
  enum class Side { left, right };
  constexpr std::array kSides{io::Name{Side::right, "right"}, io::Name{Side::left, "left"}};  // in any order
  CHECK(io::word_of(kSides, Side::left) == "left");
  CHECK(io::value_of(kSides, "right") == Side::right);
  CHECK_FALSE(io::value_of(kSides, "up"));
  CHECK(io::words_of(kSides) == std::vector<std::string>{"right", "left"});
  CHECK_THROWS_AS(io::word_of(kSides, static_cast<Side>(2)), std::logic_error);

  const auto read = [&](io::MapReader& r) { io::read_name(r, "x", kSides); };
  CHECK_THROWS_WITH(read_x("rigth", read),
                    "f.yaml:1:4: unknown x 'rigth' (did you mean 'right'?); allowed: 'right', 'left'");
  CHECK_THROWS_WITH(read_x("[left]", read), Contains("x must be a text, found a list"));
  const io::Node node = io::parse_yaml("x: left\n", "f.yaml");
  io::MapReader reader(node, "a thing", {"x", "y", "z"});
  CHECK(io::read_name(reader, "x", kSides, Side::right) == Side::left);
  CHECK(io::read_name(reader, "y", kSides, Side::right) == Side::right);
  CHECK_THROWS_WITH(io::read_name(reader, "z", kSides), Contains("a thing needs the key 'z'"));
  CHECK(io::to_yaml(reader.resolved()) == "x: left\ny: right\n");
}

TEST_CASE("defaults end up in the resolved map", "[io]") {
  const io::Node node = io::parse_yaml("x: 2\n", "f.yaml");
  io::MapReader reader(node, "a thing", {"x", "y", "z"});
  CHECK(reader.number("x", {}, 5) == 2);
  CHECK(reader.integer("y", 0, 9, 7) == 7);
  CHECK(reader.boolean("z", true));
  CHECK(io::to_yaml(reader.resolved()) == "x: 2\ny: 7\nz: true\n");
}

TEST_CASE("only a regular file of a bounded size is read", "[io]") {
  const test::TemporaryFolder folder;
  const std::string file = folder.write("x.yaml", "0123456789");
  CHECK(io::read_file(file) == "0123456789");
  CHECK(io::read_file(file, 10) == "0123456789");
  CHECK_THROWS_WITH(io::read_file(file, 9), Contains("has 10 bytes; 9 bytes are allowed"));
  CHECK_THROWS_WITH(io::read_file("/dev/zero"), Contains("a pipe or a device"));
  CHECK_THROWS_WITH(io::read_file("/proc/self/mem"), Contains("can't be read"));
  CHECK_THROWS_WITH(io::read_file(file + "x"), Contains("no such file"));
}

TEST_CASE("a text that YAML 1.1 takes for something else is written in quotes", "[io]") {
  for (const char* text :
       {"on", "No", "YES", "off", "n", "True", "null", "1_000", "0x10", "1:30", "2020-01-01", "1e5"}) {
    CHECK(io::to_yaml(io::Node::text(text)) == "\"" + std::string(text) + "\"\n");
  }
  for (const char* text : {"one", "ee_resnet50", "/a/b.yaml", "3d_conv", "none"}) {
    CHECK(io::to_yaml(io::Node::text(text)) == std::string(text) + "\n");
  }
}

TEST_CASE("a file beyond a link's .. is another one than its name without it says", "[io]") {
  const test::TemporaryFolder folder;
  std::filesystem::create_directories(folder.path() / "far/deep");
  std::filesystem::create_directory_symlink("far/deep", folder.path() / "link");
  folder.write("n.yaml", "here");
  folder.write("far/n.yaml", "there");
  const io::FilesRead files;
  CHECK(io::read_file(folder.path() / "n.yaml") == "here");
  CHECK(io::read_file(folder.path() / "link/../n.yaml") == "there");
  CHECK(io::read_file(folder.path() / "far/../n.yaml") == "here");
  CHECK(files.hashes().size() == 2);
}

TEST_CASE("CSV", "[io]") {
  const test::TemporaryFolder folder;
  SECTION("a byte order mark, CRLF, quotes, blanks and empty lines") {
    io::CsvReader csv(folder.write("a.csv",
                                   "\xEF\xBB\xBF"
                                   "a, \"b\",c\r\n1,\"x,y\" ,3\r\n"));
    CHECK_THROWS(csv.next());  // a blank after the closing quote
    io::CsvReader good(folder.write("b.csv",
                                    "\xEF\xBB\xBF"
                                    "a,\"b\", c\r\n\r\n1,\"x,y\",  3\r\n\r\n"));
    CHECK(good.header() == std::vector<std::string>{"a", "b", "c"});
    REQUIRE(good.next());
    CHECK(good.cell(1) == "x,y");
    CHECK(good.number(2) == 3);
    CHECK(io::to_string(good.mark(2)).ends_with("b.csv:3:9"));
    CHECK_FALSE(good.next());
  }
  SECTION("cells that need quotes are written in them, and read back as they were") {
    std::string text = "a,b,c,d\n";
    const std::vector<std::string> cells{"x,y", "say \"a\"", "\"", "=1+1"};
    for (const std::string& cell : cells) text += io::csv_cell(cell) + (&cell == &cells.back() ? "\n" : ",");
    CHECK(text == "a,b,c,d\n\"x,y\",\"say \"\"a\"\"\",\"\"\"\",\"=1+1\"\n");
    CHECK(io::csv_cell("conv1_1.a") == "conv1_1.a");
    CHECK(io::csv_cell("-3.5") == "-3.5");
    CHECK(io::csv_cell("two\nlines") == "\"two\nlines\"");
    io::CsvReader csv(folder.write("a.csv", text));
    REQUIRE(csv.next());
    for (std::size_t i = 0; i < cells.size(); ++i) CHECK(csv.cell(i) == cells[i]);
  }
  SECTION("a doubled quote in quotes is a quote") {
    io::CsvReader csv(folder.write("a.csv", "\"a\"\"b\",c\n\"\"\"x\"\",\"\"y\"\"\",\"\"\"\"\n\"\"x,1\n"));
    CHECK(csv.header() == std::vector<std::string>{"a\"b", "c"});
    REQUIRE(csv.next());
    CHECK(csv.cell(0) == "\"x\",\"y\"");
    CHECK(csv.cell(1) == "\"");
    CHECK_THROWS_WITH(csv.next(), Contains("a.csv:3:1: a quoted cell must end with a quote and a comma"));
  }
  SECTION("what is broken") {
    io::CsvReader csv(folder.write("a.csv", "a,b\n1,2\n1\n"));
    REQUIRE(csv.next());
    CHECK_THROWS_WITH(csv.next(), Contains("a.csv:3:1: the row has 1 cells, the header has 2"));
    io::CsvReader gap(folder.write("b.csv", "a,b\n1,\n"));
    REQUIRE(gap.next());
    CHECK_THROWS_WITH(gap.number(1), Contains("b.csv:2:3: column 'b' has a gap"));
    io::CsvReader text(folder.write("c.csv", "a\nx\n"));
    REQUIRE(text.next());
    CHECK_THROWS_WITH(text.number(0), Contains("c.csv:2:1: a must be a finite number, found 'x'"));
    CHECK_THROWS_WITH(text.required_column("aa"),
                      Contains("no column 'aa'") && Contains("the header has 'a'"));
    CHECK_THROWS_WITH(io::CsvReader(folder.write("d.csv", "a,a\n")),
                      Contains("d.csv:1:3: column 'a' appears twice"));
    CHECK_THROWS_WITH(io::CsvReader(folder.write("e.csv", "\n\n")), Contains("the file is empty"));
    CHECK_THROWS_WITH(io::CsvReader("/no/such.csv"), Contains("no such file"));
    io::CsvReader wide(folder.write("g.csv", "a\n" + std::string(1'000'001, ',') + "\n"));
    CHECK_THROWS_WITH(wide.next(), Contains("g.csv:2:1000001: a row of more than 1000000 cells"));
    io::CsvReader quote(folder.write("f.csv", "a\n\"1\n"));
    CHECK_THROWS_WITH(quote.next(), Contains("f.csv:2:1: a quoted cell"));
  }
}

TEST_CASE("cells of CSV: quotes by RFC 4180, and around what a spreadsheet takes for a formula", "[io]") {
  CHECK(io::csv_cell("plain text") == "plain text");
  CHECK(io::csv_cell("a,b") == "\"a,b\"");
  CHECK(io::csv_cell("say \"hi\"") == "\"say \"\"hi\"\"\"");
  CHECK(io::csv_cell("two\nlines") == "\"two\nlines\"");
  CHECK(io::csv_cell("=1+1") == "\"=1+1\"");
  CHECK(io::csv_cell("-x") == "\"-x\"");
  CHECK(io::csv_cell("-1.5e3") == "-1.5e3");
  CHECK(io::csv_cell("").empty());
}

TEST_CASE("a table of columns as CSV", "[io]") {
  struct Row {
    std::string name;
    std::int64_t count;
    double share;
    bool chosen;
  };
  const std::vector<Row> rows{{"a,b", std::int64_t{1} << 60, 0.1, true}, {"-c", -2, 1e-9, false}};
  io::ColumnTable table;
  CHECK(table.rows() == 0);
  table.add("name", rows, [](const Row& row) { return row.name; });
  table.add("word", rows, [](const Row& /*row*/) { return std::string_view("w"); });
  table.add("count", rows, [](const Row& row) { return row.count; });
  table.add("share", rows, [](const Row& row) { return row.share; });
  table.add("chosen", rows, [](const Row& row) { return row.chosen; });
  CHECK(table.rows() == 2);
  CHECK(table.csv() ==
        "name,word,count,share,chosen\n\"a,b\",w,1152921504606846976,0.1,1\n\"-c\",w,-2,1e-09,0\n");
  CHECK(std::get<std::vector<std::int64_t>>(table.columns()[2].values).back() == -2);
}

TEST_CASE("files that are read are noted with the hash of their content", "[io]") {
  // The published hash of no bytes.
  CHECK(io::content_hash("") == "99aa06d3014798d86001c324468d497f");
  const test::TemporaryFolder folder;
  const std::filesystem::path file = folder.write("a.txt", "one");
  io::read_file(file);  // before anybody asks
  const io::FilesRead outer;
  {
    const io::FilesRead inner;
    io::read_file(file.parent_path() / "." / "a.txt");
    CHECK(inner.hashes() == io::FileHashes{{file.string(), io::content_hash("one")}});
  }
  CHECK(outer.hashes().size() == 1);
  folder.write("a.txt", "two");
  CHECK_THROWS_WITH(io::read_file(file), file.string() + ": has changed while it was in use");
}

TEST_CASE("data that are in no file are noted by name, whatever the current folder", "[io]") {
  io::FilesRead::note_data("a list", "before anybody asks");
  const io::FilesRead files;
  io::FilesRead::note_data("a list", "one");
  io::FilesRead::note_data("a list", "one");
  CHECK(files.hashes() == io::FileHashes{{"a list", io::content_hash("one")}});
  CHECK_THROWS_WITH(io::FilesRead::note_data("a list", "two"), "a list: has changed while it was in use");
}
