// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The function that instrumented code calls, and the table it fills.

#include "polyattn/Runtime/Record.h"

#include <mutex>
#include <utility>

using namespace polyattn::profile;

namespace {
/// A memref as MLIR's C interface passes it. All are row-major.
template <typename T, int rank> struct Memref {
  T *allocated, *aligned;
  int64_t offset, sizes[rank], strides[rank];
  const T *data() const { return aligned + offset; }
};

struct Table {
  std::mutex mutex;
  Recorded recorded;
};
} // namespace

/// Never destroyed: code may still run while the process ends.
static Table &table() {
  static Table *instance = new Table;
  return *instance;
}

static void add(const std::string &key, const OpStatistics &statistics,
                std::string problem) {
  std::lock_guard<std::mutex> lock(table().mutex);
  auto [entry, isNew] = table().recorded.profile.emplace(key, statistics);
  if (!isNew && !entry->second.merge(statistics))
    problem = "its number of heads changes from call to call";
  if (!problem.empty() && table().recorded.problem.empty())
    table().recorded.problem = "'" + key + "': " + problem;
}

Recorded polyattn::profile::takeRecorded() {
  std::lock_guard<std::mutex> lock(table().mutex);
  return std::exchange(table().recorded, {});
}

/// Sizes as in RecordedCall. What `attn.record` lowers to; the name is that
/// of MLIR's C interface for a function `polyattn_record`.
extern "C" __attribute__((visibility("default"))) void
_mlir_ciface_polyattn_record(Memref<char, 1> *key, Memref<double, 4> *query,
                             Memref<double, 4> *keys, Memref<double, 4> *value,
                             Memref<double, 3> *weights,
                             Memref<int64_t, 2> *ranges, double scale,
                             int64_t startsAtZero) {
  RecordedCall call{query->data(),     keys->data(),    value->data(),
                    weights->data(),   ranges->data(),  scale,
                    startsAtZero != 0, query->sizes[0], query->sizes[1],
                    keys->sizes[1],    query->sizes[2], keys->sizes[2],
                    query->sizes[3],   value->sizes[3]};
  std::string problem;
  OpStatistics statistics = computeStatistics(call, problem);
  add(std::string(key->data(), key->sizes[0]), statistics, std::move(problem));
}

RuntimeSymbol polyattn::profile::recordSymbol() {
  return {"_mlir_ciface_polyattn_record",
          reinterpret_cast<void *>(&_mlir_ciface_polyattn_record)};
}
