#include "workloads/traffic/trace_file.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "workloads/io/csv.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::workloads {
namespace {

constexpr std::int64_t kTicksPerSecond = 10'000'000;
constexpr int kTickExponent = -7;  // the same, as a power of ten

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

/// Reads dates from whichever column has them, exactly.
class DateColumn {
 public:
  /// Looks at the first row of `csv` to tell.
  DateColumn(const io::CsvReader& csv, TimeUnit unit) : unit_(unit) {
    if (const auto column = csv.column("arrival_s")) {
      column_ = *column;
      return;
    }
    for (std::size_t c = 0; c < csv.header().size(); ++c) {
      if (csv.is_gap(c) || !parse_time_stamp(csv.cell(c))) continue;
      if (unit != TimeUnit::s) throw io::InputError(csv.mark(c), "time_unit does not go with time stamps");
      column_ = c;
      time_stamps_ = true;
      return;
    }
    throw io::InputError(csv.mark(0),
                         "no column 'arrival_s', and none with time stamps such as "
                         "'2023-11-16 18:17:03.9799600'; the header has " +
                             io::quoted_list(csv.header()));
  }

  [[nodiscard]] std::size_t column() const { return column_; }

  /// In seconds: since 1970, for time stamps.
  [[nodiscard]] io::Decimal date_s(const io::CsvReader& csv) const {
    if (!time_stamps_) return number_s(csv, column_);
    const auto date_s = time_stamp_s(csv.cell(column_));
    if (!date_s) {
      throw io::InputError(csv.mark(column_), "not a time stamp such as '2023-11-16 18:17:03.9799600': '" +
                                                  std::string(csv.cell(column_)) + "'");
    }
    return *date_s;
  }

  /// The same from a column of numbers.
  [[nodiscard]] io::Decimal number_s(const io::CsvReader& csv, std::size_t column) const {
    const auto number = io::Decimal::parse(csv.cell(column));
    if (!number) {
      throw io::InputError(csv.mark(column), csv.header()[column] + " must be a finite number, found '" +
                                                 std::string(csv.cell(column)) + "'");
    }
    return number->shifted(power_of_ten(unit_));
  }

 private:
  TimeUnit unit_;
  std::size_t column_ = 0;
  bool time_stamps_ = false;
};

/// The earliest date in `column`, which no earlier row need have: the sample that is sent first may arrive
/// late.
io::Decimal earliest_s(const std::filesystem::path& file, const DateColumn& dates, std::size_t column) {
  io::CsvReader csv(file);
  std::optional<io::Decimal> earliest;
  while (csv.next()) {
    const io::Decimal date_s = dates.number_s(csv, column);
    if (!earliest || date_s.minus(*earliest).is_negative()) earliest = date_s;
  }
  return earliest.value_or(io::Decimal());
}

/// Reads rows as arrivals; dates must not fall.
class TraceReader {
 public:
  TraceReader(const io::CsvReader& csv, const std::filesystem::path& file, const TraceOptions& options)
      : csv_(csv),
        options_(options),
        dates_(csv, options.time_unit),
        exit_(csv.column("exit")),
        correct_(csv.column("correct")),
        device_(csv.column("device")),
        sent_(csv.column("sent_s")),
        origin_s_(origin_s(file)),
        from_s_(io::Decimal::parse(io::shortest(options.from_s)).value_or(io::Decimal())) {}

  [[nodiscard]] bool has_exits() const { return exit_.has_value(); }

