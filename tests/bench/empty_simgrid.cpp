// A SimGrid program that simulates nothing: what loading and setting up SimGrid takes, for `make bench` to
// compare a run of one request with. SimGrid needs a zone to have its models made.

#include <simgrid/s4u.hpp>

int main(int argc, char** argv) {
  const simgrid::s4u::Engine engine(&argc, argv);
  simgrid::s4u::create_full_zone("empty")->seal();
  engine.run();
  return 0;
}
