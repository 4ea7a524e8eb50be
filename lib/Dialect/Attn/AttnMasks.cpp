// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// What each mask admits. A mask states its key interval once, as a template
// over index arithmetic; the same formula then yields numbers and IR.
// To add a mask: one attribute in AttnAttrs.td, one `keyRange` and one
// DEFINE_MASK line here.

#include "mlir/IR/Builders.h"
#include "polyattn/Dialect/Attn/Attn.h"

#include <algorithm>

using namespace mlir;
using namespace polyattn::attn;

namespace {

/// Index arithmetic on numbers.
struct NumberArith {
  using Index = int64_t;
  Index constant(int64_t c) { return c; }
  Index add(Index a, Index b) { return a + b; }
  Index sub(Index a, Index b) { return a - b; }
  Index min(Index a, Index b) { return std::min(a, b); }
  Index max(Index a, Index b) { return std::max(a, b); }
  Index mul(Index a, Index b) { return a * b; }
  Index div(Index a, Index b) { return a / b; }
  /// a < b ? x : y.
  Index ifLess(Index a, Index b, Index x, Index y) { return a < b ? x : y; }
};

/// The same arithmetic as `arith` ops on `index`.
struct IRArith {
  using Index = Value;
  OpBuilder &b;
  Location loc;
  Index constant(int64_t c) {
    return arith::ConstantIndexOp::create(b, loc, c);
  }
  Index add(Index l, Index r) {
    return b.createOrFold<arith::AddIOp>(loc, l, r);
  }
  Index sub(Index l, Index r) {
    return b.createOrFold<arith::SubIOp>(loc, l, r);
  }
  Index min(Index l, Index r) {
    return b.createOrFold<arith::MinSIOp>(loc, l, r);
  }
  Index max(Index l, Index r) {
    return b.createOrFold<arith::MaxSIOp>(loc, l, r);
  }
  Index mul(Index l, Index r) {
    return b.createOrFold<arith::MulIOp>(loc, l, r);
  }
  Index div(Index l, Index r) {
    return b.createOrFold<arith::DivSIOp>(loc, l, r);
  }
  Index ifLess(Index l, Index r, Index x, Index y) {
    Value less =
        b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::slt, l, r);
    return b.createOrFold<arith::SelectOp>(loc, less, x, y);
  }
};

} // namespace

/// Key position of a query row.
template <typename A, typename I = typename A::Index>
static I position(A &a, Align align, I query, I numQueries, I numKeys) {
  return align == Align::Start ? query
                               : a.add(query, a.sub(numKeys, numQueries));
}

template <typename A, typename I = typename A::Index>
static KeyRange<I> keyRange(A &a, FullMaskAttr, I, I, I numKeys) {
  return {a.constant(0), numKeys};
}

template <typename A, typename I = typename A::Index>
static KeyRange<I> keyRange(A &a, CausalMaskAttr mask, I query, I n, I m) {
  I p = position(a, mask.getAlign(), query, n, m);
  return {a.constant(0), a.add(p, a.constant(1))};
}

template <typename A, typename I = typename A::Index>
static KeyRange<I> keyRange(A &a, SlidingWindowMaskAttr mask, I query, I n,
                            I m) {
  I p = position(a, mask.getAlign(), query, n, m);
  // A window longer than any sequence must not overflow the sum.
  int64_t right = std::min<int64_t>(mask.getRight(), int64_t(1) << 48);
  int64_t left = std::min<int64_t>(mask.getLeft(), int64_t(1) << 48);
  return {a.sub(p, a.constant(left)), a.add(p, a.constant(right + 1))};
}

template <typename A, typename I = typename A::Index>
static KeyRange<I> keyRange(A &a, PrefixMaskAttr mask, I query, I n, I m) {
  I p = position(a, mask.getAlign(), query, n, m);
  return {a.constant(0),
          a.max(a.add(p, a.constant(1)), a.constant(mask.getLength()))};
}

/// Scales of equal size share a formula, so that thousands of them do not make
/// as many comparisons.
template <typename A, typename I = typename A::Index>
static KeyRange<I> keyRange(A &a, BlockCausalMaskAttr mask, I query, I n, I m) {
  ArrayRef<int64_t> scales = mask.getScales();
  I p = position(a, mask.getAlign(), query, n, m);
  I end = a.constant(0);
  int64_t first = 0;
  for (size_t s = 0, next; s < scales.size(); s = next) {
    // The last scale has no end, hence is none of equal ones.
    for (next = s + 1; next + 1 < scales.size() && scales[next] == scales[s];)
      ++next;
    I ofRun = m, size = a.constant(scales[s]);
    if (next - s > 1)
      ofRun = a.add(a.constant(first + scales[s]),
                    a.mul(a.div(a.sub(p, a.constant(first)), size), size));
    else if (next < scales.size())
      ofRun = a.constant(first + scales[s]);
    end = a.ifLess(p, a.constant(first), end, ofRun);
    first += scales[s] * int64_t(next - s);
  }
  return {a.constant(0), end};
}

/// Clamps to the keys there are.
template <typename A, typename I = typename A::Index>
static KeyRange<I> clamped(A &a, KeyRange<I> range, I numKeys) {
  auto clamp = [&](I x) { return a.min(a.max(x, a.constant(0)), numKeys); };
  return {clamp(range.begin), clamp(range.end)};
}

