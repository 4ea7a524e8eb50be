// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Rules of ops that move elements, of constants, and of tosa's reductions and
// products.

#include "BoundRules.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "polyattn/Analysis/Constants.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// Constants with more elements are not read: those that are stay in memory
/// until the analysis is over.
static constexpr int64_t maxConstant = 1 << 21;

/// A constant tensor from its elements in order.
static BoundFact fromElements(ArrayRef<int64_t> shape,
                              std::vector<double> elements) {
  BoundFact fact = BoundFact::top(shape);
  if (llvm::any_of(elements, [](double x) { return x != x; }))
    return fact;
  auto shared = std::make_shared<std::vector<double>>(std::move(elements));
  if (int64_t(shared->size()) <= BoundFact::maxCells) {
    fact.grid.assign(shape.begin(), shape.end());
    fact.values.assign(shared->begin(), shared->end());
  } else {
    auto [least, most] = std::minmax_element(shared->begin(), shared->end());
    fact.values.assign(1, Interval(*least, *most));
  }
  fact.constant = shared;
  return fact;
}

static double toDouble(APFloat number) {
  bool losesInfo;
  number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                 &losesInfo);
  return number.convertToDouble();
}

BoundFact polyattn::attn::constantFact(Attribute value, Type type) {
  if (auto number = dyn_cast<FloatAttr>(value))
    return BoundFact::within({}, Interval(toDouble(number.getValue())));
  if (auto number = dyn_cast<IntegerAttr>(value))
    return number.getValue().getSignificantBits() > 52
               ? BoundFact::top({})
               : BoundFact::within(
                     {}, Interval(double(number.getValue().getSExtValue())));
  auto shaped = dyn_cast<ShapedType>(type);
  if (!shaped)
    return BoundFact::top({});
  if (!shaped.hasStaticShape() || shaped.getNumElements() > maxConstant ||
      shaped.getNumElements() == 0)
    return BoundFact::top(shaped.getShape());
  if (!isa<FloatType>(shaped.getElementType()))
    return BoundFact::top(shaped.getShape());
  if (auto dense = dyn_cast<DenseElementsAttr>(value); dense && dense.isSplat())
    return BoundFact::within(
        shaped.getShape(), Interval(toDouble(dense.getSplatValue<APFloat>())));
  if (auto elements = readElements(value, shaped))
    return fromElements(shaped.getShape(), std::move(*elements));
  return BoundFact::top(shaped.getShape());
}

//===----------------------------------------------------------------------===//
// tensor
//===----------------------------------------------------------------------===//

static BoundFact reshapeRule(const RuleInput &input) {
  return input.in[0].reshaped(input.shape);
}

/// Sizes become known or unknown; the elements stay.
static BoundFact castRule(const RuleInput &input) {
  const BoundFact &x = input.in[0];
  if (llvm::equal(x.shape, input.shape))
    return x;
  BoundFact result =
      BoundFact::within(input.shape, withElementBounds(x).hull());
  for (unsigned d = 0; d < result.rank(); ++d)
    result.norms[d] = {x.maxNorm(d)};
  return result;
}

static BoundFact sliceRule(const RuleInput &input) {
  auto slice = cast<tensor::ExtractSliceOp>(input.op);
  BoundFact fact = input.in[0];
  for (unsigned d = 0; d < fact.rank(); ++d) {
    int64_t offset = slice.getStaticOffsets()[d];
    int64_t size = slice.getStaticSizes()[d];
    // Every other element: a part of the fibre, at indices that are not kept
    // track of.
    if (slice.getStaticStrides()[d] != 1)
      fact = fact.coarsened(d).sliced(d, ShapedType::kDynamic, size);
    else
      fact = fact.sliced(d, offset, size);
  }
  // Dropped dimensions have size 1.
  if (llvm::equal(fact.shape, input.shape))
    return fact;
  llvm::SmallBitVector dropped = slice.getDroppedDims();
  SmallVector<int> from;
  for (unsigned d = 0; d < fact.rank(); ++d)
    if (!dropped.test(d))
      from.push_back(int(d));
  return fact.remapped(input.shape, from);
}

