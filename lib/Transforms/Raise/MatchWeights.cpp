// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// From the output of attention to its scores: the second product, the division
// and exp, in whatever order and however rows without keys are treated.

#include "AttentionMatch.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>

using namespace mlir;
using namespace polyattn::attn;

bool AttentionMatcher::fail(Location loc, const Twine &text) {
  if (!miss)
    miss = {loc, text.str()};
  return false;
}

static bool isSum(const Expr *e) {
  return e->isReduce() && isa<FloatType>(e->type) &&
         e->op->getName().getStringRef() == "arith.addf";
}

/// 1 / of.
bool AttentionMatcher::isReciprocal(Expr *e, Expr *&of) {
  e = n.lookThroughCasts(e);
  if (!e->isApply("arith.divf") || n.number(e->operands[0]) != 1.0)
    return false;
  of = e->operands[1];
  return true;
}

/// The numerator, if this is a quotient whose denominator is then `sum`. No sum
/// of weights is a number that the program states.
Expr *AttentionMatcher::matchLateSum(Expr *e) {
  auto over = [&](Expr *numerator, Expr *denominator) -> Expr * {
    if (n.number(denominator))
      return nullptr;
    sum = denominator;
    return numerator;
  };
  if (e->isApply("arith.divf"))
    return over(e->operands[0], e->operands[1]);
  if (e->isApply("arith.mulf"))
    for (unsigned i : {0, 1})
      if (Expr *denominator; isReciprocal(e->operands[i], denominator))
        return over(e->operands[1 - i], denominator);
  return nullptr;
}

bool AttentionMatcher::match(Expr *output, ArrayRef<Atom> outputAtoms) {
  result.output = output;
  result.outputAtoms.assign(outputAtoms.begin(), outputAtoms.end());
  Expr *e = n.lookThroughCasts(output);
  n.roundedTo.clear();
  if (Expr *numerator = matchLateSum(e)) {
    result.dividesLate = true;
    e = n.lookThroughCasts(numerator);
  }
  return matchSecondProduct(e) && matchGuards();
}

/// The natural logarithm of the base, if this is an exponential.
std::optional<double> AttentionMatcher::exponentOf(Expr *e, Expr *&exponent) {
  if (e->isApply("math.exp") || e->isApply("math.exp2")) {
    exponent = e->operands[0];
    return e->isApply("math.exp") ? 1 : std::log(2.0);
  }
  if (!e->isApply("math.powf"))
    return std::nullopt;
  auto base = n.number(e->operands[0]);
  if (!base || !(*base > 1 && *base <= 10))
    return std::nullopt;
  exponent = e->operands[1];
  return std::log(*base);
}

/// Is there an exp of what has a product of queries and keys in it?
bool AttentionMatcher::looksLikeWeights(Expr *e, unsigned depth) {
  e = n.lookThroughCasts(e);
  if (Expr *exponent; exponentOf(e, exponent))
    return containsScoreProduct(exponent, 12);
  if (!depth)
    return false;
  auto inOperand = [&](unsigned i) {
    return looksLikeWeights(e->operands[i], depth - 1);
  };
  if (e->isApply("arith.divf"))
    return inOperand(0);
  if (e->isApply("arith.mulf"))
    return inOperand(0) || inOperand(1);
  return e->isApply("arith.select") && (inOperand(1) || inOperand(2));
}

/// Weights and values of a product. Of several, values are what differs along
/// dimensions of the output that weights do not have: gates do not.
bool AttentionMatcher::splitWeights(Expr *product) {
  for (unsigned i : {0, 1}) {
    Expr *rest = product->operands[i], *value = product->operands[1 - i];
    if (!looksLikeWeights(rest, 6))
      continue;
    values.push_back(value);
    weights = rest;
    Expr *inner = n.withoutZero(n.lookThroughCasts(rest));
    bool isProduct =
        inner->isApply("arith.mulf") &&
        llvm::any_of(inner->operands, [&](Expr *e) {
          return !looksLikeWeights(e, 6) &&
                 llvm::any_of(result.outputAtoms, [&](Atom atom) {
                   return n.dependsOn(e, atom) &&
                          !n.dependsOn(inner->operands[e == inner->operands[0]],
                                       atom);
                 });
        });
    return !isProduct || splitWeights(inner);
  }
  return false;
}

