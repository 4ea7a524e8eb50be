// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Direct evaluation for a few queries, as in decoding. Queries as lanes would
// leave most lanes empty; here lanes are dimensions while scores are made, keys
// while weights are, and value columns while those are summed. Keys and values
// are read once for all query heads that share them.

#include "AttentionEmitter.h"

#include <cmath>

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

using Values = Emitter::Values;

/// Keys whose rows stay in L1 while all queries meet them.
static constexpr int64_t rowKeyBlock = 64;

static Value extractFirst(Emitter &e, Value x) {
  return vector::ExtractOp::create(e.b, e.loc, x, 0);
}

/// From about half a vector of queries on, lanes are better spent on them.
int64_t AttentionEmitter::mostFewQueries() { return e.lanes / 3; }

void AttentionEmitter::emitFewQueries() {
  // Of no query at all nothing is asked but that it does no harm.
  Value queries = e.max(numQueries, e.index(1));
  e.parallel({keyHeads}, directFlops(numQueries, numKeys), [&](ValueRange at) {
    Rows rows = openRows(at[0]);
    Value first = keyRange(e.index(0)).begin;
    Value end = keyRange(e.sub(queries, e.index(1))).end;
    e.loop(first, end, rowKeyBlock, [&](Value from) {
      Value count = e.min(e.index(rowKeyBlock), e.sub(end, from));
      e.loop(e.index(0), rows.count, 1, [&](Value row) {
        KeyRange<Value> range = keyRange(e.rem(row, queries));
        auto within = [&](Value key) {
          return e.min(e.max(e.sub(key, from), e.index(0)), count);
        };
        rows.begin = within(range.begin);
        rows.end = within(range.end);
        addRowScores(rows, row, from, count);
        addRowWeights(rows, row, from, count);
        addRowValues(rows, row, from, count);
      });
    });
    closeRows(rows);
  });
}

/// The head and the query of a row.
std::pair<Value, Value> AttentionEmitter::placeOf(Rows &rows, Value row) {
  Value queries = e.max(numQueries, e.index(1));
  return {e.add(e.mul(rows.keyHead, group), e.div(row, queries)),
          e.rem(row, queries)};
}

AttentionEmitter::Rows AttentionEmitter::openRows(Value keyHead) {
  Rows rows;
  rows.keyHead = keyHead;
  rows.count = e.mul(group, numQueries);
  auto buffer = [&](int64_t columns) -> Value {
    return memref::AllocOp::create(
        e.b, e.loc, MemRefType::get({ShapedType::kDynamic, columns}, e.f32()),
        rows.count, e.b.getI64IntegerAttr(64));
  };
  rows.queries = buffer(roundUp(headDim, e.lanes));
  rows.outputs = buffer(roundUp(valueDim, e.lanes));
  rows.scores = buffer(rowKeyBlock);
  rows.sums = buffer(e.lanes);
  rows.shifts = buffer(e.lanes);
  e.loop(e.index(0), rows.count, 1, [&](Value row) {
    Value head, query;
    std::tie(head, query) = placeOf(rows, row);
    forColumns(e, headDim, [&](Value c, int64_t lanes) {
      e.vstore(loadPart(e, operands.query, {head, query, c}, lanes),
               rows.queries, {row, c});
    });
    forColumns(e, valueDim, [&](Value c, int64_t) {
      e.vstore(e.splat(0), rows.outputs, {row, c});
    });
    e.vstore(e.splat(0), rows.sums, {row, e.index(0)});
    e.vstore(e.splat(-INFINITY), rows.shifts, {row, e.index(0)});
  });
  return rows;
}

