// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// States under a mask with steps: chunks of queries and blocks of keys end
// where ranges change, so that a state is all that a chunk needs.

#include "AttentionEmitter.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

/// Longer than any chunk.
static constexpr int64_t endless = int64_t(1) << 50;

void AttentionEmitter::openSteps(Features &f, Chunks &c) {
  int64_t tile = isLinear(f) ? rowsOfLinearTile() : queryTile;
  c.steps =
      tileSteps(mask, {tile, queryTile, c.tiling.leastKeys, c.tiling.block});
  if (!c.steps)
    return;
  c.tiles = tileCuts(c.steps);
  SmallVector<int64_t> chunks, tileOfChunk(c.steps->chunks.size());
  for (auto [t, at] : llvm::enumerate(llvm::reverse(c.steps->tiles)))
    tileOfChunk[at.chunk] = int64_t(c.steps->tiles.size() - 1 - t);
  for (auto [i, chunk] : llvm::enumerate(c.steps->chunks))
    chunks.append({i ? chunk.first : -endless, chunk.blocks, tileOfChunk[i]});
  c.rows = stepCuts("attn_chunks", chunks, 3, e.index(endless), numQueries,
                    /*ofRows=*/true);
  c.keys = stepCuts("attn_blocks", c.steps->blocks, 1, e.index(c.steps->block),
                    numKeys, /*ofRows=*/false);
}

Value AttentionEmitter::firstTileOf(Chunks &c, Value chunk) {
  if (!c.steps)
    return e.mul(chunk, c.tiling.chunk / queryTile);
  Value tile = e.add(c.tiles.before, entryOf(c.rows, chunk, 2));
  tile = e.select(e.less(e.index(0), chunk), tile, e.index(0));
  return e.select(e.less(chunk, c.rows.count), tile, c.tiles.count);
}

Value AttentionEmitter::chunkOfTile(Chunks &c, Value tile) {
  if (!c.steps)
    return e.div(tile, c.tiling.chunk / queryTile);
  return entryOf(c.tiles, tile, 1);
}

/// Rows of degree 1 that need nothing beside their chunk's state are computed
/// where they lie.
void AttentionEmitter::emitTileOfSteps(Features &f, Chunks &c,
                                       const ChunkTile &at) {
  KeyRange<Value> state = keysOfState(c, at.inBatch);
  Value last = keyRange(e.sub(at.end, e.index(1))).end;
  Value whole = arith::AndIOp::create(
      e.b, e.loc, e.less(state.begin, state.end), e.lessEqual(last, state.end));
  scf::IfOp::create(
      e.b, e.loc, whole,
      [&](OpBuilder &, Location) {
        emitLinearTile(f, at.head, at.first, at.end, at.slot);
        scf::YieldOp::create(e.b, e.loc);
      },
      [&](OpBuilder &, Location) {
        e.loop(at.first, at.end, queryTile, [&](Value first) {
          ChunkTile part = at;
          part.first = first;
          part.end = e.min(e.add(first, queryTile), at.end);
          emitChunkTile(f, c, part);
        });
        scf::YieldOp::create(e.b, e.loc);
      });
}
