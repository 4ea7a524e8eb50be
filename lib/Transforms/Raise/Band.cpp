// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "Band.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace polyattn::attn;

namespace {
/// row * i + key * j + constant.
struct Linear {
  int64_t row = 0, key = 0, constant = 0;
};
} // namespace

static Linear combine(Linear a, Linear b, int64_t sign) {
  return {a.row + sign * b.row, a.key + sign * b.key,
          a.constant + sign * b.constant};
}

static std::optional<Linear> linearOf(Notation &n, Expr *e, Atom row,
                                      Atom key) {
  e = n.look(e);
  if (auto number = n.number(e))
    if (*number == std::trunc(*number) && std::fabs(*number) < 1e15)
      return Linear{0, 0, int64_t(*number)};
  if (e->kind == Expr::Kind::Position) {
    Index index = n.atoms.resolve(e->indices[0]);
    Linear result{0, 0, index.offset};
    for (const Digit &digit : index.digits) {
      if (digit.atom != row && digit.atom != key)
        return std::nullopt;
      (digit.atom == row ? result.row : result.key) += digit.stride;
    }
    return result;
  }
  if (e->kind != Expr::Kind::Apply)
    return std::nullopt;
  auto operand = [&](unsigned i) {
    return linearOf(n, e->operands[i], row, key);
  };
  // No tensor has 2^31 rows or keys; a narrower type would wrap.
  auto width = [](Type type) {
    return type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
  };
  if (isa<arith::IndexCastOp, arith::ExtSIOp, arith::TruncIOp>(e->op))
    return width(e->type) >= 32 ? operand(0) : std::nullopt;
  bool subtracts = isa<arith::SubIOp>(e->op);
  if (!subtracts && !isa<arith::AddIOp>(e->op))
    return std::nullopt;
  auto left = operand(0), right = operand(1);
  if (!left || !right)
    return std::nullopt;
  return combine(*left, *right, subtracts ? -1 : 1);
}

static Band intersect(Band a, Band b) {
  return {std::max(a.least, b.least), std::min(a.most, b.most)};
}

/// s * (key - row) + c compared with 0, s being 1 or -1.
static std::optional<Band> compared(arith::CmpIPredicate predicate,
                                    const Linear &difference) {
  int64_t s = difference.key, c = difference.constant;
  if ((s != 1 && s != -1) || difference.row != -s)
    return std::nullopt;
  auto atMost = [&](int64_t limit) {
    // s * distance <= limit.
    return s == 1 ? Band{-Band::infinity, limit} : Band{-limit, Band::infinity};
  };
  auto atLeast = [&](int64_t limit) {
    return s == 1 ? Band{limit, Band::infinity} : Band{-Band::infinity, -limit};
  };
  switch (predicate) {
  case arith::CmpIPredicate::slt:
    return atMost(-c - 1);
  case arith::CmpIPredicate::sle:
    return atMost(-c);
  case arith::CmpIPredicate::sgt:
    return atLeast(-c + 1);
  case arith::CmpIPredicate::sge:
    return atLeast(-c);
  case arith::CmpIPredicate::eq:
    return intersect(atMost(-c), atLeast(-c));
  default:
    return std::nullopt;
  }
}

std::optional<Band> polyattn::attn::bandOf(Notation &n, Expr *condition,
                                           bool wanted, Atom row, Atom key) {
  Expr *e = n.look(condition);
  if (auto number = n.number(e))
    return (*number != 0) == wanted ? std::optional<Band>(Band{})
                                    : std::nullopt;
  if (e->kind != Expr::Kind::Apply)
    return std::nullopt;
  auto operand = [&](unsigned i, bool wanted) {
    return bandOf(n, e->operands[i], wanted, row, key);
  };
  if (isa<arith::XOrIOp>(e->op)) {
    auto by = n.number(e->operands[1]);
    return by ? operand(0, wanted != (*by != 0)) : std::nullopt;
  }
  if (isa<arith::AndIOp, arith::OrIOp>(e->op)) {
    // Wanted to be true, both operands of `and` are; else one decides alone if
    // the other is a constant that does not.
    bool both = isa<arith::AndIOp>(e->op) == wanted;
    for (unsigned i : {0, 1})
      if (auto known = n.number(e->operands[i]);
          known && !both && (*known != 0) != wanted)
        return operand(1 - i, wanted);
    auto left = operand(0, wanted), right = operand(1, wanted);
    return both && left && right ? std::optional<Band>(intersect(*left, *right))
                                 : std::nullopt;
  }
  auto compare = dyn_cast<arith::CmpIOp>(e->op);
  if (!compare)
    return std::nullopt;
  auto left = linearOf(n, e->operands[0], row, key);
  auto right = linearOf(n, e->operands[1], row, key);
  if (!left || !right)
    return std::nullopt;
  arith::CmpIPredicate predicate = compare.getPredicate();
  return compared(wanted ? predicate : arith::invertPredicate(predicate),
                  combine(*left, *right, -1));
}
