// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Are two expressions the same, some variables standing for others?

#include "Expr.h"

using namespace mlir;
using namespace polyattn::attn;

bool Notation::equalAccess(Expr *left, Expr *right, ArrayRef<Atom> free,
                           Binding &binding, bool &cut) {
  if (left->tensor != right->tensor ||
      left->indices.size() != right->indices.size())
    return false;
  Binding tried = binding;
  for (auto [l, r] : llvm::zip_equal(left->indices, right->indices))
    if (!atoms.unify(l, r, free, tried, cut))
      return false;
  binding = tried;
  return true;
}

bool Notation::equal(Expr *left, Expr *right, ArrayRef<Atom> free,
                     Binding &binding, bool &cut, unsigned depth) {
  left = throughViews(left);
  right = throughViews(right);
  using Kind = Expr::Kind;
  if (left->kind == Kind::Access && right->kind == Kind::Access &&
      (equalAccess(left, right, free, binding, cut) || cut))
    return !cut;
  if (!depth)
    return false;
  left = look(left);
  right = look(right);
  // Conversions to a wider type change nothing.
  while (left->isApply("arith.extf"))
    left = look(left->operands[0]);
  while (right->isApply("arith.extf"))
    right = look(right->operands[0]);
  if (left->kind != right->kind)
    return false;
  switch (left->kind) {
  case Kind::Access:
    return equalAccess(left, right, free, binding, cut);
  case Kind::Constant: {
    auto l = number(left), r = number(right);
    return l && r && *l == *r;
  }
  case Kind::Position:
    return atoms.unify(left->indices[0], right->indices[0], free, binding, cut);
  case Kind::Apply:
  case Kind::Reduce:
    break;
  }
  if (left->op->getName() != right->op->getName() ||
      left->op->getAttrDictionary() != right->op->getAttrDictionary() ||
      left->operands.size() != right->operands.size())
    return false;
  SmallVector<Atom> bound(free);
  if (left->isReduce()) {
    if (left->atoms.size() != right->atoms.size())
      return false;
    llvm::append_range(bound, right->atoms);
  }
  for (auto [l, r] : llvm::zip_equal(left->operands, right->operands))
    if (!equal(l, r, bound, binding, cut, depth - 1))
      return false;
  return true;
}

/// A cut changes what atoms there are, and so begins anew; each makes atoms
/// smaller, so there is an end.
std::optional<Binding> Notation::unify(Expr *left, Expr *right,
                                       ArrayRef<Atom> free) {
  for (bool cut = true; cut;) {
    cut = false;
    Binding binding;
    if (equal(left, right, free, binding, cut, 12) && !cut)
      return binding;
  }
  return std::nullopt;
}

bool Notation::equal(Expr *left, Expr *right, ArrayRef<Atom> free) {
  return unify(left, right, free).has_value();
}

bool Notation::equalOver(Expr *left, ArrayRef<Atom> keys, Expr *right,
                         ArrayRef<Atom> over) {
  auto binding = unify(left, right, over);
  if (!binding)
    return false;
  auto partsOf = [&](ArrayRef<Atom> whole) {
    SmallVector<Atom> result;
    for (Atom atom : whole)
      llvm::copy_if(atoms.parts(atom), std::back_inserter(result),
                    [&](Atom part) { return atoms.extent(part) != 1; });
    return result;
  };
  SmallVector<Atom> wanted = partsOf(keys), bound;
  for (Atom atom : partsOf(over)) {
    auto found = binding->find(atom);
    if (found == binding->end())
      return false;
    bound.push_back(found->second);
  }
  llvm::sort(wanted);
  llvm::sort(bound);
  return wanted == bound;
}
