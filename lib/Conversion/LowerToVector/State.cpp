// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// State evaluation of a polynomial kernel: P(scale q.k) = sum_f w_f phi_f(q)
// phi_f(k) over the monomials phi_f, so that
//   S[f][c] = sum_j phi_f(k_j) v_j[c],   o_i[c] = sum_f phi_f(q_i) w_f S[f][c].
// Features exist only as a small block in cache, just before their use.

#include "AttentionEmitter.h"
#include "polyattn/Approximation/Monomials.h"
#include "mlir/IR/SymbolTable.h"

#include <cmath>

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

/// States held at once take no more than this, whatever the input's size.
static constexpr int64_t stateBudgetBytes = 24 << 20;

static int64_t roundUp(int64_t x, int64_t to) { return (x + to - 1) / to * to; }

/// The monomials, their tables, and a pool of states. Features are padded to
/// whole register blocks with ones of weight 0.
struct AttentionEmitter::Features {
  int64_t degree, padded, columns, slots;
  /// `padded` rounded up to whole vectors.
  int64_t table;
  /// [padded][degree] i32 rows of the packed tile to multiply; [padded] f32.
  Value factors, weights;
  /// [slots][padded][columns] and [slots][padded]: sums of weighted values and
  /// of key weights alone.
  Value states, denominators;

  int64_t bytesPerState() const { return padded * (columns + 1) * 4; }
};

/// A constant table in the module, named after its contents' origin.
static Value constantTable(Emitter &e, Operation *op, StringRef name,
                           MemRefType type, DenseElementsAttr contents) {
  auto module = op->getParentOfType<ModuleOp>();
  SymbolTable symbols(module);
  OpBuilder::InsertionGuard guard(e.b);
  memref::GlobalOp global;
  for (auto candidate : module.getOps<memref::GlobalOp>())
    if (candidate.getInitialValue() == Attribute(contents))
      global = candidate;
  if (!global) {
    e.b.setInsertionPointToStart(module.getBody());
    global = memref::GlobalOp::create(
        e.b, e.loc, name, e.b.getStringAttr("private"), type, contents,
        /*constant=*/true, e.b.getI64IntegerAttr(64));
    symbols.insert(global);
  }
  e.b.setInsertionPoint(op);
  return memref::GetGlobalOp::create(e.b, e.loc, type, global.getSymName());
}

void AttentionEmitter::emitState() {
  ArrayRef<double> coefficients = *kernel.getPolynomial();
  MonomialSpace space(headDim, coefficients.size() - 1);
  Features f;
  f.degree = space.degree();
  f.columns = roundUp(valueDim, e.lanes);
  int64_t vectors = std::min(blockingFor(f.columns), f.columns / e.lanes);
  f.padded = roundUp(space.rank(), blocking.rowsFor(vectors));

  f.table = roundUp(f.padded, e.lanes);
  std::vector<int32_t> factors = space.factors();
  factors.resize(f.padded * f.degree, 0);
  std::vector<float> weights;
  for (double w : space.weights(coefficients.vec(), scale))
    weights.push_back(float(w));
  weights.resize(f.table, 0);
  auto tableType = [&](ArrayRef<int64_t> shape, Type element) {
    return std::pair(MemRefType::get(shape, element),
                     RankedTensorType::get(shape, element));
  };
  auto [fm, ft] = tableType({f.padded, f.degree}, e.b.getI32Type());
  auto [wm, wt] = tableType({f.table}, e.f32());
  f.factors = constantTable(e, op, "attn_monomials", fm,
                            DenseElementsAttr::get(ft, ArrayRef(factors)));
  f.weights = constantTable(e, op, "attn_weights", wm,
                            DenseElementsAttr::get(wt, ArrayRef(weights)));
  f.slots = std::max<int64_t>(1, stateBudgetBytes / f.bytesPerState());
  if (mask.admitsAll())
    emitStateFull(f);
  else
    emitStatePrefix(f);
}

/// Vectors side by side when lanes run over value columns.
int64_t AttentionEmitter::blockingFor(int64_t columns) const {
  int64_t most = blocking.registers >= 32 ? 4 : 2;
  return std::min(most, columns / blocking.lanes);
}

//===----------------------------------------------------------------------===//
// Update: keys and values into a state
//===----------------------------------------------------------------------===//

