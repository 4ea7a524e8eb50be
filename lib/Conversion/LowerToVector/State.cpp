// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// State evaluation of a polynomial kernel: P(scale q.k) = sum_f w_f phi_f(q)
// phi_f(k) over the monomials phi_f, so that
//   S[f][c] = sum_j phi_f(k_j) v_j[c],   o_i[c] = sum_f phi_f(q_i) w_f S[f][c].
// This file holds the plan: tables, where states live, in which order they are
// summed and applied. StateBlocks.cpp does the sums.

#include "AttentionEmitter.h"
#include "polyattn/Approximation/Monomials.h"

#include <cmath>

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

/// Heads are taken together as long as their states do not exceed this: every
/// group starts threads anew.
static constexpr int64_t groupBytes = 4 << 20;

AttentionEmitter::Features AttentionEmitter::openFeatures() {
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
  auto factorType =
      RankedTensorType::get({f.padded, f.degree}, e.b.getI32Type());
  auto weightType = RankedTensorType::get({f.table}, e.f32());
  f.factors =
      constantTable(e, op, "attn_monomials",
                    DenseElementsAttr::get(factorType, ArrayRef(factors)));
  f.weights =
      constantTable(e, op, "attn_weights",
                    DenseElementsAttr::get(weightType, ArrayRef(weights)));
  return f;
}

void AttentionEmitter::emitState() {
  Features f = openFeatures();
  if (mask.admitsAll())
    emitStateFull(f);
  else
    emitStateChunks(f);
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
  f.states = e.buffer({slots, f.padded, f.columns});
  f.denominators = e.buffer({slots, f.table});
}

VectorType AttentionEmitter::StatePart::type() const {
  return VectorType::get({lanes}, e.f32());
}

Value AttentionEmitter::StatePart::zero() const {
  return arith::ConstantOp::create(e.b, e.loc,
                                   DenseElementsAttr::get(type(), 0.0f));
}

Value AttentionEmitter::StatePart::load(Value slot) const {
  Values place = {slot};
  llvm::append_range(place, at);
  return vector::LoadOp::create(e.b, e.loc, type(), memory, place);
}

void AttentionEmitter::StatePart::store(Value x, Value slot) const {
  Values place = {slot};
  llvm::append_range(place, at);
  e.vstore(x, memory, place);
}

/// Calls body(head, part) for parts that make up a whole state, in parallel
/// over heads and features. A slot is far from the next one in memory, hence
/// parts of several vectors. `sums` states per head are added.
void AttentionEmitter::forStateParts(
    Features &f, Value heads, Value sums,
    function_ref<void(Value, const StatePart &)> body) {
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
      forColumnGroups(f.columns, [&](Value column, int64_t vectors) {
        StatePart part{e, f.states, {feature, column}, vectors * e.lanes, {}};
        part.weights = vector::BroadcastOp::create(e.b, e.loc, part.type(),
                                                   e.load(f.weights, feature));
        body(task[0], part);
      });
    });
    e.loop(first, end(f.table), e.lanes, [&](Value feature) {
      body(
          task[0],
          {e, f.denominators, {feature}, e.lanes, e.vload(f.weights, feature)});
    });
  });
}

