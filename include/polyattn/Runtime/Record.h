// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Where instrumented code leaves its statistics. Plain C++: no MLIR, no LLVM.

#ifndef POLYATTN_RUNTIME_RECORD_H
#define POLYATTN_RUNTIME_RECORD_H

#include "polyattn/Runtime/Profile.h"

namespace polyattn::profile {

/// The inputs of one call of an attention, row-major.
struct RecordedCall {
  /// [batch, heads, n, d], [batch, keyHeads, m, d], [batch, keyHeads, m, e].
  const double *query, *key, *value;
  /// [batch, keyHeads, m], nonnegative.
  const double *weights;
  /// [n, 2]: the keys [begin, end) that a row sees, within [0, m].
  const int64_t *ranges;
  double scale;
  /// Do the rows of the mask start at key 0, whatever the lengths?
  bool startsAtZero;
  int64_t batch, heads, keyHeads, n, m, d, e;
};

/// The statistics of one call. `problem` is set, and the result useless, where
/// the inputs hold NaN, infinity or a negative key weight.
OpStatistics computeStatistics(const RecordedCall &call, std::string &problem);

/// What this process has recorded since the last call of this function, and
/// what went wrong, an empty string if nothing did. Thread-safe, as recording
/// is.
struct Recorded {
  Profile profile;
  std::string problem;
};
Recorded takeRecorded();

/// The functions that instrumented code calls, by name.
struct RuntimeSymbol {
  const char *name;
  void *address;
};
RuntimeSymbol recordSymbol();

} // namespace polyattn::profile

#endif // POLYATTN_RUNTIME_RECORD_H