/// The rows of a packed tile that feature `feature` multiplies.
Emitter::Values AttentionEmitter::factorRows(Features &f, Value feature) {
  Values rows;
  for (int64_t t = 0; t < f.degree; ++t) {
    Value row = memref::LoadOp::create(e.b, e.loc, f.factors,
                                       ValueRange{feature, e.index(t)});
    rows.push_back(
        arith::IndexCastUIOp::create(e.b, e.loc, e.b.getIndexType(), row));
  }
  return rows;
}

/// A vector of one feature: the product of those rows at `lane`.
Value AttentionEmitter::emitFeature(Value tile, ValueRange rows, Value lane) {
  Value product;
  for (Value row : rows) {
    Value x = e.vload(tile, {row, lane});
    product = product ? e.mulf(product, x) : x;
  }
  return product;
}

/// states[slot] = sum of the features of keys [from, to) times their values.
void AttentionEmitter::emitUpdate(Features &f, Value keyHead, Value slot,
                                  Value from, Value to) {
  const int64_t block = keyBlockOfState;
  UpdateBuffers buffers;
  int64_t rows = blocking.rowsFor(blockingFor(f.columns));
  buffers.keys = e.buffer({1 + roundUp(headDim, e.lanes), block});
  buffers.values = e.buffer({block, f.columns});
  buffers.weights = e.buffer({block});
  buffers.features = e.buffer({rows, block});
  e.loop(e.index(0), e.index(block), e.lanes, [&](Value j) {
    e.vstore(e.splat(1), buffers.keys, {e.index(0), j});
  });
  e.loop(e.index(0), e.index(f.table), e.lanes, [&](Value feature) {
    e.vstore(e.splat(0), f.denominators, {slot, feature});
  });
  e.loop(e.index(0), e.index(f.padded), 1, [&](Value feature) {
    e.loop(e.index(0), e.index(f.columns), e.lanes, [&](Value c) {
      e.vstore(e.splat(0), f.states, {slot, feature, c});
    });
  });
  e.loop(from, to, block, [&](Value key) {
    packRows(operands.key, keyHead, key, numKeys, block, headDim, buffers.keys);
    packValues(f, buffers, keyHead, key, e.min(e.index(block), e.sub(to, key)));
    e.loop(e.index(0), e.index(f.padded), rows, [&](Value feature) {
      emitUpdateRows(f, buffers, slot, feature, rows);
    });
  });
}

/// Weighted values and weights of `count` keys; zeros for the rest of the block.
void AttentionEmitter::packValues(Features &f, UpdateBuffers &buffers,
                                  Value keyHead, Value key, Value count) {
  e.loop(e.index(0), count, 1, [&](Value j) {
    Value row = e.add(key, j);
    Value weight = operands.weights ? keyWeight(keyHead, row) : e.scalar(1);
    e.store(weight, buffers.weights, j);
    forColumns(e, valueDim, [&](Value c, int64_t lanes) {
      Value v = loadPart(e, operands.value, {keyHead, row, c}, lanes);
      if (operands.weights) {
        // Padding is left out, whatever it holds.
        Value padding = e.compare(arith::CmpFPredicate::OEQ, weight,
                                  e.scalar(0));
        v = e.select(padding, e.splat(0), e.mulf(v, e.broadcast(weight)));
      }
      e.vstore(v, buffers.values, {j, c});
    });
  });
  e.loop(count, e.index(keyBlockOfState), 1, [&](Value j) {
    e.store(e.scalar(0), buffers.weights, j);
    e.loop(e.index(0), e.index(f.columns), e.lanes,
           [&](Value c) { e.vstore(e.splat(0), buffers.values, {j, c}); });
  });
}