/// Keys are split among several states per head where there are few heads, the
/// partial states are added, and every query applies the sum. Of several sets
/// of keys it applies the entrywise product of their sums.
void AttentionEmitter::emitStateFull(Features &f) {
  int64_t known = op.getSizes().keyHeads, sets = int64_t(keySets.size());
  int64_t slots = std::max<int64_t>(1, scratchBytes / f.bytesPerState() / sets);
  int64_t headsAtOnce = std::min<int64_t>(
      std::max<int64_t>(groupBytes / f.bytesPerState() / sets, 4 * cores),
      slots);
  if (!ShapedType::isDynamic(known))
    headsAtOnce = std::clamp<int64_t>(known, 1, headsAtOnce);
  int64_t splits = std::clamp<int64_t>(
      (4 * cores + headsAtOnce - 1) / headsAtOnce, 1, slots / headsAtOnce);
  allocateStates(f, headsAtOnce * splits * sets);
  forHeadGroups(e.index(headsAtOnce), [&](Value firstHead, Value count) {
    for (auto [t, set] : llvm::enumerate(keySets)) {
      useSet(set);
      emitSetStates(f, firstHead, count, splits, int64_t(t));
    }
    multiplySets(f, count, splits);
    int64_t tile = isLinear(f) ? rowsOfLinearTile() : queryTile;
    Value rowHeads = e.mul(count, group);
    e.parallel({rowHeads, e.ceilDiv(numQueries, tile)},
               stateFlops(f, rowHeads, numQueries), [&](ValueRange at) {
                 Value head = e.add(e.mul(firstHead, group), at[0]);
                 Value slot = e.mul(e.div(at[0], group), splits * sets);
                 Value first = e.mul(at[1], tile);
                 if (!isLinear(f))
                   return emitFullTile(f, head, first, slot);
                 Value end = e.min(e.add(first, tile), numQueries);
                 emitLinearTile(f, head, first, end, slot);
               });
  });
}

/// States of the shares of set `number`, which is the one in use.
void AttentionEmitter::emitSetStates(Features &f, Value firstHead, Value count,
                                     int64_t splits, int64_t number) {
  int64_t slotsOfHead = splits * int64_t(keySets.size());
  Value share = e.roundUp(e.ceilDiv(numKeys, splits), keyBlockOfState);
  e.parallel({count, e.index(splits)}, stateFlops(f, count, numKeys),
             [&](ValueRange at) {
               Value slot = e.add(e.add(e.mul(at[0], slotsOfHead), at[1]),
                                  number * splits);
               Value from = e.min(e.mul(at[1], share), numKeys);
               Value to = e.min(e.add(from, share), numKeys);
               emitUpdate(f, e.add(firstHead, at[0]), slot, from, to);
             });
}

/// A head's first slot becomes the weighted product over its sets of the sums
/// of their shares.
void AttentionEmitter::multiplySets(Features &f, Value heads, int64_t splits) {
  int64_t sets = int64_t(keySets.size());
  forStateParts(
      f, heads, e.index(splits * sets), [&](Value head, const StatePart &part) {
        Value base = e.mul(head, splits * sets), product = part.weights;
        for (int64_t t = 0; t < sets; ++t) {
          Value first = e.add(base, t * splits);
          Values sum = e.loop(
              e.index(0), e.index(splits), 1, {part.zero()},
              [&](Value s, ValueRange carried) {
                return Values{e.addf(carried[0], part.load(e.add(first, s)))};
              });
          product = e.mulf(sum[0], product);
        }
        part.store(product, base);
      });
}

void AttentionEmitter::emitFullTile(Features &f, Value head, Value first,
                                    Value slot) {
  Tile t = openTile(head, first, numQueries);
  Value phi = e.buffer({featureBlockOfState, queryTile});
  emitApply(f, t, slot, phi);
  closeTile(t);
}

//===----------------------------------------------------------------------===//
// Under a mask: chunks of queries, blocks of keys
//===----------------------------------------------------------------------===//
//
// A chunk's state is the sum over the blocks [begin, end) that all its queries
// see. Both ends never decrease, so that these sums are those of a queue, which
// two stacks make without ever subtracting: up to the *pivot* sums run from
// each block to the pivot, in place of the states of the blocks; beyond it
// there is one running sum. When begin has passed the pivot, end becomes the
// new one. A block is added twice at most, however many a window has.
// Where all rows start at key 0 the pivot stays there, and the running sum is
// the prefix sum.

/// The keys that all queries of the chunk see, if begin < end.
KeyRange<Value> AttentionEmitter::commonKeys(Chunks &c, Value chunk) {
  Value first = cutAt(c.rows, chunk);
  Value last = e.sub(cutAt(c.rows, e.add(chunk, 1)), e.index(1));
  return {keyRange(last).begin, keyRange(first).end};
}

