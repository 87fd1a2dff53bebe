// What a child process sends to its parent: values to bytes, and back. The same build is on both sides, so
// numbers travel as they are in memory.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace fluidbatch::sim {

template <typename T>
concept MessageNumber = std::is_arithmetic_v<T> || std::is_enum_v<T>;

/// Takes numbers, strings, arrays of numbers, structs that have a function `fields(object, visit)` beside
/// them, which hands all their fields to `visit` (the one list that writer and reader share), and vectors of
/// numbers or such structs.
class MessageWriter {
 public:
  template <typename... T>
  void operator()(const T&... values) {
    (put(values), ...);
  }

  [[nodiscard]] std::string take() { return std::move(bytes_); }

 private:
  template <typename T>
  void put(const T& object) {
    fields(object, *this);
  }
  template <MessageNumber T>
  void put(const T& number) {
    put_numbers(&number, 1);
  }
  void put(const std::string& text) { put_counted(text); }
  template <MessageNumber T>
  void put(const std::vector<T>& numbers) {
    put_counted(numbers);
  }
  template <typename T>
  void put(const std::vector<T>& objects) {
    put(std::uint64_t{objects.size()});
    for (const T& object : objects) put(object);
  }
  template <MessageNumber T, std::size_t N>
  void put(const std::array<T, N>& numbers) {
    put_numbers(numbers.data(), N);
  }

  template <typename Range>
  void put_counted(const Range& range) {
    put(std::uint64_t{range.size()});
    put_numbers(range.data(), range.size());
  }
  template <typename T>
  void put_numbers(const T* first, std::size_t count) {
    bytes_.append(reinterpret_cast<const char*>(first), count * sizeof(T));
  }

  std::string bytes_;
};

/// Gives the values back in the order in which they were written. Throws std::runtime_error where the message
/// ends before the values do. `bytes` must outlive it.
class MessageReader {
 public:
  explicit MessageReader(std::string_view bytes) : rest_(bytes) {}

  template <typename... T>
  void operator()(T&... values) {
    (get(values), ...);
  }

  /// Throws std::runtime_error where the message goes on.
  void end() const {
    if (!rest_.empty()) {
      throw std::runtime_error("a message between processes is " + std::to_string(rest_.size()) +
                               " bytes too long");
    }
  }

 private:
  template <typename T>
  void get(T& object) {
    fields(object, *this);
  }
  template <MessageNumber T>
  void get(T& number) {
    get_numbers(&number, 1);
  }
  void get(std::string& text) { get_counted(text); }
  template <MessageNumber T>
  void get(std::vector<T>& numbers) {
    get_counted(numbers);
  }
  template <typename T>
  void get(std::vector<T>& objects) {
    std::uint64_t count = 0;
    get(count);
    require(count, 1);
    objects.resize(count);
    for (T& object : objects) get(object);
  }
  template <MessageNumber T, std::size_t N>
  void get(std::array<T, N>& numbers) {
    get_numbers(numbers.data(), N);
  }

  template <typename Range>
  void get_counted(Range& range) {
    std::uint64_t count = 0;
    get(count);
    require(count, sizeof(typename Range::value_type));
    range.resize(count);
    get_numbers(range.data(), count);
  }
  template <typename T>
  void get_numbers(T* first, std::size_t count) {
    require(count, sizeof(T));
    if (count == 0) return;  // and `first` may be a null pointer
    std::memcpy(first, rest_.data(), count * sizeof(T));
    rest_.remove_prefix(count * sizeof(T));
  }
  void require(std::uint64_t count, std::size_t size) const {
    if (count > rest_.size() / size) throw std::runtime_error("a message between processes is cut short");
  }

  std::string_view rest_;
};

/// `object`, which has `fields`, as a message.
template <typename T>
std::string to_message(const T& object) {
  MessageWriter writer;
  writer(object);
  return writer.take();
}

/// The object that `to_message` made `bytes` of. Throws std::runtime_error where they are too few or too
/// many.
template <typename T>
T from_message(std::string_view bytes) {
  T object;
  MessageReader reader(bytes);
  reader(object);
  reader.end();
  return object;
}

}  // namespace fluidbatch::sim
