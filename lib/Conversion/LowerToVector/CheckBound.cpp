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
  Value sum =
      vector::ReductionOp::create(e.b, e.loc, vector::CombiningKind::ADD, sums,
                                  arith::FastMathFlags::reassoc);
  for (int64_t c = full; c < columns; ++c) {
    Value x = extend(e.load(memref, {head, row, e.index(c)}), f64);
    sum = e.addf(sum, e.mulf(x, x));
  }
  return sum;
}

namespace {
/// Rows of a [heads][length][d] memref, cut into tasks.
struct Rows {
  Value memref, perHead, tasks;
  Rows(Emitter &e, Value memref)
      : memref(memref), perHead(e.ceilDiv(e.dim(memref, 1), rowsPerTask)),
        tasks(e.mul(e.dim(memref, 0), perHead)) {}
};
} // namespace

/// A page of rows ahead: processors that guess what comes next stop at a page's
/// end, and there is little arithmetic to wait behind.
static int64_t rowsAhead(Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  int64_t rowBytes = type.getDimSize(2) * type.getElementTypeBitWidth() / 8;
  return std::max<int64_t>(pageBytes / std::max<int64_t>(rowBytes, 1), 1);
}

/// The largest sum of squares of a task's rows; NaN if any row has NaN.
static Value largestOfTask(Emitter &e, const Rows &rows, Value task,
                           Value zero) {
  Value head = e.div(task, rows.perHead);
  Value from =
      e.mul(e.sub(task, e.mul(head, rows.perHead)), e.index(rowsPerTask));
  Value to = e.min(e.add(from, rowsPerTask), e.dim(rows.memref, 1));
  return e.loop(from, to, 1, {zero}, [&](Value row, ValueRange most) {
    Value soon = e.add(row, rowsAhead(rows.memref));
    e.prefetchRow(rows.memref, head, e.min(soon, e.sub(to, e.index(1))));
    Value squares = rowSquares(e, rows.memref, head, row);
    return Emitter::Values{
        arith::MaximumFOp::create(e.b, e.loc, most[0], squares)};
  })[0];
}

namespace {
/// The largest sums of squares of the rows of each task.
struct Squares {
  Rows query, key;
  /// Cells of the tasks of query, then of key.
  Value cells;

  /// Of the rows of a query head, or a key head.
  Value ofQuery(Emitter &e, Value head) {
    return largest(e, e.mul(head, query.perHead), query.perHead);
  }
  Value ofKey(Emitter &e, Value head) {
    return largest(e, e.add(query.tasks, e.mul(head, key.perHead)),
                   key.perHead);
  }

private:
  Value largest(Emitter &e, Value from, Value count) {
    Value zero = arith::ConstantOp::create(e.b, e.loc, e.b.getF64FloatAttr(0));
    return e.loop(from, e.add(from, count), 1, {zero},
                  [&](Value i, ValueRange most) {
                    Value cell = memref::LoadOp::create(e.b, e.loc, cells, i);
                    return Emitter::Values{
                        arith::MaximumFOp::create(e.b, e.loc, most[0], cell)};
                  })[0];
  }
};
} // namespace

/// One parallel loop for query and key; each task leaves its maximum in a cell
/// of its own.
static Squares largestSquares(Emitter &e, Value query, Value key) {
  Value zero = arith::ConstantOp::create(e.b, e.loc, e.b.getF64FloatAttr(0));
  Rows q(e, query), k(e, key);
  Value total = e.add(q.tasks, k.tasks);
  Value cells = memref::AllocOp::create(
      e.b, e.loc, MemRefType::get({ShapedType::kDynamic}, e.b.getF64Type()),
      total);
  // Memory, not arithmetic, takes the time: as long as some 16 flops.
  auto work = [&](Value memref) {
    int64_t columns = cast<MemRefType>(memref.getType()).getDimSize(2);
    return e.mul(e.mul(e.dim(memref, 0), e.dim(memref, 1)), 16 * columns);
  };
  e.parallel({total}, e.add(work(query), work(key)), [&](ValueRange at) {
    Value task = at[0];
    e.when(e.less(task, q.tasks),
           [&] { e.store(largestOfTask(e, q, task, zero), cells, task); });
    e.when(e.lessEqual(q.tasks, task), [&] {
      e.store(largestOfTask(e, k, e.sub(task, q.tasks), zero), cells, task);
    });
  });
  return {q, k, cells};
}

Value polyattn::attn::emitBoundCheck(Emitter &e, CheckBoundOp op, Value query,
                                     Value key) {
  int64_t d = cast<MemRefType>(query.getType()).getDimSize(2);
  double bound = op.getBound().convertToDouble();
  double scale = op.getScale().convertToDouble();
  double maxNorm = op.getMaxNorm().convertToDouble();
  // Sums of d products in f64 are off by less than (d + 8) 2^-53.
  double slack = 1 - (double(d) + 16) * 0x1p-52;
  auto within = [&](Value x, double limit) -> Value {
    Value c = arith::ConstantOp::create(
        e.b, e.loc, e.b.getF64FloatAttr(limit * limit * slack));
    return e.compare(arith::CmpFPredicate::OLE, x, c);
  };
  auto both = [&](Value x, Value y) -> Value {
    return arith::AndIOp::create(e.b, e.loc, x, y);
  };
  Squares squares = largestSquares(e, query, key);
  Value squared =
      arith::ConstantOp::create(e.b, e.loc, e.b.getF64FloatAttr(scale * scale));
  Value heads = e.dim(query, 0);
  Value group = e.div(heads, e.max(e.dim(key, 0), e.index(1)));
  Value yes = arith::ConstantIntOp::create(e.b, e.loc, 1, 1);
  return e.loop(e.index(0), heads, 1, {yes}, [&](Value head, ValueRange all) {
    Value q = squares.ofQuery(e, head),
          k = squares.ofKey(e, e.div(head, group));
    Value product = e.mulf(e.mulf(q, k), squared);
    Value norms = both(within(q, maxNorm), within(k, maxNorm));
    return Emitter::Values{both(all[0], both(within(product, bound), norms))};
  })[0];
}
