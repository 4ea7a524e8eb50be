// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Which masks and biases are mask attributes, which are key weights, and which
// stay biases. None may change what a row without any key gives.

#include "AttentionBuilder.h"
#include "Band.h"

#include <cmath>

using namespace mlir;
using namespace polyattn::attn;

static bool holdsOnly(Grid &grid, ArrayRef<double> numbers) {
  for (int64_t i = 0; i < (grid.byRow() ? grid.numRows : 1); ++i)
    if (!llvm::all_of(grid.row(i), [&](double value) {
          return llvm::is_contained(numbers, value);
        }))
      return false;
  return true;
}

/// Masks and biases that the program states for every row and key.
SmallVector<AttentionBuilder::Part> AttentionBuilder::gridParts(size_t set) {
  SmallVector<Part> parts;
  for (auto [k, term] : llvm::enumerate(match.masks))
    if (auto grid = Grid::of(n, term.condition, row, keys[set]))
      if (term.condition->type.isInteger(1) || holdsOnly(*grid, {0, 1}))
        parts.push_back({std::move(grid), term.admits, term.fill, k});
  for (auto [k, term] : llvm::enumerate(match.biases)) {
    if (!term.isPositive())
      continue;
    auto grid = Grid::of(n, term.e, row, keys[set]);
    if (!grid)
      continue;
    double fill = -INFINITY;
    bool isMask = true;
    for (int64_t i = 0; i < (grid->byRow() ? grid->numRows : 1); ++i)
      for (double value : grid->row(i)) {
        bool hides = isNoKey(value * term.number, term.e->type);
        isMask &= hides || value == 0;
        if (hides)
          fill = std::max(fill, fillOf(value));
      }
    if (isMask)
      parts.push_back({std::move(grid), std::nullopt, fill, k});
  }
  return parts;
}

/// Scales of tokens that end where ranges do; null if ranges begin later than
/// at key 0, or there are so many of different sizes that comparisons with all
/// of them would take the place of a bias.
static MaskAttrInterface scalesOf(MLIRContext *context,
                                  ArrayRef<KeyRange<int64_t>> ranges,
                                  int64_t numKeys, Align align) {
  constexpr unsigned mostSizes = 64;
  SmallVector<int64_t> scales;
  int64_t last = 0;
  unsigned sizes = 0;
  auto addUpTo = [&](int64_t end) {
    if (end <= last)
      return;
    sizes += scales.empty() || scales.back() != end - last;
    scales.push_back(end - last);
    last = end;
  };
  for (auto [begin, end] : ranges) {
    if (begin > 0 && begin < end)
      return {};
    addUpTo(end);
  }
  // The last scale has no end.
  addUpTo(numKeys);
  if (scales.empty() || sizes > mostSizes)
    return {};
  return BlockCausalMaskAttr::get(context, scales, align);
}

/// The mask attribute that admits the same keys to every row; null if there is
/// none.
static MaskAttrInterface maskWithRanges(MLIRContext *context,
                                        ArrayRef<KeyRange<int64_t>> ranges,
                                        int64_t numKeys) {
  int64_t n = ranges.size(), m = numKeys;
  SmallVector<MaskAttrInterface> candidates{
      FullMaskAttr::get(context), CausalMaskAttr::get(context, Align::Start),
      CausalMaskAttr::get(context, Align::End)};
  SmallVector<MaskAttrInterface> windows;
  for (Align align : {Align::Start, Align::End}) {
    int64_t left = 0, right = 0, length = 0;
    bool hasLeft = false, hasRight = false;
    for (int64_t i = 0; i < n; ++i) {
      int64_t position = align == Align::Start ? i : i + m - n;
      auto [begin, end] = ranges[i];
      if (begin >= end)
        continue;
      if (begin > 0) {
        hasLeft = true;
        left = position - begin;
      }
      if (end < m) {
        hasRight = true;
        right = end - 1 - position;
      }
      if (end != position + 1)
        length = std::max(length, end);
    }
    if (length > 0)
      candidates.push_back(PrefixMaskAttr::get(context, length, align));
    if (!hasLeft)
      left = std::max(n, m);
    if (!hasRight)
      right = std::max(n, m);
    if (left >= 0 && right >= 0)
      windows.push_back(
          SlidingWindowMaskAttr::get(context, left, right, align));
  }
  llvm::append_range(candidates, windows);
  for (Align align : {Align::Start, Align::End})
    if (MaskAttrInterface scales = scalesOf(context, ranges, m, align))
      candidates.push_back(scales);
  for (MaskAttrInterface candidate : candidates)
    if (llvm::all_of(llvm::enumerate(ranges), [&](const auto &entry) {
          auto range = candidate.getKeyRange(entry.index(), n, m);
          auto wanted = entry.value();
          bool bothEmpty =
              range.begin >= range.end && wanted.begin >= wanted.end;
          return bothEmpty ||
                 (range.begin == wanted.begin && range.end == wanted.end);
        }))
      return candidate;
  return {};
}

