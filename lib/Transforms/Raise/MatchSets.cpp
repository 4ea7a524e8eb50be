// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// What is multiplied in both products, and which keys and values belong
// together: those of one dimension that is summed over. Usually there is one;
// attention over tuples of keys has several.

#include "AttentionMatch.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace polyattn::attn;

/// As many sets of keys as attn.tensor_attention takes.
constexpr size_t mostSets = 4;

/// Sorts the factors of what may be a product of a query and keys, computed
/// before the sum. True if there is a query in it.
bool AttentionMatcher::splitQuery(const Factor &factor, ArrayRef<Atom> dims,
                                  ScoreOperands &operands, unsigned depth) {
  if (!n.dependsOn(factor.e, dims)) {
    operands.others.push_back(factor);
    return false;
  }
  if (!dependsOnKey(factor.e)) {
    operands.queries.push_back(factor);
    return true;
  }
  Expr *product = n.look(factor.e);
  while (product->isApply("arith.extf"))
    product = n.look(product->operands[0]);
  product = n.withoutZero(product);
  if (depth && product->isApply("arith.mulf")) {
    ScoreOperands tried = operands;
    bool found = false;
    for (Expr *operand : product->operands)
      found |= splitQuery({operand, factor.isInverse}, dims, tried, depth - 1);
    if (found) {
      operands = tried;
      return true;
    }
  }
  operands.keys.push_back(factor);
  return false;
}

/// What does not differ from key to key is one query, though keys may have been
/// multiplied by it, such as by weights of a norm.
void AttentionMatcher::joinQueries(ScoreOperands &operands) {
  SmallVector<Expr *> pieces;
  for (const Factor &query : operands.queries) {
    if (query.isInverse)
      return;
    pieces.push_back(query.e);
  }
  if (pieces.size() > 1)
    if (Expr *product = productOf(pieces))
      operands.queries = {{product, false}};
}

/// The operands of a product of queries and keys: some differ from key to key,
/// each along other keys, one does not, but from row to row unless there is a
/// single row.
std::optional<AttentionMatcher::ScoreOperands>
AttentionMatcher::scoreOperands(Expr *e) {
  if (!e->isReduce() || e->op->getName().getStringRef() != "arith.addf")
    return std::nullopt;
  SmallVector<Factor> factors;
  collectFactors(n.lookThroughCasts(e->operands[1]), false, factors);
  ScoreOperands operands;
  for (const Factor &factor : factors)
    splitQuery(factor, e->atoms, operands, 0);
  if (operands.queries.empty()) {
    operands = {};
    for (const Factor &factor : factors)
      splitQuery(factor, e->atoms, operands, 4);
    joinQueries(operands);
  }
  if (operands.queries.size() != 1 || operands.keys.empty() ||
      !areApart(operands.keys))
    return std::nullopt;
  Expr *query = operands.queries[0].e;
  auto tellsRows = [&](Atom atom) {
    return n.dependsOn(query, atom) &&
           llvm::none_of(operands.keys, [&](const Factor &key) {
             return n.dependsOn(key.e, atom);
           });
  };
  if (!allowsSingleRow && llvm::none_of(result.outputAtoms, tellsRows))
    return std::nullopt;
  return operands;
}

/// What is summed over, as far as it has been cut.
SmallVector<Atom> AttentionMatcher::allKeyParts() {
  SmallVector<Atom> parts;
  for (Atom atom : result.keyAtoms)
    llvm::copy_if(n.atoms.parts(atom), std::back_inserter(parts),
                  [&](Atom part) { return n.atoms.extent(part) != 1; });
  return parts;
}

/// The parts of it on which an element depends.
SmallVector<Atom> AttentionMatcher::keyParts(Expr *e) {
  n.throughViews(e);
  return llvm::filter_to_vector(
      allKeyParts(), [&](Atom part) { return n.dependsOn(e, part); });
}

/// Does each depend on keys of its own?
bool AttentionMatcher::areApart(ArrayRef<Factor> keys) {
  if (keys.size() == 1)
    return true;
  // Looking through views may cut atoms.
  for (const Factor &key : keys)
    n.throughViews(key.e);
  llvm::SmallDenseSet<Atom> seen;
  return llvm::all_of(keys, [&](const Factor &key) {
    SmallVector<Atom> parts = keyParts(key.e);
    return !parts.empty() && llvm::all_of(parts, [&](Atom part) {
      return seen.insert(part).second;
    });
  });
}