  /// The row at hand; nothing where it is not in the slice.
  std::optional<Arrival> read() {
    const io::Decimal exact_s = dates_.date_s(csv_);
    const io::Decimal since_origin_s = exact_s.minus(origin_s_);
    const io::Decimal sent_s = sent_ ? sent_date_s(since_origin_s) : since_origin_s;
    const double own_s = since_origin_s.to_double();
    check_order(exact_s, own_s);
    Arrival arrival;
    if (device_) arrival.device = static_cast<std::uint32_t>(csv_.integer(*device_, 0, kMostDevices - 1));
    if (exit_) arrival.exit = static_cast<int>(csv_.integer(*exit_, 0, 1'000'000));
    // A gap is allowed here: where it is not known whether an answer is right.
    if (correct_ && !csv_.is_gap(*correct_)) {
      arrival.correct = static_cast<std::int8_t>(csv_.integer(*correct_, 0, 1));
    }
    const double own_sent_s = sent_ ? sent_s.to_double() : own_s;
    const double counts_s = options_.dates_of_sending ? own_sent_s : own_s;
    if (counts_s < options_.from_s || counts_s >= options_.to_s) return std::nullopt;
    arrival.sent_s = date_s(sent_s, own_sent_s);
    arrival.date_s = options_.dates_of_sending ? arrival.sent_s : date_s(since_origin_s, own_s);
    return arrival;
  }

 private:
  /// The date that others are taken relative to.
  [[nodiscard]] io::Decimal origin_s(const std::filesystem::path& file) const {
    switch (options_.origin) {
      case TraceOptions::Origin::given:
        return options_.origin_s;
      case TraceOptions::Origin::zero:
        return {};
      case TraceOptions::Origin::first_row:
        break;
    }
    return sent_ ? earliest_s(file, dates_, *sent_) : dates_.date_s(csv_);
  }

  void check_order(const io::Decimal& exact_s, double own_s) {
    const auto refuse = [this](const char* text) { throw io::InputError(csv_.mark(dates_.column()), text); };
    if (exact_s.is_negative()) refuse("the first arrival must not be before 0");
    if (own_s < last_s_ && first_) refuse("this arrival is before the origin; from_s and to_s cut a slice");
    if (own_s < last_s_) refuse("arrivals must be in order of time; this one is before the last");
    first_ = false;
    last_s_ = own_s;
  }

  /// In the run's time, of a date after the origin: exactly, and as a double. May be below 0 for a sending
  /// that is before the slice.
  [[nodiscard]] double date_s(const io::Decimal& exact_s, double own_s) const {
    double sliced_s = options_.from_s == 0 ? own_s : exact_s.minus(from_s_).to_double();
    // In the slice by its double, and just before from_s exactly: the slice begins with it.
    if (own_s >= options_.from_s) sliced_s = std::max(0.0, sliced_s);
    const double date_s = sliced_s * options_.time_scale;
    if (!(date_s <= kLastTraceDate_s)) {
      throw io::InputError(
          csv_.mark(dates_.column()),
          "this arrival is at " + io::shortest(date_s) +
              " s; the last date to be exact to 1e-9 s is 16777216 s (194 days). Cut a slice "
              "with from_s and to_s, or give time_unit or origin");
    }
    return date_s;
  }

  [[nodiscard]] io::Decimal sent_date_s(const io::Decimal& arrival_s) const {
    const io::Decimal sent_s = dates_.number_s(csv_, *sent_).minus(origin_s_);
    if (sent_s.is_negative() || arrival_s.minus(sent_s).is_negative()) {
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
  io::Decimal origin_s_;
  io::Decimal from_s_;
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

std::optional<io::Decimal> time_stamp_s(std::string_view text) {
  const auto ticks = parse_time_stamp(text);
  if (!ticks) return std::nullopt;
  return io::Decimal(*ticks, kTickExponent);
}

bool counts_from_its_run(const std::filesystem::path& file) {
  const io::CsvReader csv(file);
  return csv.column("request") && csv.column("sent_s") && csv.column("completion_s");
}

Trace load_trace(const std::filesystem::path& file, const TraceOptions& options) {
  io::CsvReader csv(file);
  Trace trace{.file = file, .arrivals = {}, .has_exits = false};
  if (!csv.next()) throw io::InputError({file.string(), 1, 1}, "the trace has no row");
  TraceReader reader(csv, file, options);
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