MaskAttrInterface AttentionBuilder::maskOf(ArrayRef<Part *> parts,
                                           bool &hasEmptyRow) {
  int64_t numRows = parts.front()->grid->numRows;
  int64_t numKeys = parts.front()->grid->numKeys;
  SmallVector<KeyRange<int64_t>> ranges;
  hasEmptyRow = false;
  std::vector<char> admitted(numKeys);
  for (int64_t i = 0; i < numRows; ++i) {
    std::fill(admitted.begin(), admitted.end(), 1);
    for (Part *part : parts) {
      ArrayRef<double> values = part->grid->row(i);
      for (int64_t j = 0; j < numKeys; ++j) {
        double value = values[values.size() == 1 ? 0 : j];
        bool admits = part->admits ? (value != 0) == *part->admits : value == 0;
        admitted[j] &= admits;
      }
    }
    auto first = llvm::find(admitted, 1);
    auto last = std::find(first, admitted.end(), 0);
    if (std::find(last, admitted.end(), 1) != admitted.end())
      return {};
    int64_t begin = first - admitted.begin(), end = last - admitted.begin();
    hasEmptyRow |= begin == end;
    ranges.push_back({begin, end});
  }
  return maskWithRanges(b.getContext(), ranges, numKeys);
}

/// A row without any key gives what softmax makes of its fill: NaN or 0 for
/// -inf, as the op does, but something else for a finite number. Other masks
/// and biases, if they are not known, may leave such rows.
bool AttentionBuilder::mayReplace(ArrayRef<Part *> parts, bool hasEmptyRow) {
  if (options.assumeRowsAttend || match.guardsFills)
    return true;
  bool isInfinite = llvm::all_of(
      parts, [](const Part *part) { return std::isinf(part->fill); });
  if (isInfinite)
    return true;
  // What hides keys of other sets hides none of these.
  if (match.sets.size() > 1)
    return !hasEmptyRow;
  size_t others = match.masks.size() + match.biases.size() - parts.size();
  return !hasEmptyRow && others == 0;
}

void AttentionBuilder::drop(ArrayRef<Part *> parts) {
  hasDropped = true;
  SmallVector<MaskTerm> masks;
  SmallVector<BiasTerm> biases;
  auto isDropped = [&](bool isMask, size_t index) {
    return llvm::any_of(parts, [&](const Part *part) {
      return part->admits.has_value() == isMask && part->index == index;
    });
  };
  for (auto [k, term] : llvm::enumerate(match.masks))
    if (!isDropped(true, k))
      masks.push_back(term);
  for (auto [k, term] : llvm::enumerate(match.biases))
    if (!isDropped(false, k))
      biases.push_back(term);
  match.masks = masks;
  match.biases = biases;
}

/// Does it not depend on keys of other sets?
bool AttentionBuilder::isOfSet(Expr *e, size_t set) {
  return llvm::none_of(llvm::enumerate(keys), [&](const auto &other) {
    return other.index() != set && dependsOn(e, other.value());
  });
}

/// A condition on keys alone, hidden ones of which have no weight even where
/// they are all there is.
bool AttentionBuilder::isKeyWeight(const MaskTerm &term, size_t set) {
  if (!std::isinf(term.fill) && !match.guardsFills && !options.assumeRowsAttend)
    return false;
  return dependsOn(term.condition, keys[set]) && isOfSet(term.condition, set) &&
         !dependsOn(term.condition, row) &&
         llvm::none_of(groups, [&](const Axis &group) {
           return dependsOn(term.condition, group);
         });
}

/// The mask attribute of a condition on indices, for lengths that are not
/// known; null if there is none.
MaskAttrInterface AttentionBuilder::dynamicMask(const MaskTerm &term,
                                                size_t set) {
  if (row.size() != 1 || keys[set].size() != 1 ||
      !term.condition->type.isInteger(1))
    return {};
  auto band = bandOf(n, term.condition, term.admits, row[0], keys[set][0]);
  MLIRContext *context = b.getContext();
  if (!band || band->most < 0 || band->least > 0)
    return {};
  if (band->least == -Band::infinity)
    return band->most == Band::infinity
               ? MaskAttrInterface(FullMaskAttr::get(context))
           : band->most == 0
               ? MaskAttrInterface(CausalMaskAttr::get(context, Align::Start))
               : MaskAttrInterface();
  if (band->most == Band::infinity)
    return {};
  return SlidingWindowMaskAttr::get(context, -band->least, band->most,
                                    Align::Start);
}

/// With unknown lengths, by formula: the first mask that is one.
void AttentionBuilder::takeDynamicMask(size_t set) {
  for (const MaskTerm &term : match.masks) {
    MaskAttrInterface found = dynamicMask(term, set);
    if (!found)
      continue;
    // Rows past the last key may see nothing through a window.
    bool mayBeEmpty = !isa<CausalMaskAttr, FullMaskAttr>(found);
    Part part{nullptr, term.admits, term.fill, size_t(&term - &match.masks[0])};
    if (!mayReplace(&part, mayBeEmpty))
      continue;
    masks[set] = found;
    drop(&part);
    return;
  }
}

/// All masks together as one attribute, or else one that is an attribute alone.
void AttentionBuilder::takeStaticMask(size_t set) {
  SmallVector<Part> parts = gridParts(set);
  SmallVector<Part *> all;
  for (Part &part : parts)
    all.push_back(&part);
  SmallVector<SmallVector<Part *>> choices;
  if (all.size() > 1)
    choices.push_back(all);
  for (Part *part : all)
    choices.push_back({part});
  for (ArrayRef<Part *> choice : choices) {
    bool hasEmptyRow = false;
    MaskAttrInterface found = maskOf(choice, hasEmptyRow);
    if (!found || !mayReplace(choice, hasEmptyRow))
      continue;
    masks[set] = found;
    drop(choice);
    return;
  }
}
