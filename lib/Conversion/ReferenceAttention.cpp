// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The reference lowering of attn.attention. Clarity counts here, speed does
// not: this is what all other lowerings are compared with.

#include "Reference.h"
#include "ReferenceScores.h"

using namespace mlir;
using namespace polyattn::attn;

namespace {

struct AttentionReference : ScoreReference {
  AttentionOp op;

  AttentionReference(OpBuilder &b, AttentionOp op, FloatType type);
  Value lower();

private:
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
  KernelAttrInterface kernel = op.getKernel();
  Value all = scores();
  Value weights = kernelWeights(
      kernel, all, kernel.isShiftInvariant() ? rowMaxima(all) : Value());
  return emitQuotients(*this, valueSums(weights), weightSums(weights),
                       elementType(op.getOutput()), op.getNanRows());
}

Value polyattn::attn::emitReference(OpBuilder &b, AttentionOp op,
                                    FloatType computeType) {
  return AttentionReference(b, op, computeType).lower();
}
