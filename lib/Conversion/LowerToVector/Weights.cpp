// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Scores of a block of keys to weights: mask, key weights, kernel, sums.
//
// e^(scale s) is 2^(c s - shift), c = scale log2(e), where the shift is one
// number per query that keeps the powers within f32. Without a bound of the
// scores it follows their running maximum ("online softmax", Milakov and
// Gimelshein 2018), but each time runs ahead by a few binary orders, so that
// what has been summed is rescaled a few times per tile and not in every block.

#include "AttentionEmitter.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "polyattn/Approximation/ExpPolynomial.h"

#include <cmath>

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

/// Binary orders by which a shift runs ahead of the maximum when it is raised.
/// Weights stay below 1, so that they cannot make large values overflow.
static constexpr double shiftLead = 8;

/// Weights of a bounded score lie within this many binary orders below 1: far
/// from where products with values would lose digits to underflow.
static constexpr double largestBoundedRange = 64;

/// Degree up to which a polynomial on the whole range of scores costs less
/// than range reduction and a polynomial on the rest.
static constexpr unsigned largestPlainDegree = 8;

//===----------------------------------------------------------------------===//
// The choice
//===----------------------------------------------------------------------===//

/// A bound may be relied on if it is proved; of others a guard takes care, and
/// what stands under the guard is a polynomial already.
void AttentionEmitter::chooseWeighting() {
  plainKernel = kernel;
  weighting = Weighting::Plain;
  if (!kernel.isShiftInvariant())
    return;
  auto polynomial = [&](ArrayRef<double> coefficients) -> KernelAttrInterface {
    return PolyKernelAttr::get(
        op.getContext(), DenseF64ArrayAttr::get(op.getContext(), coefficients));
  };
  // A scale that f32 takes for 0 makes all weights 1, which 1 + s is to f32; as
  // an exponent it would make NaN of the infinite scores of absent keys.
  if (float(scale * log2e) == 0) {
    plainKernel = polynomial({1, 1});
    return;
  }
  weighting = Weighting::RunningExp;
  BoundAttr bound = op.getBound().value_or(BoundAttr());
  if (!bound || bound.getSource() != BoundSource::Proved || operands.bias)
    return;
  // Rounded scores may exceed the bound by a little.
  double most = bound.getValue() * (1 + 0x1p-10);
  if (auto fit =
          fitExpToError(std::max(most, 0x1p-6), 3e-8, largestPlainDegree)) {
    weighting = Weighting::Plain;
    plainKernel = polynomial(fit->Coefficients);
  } else if (2 * most * log2e <= largestBoundedRange) {
    weighting = Weighting::BoundedExp;
    boundedShift = std::ceil(most * log2e);
  }
}

//===----------------------------------------------------------------------===//
// Keys that do not count
//===----------------------------------------------------------------------===//

Value AttentionEmitter::keyWeight(Value keyHead, Value key) {
  return e.load(operands.weights, {keyHead, key});
}

/// Does some query of the tile not see all keys of the block? The first query's
/// end is the least, the last one's begin the largest.
Value AttentionEmitter::isPartlyMasked(Tile &t, Value from, Value count) {
  Value lastQuery =
      e.min(e.add(t.first, queryTile - 1), e.sub(t.end, e.index(1)));
  return arith::OrIOp::create(
      e.b, e.loc, e.less(from, keyRange(lastQuery).begin),
      e.less(keyRange(t.first).end, e.add(from, count)));
}

/// Which queries from lane `i` on see the key?
Value AttentionEmitter::admits(Tile &t, Value key, Value i) {
  Type i32 = e.b.getI32Type();
  key = e.broadcast(arith::IndexCastOp::create(e.b, e.loc, i32, key));
  auto vectorOf = [&](Value buffer) -> Value {
    return vector::LoadOp::create(e.b, e.loc, e.vectorType(i32), buffer, i);
  };
  auto less = [&](Value l, Value r, arith::CmpIPredicate how) -> Value {
    return arith::CmpIOp::create(e.b, e.loc, how, l, r);
  };
  return arith::AndIOp::create(
      e.b, e.loc, less(vectorOf(t.begins), key, arith::CmpIPredicate::sle),
      less(key, vectorOf(t.ends), arith::CmpIPredicate::slt));
}

/// Scores of keys that a query does not see become what never is a maximum and
/// has weight 0.
void AttentionEmitter::removeMaskedKeys(Tile &t, Value from, Value count) {
  if (mask.admitsAll())
    return;
  e.when(isPartlyMasked(t, from, count), [&] {
    e.loop(e.index(0), count, 1, [&](Value j) {
      e.loop(e.index(0), e.index(queryTile), e.lanes, [&](Value i) {
        Value s = e.vload(t.scores, {j, i});
        s = e.select(admits(t, e.add(from, j), i), s, e.splat(absentScore()));
        e.vstore(s, t.scores, {j, i});
      });
    });
  });
}

