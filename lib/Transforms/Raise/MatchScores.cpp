// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// What scores are made of: one product of queries and keys, factors, biases and
// masks. Whatever is the same for all keys of a row cancels in the softmax.

#include "AttentionMatch.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>

using namespace mlir;
using namespace polyattn::attn;

bool polyattn::attn::isNoKey(double fill, Type type) {
  return type.isF16() ? fill <= -3e4 : fill <= -9.9e8;
}

bool AttentionMatcher::containsScoreProduct(Expr *e, unsigned depth) {
  e = n.lookThroughCasts(e);
  if (isScoreProduct(e))
    return true;
  if (!depth || e->kind == Expr::Kind::Access)
    return false;
  return llvm::any_of(e->operands, [&](Expr *operand) {
    return containsScoreProduct(operand, depth - 1);
  });
}

bool AttentionMatcher::collectScores(Expr *e, Scaled scaled) {
  Expr *seen = e;
  e = n.lookThroughCasts(e);
  // The same for all keys, such as the row's maximum: no softmax changes by it.
  if (!dependsOnKey(seen)) {
    shifts.push_back({seen, scaled.number, scaled.factors});
    return true;
  }
  size_t at = steps.size();
  steps.push_back({seen, scaled.number, scaled.isWhole, scaled.isWhole});
  auto count = [&]() { return result.masks.size() + result.biases.size(); };
  size_t before = count();
  if (!collectTerm(seen, e, scaled))
    return false;
  steps[at].isBare = count() == before;
  return true;
}

/// Scores that differ from key to key: `e`, behind views and casts of `seen`.
bool AttentionMatcher::collectTerm(Expr *seen, Expr *e, Scaled scaled) {
  if (isScoreProduct(e) && !result.query)
    return matchFirstProduct(e, scaled);
  if (!containsScoreProduct(e, 12)) {
    result.biases.push_back({seen, scaled.number, scaled.factors});
    return true;
  }
  if (e->isApply("arith.negf")) {
    scaled.number = -scaled.number;
    scaled.isWhole = false;
    return collectScores(e->operands[0], scaled);
  }
  if (e->isApply("arith.addf") || e->isApply("arith.subf"))
    return collectSum(e, scaled);
  bool taken = false;
  if (!collectProduct(e, scaled, taken))
    return false;
  if (taken)
    return true;
  if (e->isApply("arith.select"))
    return collectSelect(e, scaled);
  if (isScoreProduct(e)) {
    result.biases.push_back({seen, scaled.number, scaled.factors});
    return true;
  }
  StringRef name = e->op ? e->op->getName().getStringRef() : "a value";
  if (name == "math.tanh")
    return fail(e->loc, "scores go through tanh (soft cap): that is no softmax "
                        "of products");
  return fail(e->loc, "scores go through " + name +
                          ", which is no scaling, bias or mask");
}

/// Scores less their maximum are NaN where all are -inf: only what stands
/// before that tells rows without keys. Neither does one of two parts.
/// Ordinary numbers change nothing about that.
bool AttentionMatcher::collectSum(Expr *e, const Scaled &scaled) {
  Scaled first = scaled, second = scaled;
  if (e->isApply("arith.subf"))
    second.number = -second.number;
  first.isWhole &= !dependsOnKey(e->operands[1]);
  second.isWhole &= !dependsOnKey(e->operands[0]) && !e->isApply("arith.subf");
  auto isOrdinary = [&](unsigned i) {
    auto number = n.number(e->operands[i]);
    return number && std::isfinite(*number);
  };
  if ((first.isWhole || second.isWhole) && !isOrdinary(0) && !isOrdinary(1))
    for (Score &score : steps)
      score.tellsRows = false;
  return collectScores(e->operands[0], first) &&
         collectScores(e->operands[1], second);
}

