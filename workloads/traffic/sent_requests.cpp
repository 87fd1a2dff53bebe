#include "workloads/traffic/sent_requests.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace fluidbatch::workloads {
namespace {

std::size_t streams_of(const Devices& devices) {
  return std::accumulate(devices.groups().begin(), devices.groups().end(), std::size_t{0},
                         [](std::size_t sum, const DeviceGroup& group) { return sum + group.streams(); });
}

}  // namespace

SentRequests::SentRequests(const Devices& devices, const ExitSpec& exits, std::uint64_t seed,
                           const RunLength& length, double answer_latency_s)
    : exits_(exits.start(seed, devices.keys())),
      restarts_(devices.restart()),
      length_(length),
      answer_latency_s_(answer_latency_s),
      tree_(streams_of(devices)) {
  if (exits.bound() > 0) length_.requests = std::min(length_.requests, exits.bound());
  const bool listens = devices.listen();
  const std::size_t streams = streams_of(devices);
  sources_.reserve(streams);
  for (std::size_t g = 0; g < devices.groups().size(); ++g) {
    const DeviceGroup& group = devices.groups()[g];
    const std::uint32_t devices_each = group.arrivals->devices_per_stream();
    for (std::uint32_t i = 0; i < group.streams(); ++i) {
      if (listens) {
        stream_of_device_.insert(stream_of_device_.end(), devices_each,
                                 static_cast<std::uint32_t>(sources_.size()));
      }
      sources_.push_back({.stream = group.arrivals->start(seed, Devices::key(g, i)),
                          .first_device = group.first_device + i * devices_each,
                          .has_details = group.arrivals->has_details()});
      Source& source = sources_.back();
      source.drawn_ahead = streams > 1 && !listens && !source.has_details;
      if (source.drawn_ahead) source.next_s = source.stream->next_s();
      fetch(static_cast<std::uint32_t>(sources_.size() - 1));
    }
  }
  look_ahead();
}

SentRequests::SentRequests(const SentRequests& other)
    : RequestStream(other),
      exits_(other.exits_->clone()),
      restarts_(other.restarts_),
      length_(other.length_),
      answer_latency_s_(other.answer_latency_s_),
      tree_(other.tree_),
      stream_of_device_(other.stream_of_device_),
      given_(other.given_),
      next_event_s_(other.next_event_s_) {
  sources_.reserve(other.sources_.size());
  for (const Source& source : other.sources_) {
    sources_.push_back({.stream = source.stream->clone(),
                        .first_device = source.first_device,
                        .has_details = source.has_details,
                        .drawn_ahead = source.drawn_ahead,
                        .next_s = source.next_s});
  }
}

void SentRequests::split(std::uint64_t branch) {
  exits_->split(branch);
  for (Source& source : sources_) source.stream->split(branch);
}

bool SentRequests::restart(double now_s, std::size_t unread) {
  if (!restarts_ || !exits_->give_back(unread)) return false;
  given_ -= unread;
  for (std::uint32_t i = 0; i < sources_.size(); ++i) {
    Source& source = sources_[i];
    source.stream->restart(now_s);
    if (source.drawn_ahead) source.next_s = source.stream->next_s();
    fetch(i);
  }
  look_ahead();
  return true;
}

void SentRequests::read_one(Arrival& request) {
  const std::uint32_t source = tree_.leaf();
  const Source& from = sources_[source];
  request = Arrival::at(tree_.date_s());
  if (from.has_details) from.stream->add_details(request);
  request.device += from.first_device;
  exits_->draw({&request, 1});
  ++given_;
  fetch(source);
  look_ahead();
}

std::size_t SentRequests::read(std::span<Arrival> block) {
  const bool one_by_one = sources_.size() > 1 || sources_.front().has_details || block.size() == 1;
  if (!one_by_one && foretold()) return read_many(block);
  const std::size_t most = foretold() ? block.size() : 1;
  std::size_t filled = 0;
  while (filled < most && next_event_s_ < kNever) read_one(block[filled++]);
  return filled;
}

/// The only stream is asked for many dates at once.
std::size_t SentRequests::read_many(std::span<Arrival> block) {
  constexpr std::size_t kMost = 64;
  std::array<double, kMost> dates_s{};
  std::size_t filled = 0;
  while (filled < block.size() && next_event_s_ < kNever) {
    const std::size_t wanted = std::min({kMost, block.size() - filled, length_.requests - given_});
    const std::span<double> dates(dates_s.data(), wanted);
    dates.front() = tree_.date_s();
    sources_.front().stream->draw(dates.subspan(1));
    const std::size_t begin = filled;
    const auto end = std::ranges::lower_bound(dates, std::min(kNever, length_.duration_s));
    for (const double date_s : dates.first(static_cast<std::size_t>(end - dates.begin()))) {
      block[filled] = Arrival::at(date_s);
      block[filled].device = sources_.front().first_device;
      ++filled;
    }
    exits_->draw(block.subspan(begin, filled - begin));
    given_ += filled - begin;
    if (filled < begin + wanted) {
      tree_.set(0, dates[filled - begin]);  // the first one too late
    } else {
      fetch(0);
    }
    look_ahead();
  }
  return filled;
}

void SentRequests::answered(std::uint32_t device, double date_s) {
  const std::uint32_t source = stream_of_device_[device];
  sources_[source].stream->answered(date_s + answer_latency_s_);
  if (tree_.date_of(source) == kNever) fetch(source);
  look_ahead();
}

void SentRequests::look_ahead() {
  const bool more = given_ < length_.requests && tree_.date_s() < length_.duration_s;
  next_event_s_ = more ? tree_.date_s() : kNever;
}

}  // namespace fluidbatch::workloads