/// So do those of keys of weight 0.
void AttentionEmitter::removePadding(Tile &t, Value from, Value count) {
  if (!operands.weights)
    return;
  e.loop(e.index(0), count, 1, [&](Value j) {
    Value weight = keyWeight(t.keyHead, e.add(from, j));
    Value padding = e.compare(arith::CmpFPredicate::OEQ, weight, e.scalar(0));
    e.when(padding, [&] {
      e.loop(e.index(0), e.index(queryTile), e.lanes, [&](Value i) {
        e.vstore(e.splat(absentScore()), t.scores, {j, i});
      });
    });
  });
}

//===----------------------------------------------------------------------===//
// The running shift
//===----------------------------------------------------------------------===//

/// Calls `body` for each strip of lanes that registers hold at once, with the
/// position of each of its vectors.
static void forStrips(Emitter &e, const Blocking &blocking, int64_t tile,
                      function_ref<void(ArrayRef<Value>)> body) {
  e.loop(e.index(0), e.index(tile), blocking.width(), [&](Value lane) {
    Emitter::Values at;
    for (int64_t v = 0; v < blocking.vectors; ++v)
      at.push_back(e.add(lane, v * e.lanes));
    body(at);
  });
}

/// The extreme scores of the block times c, which are the largest exponents.
Emitter::Values AttentionEmitter::largestExponents(Tile &t, Value count,
                                                   ArrayRef<Value> at) {
  auto further = [&](Value x, Value than) {
    return scale < 0 ? e.minOrSecond(x, than) : e.maxOrSecond(x, than);
  };
  // Two rows at once hide the latency of the comparison; a single last row
  // meets itself.
  Value last = e.sub(count, e.index(1));
  Values none(2 * at.size(), e.splat(scale < 0 ? INFINITY : -INFINITY));
  Values most =
      e.loop(e.index(0), count, 2, none, [&](Value j, ValueRange carried) {
        Values next;
        for (Value row : {j, e.min(e.add(j, 1), last)})
          for (Value i : at)
            next.push_back(
                further(e.vload(t.scores, {row, i}), carried[next.size()]));
        return next;
      });
  Values exponents;
  for (size_t v = 0; v < at.size(); ++v)
    exponents.push_back(
        e.mulf(further(most[v], most[at.size() + v]), e.splat(scale * log2e)));
  return exponents;
}

/// Where exponents of this block pass the shift, it runs ahead of them again,
/// and what was summed relative to the old one shrinks.
void AttentionEmitter::raiseShifts(Tile &t, Value count) {
  forStrips(e, blocking, queryTile, [&](ArrayRef<Value> at) {
    Values old, exponents = largestExponents(t, count, at);
    Value anyRise;
    for (auto [v, i] : llvm::enumerate(at)) {
      old.push_back(e.vload(t.shifts, i));
      Value rises = e.compare(arith::CmpFPredicate::OGT, exponents[v], old[v]);
      anyRise =
          anyRise ? arith::OrIOp::create(e.b, e.loc, anyRise, rises) : rises;
    }
    anyRise = vector::ReductionOp::create(e.b, e.loc, vector::CombiningKind::OR,
                                          anyRise);
    e.when(anyRise, [&] { rescale(t, at, old, exponents); });
  });
}

