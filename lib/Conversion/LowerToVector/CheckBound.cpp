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

/// The sum of |x|^power of a row, in f64 so that neither overflow nor rounding
/// of f32 can make it too small.
static Value rowPowers(Emitter &e, Value memref, Value head, Value row,
                       unsigned power) {
  int64_t columns = cast<MemRefType>(memref.getType()).getDimSize(2);
  Type f64 = e.b.getF64Type();
  VectorType wide = VectorType::get({e.lanes}, f64);
  int64_t full = columns / e.lanes * e.lanes;
  auto extend = [&](Value x, Type type) -> Value {
    return arith::ExtFOp::create(e.b, e.loc, type, x);
  };
  auto magnitude = [&](Value x) -> Value {
    return power == 2 ? x : math::AbsFOp::create(e.b, e.loc, x).getResult();
  };
  // x^(power - 1)
  auto rest = [&](Value x) {
    Value product = x;
    for (unsigned t = 2; t < power; ++t)
      product = e.mulf(product, x);
    return product;
  };
  Value zero = arith::ConstantOp::create(e.b, e.loc, e.b.getZeroAttr(wide));
  Value sums = e.loop(e.index(0), e.index(full), e.lanes, {zero},
                      [&](Value c, ValueRange carried) {
                        Value x = magnitude(
                            extend(e.vload(memref, {head, row, c}), wide));
                        return Emitter::Values{e.fma(rest(x), x, carried[0])};
                      })[0];
  Value sum =
      vector::ReductionOp::create(e.b, e.loc, vector::CombiningKind::ADD, sums,
                                  arith::FastMathFlags::reassoc);
  for (int64_t c = full; c < columns; ++c) {
    Value x = magnitude(extend(e.load(memref, {head, row, e.index(c)}), f64));
    sum = e.addf(sum, e.mulf(rest(x), x));
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

/// The largest sum of powers of a task's rows; NaN if any row has NaN.
static Value largestOfTask(Emitter &e, const Rows &rows, Value task, Value zero,
                           unsigned power) {
  Value head = e.div(task, rows.perHead);
  Value from =
      e.mul(e.sub(task, e.mul(head, rows.perHead)), e.index(rowsPerTask));
  Value to = e.min(e.add(from, rowsPerTask), e.dim(rows.memref, 1));
  return e.loop(from, to, 1, {zero}, [&](Value row, ValueRange most) {
    Value soon = e.add(row, rowsAhead(rows.memref));
    e.prefetchRow(rows.memref, head, e.min(soon, e.sub(to, e.index(1))));
    Value powers = rowPowers(e, rows.memref, head, row, power);
    return Emitter::Values{
        arith::MaximumFOp::create(e.b, e.loc, most[0], powers)};
  })[0];
}

namespace {
/// The largest sums of powers of the rows of each task.
struct Powers {
  /// Of the query, then of each set of keys; the first task of each.
  SmallVector<Rows> rows;
  SmallVector<Value> first;
  /// Cells of all tasks.
  Value cells;

  /// Of the rows of a head.
  Value of(Emitter &e, size_t operand, Value head) {
    const Rows &r = rows[operand];
    Value zero = arith::ConstantOp::create(e.b, e.loc, e.b.getF64FloatAttr(0));
    Value from = e.add(first[operand], e.mul(head, r.perHead));
    return e.loop(from, e.add(from, r.perHead), 1, {zero},
                  [&](Value i, ValueRange most) {
                    Value cell = memref::LoadOp::create(e.b, e.loc, cells, i);
                    return Emitter::Values{
                        arith::MaximumFOp::create(e.b, e.loc, most[0], cell)};
                  })[0];
  }
};
} // namespace

/// One parallel loop for all operands; each task leaves its maximum in a cell
/// of its own.
static Powers largestPowers(Emitter &e, ValueRange operands, unsigned power) {
  Value zero = arith::ConstantOp::create(e.b, e.loc, e.b.getF64FloatAttr(0));
  Powers powers;
  Value total = e.index(0), work = e.index(0);
  for (Value memref : operands) {
    powers.rows.push_back(Rows(e, memref));
    powers.first.push_back(total);
    total = e.add(total, powers.rows.back().tasks);
    // Memory, not arithmetic, takes the time: as long as some 16 flops.
    int64_t columns = cast<MemRefType>(memref.getType()).getDimSize(2);
    work = e.add(
        work, e.mul(e.mul(e.dim(memref, 0), e.dim(memref, 1)), 16 * columns));
  }
  powers.cells = memref::AllocOp::create(
      e.b, e.loc, MemRefType::get({ShapedType::kDynamic}, e.b.getF64Type()),
      total);
  e.parallel({total}, work, [&](ValueRange at) {
    for (size_t i = 0; i < powers.rows.size(); ++i) {
      const Rows &rows = powers.rows[i];
      Value first = powers.first[i], end = e.add(first, rows.tasks);
      Value own = arith::AndIOp::create(e.b, e.loc, e.lessEqual(first, at[0]),
                                        e.less(at[0], end));
      e.when(own, [&] {
        Value most = largestOfTask(e, rows, e.sub(at[0], first), zero, power);
        e.store(most, powers.cells, at[0]);
      });
    }
  });
  return powers;
}

Value polyattn::attn::emitBoundCheck(Emitter &e, CheckBoundOp op, Value query,
                                     ValueRange keys) {
  int64_t d = cast<MemRefType>(query.getType()).getDimSize(2);
  unsigned power = unsigned(keys.size()) + 1;
  // Sums of d powers in f64 are off by less than (d + 8 + power) 2^-53, each of
  // the factors of a score.
  double slack = 1 - (double(d) + 16) * (power - 1) * 0x1p-52;
  auto constant = [&](double c) -> Value {
    return arith::ConstantOp::create(e.b, e.loc, e.b.getF64FloatAttr(c));
  };
  auto toPower = [&](const APFloat &x) {
    double base = x.convertToDouble(), product = base;
    for (unsigned t = 1; t < power; ++t)
      product *= base;
    return product;
  };
  auto within = [&](Value x, double limit) -> Value {
    return e.compare(arith::CmpFPredicate::OLE, x, constant(limit * slack));
  };
  auto both = [&](Value x, Value y) -> Value {
    return arith::AndIOp::create(e.b, e.loc, x, y);
  };
  SmallVector<Value> operands = {query};
  llvm::append_range(operands, keys);
  Powers powers = largestPowers(e, operands, power);
  Value heads = e.dim(query, 0);
  Value group = e.div(heads, e.max(e.dim(keys[0], 0), e.index(1)));
  Value yes = arith::ConstantIntOp::create(e.b, e.loc, 1, 1);
  return e.loop(e.index(0), heads, 1, {yes}, [&](Value head, ValueRange all) {
    Value product, norms = all[0];
    for (size_t i = 0; i < operands.size(); ++i) {
      Value sum = powers.of(e, i, i == 0 ? head : e.div(head, group));
      norms = both(norms, within(sum, toPower(op.getMaxNorm())));
      product = product ? e.mulf(product, sum) : sum;
    }
    product = e.mulf(product, constant(std::fabs(toPower(op.getScale()))));
    return Emitter::Values{
        both(norms, within(product, toPower(op.getBound())))};
  })[0];
}
