// A library to preload, which lets the n-th call of a kind fail, as memory, disks and process tables do:
//
//     LD_PRELOAD=libfailing_calls.so FAILING_CALL=write:17 program
//
// Kinds: allocate (malloc, calloc, realloc), open, read, write, fork. Calls count from main on, in each
// process by itself; a child takes its parent's count over. FAILING_CALL=count:FILE lets none fail, and
// appends the count of each kind to FILE as processes end. Nothing here may allocate.
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

enum Kind { allocate, open_file, read_file, write_file, fork_process, kinds };
constexpr const char* kNames[kinds] = {"allocate", "open", "read", "write", "fork"};

bool armed = false;  // main has begun
std::atomic<long> calls[kinds];
int failing_kind = kinds;
long failing_call = 0;
char count_file[512];

/// Whether this call, the next of its kind, is the one.
bool fails(Kind kind, int error) {
  if (!armed) return false;
  const long number = ++calls[kind];
  if (kind != failing_kind || number != failing_call) return false;
  errno = error;
  return true;
}

template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

/// At the end of the process, by whichever way it goes.
__attribute__((destructor)) void write_counts() {
  if (count_file[0] == '\0' || !armed) return;
  armed = false;
  const int file = ::open(count_file, O_WRONLY | O_CREAT | O_APPEND, 0644);
  for (int kind = 0; kind < kinds; ++kind) {
    char line[64];
    const int length = std::snprintf(line, sizeof line, "%s %ld\n", kNames[kind], calls[kind].load());
    if (::write(file, line, static_cast<std::size_t>(length)) != length) std::abort();
  }
  ::close(file);
}

void read_settings() {
  const char* text = std::getenv("FAILING_CALL");
  if (text == nullptr) return;
  if (std::strncmp(text, "count:", 6) == 0) {
    std::snprintf(count_file, sizeof count_file, "%s", text + 6);
    return;
  }
  for (int kind = 0; kind < kinds; ++kind) {
    const std::size_t length = std::strlen(kNames[kind]);
    if (std::strncmp(text, kNames[kind], length) != 0 || text[length] != ':') continue;
    failing_kind = kind;
    failing_call = std::atol(text + length + 1);
  }
}

using Main = int(int, char**, char**);
Main* program_main = nullptr;

int main_with_failures(int argc, char** argv, char** environment) {
  read_settings();
  armed = true;
  return program_main(argc, argv, environment);
}

/// The mode that open takes where it may make a file.
mode_t mode_of(int flags, va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

}  // namespace

extern "C" {

int __libc_start_main(Main* main, int argc, char** argv, void (*init)(), void (*fini)(), void (*rtld_fini)(),
                      void* stack_end) {
  using Start = int(Main*, int, char**, void (*)(), void (*)(), void (*)(), void*);
  program_main = main;
  return next<Start>("__libc_start_main")(main_with_failures, argc, argv, init, fini, rtld_fini, stack_end);
}

// The allocator's own names, since dlsym allocates.
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);

void* malloc(std::size_t size) { return fails(allocate, ENOMEM) ? nullptr : __libc_malloc(size); }
void* calloc(std::size_t count, std::size_t size) {
  return fails(allocate, ENOMEM) ? nullptr : __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) {
  return fails(allocate, ENOMEM) ? nullptr : __libc_realloc(old, size);
}

#define FAILING_OPEN(name)                                             \
  int name(const char* path, int flags, ...) {                         \
    va_list arguments;                                                 \
    va_start(arguments, flags);                                        \
    const mode_t mode = mode_of(flags, arguments);                     \
    va_end(arguments);                                                 \
    if (fails(open_file, EMFILE)) return -1;                           \
    return next<int(const char*, int, ...)>(#name)(path, flags, mode); \
  }
FAILING_OPEN(open)
FAILING_OPEN(open64)

#define FAILING_FOPEN(name)                                          \
  FILE* name(const char* path, const char* mode) {                   \
    if (fails(open_file, EMFILE)) return nullptr;                    \
    return next<FILE*(const char*, const char*)>(#name)(path, mode); \
  }
FAILING_FOPEN(fopen)
FAILING_FOPEN(fopen64)

ssize_t read(int file, void* buffer, std::size_t size) {
  if (fails(read_file, EIO)) return -1;
  return next<ssize_t(int, void*, std::size_t)>("read")(file, buffer, size);
}
ssize_t pread64(int file, void* buffer, std::size_t size, off64_t offset) {
  if (fails(read_file, EIO)) return -1;
  return next<ssize_t(int, void*, std::size_t, off64_t)>("pread64")(file, buffer, size, offset);
}

ssize_t write(int file, const void* buffer, std::size_t size) {
  if (fails(write_file, ENOSPC)) return -1;
  return next<ssize_t(int, const void*, std::size_t)>("write")(file, buffer, size);
}
ssize_t writev(int file, const iovec* parts, int count) {
  if (fails(write_file, ENOSPC)) return -1;
  return next<ssize_t(int, const iovec*, int)>("writev")(file, parts, count);
}
ssize_t pwrite64(int file, const void* buffer, std::size_t size, off64_t offset) {
  if (fails(write_file, ENOSPC)) return -1;
  return next<ssize_t(int, const void*, std::size_t, off64_t)>("pwrite64")(file, buffer, size, offset);
}
std::size_t fwrite(const void* buffer, std::size_t size, std::size_t count, FILE* file) {
  // The program's own messages are not what is tested: without them nothing would be said of a failure.
  if (file != stderr && fails(write_file, ENOSPC)) return 0;
  return next<std::size_t(const void*, std::size_t, std::size_t, FILE*)>("fwrite")(buffer, size, count, file);
}

pid_t fork() {
  if (fails(fork_process, EAGAIN)) return -1;
  return next<pid_t()>("fork")();
}

void _exit(int code) {
  write_counts();
  next<void(int)>("_exit")(code);
  __builtin_unreachable();
}
void _Exit(int code) { _exit(code); }

}  // extern "C"
