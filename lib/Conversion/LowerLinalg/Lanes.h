// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The body of a linalg op as vector code: one loop runs over lanes. What is the
// same in all lanes stays scalar.

#ifndef POLYATTN_LIB_CONVERSION_LOWERLINALG_LANES_H
#define POLYATTN_LIB_CONVERSION_LOWERLINALG_LANES_H

#include "../LowerToVector/Emitter.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/IRMapping.h"

namespace polyattn::attn {
using namespace mlir;

/// Tasks that work is cut into: with fewer for each core the last one is waited
/// for.
constexpr int64_t tasksPerCore = 4;

/// What the lanes of a vector see of an operand.
enum class Access { Uniform, Contiguous, Strided };

/// The access of `type` by `map` when the loop `lane` runs over lanes.
Access accessOf(ShapedType type, AffineMap map, unsigned lane);

/// Lanes of which only the first `active` take part; null: all of them.
struct Lanes {
  Value active;
};

/// An array as linalg indexes it: loops' values to an element.
struct LaneOperand {
  Value memref;
  AffineMap map;
  Access access;
};

/// Reads and writes operands lane by lane. `loops` are the loops' values, that
/// of the lane loop is the one in the first lane.
class LaneMemory {
public:
  LaneMemory(Emitter &e, unsigned lane) : e(e), lane(lane) {}

  /// A vector; a scalar of a uniform operand.
  Value read(const LaneOperand &operand, ValueRange loops, Lanes lanes);
  /// `x` is a vector, or a scalar for a uniform operand.
  void write(Value x, const LaneOperand &operand, ValueRange loops,
             Lanes lanes);
  /// Elements one by one. Lanes that take no part read the last one that does.
  Value readEach(Value memref, Lanes lanes,
                 function_ref<SmallVector<Value>(Value)> indicesAt);
  /// 1 for lanes that take part.
  Value mask(Lanes lanes);

private:
  SmallVector<Value> indices(AffineMap map, ValueRange loops);

  Emitter &e;
  unsigned lane;
};

/// A body with some loops' values known. Its ops are emitted in two parts:
/// before the loop over lanes those whose value is the same in all lanes, and
/// in that loop the others.
class LaneBody {
public:
  LaneBody(Emitter &e, Block &body, unsigned lane)
      : e(e), body(body), lane(lane) {}

  /// Why there is no vector code for the body; empty if there is.
  static std::string whyNot(Block &body);
  /// About how long one element takes, in flops.
  static int64_t flopsPerElement(Block &body);

  /// Makes `value` a block argument's; call it for the uniform ones, then
  /// emitUniform.
  void bind(Value argument, Value value) { mapping.map(argument, value); }
  void emitUniform(ValueRange loops);
  /// Those that are no block argument's in `bound` are bound before. Returns
  /// what the body yields, as vectors.
  SmallVector<Value> emitLanes(ValueRange loops, Lanes lanes,
                               ArrayRef<std::pair<Value, Value>> bound);
  bool isUniform(Value value) const { return mapping.contains(value); }

private:
  bool dependsOnLane(Operation &op) const;
  Value asVector(Value x);
  void emitOp(Operation &op, IRMapping &lanesOf, ValueRange loops, Lanes lanes);
  Value emitLoad(memref::LoadOp op, IRMapping &lanesOf, Lanes lanes);
  Value uniformOrLanes(Value x, IRMapping &lanesOf);

  Emitter &e;
  Block &body;
  unsigned lane;
  IRMapping mapping;
};

} // namespace polyattn::attn

#endif // POLYATTN_LIB_CONVERSION_LOWERLINALG_LANES_H
