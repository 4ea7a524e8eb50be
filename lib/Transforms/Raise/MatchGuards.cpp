// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// What sets weights to 0 after the softmax where a row has no key.

#include "AttentionMatch.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>

using namespace mlir;
using namespace polyattn::attn;

static bool isBooleanReduce(const Expr *e, StringRef op) {
  return e->isReduce() && e->op->getName().getStringRef() == op;
}

/// Is the condition `zeroIf` where the one mask admits no key? Per element, or
/// for rows. A bias could hide keys, too.
bool AttentionMatcher::isMaskGuard(Expr *e, bool zeroIf) {
  if (result.masks.size() != 1 || !result.biases.empty())
    return false;
  const MaskTerm &mask = result.masks.front();
  if (mask.admits == zeroIf)
    return false;
  if (n.equal(mask.condition, e))
    return true;
  return isBooleanReduce(e, mask.admits ? "arith.ori" : "arith.andi") &&
         n.number(e->operands[0]) == (mask.admits ? 0.0 : 1.0) &&
         n.equalOver(mask.condition, result.keyAtoms, e->operands[1], e->atoms);
}

/// Is the condition `zeroIf` for rows all of whose scores are -inf? Those do
/// not tell which keys a mask of weights hides.
bool AttentionMatcher::isInfinityGuard(Expr *e, bool zeroIf) {
  if (!zeroIf || masksWeights || !isBooleanReduce(e, "arith.andi") ||
      n.number(e->operands[0]) != 1.0)
    return false;
  Expr *test = n.look(e->operands[1]);
  auto compare = test->op ? dyn_cast<arith::CmpFOp>(test->op) : nullptr;
  if (test->kind != Expr::Kind::Apply || !compare ||
      compare.getPredicate() != arith::CmpFPredicate::OEQ ||
      n.number(test->operands[1]) != -INFINITY)
    return false;
  return llvm::any_of(steps, [&](const Score &score) {
    return score.tellsRows &&
           n.equalOver(score.e, result.keyAtoms, test->operands[0], e->atoms);
  });
}

bool AttentionMatcher::matchGuards() {
  auto isNot = [&](Expr *e) {
    return e->isApply("arith.xori") && n.number(e->operands[1]) == 1.0;
  };
  for (Guard guard : guards) {
    Expr *e = n.look(guard.condition);
    bool zeroIf = guard.zeroIf;
    for (; isNot(e); e = n.look(e->operands[0]))
      zeroIf = !zeroIf;
    if (isMaskGuard(e, zeroIf))
      result.guardsFills = true;
    else if (!isInfinityGuard(e, zeroIf))
      return fail(guard.condition->loc,
                  "weights are set to 0 after the softmax by a condition other "
                  "than that masks and biases leave no key to the row");
    result.isGuarded = true;
  }
  return true;
}
