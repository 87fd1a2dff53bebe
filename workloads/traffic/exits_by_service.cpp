#include "workloads/traffic/exits_by_service.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace fluidbatch::workloads {
namespace {

class ExitsByServiceStream final : public ExitStream {
 public:
  ExitsByServiceStream(std::vector<std::unique_ptr<ExitStream>> streams,
                       const std::vector<std::size_t>& service_of_device)
      : streams_(std::move(streams)), service_of_device_(service_of_device) {}

  void draw(std::span<Arrival> requests) override {
    while (!requests.empty()) {
      const std::size_t service = service_of_device_[requests.front().device];
      const auto other = std::ranges::find_if(
          requests, [&](const Arrival& request) { return service_of_device_[request.device] != service; });
      const auto its = static_cast<std::size_t>(other - requests.begin());
      streams_[service]->draw(requests.first(its));
      requests = requests.subspan(its);
    }
  }
  std::unique_ptr<ExitStream> clone() const override {
    std::vector<std::unique_ptr<ExitStream>> streams;
    for (const auto& stream : streams_) streams.push_back(stream->clone());
    return std::make_unique<ExitsByServiceStream>(std::move(streams), service_of_device_);
  }
  void split(std::uint64_t branch) override {
    for (const auto& stream : streams_) stream->split(branch);
  }

 private:
  std::vector<std::unique_ptr<ExitStream>> streams_;
  const std::vector<std::size_t>& service_of_device_;
};

class ExitsByService final : public ExitSpec {
 public:
  ExitsByService(std::vector<std::shared_ptr<const ExitSpec>> of_services,
                 std::vector<std::size_t> service_of_device)
      : of_services_(std::move(of_services)), service_of_device_(std::move(service_of_device)) {}

  std::unique_ptr<ExitStream> start(std::uint64_t seed,
                                    const std::vector<std::uint64_t>& device_keys) const override {
    std::vector<std::unique_ptr<ExitStream>> streams;
    for (const auto& spec : of_services_) streams.push_back(spec->start(seed, device_keys));
    return std::make_unique<ExitsByServiceStream>(std::move(streams), service_of_device_);
  }
  std::vector<double> rates() const override {
    throw std::logic_error("each service has exit rates of its own");
  }

 private:
  std::vector<std::shared_ptr<const ExitSpec>> of_services_;
  std::vector<std::size_t> service_of_device_;
};

}  // namespace

std::optional<std::string> objection_to_exit_list(const ExitSpec& exits, const Devices& devices,
                                                  std::size_t service) {
  const std::uint64_t requests = devices.bound(service);
  if (exits.bound() == 0 || (requests > 0 && requests <= exits.bound())) return std::nullopt;
  return "where there are several services, a list of exits needs one for each request that is sent for its "
         "service; it has " +
         std::to_string(exits.bound()) +
         (requests == 0 ? ", and these requests don't end"
                        : " for " + std::to_string(requests) + " requests");
}

std::unique_ptr<ExitSpec> make_exits_by_service(std::vector<std::shared_ptr<const ExitSpec>> of_services,
                                                const Devices& devices) {
  for (std::size_t service = 0; service < of_services.size(); ++service) {
    if (const auto objection = objection_to_exit_list(*of_services[service], devices, service)) {
      throw std::invalid_argument(*objection);
    }
  }
  return std::make_unique<ExitsByService>(std::move(of_services), devices.services());
}

}  // namespace fluidbatch::workloads
