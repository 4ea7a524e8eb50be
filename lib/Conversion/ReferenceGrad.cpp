// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The reference lowerings of attn.normalizer and attn.attention_grad: all n x m
// numbers at once, as the formulas have them.

#include "Reference.h"
#include "ReferenceScores.h"

#include <cmath>

using namespace mlir;
using namespace polyattn::attn;

namespace {

struct GradReference : ScoreReference {
  AttentionGradOp op;

  GradReference(OpBuilder &b, AttentionGradOp op, FloatType type);
  SmallVector<Value> lower();

private:
  Dims pair() { return append(batch, {query, key}); }
  Dims row() { return append(batch, {query}); }
  Value outputGradients();
  Value weightGradients();
  Value kernelTerm(OpBuilder &b, Value score, Value normalizer, bool derived);
  Value perPair(Value scores, bool derived, Value excess);
  Value sumOver(Value pairs, Indexed other, Indexed out, double factor);
  Value perKey(Value gradient, Value like);

  KernelAttrInterface kernel;
  Value normalizer;
};

} // namespace

GradReference::GradReference(OpBuilder &b, AttentionGradOp op, FloatType type)
    : ScoreReference(b, op.getLoc(), type,
                     {op.getQuery(), op.getKey(), op.getBias(),
                      op.getKeyWeights(), op.getMask(),
                      op.getScale().convertToDouble()}),
      op(op), kernel(op.getKernel()), normalizer(op.getNormalizer()) {}

/// D_i = do_i . o_i.
Value GradReference::outputGradients() {
  Dims entry = firstDims(batch.size() + 2);
  return loops({{op.getGradOutput(), entry}, {op.getOutput(), entry}},
               {filled(sizes({numQueries}), 0), row()},
               [&](OpBuilder &b, ValueRange args) -> Value {
                 Value term = arith::MulFOp::create(b, loc, args[0], args[1]);
                 return arith::AddFOp::create(b, loc, args[2], term);
               });
}

/// do_i . v_j - D_i.
Value GradReference::weightGradients() {
  Value products =
      loops({{op.getGradOutput(), append(batch, {query, column})},
             {everyHead(op.getValue()), append(batch, {key, column})}},
            {filled(sizes({numQueries, numKeys}), 0), pair()},
            [&](OpBuilder &b, ValueRange args) -> Value {
              Value term = arith::MulFOp::create(b, loc, args[0], args[1]);
              return arith::AddFOp::create(b, loc, args[2], term);
            });
  return loops({{outputGradients(), row()}}, {products, pair()},
               [&](OpBuilder &b, ValueRange args) -> Value {
                 return arith::SubFOp::create(b, loc, args[1], args[0]);
               });
}

/// k(s) / z, or k'(s) / z.
Value GradReference::kernelTerm(OpBuilder &b, Value score, Value z,
                                bool derived) {
  auto emit = [&](Value s) {
    return derived ? kernel.emitDerivative(b, loc, s)
                   : kernel.emitWeight(b, loc, s);
  };
  if (kernel.isShiftInvariant())
    return emit(arith::SubFOp::create(b, loc, score, z));
  return arith::DivFOp::create(b, loc, emit(score), z);
}

/// For every row and key, that term, times `excess` if there is one, where the
/// mask admits the key and the row has any; else 0.
Value GradReference::perPair(Value scores, bool derived, Value excess) {
  SmallVector<Indexed> inputs{{scores, pair()}, {normalizer, row()}};
  if (excess)
    inputs.push_back({excess, pair()});
  size_t weightAt = inputs.size();
  // The gradient of a weight is not 0 where the weight is.
  llvm::append_range(inputs, weightInput());
  Value out =
      tensor::EmptyOp::create(b, loc, sizes({numQueries, numKeys}), type);
  double nothing = kernel.isShiftInvariant() ? -INFINITY : 0;
  return loops(
      inputs, {out, pair()}, [&](OpBuilder &b, ValueRange args) -> Value {
        Value term = kernelTerm(b, args[0], args[1], derived);
        if (excess)
          term = arith::MulFOp::create(b, loc, term, args[2]);
        Value weight = weights ? args[weightAt] : Value();
        if (weight)
          term = arith::MulFOp::create(b, loc, term, weight);
        Value some = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNE,
                                           args[1], real(b, nothing));
        Value counts =
            b.createOrFold<arith::AndIOp>(loc, some, admits(b, weight));
        return arith::SelectOp::create(b, loc, counts, term, real(b, 0));
      });
}

