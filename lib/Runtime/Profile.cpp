// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "polyattn/Runtime/Profile.h"

#include <algorithm>

using namespace polyattn::profile;

static void raise(double &most, double other) { most = std::max(most, other); }
static void lower(double &least, double other) {
  least = std::min(least, other);
}

void RowStatistics::merge(const RowStatistics &other) {
  if (!other.rows)
    return;
  // A least mean of 0 is no row's where there is none yet.
  leastMean = rows ? std::min(leastMean, other.leastMean) : other.leastMean;
  rows += other.rows;
  raise(secondMoment, other.secondMoment);
  raise(scoreRange, other.scoreRange);
}

void HeadStatistics::merge(const HeadStatistics &other) {
  raise(maxQuery, other.maxQuery);
  raise(maxKey, other.maxKey);
  raise(maxCentredKey, other.maxCentredKey);
  raise(maxValue, other.maxValue);
  raise(bound, other.bound);
  raise(centredBound, other.centredBound);
  lower(leastScore, other.leastScore);
  raise(largestScore, other.largestScore);
  longRows.merge(other.longRows);
  shortRows.merge(other.shortRows);
}

bool OpStatistics::merge(const OpStatistics &other) {
  if (heads.size() != other.heads.size())
    return false;
  calls += other.calls;
  keys += other.keys;
  longest = std::max(longest, other.longest);
  for (size_t i = 0; i < heads.size(); ++i)
    heads[i].merge(other.heads[i]);
  return true;
}
