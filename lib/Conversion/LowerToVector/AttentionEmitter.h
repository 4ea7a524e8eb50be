// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Both evaluations of one attention. Queries are the lanes of every vector:
// scores, weights and outputs of a tile of queries are held transposed, as
// [key][query] and [value column][query]. Then
//   scores   S[j][i] = sum_a k[j][a] q[a][i]     scalars from key,
//   outputs  O[c][i] = sum_j v[j][c] P[j][i]     scalars from value,
//   apply    O[c][i] = sum_f S[f][c] phi[f][i]   scalars from the state
// are one and the same register block, keys and values are used where they lie,
// row statistics are plain vectors, and features are products of rows.

#ifndef POLYATTN_CONVERSION_LOWERTOVECTOR_ATTENTIONEMITTER_H
#define POLYATTN_CONVERSION_LOWERTOVECTOR_ATTENTIONEMITTER_H

#include "HeadMemory.h"
#include "Tiles.h"
#include "polyattn/Analysis/CostModel.h"
#include "polyattn/Analysis/StepTiling.h"
#include "polyattn/Approximation/Certificate.h"
#include "polyattn/Dialect/Attn/Attn.h"

namespace polyattn::attn {

/// Sums in the state evaluation run over blocks of this many keys and features;
/// certificates count roundings by the same numbers.
constexpr int64_t keyBlockOfState = SummationShape{}.KeyBlock;
constexpr int64_t featureBlockOfState = SummationShape{}.FeatureBlock;

class AttentionEmitter {
public:
  /// `query`, `key`, `value`, `output` are memrefs [heads, length, dim];
  /// `weights`, if not null, is a memref [heads, m]; `bias`, if not null, one
  /// of [batch..., n, m], any of which may be 1 and is then repeated.
  struct Operands {
    mlir::Value query, key, value, weights, output, bias;
    Emitter::Values batch;
    /// Rows without keys are NaN.
    bool nanRows = false;
    /// If not null, a memref [heads, n] for what attn.normalizer is.
    mlir::Value normalizer = {};
  };

  AttentionEmitter(Emitter &e, const TargetDescription &target,
                   ApproximableOpInterface op, Operands operands);

  void emitDirect();
  void emitState();

protected:
  using Value = mlir::Value;
  using Values = Emitter::Values;

  /// A tile of queries and what is accumulated for it.
  struct Tile {
    Value head, keyHead, first;
    /// Rows from here on belong to others.
    Value end;
    /// [1 + d][queryTile]: a row of ones, then the queries transposed.
    Value queries;
    /// [e][queryTile] weighted values; [queryTile] sums of weights, and what
    /// exponents are relative to (null if that is no running number).
    Value outputs, sums, shifts;
    /// [keyBlock][queryTile] scores, then weights.
    Value scores;
    /// [queryTile] i32: the keys [begin, end) of each query; null if all.
    Value begins, ends;
    /// Converted copies of keys and values; null where they are f32 already.
    Value keyCopy, valueCopy;
    /// For the matrix unit: which packed head, and tiles of queries and weights
    /// in pairs of rows, [d / 32][queryTile / 16][16][32] and
    /// [keyBlock / 32][queryTile / 16][16][32].
    Value slot, queryPairs, weightPairs;

    /// Memory that lasts from first to last key, and what one block needs.
    std::array<Value *, 7> lasting() {
      return {&queries, &outputs, &sums, &shifts, &begins, &ends, &queryPairs};
    }
    std::array<Value *, 4> passing() {
      return {&scores, &weightPairs, &keyCopy, &valueCopy};
    }
  };

  // Cuts.cpp: where rows and keys are cut.
  /// Pieces of equal length or, with a table, those of a StepTiling.
  struct Cuts {
    Value length, count;
    /// Null if nothing lies beyond the last piece.
    Value limit;
    /// [known][..] index: positions, and what else is known of each piece.
    Value table;
    int64_t known = 1, last = 0;
    /// Position of row 0, and pieces of rows before position 0.
    Value shift, before;
  };
  Cuts evenCuts(Value length, Value limit);
  Cuts stepCuts(llvm::StringRef name, llvm::ArrayRef<int64_t> entries,
                int64_t columns, Value length, Value limit, bool ofRows);
  Cuts tileCuts(const std::optional<StepTiling> &steps);
  Value cutAt(const Cuts &cuts, Value piece);
  Value entryOf(const Cuts &cuts, Value piece, int64_t column);

