#include "workloads/trace_file.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>

#include "workloads/io/csv.h"

namespace fluidbatch::workloads {
namespace {

constexpr std::int64_t kTicksPerSecond = 10'000'000;

/// Reads fixed-width fields from the front of a text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  /// Exactly `digits` decimal digits, in min .. max.
  std::optional<int> number(std::size_t digits, int min, int max) {
    if (text_.size() < digits) return std::nullopt;
    int value = 0;
    const char* end = text_.data() + digits;
    const auto result = std::from_chars(text_.data(), end, value);
    if (result.ec != std::errc{} || result.ptr != end || text_[0] == '-') return std::nullopt;
    if (value < min || value > max) return std::nullopt;
    text_.remove_prefix(digits);
    return value;
  }

  bool accept(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }

  /// Decimals of a second, as ticks of 100 ns.
  std::optional<std::int64_t> decimals() {
    std::int64_t ticks = 0;
    std::int64_t unit = kTicksPerSecond;
    bool any = false;
    while (!text_.empty() && text_[0] >= '0' && text_[0] <= '9') {
      unit /= 10;
      if (unit == 0 && text_[0] != '0') return std::nullopt;  // finer than 100 ns
      ticks += (text_[0] - '0') * unit;
      text_.remove_prefix(1);
      any = true;
    }
    return any ? std::optional(ticks) : std::nullopt;
  }

  [[nodiscard]] bool at_end() const { return text_.empty(); }
  [[nodiscard]] bool sees(char c) const { return text_.starts_with(c); }

 private:
  std::string_view text_;
};

std::optional<std::int64_t> days_since_epoch(Scanner& scanner) {
  const auto year = scanner.number(4, 1, 9999);
  if (!year || !scanner.accept('-')) return std::nullopt;
  const auto month = scanner.number(2, 1, 12);
  if (!month || !scanner.accept('-')) return std::nullopt;
  const auto day = scanner.number(2, 1, 31);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count();
}

/// `hh:mm` as seconds.
std::optional<std::int64_t> hours_and_minutes(Scanner& scanner) {
  const auto hours = scanner.number(2, 0, 23);
  if (!hours || !scanner.accept(':')) return std::nullopt;
  const auto minutes = scanner.number(2, 0, 59);
  if (!minutes) return std::nullopt;
  return *hours * 3600 + *minutes * 60;
}

/// `Z`, `+hh:mm`, `-hh:mm` or nothing, as seconds east of Greenwich.
std::optional<std::int64_t> zone_offset(Scanner& scanner) {
  if (scanner.accept('Z')) return 0;
  const bool west = scanner.sees('-');
  if (!scanner.accept('+') && !scanner.accept('-')) return 0;
  const auto seconds = hours_and_minutes(scanner);
  if (!seconds) return std::nullopt;
  return west ? -*seconds : *seconds;
}

/// Reads the dates of a trace from whichever column has them, in the trace's own time.
class DateColumn {
 public:
  /// Looks at the first row of `csv` to tell.
  explicit DateColumn(const io::CsvReader& csv) {
    if (const auto column = csv.column("arrival_s")) {
      column_ = *column;
      return;
    }
    for (std::size_t c = 0; c < csv.header().size(); ++c) {
      if (const auto ticks = parse_time_stamp(csv.cell(c))) {
        column_ = c;
        time_stamps_ = true;
        first_ticks_ = *ticks;
        return;
      }
    }
    throw io::InputError(csv.mark(0),
                         "no column 'arrival_s', and none with time stamps such as "
                         "'2023-11-16 18:17:03.9799600'; the header has " +
                             io::quoted_list(csv.header()));
  }

  [[nodiscard]] std::size_t column() const { return column_; }

  [[nodiscard]] double date_s(const io::CsvReader& csv) const {
    if (!time_stamps_) return csv.number(column_);
    const auto ticks = parse_time_stamp(csv.cell(column_));
    if (!ticks) {
      throw io::InputError(csv.mark(column_), "not a time stamp such as '2023-11-16 18:17:03.9799600': '" +
                                                  std::string(csv.cell(column_)) + "'");
    }
    return static_cast<double>(*ticks - first_ticks_) / static_cast<double>(kTicksPerSecond);
  }

 private:
  std::size_t column_ = 0;
  bool time_stamps_ = false;
  std::int64_t first_ticks_ = 0;
};

/// Reads rows as arrivals; dates must not fall.
class TraceReader {
 public:
  TraceReader(const io::CsvReader& csv, const TraceOptions& options)
      : csv_(csv),
        options_(options),
        dates_(csv),
        exit_(csv.column("exit")),
        correct_(csv.column("correct")),
        device_(csv.column("device")),
        sent_(csv.column("sent_s")) {}