/// The factors of what depends on several parts of the keys.
void AttentionMatcher::splitProduct(Expr *e, SmallVectorImpl<Expr *> &pieces,
                                    unsigned depth) {
  if (depth && keyParts(e).size() > 1) {
    Expr *product = n.look(e);
    while (product->isApply("arith.extf"))
      product = n.look(product->operands[0]);
    product = n.withoutZero(product);
    if (product->isApply("arith.mulf")) {
      for (Expr *operand : product->operands)
        splitProduct(operand, pieces, depth - 1);
      return;
    }
  }
  pieces.push_back(e);
}

/// One piece is taken as it is stored, whatever type it is multiplied in.
Expr *AttentionMatcher::productOf(ArrayRef<Expr *> pieces) {
  Expr *product = pieces.front();
  while (pieces.size() == 1 && n.look(product)->isApply("arith.extf"))
    product = n.look(product)->operands[0];
  for (Expr *piece : pieces.drop_front()) {
    if (product->type != someProduct->type || piece->type != someProduct->type)
      return nullptr;
    product = n.product(*someProduct, product, piece);
  }
  return product;
}

namespace {
/// Parts of what is summed over; those that one factor depends on belong
/// together.
class PartGroups {
public:
  explicit PartGroups(ArrayRef<Atom> parts) : parts(parts) {
    for (Atom part : parts)
      classes.insert(part);
  }
  void join(ArrayRef<Atom> together) {
    for (Atom part : together)
      classes.unionSets(together.front(), part);
  }
  /// The parts of each group.
  SmallVector<SmallVector<Atom>> groups() const {
    llvm::MapVector<Atom, SmallVector<Atom>> byLeader;
    for (Atom part : parts)
      byLeader[classes.getLeaderValue(part)].push_back(part);
    return llvm::map_to_vector(byLeader,
                               [](auto &pair) { return pair.second; });
  }

private:
  SmallVector<Atom> parts;
  llvm::EquivalenceClasses<Atom> classes;
};
} // namespace

bool AttentionMatcher::addSet(ArrayRef<Atom> atoms, ArrayRef<Expr *> keys,
                              ArrayRef<Expr *> values) {
  KeySet set{llvm::to_vector(atoms), productOf(keys), productOf(values)};
  if (!set.key || !set.value)
    return fail(sums.front()->loc,
                "keys or values of different types are multiplied");
  result.sets.push_back(std::move(set));
  return true;
}

/// Which keys and values belong together.
bool AttentionMatcher::formSets() {
  SmallVector<Expr *> keyPieces, valuePieces;
  for (Expr *key : keys)
    splitProduct(key, keyPieces, 4);
  for (Expr *value : values)
    splitProduct(value, valuePieces, 4);
  PartGroups parts(allKeyParts());
  for (Expr *piece : llvm::concat<Expr *>(keyPieces, valuePieces))
    parts.join(keyParts(piece));
  SmallVector<SmallVector<Atom>> groups = parts.groups();
  // What depends on no key goes with the first.
  auto piecesOf = [&](ArrayRef<Atom> group, ArrayRef<Expr *> pieces) {
    return llvm::filter_to_vector(pieces, [&](Expr *piece) {
      SmallVector<Atom> parts = keyParts(piece);
      return parts.empty() ? group == ArrayRef(groups.front())
                           : llvm::is_contained(group, parts.front());
    });
  };
  bool isLacking = llvm::any_of(groups, [&](ArrayRef<Atom> group) {
    return piecesOf(group, keyPieces).empty() ||
           piecesOf(group, valuePieces).empty();
  });
  bool isSingle = keys.size() == 1 && values.size() == 1;
  // Of a dimension that only one of both has, more is said where it is used.
  if (isSingle && (groups.size() <= 1 || isLacking)) {
    result.sets.push_back({result.keyAtoms, keys[0], values[0]});
    return true;
  }
  // Keys or values that differ from pair to pair: ordinary attention to pairs.
  if (groups.size() <= 1)
    return addSet(result.keyAtoms, keys, values);
  if (isLacking)
    return fail(sums.front()->loc,
                "keys or values are repeated over a dimension that is summed");
  if (groups.size() > mostSets)
    return fail(sums.front()->loc, "there are more sets of keys than "
                                   "attn.tensor_attention takes");
  return llvm::all_of(groups, [&](ArrayRef<Atom> group) {
    return addSet(group, piecesOf(group, keyPieces),
                  piecesOf(group, valuePieces));
  });
}