  // Direct.cpp: one tile of queries against ranges of keys.
  void chooseTiles(const TargetDescription &target, int64_t rows);
  void emitTiles();
  Value directFlops(Value queries, Value keys);
  Value lateFirst(Value task, Value tiles);
  Tile allocateTile(int64_t inTurn = 0);
  void fillTile(Tile &t);
  Tile openTile(Value head, Value first, Value end);
  void storeKeyRanges(Tile &t);
  void storeNormalizer(Tile &t);
  void closeTile(Tile &t);
  void addKeys(Tile &t, Value from, Value to);
  void addKeyBlock(Tile &t, Value from, Value count);
  /// Rows of a head where they lie, from `first` on; or, without a head, a
  /// copy.
  struct HeadRows {
    Value memref, head, first;
  };
  /// Rows [first, first + count) where they lie, or where their type is narrow,
  /// widened into `copy`.
  HeadRows headRows(Value source, Value head, Value first, Value count,
                    Value copy);
  Values placeIn(const HeadRows &rows, Value row, Value column);
  /// Calls body(x, {j, i}) for x = sum_a rows[j][a] lanes[1 + a][i] of every
  /// row j below `count` and vector of lanes i, and for a few rows beyond.
  void forProducts(const HeadRows &rows, int64_t dim, Value lanes, Value count,
                   llvm::function_ref<void(Value, mlir::ValueRange)> body);
  /// into[c][i] += sum_j rows[j][c] weights[j][i], for j < count and c < dim.
  void addWeighted(const HeadRows &rows, int64_t dim, Value weights,
                   Value count, Value into);
  void emitScores(Tile &t, Value from, Value count);
  void addValues(Tile &t, Value from, Value count);
  Value inverseOf(Value sum);
  Value divideBySum(Value output, Value sum, Value inverse);
  Value copyBlock(Value source, Value head, Value from, Value count,
                  Value copy);
  KeyRange<Value> keyRange(Value query);
  KeyRange<Value> tileRange(Value first, Value end);

  // Bias.cpp: scores of a block to scale times score plus bias.
  Values biasRow(Value head, Value query);
  Value loadBias(Values row, Value key, Value lanes);
  Value loadLanes(mlir::ValueRange at, Value lanes);
  Value withBias(Value score, Value bias);
  void addBias(Tile &t, Value from, Value count);

  // Weights.cpp: scores of a block to weights.
  /// How a score becomes a weight: by a formula that needs no care; as 2^ of a
  /// number within known bounds; as 2^ of a number less the running shift.
  enum class Weighting { Plain, BoundedExp, RunningExp };
  void chooseWeighting();
  Value keyWeight(Value keyHead, Value key);
  Value isPartlyMasked(Tile &t, Value from, Value count);
  Value admits(Tile &t, Value key, Value i);
  double absentScore() const { return scale < 0 ? INFINITY : -INFINITY; }
  void removeMaskedKeys(Tile &t, Value from, Value count);
  void removePadding(Tile &t, Value from, Value count);
  Values largestExponents(Tile &t, Value count, llvm::ArrayRef<Value> at);
  void raiseShifts(Tile &t, Value count);
  void rescale(Tile &t, llvm::ArrayRef<Value> at, mlir::ValueRange old,
               mlir::ValueRange exponents);
  Value finiteShift(Value shift);
  Value emitWeight(Value score, Value shift,
                   Exp2Degree degree = Exp2Degree::Full);
  void emitWeights(Tile &t, Value from, Value count);
  /// Queries of a tile that registers hold at once: where their vectors lie,
  /// their shifts, and sums of weights so far.
  struct Strip {
    Values at, shifts, sums;
    bool masked;
  };
  Strip openStrip(Tile &t, llvm::ArrayRef<Value> at, bool masked);
  void closeStrip(Tile &t, Strip &strip);
  Values rowWeights(Tile &t, const Strip &strip, Value from, Value j);
  void weighRows(Tile &t, Strip &strip, Value from, Value first, Value end);
  void emitStripWeights(Tile &t, Value from, Value count,
                        llvm::ArrayRef<Value> at, bool masked);

