// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "Tiles.h"
#include "polyattn/Approximation/ExpPolynomial.h"

#include <cmath>

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

// Four vectors side by side reuse each broadcast four times; with 16 registers
// there is only room for two.
Blocking::Blocking(const TargetDescription &target)
    : lanes(target.lanes()), registers(target.vectorRegisters),
      vectors(registers >= 32 ? 4 : 2) {}

int64_t Blocking::rowsFor(int64_t vectors) const {
  // Beyond 12 rows the broadcasts outnumber what loads can hide.
  return std::clamp<int64_t>((registers - vectors - 2) / vectors, 1, 12);
}

Emitter::Values
polyattn::attn::emitProduct(Emitter &e, Value count, int64_t rows,
                            int64_t vectors,
                            function_ref<Value(Value, int64_t)> a,
                            function_ref<Value(Value, int64_t)> b) {
  Emitter::Values zero(rows * vectors, e.splat(0));
  return e.loop(e.index(0), count, 1, zero, [&](Value k, ValueRange acc) {
    Emitter::Values columns, next;
    for (int64_t v = 0; v < vectors; ++v)
      columns.push_back(b(k, v));
    for (int64_t r = 0; r < rows; ++r) {
      Value x = e.broadcast(a(k, r));
      for (int64_t v = 0; v < vectors; ++v)
        next.push_back(e.fma(x, columns[v], acc[r * vectors + v]));
    }
    return next;
  });
}

/// The network exchanges, for each power of two s, the off-diagonal s x s
/// squares of every 2s x 2s square.
Emitter::Values polyattn::attn::emitTranspose(Emitter &e,
                                              Emitter::Values rows) {
  int64_t n = e.lanes;
  for (int64_t s = 1; s < n; s *= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t i = 0; i < n; ++i) {
      bool upper = i & s;
      low.push_back(upper ? n + i - s : i);
      high.push_back(upper ? n + i : i + s);
    }
    for (int64_t i = 0; i < n; ++i) {
      if (i & s)
        continue;
      Value x = rows[i], y = rows[i + s];
      rows[i] = vector::ShuffleOp::create(e.b, e.loc, x, y, low);
      rows[i + s] = vector::ShuffleOp::create(e.b, e.loc, x, y, high);
    }
  }
  return rows;
}

void polyattn::attn::forRowGroups(Emitter &e, int64_t total, int64_t group,
                                  function_ref<void(Value, int64_t)> body) {
  int64_t full = total / group * group;
  if (full)
    e.loop(e.index(0), e.index(full), group,
           [&](Value row) { body(row, group); });
  if (full < total)
    body(e.index(full), total - full);
}

/// Coefficients of 2^f on [-1/2, 1/2], from e^x on [-ln 2 / 2, ln 2 / 2].
static const std::vector<double> &exp2Coefficients() {
  static const std::vector<double> coefficients = [] {
    const double ln2 = std::log(2.0);
    std::vector<double> c = fitExp(ln2 / 2, 5)->Coefficients;
    double power = 1;
    for (double &x : c) {
      x *= power;
      power *= ln2;
    }
    return c;
  }();
  return coefficients;
}

Value polyattn::attn::emitExp2(Emitter &e, Value y) {
  Value least = e.splat(-126);
  Value vanishes = e.compare(arith::CmpFPredicate::OLT, y, least);
  y = e.maxOrSecond(least, y);
  // Adding 1.5 * 2^23 + 127 leaves round(y) + 127 in the low bits, which is
  // the exponent field of 2^round(y).
  Value magic = e.splat(12582912.0 + 127.0);
  Value shifted = e.addf(y, magic);
  Value fraction = e.subf(y, e.subf(shifted, magic));
  const std::vector<double> &c = exp2Coefficients();
  Value power = e.splat(c.back());
  for (size_t t = c.size() - 1; t-- > 0;)
    power = e.fma(power, fraction, e.splat(c[t]));
  VectorType ints = e.vectorType(e.b.getI32Type());
  Value bits = arith::BitcastOp::create(e.b, e.loc, ints, shifted);
  Value by = arith::ConstantOp::create(
      e.b, e.loc, DenseElementsAttr::get(ints, int32_t(23)));
  bits = arith::ShLIOp::create(e.b, e.loc, bits, by);
  Value scale = arith::BitcastOp::create(e.b, e.loc, e.vectorType(), bits);
  // A product, not an integer addition, so that NaN stays NaN.
  return e.select(vanishes, e.splat(0), e.mulf(power, scale));
}
