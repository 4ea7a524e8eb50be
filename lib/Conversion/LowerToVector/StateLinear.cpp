// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The state of a polynomial of degree 1, c0 + c1 s. Its features are 1 and the
// columns of a row itself:
//   S[0] = sum_j v_j,  S[1 + a] = sum_j k_j[a] v_j,
//   o_i = (S[0] + sum_a q_i[a] S[1 + a]) / (D[0] + sum_a q_i[a] D[1 + a]),
// so that nothing is packed or transposed: scalars come from queries and keys
// where they lie, lanes are value columns, and outputs are stored as rows.

#include "AttentionEmitter.h"

#include <numeric>

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

bool AttentionEmitter::isLinear(const Features &f) {
  return f.degree == 1 && headDim % e.lanes == 0 && valueDim % e.lanes == 0;
}

//===----------------------------------------------------------------------===//
// Update: keys and values into a state
//===----------------------------------------------------------------------===//

/// Keys and values of a block, a state and what streams past them share the
/// first cache. Certificates count keyBlockOfState additions inside a block of
/// as many keys, then two for each block. Here it is half as many inside, then
/// two for each block of the same partial state, and for every other partial
/// state, which has a block of its own, one.
static constexpr int64_t linearBlock = keyBlockOfState / 2;

/// states[slot] += sum of the features of keys [from, to) times their values.
void AttentionEmitter::addLinearKeys(Features &f, Value keyHead, Value slot,
                                     Value from, Value to) {
  Value keyCopy, valueCopy = e.buffer({linearBlock, valueDim});
  if (!op.getElementType().isF32())
    keyCopy = e.buffer({linearBlock, headDim});
  Value last = e.sub(to, e.index(1));
  auto addBlock = [&](Value key, Value count) {
    // Vectors of values are read many times, and a copy's are aligned.
    copyBlock(operands.value, keyHead, key, count, valueCopy);
    HeadRows keys = headRows(operands.key, keyHead, key, count, keyCopy);
    addKeySums(f, slot, keys, count);
    addKeyProducts(f, slot, keys, valueCopy, count, [&](Value row) {
      Value next = e.min(e.add(e.add(key, linearBlock), row), last);
      e.prefetchRow(operands.key, keyHead, next);
      e.prefetchRow(operands.value, keyHead, next);
    });
  };
  Value length = e.max(e.sub(to, from), e.index(0));
  Value rest = e.rem(length, e.index(linearBlock));
  Value full = e.add(from, e.sub(length, rest));
  e.loop(from, full, linearBlock,
         [&](Value key) { addBlock(key, e.index(linearBlock)); });
  e.when(e.less(e.index(0), rest), [&] { addBlock(full, rest); });
  Value ones = arith::IndexCastOp::create(e.b, e.loc, e.b.getI64Type(), length);
  ones = arith::SIToFPOp::create(e.b, e.loc, e.f32(), ones);
  SmallVector<Value> at = {slot, e.index(0)};
  e.store(e.addf(e.load(f.denominators, at), ones), f.denominators, at);
}

/// denominators[slot][1 + a] += sum_j k_j[a]
void AttentionEmitter::addKeySums(Features &f, Value slot, const HeadRows &keys,
                                  Value count) {
  forColumnGroups(headDim, [&](Value a, int64_t vectors) {
    Values sums = emitProduct(
        e, count, 1, vectors, [&](Value, int64_t) { return e.scalar(1); },
        [&](Value j, int64_t v) {
          return e.vload(keys.memref, placeIn(keys, j, e.add(a, v * e.lanes)));
        });
    for (int64_t v = 0; v < vectors; ++v)
      addTo(f.denominators, {slot, e.add(a, 1 + v * e.lanes)}, sums[v]);
  });
}

/// states[slot][1 + a] += sum_j k_j[a] v_j. The sum of values is one more row
/// of the last block instead of a pass of its own. Each pass asks for some rows
/// of the next block, which come from afar, meanwhile.
void AttentionEmitter::addKeyProducts(Features &f, Value slot,
                                      const HeadRows &keys, Value values,
                                      Value count,
                                      function_ref<void(Value)> askForRow) {
  auto product = [&](Value a, int64_t rows, bool ones, Value column,
                     int64_t vectors) {
    Values sums = emitProduct(
        e, count, rows + ones, vectors,
        [&](Value j, int64_t r) {
          return r == rows ? e.scalar(1)
                           : e.load(keys.memref, placeIn(keys, j, e.add(a, r)));
        },
        [&](Value j, int64_t v) {
          return e.vload(values, {j, e.add(column, v * e.lanes)});
        });
    for (int64_t r = 0; r < rows + ones; ++r)
      for (int64_t v = 0; v < vectors; ++v) {
        Value feature = r == rows ? e.index(0) : e.add(a, 1 + r);
        addTo(f.states, {slot, feature, e.add(column, v * e.lanes)},
              sums[r * vectors + v]);
      }
  };
  int64_t most = blocking.rowsFor(blockingFor(valueDim));
  int64_t full = headDim / most * most, passes = full / most + 1;
  int64_t share = (linearBlock + passes - 1) / passes;
  auto ask = [&](Value a) {
    Value first = e.mul(e.div(a, most), share);
    for (int64_t r = 0; r < share; ++r)
      askForRow(e.add(first, r));
  };
  forColumnGroups(valueDim, [&](Value column, int64_t vectors) {
    if (full)
      e.loop(e.index(0), e.index(full), most, [&](Value a) {
        ask(a);
        product(a, most, false, column, vectors);
      });
    ask(e.index(full));
    product(e.index(full), headDim - full, true, column, vectors);
  });
}

