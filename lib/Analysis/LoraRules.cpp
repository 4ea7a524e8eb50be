// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Linear layers with adapters: |x W| and scale |x A| |B|, with proved norms of
// constant matrices.

#include "BoundRules.h"
#include "polyattn/Dialect/Attn/Attn.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

/// Adapters that are looked at one by one; of more, only what holds for all.
static constexpr int64_t mostAdapters = 64;

namespace {
/// The dimensions of a [.., n, k] times matrix [k, columns].
struct RowsTimesMatrix {
  const RuleInput &input;
  /// Terms that one sum may have besides those of this product: rounding
  /// grows with all of them, whatever their order.
  double otherTerms;

  BoundFact run(const BoundFact &rows, const BoundFact &matrix,
                bool transposed) const;
};
} // namespace

BoundFact RowsTimesMatrix::run(const BoundFact &rows, const BoundFact &matrix,
                               bool transposed) const {
  unsigned column = rows.rank() - 1, k = rows.rank();
  LoraLayout layout{transposed};
  SmallVector<int64_t> loops(rows.shape);
  loops[column] = matrix.shape[layout.out()];
  loops.push_back(rows.shape.back());
  SmallVector<int> fromRows(loops.size(), -1), fromMatrix(loops.size(), -1),
      out;
  for (unsigned d = 0; d < column; ++d)
    fromRows[d] = int(d);
  fromRows[k] = int(column);
  fromMatrix[column] = int(layout.out());
  fromMatrix[k] = int(layout.in());
  for (unsigned d = 0; d <= column; ++d)
    out.push_back(int(d));
  RuleInput inner = input;
  inner.shape = BoundFact::Shape(loops);
  double terms = ShapedType::isDynamic(loops[k]) ? 1 : double(loops[k]) + 2;
  inner.format.unit *= 1 + otherTerms / terms;
  BoundFact sums =
      product(inner, {rows.remapped(loops, fromRows), &rows, fromRows},
              {matrix.remapped(loops, fromMatrix), &matrix, fromMatrix}, k);
  return sums.remapped(ArrayRef(loops).drop_back(), out);
}

static BoundFact scaled(const RuleInput &input, const BoundFact &x,
                        double scale) {
  RuleInput inner = input;
  inner.shape = x.shape;
  return multiply(inner, x, BoundFact::within(x.shape, Interval(scale)));
}

/// scale (x A) B of one adapter.
static BoundFact adapterRule(const RuleInput &input, LoraLinearOp op,
                             const BoundFact &x, const BoundFact &a,
                             const BoundFact &b) {
  bool transposed = op.getTransposed();
  BoundFact thin = RowsTimesMatrix{input, 0}.run(x, a, transposed);
  thin = scaled(input, thin, op.getScale().convertToDouble());
  double others = ShapedType::isDynamic(x.shape.back())
                      ? std::numeric_limits<double>::infinity()
                      : double(x.shape.back()) + 2;
  return RowsTimesMatrix{input, others}.run(thin, b, transposed);
}

/// Adapter `l` of several.
static BoundFact adapterAt(const BoundFact &matrices, int64_t l) {
  return matrices.sliced(0, l, 1).reshaped(
      ArrayRef(matrices.shape).drop_front());
}

/// Whichever adapter a row has, or none.
static BoundFact anyAdapterRule(const RuleInput &input, LoraLinearOp op) {
  const BoundFact &x = input.in[0], &a = input.in[2], &b = input.in[3];
  int64_t count = a.shape[0];
  if (ShapedType::isDynamic(count) || count > mostAdapters ||
      ShapedType::isDynamic(b.shape[0]) ||
      llvm::any_of(a.shape, ShapedType::isDynamic) ||
      llvm::any_of(b.shape, ShapedType::isDynamic))
    return BoundFact::top(input.shape);
  BoundFact any = BoundFact::within(input.shape, Interval(0));
  for (int64_t l = 0; l < count; ++l)
    any = BoundFact::join(
        any, adapterRule(input, op, x, adapterAt(a, l), adapterAt(b, l)));
  return any;
}

BoundFact polyattn::attn::loraLinearRule(const RuleInput &input) {
  auto op = cast<LoraLinearOp>(input.op);
  const BoundFact &x = input.in[0], &weight = input.in[1];
  bool transposed = op.getTransposed();
  bool nothing = addsNothing(op.getA(), op.getB(),
                             op.getScale().convertToDouble(), transposed);
  int64_t rank = op.getB().getType().getShape().rbegin()[transposed ? 0 : 1];
  double others = nothing ? 0
                  : ShapedType::isDynamic(rank)
                      ? std::numeric_limits<double>::infinity()
                      : double(rank) + 2;
  BoundFact sum = RowsTimesMatrix{input, others}.run(x, weight, transposed);
  if (!nothing)
    sum = add(input, sum,
              op.getAdapters()
                  ? anyAdapterRule(input, op)
                  : adapterRule(input, op, x, input.in[2], input.in[3]));
  if (op.getBias()) {
    SmallVector<int> from(input.shape.size(), -1);
    from.back() = 0;
    sum = add(input, sum, input.in[4].remapped(input.shape, from));
  }
  passOnOrigin(input.op, input.in, sum);
  return sum;
}

BoundFact polyattn::attn::loraMergeRule(const RuleInput &input) {
  auto op = cast<LoraMergeOp>(input.op);
  const BoundFact &left = input.in[op.getTransposed() ? 2 : 1],
                  &right = input.in[op.getTransposed() ? 1 : 2];
  BoundFact product = RowsTimesMatrix{input, 0}.run(left, right, false);
  return add(input, input.in[0],
             scaled(input, product, op.getScale().convertToDouble()));
}
