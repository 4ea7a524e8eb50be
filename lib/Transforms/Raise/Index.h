// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Index arithmetic of reshapes, transposes and slices. A tensor's element is
// found by one index for each dimension; each is a sum of loop variables
// ("atoms") times strides. A reshape that cuts a dimension in two cuts the atom
// that runs along it, so that an index is always a plain sum.

#ifndef POLYATTN_LIB_TRANSFORMS_RAISE_INDEX_H
#define POLYATTN_LIB_TRANSFORMS_RAISE_INDEX_H

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"

#include <optional>

namespace polyattn::attn {
using namespace mlir;

/// A loop variable that runs from 0 to its extent.
using Atom = unsigned;

struct Digit {
  Atom atom;
  int64_t stride;
};

/// The sum of `offset` and of stride * atom over all digits.
struct Index {
  SmallVector<Digit, 2> digits;
  int64_t offset = 0;
};
using Indices = SmallVector<Index, 4>;

/// Which atom of one expression stands for which of another.
using Binding = llvm::SmallDenseMap<Atom, Atom>;

class Atoms {
public:
  Atom add(int64_t extent);
  Index indexOf(Atom atom) const { return {{{atom, 1}}, 0}; }

  /// ShapedType::kDynamic if it is not known.
  int64_t extent(Atom atom) const { return entries[atom].extent; }

  /// Atoms that have been cut are replaced by their parts, those of extent 1 by
  /// nothing; strides fall.
  Index resolve(const Index &index) const;

  /// The parts of an atom, the outermost first.
  SmallVector<Atom> parts(Atom atom) const;

  /// The indices of dimensions of these sizes whose row-major position is
  /// `index`; nothing if they are no sums. Cuts atoms.
  std::optional<Indices> delinearize(const Index &index,
                                     ArrayRef<int64_t> sizes);

  /// The row-major position in dimensions of these sizes. All but the first
  /// must be static.
  std::optional<Index> linearize(ArrayRef<Index> indices,
                                 ArrayRef<int64_t> sizes) const;

  /// Are the indices the same if the atoms of `right` that `free` has (and no
  /// others) stand for atoms of `left`? Cuts atoms that only fit in part: then
  /// `cut` is set, and what was bound before may no longer hold.
  bool unify(const Index &left, const Index &right, ArrayRef<Atom> free,
             Binding &binding, bool &cut);

  /// Sequences of atoms, outermost first, that are parts of one and always
  /// appear beside each other in `uses`.
  SmallVector<SmallVector<Atom>> axes(ArrayRef<Atom> atoms,
                                      ArrayRef<Index> uses) const;

private:
  struct Entry {
    int64_t extent;
    /// If it has been cut: atom = high * extent(low) + low.
    Atom high = 0, low = 0;
    bool isCut() const { return low != 0; }
  };
  bool cutAt(Atom atom, int64_t lowExtent);
  bool areBeside(Atom high, Atom low, ArrayRef<Index> uses) const;

  /// The first is no atom, so that 0 means none.
  SmallVector<Entry> entries{{1}};
};

/// c times the index.
Index scaled(Index index, int64_t c);
Index sum(Index left, const Index &right);

} // namespace polyattn::attn

#endif // POLYATTN_LIB_TRANSFORMS_RAISE_INDEX_H