void AttentionEmitter::emitUpdateRows(Features &f, UpdateBuffers &buffers,
                                      Value slot, Value feature, int64_t rows) {
  SmallVector<Values> factors;
  for (int64_t r = 0; r < rows; ++r)
    factors.push_back(factorRows(f, e.add(feature, r)));
  Values sums(rows, e.splat(0));
  sums = e.loop(e.index(0), e.index(keyBlockOfState), e.lanes, sums,
                [&](Value j, ValueRange carried) {
                  Values next;
                  Value weight = e.vload(buffers.weights, j);
                  for (int64_t r = 0; r < rows; ++r) {
                    Value phi = emitFeature(buffers.keys, factors[r], j);
                    e.vstore(phi, buffers.features, {e.index(r), j});
                    next.push_back(e.fma(phi, weight, carried[r]));
                  }
                  return next;
                });
  for (int64_t r = 0; r < rows; ++r) {
    Value total = vector::ReductionOp::create(
        e.b, e.loc, vector::CombiningKind::ADD, sums[r],
        arith::FastMathFlags::reassoc);
    SmallVector<Value> at = {slot, e.add(feature, r)};
    e.store(e.addf(e.load(f.denominators, at), total), f.denominators, at);
  }
  forColumnGroups(f.columns, [&](Value column, int64_t vectors) {
    Values sums = emitProduct(
        e, e.index(keyBlockOfState), rows, vectors,
        [&](Value j, int64_t r) {
          return e.load(buffers.features, {e.index(r), j});
        },
        [&](Value j, int64_t v) {
          return e.vload(buffers.values, {j, e.add(column, v * e.lanes)});
        });
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t v = 0; v < vectors; ++v) {
        SmallVector<Value> at = {slot, e.add(feature, r),
                                 e.add(column, v * e.lanes)};
        Value old = e.vload(f.states, at);
        e.vstore(e.addf(old, sums[r * vectors + v]), f.states, at);
      }
  });
}

void AttentionEmitter::forColumnGroups(
    int64_t columns, function_ref<void(Value, int64_t)> body) {
  int64_t vectors = blockingFor(columns), width = vectors * e.lanes;
  int64_t full = columns / width * width;
  e.loop(e.index(0), e.index(full), width,
         [&](Value c) { body(c, vectors); });
  if (full < columns)
    body(e.index(full), (columns - full) / e.lanes);
}

//===----------------------------------------------------------------------===//
// Apply: a state to a tile of queries
//===----------------------------------------------------------------------===//

void AttentionEmitter::emitApply(Features &f, Tile &t, Value slot,
                                 Value phi) {
  Value block = e.index(featureBlockOfState);
  e.loop(e.index(0), e.index(f.padded), featureBlockOfState, [&](Value first) {
    Value count = e.min(block, e.sub(e.index(f.padded), first));
    e.loop(e.index(0), count, 1, [&](Value r) {
      Values rows = factorRows(f, e.add(first, r));
      for (int64_t i = 0; i < queryTile; i += e.lanes)
        e.vstore(emitFeature(t.queries, rows, e.index(i)), phi,
                 {r, e.index(i)});
    });
    e.loop(e.index(0), e.index(queryTile), blocking.width(), [&](Value lane) {
      emitApplyBlock(f, t, slot, phi, first, count, lane);
    });
  });
}

/// Rows of the product are the value columns and, after the last of them, the
/// denominator: one more row instead of a pass of its own.
void AttentionEmitter::emitApplyBlock(Features &f, Tile &t, Value slot,
                                      Value phi, Value first, Value count,
                                      Value lane) {
  auto product = [&](Value column, int64_t columns, bool denominator) {
    Values sums = emitProduct(
        e, count, columns + denominator, blocking.vectors,
        [&](Value k, int64_t r) {
          Value feature = e.add(first, k);
          return r == columns
                     ? e.load(f.denominators, {slot, feature})
                     : e.load(f.states, {slot, feature, e.add(column, r)});
        },
        [&](Value k, int64_t v) {
          return e.vload(phi, {k, e.add(lane, v * e.lanes)});
        });
    for (int64_t r = 0; r < columns + denominator; ++r)
      for (int64_t v = 0; v < blocking.vectors; ++v) {
        Value i = e.add(lane, v * e.lanes);
        Values at = r == columns ? Values{i} : Values{e.add(column, r), i};
        Value memory = r == columns ? t.sums : t.outputs;
        Value sum = sums[r * blocking.vectors + v];
        e.vstore(e.addf(e.vload(memory, at), sum), memory, at);
      }
  };
  int64_t rows = blocking.rows(), full = valueDim / rows * rows;
  if (full)
    e.loop(e.index(0), e.index(full), rows,
           [&](Value column) { product(column, rows, false); });
  product(e.index(full), valueDim - full, true);
}

//===----------------------------------------------------------------------===//
// The whole: all keys for every query, or prefixes
//===----------------------------------------------------------------------===//