  // FewQueries.cpp: queries as rows.
  /// The queries of all heads that share a key head.
  struct Rows {
    Value keyHead, count;
    /// [count][..]: queries, outputs, scores of a block of keys; sums and
    /// shifts, one vector each: sums lane by lane, the shift in every lane.
    Value queries, outputs, scores, sums, shifts;
    /// Keys of the block that the row at hand sees.
    Value begin, end;
  };
  int64_t mostFewQueries();
  void emitFewQueries();
  std::pair<Value, Value> placeOf(Rows &rows, Value row);
  Rows openRows(Value keyHead);
  void addRowScores(Rows &rows, Value row, Value from, Value count);
  Value seenLanes(Rows &rows, Value j);
  Value keyWeights(Rows &rows, Value from, Value j, Value seen);
  void raiseRowShift(Rows &rows, Value row, Value count);
  void addRowWeights(Rows &rows, Value row, Value from, Value count);
  void addRowValues(Rows &rows, Value row, Value from, Value count);
  void closeRows(Rows &rows);

  // MatrixUnit.cpp: both products of bf16 inputs on tiles.
  static bool usesMatrixUnit(ApproximableOpInterface op,
                             const TargetDescription &target);
  void emitDirectOnMatrixUnit();
  Value roundedKeys();
  Value packedHeads();
  void packKeys(Value head, Value slot, Value from);
  void packValueColumns(Value head, Value slot, Value blockOf);
  void packQueryPairs(Tile &t);
  void storeWeightPair(Tile &t, Value j, Value i, Value even, Value odd);
  void clearWeightPairs(Tile &t, Value count);
  class TileProduct;
  TileProduct scoreProduct(Tile &t, Value from, Value j);
  TileProduct valueProduct(Tile &t, Value from, Value column, int64_t high);
  void emitTileScores(Tile &t, Value from, Value count);
  void addTileValues(Tile &t, Value from);
  bool takesTurns() const;
  Tile tileOfGroup(const Tile &group, Value which, Value turn);
  KeyRange<Value> wholeBlocks(Tile &group, Value tiles);
  void emitTileGroup(Tile &group, Value tiles);
  void addInTurn(Tile &group, Value tiles, KeyRange<Value> keys);
  void weighBeside(Tile &t, Value from,
                   llvm::MutableArrayRef<TileProduct> products);

  // Packing.cpp: transposed copies between rows in memory and lanes in tiles.
  /// target[head][first + i][c] = source[c][i] for the queries there are.
  void unpackLanes(Tile &t, Value source, int64_t columns, Value target);

  // StateBlocks.cpp and, from emitStateFull on, State.cpp
  /// The monomials, their tables, and a pool of states. Features are padded to
  /// whole register blocks with ones of weight 0.
  struct Features {
    int64_t degree, padded, columns;
    /// `padded` rounded up to whole vectors.
    int64_t table;
    /// [padded][degree] i32 rows of the packed tile to multiply; [padded] f32.
    Value factors, weights;
    /// [slots][padded][columns] and [slots][padded]: sums of weighted values
    /// and of key weights alone.
    Value states, denominators;

    int64_t bytesPerState() const { return padded * (columns + 1) * 4; }
  };
  struct UpdateBuffers {
    /// [1 + d][keyBlock] ones, then keys transposed; [keyBlock][columns] values
    /// and [keyBlock] weights; [rows][keyBlock] features.
    Value keys, values, weights, features;
  };
  /// The same few vectors of every state, side by side.
  struct StatePart {
    Emitter &e;
    Value memory;
    /// Behind the slot.
    Values at;
    int64_t lanes;
    /// Of the features that it belongs to.
    Value weights;

