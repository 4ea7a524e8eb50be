// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The reference lowering of attn.attention. Clarity counts here, speed does
// not: this is what all other lowerings are compared with.

#include "Reference.h"
#include "TensorLoops.h"

#include <limits>

using namespace mlir;
using namespace polyattn::attn;

static Dims append(Dims dims, ArrayRef<unsigned> more) {
  dims.append(more.begin(), more.end());
  return dims;
}

namespace {

/// One attention. Loops: the batch dimensions, then query, key, and the column
/// of a feature or value.
struct AttentionReference : TensorLoops {
  AttentionOp op;
  Dims batch;
  unsigned query, key, column;
  /// Sizes of the batch dimensions (with query heads), and the lengths.
  Sizes batchSizes;
  OpFoldResult numQueries, numKeys;
  /// Key weights for every query head, or null.
  Value weights;

  AttentionReference(OpBuilder &b, AttentionOp op, FloatType type);
  Value lower();

private:
  Sizes sizes(ArrayRef<OpFoldResult> trailing) {
    Sizes result(batchSizes);
    result.append(trailing.begin(), trailing.end());
    return result;
  }
  OpFoldResult size(Value tensor, int64_t dimFromEnd) {
    int64_t rank = cast<RankedTensorType>(tensor.getType()).getRank();
    return tensor::getMixedSize(b, loc, tensor, rank - dimFromEnd);
  }
  /// Keys or values for every query head.
  Value everyHead(Value tensor) {
    Sizes target(batch.size() + 2);
    if (!batch.empty())
      target[batch.size() - 1] = batchSizes.back();
    return repeat(tensor, target);
  }
  /// Key weights as an input of loops, if there are any.
  SmallVector<Indexed> weightInput() {
    if (!weights)
      return {};
    return {{weights, append(batch, {key})}};
  }

  Value admits(OpBuilder &b, Value weight);
  Value scores();
  Value rowMaxima(Value scores);
  Value kernelWeights(Value scores);
  Value weightSums(Value kernelWeights);
  Value valueSums(Value kernelWeights);
  Value quotients(Value valueSums, Value weightSums);
};

} // namespace

AttentionReference::AttentionReference(OpBuilder &b, AttentionOp op,
                                       FloatType type)
    : TensorLoops{b, op.getLoc(), type}, op(op) {
  Sizes querySizes = tensor::getMixedSizes(b, loc, op.getQuery());
  unsigned numBatch = querySizes.size() - 2;
  batch = firstDims(numBatch);
  query = numBatch;
  key = numBatch + 1;
  column = numBatch + 2;
  batchSizes.assign(querySizes.begin(), querySizes.begin() + numBatch);
  numQueries = querySizes[numBatch];
  numKeys = size(op.getKey(), 2);
  if (op.getKeyWeights())
    weights = repeat(op.getKeyWeights(), sizes({OpFoldResult()}));
}

/// Does the key take part in the row? The mask must admit it and its weight
/// must not be 0. (A weight that is NaN takes part and shows.)
Value AttentionReference::admits(OpBuilder &b, Value weight) {
  Value result = arith::ConstantIntOp::create(b, loc, 1, 1);
  if (!op.getMask().admitsAll()) {
    Value i = linalg::IndexOp::create(b, loc, query);
    Value j = linalg::IndexOp::create(b, loc, key);
    KeyRange<Value> range = op.getMask().emitKeyRange(
        b, loc, i, getValueOrCreateConstantIndexOp(b, loc, numQueries),
        getValueOrCreateConstantIndexOp(b, loc, numKeys));
    Value above = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, j,
                                        range.begin);
    Value below =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, j, range.end);
    result = arith::AndIOp::create(b, loc, above, below);
  }
  if (!weight)
    return result;
  Value some = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNE, weight,
                                     real(b, 0));
  return b.createOrFold<arith::AndIOp>(loc, some, result);
}

/// scale * q_i . k_j + bias_ij, of every query and key.
Value AttentionReference::scores() {
  Dims pair = append(batch, {query, key});
  Sizes pairSizes = sizes({numQueries, numKeys});
  Value products =
      loops({{op.getQuery(), append(batch, {query, column})},
             {everyHead(op.getKey()), append(batch, {key, column})}},
            {filled(pairSizes, 0), pair},
            [&](OpBuilder &b, ValueRange args) -> Value {
              Value product = arith::MulFOp::create(b, loc, args[0], args[1]);
              return arith::AddFOp::create(b, loc, args[2], product);
            });
  SmallVector<Indexed> bias;
  if (op.getBias())
    bias.push_back({repeat(op.getBias(), pairSizes), pair});
  double scale = op.getScale().convertToDouble();
  return loops(bias, {products, pair}, [&](OpBuilder &b, ValueRange args) {
    Value score =
        arith::MulFOp::create(b, loc, args.back(), real(b, scale)).getResult();
    if (args.size() == 1)
      return score;
    return arith::AddFOp::create(b, loc, score, args[0]).getResult();
  });
}

