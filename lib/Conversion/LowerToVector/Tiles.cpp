// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "Tiles.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
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

Emitter::Values polyattn::attn::emitProduct(
    Emitter &e, Value count, int64_t rows, int64_t vectors,
    function_ref<Value(Value, int64_t)> a,
    function_ref<Value(Value, int64_t)> b, ValueRange start) {
  auto step = [&](Value k, ValueRange sums) {
    Emitter::Values columns, next;
    for (int64_t v = 0; v < vectors; ++v)
      columns.push_back(b(k, v));
    for (int64_t r = 0; r < rows; ++r) {
      Value x = e.broadcast(a(k, r));
      for (int64_t v = 0; v < vectors; ++v)
        next.push_back(e.fma(x, columns[v], sums[r * vectors + v]));
    }
    return next;
  };
  // Loop control competes with multiply-adds for ports.
  std::optional<int64_t> known = getConstantIntValue(count);
  int64_t unroll = known && *known % 4 == 0 ? 4 : 1;
  Emitter::Values first(start);
  if (first.empty())
    first.assign(rows * vectors, e.splat(0));
  return e.loop(e.index(0), count, unroll, first, [&](Value k, ValueRange acc) {
    Emitter::Values sums(acc);
    for (int64_t u = 0; u < unroll; ++u)
      sums = step(e.add(k, u), sums);
    return sums;
  });
}

/// Of two vectors, in blocks of s lanes: the even blocks of both, alternating,
/// and the odd ones.
static std::pair<Value, Value> emitExchange(Emitter &e, Value x, Value y,
                                            int64_t s) {
  SmallVector<int64_t> low, high;
  for (int64_t i = 0; i < e.lanes; ++i) {
    bool upper = i & s;
    low.push_back(upper ? e.lanes + i - s : i);
    high.push_back(upper ? e.lanes + i : i + s);
  }
  return {vector::ShuffleOp::create(e.b, e.loc, x, y, low),
          vector::ShuffleOp::create(e.b, e.loc, x, y, high)};
}

Value polyattn::attn::emitLaneSums(Emitter &e, Emitter::Values vectors) {
  for (int64_t s = 1; s < e.lanes; s *= 2) {
    Emitter::Values sums;
    for (size_t i = 0; i < vectors.size(); i += 2) {
      auto [low, high] = emitExchange(e, vectors[i], vectors[i + 1], s);
      sums.push_back(e.addf(low, high));
    }
    vectors = sums;
  }
  return vectors.front();
}

/// The network exchanges, for each power of two s, the off-diagonal s x s
/// squares of every 2s x 2s square.
Emitter::Values polyattn::attn::emitTranspose(Emitter &e,
                                              Emitter::Values rows) {
  int64_t n = e.lanes;
  for (int64_t s = 1; s < n; s *= 2) {
    for (int64_t i = 0; i < n; ++i) {
      if (i & s)
        continue;
      std::tie(rows[i], rows[i + s]) = emitExchange(e, rows[i], rows[i + s], s);
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
static std::vector<double> exp2Coefficients(unsigned degree) {
  const double ln2 = std::log(2.0);
  std::vector<double> c = fitExp(ln2 / 2, degree)->Coefficients;
  double power = 1;
  for (double &x : c) {
    x *= power;
    power *= ln2;
  }
  return c;
}

/// Adding this to y leaves round(y) + 127 in the low bits, the exponent field
/// of 2^round(y).
static constexpr double roundingMagic = 1.5 * 0x1p23 + 127;

/// 2^fraction times the power of two whose exponent `shifted` holds.
static Value emitExp2Parts(Emitter &e, Value fraction, Value shifted,
                           Exp2Degree degree) {
  static const std::vector<double> full = exp2Coefficients(5),
                                   narrow = exp2Coefficients(3);
  const std::vector<double> &c = degree == Exp2Degree::Full ? full : narrow;
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
  return e.mulf(power, scale);
}

Value polyattn::attn::emitExp2(Emitter &e, Value y, Exp2Degree degree) {
  Value magic = e.splat(roundingMagic);
  Value shifted = e.addf(y, magic);
  Value fraction = e.subf(y, e.subf(shifted, magic));
  // What comes out below -126 is meaningless and replaced.
  Value vanishes = e.compare(arith::CmpFPredicate::OLT, y, e.splat(-126));
  return e.select(vanishes, e.splat(0),
                  emitExp2Parts(e, fraction, shifted, degree));
}

Value polyattn::attn::emitBoundedExp2(Emitter &e, Value x, double factor,
                                      double shift, Exp2Degree degree) {
  Value c = e.splat(factor), magic = e.splat(roundingMagic - shift);
  Value shifted = e.fma(x, c, magic);
  Value rounded = e.subf(shifted, magic);
  Value fraction = e.fma(x, c, arith::NegFOp::create(e.b, e.loc, rounded));
  return emitExp2Parts(e, fraction, shifted, degree);
}