/// scores[row][j] = q . k_j; what the row does not see becomes the score that
/// never is a maximum. Keys past the last repeat it and are not seen.
void AttentionEmitter::addRowScores(Rows &rows, Value row, Value from,
                                    Value count) {
  Value last = e.sub(count, e.index(1));
  e.loop(e.index(0), count, e.lanes, [&](Value j) {
    Values keys;
    for (int64_t i = 0; i < e.lanes; ++i)
      keys.push_back(e.add(from, e.min(e.add(j, i), last)));
    auto addColumns = [&](Value c, int64_t lanes, ValueRange sums) {
      Value q = e.vload(rows.queries, {row, c});
      Values next;
      for (auto [key, sum] : llvm::zip_equal(keys, sums))
        next.push_back(e.fma(
            q, loadPart(e, operands.key, {rows.keyHead, key, c}, lanes), sum));
      return next;
    };
    int64_t full = headDim / e.lanes * e.lanes;
    Values sums(e.lanes, e.splat(0));
    if (full)
      sums = e.loop(e.index(0), e.index(full), e.lanes, sums,
                    [&](Value c, ValueRange carried) {
                      return addColumns(c, e.lanes, carried);
                    });
    if (full < headDim)
      sums = addColumns(e.index(full), headDim - full, sums);
    Value score = emitLaneSums(e, sums);
    if (operands.bias) {
      Value head, query;
      std::tie(head, query) = placeOf(rows, row);
      score = withBias(score, loadBias(biasRow(head, query), e.add(from, j),
                                       e.sub(count, j)));
    }
    score = e.select(seenLanes(rows, j), score,
                     e.splat(scale < 0 ? INFINITY : -INFINITY));
    e.vstore(score, rows.scores, {row, j});
  });
}

/// Which of the keys from j on the row sees.
Value AttentionEmitter::seenLanes(Rows &rows, Value j) {
  auto below = [&](Value limit) -> Value {
    return vector::CreateMaskOp::create(e.b, e.loc,
                                        e.vectorType(e.b.getI1Type()),
                                        e.max(e.sub(limit, j), e.index(0)));
  };
  Value before = below(rows.begin);
  Value none = arith::CmpIOp::create(
      e.b, e.loc, arith::CmpIPredicate::ne, before,
      arith::ConstantOp::create(
          e.b, e.loc,
          DenseElementsAttr::get(e.vectorType(e.b.getI1Type()), true)));
  return arith::AndIOp::create(e.b, e.loc, none, below(rows.end));
}

/// Key weights from j on; 0 where the row sees no key.
Value AttentionEmitter::keyWeights(Rows &rows, Value from, Value j,
                                   Value seen) {
  VectorType type = e.vectorType(
      cast<MemRefType>(operands.weights.getType()).getElementType());
  Value zero = arith::ConstantOp::create(e.b, e.loc, e.b.getZeroAttr(type));
  return e.widen(vector::MaskedLoadOp::create(
      e.b, e.loc, type, operands.weights,
      ValueRange{rows.keyHead, e.add(from, j)}, seen, zero));
}

void AttentionEmitter::raiseRowShift(Rows &rows, Value row, Value count) {
  Values most = e.loop(
      e.index(0), count, e.lanes, {e.splat(scale < 0 ? INFINITY : -INFINITY)},
      [&](Value j, ValueRange carried) {
        Value s = e.vload(rows.scores, {row, j});
        return Values{scale < 0 ? e.minOrSecond(s, carried[0])
                                : e.maxOrSecond(s, carried[0])};
      });
  Value extreme =
      vector::ReductionOp::create(e.b, e.loc,
                                  scale < 0 ? vector::CombiningKind::MINNUMF
                                            : vector::CombiningKind::MAXNUMF,
                                  most[0]);
  Value level = e.broadcast(e.mulf(extreme, e.scalar(scale * log2e)));
  Value place = e.index(0);
  Value old = e.vload(rows.shifts, {row, place});
  Value shift = e.maxOrSecond(level, old);
  Value rises = e.compare(arith::CmpFPredicate::OGT, extractFirst(e, shift),
                          extractFirst(e, old));
  e.when(rises, [&] {
    Value fresh = e.compare(arith::CmpFPredicate::OEQ, old, e.splat(-INFINITY));
    Value factor = e.select(fresh, e.splat(0), emitExp2(e, e.subf(old, shift)));
    e.vstore(shift, rows.shifts, {row, place});
    e.vstore(e.mulf(e.vload(rows.sums, {row, place}), factor), rows.sums,
             {row, place});
    forColumns(e, valueDim, [&](Value c, int64_t) {
      e.vstore(e.mulf(e.vload(rows.outputs, {row, c}), factor), rows.outputs,
               {row, c});
    });
  });
}

