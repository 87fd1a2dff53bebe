#include "tests/support/site_witness.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

namespace fluidbatch::test {
namespace {

constexpr double kTie_s = 1e-9;

std::string arbiter_of(const sim::System& system) {
  if (system.arbiter.info == nullptr) return "oldest_first";  // there is one service, which is the order
  const std::string& name = system.arbiter.info->name;
  return name == "edgeserving" ? "" : name;
}

bool never_waits(const sim::System& system) {
  const std::set<std::string> names{"serial", "edf", "lazy_batching", "exit_aware"};
  return names.contains(system.policy->name);
}

}  // namespace

SiteWitness::SiteWitness(const sim::Scenario& scenario)
    : scenario_(scenario),
      system_(scenario.systems.front()),
      service_of_device_(scenario.devices.services()),
      arbiter_(arbiter_of(system_)),
      never_waits_(never_waits(system_)),
      npus_(system_.npus.size()) {
  for (Npu& npu : npus_) npu.lanes.resize(scenario.services.size());
}

void SiteWitness::object(bool holds, const std::string& what) {
  if (!holds && objections.size() < 5)
    objections.push_back("NPU " + std::to_string(npu_) + ", service " + std::to_string(service_) + ": " +
                         what);
}

void SiteWitness::turn_to(std::size_t npu, std::size_t service) {
  npu_ = npu;
  service_ = service;
}

void SiteWitness::admitted(Id id, const scheduler::Request& request) {
  object(id == admitted_++, "requests are numbered in order of arrival");
  object(request.npu == npu_, "a request knows its NPU");
  object(service_of_device_[request.device] == service_, "a request is of its device's service");
  check_route(npu_);
  guests_[id] = {.request = request, .service = service_};
  lane().queue.push_back(id);
  ++npu().in_system;
}

/// By the routers whose rule needs nothing but what is known here.
void SiteWitness::check_route(std::size_t chosen) {
  if (system_.router.info == nullptr) return;
  const std::string& router = system_.router.info->name;
  if (router == "round_robin") object(chosen == (admitted_ - 1) % npus_.size(), "round_robin goes round");
  if (router != "join_shortest_queue") return;
  const auto least = std::ranges::min_element(npus_, {}, &Npu::in_system);
  object(chosen == static_cast<std::size_t>(least - npus_.begin()), "the shortest queue is joined");
}

void SiteWitness::get_on(const Batch& batch, double date_s) {
  for (const Id id : batch.ids) {
    guests_[id].on_npu = true;
    guests_[id].since_s = date_s;
  }
}

void SiteWitness::get_off(const Batch& batch, double date_s) {
  for (const Id id : batch.ids) {
    Guest& guest = guests_[id];
    guest.on_npu = false;
    guest.served_s += date_s - guest.since_s;
  }
}

void SiteWitness::started(double date_s, int samples, bool preempting) {
  const auto count = static_cast<std::size_t>(samples);
  std::size_t in_flight = 0;
  for (const Batch& batch : lane().stack) in_flight += batch.ids.size();
  object(count <= lane().queue.size(), "samples come from their own service's queue");
  object(in_flight + count <= static_cast<std::size_t>(system_.max_batch()),
         "max_batch bounds what is in flight");
  object(npu().active == kNone || npu().active == service_, "one service has the NPU");
  if (lane().stack.empty()) {
    object(preempting == (npu().pushed_off_s == date_s), "a start costs where a batch was pushed off");
    check_start(date_s);
    npu().active = service_;
    npu().last_served = service_;
    npu().stay_begin_s = date_s;
  }
  npu().pushed_off_s = -1;
  if (lane().stack.empty() || lane().stack.back().next_layer > 0) {
    if (!lane().stack.empty()) {
      get_off(lane().stack.back(), date_s);
      ++suspensions;
    }
    lane().stack.emplace_back();
  }
  Batch& batch = lane().stack.back();
  for (std::size_t i = 0; i < count && !lane().queue.empty(); ++i) {
    batch.ids.push_back(lane().queue.front());
    lane().queue.pop_front();
  }
  get_on(batch, date_s);
  if (preempting) npu().cost_s = system_.preemption_cost_s;
}

/// A batch starts where there was none: its service is the first in order of those that may.
void SiteWitness::check_start(double date_s) {
  for (const Lane& lane : npu().lanes)
    object(!system_.drop_hopeless || lane.queue.empty() || !is_hopeless(lane.queue.front(), date_s),
           "hopeless heads are dropped");
  if (arbiter_.empty()) return;
  const bool pushed_off = npu().pushed_off_s == date_s;
  const Parked* last = npu().parked.empty() ? nullptr : &npu().parked.back();
  const std::vector<std::size_t> heads =
      heads_before(last == nullptr ? nullptr : &last->stack, pushed_off ? last->service : kNone, date_s);
  object(std::ranges::count(heads, service_) == 1, "who starts goes strictly before what is parked");
  if (!never_waits_ || heads.empty()) return;
  double least = std::numeric_limits<double>::infinity();
  const auto rank_of = [&](std::size_t s) { return rank(npu().lanes[s].queue.front(), 0, date_s); };
  for (const std::size_t s : heads) least = std::min(least, rank_of(s));
  std::size_t first = kNone;
  for (const std::size_t s : heads) {
    if (rank_of(s) > least + kTie_s) continue;
    const auto arrival_s = [&](std::size_t of) {
      return guests_[npu().lanes[of].queue.front()].request.arrival_s;
    };
    if (first == kNone || arrival_s(s) < arrival_s(first)) first = s;
  }
  object(service_ == first, "the first in order starts");
  if (heads.size() > 1) ++orders;
}

void SiteWitness::stepped(const sim::Step& step) {
  object(npu().active == service_, "only the active service's batch runs");
  object(!lane().stack.empty(), "a batch runs");
  if (lane().stack.empty()) return;
  Batch& batch = lane().stack.back();
  object(step.first_layer == batch.next_layer, "every layer once, in order");
  object(step.batch == static_cast<int>(batch.ids.size()), "a step runs the active batch");
  object(step.begin_s >= npu().last_end_s, "an NPU runs one step at a time");
  const double layers_s = table(service_).latency_s(step.first_layer, step.end_layer, step.batch);
  object(std::abs(step.end_s - step.begin_s - npu().cost_s - layers_s) < 1e-9,
         "a step takes its layers' time");
  check_passed_over(step);
  npu().last_end_s = step.end_s;
  npu().cost_s = 0;
  batch.next_layer = step.end_layer;
}

/// At the segment boundaries inside a step nobody goes before the active service.
void SiteWitness::check_passed_over(const sim::Step& step) {
  if (!system_.arbiter.preemptive || !never_waits_) return;
  const npu::BatchPolicyTable& its = table(service_);
  Stack stack = lane().stack;
  for (int segment = its.segment_of(step.first_layer) + 1; its.segment_begin(segment) < step.end_layer;
       ++segment) {
    const int layer = its.segment_begin(segment);
    stack.back().next_layer = layer;
    const double date_s = step.begin_s + npu().cost_s + its.latency_s(step.first_layer, layer, step.batch);
    for (const std::size_t s : heads_before(&stack, service_, date_s)) {
      const double arrival_s = guests_[npu().lanes[s].queue.front()].request.arrival_s;
      object(arrival_s > date_s - kTie_s, "who goes strictly before is not passed over");
    }
  }
}

void SiteWitness::departed(const scheduler::Request& request) {
  object(request.npu == npu_, "who leaves an NPU was sent there");
  --npu().in_system;
  if (request.dropped) return drop(request);
  object(npu().active == service_ && !lane().stack.empty(), "who leaves was running");
  if (lane().stack.empty()) return;
  Batch& batch = lane().stack.back();
  // Those of one device and one date are alike in all that matters, if their exits and samples are.
  const bool drawn = !system_.exit_controls[service_].decides();
  const auto found = std::ranges::find_if(batch.ids, [&](Id id) {
    const scheduler::Request& its = guests_[id].request;
    return its.device == request.device && its.arrival_s == request.arrival_s &&
           its.sample == request.sample && (!drawn || its.exit == request.exit);
  });
  object(found != batch.ids.end(), "who leaves was in the active batch");
  if (found == batch.ids.end()) return;
  object(request.completion_s == npu().last_end_s, "a request leaves at the end of a step");
  object(table(service_).segment_begin(request.exit + 1) == batch.next_layer, "a request leaves at its exit");
  const Guest& guest = guests_[*found];
  const double served_s = guest.served_s + request.completion_s - guest.since_s;
  object(std::abs(request.completion_s - request.start_s - request.suspended_s - served_s) < 1e-9,
         "between start and completion a request is served or suspended");
  batch.ids.erase(found);
  if (!batch.ids.empty()) return;
  lane().stack.pop_back();
  if (lane().stack.empty()) return give_up(request.completion_s);
  get_on(lane().stack.back(), request.completion_s);
}

void SiteWitness::drop(const scheduler::Request& request) {
  ++drops;
  object(!lane().queue.empty(), "who is dropped was in a queue");
  if (lane().queue.empty()) return;
  const Id id = lane().queue.front();
  object(guests_[id].request.device == request.device && guests_[id].request.arrival_s == request.arrival_s,
         "the oldest is dropped");
  if (system_.policy->name != "clockwork")
    object(is_hopeless(id, request.completion_s), "only who is hopeless is dropped");
  lane().queue.pop_front();
}

/// The active service has the NPU no more.
void SiteWitness::give_up(double date_s) {
  lane().npu_time_s += date_s - npu().stay_begin_s;
  npu().active = kNone;
}

void SiteWitness::merged(double date_s) {
  ++merges;
  Stack& stack = lane().stack;
  object(stack.size() > 1, "two batches merge");
  if (stack.size() < 2) return;
  const Batch newcomers = stack.back();
  stack.pop_back();
  object(stack.back().next_layer == newcomers.next_layer, "batches merge before the same layer");
  get_off(newcomers, date_s);
  stack.back().ids.insert(stack.back().ids.end(), newcomers.ids.begin(), newcomers.ids.end());
  get_on(stack.back(), date_s);
}

void SiteWitness::parked(double date_s) {
  ++parks;
  object(system_.arbiter.preemptive, "only a preemptive arbiter pushes off");
  object(npu().active == service_ && !lane().stack.empty(), "who has the NPU is pushed off");
  if (lane().stack.empty()) return;
  const Batch& batch = lane().stack.back();
  const npu::BatchPolicyTable& its = table(service_);
  object(its.segment_begin(its.segment_of(batch.next_layer)) == batch.next_layer,
         "at a boundary of segments");
  get_off(batch, date_s);
  npu().parked.push_back({.service = service_, .stack = std::move(lane().stack)});
  lane().stack.clear();
  npu().pushed_off_s = date_s;
  give_up(date_s);
}

void SiteWitness::came_back(double date_s) {
  object(!npu().parked.empty() && npu().parked.back().service == service_,
         "the last one that was parked comes back");
  object(npu().active == kNone, "it comes back to an idle NPU");
  if (npu().parked.empty()) return;
  if (never_waits_ && !arbiter_.empty()) {
    object(heads_before(&npu().parked.back().stack, kNone, date_s).empty(),
           "a stack does not come back before those who go strictly before it");
  }
  object(lane().stack.empty(), "nothing else of its service is on the NPU");
  lane().stack = std::move(npu().parked.back().stack);
  npu().parked.pop_back();
  get_on(lane().stack.back(), date_s);
  npu().active = service_;
  npu().stay_begin_s = date_s;
}

void SiteWitness::completed(Id id, const scheduler::Request& request) {
  object(id == completed_++, "rows are in order of request numbers");
  object(guests_.contains(id) && guests_[id].request.npu == request.npu, "one NPU serves a request");
  guests_.erase(id);
}

void SiteWitness::look_at(const sim::SiteCore& core, double date_s) {
  const sim::SiteState& state = core.state();
  std::int64_t in_system = 0;
  for (npu_ = 0; npu_ < npus_.size(); ++npu_) {
    const sim::SiteServerState& its = state.servers[npu_];
    object(its.active == npu().active, "the core's active service is ours");
    object(its.parked.size() == npu().parked.size(), "the core's parked stacks are ours");
    for (service_ = 0; service_ < npu().lanes.size(); ++service_) check_lane(its, service_);
    in_system += its.in_system;
    object(its.in_system == static_cast<std::int64_t>(npu().in_system),
           "the core counts whom an NPU has as we do");
    check_at_work(date_s);
  }
  object(state.in_system == in_system, "the site's requests are those of its NPUs");
}

void SiteWitness::check_lane(const sim::SiteServerState& state, std::size_t service) {
  const sim::LaneState& its = state.lanes[service];
  object(std::ranges::equal(its.queue.ids(), lane().queue), "the core's queue is ours");
  std::size_t in_flight = 0;
  std::int64_t parked = 0;
  object(its.stack.batches().size() == lane().stack.size(), "the core's batches are ours");
  for (std::size_t i = 0; i < std::min(its.stack.batches().size(), lane().stack.size()); ++i) {
    const scheduler::Batch& batch = its.stack.batches()[i];
    const Batch& ours = lane().stack[i];
    in_flight += ours.ids.size();
    object(std::ranges::is_permutation(batch.samples, ours.ids), "the core's samples are ours");
    object(batch.next_layer == ours.next_layer, "the core's batches are as far as ours");
  }
  for (const Parked& stack : npu().parked) {
    if (stack.service != service) continue;
    for (const Batch& batch : stack.stack) parked += static_cast<std::int64_t>(batch.ids.size());
  }
  const sim::Conservation& c = its.conservation;
  object(its.in_flight() == in_flight && its.parked == parked, "the core counts whom a service has as we do");
  object(c.admitted == c.completed + c.dropped + static_cast<std::uint64_t>(its.in_system), "nobody is lost");
}

/// After all events of a date.
void SiteWitness::check_at_work(double date_s) {
  const bool idle = npu().active == kNone;
  object(!idle || npu().parked.empty(), "an NPU with parked stacks is at work");
  if (!never_waits_) return;
  for (const Lane& lane : npu().lanes) object(!idle || lane.queue.empty(), "an NPU with a queue is at work");
  if (idle || !system_.arbiter.preemptive) return;
  service_ = npu().active;
  const Batch& batch = lane().stack.back();
  const npu::BatchPolicyTable& its = table(service_);
  // Those who have just started are before their first layer: what holds of them is checked at their start.
  const bool at_segment =
      batch.next_layer > 0 && its.segment_begin(its.segment_of(batch.next_layer)) == batch.next_layer;
  if (!at_segment || npu().last_end_s != date_s) return;
  object(heads_before(&lane().stack, service_, date_s).empty(),
         "nobody who goes strictly before is kept waiting");
}

void SiteWitness::end() {
  object(admitted_ == completed_ && guests_.empty(), "everybody has left");
  for (const Npu& npu : npus_) object(npu.active == kNone && npu.parked.empty(), "nobody is left on an NPU");
}

bool SiteWitness::is_hopeless(Id id, double now_s) const {
  const Guest& guest = guests_.at(id);
  const scheduler::ServerSlo slo = scenario_.services[guest.service].slo.of_server();
  const double alone_s = table(guest.service).single_sample_latency_s();
  return now_s - slo.start_s(guest.request) + alone_s > slo.latency_s + kTie_s;
}

/// `next_layer`: 0 in a queue.
double SiteWitness::rank(Id id, int next_layer, double now_s) const {
  const Guest& guest = guests_.at(id);
  const sim::Service& service = scenario_.services[guest.service];
  const Npu& npu = npus_[npu_];
  const double alone_s = table(guest.service).single_sample_latency_s();
  const scheduler::ServerSlo slo = service.slo.of_server();
  const double deadline_s = slo.start_s(guest.request) + slo.latency_s;
  if (arbiter_ == "oldest_first") return guest.request.arrival_s;
  if (arbiter_ == "priority") return -service.priority;
  if (arbiter_ == "earliest_deadline") return deadline_s;
  if (arbiter_ == "least_slack") return (deadline_s - now_s) - alone_s;
  if (arbiter_ == "shortest_first") return alone_s;
  if (arbiter_ == "fair_share") return npu.lanes[guest.service].npu_time_s / service.weight;
  if (arbiter_ == "prema") return prema_rank(guest, next_layer, now_s);
  const std::size_t all = npu.lanes.size();  // round_robin
  const std::size_t first = npu.last_served == kNone ? 0 : npu.last_served + 1;
  return static_cast<double>((guest.service + all - first % all) % all);
}

/// Tokens of 1, 3 or 9 by priority, as much again for each time alone that was waited; rounded down to these
/// levels the most go first, and of equals the shortest rest.
double SiteWitness::prema_rank(const Guest& guest, int next_layer, double now_s) const {
  constexpr std::array<double, 3> kLevels{1, 3, 9};
  const npu::BatchPolicyTable& its = table(guest.service);
  const double alone_s = its.single_sample_latency_s();
  const double served_s = guest.served_s + (guest.on_npu ? now_s - guest.since_s : 0);
  const double waited_s = now_s - guest.request.arrival_s - served_s;
  const auto priority =
      static_cast<std::size_t>(std::clamp(scenario_.services[guest.service].priority, 0, 2));
  const double tokens = kLevels.at(priority) * (1 + waited_s / alone_s);
  double level = 0;
  if (tokens >= 3 - 1e-9) level = 1;
  if (tokens >= 9 - 1e-9) level = 2;
  constexpr double kMuch_s = 1'000;
  return its.latency_s(next_layer, its.layers(), 1) - kMuch_s * level;
}

bool SiteWitness::strictly_before(Id head, const Stack& stack, double now_s) const {
  return std::ranges::all_of(stack, [&](const Batch& batch) {
    return std::ranges::all_of(
        batch.ids, [&](Id id) { return rank(head, 0, now_s) < rank(id, batch.next_layer, now_s) - kTie_s; });
  });
}

/// Services, but one, whose heads go strictly before all of `stack`; all with a queue where that is null.
std::vector<std::size_t> SiteWitness::heads_before(const Stack* stack, std::size_t but, double now_s) const {
  std::vector<std::size_t> services;
  const Npu& npu = npus_[npu_];
  for (std::size_t s = 0; s < npu.lanes.size(); ++s) {
    if (s == but || npu.lanes[s].queue.empty()) continue;
    if (stack == nullptr || strictly_before(npu.lanes[s].queue.front(), *stack, now_s)) services.push_back(s);
  }
  return services;
}

}  // namespace fluidbatch::test