//===----------------------------------------------------------------------===//
// Apply: a state to a tile of queries
//===----------------------------------------------------------------------===//

/// Rows whose denominators are made together: whole vectors of them, and whole
/// register blocks.
int64_t AttentionEmitter::rowsOfLinearPanel() {
  return std::lcm(blocking.rowsFor(blockingFor(valueDim)), e.lanes);
}

/// Of a task, which has a cost of its own.
int64_t AttentionEmitter::rowsOfLinearTile() {
  return roundUp(256, rowsOfLinearPanel());
}

void AttentionEmitter::emitLinearTile(Features &f, Value head, Value first,
                                      Value end, Value slot) {
  int64_t panel = rowsOfLinearPanel();
  int64_t rows = blocking.rowsFor(blockingFor(valueDim));
  Value last = e.sub(end, e.index(1));
  LinearPanel p{head, slot, {}, {}, {}, e.buffer({panel}), e.buffer({panel})};
  Value copy;
  if (!op.getElementType().isF32())
    copy = e.buffer({panel, headDim});
  e.loop(first, end, panel, [&](Value from) {
    p.first = from;
    p.count = e.min(e.index(panel), e.sub(end, from));
    p.queries = headRows(operands.query, head, from, p.count, copy);
    emitLinearSums(f, p);
    forColumnGroups(valueDim, [&](Value column, int64_t vectors) {
      e.loop(e.index(0), p.count, rows, [&](Value i) {
        // The same rows of the next panel, which come from afar, meanwhile.
        for (int64_t r = 0; r < rows; ++r) {
          Value next = e.add(e.add(from, panel + r), i);
          e.prefetchRow(operands.query, head, e.min(next, last));
        }
        emitLinearOutputs(f, p, i, rows, column, vectors);
      });
    });
  });
}

/// Rows [i, i + rows) of a panel. Those past the last one repeat it: they
/// compute and store the same again.
Emitter::Values AttentionEmitter::rowsOfPanel(LinearPanel &p, Value i,
                                              int64_t rows) {
  Values result;
  for (int64_t r = 0; r < rows; ++r)
    result.push_back(e.min(e.add(i, r), e.sub(p.count, e.index(1))));
  return result;
}

/// Denominators, a vector of queries at a time; lanes run over the columns of
/// queries until they are summed.
void AttentionEmitter::emitLinearSums(Features &f, LinearPanel &p) {
  e.loop(e.index(0), p.count, e.lanes, [&](Value i) {
    Values rows = rowsOfPanel(p, i, e.lanes);
    Values sums =
        e.loop(e.index(0), e.index(headDim), e.lanes,
               Values(e.lanes, e.splat(0)), [&](Value a, ValueRange carried) {
                 Value state = e.vload(f.denominators, {p.slot, e.add(a, 1)});
                 Values next;
                 for (auto [row, sum] : llvm::zip_equal(rows, carried)) {
                   Value query =
                       e.vload(p.queries.memref, placeIn(p.queries, row, a));
                   next.push_back(e.fma(query, state, sum));
                 }
                 return next;
               });
    Value ones = e.broadcast(e.load(f.denominators, {p.slot, e.index(0)}));
    Value sum = e.addf(emitLaneSums(e, sums), ones);
    e.vstore(sum, p.sums, i);
    e.vstore(inverseOf(sum), p.inverses, i);
  });
}

/// A register block of outputs: rows from `i` on, vectors of columns. Sums over
/// features run in blocks, to which the constant one is added last: no more
/// additions for a term than certificates count, 1 + min(FeatureBlock, 1 + d)
/// + the blocks of 1 + d features.
void AttentionEmitter::emitLinearOutputs(Features &f, LinearPanel &p, Value i,
                                         int64_t rows, Value column,
                                         int64_t vectors) {
  Values queries = rowsOfPanel(p, i, rows), totals;
  for (int64_t from = 0; from < headDim; from += featureBlockOfState) {
    Values sums = emitProduct(
        e, e.index(std::min(featureBlockOfState, headDim - from)), rows,
        vectors,
        [&](Value k, int64_t r) {
          return e.load(p.queries.memref,
                        placeIn(p.queries, queries[r], e.add(k, from)));
        },
        [&](Value k, int64_t v) {
          return e.vload(f.states, {p.slot, e.add(k, 1 + from),
                                    e.add(column, v * e.lanes)});
        });
    for (size_t s = 0; from && s < sums.size(); ++s)
      sums[s] = e.addf(totals[s], sums[s]);
    totals = sums;
  }
  for (int64_t r = 0; r < rows; ++r) {
    Value sum = e.broadcast(e.load(p.sums, queries[r]));
    Value inverse = e.broadcast(e.load(p.inverses, queries[r]));
    for (int64_t v = 0; v < vectors; ++v) {
      Value c = e.add(column, v * e.lanes);
      Value ones = e.vload(f.states, {p.slot, e.index(0), c});
      Value output =
          divideBySum(e.addf(totals[r * vectors + v], ones), sum, inverse);
      e.vstore(e.narrow(output, op.getElementType()), operands.output,
               {p.head, e.add(p.first, queries[r]), c});
    }
  }
}
