// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// What the bound analysis knows of one tensor: intervals of elements, bounds of
// norms, and how it relates to other tensors. docs/bounds.md says what each
// claim means and which inputs it is about.

#ifndef POLYATTN_ANALYSIS_BOUNDFACT_H
#define POLYATTN_ANALYSIS_BOUNDFACT_H

#include "mlir/IR/Value.h"
#include "polyattn/Approximation/Interval.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace polyattn::attn {

/// Where a bound comes from: one hop, and the hop before it.
struct Origin {
  std::string what;
  mlir::Location where;
  std::shared_ptr<const Origin> from;
};
using OriginRef = std::shared_ptr<const Origin>;

/// How a tensor shows another one, its root.
enum class View {
  Plain,       ///< the root itself
  Centred,     ///< less its mean along viewAxis
  RotatedHalf, ///< [-second half, first half] along viewAxis
};

/// "This tensor is a view of `root`, times (1 + t) with |t| <= rel, plus
/// something of magnitude at most abs in every element."
struct Identity {
  mlir::Value root;
  View view = View::Plain;
  int viewAxis = -1;
  /// 1, -1, or 0 where elements may differ in sign.
  int sign = 1;
  /// Only indices [offset, offset + size) of root axis `axis`.
  struct Slice {
    int axis;
    int64_t offset, size;
    bool operator==(const Slice &o) const {
      return axis == o.axis && offset == o.offset && size == o.size;
    }
  };
  std::optional<Slice> slice;
  /// For each dimension the root axis that it runs over; -1 if it has size 1 or
  /// all its indices show the same.
  llvm::SmallVector<int> axes;
  double rel = 0;
  double abs = 0;

  bool operator==(const Identity &o) const {
    return root == o.root && view == o.view && viewAxis == o.viewAxis &&
           sign == o.sign && slice == o.slice && axes == o.axes &&
           rel == o.rel && abs == o.abs;
  }
  bool isExact() const { return rel == 0 && abs == 0 && !slice; }
};

/// "With x a tensor that is each of `of`, and
///    g = max(scale * sum over the root axes `reduced` of |x|^exponent +
///    offset,
///            floor),
///  this tensor is at least g^power where power > 0, and at least 0 and at most
///  g^power where power < 0." A mean instead says: it is scale * sum, plus at
///  most `error`; a maximum says: it is at least every element summed over.
struct Relation {
  enum class Kind { Powers, Maximum, Mean } kind = Kind::Powers;
  llvm::SmallVector<Identity, 2> of;
  /// Bit a: root axis a has been reduced.
  uint64_t reduced = 0;
  int exponent = 2;
  double power = 1;
  double scale = 1, offset = 0, floor = 0;
  double error = 0;

  bool operator==(const Relation &o) const {
    return kind == o.kind && of == o.of && reduced == o.reduced &&
           exponent == o.exponent && power == o.power && scale == o.scale &&
           offset == o.offset && floor == o.floor && error == o.error;
  }
};

/// A dense matrix in row-major order.
struct Matrix {
  int64_t rows = 0, cols = 0;
  std::vector<double> entries;
  double at(int64_t i, int64_t j) const { return entries[i * cols + j]; }
};

/// "Every fibre along `axis` is x W + b + e with |x|_2 <= radius and |e_j| <=
/// error * radius * |column j of W|_2 (+ slack)."
struct LinearImage {
  unsigned axis = 0;
  double radius = 0;
  double error = 0;
  double slack = 0;
  std::shared_ptr<const Matrix> weights;
  std::vector<double> bias;
  bool operator==(const LinearImage &o) const {
    return axis == o.axis && radius == o.radius && error == o.error &&
           slack == o.slack && weights == o.weights && bias == o.bias;
  }
};

/// What is known of one tensor (or scalar: no dimensions). Facts may differ
/// along some dimensions: those are split, the grid has one cell for each of
/// their indices. Dimensions that are not split have grid size 1.
class BoundFact {
public:
  using Shape = llvm::SmallVector<int64_t>;
  /// Facts have at most this many cells; finer ones are coarsened.
  static constexpr int64_t maxCells = 1 << 16;