    mlir::VectorType type() const;
    Value zero() const;
    Value load(Value slot) const;
    void store(Value x, Value slot) const;
  };
  Features openFeatures();
  void emitStateFull(Features &f);
  void emitSetStates(Features &f, Value firstHead, Value count, int64_t splits,
                     int64_t number);
  void multiplySets(Features &f, Value heads, int64_t splits);
  /// Where the keys of chunks of queries come from: StateTiling with what only
  /// the run knows.
  struct Chunks {
    StateTiling tiling;
    /// If the mask has steps, chunks and blocks end where they do.
    std::optional<StepTiling> steps;
    /// Chunks, tiles of them, and blocks of keys.
    Cuts rows, tiles, keys;
    /// [chunkStates][3] index, of each chunk of a batch: the blocks [begin,
    /// end) that all its queries see, and the pivot.
    Value table;
  };
  /// Chunks [first, first + count) of some heads, whose states are in memory at
  /// a time.
  struct Batch {
    Value firstHead, heads, first, count;
    /// Blocks in the running sum before and after; the blocks [from, to) get
    /// their states in this batch.
    Value summed, from, to;
    /// Of the last chunk before the batch, and of its own last one.
    Value pivotBefore, pivot;
  };
  bool slides() { return !mask.startsAtZero(); }
  void emitStateChunks(Features &f);
  KeyRange<Value> commonKeys(Chunks &c, Value chunk);
  KeyRange<Value> commonBlocks(Chunks &c, Value chunk);
  Value blockOfKeys(Chunks &c);
  void openSteps(Features &f, Chunks &c);
  Value firstTileOf(Chunks &c, Value chunk);
  Value chunkOfTile(Chunks &c, Value tile);
  Chunks openChunks(Features &f);
  Value chunkEntry(Chunks &c, Value inBatch, int64_t column);
  void openBatch(Chunks &c, Batch &batch);
  void emitBlockStates(Features &f, Chunks &c, Batch &batch);
  Value addBlocks(Chunks &c, const StatePart &part, Value head, Value sum,
                  Value from, Value to);
  void addBackwards(Chunks &c, const StatePart &part, Value head, Value from,
                    Value to);
  void sumChunks(Chunks &c, Batch &batch, Value head, const StatePart &part);
  void emitChunkStates(Features &f, Chunks &c, Batch &batch);
  void emitChunkTiles(Features &f, Chunks &c, Batch &batch);
  /// Rows [first, end) of a head and of a chunk.
  struct ChunkTile {
    Value head, first, end, inBatch, slot;
  };
  void emitTileOfSteps(Features &f, Chunks &c, const ChunkTile &at);
  void emitChunkTile(Features &f, Chunks &c, const ChunkTile &at);
  KeyRange<Value> keysOfState(Chunks &c, Value inBatch);
  void emitFullTile(Features &f, Value head, Value first, Value slot);
  Values factorRows(Features &f, Value feature);
  Value emitFeature(Value tile, mlir::ValueRange rows, Value lane);
  void clearState(Features &f, Value slot);
  void addTo(Value memory, mlir::ValueRange at, Value x);
  void emitUpdate(Features &f, Value keyHead, Value slot, Value from, Value to);
  void addToState(Features &f, Value keyHead, Value slot, Value from, Value to,
                  bool few = false);
  void emitUpdateRows(Features &f, UpdateBuffers &buffers, Value slot,
                      Value feature, int64_t rows, Value keys);
  void packValues(Features &f, UpdateBuffers &buffers, Value keyHead, Value key,
                  Value count, Value padded);
  void emitApply(Features &f, Tile &t, Value slot, Value phi);
  void emitApplyBlock(Features &f, Tile &t, Value slot, Value phi, Value first,
                      Value count, Value lane);
  Value stateFlops(Features &f, Value heads, Value rows);
  void allocateStates(Features &f, int64_t slots);
  void forHeadGroups(Value most, llvm::function_ref<void(Value, Value)> body);
  void forStateParts(Features &f, Value heads, Value sums,
                     llvm::function_ref<void(Value, const StatePart &)> body);
  void forColumnGroups(int64_t columns,
                       llvm::function_ref<void(Value, int64_t)> body);
  int64_t blockingFor(int64_t columns) const;

