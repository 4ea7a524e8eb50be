// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// What one element of a tensor is, as an expression of other tensors' elements:
// a program in linalg, tensor, arith and math read element by element. Views
// (reshapes, transposes, slices, broadcasts) become indices and so disappear;
// pointwise ops become scalar arithmetic, and reductions sums with variables of
// their own, whatever ops the program is spelled in.
//
// Expressions are opened one step at a time, on demand, so that looking at one
// attention never walks through the whole model.

#ifndef POLYATTN_LIB_TRANSFORMS_RAISE_EXPR_H
#define POLYATTN_LIB_TRANSFORMS_RAISE_EXPR_H

#include "Index.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SetVector.h"

#include <deque>

namespace polyattn::attn {

struct Expr {
  enum class Kind {
    /// An element of `tensor` at `indices`, or a scalar without indices.
    Access,
    /// The number `constant`.
    Constant,
    /// An index, as linalg.index gives it.
    Position,
    /// The scalar operation `op` on `operands`.
    Apply,
    /// `operands[1]` over all values of `atoms`, put together by `op` and
    /// started from `operands[0]`.
    Reduce
  };
  Kind kind;
  Type type;
  Value tensor;
  Indices indices;
  Attribute constant;
  Operation *op = nullptr;
  SmallVector<Expr *, 2> operands;
  SmallVector<Atom, 2> atoms;
  /// Where it comes from, for messages.
  Location loc;

  bool isApply(StringRef name) const {
    return kind == Kind::Apply && op->getName().getStringRef() == name;
  }
  bool isReduce() const { return kind == Kind::Reduce; }
};

/// Makes and takes apart expressions.
class Notation {
public:
  Atoms atoms;
  /// Types narrower than what came in that lookThroughCasts went through.
  llvm::SmallSetVector<Type, 4> roundedTo;
  /// The ops that have been looked into.
  llvm::SmallSetVector<Operation *, 32> opened;

  Expr *access(Value tensor, Indices indices, Location loc);

  /// One step further: through a view, or to what computes an access. Null if
  /// the tensor is an argument or of an op that is not understood.
  Expr *open(Expr *access);
  /// Through views only.
  Expr *throughViews(Expr *e);
  /// Through views, to what computes the element if that is known.
  Expr *look(Expr *e);
  /// The same through conversions between float types too.
  Expr *lookThroughCasts(Expr *e);

  /// x, if this is x + 0, as products without a sum may be spelled.
  Expr *withoutZero(Expr *e);
  /// left * right, in the way of another product.
  Expr *product(const Expr &like, Expr *left, Expr *right);

  /// Conservative: false only if the value is the same for all values of the
  /// atoms.
  bool dependsOn(Expr *e, ArrayRef<Atom> which);

  /// Are both the same if `free` atoms of `right` stand for atoms of `left`?
  bool equal(Expr *left, Expr *right, ArrayRef<Atom> free = {});
  /// Are both the same if `over` in `right` stands for exactly `keys` in
  /// `left`?
  bool equalOver(Expr *left, ArrayRef<Atom> keys, Expr *right,
                 ArrayRef<Atom> over);

  /// The number that the expression is everywhere.
  std::optional<double> number(Expr *e);

  /// All indices by which the expression reads tensors.
  void collectUses(Expr *e, SmallVectorImpl<Index> &uses);

private:
  Expr *make(Expr e) { return &arena.emplace_back(std::move(e)); }
  Expr *openDefinition(Expr *access);
  Expr *openView(Expr *access, Value source, std::optional<Indices> indices);
  Expr *openLinalg(Expr *access, linalg::LinalgOp op);
  Expr *openScalar(Expr *access, Operation *op);
  void mergeInner(Expr &reduce);
  Expr *openBody(Value value, linalg::LinalgOp op, ArrayRef<Index> loops);
  Expr *openExtract(tensor::ExtractOp extract, linalg::LinalgOp op,
                    ArrayRef<Index> loops);
  std::optional<SmallVector<Index>> loopIndices(Expr *access,
                                                linalg::LinalgOp op,
                                                SmallVectorImpl<Atom> &reduced);
  bool dependsOn(Expr *e, ArrayRef<Atom> which, unsigned depth);
  bool equal(Expr *left, Expr *right, ArrayRef<Atom> free, Binding &binding,
             bool &cut, unsigned depth);
  std::optional<Binding> unify(Expr *left, Expr *right, ArrayRef<Atom> free);
  bool equalAccess(Expr *left, Expr *right, ArrayRef<Atom> free,
                   Binding &binding, bool &cut);

  std::deque<Expr> arena;
  llvm::DenseMap<Expr *, Expr *> known;
};

inline bool isFloatCast(const Expr *e) {
  return e->isApply("arith.extf") || e->isApply("arith.truncf");
}

} // namespace polyattn::attn

#endif // POLYATTN_LIB_TRANSFORMS_RAISE_EXPR_H
