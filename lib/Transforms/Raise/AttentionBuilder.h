// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// From attention that has been found to attn.attention, or to
// attn.tensor_attention where it is over tuples of keys.

#ifndef POLYATTN_LIB_TRANSFORMS_RAISE_ATTENTIONBUILDER_H
#define POLYATTN_LIB_TRANSFORMS_RAISE_ATTENTIONBUILDER_H

#include "AttentionMatch.h"
#include "Layout.h"
#include "polyattn/Dialect/Attn/Attn.h"

namespace polyattn::attn {

struct RaiseOptions {
  /// May the division move behind the second product, and a factor of queries
  /// to the scores?
  bool reassociate = true;
  /// Does every row see a key, whatever masks are computed at run time?
  bool assumeRowsAttend = false;
};

class AttentionBuilder {
public:
  AttentionBuilder(Notation &notation, AttentionMatch &match,
                   const RaiseOptions &options, OpBuilder &builder,
                   Operation *root)
      : n(notation), match(match), options(options), b(builder), root(root),
        loc(root->getLoc()), layout(notation, builder, loc) {}

  /// A value to put in the place of the root's result. Null if there is none:
  /// then `miss` says why.
  Value build();

  Operation *op = nullptr;
  std::optional<Miss> miss;

private:
  bool fail(const Twine &text);
  bool failAt(Location loc, const Twine &text);

  // Which axis is what.
  bool classify();
  void chooseViews();
  SmallVector<Expr *> viewsOf(Expr *e);
  bool classifyAxis(const Axis &axis);
  void chooseRow(ArrayRef<Axis> candidates);
  bool dependsOn(Expr *e, ArrayRef<Atom> axis) { return n.dependsOn(e, axis); }
  bool isOfHead(Expr *e);
  SmallVector<Axis> queryAxes(), keyAxes(), biasAxes(), weightAxes(size_t set),
      outputAxes();
  SmallVector<Expr *> operandExprs();

  // Masks and biases (AttentionMasks.cpp).
  void resolveMasks();
  bool splitBiases(ArrayRef<BiasTerm> biases, bool splitsFinite);
  bool splitBias(const BiasTerm &term, bool splitsFinite, unsigned depth);
  void takeStaticMask(size_t set);
  void takeDynamicMask(size_t set);
  bool checkFills();
  bool checkUnderflow();
  struct Part {
    std::unique_ptr<Grid> grid;
    /// Of a condition: the value that admits. Of a bias: none, 0 admits.
    std::optional<bool> admits;
    double fill;
    size_t index;
  };
  double fillOf(double fill) const;
  SmallVector<Part> gridParts(size_t set);
  MaskAttrInterface maskOf(ArrayRef<Part *> parts, bool &hasEmptyRow);
  MaskAttrInterface dynamicMask(const MaskTerm &term, size_t set);
  bool mayReplace(ArrayRef<Part *> parts, bool hasEmptyRow);
  void drop(ArrayRef<Part *> parts);
  bool isKeyWeight(const MaskTerm &term, size_t set);
  bool isOfSet(Expr *e, size_t set);

  // Of several sets (AttentionSets.cpp).
  bool resolveSetMasks();
  void splitConditions();
  bool checkSetMask(const MaskTerm &term);
  bool buildTensor(Value query, ArrayRef<Value> keys, ArrayRef<Value> values);

  // Operands.
  bool checkTypes();
  bool checkRounding();
  bool checkUsers();
  Value operand(Expr *e, ArrayRef<Axis> axes);
  Value queryOperand();
  Value biasOperand();
  Value weightsOperand(size_t set);
  UnitAttr nanRows();
  bool buildSingle(Value query, Value key, Value value);
  Value inRootShape(Value output);

  Notation &n;
  AttentionMatch &match;
  const RaiseOptions &options;
  OpBuilder &b;
  Operation *root;
  Location loc;
  Layout layout;

  /// Batch dimensions that queries, keys and values share; query heads that
  /// share keys; rows of queries; keys of each set; head and value dimensions.
  SmallVector<Axis> shared, groups;
  SmallVector<Axis, 2> keys;
  Axis row, dims, columns;
  FloatType type;
  /// Of each set.
  SmallVector<MaskAttrInterface, 2> masks;
  /// Has some mask or bias become an attribute?
  bool hasDropped = false;
  /// Do several finite numbers that hide keys add up?
  bool addsFills = false;
};

} // namespace polyattn::attn

#endif // POLYATTN_LIB_TRANSFORMS_RAISE_ATTENTIONBUILDER_H
