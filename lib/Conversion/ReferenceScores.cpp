// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "ReferenceScores.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace polyattn::attn;

ScoreReference::ScoreReference(OpBuilder &b, Location loc, FloatType type,
                               Inputs inputs)
    : TensorLoops{b, loc, type}, inputs(inputs) {
  Sizes querySizes = tensor::getMixedSizes(b, loc, inputs.query);
  unsigned numBatch = querySizes.size() - 2;
  batch = firstDims(numBatch);
  query = numBatch;
  key = numBatch + 1;
  column = numBatch + 2;
  batchSizes.assign(querySizes.begin(), querySizes.begin() + numBatch);
  numQueries = querySizes[numBatch];
  numKeys = size(inputs.key, 2);
  if (inputs.keyWeights)
    weights = repeat(inputs.keyWeights, sizes({OpFoldResult()}));
}

Value ScoreReference::everyHead(Value tensor) {
  Sizes target(batch.size() + 2);
  if (!batch.empty())
    target[batch.size() - 1] = batchSizes.back();
  return repeat(tensor, target);
}

Value ScoreReference::admits(OpBuilder &b, Value weight) {
  Value result = arith::ConstantIntOp::create(b, loc, 1, 1);
  if (!inputs.mask.admitsAll()) {
    Value i = linalg::IndexOp::create(b, loc, query);
    Value j = linalg::IndexOp::create(b, loc, key);
    KeyRange<Value> range = inputs.mask.emitKeyRange(
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

Value ScoreReference::scores() {
  Dims pair = append(batch, {query, key});
  Sizes pairSizes = sizes({numQueries, numKeys});
  Value products =
      loops({{inputs.query, append(batch, {query, column})},
             {everyHead(inputs.key), append(batch, {key, column})}},
            {filled(pairSizes, 0), pair},
            [&](OpBuilder &b, ValueRange args) -> Value {
              Value product = arith::MulFOp::create(b, loc, args[0], args[1]);
              return arith::AddFOp::create(b, loc, args[2], product);
            });
  SmallVector<Indexed> bias;
  if (inputs.bias)
    bias.push_back({repeat(inputs.bias, pairSizes), pair});
  return loops(bias, {products, pair}, [&](OpBuilder &b, ValueRange args) {
    Value score =
        arith::MulFOp::create(b, loc, args.back(), real(b, inputs.scale))
            .getResult();
    if (args.size() == 1)
      return score;
    return arith::AddFOp::create(b, loc, score, args[0]).getResult();
  });
}

Value ScoreReference::rowMaxima(Value scores) {
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
  return emitFinite(*this, maxima);
}

Value ScoreReference::kernelWeights(KernelAttrInterface kernel, Value scores,
                                    Value shifts) {
  SmallVector<Indexed> inputs = weightInput();
  if (shifts)
    inputs.push_back({shifts, append(batch, {query})});
  Indexed out{scores, append(batch, {query, key})};
  return loops(inputs, out, [&](OpBuilder &b, ValueRange args) -> Value {
    Value score = args.back();
    if (shifts)
      score = arith::SubFOp::create(b, loc, score, args[inputs.size() - 1]);
    Value result = kernel.emitWeight(b, loc, score);
    if (weights)
      result = arith::MulFOp::create(b, loc, result, args[0]);
    Value admitted = admits(b, weights ? args[0] : Value());
    return b.createOrFold<arith::SelectOp>(loc, admitted, result, real(b, 0));
  });
}

Value ScoreReference::weightSums(Value kernelWeights) {
  return loops({{kernelWeights, append(batch, {query, key})}},
               {filled(sizes({numQueries}), 0), append(batch, {query})},
               [&](OpBuilder &b, ValueRange args) -> Value {
                 return arith::AddFOp::create(b, loc, args[1], args[0]);
               });
}

/// 0 / 0 is the row in which no key takes part: 0, or NaN with nan_rows. A
/// polynomial's weights may also cancel; then the sum of values is hardly 0
/// too, and the result is infinite.
Value polyattn::attn::emitQuotients(TensorLoops &e, Value valueSums,
                                    Value weightSums, FloatType type,
                                    bool nanRows) {
  OpBuilder &b = e.b;
  Location loc = e.loc;
  Sizes sizes = tensor::getMixedSizes(b, loc, valueSums);
  Dims entry = firstDims(sizes.size()), row = firstDims(sizes.size() - 1);
  Value out = tensor::EmptyOp::create(b, loc, sizes, type);
  return e.loops(
      {{valueSums, entry}, {weightSums, row}}, {out, entry},
      [&](OpBuilder &b, ValueRange args) -> Value {
        Value ratio = arith::DivFOp::create(b, loc, args[0], args[1]);
        if (nanRows)
          return ratio;
        auto isZero = [&](Value x) -> Value {
          return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, x,
                                       e.real(b, 0));
        };
        Value nothing =
            arith::AndIOp::create(b, loc, isZero(args[0]), isZero(args[1]));
        return arith::SelectOp::create(b, loc, nothing, e.real(b, 0), ratio);
      });
}

Value polyattn::attn::emitFinite(TensorLoops &e, Value maxima) {
  Dims row = firstDims(cast<RankedTensorType>(maxima.getType()).getRank());
  return e.loops(
      {}, {maxima, row}, [&](OpBuilder &b, ValueRange args) -> Value {
        Value none = arith::CmpFOp::create(b, e.loc, arith::CmpFPredicate::OEQ,
                                           args[0], e.real(b, -INFINITY));
        return arith::SelectOp::create(b, e.loc, none, e.real(b, 0), args[0]);
      });
}
