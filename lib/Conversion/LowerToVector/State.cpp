// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// State evaluation of a polynomial kernel: P(scale q.k) = sum_f w_f phi_f(q)
// phi_f(k) over the monomials phi_f, so that
//   S[f][c] = sum_j phi_f(k_j) v_j[c],   o_i[c] = sum_f phi_f(q_i) w_f S[f][c].
// This file holds the plan: tables, where states live, in which order they are
// summed and applied. StateBlocks.cpp does the sums.

#include "AttentionEmitter.h"
#include "mlir/IR/SymbolTable.h"
#include "polyattn/Analysis/CostModel.h"
#include "polyattn/Approximation/Monomials.h"

#include <cmath>

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

/// Heads are taken together as long as their states do not exceed this: every
/// group starts threads anew.
static constexpr int64_t groupBytes = 4 << 20;

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
  f.slots = std::max<int64_t>(1, scratchBytes / f.bytesPerState());
  if (mask.admitsAll())
    emitStateFull(f);
  else
    emitStatePrefix(f);
}

/// Splits heads into groups whose states fit the pool: body(first, count).
void AttentionEmitter::forHeadGroups(Value most,
                                     function_ref<void(Value, Value)> body) {
  scf::ForOp::create(e.b, e.loc, e.index(0), keyHeads, most, ValueRange{},
                     [&](OpBuilder &, Location, Value first, ValueRange) {
                       body(first, e.min(most, e.sub(keyHeads, first)));
                       scf::YieldOp::create(e.b, e.loc);
                     });
}

/// Multiply-adds of so many rows per head with a state.
Value AttentionEmitter::stateFlops(Features &f, Value heads, Value rows) {
  return e.mul(e.mul(heads, rows), 2 * f.padded * f.columns);
}

void AttentionEmitter::allocateStates(Features &f, int64_t slots) {
  f.slots = slots;
  f.states = e.buffer({slots, f.padded, f.columns});
  f.denominators = e.buffer({slots, f.table});
}

/// Calls body(head, memory, at, weights) for every vector of a state, in
/// parallel over heads and features; at(slot) is its place in that slot. `sums`
/// states per head are added.
void AttentionEmitter::forStateVectors(
    Features &f, Value heads, Value sums,
    function_ref<void(Value, Value, At, Value)> body) {
  const int64_t chunk = 64;
  Value chunks = e.ceilDiv(e.index(f.padded), chunk);
  // Memory, not arithmetic, takes the time: as long as some 16 flops.
  Value work = e.mul(e.mul(heads, sums), 16 * f.padded * (f.columns + 1));
  e.parallel({heads, chunks}, work, [&](ValueRange task) {
    Value first = e.mul(task[1], chunk);
    auto end = [&](int64_t limit) {
      return e.min(e.add(first, chunk), e.index(limit));
    };
    e.loop(first, end(f.padded), 1, [&](Value feature) {
      Value weight = e.broadcast(e.load(f.weights, feature));
      e.loop(e.index(0), e.index(f.columns), e.lanes, [&](Value c) {
        body(
            task[0], f.states,
            [&](Value slot) { return Values{slot, feature, c}; }, weight);
      });
    });
    e.loop(first, end(f.table), e.lanes, [&](Value feature) {
      body(
          task[0], f.denominators,
          [&](Value slot) { return Values{slot, feature}; },
          e.vload(f.weights, feature));
    });
  });
}