/// A factor in front of scores must be the same for all keys, or become part of
/// the keys: then it must not differ from query to query.
bool AttentionMatcher::collectProduct(Expr *e, Scaled scaled, bool &taken) {
  bool divides = e->isApply("arith.divf");
  if (!divides && !e->isApply("arith.mulf"))
    return true;
  for (unsigned i : {0, 1}) {
    if (divides && i)
      break;
    if (!containsScoreProduct(e->operands[i], 12))
      continue;
    Expr *factor = e->operands[1 - i];
    if (auto number = n.number(factor))
      scaled.number =
          divides ? scaled.number / *number : scaled.number * *number;
    else if (!dependsOnKey(factor))
      scaled.factors.push_back({factor, divides});
    else
      return fail(e->loc,
                  "scores are multiplied by something that differs from "
                  "key to key");
    scaled.isWhole &= scaled.factors.empty() && scaled.number > 0 &&
                      std::isfinite(scaled.number);
    taken = true;
    return collectScores(e->operands[i], scaled);
  }
  return true;
}

bool AttentionMatcher::collectSelect(Expr *e, const Scaled &scaled) {
  for (unsigned filled : {1, 2}) {
    auto fill = n.number(e->operands[filled]);
    if (!fill || !isNoKey(*fill * scaled.number, e->type))
      continue;
    if (!scaled.factors.empty())
      return fail(e->loc,
                  "masked scores are multiplied by something that is no "
                  "constant");
    result.masks.push_back(
        {e->operands[0], filled == 2, *fill * scaled.number});
    Scaled rest = scaled;
    rest.isWhole = false;
    return collectScores(e->operands[3 - filled], rest);
  }
  return fail(e->loc,
              "scores are replaced by something that is neither -inf nor "
              "a large negative number");
}

//===----------------------------------------------------------------------===//
// The first product
//===----------------------------------------------------------------------===//

void AttentionMatcher::collectFactors(Expr *e, bool inverse,
                                      SmallVectorImpl<Factor> &factors) {
  while (isFloatCast(e))
    e = e->operands[0];
  e = n.withoutZero(e);
  if (e->isApply("arith.mulf") || e->isApply("arith.divf")) {
    collectFactors(e->operands[0], inverse, factors);
    collectFactors(e->operands[1], inverse != e->isApply("arith.divf"),
                   factors);
    return;
  }
  factors.push_back({e, inverse});
}

/// Takes constant factors off queries or keys.
Expr *AttentionMatcher::withoutScale(Expr *e) {
  while (true) {
    Expr *product = n.look(e);
    if (product->isApply("arith.extf")) {
      e = product->operands[0];
      continue;
    }
    bool divides = product->isApply("arith.divf");
    if (!divides && !product->isApply("arith.mulf"))
      return e;
    bool found = false;
    for (unsigned i : {1, 0}) {
      auto number = n.number(product->operands[i]);
      if (!number || (divides && !i))
        continue;
      result.scale = divides ? result.scale / *number : result.scale * *number;
      result.scalesScores = false;
      e = product->operands[1 - i];
      found = true;
      break;
    }
    if (!found)
      return e;
  }
}

bool AttentionMatcher::matchFirstProduct(Expr *reduce, const Scaled &scaled) {
  result.scale = scaled.number;
  result.factors = scaled.factors;
  result.dimAtoms.assign(reduce->atoms.begin(), reduce->atoms.end());
  ScoreOperands operands = *scoreOperands(reduce);
  for (const Factor &factor : operands.others) {
    if (auto number = n.number(factor.e))
      result.scale =
          factor.isInverse ? result.scale / *number : result.scale * *number;
    else if (!dependsOnKey(factor.e))
      result.factors.push_back(factor);
    else
      return fail(reduce->loc, "a factor in the product of queries and keys "
                               "differs from key to key");
  }
  result.firstProduct = reduce->tensor.getDefiningOp();
  for (const Factor &key : operands.keys) {
    if (key.isInverse || operands.queries[0].isInverse)
      return fail(reduce->loc, "queries or keys are divided by in the product");
    keys.push_back(withoutScale(key.e));
  }
  result.query = withoutScale(operands.queries[0].e);
  // Started from something: that is a bias.
  Expr *init = reduce->operands[0];
  Scaled bias = scaled;
  bias.isWhole = false;
  return n.number(init) == 0.0 || collectScores(init, bias);
}
