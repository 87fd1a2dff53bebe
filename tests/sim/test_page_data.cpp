// What pages of the explorer are told: texts that HTML can't take for its own, and columns.
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "sim/explorer/configurations.h"
#include "sim/explorer/page_data.h"

namespace fluidbatch::sim {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

TEST_CASE("base 64 is that of RFC 4648") {
  CHECK(base64("").empty());
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foob") == "Zm9vYg==");
  CHECK(base64("fooba") == "Zm9vYmE=");
  CHECK(base64("foobar") == "Zm9vYmFy");
  CHECK(base64(std::string("\xff\x00\xfb", 3)) == "/wD7");
}

TEST_CASE("a text in a page ends no script and is UTF-8") {
  CHECK(json_text("a\"b\\c\n\t") == R"("a\"b\\c\u000a\u0009")");
  CHECK(json_text("</script><!--&") == R"("\u003c/script\u003e\u003c!--\u0026")");
  CHECK(json_text("\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xa0") == "\"\\u2028\\u2029\xe2\x80\xa0\"");
  CHECK(json_text("\xc3\xa9\xf0\x9f\x98\x80") == "\"\xc3\xa9\xf0\x9f\x98\x80\"");
  // Not UTF-8: a byte alone, an overlong slash, a surrogate, beyond U+10FFFF, one that is cut.
  const std::string sign = "\xef\xbf\xbd";
  CHECK(json_text("\xff") == "\"" + sign + "\"");
  CHECK(json_text("\xc0\xaf") == "\"" + sign + sign + "\"");
  CHECK(json_text("\xed\xa0\x80") == "\"" + sign + sign + sign + "\"");
  CHECK(json_text("\xf4\x90\x80\x80") == "\"" + sign + sign + sign + sign + "\"");
  CHECK(json_text("a\xe2\x80") == "\"a" + sign + sign + "\"");
}

TEST_CASE("a column has the smallest form") {
  CHECK(number_column({2.5, 2.5}) == R"({"kind":"constant","value":2.5})");
  CHECK(number_column({kMissing, kMissing}) == R"({"kind":"constant","value":null})");
  CHECK(number_column({1, 2, 1, 1, 1, 1, 1, 1}) ==
        R"({"kind":"codes","values":[1,2],"bytes":1,"data":"AAEAAAAAAAA="})");
  // Doubles 1 and -2, little-endian.
  CHECK(number_column({1, -2}) == R"({"kind":"numbers","data":"AAAAAAAA8D8AAAAAAAAAwA=="})");
  CHECK(text_column({"b", "a", "b"}) == R"({"kind":"codes","values":["b","a"],"bytes":1,"data":"AAEA"})");
  CHECK(text_column({"", ""}) == R"({"kind":"constant","value":""})");
  std::vector<std::string> texts(300);
  for (std::size_t i = 0; i < texts.size(); ++i) texts[i] = std::to_string(i);
  CHECK(text_column(texts).find(R"("bytes":2)") != std::string::npos);
}

TEST_CASE("configurations keep what differs") {
  Configurations kept;
  kept.add("a", "x: 1\ny: 2\n");
  kept.add("a", "x: 1\ny: 3\n");
  kept.add("b", "x: 1\ny: 3\n");
  kept.add("a", "");
  kept.add("a", "x: 1");
  kept.add_again(1);
  CHECK(kept.json() == R"({"lines":["x: 1","y: 2","y: 3"],"bases":[[0,1],[0,2],[0]],)"
                       R"("points":[[0],[0,1,2],[1],[],[2],[0,1,2]]})");
}

}  // namespace
}  // namespace fluidbatch::sim
