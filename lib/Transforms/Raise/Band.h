// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Conditions on the distance between key and row, of whatever lengths.

#ifndef POLYATTN_LIB_TRANSFORMS_RAISE_BAND_H
#define POLYATTN_LIB_TRANSFORMS_RAISE_BAND_H

#include "Expr.h"

#include <limits>

namespace polyattn::attn {

/// least <= key - row <= most.
struct Band {
  static constexpr int64_t infinity = std::numeric_limits<int64_t>::max() / 4;
  int64_t least = -infinity, most = infinity;
};

/// Where the condition is `wanted`, if that is a band. Of conditions made of
/// comparisons of sums of indices, and of their conjunctions.
std::optional<Band> bandOf(Notation &notation, Expr *condition, bool wanted,
                           Atom row, Atom key);

} // namespace polyattn::attn

#endif // POLYATTN_LIB_TRANSFORMS_RAISE_BAND_H