/// Splits heads into groups whose states fit the pool: body(first, count).
void AttentionEmitter::forHeadGroups(int64_t most,
                                     function_ref<void(Value, Value)> body) {
  e.loop(e.index(0), keyHeads, most, [&](Value first) {
    body(first, e.min(e.index(most), e.sub(keyHeads, first)));
  });
}

void AttentionEmitter::allocateStates(Features &f, int64_t slots) {
  f.slots = slots;
  f.states = e.buffer({slots, f.padded, f.columns});
  f.denominators = e.buffer({slots, f.table});
}

/// Calls body(head, memory, at, weights) for every vector of a state, in
/// parallel over heads and features; at(slot) is its place in that slot.
void AttentionEmitter::forStateVectors(
    Features &f, Value heads,
    function_ref<void(Value, Value, At, Value)> body) {
  const int64_t chunk = 64;
  Value chunks = e.ceilDiv(e.index(f.padded), chunk);
  e.parallel({heads, chunks}, [&](ValueRange task) {
    Value first = e.mul(task[1], chunk);
    auto end = [&](int64_t limit) {
      return e.min(e.add(first, chunk), e.index(limit));
    };
    e.loop(first, end(f.padded), 1, [&](Value feature) {
      Value weight = e.broadcast(e.load(f.weights, feature));
      e.loop(e.index(0), e.index(f.columns), e.lanes, [&](Value c) {
        body(task[0], f.states,
             [&](Value slot) { return Values{slot, feature, c}; }, weight);
      });
    });
    e.loop(first, end(f.table), e.lanes, [&](Value feature) {
      body(task[0], f.denominators,
           [&](Value slot) { return Values{slot, feature}; },
           e.vload(f.weights, feature));
    });
  });
}

/// Keys are split among several states per head where there are few heads, the
/// partial states are added, and every query applies the sum.
void AttentionEmitter::emitStateFull(Features &f) {
  int64_t known = op.getSizes().keyHeads;
  int64_t headsAtOnce = std::min<int64_t>(f.slots, 4 * cores);
  if (!ShapedType::isDynamic(known))
    headsAtOnce = std::clamp<int64_t>(known, 1, headsAtOnce);
  int64_t splits = std::clamp<int64_t>(
      (4 * cores + headsAtOnce - 1) / headsAtOnce, 1, f.slots / headsAtOnce);
  allocateStates(f, headsAtOnce * splits);
  Value share = e.roundUp(e.ceilDiv(numKeys, splits), keyBlockOfState);
  forHeadGroups(headsAtOnce, [&](Value firstHead, Value count) {
    e.parallel({count, e.index(splits)}, [&](ValueRange at) {
      Value slot = e.add(e.mul(at[0], splits), at[1]);
      Value from = e.min(e.mul(at[1], share), numKeys);
      Value to = e.min(e.add(from, share), numKeys);
      emitUpdate(f, e.add(firstHead, at[0]), slot, from, to);
    });
    forStateVectors(f, count, [&](Value head, Value memory, At at, Value w) {
      Value base = e.mul(head, splits);
      Values sum = e.loop(e.index(0), e.index(splits), 1, {e.splat(0)},
                          [&](Value s, ValueRange carried) {
                            Value part = e.vload(memory, at(e.add(base, s)));
                            return Values{e.addf(carried[0], part)};
                          });
      e.vstore(e.mulf(sum[0], w), memory, at(base));
    });
    Value tiles = e.ceilDiv(numQueries, queryTile);
    e.parallel({e.mul(count, group), tiles}, [&](ValueRange at) {
      Tile t = openTile(e.add(e.mul(firstHead, group), at[0]), at[1]);
      Value phi = e.buffer({featureBlockOfState, queryTile});
      emitApply(f, t, e.mul(e.div(at[0], group), splits), phi);
      closeTile(t);
    });
  });
}

/// Queries in a chunk, whose common keys come from the state and whose other
/// keys are evaluated directly. Longer chunks mean more direct work, shorter
/// ones more scanning of states (about 8 flops' time per element); this is the
/// minimum of the sum.
int64_t AttentionEmitter::chunkOfQueries(const Features &f) const {
  double state = double(f.padded) * double(f.columns + 1);
  double best = std::sqrt(6.0 * 8.0 * state / double(headDim + valueDim));
  return std::clamp<int64_t>(roundUp(int64_t(best), queryTile), queryTile,
                             roundUp(512, queryTile));
}

