// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// What is taken off all scores of a row before exp: nothing, the maximum of all
// scores or of some, or what no softmax takes off.

#include "AttentionMatch.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>

using namespace mlir;
using namespace polyattn::attn;

/// Softmax does not change by what is taken off all scores of a row, unless
/// that is infinite, or so large that nothing is left of the scores: a maximum
/// of the scores, whatever of them it is taken over, and ordinary numbers are
/// neither.
bool AttentionMatcher::isHarmlessShift(Expr *e) {
  if (auto number = n.number(e))
    return std::fabs(*number) <= 1e3;
  e = n.lookThroughCasts(e);
  auto isLeast = [&](Expr *e) {
    auto number = n.number(e);
    return number && (*number <= -1e30 || std::fabs(*number) <= 1e3);
  };
  StringRef name = e->op ? e->op->getName().getStringRef() : "";
  bool isMaximum = name == "arith.maximumf" || name == "arith.maxnumf";
  if (e->isReduce())
    return isMaximum && isLeast(e->operands[0]) &&
           llvm::any_of(steps, [&](const Score &score) {
             return n.equalOver(score.e, result.keyAtoms, e->operands[1],
                                e->atoms);
           });
  if (e->kind != Expr::Kind::Apply)
    return false;
  auto harmless = [&](unsigned i) { return isHarmlessShift(e->operands[i]); };
  if (isMaximum) // Of two, the lowest numbers stay what they are.
    return (harmless(0) && (isLeast(e->operands[1]) || harmless(1))) ||
           (harmless(1) && isLeast(e->operands[0]));
  if (name == "arith.select")
    return harmless(1) && harmless(2);
  if (name == "arith.negf")
    return harmless(0);
  if (name == "arith.mulf" || name == "arith.divf") {
    auto number = n.number(e->operands[1]);
    return number && std::isfinite(*number) && harmless(0);
  }
  return (name == "arith.addf" || name == "arith.subf") && harmless(0) &&
         harmless(1);
}

/// Is this condition true, or false, wherever `e` is finite? Nothing if it is
/// about something else.
std::optional<bool> AttentionMatcher::whereFinite(Expr *condition, Expr *e) {
  condition = n.look(condition);
  auto isOf = [&](Expr *operand) {
    operand = n.lookThroughCasts(operand);
    if (operand->isApply("math.absf"))
      operand = operand->operands[0];
    return n.equal(n.lookThroughCasts(operand), n.lookThroughCasts(e));
  };
  if (condition->isApply("arith.xori") &&
      n.number(condition->operands[1]) == 1.0) {
    auto inner = whereFinite(condition->operands[0], e);
    return inner ? std::optional(!*inner) : std::nullopt;
  }
  if (condition->isApply("math.isfinite") && isOf(condition->operands[0]))
    return true;
  if (!condition->isApply("arith.cmpf") || !isOf(condition->operands[0]))
    return std::nullopt;
  auto limit = n.number(condition->operands[1]);
  if (!limit || !std::isinf(*limit))
    return std::nullopt;
  using P = arith::CmpFPredicate;
  switch (cast<arith::CmpFOp>(condition->op).getPredicate()) {
  case P::OEQ:
  case P::UEQ:
    return false;
  case P::ONE:
  case P::UNE:
    return true;
  default:
    return std::nullopt;
  }
}

/// A maximum hides nothing that the scores do not hide if it starts from the
/// lowest number of its type.
static bool isLowest(std::optional<double> number, Type type) {
  auto real = dyn_cast<FloatType>(type);
  return number && real &&
         *number <= APFloat::getLargest(real.getFloatSemantics(), true)
                        .convertToDouble();
}

Maximum AttentionMatcher::maximumOver(Expr *reduce, double number) {
  if (!isLowest(n.number(reduce->operands[0]), reduce->type))
    return Maximum::Unclear;
  for (const Score &score : steps) {
    if (!n.equalOver(score.e, result.keyAtoms, reduce->operands[1],
                     reduce->atoms))
      continue;
    // Taken off once, and neither twice nor in part.
    bool isWhole = score.isWhole && std::fabs(score.number + number) <=
                                        1e-12 * std::fabs(number);
    result.takesOffAll |= isWhole;
    if (score.isBare)
      return Maximum::Bare;
    return isWhole ? Maximum::Whole : Maximum::Unclear;
  }
  return Maximum::Unclear;
}

/// Which maximum of scores number * e is, or contains.
Maximum AttentionMatcher::maximumIn(Expr *e, double number, unsigned depth) {
  e = n.lookThroughCasts(e);
  if (e->isReduce())
    return maximumOver(e, number);
  if (e->kind != Expr::Kind::Apply || n.number(e))
    return Maximum::None;
  if (!depth)
    return Maximum::Unclear;
  auto in = [&](unsigned i, double by) {
    return maximumIn(e->operands[i], number * by, depth - 1);
  };
  auto numberOf = [&](unsigned i) { return n.number(e->operands[i]); };
  if (e->isApply("arith.negf"))
    return in(0, -1);
  if (auto by = e->operands.size() == 2 ? numberOf(1) : std::nullopt) {
    if (e->isApply("arith.mulf"))
      return in(0, *by);
    if (e->isApply("arith.divf"))
      return in(0, 1 / *by);
  }
  bool isMaximum = e->isApply("arith.maximumf") || e->isApply("arith.maxnumf");
  bool isSum = e->isApply("arith.addf") || e->isApply("arith.subf");
  if (isMaximum || isSum)
    for (unsigned i : {0, 1})
      if (auto other = numberOf(1 - i))
        if (isSum ? std::fabs(*other) <= 1e3 : isLowest(other, e->type))
          return in(i, i && e->isApply("arith.subf") ? -1 : 1);
  if (e->isApply("arith.select"))
    for (unsigned i : {1, 2})
      if (numberOf(3 - i) &&
          whereFinite(e->operands[0], e->operands[i]) == (i == 1))
        return in(i, 1);
  for (Expr *operand : e->operands)
    if (maximumIn(operand, number, depth - 1) != Maximum::None)
      return Maximum::Unclear;
  return Maximum::None;
}

/// Is it computed from the result of an op? Asked a few steps up.
bool AttentionMatcher::comesFrom(Operation *op, Expr *e, unsigned depth) {
  e = n.lookThroughCasts(e);
  if (e->tensor && e->tensor.getDefiningOp() == op)
    return true;
  return depth && e->kind != Expr::Kind::Access &&
         llvm::any_of(e->operands, [&](Expr *operand) {
           return comesFrom(op, operand, depth - 1);
         });
}

/// What is not harmless may still be a bias, one number for each row.
bool AttentionMatcher::checkShifts() {
  for (const BiasTerm &shift : shifts) {
    if (isHarmlessShift(shift.e)) {
      result.maximum =
          std::max(result.maximum, maximumIn(shift.e, shift.number, 6));
      continue;
    }
    if (n.number(shift.e) || comesFrom(result.firstProduct, shift.e, 12))
      return fail(shift.e->loc,
                  "what is added to all scores of a row is neither "
                  "their maximum nor an ordinary number");
    result.biases.push_back(shift);
  }
  // It leaves the one mask out that there is; of several, who knows.
  if (result.maximum == Maximum::Bare &&
      result.masks.size() + result.biases.size() <= 1)
    result.maximum = Maximum::None;
  return true;
}
