// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// A few words to write loops, vectors and memory accesses in, so that the
// evaluations beside this file read like the algorithms they are.

#ifndef POLYATTN_CONVERSION_LOWERTOVECTOR_EMITTER_H
#define POLYATTN_CONVERSION_LOWERTOVECTOR_EMITTER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"
#include "polyattn/Analysis/Target.h"

namespace polyattn::attn {

inline int64_t roundUp(int64_t x, int64_t to) { return (x + to - 1) / to * to; }

/// What it takes to wake sleeping threads and wait for them again.
constexpr int64_t threadStartCycles = 75'000;

/// Of the processors at hand; others only lose a little.
constexpr int64_t cacheLineBytes = 64, pageBytes = 4096;

/// Emits f32 vector code for vectors of `lanes` elements.
class Emitter {
public:
  using Value = mlir::Value;
  using Values = llvm::SmallVector<Value>;

  Emitter(mlir::OpBuilder &builder, mlir::Location loc,
          const TargetDescription &target)
      : b(builder), loc(loc), lanes(target.lanes()),
        flopsWorthThreads(threadStartCycles * target.flopsPerCycle()) {}

  mlir::OpBuilder &b;
  mlir::Location loc;
  const int64_t lanes;
  /// Work below which other threads would start only when it is done.
  const int64_t flopsWorthThreads;

  mlir::FloatType f32() { return b.getF32Type(); }
  mlir::VectorType vectorType() { return vectorType(f32()); }
  mlir::VectorType vectorType(mlir::Type element) {
    return mlir::VectorType::get({lanes}, element);
  }

  // Index arithmetic; constants fold.
  Value index(int64_t c) {
    return mlir::arith::ConstantIndexOp::create(b, loc, c);
  }
  Value add(Value l, Value r) {
    return b.createOrFold<mlir::arith::AddIOp>(loc, l, r);
  }
  Value add(Value l, int64_t r) { return r ? add(l, index(r)) : l; }
  Value sub(Value l, Value r) {
    return b.createOrFold<mlir::arith::SubIOp>(loc, l, r);
  }
  Value mul(Value l, Value r) {
    return b.createOrFold<mlir::arith::MulIOp>(loc, l, r);
  }
  Value mul(Value l, int64_t r) { return mul(l, index(r)); }
  Value div(Value l, int64_t r) {
    return b.createOrFold<mlir::arith::DivUIOp>(loc, l, index(r));
  }
  Value div(Value l, Value r) {
    return b.createOrFold<mlir::arith::DivUIOp>(loc, l, r);
  }
  Value rem(Value l, Value r) {
    return b.createOrFold<mlir::arith::RemUIOp>(loc, l, r);
  }
  Value ceilDiv(Value l, int64_t r) { return div(add(l, r - 1), r); }
  Value ceilDiv(Value l, Value r) { return div(add(l, sub(r, index(1))), r); }
  Value roundUp(Value l, int64_t r) { return mul(ceilDiv(l, r), r); }
  Value min(Value l, Value r) {
    return b.createOrFold<mlir::arith::MinSIOp>(loc, l, r);
  }
  Value max(Value l, Value r) {
    return b.createOrFold<mlir::arith::MaxSIOp>(loc, l, r);
  }
  Value less(Value l, Value r) {
    return b.createOrFold<mlir::arith::CmpIOp>(
        loc, mlir::arith::CmpIPredicate::slt, l, r);
  }
  Value lessEqual(Value l, Value r) {
    return mlir::arith::CmpIOp::create(b, loc, mlir::arith::CmpIPredicate::sle,
                                       l, r);
  }

  // Float arithmetic on scalars or vectors.
  Value scalar(double c) {
    return mlir::arith::ConstantOp::create(b, loc, b.getF32FloatAttr(c));
  }
  Value splat(double c) {
    return mlir::arith::ConstantOp::create(
        b, loc, mlir::DenseElementsAttr::get(vectorType(), float(c)));
  }
  Value broadcast(Value x) {
    return mlir::vector::BroadcastOp::create(b, loc, vectorType(x.getType()),
                                             x);
  }
  Value addf(Value l, Value r) {
    return mlir::arith::AddFOp::create(b, loc, l, r);
  }
  Value subf(Value l, Value r) {
    return mlir::arith::SubFOp::create(b, loc, l, r);
  }
  Value mulf(Value l, Value r) {
    return mlir::arith::MulFOp::create(b, loc, l, r);
  }
  Value fma(Value x, Value y, Value z) {
    return mlir::vector::FMAOp::create(b, loc, x, y, z);
  }
  Value compare(mlir::arith::CmpFPredicate p, Value l, Value r) {
    return mlir::arith::CmpFOp::create(b, loc, p, l, r);
  }
  Value select(Value c, Value t, Value f) {
    return mlir::arith::SelectOp::create(b, loc, c, t, f);
  }
  /// The larger one; `r` if either is NaN. One instruction on x86.
  Value maxOrSecond(Value l, Value r) {
    return select(compare(mlir::arith::CmpFPredicate::OGT, l, r), l, r);
  }
  Value minOrSecond(Value l, Value r) {
    return select(compare(mlir::arith::CmpFPredicate::OLT, l, r), l, r);
  }

  // Memory. Elements of narrower types are widened to f32 when loaded.
  Value dim(Value memref, int64_t i) {
    return b.createOrFold<mlir::memref::DimOp>(loc, memref, i);
  }
  Value buffer(llvm::ArrayRef<int64_t> shape) { return buffer(shape, f32()); }
  Value buffer(llvm::ArrayRef<int64_t> shape, mlir::Type element);
  /// memref[at]: one dimension less.
  Value part(Value memref, Value at);
  Value load(Value memref, mlir::ValueRange at);
  Value vload(Value memref, mlir::ValueRange at);
  void vstore(Value x, Value memref, mlir::ValueRange at) {
    mlir::vector::StoreOp::create(b, loc, x, memref, at);
  }
  void store(Value x, Value memref, mlir::ValueRange at) {
    mlir::memref::StoreOp::create(b, loc, x, memref, at);
  }
  /// Asks for what will be read soon: a row of a [heads, length, dim] memref.
  void prefetchRow(Value memref, Value head, Value row);
  /// Widens to f32 if need be; narrows to the element type of `memref`.
  Value widen(Value x);
  Value narrow(Value x, mlir::Type element);

  // Control flow.
  void loop(Value from, Value to, int64_t step,
            llvm::function_ref<void(Value)> body);
  /// A loop that carries values; `body` returns their next values.
  Values loop(Value from, Value to, int64_t step, mlir::ValueRange init,
              llvm::function_ref<Values(Value, mlir::ValueRange)> body);
  /// Goes on while `condition` of the values that it carries holds.
  void loopWhile(mlir::ValueRange init,
                 llvm::function_ref<Value(mlir::ValueRange)> condition,
                 llvm::function_ref<Values(mlir::ValueRange)> body);
  /// Independent iterations over [0, sizes); on this thread alone if they do no
  /// more than so many flops altogether.
  void parallel(llvm::ArrayRef<Value> sizes, Value flops,
                llvm::function_ref<void(mlir::ValueRange)> body);
  void when(Value condition, llvm::function_ref<void()> then);
};

} // namespace polyattn::attn

#endif // POLYATTN_CONVERSION_LOWERTOVECTOR_EMITTER_H