/// Scores to weights, in place, and their sums lane by lane.
void AttentionEmitter::addRowWeights(Rows &rows, Value row, Value from,
                                     Value count) {
  bool running = weighting == Weighting::RunningExp;
  if (operands.weights && running)
    e.loop(e.index(0), count, e.lanes, [&](Value j) {
      Value w = keyWeights(rows, from, j, seenLanes(rows, j));
      Value padding = e.compare(arith::CmpFPredicate::OEQ, w, e.splat(0));
      Value s = e.vload(rows.scores, {row, j});
      s = e.select(padding, e.splat(scale < 0 ? INFINITY : -INFINITY), s);
      e.vstore(s, rows.scores, {row, j});
    });
  if (running)
    raiseRowShift(rows, row, count);
  Value place = e.index(0), shift;
  if (running)
    shift = finiteShift(e.vload(rows.shifts, {row, place}));
  Values sums =
      e.loop(e.index(0), count, e.lanes, {e.vload(rows.sums, {row, place})},
             [&](Value j, ValueRange carried) {
               Value seen = seenLanes(rows, j);
               Value p = emitWeight(e.vload(rows.scores, {row, j}), shift);
               if (operands.weights) {
                 Value w = keyWeights(rows, from, j, seen);
                 Value padding =
                     e.compare(arith::CmpFPredicate::OEQ, w, e.splat(0));
                 p = e.select(padding, e.splat(0), e.mulf(p, w));
               }
               p = e.select(seen, p, e.splat(0));
               e.vstore(p, rows.scores, {row, j});
               return Values{e.addf(carried[0], p)};
             });
  e.vstore(sums[0], rows.sums, {row, place});
}

void AttentionEmitter::addRowValues(Rows &rows, Value row, Value from,
                                    Value count) {
  auto addColumns = [&](Value column, int64_t columns) {
    int64_t vectors = (columns + e.lanes - 1) / e.lanes;
    Values sums = emitProduct(
        e, count, 1, vectors,
        [&](Value j, int64_t) { return e.load(rows.scores, {row, j}); },
        [&](Value j, int64_t v) {
          return loadPart(
              e, operands.value,
              {rows.keyHead, e.add(from, j), e.add(column, v * e.lanes)},
              std::min(e.lanes, columns - v * e.lanes));
        });
    for (int64_t v = 0; v < vectors; ++v) {
      Values at = {row, e.add(column, v * e.lanes)};
      e.vstore(e.addf(e.vload(rows.outputs, at), sums[v]), rows.outputs, at);
    }
  };
  // Eight sums at once hide the latency of a multiply-add.
  int64_t width = 8 * e.lanes, full = valueDim / width * width;
  if (full)
    e.loop(e.index(0), e.index(full), width,
           [&](Value c) { addColumns(c, width); });
  if (full < valueDim)
    addColumns(e.index(full), valueDim - full);
}

void AttentionEmitter::closeRows(Rows &rows) {
  e.loop(e.index(0), rows.count, 1, [&](Value row) {
    Value head, query;
    std::tie(head, query) = placeOf(rows, row);
    Value sum = e.broadcast(vector::ReductionOp::create(
        e.b, e.loc, vector::CombiningKind::ADD,
        e.vload(rows.sums, {row, e.index(0)}), arith::FastMathFlags::reassoc));
    Value inverse = inverseOf(sum);
    forColumns(e, valueDim, [&](Value c, int64_t lanes) {
      Value o = divideBySum(e.vload(rows.outputs, {row, c}), sum, inverse);
      storePart(e, e.narrow(o, op.getElementType()), operands.output,
                {head, query, c}, lanes);
    });
  });
}
