// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The reference lowering of attn.attention. Clarity counts here, speed does
// not: this is what all other lowerings are compared with.

#include "Reference.h"
#include "ReferenceScores.h"

#include <limits>

using namespace mlir;
using namespace polyattn::attn;

namespace {

struct AttentionReference : ScoreReference {
  AttentionOp op;

  AttentionReference(OpBuilder &b, AttentionOp op, FloatType type);
  Value lower();

private:
  Value rowMaxima(Value scores);
  Value kernelWeights(Value scores);
  Value weightSums(Value kernelWeights);
  Value valueSums(Value kernelWeights);
};

} // namespace

AttentionReference::AttentionReference(OpBuilder &b, AttentionOp op,
                                       FloatType type)
    : ScoreReference(b, op.getLoc(), type,
                     {op.getQuery(), op.getKey(), op.getBias(),
                      op.getKeyWeights(), op.getMask(),
                      op.getScale().convertToDouble()}),
      op(op) {}

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
  return emitFinite(*this, maxima);
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

Value AttentionReference::lower() {
  Value kernel = kernelWeights(scores());
  return emitQuotients(*this, valueSums(kernel), weightSums(kernel),
                       elementType(op.getOutput()), op.getNanRows());
}

Value polyattn::attn::emitReference(OpBuilder &b, AttentionOp op,
                                    FloatType computeType) {
  return AttentionReference(b, op, computeType).lower();
}
