// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The reference lowering of attn.tensor_attention: all scores at once, as the
// formula has them.

#include "Reference.h"
#include "ReferenceScores.h"

#include <limits>

using namespace mlir;
using namespace polyattn::attn;

namespace {

/// Loops: the batch dimensions, the query, a key of each set, and the column of
/// a feature or value.
struct TensorAttentionReference : TensorLoops {
  TensorAttentionReference(OpBuilder &b, TensorAttentionOp op, FloatType type);
  Value lower();

private:
  Value everyHead(Value tensor);
  Sizes sizes(ArrayRef<OpFoldResult> trailing) {
    Sizes result(batchSizes);
    result.append(trailing.begin(), trailing.end());
    return result;
  }
  Dims tuple() { return append(append(batch, {query}), keys); }
  /// Key weights of each set as inputs of loops, if there are any.
  SmallVector<Indexed> weightInputs();
  Value admits(OpBuilder &b, ValueRange weights);
  Value scores();
  Value rowMaxima(Value scores);
  Value tupleWeights(Value scores);
  Value weightSums(Value tupleWeights);
  Value valueSums(Value tupleWeights);

  TensorAttentionOp op;
  Dims batch, keys;
  unsigned query, column;
  Sizes batchSizes, numKeys;
  OpFoldResult numQueries;
  /// For every query head.
  SmallVector<Value> keySets, valueSets, weightSets;
};

} // namespace

TensorAttentionReference::TensorAttentionReference(OpBuilder &b,
                                                   TensorAttentionOp op,
                                                   FloatType type)
    : TensorLoops{b, op.getLoc(), type}, op(op) {
  Sizes querySizes = tensor::getMixedSizes(b, loc, op.getQuery());
  unsigned numBatch = querySizes.size() - 2;
  batch = firstDims(numBatch);
  query = numBatch;
  batchSizes.assign(querySizes.begin(), querySizes.begin() + numBatch);
  numQueries = querySizes[numBatch];
  for (unsigned t = 0; t < op.getOrder(); ++t) {
    keys.push_back(numBatch + 1 + t);
    numKeys.push_back(tensor::getMixedSize(b, loc, op.getKeys()[t], numBatch));
    keySets.push_back(everyHead(op.getKeys()[t]));
    valueSets.push_back(everyHead(op.getValues()[t]));
  }
  column = numBatch + 1 + op.getOrder();
  for (Value weights : op.getKeyWeights())
    weightSets.push_back(repeat(weights, sizes({OpFoldResult()})));
}

Value TensorAttentionReference::everyHead(Value tensor) {
  Sizes target(batch.size() + 2);
  if (!batch.empty())
    target[batch.size() - 1] = batchSizes.back();
  return repeat(tensor, target);
}

SmallVector<Indexed> TensorAttentionReference::weightInputs() {
  SmallVector<Indexed> inputs;
  for (auto [weights, key] : llvm::zip(weightSets, keys))
    inputs.push_back({weights, append(batch, {key})});
  return inputs;
}

/// Every mask must admit its key, and no weight be 0.
Value TensorAttentionReference::admits(OpBuilder &b, ValueRange weights) {
  Value result = arith::ConstantIntOp::create(b, loc, 1, 1);
  auto require = [&](Value condition) {
    result = b.createOrFold<arith::AndIOp>(loc, condition, result);
  };
  auto index = [&](OpFoldResult size) {
    return getValueOrCreateConstantIndexOp(b, loc, size);
  };
  for (auto [t, mask] : llvm::enumerate(op.getMaskOfEachSet())) {
    if (mask.admitsAll())
      continue;
    KeyRange<Value> range =
        mask.emitKeyRange(b, loc, linalg::IndexOp::create(b, loc, query),
                          index(numQueries), index(numKeys[t]));
    Value j = linalg::IndexOp::create(b, loc, keys[t]);
    require(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, j,
                                  range.begin));
    require(
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, j, range.end));
  }
  for (Value weight : weights)
    require(arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNE, weight,
                                  real(b, 0)));
  return result;
}