/// factor * the sum over what `out` does not index.
Value GradReference::sumOver(Value pairs, Indexed other, Indexed out,
                             double factor) {
  SmallVector<Indexed> inputs{{pairs, pair()}};
  if (other.tensor)
    inputs.push_back(other);
  Value sums = loops(inputs, out, [&](OpBuilder &b, ValueRange args) -> Value {
    Value term = args[0];
    if (other.tensor)
      term = arith::MulFOp::create(b, loc, term, args[1]);
    return arith::AddFOp::create(b, loc, args.back(), term);
  });
  if (factor == 1)
    return sums;
  Dims all = firstDims(out.dims.size());
  return loops({}, {sums, all}, [&](OpBuilder &b, ValueRange args) -> Value {
    return arith::MulFOp::create(b, loc, args[0], real(b, factor));
  });
}

/// What is there for every query head, summed up and as the type of `like`.
Value GradReference::perKey(Value gradient, Value like) {
  return converted(sumRepeated(gradient, tensor::getMixedSizes(b, loc, like)),
                   elementType(like));
}

SmallVector<Value> GradReference::lower() {
  Value all = scores(), excess = weightGradients();
  Value p = perPair(all, /*derived=*/false, {});
  Value ds = perPair(all, /*derived=*/true, excess);
  double scale = inputs.scale;
  auto zeros = [&](OpFoldResult rows, Value columns) {
    return filled(sizes({rows, size(columns, 1)}), 0);
  };
  Dims atRow = append(batch, {query, column}),
       atKey = append(batch, {key, column});
  Value dq = sumOver(ds, {everyHead(op.getKey()), atKey},
                     {zeros(numQueries, op.getQuery()), atRow}, scale);
  Value dk = sumOver(ds, {op.getQuery(), atRow},
                     {zeros(numKeys, op.getKey()), atKey}, scale);
  Value dv = sumOver(p, {op.getGradOutput(), atRow},
                     {zeros(numKeys, op.getValue()), atKey}, 1);
  SmallVector<Value> results{converted(dq, elementType(op.getQuery())),
                             perKey(dk, op.getKey()),
                             perKey(dv, op.getValue())};
  if (Value bias = op.getBias())
    results.push_back(perKey(ds, bias));
  if (Value ofKeys = op.getKeyWeights()) {
    // The terms of weights that are all 1.
    weights = {};
    Value terms = perPair(all, /*derived=*/false, excess);
    Value dw = sumOver(terms, {},
                       {filled(sizes({numKeys}), 0), append(batch, {key})}, 1);
    results.push_back(perKey(dw, ofKeys));
  }
  return results;
}

SmallVector<Value> polyattn::attn::emitReference(OpBuilder &b,
                                                 AttentionGradOp op,
                                                 FloatType computeType) {
  return GradReference(b, op, computeType).lower();
}

Value polyattn::attn::emitReference(OpBuilder &b, NormalizerOp op,
                                    FloatType computeType) {
  ScoreReference e(b, op.getLoc(), computeType,
                   {op.getQuery(), op.getKey(), op.getBias(),
                    op.getKeyWeights(), op.getMask(),
                    op.getScale().convertToDouble()});
  KernelAttrInterface kernel = op.getKernel();
  Value scores = e.scores();
  Value maxima = kernel.isShiftInvariant() ? e.rowMaxima(scores) : Value();
  Value sums = e.weightSums(e.kernelWeights(kernel, scores, maxima));
  FloatType type = elementType(op.getSums());
  if (!maxima)
    return e.converted(sums, type);
  Dims row = firstDims(op.getSums().getType().getRank());
  Value out = tensor::EmptyOp::create(
      b, op.getLoc(), tensor::getMixedSizes(b, op.getLoc(), sums), type);
  return e.loops({{sums, row}, {maxima, row}}, {out, row},
                 [&](OpBuilder &b, ValueRange args) -> Value {
                   Value log = math::LogOp::create(b, op.getLoc(), args[0]);
                   return arith::AddFOp::create(b, op.getLoc(), log, args[1]);
                 });
}