/// A sum of weights times a value, or of a value times such a sum: in the end
/// one sum over tuples of keys. The division may stand between the sums.
bool AttentionMatcher::collectValues(Expr *e, unsigned depth) {
  if (!isSum(e))
    return false;
  Expr *body = n.withoutZero(n.lookThroughCasts(e->operands[1]));
  if (!body->isApply("arith.mulf"))
    return false;
  size_t before = result.keyAtoms.size();
  llvm::append_range(result.keyAtoms, e->atoms);
  sums.push_back(e);
  someProduct = body;
  if (splitWeights(body))
    return true;
  for (unsigned i : {0, 1}) {
    if (!depth)
      break;
    Expr *inner = n.lookThroughCasts(body->operands[i]);
    Expr *numerator = sum ? nullptr : matchLateSum(inner);
    if (numerator)
      inner = n.lookThroughCasts(numerator);
    if (collectValues(inner, depth - 1)) {
      values.push_back(body->operands[1 - i]);
      result.dividesLate |= numerator != nullptr;
      return true;
    }
    if (numerator)
      sum = nullptr;
  }
  sums.pop_back();
  result.keyAtoms.resize(before);
  return false;
}

bool AttentionMatcher::matchSecondProduct(Expr *e) {
  if (!collectValues(e, 3))
    return false;
  // A product of attention's output with something else is no attention: it
  // sums over columns of values, too.
  if (sums.size() > 1 && keyParts(weights).size() < allKeyParts().size())
    return false;
  result.secondProduct = e->tensor.getDefiningOp();
  for (Expr *sum : sums)
    if (n.number(sum->operands[0]) != 0.0)
      return fail(sum->loc, "the second product is added to something, and "
                            "does not start from 0");
  for (Expr *&value : values)
    while (n.look(value)->isApply("arith.extf"))
      value = n.look(value)->operands[0];
  return matchWeights(weights) && formSets();
}

/// A select that puts 0 in the place of weights: before the division it is a
/// mask, after it only what is done about rows without keys.
bool AttentionMatcher::matchSelectedWeights(Expr *select, Expr *&rest) {
  for (unsigned zero : {1, 2}) {
    if (n.number(select->operands[zero]) != 0.0)
      continue;
    rest = select->operands[3 - zero];
    if (!sum)
      guards.push_back({select->operands[0], zero == 1});
    else
      result.masks.push_back({select->operands[0], zero == 2, -INFINITY});
    return true;
  }
  return fail(select->loc, "weights are chosen between by arith.select, and "
                           "neither of both is 0");
}

/// A factor of 0 or 1 before the sum is a mask. Whether other factors are that
/// is seen when masks are resolved: constants may be.
bool AttentionMatcher::matchWeightFactor(Expr *product, Expr *&rest) {
  for (unsigned i : {0, 1}) {
    if (!looksLikeWeights(product->operands[i], 6))
      continue;
    Expr *factor = n.lookThroughCasts(product->operands[1 - i]);
    rest = product->operands[i];
    MaskTerm mask{factor, true, -INFINITY};
    if (factor->isApply("arith.uitofp"))
      mask.condition = factor->operands[0];
    if (factor->isApply("arith.select") &&
        n.number(factor->operands[1]) == 1.0 &&
        n.number(factor->operands[2]) == 0.0)
      mask.condition = factor->operands[0];
    result.masks.push_back(mask);
    return true;
  }
  return false;
}