Value TensorAttentionReference::scores() {
  SmallVector<Indexed> inputs{{op.getQuery(), append(batch, {query, column})}};
  for (auto [set, key] : llvm::zip_equal(keySets, keys))
    inputs.push_back({set, append(batch, {key, column})});
  Sizes all = sizes({numQueries});
  llvm::append_range(all, numKeys);
  Value products =
      loops(inputs, {filled(all, 0), tuple()},
            [&](OpBuilder &b, ValueRange args) -> Value {
              Value product = args[0];
              for (Value factor : args.drop_front().drop_back())
                product = arith::MulFOp::create(b, loc, product, factor);
              return arith::AddFOp::create(b, loc, args.back(), product);
            });
  return loops({}, {products, tuple()},
               [&](OpBuilder &b, ValueRange args) -> Value {
                 double scale = op.getScale().convertToDouble();
                 return arith::MulFOp::create(b, loc, args[0], real(b, scale));
               });
}

/// The largest score that takes part in each row, or 0 where there is none.
Value TensorAttentionReference::rowMaxima(Value scores) {
  SmallVector<Indexed> inputs{{scores, tuple()}};
  llvm::append_range(inputs, weightInputs());
  Dims row = append(batch, {query});
  double inf = std::numeric_limits<double>::infinity();
  Value maxima =
      loops(inputs, {filled(sizes({numQueries}), -inf), row},
            [&](OpBuilder &b, ValueRange args) -> Value {
              Value admitted = admits(b, args.drop_front().drop_back());
              Value larger =
                  arith::MaximumFOp::create(b, loc, args.back(), args[0]);
              return b.createOrFold<arith::SelectOp>(loc, admitted, larger,
                                                     args.back());
            });
  return emitFinite(*this, maxima);
}

/// k(s) w1 ... wp where the tuple takes part, else 0.
Value TensorAttentionReference::tupleWeights(Value scores) {
  bool shift = op.getKernel().isShiftInvariant();
  SmallVector<Indexed> inputs = weightInputs();
  size_t numWeights = inputs.size();
  if (shift)
    inputs.push_back({rowMaxima(scores), append(batch, {query})});
  return loops(
      inputs, {scores, tuple()}, [&](OpBuilder &b, ValueRange args) -> Value {
        Value score = args.back();
        if (shift)
          score = arith::SubFOp::create(b, loc, score, args[numWeights]);
        Value result = op.getKernel().emitWeight(b, loc, score);
        ValueRange weights = args.take_front(numWeights);
        for (Value weight : weights)
          result = arith::MulFOp::create(b, loc, result, weight);
        return b.createOrFold<arith::SelectOp>(loc, admits(b, weights), result,
                                               real(b, 0));
      });
}

Value TensorAttentionReference::weightSums(Value tupleWeights) {
  return loops({{tupleWeights, tuple()}},
               {filled(sizes({numQueries}), 0), append(batch, {query})},
               [&](OpBuilder &b, ValueRange args) -> Value {
                 return arith::AddFOp::create(b, loc, args[1], args[0]);
               });
}

/// Values of tuples that take no part are skipped: they may be infinite.
Value TensorAttentionReference::valueSums(Value tupleWeights) {
  SmallVector<Indexed> inputs{{tupleWeights, tuple()}};
  for (auto [set, key] : llvm::zip_equal(valueSets, keys))
    inputs.push_back({set, append(batch, {key, column})});
  llvm::append_range(inputs, weightInputs());
  OpFoldResult columns =
      tensor::getMixedSize(b, loc, valueSets[0], batch.size() + 1);
  return loops(
      inputs,
      {filled(sizes({numQueries, columns}), 0), append(batch, {query, column})},
      [&](OpBuilder &b, ValueRange args) -> Value {
        Value term = args[0];
        for (Value value : args.slice(1, keys.size()))
          term = arith::MulFOp::create(b, loc, term, value);
        Value sum = arith::AddFOp::create(b, loc, args.back(), term);
        ValueRange weights = args.drop_front(1 + keys.size()).drop_back();
        return b.createOrFold<arith::SelectOp>(loc, admits(b, weights), sum,
                                               args.back());
      });
}

Value TensorAttentionReference::lower() {
  Value weights = tupleWeights(scores());
  return emitQuotients(*this, valueSums(weights), weightSums(weights),
                       elementType(op.getOutput()), op.getNanRows());
}

Value polyattn::attn::emitReference(OpBuilder &b, TensorAttentionOp op,
                                    FloatType computeType) {
  return TensorAttentionReference(b, op, computeType).lower();
}