/// [-second half, first half] of one tensor.
static void relateHalves(const BoundFact &first, const BoundFact &second,
                         unsigned d, BoundFact &result) {
  for (const Identity &a : first.identities)
    for (const Identity &b : second.identities) {
      if (!a.slice || !b.slice || a.root != b.root || a.axes != b.axes ||
          a.view != View::Plain || b.view != View::Plain || a.sign != -1 ||
          b.sign != 1 || a.rel || a.abs || b.rel || b.abs)
        continue;
      auto root = cast<ShapedType>(a.root.getType());
      int axis = a.axes[d];
      int64_t half = a.slice->size;
      if (axis < 0 || a.slice->axis != axis || b.slice->axis != axis ||
          b.slice->offset != 0 || b.slice->size != half ||
          a.slice->offset != half || root.getDimSize(axis) != 2 * half)
        continue;
      Identity whole = b;
      whole.slice.reset();
      whole.view = View::RotatedHalf;
      whole.viewAxis = axis;
      result.identities.push_back(whole);
    }
}

/// Without a grid, where sizes are not known or too large.
static BoundFact concatenatedAnywhere(const RuleInput &input,
                                      ArrayRef<BoundFact> parts) {
  Interval all = parts[0].hull();
  for (const BoundFact &part : parts) {
    Interval some = part.hull();
    all = Interval(std::min(all.Lo, some.Lo), std::max(all.Hi, some.Hi));
  }
  return BoundFact::within(input.shape, all);
}

/// Cells of all parts, one after another along d.
static BoundFact concatenated(const RuleInput &input, ArrayRef<BoundFact> parts,
                              unsigned d) {
  BoundFact::Shape grid(parts[0].grid);
  for (const BoundFact &part : parts)
    for (auto [size, other] : llvm::zip_equal(grid, part.grid))
      size = std::max(size, other);
  grid[d] = input.shape[d];
  if (ShapedType::isDynamic(grid[d]) ||
      llvm::product_of(grid) > BoundFact::maxCells)
    return concatenatedAnywhere(input, parts);
  BoundFact result = BoundFact::top(input.shape);
  result.grid = grid;
  result.values.resize(llvm::product_of(grid));
  int64_t start = 0;
  for (const BoundFact &part : parts) {
    forEachCell(grid, [&](int64_t cell, ArrayRef<int64_t> index) {
      SmallVector<int64_t> at(index);
      at[d] -= start;
      if (at[d] >= 0 && at[d] < part.shape[d])
        result.values[cell] = part.values[cellOf(part.grid, at)];
    });
    start += part.shape[d];
  }
  return result;
}

/// A fibre along d consists of one of every part; one along another dimension
/// lies in one part.
static void concatenateNorms(ArrayRef<BoundFact> parts, unsigned d,
                             BoundFact &result) {
  for (unsigned other = 0; other < result.rank(); ++other) {
    double bound = 0;
    for (const BoundFact &part : parts) {
      double norm = part.maxNorm(other);
      bound = other == d ? nextUp(bound + timesUp(norm, norm))
                         : std::max(bound, norm);
    }
    result.norms[other].assign(result.numCells(),
                               other == d ? nextUp(std::sqrt(bound)) : bound);
  }
}

static BoundFact concat(const RuleInput &input, unsigned d) {
  std::vector<BoundFact> parts;
  for (const BoundFact &part : input.in)
    parts.push_back(withElementBounds(part));
  BoundFact result = concatenated(input, parts, d);
  concatenateNorms(parts, d, result);
  if (parts.size() == 2)
    relateHalves(parts[0], parts[1], d, result);
  return result;
}

static BoundFact concatRule(const RuleInput &input) {
  return concat(input, unsigned(cast<tensor::ConcatOp>(input.op).getDim()));
}

