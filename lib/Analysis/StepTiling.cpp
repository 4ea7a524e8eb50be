// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "polyattn/Analysis/StepTiling.h"
#include "polyattn/Approximation/Certificate.h"

#include <algorithm>

using namespace mlir;
using namespace polyattn;

/// More keys than there are: a range that ends here is open.
static constexpr int64_t endless = int64_t(1) << 50;

static constexpr int64_t keyBlock = SummationShape{}.KeyBlock;

/// The steps that begin a chunk: all but those with little on either side. What
/// follows the last step may be long.
static void cutChunks(StepTiling &tiling, ArrayRef<int64_t> steps,
                      int64_t leastRows) {
  tiling.chunks.push_back({0, 0});
  for (auto [i, step] : llvm::enumerate(steps)) {
    int64_t next = i + 1 < steps.size() ? steps[i + 1] : endless;
    if (step - tiling.chunks.back().first >= leastRows ||
        next - step >= leastRows)
      tiling.chunks.push_back({step, 0});
  }
}

static void cutTiles(StepTiling &tiling) {
  for (auto [c, chunk] : llvm::enumerate(tiling.chunks)) {
    bool isLast = c + 1 == tiling.chunks.size();
    int64_t end = isLast ? chunk.first + 1 : tiling.chunks[c + 1].first;
    for (int64_t row = chunk.first; row < end; row += tiling.tile)
      tiling.tiles.push_back({row, int64_t(c)});
  }
}

/// Cuts keys where ranges of chunks end. Certificates count two additions for
/// each keyBlock keys of a row: partial states, each of which is a sum over
/// such blocks, stay within that if they have half a block at least, the
/// longest a whole one, and the last that there are keys for any number
/// (docs/certificates.md). Hence the first cut comes after leastKeys, and no
/// other one after less than half a block.
static void cutBlocks(StepTiling &tiling, attn::MaskAttrInterface mask,
                      int64_t leastKeys) {
  tiling.blocks.push_back(0);
  for (StepTiling::Chunk &chunk : tiling.chunks) {
    int64_t end = mask.getKeyRange(chunk.first, endless, endless).end;
    if (end >= endless) {
      chunk.blocks = StepTiling::everything;
      continue;
    }
    int64_t last = tiling.blocks.back(), length = end - last;
    if (end >= leastKeys && length >= keyBlock / 2) {
      int64_t whole = (length + keyBlock - 1) / keyBlock;
      int64_t pieces = (length + tiling.block - 1) / tiling.block;
      for (int64_t i = 1; i < pieces; ++i)
        tiling.blocks.push_back(last + whole * i / pieces * keyBlock);
      tiling.blocks.push_back(end);
    }
    // Those before the first chunk that has any are pieces of its own.
    chunk.blocks = end < leastKeys ? 0
                                   : llvm::upper_bound(tiling.blocks, end) -
                                         tiling.blocks.begin() - 1;
  }
}

bool polyattn::hasSteps(attn::MaskAttrInterface mask) {
  auto steps = mask.getSteps();
  return steps && !steps->empty() && mask.startsAtZero();
}

std::optional<StepTiling> polyattn::tileSteps(attn::MaskAttrInterface mask,
                                              StepLimits limits) {
  if (!hasSteps(mask))
    return std::nullopt;
  StepTiling tiling;
  tiling.tile = limits.tile;
  tiling.block = limits.block;
  cutChunks(tiling, *mask.getSteps(), limits.leastRows);
  cutTiles(tiling);
  if (limits.block)
    cutBlocks(tiling, mask, limits.leastKeys);
  return tiling;
}

StepTiling::Piece StepTiling::rowsOfChunk(int64_t chunk, int64_t firstPosition,
                                          int64_t rows) const {
  auto row = [&](int64_t c) {
    if (c == 0 || c == int64_t(chunks.size()))
      return c ? rows : 0;
    return std::clamp<int64_t>(chunks[c].first - firstPosition, 0, rows);
  };
  return {row(chunk), row(chunk + 1)};
}

/// Where the tile that holds this position ends.
static int64_t endOfTile(const StepTiling &tiling, size_t tile,
                         int64_t position) {
  if (tile + 1 < tiling.tiles.size())
    return tiling.tiles[tile + 1].first;
  int64_t first = tiling.tiles.back().first;
  return first + ((position - first) / tiling.tile + 1) * tiling.tile;
}

SmallVector<std::pair<StepTiling::Piece, int64_t>>
StepTiling::tilesOfRows(int64_t firstPosition, int64_t rows) const {
  SmallVector<std::pair<Piece, int64_t>> result;
  for (int64_t row = 0; row < rows;) {
    int64_t position = row + firstPosition, chunk = 0, end;
    if (position < 0) {
      end = std::min<int64_t>(position + tile, 0);
    } else {
      size_t t = 0;
      while (t + 1 < tiles.size() && tiles[t + 1].first <= position)
        ++t;
      chunk = tiles[t].chunk;
      end = endOfTile(*this, t, position);
    }
    int64_t to = std::min(end - firstPosition, rows);
    result.push_back({{row, to}, chunk});
    row = to;
  }
  return result;
}

SmallVector<StepTiling::Piece> StepTiling::blocksOfKeys(int64_t keys) const {
  SmallVector<Piece> result;
  for (auto [b, from] : llvm::enumerate(blocks))
    if (b + 1 < blocks.size() && from < keys)
      result.push_back({from, std::min(blocks[b + 1], keys)});
  for (int64_t from = blocks.back(); from < keys; from += block)
    result.push_back({from, std::min(from + block, keys)});
  return result;
}
