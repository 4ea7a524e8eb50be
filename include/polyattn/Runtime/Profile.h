// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// What attention looked like over the inputs that were recorded. Plain C++: no
// MLIR, no LLVM. docs/profiles.md defines every number.

#ifndef POLYATTN_RUNTIME_PROFILE_H
#define POLYATTN_RUNTIME_PROFILE_H

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace polyattn::profile {

/// Rows that see fewer keys than this count apart, under masks whose rows start
/// at key 0: the few keys of a first row average nothing, and it is cheap to
/// evaluate exactly.
constexpr int64_t longRow = 512;

/// Of query rows that see some key of positive weight. x stands for scores
/// of centred keys, averages are over the keys that a row sees, by key weight.
struct RowStatistics {
  int64_t rows = 0;
  /// Largest mean of x^2, and least mean of x, of any row.
  double secondMoment = 0, leastMean = 0;
  /// Largest difference between two scores of a row.
  double scoreRange = 0;

  void merge(const RowStatistics &other);
};

/// Of one query head, over the batch and all calls.
struct HeadStatistics {
  /// Largest Euclidean norms of query, key and centred key rows, and largest
  /// absolute entry of value.
  double maxQuery = 0, maxKey = 0, maxCentredKey = 0, maxValue = 0;
  /// |scale| times the product of the largest norms of one call and one entry
  /// of the batch.
  double bound = 0, centredBound = 0;
  /// Of scores without bias of pairs that take part; least > largest if none.
  double leastScore = std::numeric_limits<double>::infinity();
  double largestScore = -std::numeric_limits<double>::infinity();
  RowStatistics longRows, shortRows;

  void merge(const HeadStatistics &other);
  /// Of long rows, or of short ones where no others were seen.
  double secondMoment() const {
    return longRows.rows ? longRows.secondMoment : shortRows.secondMoment;
  }
};

/// Of one op.
struct OpStatistics {
  /// How often it ran; the sum over calls of batch times number of keys; the
  /// largest number of keys of a call.
  int64_t calls = 0, keys = 0, longest = 0;
  std::vector<HeadStatistics> heads;

  /// False, and nothing changed, if the numbers of heads differ.
  bool merge(const OpStatistics &other);
};

/// By the key of the op.
using Profile = std::map<std::string, OpStatistics>;

} // namespace polyattn::profile

#endif // POLYATTN_RUNTIME_PROFILE_H