static BoundFact splatRule(const RuleInput &input) {
  return BoundFact::within(input.shape, input.in[0].hull());
}

static BoundFact softmaxRule(const RuleInput &input) {
  auto softmax = cast<linalg::SoftmaxOp>(input.op);
  unsigned d = unsigned(softmax.getDimension());
  BoundFact result =
      BoundFact::within(input.shape, rounded(Interval(0, 1), input.format, 16));
  // The sum of the computed weights: 1, up to the error of a sum of n terms.
  if (!ShapedType::isDynamic(input.shape[d])) {
    double chain = (double(input.shape[d]) + 8) * 2 * input.format.unit;
    if (chain < 0.5) {
      double sum = nextUp(1 + 2 * chain);
      result.sums[d] = {sum};
      result.norms[d] = {sum};
    }
  }
  result.origin = hop(input.op, "softmax");
  return result;
}

//===----------------------------------------------------------------------===//
// tosa
//===----------------------------------------------------------------------===//

static BoundFact tosaTransposeRule(const RuleInput &input) {
  SmallVector<int> from;
  for (int32_t d : cast<tosa::TransposeOp>(input.op).getPerms())
    from.push_back(d);
  return input.in[0].remapped(input.shape, from);
}

static BoundFact tosaConcatRule(const RuleInput &input) {
  return concat(input, unsigned(cast<tosa::ConcatOp>(input.op).getAxis()));
}

static BoundFact tosaSliceRule(const RuleInput &input) {
  auto slice = cast<tosa::SliceOp>(input.op);
  DenseIntElementsAttr start, size;
  bool known = matchPattern(slice.getStart(), m_Constant(&start)) &&
               matchPattern(slice.getSize(), m_Constant(&size));
  if (!known)
    return BoundFact::within(input.shape, input.in[0].hull());
  BoundFact fact = input.in[0];
  auto offsets = llvm::to_vector(start.getValues<int64_t>());
  for (unsigned d = 0; d < fact.rank(); ++d)
    fact = fact.sliced(d, offsets[d], input.shape[d]);
  return fact;
}

static BoundFact tosaReduceSumRule(const RuleInput &input) {
  unsigned d = unsigned(cast<tosa::ReduceSumOp>(input.op).getAxis());
  BoundFact result = sumOver(input, input.in[0], d);
  result.shape = input.shape;
  return result;
}

static BoundFact tosaReduceMaxRule(const RuleInput &input) {
  unsigned d = unsigned(cast<tosa::ReduceMaxOp>(input.op).getAxis());
  BoundFact result = maximumOver(input.in[0], d);
  result.shape = input.shape;
  return result;
}

llvm::ArrayRef<RuleEntry> polyattn::attn::layoutRules() {
  constexpr auto whole = RuleEntry::Whole, layout = RuleEntry::Layout;
  static const RuleEntry entries[] = {
      {"tensor.collapse_shape", reshapeRule, layout},
      {"tensor.expand_shape", reshapeRule, layout},
      {"tensor.reshape", reshapeRule, layout},
      {"tensor.cast", castRule, layout},
      {"tensor.extract_slice", sliceRule, layout},
      {"tensor.concat", concatRule, layout},
      {"tensor.splat", splatRule, layout},
      {"linalg.softmax", softmaxRule, whole},
      {"tosa.reshape", reshapeRule, layout},
      {"tosa.transpose", tosaTransposeRule, layout},
      {"tosa.concat", tosaConcatRule, layout},
      {"tosa.slice", tosaSliceRule, layout},
      {"tosa.matmul", matmulRule, whole},
      {"attn.lora_linear", loraLinearRule, whole},
      {"attn.lora_merge", loraMergeRule, whole},
      {"tosa.reduce_sum", tosaReduceSumRule, whole},
      {"tosa.reduce_max", tosaReduceMaxRule, whole},
  };
  return entries;
}
