// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The reference lowering of attn.check_bound.

#include "Reference.h"
#include "TensorLoops.h"

#include <cmath>

using namespace mlir;
using namespace polyattn::attn;

/// An upper bound of the largest Euclidean norm of any row, but at least 2^-500
/// so that no product of two norms underflows. `grow` covers rounding.
static Value largestNorm(TensorLoops &e, Value rows, Value grow) {
  OpBuilder &b = e.b;
  Sizes sizes = tensor::getMixedSizes(b, e.loc, rows);
  Dims dims = firstDims(sizes.size());
  Dims row(dims.begin(), dims.end() - 1);
  auto addSquare = [&](OpBuilder &b, ValueRange args) -> Value {
    Value square = arith::MulFOp::create(b, e.loc, args[0], args[0]);
    return arith::AddFOp::create(b, e.loc, args[1], square);
  };
  auto larger = [&](OpBuilder &b, ValueRange args) -> Value {
    return arith::MaximumFOp::create(b, e.loc, args[0], args[1]); // keeps NaN
  };
  Value zeros = e.filled(ArrayRef(sizes).drop_back(), 0);
  Value squares = e.loops({{rows, dims}}, {zeros, row}, addSquare);
  Value largest =
      e.loops({{squares, row}}, {e.filled({}, 0x1p-1000), {}}, larger);
  Value square = tensor::ExtractOp::create(b, e.loc, largest, ValueRange());
  Value norm = math::SqrtOp::create(b, e.loc, square);
  return arith::MulFOp::create(b, e.loc, norm, grow);
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

Value polyattn::attn::emitReference(OpBuilder &b, CheckBoundOp op) {
  TensorLoops e{b, op.getLoc(), b.getF64Type()};
  auto atMost = [&](Value x, const APFloat &limit) -> Value {
    // Ordered: false for NaN.
    return arith::CmpFOp::create(b, e.loc, arith::CmpFPredicate::OLE, x,
                                 e.real(b, limit.convertToDouble()));
  };
  Value grow = emitGrowth(e, op.getQuery());
  Value query = largestNorm(e, op.getQuery(), grow);
  Value key = largestNorm(e, op.getKey(), grow);
  double scale = std::abs(op.getScale().convertToDouble());
  Value score = arith::MulFOp::create(b, e.loc, query, key);
  score = arith::MulFOp::create(b, e.loc, score, e.real(b, scale));
  // A small scale may have made this last product underflow.
  score = arith::AddFOp::create(b, e.loc, score, e.real(b, 0x1p-1022));
  Value within = atMost(score, op.getBound());
  for (Value norm : {query, key})
    within =
        arith::AndIOp::create(b, e.loc, within, atMost(norm, op.getMaxNorm()));
  return within;
}
