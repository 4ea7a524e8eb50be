// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Which variable is a batch dimension, a head, a row, a key or a column, and
// from which tensors operands are best made.

#include "AttentionBuilder.h"

using namespace mlir;
using namespace polyattn::attn;

/// An access and the views that it goes through, from where nothing is repeated
/// any more.
SmallVector<Expr *> AttentionBuilder::viewsOf(Expr *e) {
  SmallVector<Expr *> views{e};
  if (e->kind != Expr::Kind::Access)
    return views;
  auto atomsRead = [&](Expr *e) {
    llvm::SmallDenseSet<Atom> atoms;
    for (const Index &index : e->indices)
      for (const Digit &digit : n.atoms.resolve(index).digits)
        atoms.insert(digit.atom);
    return atoms.size();
  };
  // Looking ahead first: it cuts atoms, and counts shall be comparable.
  Expr *base = n.throughViews(e);
  size_t fewest = atomsRead(base);
  SmallVector<Expr *> result;
  for (Expr *view = e;; view = n.open(view)) {
    if (atomsRead(view) == fewest)
      result.push_back(view);
    if (view == base)
      return result;
  }
}

/// Of the views, the one that takes the fewest copies, and is nearest.
void AttentionBuilder::chooseViews() {
  auto choose = [&](Expr *&e, ArrayRef<Axis> axes) {
    std::optional<int> fewest;
    for (Expr *view : viewsOf(e)) {
      if (view->kind != Expr::Kind::Access)
        continue;
      auto copies = layout.copies(view, axes);
      if (copies && (!fewest || *copies < *fewest)) {
        fewest = copies;
        e = view;
      }
    }
  };
  for (auto [set, axis] : llvm::zip_equal(match.sets, keys)) {
    SmallVector<Axis> axes = keyAxes();
    axes.push_back(axis);
    axes.push_back(dims);
    choose(set.key, axes);
    axes.back() = columns;
    choose(set.value, axes);
  }
  SmallVector<Axis> axes = queryAxes();
  axes.push_back(row);
  axes.push_back(dims);
  choose(match.query, axes);
}

bool AttentionBuilder::classifyAxis(const Axis &axis) {
  bool inQuery = dependsOn(match.query, axis);
  auto inSet = [&](Expr *KeySet::*member) {
    return [this, member, &axis](const KeySet &set) {
      return dependsOn(set.*member, axis);
    };
  };
  bool inKey = llvm::any_of(match.sets, inSet(&KeySet::key));
  bool inValue = llvm::any_of(match.sets, inSet(&KeySet::value));
  if (inValue && !inQuery && !inKey) {
    llvm::append_range(columns, axis);
    return true;
  }
  if (!inKey && !inValue) {
    groups.push_back(axis);
    return true;
  }
  // A set that is shared where others differ is small beside what is computed
  // from it, and is repeated.
  if ((!inKey || !inValue) && match.sets.size() == 1)
    return fail(inKey ? "values are the same where keys differ (along a batch "
                        "dimension)"
                      : "keys are the same where values and queries differ "
                        "(along a batch dimension)");
  shared.push_back(axis);
  return true;
}

/// The rows are those that masks tell apart, else the longest of all axes that
/// only queries have.
void AttentionBuilder::chooseRow(ArrayRef<Axis> candidates) {
  auto weight = [&](const Axis &axis) {
    double extent = 1;
    for (Atom atom : axis)
      extent *= ShapedType::isDynamic(n.atoms.extent(atom))
                    ? 1e9
                    : double(n.atoms.extent(atom));
    bool isMasked = llvm::any_of(match.masks, [&](const MaskTerm &term) {
      return dependsOn(term.condition, axis);
    });
    isMasked |= llvm::any_of(match.biases, [&](const BiasTerm &term) {
      return dependsOn(term.e, axis);
    });
    return extent * (isMasked ? 1e30 : 1);
  };
  const Axis *best = nullptr;
  for (const Axis &axis : candidates)
    if (!best || weight(axis) >= weight(*best))
      best = &axis;
  groups.clear();
  for (const Axis &axis : candidates)
    if (&axis == best)
      row = axis;
    else
      groups.push_back(axis);
}

bool AttentionBuilder::classify() {
  // What is read, without repetition; looking for it may cut atoms.
  SmallVector<Index> uses;
  auto take = [&](Expr *&e) {
    e = viewsOf(e).front();
    n.collectUses(e, uses);
  };
  take(match.query);
  for (KeySet &set : match.sets) {
    take(set.key);
    take(set.value);
  }
  for (const MaskTerm &term : match.masks)
    n.collectUses(viewsOf(term.condition).front(), uses);
  for (const BiasTerm &term : match.biases)
    n.collectUses(viewsOf(term.e).front(), uses);
  for (const Factor &factor : match.factors)
    n.collectUses(viewsOf(factor.e).front(), uses);
  llvm::append_range(uses, match.output->indices);

  auto axesOf = [&](ArrayRef<Atom> atoms) {
    SmallVector<Atom> parts;
    for (Atom atom : atoms)
      llvm::append_range(parts, n.atoms.parts(atom));
    return n.atoms.axes(parts, uses);
  };
  for (const KeySet &set : match.sets) {
    Axis &ofSet = keys.emplace_back();
    for (const Axis &axis : axesOf(set.atoms)) {
      if (!dependsOn(set.key, axis) || !dependsOn(set.value, axis))
        return fail(
            "keys or values are repeated over a dimension that is summed");
      llvm::append_range(ofSet, axis);
    }
  }
  for (const Axis &axis : axesOf(match.dimAtoms)) {
    auto lacks = [&](const KeySet &set) { return !dependsOn(set.key, axis); };
    if (llvm::any_of(match.sets, lacks) || !dependsOn(match.query, axis))
      return fail("queries or keys are repeated over a dimension that is "
                  "summed");
    llvm::append_range(dims, axis);
  }
  for (const Axis &axis : axesOf(match.outputAtoms))
    if (!classifyAxis(axis))
      return false;
  SmallVector<Axis> candidates = std::exchange(groups, {});
  chooseRow(candidates);
  chooseViews();
  return true;
}

/// B..., the last of which counts query heads.
SmallVector<Axis> AttentionBuilder::queryAxes() {
  SmallVector<Axis> axes = shared;
  if (groups.empty())
    return axes;
  if (axes.empty())
    axes.emplace_back();
  for (const Axis &group : groups)
    llvm::append_range(axes.back(), group);
  return axes;
}

/// As many dimensions as queries have; a size of 1 where all heads share keys.
SmallVector<Axis> AttentionBuilder::keyAxes() {
  SmallVector<Axis> axes = shared;
  if (axes.empty() && !groups.empty())
    axes.emplace_back();
  return axes;
}

SmallVector<Axis> AttentionBuilder::biasAxes() {
  SmallVector<Axis> axes = queryAxes();
  axes.push_back(row);
  axes.push_back(keys[0]);
  return axes;
}

SmallVector<Axis> AttentionBuilder::weightAxes(size_t set) {
  SmallVector<Axis> axes = keyAxes();
  axes.push_back(keys[set]);
  return axes;
}

SmallVector<Axis> AttentionBuilder::outputAxes() {
  SmallVector<Axis> axes = queryAxes();
  axes.push_back(row);
  axes.push_back(columns);
  return axes;
}

/// What queries, keys and values are made from.
SmallVector<Expr *> AttentionBuilder::operandExprs() {
  SmallVector<Expr *> es{match.query};
  for (const KeySet &set : match.sets)
    es.append({set.key, set.value});
  return es;
}