  [[nodiscard]] bool has_exits() const { return exit_.has_value(); }

  /// The row at hand; nothing where it is not in the slice.
  std::optional<Arrival> read() {
    const double own_s = dates_.date_s(csv_);
    if (own_s < last_s_) {
      throw io::InputError(csv_.mark(dates_.column()),
                           first_ ? "the first arrival must not be before 0"
                                  : "arrivals must be in order of time; this one is before the last");
    }
    first_ = false;
    last_s_ = own_s;
    Arrival arrival;
    if (device_) arrival.device = static_cast<std::uint32_t>(csv_.integer(*device_, 0, kMostDevices - 1));
    if (exit_) arrival.exit = static_cast<int>(csv_.integer(*exit_, 0, 1'000'000));
    // A gap is allowed here: where it is not known whether an answer is right.
    if (correct_ && !csv_.is_gap(*correct_)) {
      arrival.correct = static_cast<int>(csv_.integer(*correct_, 0, 1));
    }
    const double sent_s = sent_ ? sent_date_s(own_s) : own_s;
    const double counts_s = options_.dates_of_sending ? sent_s : own_s;
    if (counts_s < options_.from_s || counts_s >= options_.to_s) return std::nullopt;
    arrival.date_s = date_s(counts_s);
    arrival.sent_s = date_s(sent_s);
    return arrival;
  }

 private:
  [[nodiscard]] double date_s(double own_s) const {
    const double date_s = (own_s - options_.from_s) * options_.time_scale;
    if (!std::isfinite(date_s)) {
      throw io::InputError(csv_.mark(dates_.column()), "time_scale puts this arrival at an infinite date");
    }
    return date_s;
  }

  [[nodiscard]] double sent_date_s(double own_s) const {
    const double sent_s = csv_.number(*sent_);
    if (sent_s < 0 || sent_s > own_s) {
      throw io::InputError(csv_.mark(*sent_), "sent_s must be from 0 to the arrival at the server");
    }
    return sent_s;
  }

  const io::CsvReader& csv_;
  TraceOptions options_;
  DateColumn dates_;
  std::optional<std::size_t> exit_;
  std::optional<std::size_t> correct_;
  std::optional<std::size_t> device_;
  std::optional<std::size_t> sent_;
  double last_s_ = 0;
  bool first_ = true;
};

}  // namespace

std::optional<std::int64_t> parse_time_stamp(std::string_view text) {
  Scanner scanner(text);
  const auto days = days_since_epoch(scanner);
  if (!days || (!scanner.accept(' ') && !scanner.accept('T'))) return std::nullopt;
  const auto minutes = hours_and_minutes(scanner);
  if (!minutes || !scanner.accept(':')) return std::nullopt;
  const auto seconds = scanner.number(2, 0, 60);  // 60: a leap second
  if (!seconds) return std::nullopt;
  std::optional<std::int64_t> decimals = 0;
  if (scanner.accept('.')) decimals = scanner.decimals();
  if (!decimals) return std::nullopt;
  const auto offset = zone_offset(scanner);
  if (!offset || !scanner.at_end()) return std::nullopt;
  return (*days * 86400 + *minutes + *seconds - *offset) * kTicksPerSecond + *decimals;
}

Trace load_trace(const std::filesystem::path& file, const TraceOptions& options) {
  io::CsvReader csv(file);
  Trace trace{.file = file, .arrivals = {}, .has_exits = false};
  if (!csv.next()) throw io::InputError({file.string(), 1, 1}, "the trace has no row");
  TraceReader reader(csv, options);
  trace.has_exits = reader.has_exits();
  do {
    if (const auto arrival = reader.read()) trace.arrivals.push_back(*arrival);
  } while (csv.next());
  if (trace.arrivals.empty()) {
    throw io::InputError({file.string(), 1, 1}, "the trace has no row from from_s to to_s");
  }
  if (options.dates_of_sending) {
    std::stable_sort(trace.arrivals.begin(), trace.arrivals.end(), [](const Arrival& a, const Arrival& b) {
      return a.date_s != b.date_s ? a.date_s < b.date_s : a.device < b.device;
    });
  }
  return trace;
}

std::vector<int> load_exits(const std::filesystem::path& file, int exits) {
  io::CsvReader csv(file);
  const std::size_t column = csv.required_column("exit");
  std::vector<int> values;
  while (csv.next()) values.push_back(static_cast<int>(csv.integer(column, 0, exits - 1)));
  if (values.empty()) throw io::InputError({file.string(), 1, 1}, "the trace has no row");
  return values;
}

}  // namespace fluidbatch::workloads
