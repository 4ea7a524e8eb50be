// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Masks in biases, and what rows give that finite numbers hide wholly.

#include "AttentionBuilder.h"

#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace mlir;
using namespace polyattn::attn;

/// Without a maximum taken off, what hides every key of a row makes 0 over 0,
/// whatever number it is: as -inf does, unless a guard tells them apart.
double AttentionBuilder::fillOf(double fill) const {
  bool isGuardedIfInfinite = match.isGuarded && !match.guardsFills;
  return match.maximum == Maximum::None && !isGuardedIfInfinite ? -INFINITY
                                                                : fill;
}

/// A bias that is 0 or hides keys by a select is a mask; sums are taken apart.
/// What is left of the bias stays one. A fill must be so large that adding it
/// is the same as putting it in the place of the score. Finite ones are masks
/// if `splitsFinite` says so; true if there are any.
bool AttentionBuilder::splitBias(const BiasTerm &term, bool splitsFinite,
                                 unsigned depth) {
  Expr *e = n.lookThroughCasts(term.e);
  bool canSplit = depth && term.isPositive();
  if (term.isPlain() && n.number(e) == 0.0)
    return false;
  auto splitOperand = [&](unsigned i) {
    return splitBias({e->operands[i], term.number, {}}, splitsFinite,
                     depth - 1);
  };
  if (canSplit && e->isApply("arith.addf")) {
    bool first = splitOperand(0), second = splitOperand(1);
    addsFills |= first && second;
    return first || second;
  }
  if (canSplit && e->isApply("arith.select"))
    for (unsigned filled : {1, 2}) {
      auto fill = n.number(e->operands[filled]);
      // NaN hides nothing.
      if (!fill || !(*fill * term.number <= -1e30))
        continue;
      bool isFinite = std::isfinite(*fill * term.number);
      if (isFinite && !splitsFinite)
        break;
      match.masks.push_back(
          {e->operands[0], filled == 2, fillOf(*fill * term.number)});
      bool isRestFinite = splitOperand(3 - filled);
      return isFinite || isRestFinite;
    }
  match.biases.push_back(term);
  return false;
}

/// Masks of all biases, on top of those there are. True if some of them fill
/// with finite numbers.
bool AttentionBuilder::splitBiases(ArrayRef<BiasTerm> biases,
                                   bool splitsFinite) {
  bool fills = false;
  for (const BiasTerm &term : biases) {
    bool fillsHere = splitBias(term, splitsFinite, 8);
    addsFills |= fills && fillsHere;
    fills |= fillsHere;
  }
  return fills;
}

void AttentionBuilder::resolveMasks() {
  for (MaskTerm &term : match.masks)
    term.fill = fillOf(term.fill);
  SmallVector<MaskTerm> terms = match.masks;
  SmallVector<BiasTerm> biases = std::exchange(match.biases, {});
  bool fills = splitBiases(biases, /*splitsFinite=*/true);
  bool mayBeEmpty = !options.assumeRowsAttend && !match.guardsFills;
  // What the op itself makes of a row of such numbers is right only beside the
  // maximum that the op takes off.
  bool mustSplit = fills && mayBeEmpty && match.maximum != Maximum::Whole;
  // Two of them in one place are -inf, and one is not.
  addsFills |= fills && llvm::any_of(terms, [](const MaskTerm &term) {
                 return std::isfinite(term.fill);
               });
  if (addsFills && mayBeEmpty && !mustSplit) {
    match.masks = terms;
    match.biases.clear();
    splitBiases(biases, /*splitsFinite=*/false);
  }
  takeStaticMask(0);
  if (masks[0].admitsAll())
    takeDynamicMask(0);
  bool isBetter =
      hasDropped || llvm::any_of(match.masks, [&](const MaskTerm &term) {
        return isKeyWeight(term, 0);
      });
  if (isBetter || mustSplit)
    return;
  match.masks = terms;
  match.biases = biases;
}

bool AttentionBuilder::checkFills() {
  for (const MaskTerm &term : match.masks)
    if (!term.condition->type.isInteger(1))
      return failAt(term.condition->loc,
                    "weights are multiplied by what is no mask before they are "
                    "summed");
  if (options.assumeRowsAttend || match.guardsFills)
    return true;
  for (const MaskTerm &term : match.masks) {
    if (std::isinf(term.fill))
      continue;
    if (addsFills)
      return failAt(term.condition->loc,
                    "rows without any key would change: scores are masked by a "
                    "finite number, and another is added (see "
                    "assume-rows-attend)");
    if (match.maximum != Maximum::Whole)
      return failAt(term.condition->loc,
                    "rows without any key would change: the maximum is not of "
                    "all masks and biases (see assume-rows-attend)");
    if (type.isF16())
      return failAt(term.condition->loc,
                    "rows without any key would change: scores are f16 and "
                    "masked by a finite number (see assume-rows-attend)");
  }
  return true;
}

/// Beside a maximum of other scores than exp is taken of, or none, a row whose
/// numbers are all far below it is 0 over 0 in the program. Ordinary scores are
/// not; a bias may be anything.
bool AttentionBuilder::checkUnderflow() {
  if (match.takesOffAll || options.assumeRowsAttend)
    return true;
  if (!match.biases.empty())
    return failAt(match.biases.front().e->loc,
                  "rows whose bias is low throughout would change: the maximum "
                  "is not of all masks and biases (see assume-rows-attend)");
  if (std::fabs(match.scale) > 1e3)
    return failAt(match.firstProduct->getLoc(),
                  "rows that underflow would change: the maximum is not of all "
                  "masks and biases, and the scale is " +
                      Twine(llvm::formatv("{0:g}", match.scale)) +
                      " (see assume-rows-attend)");
  return true;
}