/// The keys [0, boundary) are seen by all queries of the chunk and come from
/// the state. A first chunk that sees few keys does without one.
Value AttentionEmitter::prefixBoundary(Value chunk, int64_t length) {
  Value end = keyRange(e.mul(chunk, length)).end;
  Value aligned = e.mul(e.div(end, keyBlockOfState), keyBlockOfState);
  Value few = arith::AndIOp::create(
      e.b, e.loc, e.less(chunk, e.index(1)),
      e.less(aligned, e.index(std::max(4 * length, 2 * keyBlockOfState))));
  return e.select(few, e.index(0), aligned);
}

/// Masks whose rows all start at key 0: window by window of chunks, the states
/// of the chunks' keys are summed in parallel, turned into prefix sums, and
/// applied, with the remaining keys evaluated directly.
void AttentionEmitter::emitStatePrefix(Features &f) {
  int64_t known = op.getSizes().keyHeads;
  int64_t headsAtOnce = std::clamp<int64_t>(f.slots / 16, 1, 2 * cores);
  if (!ShapedType::isDynamic(known))
    headsAtOnce = std::clamp<int64_t>(known, 1, headsAtOnce);
  // One more state per head carries the sum from window to window.
  int64_t window = std::max<int64_t>(1, f.slots / headsAtOnce - 1);
  allocateStates(f, headsAtOnce * (window + 1));
  int64_t length = chunkOfQueries(f);
  Value chunks = e.ceilDiv(numQueries, length);
  forHeadGroups(headsAtOnce, [&](Value firstHead, Value count) {
    e.loop(e.index(0), chunks, window, [&](Value firstChunk) {
      Value inWindow = e.min(e.index(window), e.sub(chunks, firstChunk));
      e.parallel({count, inWindow}, [&](ValueRange at) {
        Value chunk = e.add(firstChunk, at[1]);
        Value before = e.max(e.sub(chunk, e.index(1)), e.index(0));
        Value from = e.select(e.less(e.index(0), chunk),
                              prefixBoundary(before, length), e.index(0));
        emitUpdate(f, e.add(firstHead, at[0]),
                   e.add(e.mul(at[0], window), at[1]), from,
                   prefixBoundary(chunk, length));
      });
      emitScan(f, count, inWindow, firstChunk, headsAtOnce, window);
      int64_t tiles = length / queryTile;
      e.parallel({e.mul(count, group), e.mul(inWindow, tiles)},
                 [&](ValueRange at) {
                   Value inChunk = e.div(at[1], tiles);
                   Value tile = e.add(e.mul(firstChunk, tiles), at[1]);
                   Value slot =
                       e.add(e.mul(e.div(at[0], group), window), inChunk);
                   Value head = e.add(e.mul(firstHead, group), at[0]);
                   emitPrefixTile(f, head, tile, slot,
                                  prefixBoundary(e.add(firstChunk, inChunk),
                                                 length));
                 });
    });
  });
}

/// Chunk states of a window to prefix sums, weighted, ready to apply.
void AttentionEmitter::emitScan(Features &f, Value heads, Value inWindow,
                                Value firstChunk, int64_t headsAtOnce,
                                int64_t window) {
  forStateVectors(f, heads, [&](Value head, Value memory, At at, Value w) {
    Value carrySlot = e.add(head, headsAtOnce * window);
    Value base = e.mul(head, window);
    Value carry = e.select(e.less(e.index(0), firstChunk),
                           e.vload(memory, at(carrySlot)), e.splat(0));
    Values sum = e.loop(
        e.index(0), inWindow, 1, {carry}, [&](Value s, ValueRange carried) {
          Values place = at(e.add(base, s));
          Value prefix = e.addf(carried[0], e.vload(memory, place));
          e.vstore(e.mulf(prefix, w), memory, place);
          return Values{prefix};
        });
    e.vstore(sum[0], memory, at(carrySlot));
  });
}

void AttentionEmitter::emitPrefixTile(Features &f, Value head, Value tileIndex,
                                      Value slot, Value boundary) {
  e.when(e.less(e.mul(tileIndex, queryTile), numQueries), [&] {
    Tile t = openTile(head, tileIndex);
    Value phi = e.buffer({featureBlockOfState, queryTile});
    e.when(e.less(e.index(0), boundary), [&] { emitApply(f, t, slot, phi); });
    addKeys(t, boundary, tileRange(t.first).end);
    closeTile(t);
  });
}
