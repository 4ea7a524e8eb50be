// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The run-time check of a score bound: largest norms of queries and of keys.

#include "CheckBound.h"
#include "polyattn/Approximation/Certificate.h"

#include <cmath>

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

/// Rows of one task.
static constexpr int64_t rowsPerTask = 1024;

/// The sum of squares of a row, in f64 so that neither overflow nor rounding
/// of f32 can make it too small.
static Value rowSquares(Emitter &e, Value memref, Value head, Value row) {
  int64_t columns = cast<MemRefType>(memref.getType()).getDimSize(2);
  Type f64 = e.b.getF64Type();
  VectorType wide = VectorType::get({e.lanes}, f64);
  int64_t full = columns / e.lanes * e.lanes;
  auto extend = [&](Value x, Type type) -> Value {
    return arith::ExtFOp::create(e.b, e.loc, type, x);
  };
  Value zero = arith::ConstantOp::create(e.b, e.loc, e.b.getZeroAttr(wide));
  Value sums = e.loop(e.index(0), e.index(full), e.lanes, {zero},
                      [&](Value c, ValueRange carried) {
                        Value x = extend(e.vload(memref, {head, row, c}), wide);
                        return Emitter::Values{e.fma(x, x, carried[0])};
                      })[0];
  Value sum = vector::ReductionOp::create(e.b, e.loc,
                                          vector::CombiningKind::ADD, sums,
                                          arith::FastMathFlags::reassoc);
  for (int64_t c = full; c < columns; ++c) {
    Value x = extend(e.load(memref, {head, row, e.index(c)}), f64);
    sum = e.addf(sum, e.mulf(x, x));
  }
  return sum;
}

/// The largest sum of squares of any row; NaN if any row has NaN.
static Value largestSquares(Emitter &e, Value memref) {
  Type f64 = e.b.getF64Type();
  Value rows = e.dim(memref, 1), heads = e.dim(memref, 0);
  Value perHead = e.ceilDiv(rows, rowsPerTask);
  Value zero = arith::ConstantOp::create(e.b, e.loc, e.b.getF64FloatAttr(0));
  // Each task leaves its maximum in a cell of its own.
  Value cells = memref::AllocOp::create(
      e.b, e.loc,
      MemRefType::get({ShapedType::kDynamic, ShapedType::kDynamic}, f64),
      ValueRange{heads, perHead});
  e.parallel({heads, perHead}, [&](ValueRange at) {
    Value from = e.mul(at[1], rowsPerTask);
    Value to = e.min(e.add(from, rowsPerTask), rows);
    Value most = e.loop(from, to, 1, {zero}, [&](Value row, ValueRange m) {
      Value squares = rowSquares(e, memref, at[0], row);
      return Emitter::Values{
          arith::MaximumFOp::create(e.b, e.loc, m[0], squares)};
    })[0];
    e.store(most, cells, at);
  });
  return e.loop(e.index(0), heads, 1, {zero}, [&](Value h, ValueRange m) {
    return e.loop(e.index(0), perHead, 1, m, [&](Value i, ValueRange m) {
      Value cell =
          memref::LoadOp::create(e.b, e.loc, cells, ValueRange{h, i});
      return Emitter::Values{
          arith::MaximumFOp::create(e.b, e.loc, m[0], cell)};
    });
  })[0];
}

Value polyattn::attn::emitBoundCheck(Emitter &e, CheckBoundOp op, Value query,
                                     Value key,
                                     const TargetDescription &target) {
  int64_t d = cast<MemRefType>(query.getType()).getDimSize(2);
  double bound = op.getBound().convertToDouble();
  double scale = op.getScale().convertToDouble();
  double maxNorm = op.getMaxNorm().convertToDouble();
  // Sums of d products in f64 are off by less than (d + 8) 2^-53.
  double slack = 1 - (double(d) + 16) * 0x1p-52;
  Value q = largestSquares(e, query), k = largestSquares(e, key);
  auto within = [&](Value x, double limit) -> Value {
    Value c = arith::ConstantOp::create(
        e.b, e.loc, e.b.getF64FloatAttr(limit * limit * slack));
    return e.compare(arith::CmpFPredicate::OLE, x, c);
  };
  Value squared = arith::ConstantOp::create(e.b, e.loc,
                                            e.b.getF64FloatAttr(scale * scale));
  Value product = e.mulf(e.mulf(q, k), squared);
  Value norms = arith::AndIOp::create(e.b, e.loc, within(q, maxNorm),
                                      within(k, maxNorm));
  return arith::AndIOp::create(e.b, e.loc, within(product, bound), norms);
}