void AttentionEmitter::rescale(Tile &t, ArrayRef<Value> at, ValueRange old,
                               ValueRange exponents) {
  Values factors;
  for (auto [v, i] : llvm::enumerate(at)) {
    Value rises = e.compare(arith::CmpFPredicate::OGT, exponents[v], old[v]);
    Value shift =
        e.select(rises, e.addf(exponents[v], e.splat(shiftLead)), old[v]);
    Value factor = emitExp2(e, e.subf(old[v], shift));
    // No key before: nothing to shrink, and no -inf - -inf.
    Value fresh =
        e.compare(arith::CmpFPredicate::OEQ, old[v], e.splat(-INFINITY));
    factors.push_back(e.select(fresh, e.splat(0), factor));
    e.vstore(shift, t.shifts, i);
    e.vstore(e.mulf(e.vload(t.sums, i), factors[v]), t.sums, i);
  }
  e.loop(e.index(0), e.index(valueDim), 1, [&](Value c) {
    for (auto [v, i] : llvm::enumerate(at))
      e.vstore(e.mulf(e.vload(t.outputs, {c, i}), factors[v]), t.outputs,
               {c, i});
  });
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

/// Rows without any key yet have shift -inf; their weights shall be 0.
Value AttentionEmitter::finiteShift(Value shift) {
  Value none = e.compare(arith::CmpFPredicate::OEQ, shift, e.splat(-INFINITY));
  return e.select(none, e.splat(0), shift);
}

/// The weight of a vector of scores; `shift` is that of its queries.
Value AttentionEmitter::emitWeight(Value score, Value shift,
                                   Exp2Degree degree) {
  switch (weighting) {
  case Weighting::Plain:
    return plainKernel.emitWeight(e.b, e.loc, e.mulf(score, e.splat(scale)));
  case Weighting::BoundedExp:
    return emitBoundedExp2(e, score, scale * log2e, boundedShift, degree);
  case Weighting::RunningExp:
    // Not a fused one: where scores are huge, the largest shall meet a shift
    // that was rounded like it.
    return emitExp2(e, e.subf(e.mulf(score, e.splat(scale * log2e)), shift),
                    degree);
  }
  llvm_unreachable("unknown weighting");
}

/// Scores to weights, in place, and their sums.
void AttentionEmitter::emitWeights(Tile &t, Value from, Value count) {
  auto emit = [&](bool masked) {
    forStrips(e, blocking, queryTile, [&](ArrayRef<Value> at) {
      emitStripWeights(t, from, count, at, masked);
    });
  };
  if (matrixUnit)
    clearWeightPairs(t, count);
  // With a running shift absent keys are out already.
  if (mask.admitsAll() || t.shifts)
    return emit(false);
  scf::IfOp::create(
      e.b, e.loc, isPartlyMasked(t, from, count),
      [&](OpBuilder &, Location) {
        emit(true);
        scf::YieldOp::create(e.b, e.loc);
      },
      [&](OpBuilder &, Location) {
        emit(false);
        scf::YieldOp::create(e.b, e.loc);
      });
}

void AttentionEmitter::emitStripWeights(Tile &t, Value from, Value count,
                                        ArrayRef<Value> at, bool masked) {
  Strip strip = openStrip(t, at, masked);
  weighRows(t, strip, from, e.index(0), count);
  closeStrip(t, strip);
}

AttentionEmitter::Strip AttentionEmitter::openStrip(Tile &t, ArrayRef<Value> at,
                                                    bool masked) {
  Strip strip{Values(at), Values(at.size()), Values(at.size(), e.splat(0)),
              masked};
  if (t.shifts)
    for (auto [v, i] : llvm::enumerate(at))
      strip.shifts[v] = finiteShift(e.vload(t.shifts, i));
  return strip;
}

void AttentionEmitter::closeStrip(Tile &t, Strip &strip) {
  for (auto [i, sum] : llvm::zip_equal(strip.at, strip.sums))
    e.vstore(e.addf(e.vload(t.sums, i), sum), t.sums, i);
}

/// The weights of key from + j for the strip's queries.
Emitter::Values AttentionEmitter::rowWeights(Tile &t, const Strip &strip,
                                             Value from, Value j) {
  // On their way to bf16 weights need no more.
  Exp2Degree degree = matrixUnit ? Exp2Degree::Narrow : Exp2Degree::Full;
  Values weights;
  Value factor, padding;
  if (operands.weights) {
    factor = e.broadcast(keyWeight(t.keyHead, e.add(from, j)));
    padding = e.compare(arith::CmpFPredicate::OEQ, factor, e.splat(0));
  }
  for (auto [i, shift] : llvm::zip_equal(strip.at, strip.shifts)) {
    Value p = emitWeight(e.vload(t.scores, {j, i}), shift, degree);
    if (factor)
      p = e.select(padding, e.splat(0), e.mulf(p, factor));
    if (strip.masked)
      p = e.select(admits(t, e.add(from, j), i), p, e.splat(0));
    weights.push_back(p);
  }
  return weights;
}

/// Rows [first, end) of the block to weights, which the strip adds up.
void AttentionEmitter::weighRows(Tile &t, Strip &strip, Value from, Value first,
                                 Value end) {
  auto addTo = [&](ValueRange sums, ValueRange weights) {
    Values next;
    for (auto [sum, weight] : llvm::zip_equal(sums, weights))
      next.push_back(e.addf(sum, weight));
    return next;
  };
  auto row = [&](Value j, ValueRange sums) {
    Values weights = rowWeights(t, strip, from, j);
    for (auto [i, weight] : llvm::zip_equal(strip.at, weights))
      e.vstore(weight, t.scores, {j, i});
    return addTo(sums, weights);
  };
  std::optional<int64_t> knownEnd = getConstantIntValue(end);
  bool whole = knownEnd && *knownEnd % 2 == 0;
  auto pairOfRows = [&](Value j, ValueRange sums) {
    // A single last row meets itself, and that counts as nothing.
    Value second = e.add(j, 1);
    if (!whole)
      second = e.min(second, e.sub(end, e.index(1)));
    Values even = rowWeights(t, strip, from, j);
    Values odd = rowWeights(t, strip, from, second);
    for (auto [v, i] : llvm::enumerate(strip.at)) {
      if (!whole)
        odd[v] = e.select(e.less(j, second), odd[v], e.splat(0));
      storeWeightPair(t, j, i, even[v], odd[v]);
    }
    return addTo(addTo(sums, even), odd);
  };
  strip.sums = matrixUnit ? e.loop(first, end, 2, strip.sums, pairOfRows)
                          : e.loop(first, end, 1, strip.sums, row);
}