/// Keys are split among several states per head where there are few heads, the
/// partial states are added, and every query applies the sum.
void AttentionEmitter::emitStateFull(Features &f) {
  int64_t known = op.getSizes().keyHeads;
  int64_t headsAtOnce = std::min<int64_t>(
      std::max<int64_t>(groupBytes / f.bytesPerState(), 4 * cores), f.slots);
  if (!ShapedType::isDynamic(known))
    headsAtOnce = std::clamp<int64_t>(known, 1, headsAtOnce);
  int64_t splits = std::clamp<int64_t>(
      (4 * cores + headsAtOnce - 1) / headsAtOnce, 1, f.slots / headsAtOnce);
  allocateStates(f, headsAtOnce * splits);
  Value share = e.roundUp(e.ceilDiv(numKeys, splits), keyBlockOfState);
  forHeadGroups(e.index(headsAtOnce), [&](Value firstHead, Value count) {
    e.parallel({count, e.index(splits)}, stateFlops(f, count, numKeys),
               [&](ValueRange at) {
                 Value slot = e.add(e.mul(at[0], splits), at[1]);
                 Value from = e.min(e.mul(at[1], share), numKeys);
                 Value to = e.min(e.add(from, share), numKeys);
                 emitUpdate(f, e.add(firstHead, at[0]), slot, from, to);
               });
    forStateVectors(f, count, e.index(splits),
                    [&](Value head, Value memory, At at, Value w) {
                      Value base = e.mul(head, splits);
                      Values sum =
                          e.loop(e.index(0), e.index(splits), 1, {e.splat(0)},
                                 [&](Value s, ValueRange carried) {
                                   Value part =
                                       e.vload(memory, at(e.add(base, s)));
                                   return Values{e.addf(carried[0], part)};
                                 });
                      e.vstore(e.mulf(sum[0], w), memory, at(base));
                    });
    int64_t tile = isLinear(f) ? rowsOfLinearTile() : queryTile;
    Value rowHeads = e.mul(count, group);
    e.parallel({rowHeads, e.ceilDiv(numQueries, tile)},
               stateFlops(f, rowHeads, numQueries), [&](ValueRange at) {
                 Value head = e.add(e.mul(firstHead, group), at[0]);
                 Value slot = e.mul(e.div(at[0], group), splits);
                 if (isLinear(f))
                   emitLinearTile(f, head, e.mul(at[1], tile), slot);
                 else
                   emitFullTile(f, head, at[1], slot);
               });
  });
}

void AttentionEmitter::emitFullTile(Features &f, Value head, Value tileIndex,
                                    Value slot) {
  Tile t = openTile(head, tileIndex);
  Value phi = e.buffer({featureBlockOfState, queryTile});
  emitApply(f, t, slot, phi);
  closeTile(t);
}

/// Whole tiles of queries.
int64_t AttentionEmitter::chunkOfQueries(const Features &f) {
  double entries = double(f.padded) * double(f.columns + 1);
  return roundUp(prefixChunk(op.getSizes(), entries), queryTile);
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
  int64_t headsAtOnce = std::max<int64_t>(f.slots / 16, 1);
  if (!ShapedType::isDynamic(known))
    headsAtOnce = std::clamp<int64_t>(known, 1, headsAtOnce);
  // One more state per head carries the sum from window to window.
  int64_t window = std::max<int64_t>(1, f.slots / headsAtOnce - 1);
  allocateStates(f, headsAtOnce * (window + 1));
  int64_t length = chunkOfQueries(f);
  Value chunks = e.ceilDiv(numQueries, length);
  forHeadGroups(e.index(headsAtOnce), [&](Value firstHead, Value count) {
    e.loop(e.index(0), chunks, window, [&](Value firstChunk) {
      Value inWindow = e.min(e.index(window), e.sub(chunks, firstChunk));
      Value keys = e.min(e.mul(inWindow, length), numKeys);
      e.parallel(
          {count, inWindow}, stateFlops(f, count, keys), [&](ValueRange at) {
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
      Value rowHeads = e.mul(count, group);
      Value queries = e.min(e.mul(inWindow, length), numQueries);
      e.parallel(
          {rowHeads, e.mul(inWindow, tiles)}, stateFlops(f, rowHeads, queries),
          [&](ValueRange at) {
            Value inChunk = e.div(at[1], tiles);
            Value tile = e.add(e.mul(firstChunk, tiles), at[1]);
            Value slot = e.add(e.mul(e.div(at[0], group), window), inChunk);
            Value head = e.add(e.mul(firstHead, group), at[0]);
            emitPrefixTile(f, head, tile, slot,
                           prefixBoundary(e.add(firstChunk, inChunk), length));
          });
    });
  });
}

/// Chunk states of a window to prefix sums, weighted, ready to apply.
void AttentionEmitter::emitScan(Features &f, Value heads, Value inWindow,
                                Value firstChunk, int64_t headsAtOnce,
                                int64_t window) {
  forStateVectors(
      f, heads, inWindow, [&](Value head, Value memory, At at, Value w) {
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
