// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Attention over tuples of keys: masks of each set, and the op. What hides
// tuples must hide keys of one set.

#include "AttentionBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>

using namespace mlir;
using namespace polyattn::attn;

/// A tuple is admitted if all of several conditions admit it: each is a mask of
/// its own.
void AttentionBuilder::splitConditions() {
  SmallVector<MaskTerm> terms;
  SmallVector<MaskTerm> work(llvm::reverse(match.masks));
  while (!work.empty()) {
    MaskTerm term = work.pop_back_val();
    Expr *e = n.look(term.condition);
    if (e->isApply("arith.xori") && n.number(e->operands[1]) == 1.0) {
      work.push_back({e->operands[0], !term.admits, term.fill});
      continue;
    }
    if (!e->isApply(term.admits ? "arith.andi" : "arith.ori") ||
        !term.condition->type.isInteger(1)) {
      terms.push_back(term);
      continue;
    }
    for (Expr *operand : llvm::reverse(e->operands))
      work.push_back({operand, term.admits, term.fill});
  }
  match.masks = terms;
}

/// What is no mask attribute must be weights of keys.
bool AttentionBuilder::checkSetMask(const MaskTerm &term) {
  SmallVector<size_t> sets;
  for (size_t t = 0; t < keys.size(); ++t)
    if (dependsOn(term.condition, keys[t]))
      sets.push_back(t);
  if (sets.size() > 1)
    return failAt(term.condition->loc,
                  "a mask is a condition on keys of several sets together, "
                  "which attn.tensor_attention has no mask for");
  if (!std::isinf(term.fill) && !match.guardsFills && !options.assumeRowsAttend)
    return failAt(term.condition->loc,
                  "a mask is a finite number, which may leave rows to the mean "
                  "of all values, and attn.tensor_attention makes NaN of them "
                  "(see assume-rows-attend)");
  if (sets.empty() || !term.condition->type.isInteger(1) ||
      !isKeyWeight(term, sets[0]))
    return failAt(term.condition->loc,
                  "a mask that differs from row to row and is no causal mask, "
                  "window or prefix is a bias, which attn.tensor_attention "
                  "does not have");
  return true;
}

bool AttentionBuilder::resolveSetMasks() {
  for (MaskTerm &term : match.masks)
    term.fill = fillOf(term.fill);
  SmallVector<BiasTerm> biases = std::exchange(match.biases, {});
  splitBiases(biases, /*splitsFinite=*/true);
  addsFills = false;
  splitConditions();
  for (size_t t = 0; t < keys.size(); ++t) {
    takeStaticMask(t);
    if (masks[t].admitsAll())
      takeDynamicMask(t);
  }
  if (!match.biases.empty())
    return failAt(match.biases[0].e->loc,
                  "something is added to scores, and attn.tensor_attention has "
                  "no bias");
  return llvm::all_of(match.masks,
                      [&](const MaskTerm &term) { return checkSetMask(term); });
}

bool AttentionBuilder::buildTensor(Value query, ArrayRef<Value> keyOperands,
                                   ArrayRef<Value> valueOperands) {
  SmallVector<Value> weights;
  for (size_t t = 0; t < keys.size(); ++t)
    weights.push_back(weightsOperand(t));
  if (!match.masks.empty())
    return fail("the layout of a mask is no reshape and transpose of a tensor");
  bool hasWeights = llvm::any_of(weights, [](Value w) { return bool(w); });
  for (size_t t = 0; hasWeights && t < keys.size(); ++t)
    if (!weights[t])
      weights[t] = layout.compute(
          {}, weightAxes(t), type,
          [&](OpBuilder &b, ValueRange) -> Value {
            return arith::ConstantOp::create(b, loc, b.getFloatAttr(type, 1));
          },
          /*repeatAll=*/true);
  if (!hasWeights)
    weights.clear();
  SmallVector<Attribute> maskAttrs(masks.begin(), masks.end());
  bool hasMask = !llvm::all_of(
      masks, [](MaskAttrInterface mask) { return mask.admitsAll(); });
  op = TensorAttentionOp::create(
      b, loc, query, keyOperands, valueOperands, weights,
      b.getF64FloatAttr(match.scale), ExpKernelAttr::get(b.getContext()),
      hasMask ? b.getArrayAttr(maskAttrs) : ArrayAttr(), BoundAttr(),
      ArrayAttr(), CertificateAttr(), EvaluationAttr(), nanRows());
  return true;
}
