// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// How queries and keys are cut under a mask whose ranges change at few
// positions only (MaskAttrInterface::getSteps), so that no piece of them is
// partly hidden, or only where both sides of a cut would be small.

#ifndef POLYATTN_ANALYSIS_STEPTILING_H
#define POLYATTN_ANALYSIS_STEPTILING_H

#include "polyattn/Dialect/Attn/Attn.h"

#include <optional>

namespace polyattn {

/// Positions of rows and keys that are known before lengths are. A row's
/// position is its number plus MaskAttrInterface::getFirstPosition.
struct StepTiling {
  struct Chunk {
    /// Its rows begin here, those of the first one at any earlier position.
    int64_t first;
    /// Blocks that end no later than the range of the first row; all there are
    /// if that is `everything`.
    int64_t blocks;
  };
  struct Tile {
    int64_t first, chunk;
  };
  static constexpr int64_t everything = -1;

  llvm::SmallVector<Chunk> chunks;
  /// Pieces of chunks. From the last of these on as many as the rows need, each
  /// of `tile` rows; before the first one, too, where rows begin before keys.
  llvm::SmallVector<Tile> tiles;
  /// Where blocks of keys begin, 0 first; from the last of these on as many as
  /// the keys need, each of `block` keys.
  llvm::SmallVector<int64_t> blocks;
  int64_t tile, block;

  /// The rows [from, to) of a chunk and of a tile, and the keys of a block.
  struct Piece {
    int64_t from, to;
    int64_t size() const { return to - from; }
  };
  Piece rowsOfChunk(int64_t chunk, int64_t firstPosition, int64_t rows) const;
  llvm::SmallVector<std::pair<Piece, int64_t>>
  tilesOfRows(int64_t firstPosition, int64_t rows) const;
  llvm::SmallVector<Piece> blocksOfKeys(int64_t keys) const;
};

/// What may be cut how far.
struct StepLimits {
  /// Rows of a tile at most; chunks of fewer rows are merged with small
  /// neighbours.
  int64_t tile, leastRows;
  /// Keys below which a chunk has no block; keys of a block at most, a multiple
  /// of 128.
  int64_t leastKeys = 0, block = 0;
};

/// Can pieces end where the mask changes? There must be such places, and rows
/// that begin at key 0.
bool hasSteps(attn::MaskAttrInterface mask);

/// Nothing if the mask has no steps.
std::optional<StepTiling> tileSteps(attn::MaskAttrInterface mask,
                                    StepLimits limits);

} // namespace polyattn

#endif // POLYATTN_ANALYSIS_STEPTILING_H
