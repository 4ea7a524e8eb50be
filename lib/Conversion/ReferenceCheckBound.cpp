// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The reference lowerings of attn.check_bound and attn.center_keys.

#include "Reference.h"
#include "ReferenceScores.h"

#include <cmath>

using namespace mlir;
using namespace polyattn::attn;

/// An upper bound of the largest Euclidean norm of each head's rows, but at
/// least 2^-500 so that no product of two norms underflows. `grow` covers
/// rounding.
static Value largestNorms(TensorLoops &e, Value rows, Value grow) {
  OpBuilder &b = e.b;
  Sizes sizes = tensor::getMixedSizes(b, e.loc, rows);
  Dims dims = firstDims(sizes.size());
  Dims row(dims.begin(), dims.end() - 1), head(dims.begin(), dims.end() - 2);
  auto addSquare = [&](OpBuilder &b, ValueRange args) -> Value {
    Value square = arith::MulFOp::create(b, e.loc, args[0], args[0]);
    return arith::AddFOp::create(b, e.loc, args[1], square);
  };
  auto larger = [&](OpBuilder &b, ValueRange args) -> Value {
    return arith::MaximumFOp::create(b, e.loc, args[0], args[1]); // keeps NaN
  };
  Value zeros = e.filled(ArrayRef(sizes).drop_back(), 0);
  Value squares = e.loops({{rows, dims}}, {zeros, row}, addSquare);
  Value floor = e.filled(ArrayRef(sizes).drop_back(2), 0x1p-1000);
  Value largest = e.loops({{squares, row}}, {floor, head}, larger);
  return e.loops({}, {largest, head},
                 [&](OpBuilder &b, ValueRange args) -> Value {
                   Value norm = math::SqrtOp::create(b, e.loc, args[0]);
                   return arith::MulFOp::create(b, e.loc, norm, grow);
                 });
}

/// 1 + (d + 8) 2^-52. The sum of d squares is off by at most a factor
/// 1 +- (d + 1) 2^-53; the root, and the few products after it, by 2^-53 each.
static Value emitGrowth(TensorLoops &e, Value rows) {
  OpBuilder &b = e.b;
  int64_t last = cast<RankedTensorType>(rows.getType()).getRank() - 1;
  Value d = tensor::DimOp::create(b, e.loc, rows, last);
  d = arith::IndexCastOp::create(b, e.loc, b.getI64Type(), d);
  d = arith::UIToFPOp::create(b, e.loc, e.type, d);
  Value steps = arith::AddFOp::create(b, e.loc, d, e.real(b, 8));
  Value error = arith::MulFOp::create(b, e.loc, steps, e.real(b, 0x1p-52));
  return arith::AddFOp::create(b, e.loc, error, e.real(b, 1));
}

namespace {
/// Moments of the scores of every row. All in f64, where rounding is far below
/// what the check allows for.
struct MomentReference : ScoreReference {
  CheckBoundOp op;

  MomentReference(OpBuilder &b, CheckBoundOp op)
      : ScoreReference(b, op.getLoc(), b.getF64Type(),
                       {op.getQuery(), op.getKey(), Value(), op.getKeyWeights(),
                        op.getMask(), op.getScale().convertToDouble()}),
        op(op) {}

  /// Does every row keep within the limits?
  Value lower();

private:
  /// The sum over the keys of each row of its weight times a power of its
  /// score. A negative weight makes it NaN.
  Value sums(Value scores, unsigned power);
  Value rowsWithin(Value sums, double factor, double limit, Value weights);
};
} // namespace

Value MomentReference::sums(Value scores, unsigned power) {
  SmallVector<Indexed> operands{{scores, append(batch, {query, key})}};
  llvm::append_range(operands, weightInput());
  Dims row = append(batch, {query});
  return loops(
      operands, {filled(sizes({numQueries}), 0), row},
      [&](OpBuilder &b, ValueRange args) -> Value {
        Value weight = weights ? args[1] : real(b, 1);
        Value positive = arith::CmpFOp::create(
            b, loc, arith::CmpFPredicate::OGE, weight, real(b, 0));
        Value term =
            arith::SelectOp::create(b, loc, positive, weight, real(b, NAN));
        for (unsigned t = 0; t < power; ++t)
          term = arith::MulFOp::create(b, loc, term, args[0]);
        Value sum = arith::AddFOp::create(b, loc, args.back(), term);
        Value counts = admits(b, weights ? args[1] : Value());
        return b.createOrFold<arith::SelectOp>(loc, counts, sum, args.back());
      });
}