  /// Nothing known.
  static BoundFact top(llvm::ArrayRef<int64_t> shape);
  /// Every element in `value`.
  static BoundFact within(llvm::ArrayRef<int64_t> shape, Interval value);

  Shape shape;
  Shape grid;
  /// For each cell, an interval that holds its elements.
  std::vector<Interval> values;
  /// norms[d]: for each cell, a bound of the l2 norm of every whole fibre along
  /// dimension d that meets the cell. Empty where intervals say all there is to
  /// say.
  llvm::SmallVector<std::vector<double>> norms;
  /// sums[d]: the same for the l1 norm.
  llvm::SmallVector<std::vector<double>> sums;

  /// Tensors that this one shows; what it is in relation to others.
  llvm::SmallVector<Identity, 2> identities;
  std::optional<Relation> relation;
  /// This tensor is `base` times constants, cell by cell of their grid, as
  /// rounded by the program: what a rotation consists of.
  struct Scaled {
    std::shared_ptr<const BoundFact> base;
    Shape grid;
    std::vector<Interval> factors;
  };
  std::shared_ptr<const Scaled> scaled;
  std::shared_ptr<const LinearImage> image;
  /// All elements, in row-major order, where they are known.
  std::shared_ptr<const std::vector<double>> constant;
  OriginRef origin;

  int64_t numCells() const { return int64_t(values.size()); }
  unsigned rank() const { return unsigned(shape.size()); }
  bool isSplit(unsigned d) const { return grid[d] != 1; }
  /// The interval that holds all elements.
  Interval hull() const;
  bool isBounded() const;
  /// Is there a finite bound of some norm that intervals do not give?
  bool hasNorm() const;
  bool operator==(const BoundFact &other) const;

  /// For each cell, the best bound of the l2 norm along `d`, of the l1 norm,
  /// and of the largest magnitude along `d`.
  std::vector<double> normAlong(unsigned d) const;
  std::vector<double> sumAlong(unsigned d) const;
  std::vector<double> magnitudeAlong(unsigned d) const;
  /// The largest normAlong over all cells.
  double maxNorm(unsigned d) const;

  /// The same facts on a grid that splits the dimensions of `finer` as well.
  BoundFact refined(llvm::ArrayRef<int64_t> finer) const;
  /// Facts of all indices along d at once.
  BoundFact coarsened(unsigned d) const;

  /// The tensor whose dimension d runs over dimension `from[d]` of this one, or
  /// repeats it where `from[d]` is -1. A dimension of this tensor that none
  /// runs over is read at unknown indices.
  BoundFact remapped(llvm::ArrayRef<int64_t> newShape,
                     llvm::ArrayRef<int> from) const;
  /// The same elements in the same order under another static shape.
  BoundFact reshaped(llvm::ArrayRef<int64_t> newShape) const;
  /// Indices offset, offset + 1, ... of dimension d.
  BoundFact sliced(unsigned d, int64_t offset, int64_t size) const;

  /// Holds for every tensor for which one of the two holds.
  static BoundFact join(const BoundFact &a, const BoundFact &b);

private:
  std::vector<double>
  foldAlong(unsigned d, double init,
            llvm::function_ref<double(double, int64_t cell)> step) const;
};

/// Intersects the intervals with what the norm bounds say of single elements.
BoundFact withElementBounds(BoundFact fact);

/// Grid sizes that split what either splits, coarse enough for maxCells.
BoundFact::Shape commonGrid(const BoundFact &a, const BoundFact &b);

/// Visits every cell: its number and its index along each dimension.
void forEachCell(
    llvm::ArrayRef<int64_t> grid,
    llvm::function_ref<void(int64_t, llvm::ArrayRef<int64_t>)> visit);
/// The number of the cell of `grid` that holds `index`.
int64_t cellOf(llvm::ArrayRef<int64_t> grid, llvm::ArrayRef<int64_t> index);

/// "rms_norm at model.mlir:31, then rotation at model.mlir:48".
std::string describe(const OriginRef &origin);

} // namespace polyattn::attn

#endif // POLYATTN_ANALYSIS_BOUNDFACT_H
