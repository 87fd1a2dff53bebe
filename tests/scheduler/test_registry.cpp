// Policies by name: what registers when, and that nobody loses what was found.
#include <algorithm>
#include <stdexcept>
#include <string>

#include <catch2/catch.hpp>

#include "scheduler/registry.h"

using namespace fluidbatch::scheduler;

namespace {

/// `serial` under another name, which is as good as any in what other tests do with all policies.
PolicyInfo serial_called(const std::string& name) {
  PolicyInfo info = *find_policy("serial");
  info.name = name;
  return info;
}

}  // namespace

TEST_CASE("pointers to policies stay good when more register, which go in by name") {
  const PolicyInfo* edf = find_policy("edf");
  const PolicyInfo* serial = find_policy("serial");
  const std::size_t before = all_policies().size();
  for (int i = 0; i < 100; ++i) add_policy(serial_called("dummy_" + std::to_string(i)));
  add_policy(serial_called("z_last"));
  CHECK(all_policies().size() == before + 101);
  CHECK(find_policy("edf") == edf);
  CHECK(edf->name == "edf");
  CHECK(find_policy("serial") == serial);
  CHECK(std::is_sorted(all_policies().begin(), all_policies().end(),
                       [](const PolicyInfo& a, const PolicyInfo& b) { return a.name < b.name; }));
}

TEST_CASE("a policy's name is registered once") {
  CHECK_THROWS_AS(add_policy(serial_called("edf")), std::logic_error);
  CHECK_THROWS_AS(PolicyRegistration(serial_called("edf")), std::logic_error);
  CHECK(find_policy("edf")->summary != find_policy("serial")->summary);
}

TEST_CASE("what may be replaced is found no more, and stays alive") {
  PolicyInfo info = serial_called("of_a_notebook");
  info.summary = "first";
  replace_policy(info);
  const PolicyInfo* first = find_policy("of_a_notebook");
  const std::size_t before = all_policies().size();
  info.summary = "second";
  replace_policy(info);
  const PolicyInfo* second = find_policy("of_a_notebook");
  CHECK(second != first);
  CHECK(second->summary == "second");
  CHECK(first->summary == "first");
  CHECK(first->make({}, {}) != nullptr);
  CHECK(all_policies().size() == before);
  CHECK_THROWS_AS(add_policy(info), std::logic_error);
}

TEST_CASE("nobody takes the place of what came otherwise") {
  const PolicyInfo* edf = find_policy("edf");
  CHECK_THROWS_AS(replace_policy(serial_called("edf")), std::logic_error);
  CHECK(find_policy("edf") == edf);
  CHECK_THROWS_AS(replace_router(*find_router("random")), std::logic_error);
  CHECK_THROWS_AS(replace_arbiter(*find_arbiter("priority")), std::logic_error);
  CHECK_THROWS_AS(replace_exit_control(*find_exit_control("adaptive")), std::logic_error);
}

TEST_CASE("what a shared object registers is kept apart, and read only where its stamp is this one's") {
  const LoadedPlugin loaded = registered_by([] {
    const PolicyRegistration good(serial_called("of_a_plug_in"));
    const PolicyRegistration taken(serial_called("edf"));
    const PolicyRegistration other(serial_called("of_another_version"), "another interface");
  });
  REQUIRE(loaded.policies.size() == 2);
  CHECK(loaded.policies[0].name == "of_a_plug_in");
  CHECK(loaded.policies[1].name == "edf");
  CHECK(loaded.other_interface == "another interface");
  CHECK(find_policy("of_a_plug_in") == nullptr);
  CHECK_THROWS_AS(PolicyRegistration(serial_called("of_another_version"), "another interface"),
                  std::logic_error);
}