/// factor * sums_i <= limit * weights_i for every row, with some slack for
/// rounding. False if anything is NaN.
Value MomentReference::rowsWithin(Value sums, double factor, double limit,
                                  Value weights) {
  Dims row = append(batch, {query});
  Value excess = loops(
      {{sums, row}, {weights, row}}, {filled({}, -1), {}},
      [&](OpBuilder &b, ValueRange args) -> Value {
        Value most = arith::MulFOp::create(b, loc, args[1],
                                           real(b, limit * (1 - 0x1p-30)));
        Value scaled = arith::MulFOp::create(b, loc, args[0], real(b, factor));
        Value rest = arith::SubFOp::create(b, loc, scaled, most);
        return arith::MaximumFOp::create(b, loc, args[2], rest);
      });
  Value worst = tensor::ExtractOp::create(b, loc, excess, ValueRange());
  return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLE, worst,
                               real(b, 0));
}

Value MomentReference::lower() {
  Value all = scores(), weightSums = sums(all, 0);
  Value second = rowsWithin(
      sums(all, 2), 1, op.getSecondMoment()->convertToDouble(), weightSums);
  Value mean =
      rowsWithin(sums(all, 1), -1, op.getMean()->convertToDouble(), weightSums);
  return arith::AndIOp::create(b, loc, second, mean);
}

/// The largest sum of |x|^power of each head's rows, rounded up, at least
/// 2^-1000. Powers, not norms, of several sets are compared: they need no root.
static Value largestPowerSums(TensorLoops &e, Value rows, unsigned power,
                              Value grow) {
  Sizes sizes = tensor::getMixedSizes(e.b, e.loc, rows);
  Dims dims = firstDims(sizes.size());
  Dims row(dims.begin(), dims.end() - 1), head(dims.begin(), dims.end() - 2);
  Value zeros = e.filled(ArrayRef(sizes).drop_back(), 0);
  Value sums = e.loops({{rows, dims}}, {zeros, row},
                       [&](OpBuilder &b, ValueRange args) -> Value {
                         Value x = math::AbsFOp::create(b, e.loc, args[0]);
                         Value term = x;
                         for (unsigned t = 1; t < power; ++t)
                           term = arith::MulFOp::create(b, e.loc, term, x);
                         return arith::AddFOp::create(b, e.loc, args[1], term);
                       });
  Value floor = e.filled(ArrayRef(sizes).drop_back(2), 0x1p-1000);
  return e.loops({{sums, row}}, {floor, head},
                 [&](OpBuilder &b, ValueRange args) -> Value {
                   Value sum = arith::MulFOp::create(b, e.loc, args[0], grow);
                   return arith::MaximumFOp::create(b, e.loc, args[1], sum);
                 });
}

/// The check of several key sets, by powers of l_{p+1} norms.
static Value emitSetsWithin(OpBuilder &b, CheckBoundOp op) {
  TensorLoops e{b, op.getLoc(), b.getF64Type()};
  unsigned power = unsigned(op.getAllKeys().size()) + 1;
  auto toPower = [&](double x) {
    // Rounded up or down, (power + 1) roundings are far below this.
    return std::pow(std::fabs(x), power) * (1 - 0x1p-40);
  };
  // d powers and their sum, twice over.
  Value grow = emitGrowth(e, op.getQuery());
  grow = arith::MulFOp::create(b, e.loc, grow, grow);
  Value product = largestPowerSums(e, op.getQuery(), power, grow);
  Sizes heads = tensor::getMixedSizes(b, e.loc, product);
  Dims head = firstDims(heads.size());
  SmallVector<Indexed> sums = {{product, head}};
  for (Value key : op.getAllKeys())
    sums.push_back(
        {e.repeat(largestPowerSums(e, key, power, grow), heads), head});
  double scale = std::pow(std::fabs(op.getScale().convertToDouble()), power) *
                 (1 + 0x1p-40);
  Value excess = e.loops(
      sums, {e.filled({}, -1), {}},
      [&](OpBuilder &b, ValueRange args) -> Value {
        Value worst = args.back();
        auto hold = [&](Value x, double limit) {
          Value above = arith::SubFOp::create(b, e.loc, x, e.real(b, limit));
          worst = arith::MaximumFOp::create(b, e.loc, worst, above);
        };
        Value score = e.real(b, scale);
        for (Value sum : args.drop_back()) {
          hold(sum, toPower(op.getMaxNorm().convertToDouble()));
          score = arith::MulFOp::create(b, e.loc, score, sum);
        }
        // Products may have underflowed.
        score = arith::AddFOp::create(b, e.loc, score, e.real(b, 0x1p-1022));
        hold(score, toPower(op.getBound().convertToDouble()));
        return worst;
      });
  Value worst = tensor::ExtractOp::create(b, e.loc, excess, ValueRange());
  return arith::CmpFOp::create(b, e.loc, arith::CmpFPredicate::OLE, worst,
                               e.real(b, 0));
}