KeyRange<Value> AttentionEmitter::commonBlocks(Chunks &c, Value chunk) {
  KeyRange<Value> keys = commonKeys(c, chunk);
  if (!c.steps)
    return {e.ceilDiv(keys.begin, c.keys.length),
            e.div(keys.end, c.keys.length)};
  // Rows of a chunk that begin before all keys see none.
  Value blocks = entryOf(c.rows, chunk, 1);
  blocks = e.select(e.less(blocks, e.index(0)), c.keys.count, blocks);
  Value seen = e.lessEqual(cutAt(c.keys, blocks), keys.end);
  return {e.index(0), e.select(seen, blocks, e.index(0))};
}

/// So many that no chunk sees more blocks than are kept.
Value AttentionEmitter::blockOfKeys(Chunks &c) {
  if (!slides())
    return e.index(c.tiling.block);
  Values most = e.loop(e.index(0), c.rows.count, 1, {e.index(0)},
                       [&](Value chunk, ValueRange carried) {
                         KeyRange<Value> keys = commonKeys(c, chunk);
                         Value seen = e.sub(keys.end, keys.begin);
                         return Values{e.max(carried[0], seen)};
                       });
  Value share =
      e.roundUp(e.ceilDiv(most[0], c.tiling.mostBlocks), keyBlockOfState);
  return e.max(e.index(c.tiling.block), share);
}

AttentionEmitter::Chunks AttentionEmitter::openChunks(Features &f) {
  Chunks c;
  c.tiling =
      tileStates(op.getSizes(), mask, double(f.padded) * double(f.columns + 1));
  openSteps(f, c);
  if (!c.steps) {
    c.tiling.chunk = roundUp(c.tiling.chunk, queryTile);
    c.rows = evenCuts(e.index(c.tiling.chunk), numQueries);
    c.tiles = evenCuts(e.index(queryTile), numQueries);
    c.keys.length = blockOfKeys(c);
  }
  c.table = e.buffer({c.tiling.chunkStates, 3}, e.b.getIndexType());
  return c;
}

Value AttentionEmitter::chunkEntry(Chunks &c, Value inBatch, int64_t column) {
  return memref::LoadOp::create(e.b, e.loc, c.table,
                                ValueRange{inBatch, e.index(column)});
}

/// Batch by batch: states of blocks, sums of them for chunks, tiles of queries
/// that read the sums; each in parallel.
void AttentionEmitter::emitStateChunks(Features &f) {
  Chunks c = openChunks(f);
  allocateStates(f, c.tiling.heads * c.tiling.statesPerHead());
  Value zero = e.index(0);
  forHeadGroups(e.index(c.tiling.heads), [&](Value firstHead, Value heads) {
    e.loopWhile(
        {zero, zero, zero},
        [&](ValueRange carried) { return e.less(carried[0], c.rows.count); },
        [&](ValueRange carried) {
          Batch batch;
          batch.firstHead = firstHead;
          batch.heads = heads;
          batch.first = carried[0];
          batch.summed = carried[1];
          batch.pivotBefore = carried[2];
          openBatch(c, batch);
          emitBlockStates(f, c, batch);
          emitChunkStates(f, c, batch);
          emitChunkTiles(f, c, batch);
          return Values{e.add(batch.first, batch.count), batch.to, batch.pivot};
        });
  });
}

/// As many chunks as there is memory for their states and for those of the
/// blocks that they need. A sliding chunk needs its blocks until they have left
/// all ranges; there is room for those of one chunk at least. A prefix may have
/// more: then a batch is one of blocks alone.
void AttentionEmitter::openBatch(Chunks &c, Batch &batch) {
  Value most =
      e.min(e.index(c.tiling.chunkStates), e.sub(c.rows.count, batch.first));
  Value last = e.add(batch.first, e.sub(most, e.index(1)));
  Value kept = slides() ? commonBlocks(c, batch.first).begin : batch.summed;
  batch.from = e.max(batch.summed, kept);
  Value limit = e.add(kept, c.tiling.blockStates);
  batch.to = e.max(batch.from, e.min(commonBlocks(c, last).end, limit));
  Values done = e.loop(
      e.index(0), most, 1, {e.index(0), batch.pivotBefore},
      [&](Value i, ValueRange carried) {
        auto [begin, end] = commonBlocks(c, e.add(batch.first, i));
        Value pivot =
            e.select(e.less(carried[1], begin), e.max(begin, end), carried[1]);
        Values entries = {begin, end, pivot};
        for (auto [column, entry] : llvm::enumerate(entries))
          memref::StoreOp::create(e.b, e.loc, entry, c.table,
                                  ValueRange{i, e.index(int64_t(column))});
        // Ends never decrease: once one is beyond, all are.
        Value fits = e.lessEqual(end, batch.to);
        return Values{e.select(fits, e.add(i, 1), carried[0]),
                      e.select(fits, pivot, carried[1])};
      });
  batch.count = done[0];
  batch.pivot = done[1];
}