  // StateLinear.cpp: features that are the columns of query and key themselves.
  /// Queries [first, first + count) of a head that meet a state.
  struct LinearPanel {
    Value head, slot, first, count;
    HeadRows queries;
    /// Denominators and their inverses.
    Value sums, inverses;
  };
  bool isLinear(const Features &f);
  void addLinearKeys(Features &f, Value keyHead, Value slot, Value from,
                     Value to);
  void addKeySums(Features &f, Value slot, const HeadRows &keys, Value count);
  void addKeyProducts(Features &f, Value slot, const HeadRows &keys,
                      Value values, Value count,
                      llvm::function_ref<void(Value)> askForRow);
  int64_t rowsOfLinearPanel();
  int64_t rowsOfLinearTile();
  void emitLinearTile(Features &f, Value head, Value first, Value end,
                      Value slot);
  Values rowsOfPanel(LinearPanel &p, Value i, int64_t rows);
  void emitLinearSums(Features &f, LinearPanel &p);
  void emitLinearOutputs(Features &f, LinearPanel &p, Value i, int64_t rows,
                         Value column, int64_t vectors);

  Emitter &e;
  Blocking blocking;
  ApproximableOpInterface op;
  Operands operands;
  /// Sets of keys: the first is that of `operands`, which may show another one
  /// while code for that is written.
  struct KeySet {
    Value key, value, weights;
  };
  llvm::SmallVector<KeySet, 2> keySets;
  void useSet(const KeySet &set);
  KernelAttrInterface kernel;
  MaskAttrInterface mask;
  /// Of products of query and key; and what turns scores, which have it in them
  /// already where there is a bias, into the kernel's argument.
  double productScale, scale;
  Weighting weighting;
  KernelAttrInterface plainKernel;
  /// Of bounded exponents.
  double boundedShift = 0;
  unsigned cores;
  /// Sizes: d and e are static, the rest are index values.
  int64_t headDim, valueDim;
  Value heads, keyHeads, numQueries, numKeys, group;
  int64_t queryTile, keyBlock;
  bool matrixUnit;
  /// Tiles of keys [slots][m / 16][d / 32][16][32] and of transposed values
  /// [slots][m / 32][e / 16][16][32], padded with zeros.
  struct {
    Value keys, values;
  } packed;
};

/// What an attention, or an op with its operands, reads.
template <typename OpT>
AttentionEmitter::Operands attentionOperands(mlir::OpBuilder &b,
                                             mlir::Location loc, OpT op) {
  AttentionEmitter::Operands operands;
  operands.query = headsBuffer(b, loc, op.getQuery());
  operands.key = headsBuffer(b, loc, op.getKey());
  operands.value = headsBuffer(b, loc, op.getValue());
  operands.weights = weightsBuffer(b, loc, op.getKeyWeights(), op.getKey());
  if (!op.getBias())
    return operands;
  operands.bias = toBuffer(b, loc, op.getBias());
  for (int64_t i = 0; i + 2 < op.getQuery().getType().getRank(); ++i)
    operands.batch.push_back(
        b.createOrFold<mlir::tensor::DimOp>(loc, op.getQuery(), i));
  return operands;
}

/// A constant table in the module, named after its contents' origin.
mlir::Value constantTable(Emitter &e, mlir::Operation *op, llvm::StringRef name,
                          mlir::DenseElementsAttr contents);

/// Calls body(column, lanes) for whole vectors of columns, then for the rest.
void forColumns(Emitter &e, int64_t columns,
                llvm::function_ref<void(mlir::Value, int64_t)> body);

/// `count` elements from `at` on, widened; the other lanes are 0.
mlir::Value loadPart(Emitter &e, mlir::Value source, mlir::ValueRange at,
                     int64_t count);

/// target[1 + column][row] = source[head][first + row][column]; rows from
/// `limit` on repeat the last one. Whole vectors of rows.
void packRows(Emitter &e, mlir::Value source, mlir::Value head,
              mlir::Value first, mlir::Value limit, mlir::Value rows,
              int64_t columns, mlir::Value target);
inline void packRows(Emitter &e, mlir::Value source, mlir::Value head,
                     mlir::Value first, mlir::Value limit, int64_t rows,
                     int64_t columns, mlir::Value target) {
  packRows(e, source, head, first, limit, e.index(rows), columns, target);
}

/// The first `count` lanes of x.
void storePart(Emitter &e, mlir::Value x, mlir::Value target,
               mlir::ValueRange at, int64_t count);

} // namespace polyattn::attn

#endif // POLYATTN_CONVERSION_LOWERTOVECTOR_ATTENTIONEMITTER_H
