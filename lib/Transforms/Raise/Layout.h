// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Tensors out of expressions: an access back as slices, reshapes and
// transposes of the tensor it reads, anything else as a linalg.generic.

#ifndef POLYATTN_LIB_TRANSFORMS_RAISE_LAYOUT_H
#define POLYATTN_LIB_TRANSFORMS_RAISE_LAYOUT_H

#include "Expr.h"
#include "Grid.h"

namespace polyattn::attn {

class Layout {
public:
  Layout(Notation &notation, OpBuilder &builder, Location loc)
      : n(notation), b(builder), loc(loc) {}

  /// Can the access be made into a tensor whose dimensions are these axes, and
  /// how many copies does it take? Nothing if it cannot.
  std::optional<int> copies(Expr *access, ArrayRef<Axis> axes);

  /// The tensor whose dimensions are the axes, at which the access reads. Where
  /// it depends on no atom of an axis, the size is 1; where it does on some,
  /// the rest is repeated, and with `repeatAll` always. Null if the access is
  /// no such thing.
  Value tensorOf(Expr *access, ArrayRef<Axis> axes, bool repeatAll = false);

  /// The same for any expression, in this element type. `finish` may compute on
  /// the scalars, of which there is one for each of `es`.
  using Finish = function_ref<Value(OpBuilder &, ValueRange)>;
  Value compute(ArrayRef<Expr *> es, ArrayRef<Axis> axes, Type type,
                Finish finish, bool repeatAll = false);

  /// Tells where sizes of atoms that are only known at run time can be read.
  void addSizes(Expr *access);

  /// The accesses that an expression is computed from.
  void collectLeaves(Expr *e, SmallVectorImpl<Expr *> &leaves);

  /// Element type conversion of a tensor.
  Value convert(Value tensor, Type type);
  /// Float conversion of a scalar.
  static Value convert(OpBuilder &b, Location loc, Value scalar, Type type);

private:
  struct Piece {
    /// Of the slice that is read of one dimension.
    int64_t offset, step;
    SmallVector<Atom> atoms;
    bool isWhole;
  };
  std::optional<SmallVector<Piece>> pieces(Expr *access);
  Value slice(Value tensor, ArrayRef<Piece> pieces);
  Value split(Value tensor, ArrayRef<Piece> pieces,
              SmallVectorImpl<std::optional<Atom>> &dims);
  Value repeat(Value tensor, SmallVectorImpl<std::optional<Atom>> &dims,
               ArrayRef<Atom> missing);
  Value transpose(Value tensor, SmallVectorImpl<std::optional<Atom>> &dims,
                  ArrayRef<Atom> order);
  Value merge(Value tensor, ArrayRef<std::optional<Atom>> dims,
              ArrayRef<Axis> axes);
  OpFoldResult sizeOf(Atom atom);
  OpFoldResult product(ArrayRef<Atom> atoms);
  Axis partsOf(ArrayRef<Atom> axis);
  bool reads(Expr *e, ArrayRef<Atom> axis);
  bool canCompute(const Expr *e, ArrayRef<Axis> axes);
  Value position(OpBuilder &b, const Index &index, ArrayRef<Axis> axes,
                 Type type);
  Value scalar(OpBuilder &b, Expr *e, ArrayRef<Axis> axes,
               const llvm::SmallDenseMap<Expr *, Value> &leaves);

  Notation &n;
  OpBuilder &b;
  Location loc;
  SmallVector<Expr *> sizeSources;
};

} // namespace polyattn::attn

#endif // POLYATTN_LIB_TRANSFORMS_RAISE_LAYOUT_H