bool AttentionMatcher::matchWeights(Expr *e) {
  Expr *unnormalised = sum ? e : nullptr, *scores = nullptr;
  std::optional<double> base;
  for (e = n.lookThroughCasts(e);; e = n.lookThroughCasts(e)) {
    base = exponentOf(e, scores);
    if (base)
      break;
    if (e->isApply("arith.select")) {
      if (!matchSelectedWeights(e, e))
        return false;
      continue;
    }
    bool isQuotient = e->isApply("arith.divf") || e->isApply("arith.mulf");
    Location loc = e->loc;
    bool wasDivided = sum;
    Expr *numerator = isQuotient ? matchLateSum(e) : nullptr;
    if (numerator && wasDivided)
      return fail(loc, "weights are divided by a second sum");
    if (numerator) {
      unnormalised = e = numerator;
      continue;
    }
    if (wasDivided && e->isApply("arith.mulf") && matchWeightFactor(e, e))
      continue;
    if (isQuotient && wasDivided)
      return fail(loc, "weights are multiplied or divided by what is no mask "
                       "before they are summed");
    if (isQuotient)
      return fail(loc,
                  "after the softmax, weights are multiplied or divided by "
                  "something (dropout, a gate, or a mask that should come "
                  "before it)");
    return fail(loc,
                "the weights of the second product are not exp of scores "
                "over a sum: found " +
                    (e->op ? e->op->getName().getStringRef()
                           : StringRef("a value that nothing is known of")));
  }
  if (sum) {
    if (!matchSum(unnormalised))
      return false;
  } else if (*base != 1 || !matchLogSum(scores, scores)) {
    return fail(e->loc, "weights are not divided by their sum over the keys");
  }
  masksWeights = !result.masks.empty();
  Scaled scaled;
  scaled.number = *base;
  // Rather a product with rows of queries, if there are several.
  allowsSingleRow = false;
  allowsSingleRow = !containsScoreProduct(scores, 12);
  return collectScores(scores, scaled) && checkShifts();
}

/// Every key that the second product sums over must be in the sum, once.
bool AttentionMatcher::matchSum(Expr *unnormalised) {
  Expr *e = n.lookThroughCasts(sum);
  if (!isSum(e)) {
    if (e->isApply("arith.addf"))
      return fail(e->loc, "something is added to the sum of weights (an "
                          "attention sink, softmax plus one, or an epsilon)");
    return fail(e->loc, "weights are not divided by a sum of weights");
  }
  if (n.number(e->operands[0]) != 0.0)
    return fail(e->loc, "the sum of weights does not start from 0");
  if (!n.dependsOn(unnormalised, result.keyAtoms))
    return fail(e->loc, "the second product does not sum over the keys");
  // A sum may be spelled as a product with ones.
  Expr *summand = e->operands[1], *product = n.look(summand);
  if (product->isApply("arith.mulf"))
    for (unsigned i : {0, 1})
      if (n.number(product->operands[i]) == 1.0)
        summand = product->operands[1 - i];
  if (!n.equalOver(unnormalised, result.keyAtoms, summand, e->atoms))
    return fail(e->loc,
                "weights are divided by a sum of something else, or over "
                "another dimension than the second product sums over");
  return true;
}

/// exp(x - log(sum of exp(x))), and the same with the row's maximum taken off
/// first and added again.
bool AttentionMatcher::matchLogSum(Expr *exponent, Expr *&scores) {
  Expr *e = n.lookThroughCasts(exponent);
  if (!e->isApply("arith.subf"))
    return false;
  scores = e->operands[0];
  Expr *log = n.lookThroughCasts(e->operands[1]);
  Expr *maximum = nullptr;
  if (log->isApply("arith.addf"))
    for (unsigned i : {0, 1})
      if (Expr *part = n.lookThroughCasts(log->operands[i]);
          part->isApply("math.log")) {
        maximum = log->operands[1 - i];
        log = part;
        break;
      }
  if (!log->isApply("math.log"))
    return false;
  Expr *total = n.lookThroughCasts(log->operands[0]);
  // A sum of exponentials is its own absolute value.
  if (total->isApply("math.absf"))
    total = n.lookThroughCasts(total->operands[0]);
  if (!isSum(total) || n.number(total->operands[0]) != 0.0)
    return false;
  Expr *body = n.lookThroughCasts(total->operands[1]);
  if (!body->isApply("math.exp"))
    return false;
  // A row of lowest numbers has infinite weights without a maximum.
  if (!maximum)
    result.maximum = Maximum::Unclear;
  if (!maximum)
    return n.equalOver(scores, result.keyAtoms, body->operands[0],
                       total->atoms);
  shifts.push_back({maximum, -1, {}});
  Expr *shifted = n.lookThroughCasts(body->operands[0]);
  return shifted->isApply("arith.subf") &&
         n.equalOver(scores, result.keyAtoms, shifted->operands[0],
                     total->atoms) &&
         n.equal(maximum, shifted->operands[1], total->atoms);
}
