// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Vector code for contractions: C is cut into blocks of registers, B into
// panels as wide as these, whose rows follow each other in memory.

#ifndef POLYATTN_LIB_CONVERSION_LOWERLINALG_CONTRACTIONEMITTER_H
#define POLYATTN_LIB_CONVERSION_LOWERLINALG_CONTRACTIONEMITTER_H

#include "../LowerToVector/Tiles.h"
#include "Contraction.h"
#include "Lanes.h"

#include <memory>

namespace polyattn::attn {

/// The one op that reads a contraction's result, if it works element by element
/// and so can be done while an element is at hand.
struct Epilogue {
  linalg::GenericOp op;
  OpOperand *input;
  /// The contraction's loop for each of this op's loops.
  SmallVector<unsigned> loops;
  /// This op's loop over lanes.
  unsigned lane;
};

/// The epilogue of the contraction if it has one. `result` is its result, or
/// that of one which adds to it.
std::optional<Epilogue> findEpilogue(Contraction &c, Value result);

/// May `addend`, whose sums start from the result of `c`, be formed with it,
/// block by block? Then for each of its loops that of `c` that is the same.
std::optional<SmallVector<std::optional<unsigned>>>
findCommonLoops(Contraction &c, Contraction &addend);

/// How B is kept in panels: [outer loops of B, outer reductions, panel, k,
/// column].
struct PanelLayout {
  SmallVector<unsigned> outer;
  int64_t width;
  /// Rows of a panel are rounded up to this.
  int64_t depthStep;

  PanelLayout(Contraction &c, const Blocking &blocking);
};

/// B's elements in panels, as a constant, if B is a constant.
Value packConstant(OpBuilder &b, Contraction &c, const PanelLayout &layout);

class ContractionEmitter {
public:
  ContractionEmitter(Emitter &e, const TargetDescription &target,
                     const Contraction &contraction,
                     std::optional<Epilogue> epilogue);

  /// Adds another contraction with the same C, before the epilogue.
  void add(const TargetDescription &target, const Contraction &addend,
           ArrayRef<std::optional<unsigned>> commonLoops);

  /// Emits everything; returns the result as a tensor.
  Value emit();
  /// How B is read, in a word or two.
  StringRef getRoute() const;

private:
  using Values = Emitter::Values;
  /// B in panels that are a constant or made first, or where it lies, its lanes
  /// being columns or, for sums of products, k.
  enum class Route { Constant, Packed, Rows, Dots };

  /// Columns of C side by side: so many vectors, of the last of which only the
  /// first `active` columns exist (null: all); where the length is unknown, of
  /// all of them.
  struct Columns {
    int64_t vectors;
    std::function<Value(int64_t)> active;
  };

  Route chooseRoute();
  /// Rows that choose are sorted by that, or else looked at one by one.
  void prepare(bool sorts);
  RankedTensorType prepareOutput();
  Value sizeOf(unsigned loop);
  Value toBuffer(Value tensor);
  Value allocate(RankedTensorType type, AffineMap map,
                 ArrayRef<unsigned> loopOf);
  SmallVector<Value> indices(AffineMap map, ValueRange loops);
  Value loadUpTo(Value memref, ValueRange at, Value active);

  void sortRows();
  Value bucketOf(Value row);
  Value indexAt(Value memref, Value at) {
    return memref::LoadOp::create(e.b, e.loc, memref, at);
  }
  Value rowAt(Value position) {
    return c.rowsChoose() ? indexAt(order, position) : position;
  }
  void forRuns(MutableArrayRef<Value> loops, Value from, Value to,
               function_ref<void(Value, Value)> body);

  void packPanels();
  void packPanel(MutableArrayRef<Value> loops, Value panel);
  void packColumns(MutableArrayRef<Value> loops, Value panel, Value first);
  void packRows(MutableArrayRef<Value> loops, Value panel, Value first);
  SmallVector<Value> panelIndex(ValueRange loops, Value panel, Value k,
                                Value column);

  void prefetch(ValueRange loops, Value panel, Value k, Value column);
  void emitTasks();
  void emitBlock(MutableArrayRef<Value> loops, Value panel, Value from,
                 Value to);
  void emitRows(MutableArrayRef<Value> loops, Value panel,
                const Columns &columns, Value from, Value to);
  void emitTile(MutableArrayRef<Value> loops, Value panel,
                const Columns &columns, int64_t rows, Value row);
  Values product(MutableArrayRef<Value> loops, Value panel,
                 const Columns &columns, int64_t rows, Value row,
                 ValueRange start = {});
  SmallVector<Value> loopsOfAddend(ArrayRef<Value> loops);
  Values addToRow(ArrayRef<Value> loops, Values sums, const Columns &columns);
  Values rowProduct(MutableArrayRef<Value> loops, Values sums,
                    const Columns &columns);
  Values dots(MutableArrayRef<Value> loops, const Columns &columns,
              int64_t rows, Value row);
  Values overOuterReductions(MutableArrayRef<Value> loops, size_t depth,
                             size_t count, function_ref<Values()> body);
  void finishTile(MutableArrayRef<Value> loops, const Columns &columns,
                  int64_t rows, Value row, Values sums);
  void finishVectors(MutableArrayRef<Value> loops, ArrayRef<Value> xs,
                     const Columns &columns, int64_t first);
  Columns columnsOf(int64_t vectors, int64_t rest);

  Emitter &e;
  int64_t cores;
  Contraction c;
  std::optional<Epilogue> epilogue;
  Blocking blocking;
  PanelLayout layout;
  Route route;
  Value a, b, init, panels, output;
  /// What is added to C, its loops in terms of ours, and whether that is done
  /// row by row.
  std::unique_ptr<ContractionEmitter> addend;
  SmallVector<std::optional<unsigned>> commonLoops;
  bool addsByRows = false;
  /// Of a selection: its entries, rows sorted by them, and where those begin
  /// that chose 0, 1, ..., and last those that chose nothing.
  Value chosen, order, starts;
  bool choseNothing = false;
  /// Where sums wait for the epilogue, one row block of them.
  Value tile;
  SmallVector<LaneOperand> operands;
  Value panelCount;
};

} // namespace polyattn::attn

#endif // POLYATTN_LIB_CONVERSION_LOWERLINALG_CONTRACTIONEMITTER_H