/// Slot of a head's block: blocks that are in memory together have different
/// ones.
static Value blockSlot(Emitter &e, const StateTiling &tiling, Value head,
                       Value block) {
  return e.add(e.mul(head, tiling.statesPerHead()),
               e.rem(block, e.index(tiling.blockStates)));
}

static Value chunkSlot(Emitter &e, const StateTiling &tiling, Value head,
                       Value inBatch) {
  return e.add(e.add(e.mul(head, tiling.statesPerHead()), tiling.blockStates),
               inBatch);
}

void AttentionEmitter::emitBlockStates(Features &f, Chunks &c, Batch &batch) {
  Value blocks = e.sub(batch.to, batch.from);
  e.parallel({batch.heads, blocks},
             stateFlops(f, batch.heads, e.mul(blocks, c.keys.length)),
             [&](ValueRange at) {
               Value block = e.add(batch.from, at[1]);
               emitUpdate(f, e.add(batch.firstHead, at[0]),
                          blockSlot(e, c.tiling, at[0], block),
                          cutAt(c.keys, block), cutAt(c.keys, e.add(block, 1)));
             });
}

/// `sum` with the blocks [from, to).
Value AttentionEmitter::addBlocks(Chunks &c, const StatePart &part, Value head,
                                  Value sum, Value from, Value to) {
  return e.loop(from, to, 1, {sum}, [&](Value block, ValueRange sums) {
    Value slot = blockSlot(e, c.tiling, head, block);
    return Values{e.addf(sums[0], part.load(slot))};
  })[0];
}

/// In place of each block the sum from it to `to`, the last one first.
void AttentionEmitter::addBackwards(Chunks &c, const StatePart &part,
                                    Value head, Value from, Value to) {
  e.loop(e.index(0), e.sub(to, from), 1, {part.zero()},
         [&](Value i, ValueRange sums) {
           Value block = e.sub(e.sub(to, e.index(1)), i);
           Value slot = blockSlot(e, c.tiling, head, block);
           Value sum = e.addf(sums[0], part.load(slot));
           part.store(sum, slot);
           return Values{sum};
         });
}

void AttentionEmitter::sumChunks(Chunks &c, Batch &batch, Value head,
                                 const StatePart &part) {
  Value running = chunkSlot(e, c.tiling, head, e.index(c.tiling.chunkStates));
  Value before = e.select(e.less(e.index(0), batch.summed), part.load(running),
                          part.zero());
  Values last = e.loop(
      e.index(0), batch.count, 1, {before, batch.summed, batch.pivotBefore},
      [&](Value i, ValueRange carried) {
        Value begin = chunkEntry(c, i, 0), end = chunkEntry(c, i, 1);
        Value pivot = chunkEntry(c, i, 2);
        Value sum = carried[0], summed = carried[1];
        if (slides()) {
          Value moved = e.less(carried[2], pivot);
          e.when(moved, [&] { addBackwards(c, part, head, begin, end); });
          sum = e.select(moved, part.zero(), sum);
          summed = e.max(summed, pivot);
        }
        sum = addBlocks(c, part, head, sum, summed, end);
        Value total = sum;
        if (slides()) {
          Value toPivot = part.load(blockSlot(e, c.tiling, head, begin));
          total =
              e.addf(sum, e.select(e.less(begin, pivot), toPivot, part.zero()));
        }
        part.store(e.mulf(total, part.weights),
                   chunkSlot(e, c.tiling, head, i));
        return Values{sum, e.max(summed, end), pivot};
      });
  // Blocks that only later chunks see.
  part.store(addBlocks(c, part, head, last[0], last[1], batch.to), running);
}