Value polyattn::attn::emitReference(OpBuilder &b, CheckBoundOp op) {
  if (!op.getFurtherKeys().empty())
    return emitSetsWithin(b, op);
  TensorLoops e{b, op.getLoc(), b.getF64Type()};
  Value grow = emitGrowth(e, op.getQuery());
  Value query = largestNorms(e, op.getQuery(), grow);
  Sizes heads = tensor::getMixedSizes(b, e.loc, query);
  Value key = e.repeat(largestNorms(e, op.getKey(), grow), heads);
  double scale = std::abs(op.getScale().convertToDouble());
  double bound = op.getBound().convertToDouble(),
         norm = op.getMaxNorm().convertToDouble();
  // What the worst head has above its limits; NaN stays.
  Dims head = firstDims(heads.size());
  Value excess = e.loops(
      {{query, head}, {key, head}}, {e.filled({}, -1), {}},
      [&](OpBuilder &b, ValueRange args) -> Value {
        Value score = arith::MulFOp::create(b, e.loc, args[0], args[1]);
        score = arith::MulFOp::create(b, e.loc, score, e.real(b, scale));
        // A small scale may have made this last product underflow.
        score = arith::AddFOp::create(b, e.loc, score, e.real(b, 0x1p-1022));
        Value worst = args[2];
        for (auto [x, limit] :
             {std::pair(score, bound), std::pair(Value(args[0]), norm),
              std::pair(Value(args[1]), norm)}) {
          // Exact in sign: subtraction rounds to 0 only if it is 0.
          Value above = arith::SubFOp::create(b, e.loc, x, e.real(b, limit));
          worst = arith::MaximumFOp::create(b, e.loc, worst, above);
        }
        return worst;
      });
  Value worst = tensor::ExtractOp::create(b, e.loc, excess, ValueRange());
  // Ordered: false for NaN.
  Value within = arith::CmpFOp::create(b, e.loc, arith::CmpFPredicate::OLE,
                                       worst, e.real(b, 0));
  if (!op.getSecondMoment())
    return within;
  return arith::AndIOp::create(b, e.loc, within,
                               MomentReference(b, op).lower());
}

/// key less the mean of its head's rows.
Value polyattn::attn::emitReference(OpBuilder &b, CenterKeysOp op,
                                    FloatType computeType) {
  TensorLoops e{b, op.getLoc(), computeType};
  Value key = op.getKey();
  Sizes sizes = tensor::getMixedSizes(b, e.loc, key);
  unsigned rank = sizes.size();
  Dims entry = firstDims(rank), row = firstDims(rank - 1), head = row;
  head.pop_back();
  // A mean has a column but no row.
  Dims column = append(head, {rank - 1});
  Sizes weightSizes(sizes.begin(), sizes.end() - 1);
  Sizes columnSizes(sizes.begin(), sizes.end() - 2);
  columnSizes.push_back(sizes.back());
  Value weights = op.getKeyWeights() ? e.repeat(op.getKeyWeights(), weightSizes)
                                     : e.filled(weightSizes, 1);
  auto sumUp = [&](OpBuilder &b, ValueRange args) -> Value {
    return arith::AddFOp::create(b, e.loc, args.back(), args[0]);
  };
  Value total =
      e.loops({{weights, row}},
              {e.filled(ArrayRef(sizes).drop_back(2), 0), head}, sumUp);
  Value sums = e.loops(
      {{key, entry}, {weights, row}}, {e.filled(columnSizes, 0), column},
      [&](OpBuilder &b, ValueRange args) -> Value {
        Value term = arith::MulFOp::create(b, e.loc, args[0], args[1]);
        return arith::AddFOp::create(b, e.loc, args[2], term);
      });
  Value out =
      tensor::EmptyOp::create(b, e.loc, sizes, elementType(op.getCentred()));
  return e.loops(
      {{key, entry}, {sums, column}, {total, head}}, {out, entry},
      [&](OpBuilder &b, ValueRange args) -> Value {
        Value mean = arith::DivFOp::create(b, e.loc, args[1], args[2]);
        Value some = arith::CmpFOp::create(b, e.loc, arith::CmpFPredicate::OGT,
                                           args[2], e.real(b, 0));
        mean = arith::SelectOp::create(b, e.loc, some, mean, e.real(b, 0));
        return arith::SubFOp::create(b, e.loc, args[0], mean);
      });
}