/// Another alignment of the same mask.
static MaskAttrInterface aligned(CausalMaskAttr mask, Align align) {
  return CausalMaskAttr::get(mask.getContext(), align);
}
static MaskAttrInterface aligned(SlidingWindowMaskAttr mask, Align align) {
  return SlidingWindowMaskAttr::get(mask.getContext(), mask.getLeft(),
                                    mask.getRight(), align);
}
static MaskAttrInterface aligned(PrefixMaskAttr mask, Align align) {
  return PrefixMaskAttr::get(mask.getContext(), mask.getLength(), align);
}

static MaskAttrInterface aligned(BlockCausalMaskAttr mask, Align align) {
  return BlockCausalMaskAttr::get(mask.getContext(), mask.getScales(), align);
}

/// The key position of query row 0.
template <typename A, typename Mask, typename I = typename A::Index>
static I firstPosition(A &a, Mask mask, I n, I m) {
  return position(a, mask.getAlign(), a.constant(0), n, m);
}
template <typename A, typename I = typename A::Index>
static I firstPosition(A &a, FullMaskAttr, I, I) {
  return a.constant(0);
}

/// Where ranges change, if that is at few positions.
template <typename Mask>
static std::optional<SmallVector<int64_t>> steps(Mask) {
  return std::nullopt;
}
template <> std::optional<SmallVector<int64_t>> steps(FullMaskAttr) {
  return SmallVector<int64_t>();
}
template <>
std::optional<SmallVector<int64_t>> steps(BlockCausalMaskAttr mask) {
  SmallVector<int64_t> first;
  for (int64_t tokens : mask.getScales().drop_back())
    first.push_back(tokens + (first.empty() ? 0 : first.back()));
  return first;
}

/// Rows from the first on keep their position if they are counted from the
/// start, rows up to the last one if they are counted from the end; if there
/// are as many queries as keys both ways of counting agree.
template <typename Mask>
static MaskAttrInterface forRows(Mask mask, int64_t from, int64_t to, int64_t n,
                                 int64_t m) {
  bool both = n == m && !ShapedType::isDynamic(n);
  bool start = mask.getAlign() == Align::Start;
  if (from == 0 && (start || both))
    return aligned(mask, Align::Start);
  if (to == n && (!start || both))
    return aligned(mask, Align::End);
  return {};
}
static MaskAttrInterface forRows(FullMaskAttr mask, int64_t, int64_t, int64_t,
                                 int64_t) {
  return mask;
}

#define DEFINE_MASK(Mask, StartsAtZero, AdmitsAll)                             \
  KeyRange<Value> Mask::emitKeyRange(OpBuilder &builder, Location loc,         \
                                     Value query, Value numQueries,            \
                                     Value numKeys) const {                    \
    IRArith a{builder, loc};                                                   \
    return clamped(a, keyRange(a, *this, query, numQueries, numKeys),          \
                   numKeys);                                                   \
  }                                                                            \
  KeyRange<int64_t> Mask::getKeyRange(int64_t query, int64_t numQueries,       \
                                      int64_t numKeys) const {                 \
    NumberArith a;                                                             \
    return clamped(a, keyRange(a, *this, query, numQueries, numKeys),          \
                   numKeys);                                                   \
  }                                                                            \
  MaskAttrInterface Mask::forRows(int64_t from, int64_t to,                    \
                                  int64_t numQueries, int64_t numKeys) const { \
    return ::forRows(*this, from, to, numQueries, numKeys);                    \
  }                                                                            \
  std::optional<SmallVector<int64_t>> Mask::getSteps() const {                 \
    return steps(*this);                                                       \
  }                                                                            \
  Value Mask::emitFirstPosition(OpBuilder &builder, Location loc,              \
                                Value numQueries, Value numKeys) const {       \
    IRArith a{builder, loc};                                                   \
    return firstPosition(a, *this, numQueries, numKeys);                       \
  }                                                                            \
  int64_t Mask::getFirstPosition(int64_t numQueries, int64_t numKeys) const {  \
    NumberArith a;                                                             \
    return firstPosition(a, *this, numQueries, numKeys);                       \
  }                                                                            \
  bool Mask::startsAtZero() const { return StartsAtZero; }                     \
  bool Mask::admitsAll() const { return AdmitsAll; }

DEFINE_MASK(FullMaskAttr, /*StartsAtZero=*/true, /*AdmitsAll=*/true)
DEFINE_MASK(CausalMaskAttr, /*StartsAtZero=*/true, /*AdmitsAll=*/false)
DEFINE_MASK(SlidingWindowMaskAttr, /*StartsAtZero=*/false, /*AdmitsAll=*/false)
DEFINE_MASK(PrefixMaskAttr, /*StartsAtZero=*/true, /*AdmitsAll=*/false)
// Aligned at the end a single scale may have queries before all of its keys.
DEFINE_MASK(BlockCausalMaskAttr, /*StartsAtZero=*/true,
            /*AdmitsAll=*/getScales().size() == 1 && getAlign() == Align::Start)
#undef DEFINE_MASK

double MaskAttrInterface::countAdmitted(int64_t numQueries,
                                        int64_t numKeys) const {
  if (admitsAll())
    return double(numQueries) * double(numKeys);
  // Intervals are piecewise linear in the query, so sampling long sequences
  // costs accuracy only around the pieces' ends.
  int64_t step = std::max<int64_t>(1, numQueries / 4096);
  double sum = 0;
  int64_t samples = 0;
  for (int64_t q = step / 2; q < numQueries; q += step, ++samples) {
    KeyRange<int64_t> range = getKeyRange(q, numQueries, numKeys);
    sum += double(std::max<int64_t>(0, range.end - range.begin));
  }
  return samples ? sum / double(samples) * double(numQueries) : 0;
}