/// Sums of states for the chunks of a batch, weighted, ready to apply.
void AttentionEmitter::emitChunkStates(Features &f, Chunks &c, Batch &batch) {
  Value sums = e.add(e.sub(batch.to, batch.from), batch.count);
  forStateParts(f, batch.heads, sums, [&](Value head, const StatePart &part) {
    sumChunks(c, batch, head, part);
  });
}

/// Tiles of the batch's chunks, each of which reads its chunk's state.
void AttentionEmitter::emitChunkTiles(Features &f, Chunks &c, Batch &batch) {
  Value rowHeads = e.mul(batch.heads, group);
  Value behind = e.add(batch.first, batch.count);
  Value queries = e.sub(cutAt(c.rows, behind), cutAt(c.rows, batch.first));
  Value firstTile = firstTileOf(c, batch.first);
  Value tiles = e.sub(firstTileOf(c, behind), firstTile);
  e.parallel(
      {rowHeads, tiles}, stateFlops(f, rowHeads, queries), [&](ValueRange at) {
        ChunkTile tile;
        Value index = e.add(firstTile, at[1]);
        tile.head = e.add(e.mul(batch.firstHead, group), at[0]);
        tile.first = cutAt(c.tiles, index);
        tile.end = cutAt(c.tiles, e.add(index, 1));
        tile.inBatch = e.sub(chunkOfTile(c, index), batch.first);
        tile.slot = chunkSlot(e, c.tiling, e.div(at[0], group), tile.inBatch);
        e.when(e.less(tile.first, tile.end), [&] {
          if (c.steps && isLinear(f))
            emitTileOfSteps(f, c, tile);
          else
            emitChunkTile(f, c, tile);
        });
      });
}

/// The keys that come from the chunk's state; none where they are too few to be
/// worth it.
KeyRange<Value> AttentionEmitter::keysOfState(Chunks &c, Value inBatch) {
  Value from = cutAt(c.keys, chunkEntry(c, inBatch, 0));
  Value to = cutAt(c.keys, chunkEntry(c, inBatch, 1));
  Value enough = e.lessEqual(e.add(from, c.tiling.leastKeys), to);
  return {from, e.select(enough, to, from)};
}

/// The state, then the keys beside it. Certificates count two additions for
/// each keyBlockOfState keys of a row, and one more. A term of the state meets
/// one for each block of keyBlockOfState, each state and each direct block of
/// keys, which has half as many at least; where there are two edges, these may
/// be three more than whole ones, and one addition joins the two stacks. All
/// that is covered from two blocks on, which leastKeys asks for. (StepTiling
/// says why it is where blocks are cut at steps.)
void AttentionEmitter::emitChunkTile(Features &f, Chunks &c,
                                     const ChunkTile &at) {
  Tile t = openTile(at.head, at.first, at.end);
  KeyRange<Value> seen = tileRange(t.first, t.end);
  KeyRange<Value> state = keysOfState(c, at.inBatch);
  Value enough = e.less(state.begin, state.end);
  Value phi = e.buffer({featureBlockOfState, queryTile});
  e.when(enough, [&] { emitApply(f, t, at.slot, phi); });
  if (!slides()) {
    addKeys(t, e.select(enough, state.end, seen.begin), seen.end);
    return closeTile(t);
  }
  // Without a state the first edge is all.
  state = {e.select(enough, state.begin, seen.end),
           e.select(enough, state.end, seen.end)};
  e.loop(e.index(0), e.index(2), 1, [&](Value edge) {
    Value isFirst = e.less(edge, e.index(1));
    addKeys(t, e.select(isFirst, seen.begin, state.end),
            e.select(isFirst, state.begin, seen.end));
  });
  closeTile(t);
}