/// The largest score that takes part in each row, or 0 where there is none
/// above -inf, so that subtracting it never makes -inf - -inf.
Value AttentionReference::rowMaxima(Value scores) {
  SmallVector<Indexed> inputs{{scores, append(batch, {query, key})}};
  llvm::append_range(inputs, weightInput());
  Dims row = append(batch, {query});
  double inf = std::numeric_limits<double>::infinity();
  Value maxima =
      loops(inputs, {filled(sizes({numQueries}), -inf), row},
            [&](OpBuilder &b, ValueRange args) -> Value {
              Value admitted = admits(b, weights ? args[1] : Value());
              Value larger =
                  arith::MaximumFOp::create(b, loc, args.back(), args[0]);
              return b.createOrFold<arith::SelectOp>(loc, admitted, larger,
                                                     args.back());
            });
  return loops({}, {maxima, row}, [&](OpBuilder &b, ValueRange args) -> Value {
    Value none = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ,
                                       args[0], real(b, -inf));
    return arith::SelectOp::create(b, loc, none, real(b, 0), args[0]);
  });
}

/// k(s_ij) w_j where the key takes part, else 0.
Value AttentionReference::kernelWeights(Value scores) {
  bool shift = op.getKernel().isShiftInvariant();
  SmallVector<Indexed> inputs = weightInput();
  if (shift)
    inputs.push_back({rowMaxima(scores), append(batch, {query})});
  Indexed out{scores, append(batch, {query, key})};
  return loops(inputs, out, [&](OpBuilder &b, ValueRange args) -> Value {
    Value score = args.back();
    if (shift)
      score = arith::SubFOp::create(b, loc, score, args[inputs.size() - 1]);
    Value result = op.getKernel().emitWeight(b, loc, score);
    if (weights)
      result = arith::MulFOp::create(b, loc, result, args[0]);
    Value admitted = admits(b, weights ? args[0] : Value());
    return b.createOrFold<arith::SelectOp>(loc, admitted, result, real(b, 0));
  });
}

Value AttentionReference::weightSums(Value kernelWeights) {
  return loops({{kernelWeights, append(batch, {query, key})}},
               {filled(sizes({numQueries}), 0), append(batch, {query})},
               [&](OpBuilder &b, ValueRange args) -> Value {
                 return arith::AddFOp::create(b, loc, args[1], args[0]);
               });
}

/// Values of keys that take no part are skipped, not multiplied by 0: they may
/// be infinite.
Value AttentionReference::valueSums(Value kernelWeights) {
  Value values = everyHead(op.getValue());
  SmallVector<Indexed> inputs{{kernelWeights, append(batch, {query, key})},
                              {values, append(batch, {key, column})}};
  llvm::append_range(inputs, weightInput());
  Value zero = filled(sizes({numQueries, size(values, 1)}), 0);
  return loops(inputs, {zero, append(batch, {query, column})},
               [&](OpBuilder &b, ValueRange args) -> Value {
                 Value admitted = admits(b, weights ? args[2] : Value());
                 Value term = arith::MulFOp::create(b, loc, args[0], args[1]);
                 Value sum = arith::AddFOp::create(b, loc, args.back(), term);
                 return b.createOrFold<arith::SelectOp>(loc, admitted, sum,
                                                        args.back());
               });
}

/// 0 / 0 is the row in which no key takes part. A polynomial's weights may also
/// cancel; then the sum of values is hardly 0 too, and the result is infinite.
Value AttentionReference::quotients(Value valueSums, Value weightSums) {
  // No key here: its loop counts columns.
  Dims entry = append(batch, {query, key});
  Value out =
      tensor::EmptyOp::create(b, loc, sizes({numQueries, size(valueSums, 1)}),
                              elementType(op.getOutput()));
  return loops(
      {{valueSums, entry}, {weightSums, append(batch, {query})}}, {out, entry},
      [&](OpBuilder &b, ValueRange args) -> Value {
        auto isZero = [&](Value x) -> Value {
          return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, x,
                                       real(b, 0));
        };
        Value nothing =
            arith::AndIOp::create(b, loc, isZero(args[0]), isZero(args[1]));
        Value ratio = arith::DivFOp::create(b, loc, args[0], args[1]);
        return arith::SelectOp::create(b, loc, nothing, real(b, 0), ratio);
      });
}

Value AttentionReference::lower() {
  Value kernel = kernelWeights(scores());
  return quotients(valueSums(kernel), weightSums(kernel));
}

Value polyattn::attn::emitReference(OpBuilder &b, AttentionOp op,
                                    FloatType computeType) {
  return AttentionReference(b, op, computeType).lower();
}
