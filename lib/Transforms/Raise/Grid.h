// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// What an expression is for every query row and every key, where that follows
// from the program alone: masks that are computed from indices or are
// constants.

#ifndef POLYATTN_LIB_TRANSFORMS_RAISE_GRID_H
#define POLYATTN_LIB_TRANSFORMS_RAISE_GRID_H

#include "Expr.h"

#include <memory>

namespace polyattn::attn {

/// A dimension of the op to be, made of atoms, the outermost first.
using Axis = SmallVector<Atom>;

class Grid {
public:
  /// Null if the expression depends on anything else than these axes, or on
  /// data, or there are more than 2^26 elements.
  static std::unique_ptr<Grid> of(Notation &notation, Expr *e,
                                  ArrayRef<Atom> rows, ArrayRef<Atom> keys);
  ~Grid();

  int64_t numRows, numKeys;
  /// Values of all keys (of a single one, if all have the same) in this row.
  ArrayRef<double> row(int64_t row);
  bool byRow() const;

private:
  struct Node;
  Grid() = default;
  std::unique_ptr<Node> build(Notation &notation, Expr *e, ArrayRef<Atom> rows,
                              ArrayRef<Atom> keys);
  std::unique_ptr<Node> root;
};

} // namespace polyattn::attn

#endif // POLYATTN_LIB_TRANSFORMS_RAISE_GRID_H
