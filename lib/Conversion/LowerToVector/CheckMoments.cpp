// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The run-time check of moments: for every row i, with s_ij = scale q_i . k_j,
//   sum_j w_j s_ij^2 = scale^2 q_i^T C q_i,  C = sum_j w_j k_j k_j^T,
//   sum_j w_j s_ij   = scale q_i . S,        S = sum_j w_j k_j.
// C, S and the sum of weights of chunks of keys are summed up to prefixes; a
// task takes the prefix before its first tile of queries and adds keys as rows
// come to see more. A tile's C holds what its last row sees, its least weight
// is what its first row sees: what rows do not see only makes C larger, and the
// mean is made good for it.

#include "AttentionEmitter.h"
#include "CheckBound.h"

#include <cmath>

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

/// Keys that products run over at a time, and that a chunk has at least; no
/// head has more chunks than `mostChunks`.
static constexpr int64_t keysOfBlock = 64, leastChunk = 512, mostChunks = 64;
/// Queries of one task.
static constexpr int64_t queriesOfTask = 512;

namespace {

class MomentCheck {
public:
  MomentCheck(Emitter &e, const TargetDescription &target, CheckBoundOp op,
              Value query, Value key, Value weights);
  Value emit();

private:
  using Values = Emitter::Values;

  /// What is summed over keys: rows of C, then S, then the weight (in every
  /// lane).
  int64_t stateRows() const { return columns + 2; }
  Value stateBuffer() { return e.buffer({stateRows(), padded}); }
  struct KeyBuffers {
    /// [keysOfBlock][padded] keys, and keys times their weights.
    Value keys, weighted;
  };
  KeyBuffers keyBuffers();
  void forStateVectors(function_ref<void(Value, Value)> body);
  Value weightOf(Value head, Value key);
  Value sumOfWeights(Value head, Value from, Value to);
  void addKeys(Value state, KeyBuffers &buffers, Value head, Value from,
               Value to);
  void addBlock(Value state, KeyBuffers &buffers, Value head, Value from,
                Value count);
  void addProducts(Value state, KeyBuffers &buffers, Value count);
  void sumChunks();
  void sumPrefixes();
  Value prefixBefore(Value local, Value keyHead, Value end);
  Value endOfTile(Value row, Value end);
  Value checkTask(Value head, Value task);
  Value largestForm(Value state, Value queries);
  Value largestNegativeSum(Value state, Value queries);
  Value largestLane(ValueRange vectors);
  Value withinLimits(Value second, Value negativeSum, Value least, Value most);
  Value keyEnd(Value row) {
    return mask.emitKeyRange(e.b, e.loc, row, numQueries, numKeys).end;
  }
  Value weightIn(Value state) {
    return wide(e.load(state, {e.index(columns + 1), e.index(0)}));
  }

  // f64 numbers.
  Value wide(Value x) {
    return arith::ExtFOp::create(e.b, e.loc, e.b.getF64Type(), x);
  }
  Value wideIndex(Value x) {
    x = arith::IndexCastOp::create(e.b, e.loc, e.b.getI64Type(), x);
    return arith::SIToFPOp::create(e.b, e.loc, e.b.getF64Type(), x);
  }
  Value real(double x) {
    return arith::ConstantOp::create(e.b, e.loc, e.b.getF64FloatAttr(x));
  }

  Emitter &e;
  Blocking blocking;
  CheckBoundOp op;
  MaskAttrInterface mask;
  double scale, bound;
  Value query, key, weights;
  int64_t columns, padded, vectors, tile;
  Value heads, keyHeads, numQueries, numKeys, group;
  /// Keys of a chunk, and chunks of a head; states [keyHeads * chunks], first
  /// of chunks, then of all chunks up to them.
  Value chunk, chunks, states;
  /// Bound of the relative rounding error of sums.
  Value gamma;
};

} // namespace

MomentCheck::MomentCheck(Emitter &e, const TargetDescription &target,
                         CheckBoundOp op, Value query, Value key, Value weights)
    : e(e), blocking(target), op(op), mask(op.getMask()),
      scale(op.getScale().convertToDouble()),
      bound(op.getBound().convertToDouble()), query(query), key(key),
      weights(weights),
      columns(cast<MemRefType>(query.getType()).getDimSize(2)),
      padded(roundUp(std::max<int64_t>(columns, 1), e.lanes)) {
  vectors = blocking.vectors;
  while ((padded / e.lanes) % vectors != 0)
    --vectors;
  // Wide tiles reuse C; under a mask their rows see different keys.
  tile = mask.admitsAll() ? blocking.width()
                          : std::min<int64_t>(2, blocking.vectors) * e.lanes;
  heads = e.dim(query, 0);
  keyHeads = e.dim(key, 0);
  numQueries = e.dim(query, 1);
  numKeys = e.dim(key, 1);
  group = e.div(heads, e.max(keyHeads, e.index(1)));
  chunk = e.max(e.index(leastChunk),
                e.roundUp(e.ceilDiv(numKeys, mostChunks), keysOfBlock));
  chunks = e.ceilDiv(numKeys, chunk);
  // Block, blocks of a chunk, prefix, blocks of a task, the two products with
  // the query, and a few more; the sum of weights is in it, too.
  Value chain =
      e.add(e.add(e.ceilDiv(chunk, keysOfBlock), e.ceilDiv(chunk, keysOfBlock)),
            2 * keysOfBlock + mostChunks + 2 * columns + 64);
  // K u / (1 - K u), and a hair for its own rounding. Beyond K u = 1 nothing
  // would be known: no comparison with NaN holds.
  Value roundings = e.mulf(wideIndex(chain), real(0x1p-24 * (1 + 0x1p-40)));
  Value known = e.compare(arith::CmpFPredicate::OLT, roundings, real(0.5));
  gamma =
      arith::DivFOp::create(e.b, e.loc, roundings, e.subf(real(1), roundings));
  gamma = e.select(known, gamma, real(NAN));
}

MomentCheck::KeyBuffers MomentCheck::keyBuffers() {
  KeyBuffers buffers;
  buffers.keys = e.buffer({keysOfBlock, padded});
  buffers.weighted = weights ? e.buffer({keysOfBlock, padded}) : buffers.keys;
  return buffers;
}

/// Calls body(row, column) for every vector of a state.
void MomentCheck::forStateVectors(function_ref<void(Value, Value)> body) {
  e.loop(e.index(0), e.index(stateRows()), 1, [&](Value row) {
    e.loop(e.index(0), e.index(padded), e.lanes,
           [&](Value column) { body(row, column); });
  });
}

void MomentCheck::addKeys(Value state, KeyBuffers &buffers, Value head,
                          Value from, Value to) {
  e.loop(from, to, keysOfBlock, [&](Value at) {
    addBlock(state, buffers, head, at,
             e.min(e.index(keysOfBlock), e.sub(to, at)));
  });
}

/// What is negative, or no number, is found out by the comparisons.
Value MomentCheck::weightOf(Value head, Value key) {
  Value w = e.load(weights, {head, key});
  Value valid = e.compare(arith::CmpFPredicate::OGE, w, e.scalar(0));
  return e.select(valid, w, e.scalar(NAN));
}

/// Of keys [from, to), in f64, where however many of them add no error to speak
/// of.
Value MomentCheck::sumOfWeights(Value head, Value from, Value to) {
  if (!weights)
    return wideIndex(e.sub(to, from));
  return e.loop(from, to, 1, {real(0)}, [&](Value key, ValueRange carried) {
    return Values{e.addf(carried[0], wide(weightOf(head, key)))};
  })[0];
}

/// Copies a block, padded with zeros, and adds its sums to S and the weight.
void MomentCheck::addBlock(Value state, KeyBuffers &buffers, Value head,
                           Value from, Value count) {
  Value sumRow = e.index(columns), weightRow = e.index(columns + 1);
  Values zero(1, e.splat(0));
  forColumns(e, columns, [&](Value column, int64_t lanes) {
    Value sum =
        e.loop(e.index(0), count, 1, zero, [&](Value j, ValueRange carried) {
          Value x = loadPart(e, key, {head, e.add(from, j), column}, lanes);
          e.vstore(x, buffers.keys, {j, column});
          if (weights) {
            x = e.mulf(x, e.broadcast(weightOf(head, e.add(from, j))));
            e.vstore(x, buffers.weighted, {j, column});
          }
          return Values{e.addf(carried[0], x)};
        })[0];
    e.vstore(e.addf(e.vload(state, {sumRow, column}), sum), state,
             {sumRow, column});
  });
  Value weight = sumOfWeights(head, from, e.add(from, count));
  weight = e.broadcast(arith::TruncFOp::create(e.b, e.loc, e.f32(), weight));
  e.vstore(e.addf(e.vload(state, {weightRow, e.index(0)}), weight), state,
           {weightRow, e.index(0)});
  addProducts(state, buffers, count);
}

/// C[a][b] += sum_j w_j k_ja k_jb
void MomentCheck::addProducts(Value state, KeyBuffers &buffers, Value count) {
  e.loop(e.index(0), e.index(padded), vectors * e.lanes, [&](Value column) {
    forRowGroups(
        e, columns, blocking.rowsFor(vectors), [&](Value a, int64_t rows) {
          Values sums = emitProduct(
              e, count, rows, vectors,
              [&](Value j, int64_t r) {
                return e.load(buffers.weighted, {j, e.add(a, r)});
              },
              [&](Value j, int64_t v) {
                return e.vload(buffers.keys, {j, e.add(column, v * e.lanes)});
              });
          for (int64_t r = 0; r < rows; ++r)
            for (int64_t v = 0; v < vectors; ++v) {
              SmallVector<Value> at = {e.add(a, r), e.add(column, v * e.lanes)};
              Value sum = e.addf(e.vload(state, at), sums[r * vectors + v]);
              e.vstore(sum, state, at);
            }
        });
  });
}

void MomentCheck::sumChunks() {
  auto type =
      MemRefType::get({ShapedType::kDynamic, stateRows(), padded}, e.f32());
  states = memref::AllocOp::create(e.b, e.loc, type,
                                   e.mul(keyHeads, e.max(chunks, e.index(1))),
                                   e.b.getI64IntegerAttr(cacheLineBytes));
  Value flops = e.mul(e.mul(keyHeads, numKeys), 2 * columns * padded);
  e.parallel({keyHeads, chunks}, flops, [&](ValueRange at) {
    KeyBuffers buffers = keyBuffers();
    Value state = e.part(states, e.add(e.mul(at[0], chunks), at[1]));
    forStateVectors([&](Value row, Value column) {
      e.vstore(e.splat(0), state, {row, column});
    });
    Value from = e.mul(at[1], chunk);
    addKeys(state, buffers, at[0], from, e.min(e.add(from, chunk), numKeys));
  });
}

void MomentCheck::sumPrefixes() {
  // A few numbers each: threads would start too late.
  e.loop(e.index(0), keyHeads, 1, [&](Value head) {
    e.loop(e.index(1), chunks, 1, [&](Value c) {
      Value at = e.add(e.mul(head, chunks), c);
      Value state = e.part(states, at),
            before = e.part(states, e.sub(at, e.index(1)));
      forStateVectors([&](Value row, Value column) {
        Value sum = e.addf(e.vload(state, {row, column}),
                           e.vload(before, {row, column}));
        e.vstore(sum, state, {row, column});
      });
    });
  });
}

/// The sums over whole chunks of keys before `end`, or over all keys; returns
/// how many keys those are.
Value MomentCheck::prefixBefore(Value local, Value keyHead, Value end) {
  Value all = e.lessEqual(numKeys, end);
  Value whole = e.select(all, chunks, e.div(end, chunk));
  Value none = e.less(whole, e.index(1));
  Value before = e.sub(e.max(whole, e.index(1)), e.index(1));
  Value prefix = e.part(states, e.add(e.mul(keyHead, chunks), before));
  forStateVectors([&](Value row, Value column) {
    Value x = e.vload(prefix, {row, column});
    e.vstore(e.select(none, e.splat(0), x), local, {row, column});
  });
  return e.min(e.mul(whole, chunk), numKeys);
}

/// Behind the rows of a tile: under a mask with steps those that see the same
/// keys, so that none is judged by keys of another scale.
Value MomentCheck::endOfTile(Value row, Value end) {
  Value most = e.min(e.add(row, tile), end);
  if (!mask.getSteps() || mask.admitsAll())
    return most;
  Value keys = keyEnd(row);
  return e.loop(row, most, 1, {row}, [&](Value next, ValueRange carried) {
    Value same = e.lessEqual(keyEnd(next), keys);
    return Values{e.select(same, e.add(next, 1), carried[0])};
  })[0];
}

/// Do the queries of a task keep within the limits? An i1.
Value MomentCheck::checkTask(Value head, Value task) {
  Value keyHead = e.div(head, group);
  Value first = e.mul(task, queriesOfTask);
  Value end = e.min(e.add(first, queriesOfTask), numQueries);
  Value local = stateBuffer(), queries = e.buffer({1 + padded, tile});
  Value result = e.buffer({1});
  KeyBuffers buffers = keyBuffers();
  Value added = prefixBefore(local, keyHead, keyEnd(first));
  e.store(e.scalar(1), result, e.index(0));
  e.loopWhile(
      {first, added},
      [&](ValueRange carried) { return e.less(carried[0], end); },
      [&](ValueRange carried) {
        Value row = carried[0], behind = endOfTile(row, end);
        Value least = e.max(carried[1], keyEnd(row));
        Value most = e.max(least, keyEnd(e.sub(behind, e.index(1))));
        Value weightOfLeast =
            e.addf(weightIn(local), sumOfWeights(keyHead, carried[1], least));
        addKeys(local, buffers, keyHead, carried[1], most);
        packRows(e, query, head, row, behind, tile, columns, queries);
        Value within = withinLimits(largestForm(local, queries),
                                    largestNegativeSum(local, queries),
                                    weightOfLeast, weightIn(local));
        Value so = e.load(result, e.index(0));
        e.store(e.select(within, so, e.scalar(0)), result, e.index(0));
        return Values{behind, most};
      });
  return e.compare(arith::CmpFPredicate::OEQ, e.load(result, e.index(0)),
                   e.scalar(1));
}

/// The largest number of all lanes, as f64; NaN if any is.
Value MomentCheck::largestLane(ValueRange vectors) {
  Value largest = vectors.front();
  for (Value x : vectors.drop_front())
    largest = arith::MaximumFOp::create(e.b, e.loc, largest, x);
  return wide(vector::ReductionOp::create(
      e.b, e.loc, vector::CombiningKind::MAXIMUMF, largest));
}

/// The largest q^T C q of the tile's queries.
Value MomentCheck::largestForm(Value state, Value queries) {
  int64_t width = tile / e.lanes;
  Value forms = e.buffer({tile});
  auto lane = [&](int64_t v) { return e.index(v * e.lanes); };
  for (int64_t v = 0; v < width; ++v)
    e.vstore(e.splat(0), forms, lane(v));
  forRowGroups(e, columns, blocking.rowsFor(width), [&](Value b, int64_t rows) {
    Values products = emitProduct(
        e, e.index(columns), rows, width,
        [&](Value a, int64_t r) { return e.load(state, {e.add(b, r), a}); },
        [&](Value a, int64_t v) {
          return e.vload(queries, {e.add(a, 1), lane(v)});
        });
    for (int64_t v = 0; v < width; ++v) {
      Value sum = e.vload(forms, lane(v));
      for (int64_t r = 0; r < rows; ++r)
        sum = e.fma(products[r * width + v],
                    e.vload(queries, {e.add(b, r + 1), lane(v)}), sum);
      e.vstore(sum, forms, lane(v));
    }
  });
  Values all;
  for (int64_t v = 0; v < width; ++v)
    all.push_back(e.vload(forms, lane(v)));
  return largestLane(all);
}

/// The largest -sign(scale) q . S of the tile's queries.
Value MomentCheck::largestNegativeSum(Value state, Value queries) {
  int64_t width = tile / e.lanes;
  Values zero(width, e.splat(0));
  Value sign = e.splat(scale < 0 ? 1 : -1);
  Values sums = e.loop(
      e.index(0), e.index(columns), 1, zero, [&](Value a, ValueRange carried) {
        Value sum = e.broadcast(e.load(state, {e.index(columns), a}));
        sum = e.mulf(sum, sign);
        Values next;
        for (int64_t v = 0; v < width; ++v)
          next.push_back(
              e.fma(sum, e.vload(queries, {e.add(a, 1), e.index(v * e.lanes)}),
                    carried[v]));
        return next;
      });
  return largestLane(sums);
}

/// The comparisons, in f64. `least` and `most` are the weights of the keys that
/// all rows see and that some row sees. What sums are off by, in units of
/// gamma: second moments by sum_j w_j (scale sum_a |q_a k_ja|)^2 <= B^2 W,
/// means by B W, weights by W. Underflow adds less than `tiny`.
Value MomentCheck::withinLimits(Value second, Value negativeSum, Value least,
                                Value most) {
  double norm = op.getMaxNorm().convertToDouble();
  Value tiny = e.mulf(wideIndex(e.add(numKeys, columns)),
                      real(0x1p-124 * double(columns) * (1 + scale * scale) *
                           (1 + norm * norm) * (1 + norm)));
  Value slack = e.mulf(gamma, most);
  least = e.subf(least, slack);
  most = e.addf(most, slack);
  auto atMost = [&](Value sum, double limit, double error) {
    sum = e.addf(e.addf(sum, tiny), e.mulf(slack, real(error)));
    return e.compare(arith::CmpFPredicate::OLE, sum,
                     e.mulf(least, real(limit)));
  };
  second = e.mulf(second, real(scale * scale));
  negativeSum = e.mulf(negativeSum, real(std::fabs(scale)));
  // What a row does not see may have kept its sum up: by Cauchy-Schwarz no more
  // than the root of the weights' and the squares' sums.
  Value rest = e.subf(most, least);
  Value squares =
      e.addf(e.addf(second, tiny), e.mulf(slack, real(bound * bound)));
  Value hidden = math::SqrtOp::create(e.b, e.loc, e.mulf(rest, squares));
  Value seen = e.addf(negativeSum, hidden);
  if (mask.admitsAll())
    seen = negativeSum;
  return arith::AndIOp::create(
      e.b, e.loc,
      atMost(second, op.getSecondMoment()->convertToDouble(),
             1.01 * bound * bound),
      atMost(seen, op.getMean()->convertToDouble(), 1.01 * bound));
}

Value MomentCheck::emit() {
  sumChunks();
  sumPrefixes();
  Value tasks = e.ceilDiv(numQueries, queriesOfTask);
  Value total = e.mul(heads, tasks);
  Value cells = memref::AllocOp::create(
      e.b, e.loc, MemRefType::get({ShapedType::kDynamic}, e.f32()), total);
  Value flops = e.mul(e.mul(heads, numQueries), 2 * columns * padded);
  e.parallel({heads, tasks}, flops, [&](ValueRange at) {
    Value within = checkTask(at[0], at[1]);
    e.store(e.select(within, e.scalar(1), e.scalar(0)), cells,
            e.add(e.mul(at[0], tasks), at[1]));
  });
  Value least = e.loop(
      e.index(0), total, 1, {e.scalar(1)}, [&](Value i, ValueRange carried) {
        return Values{e.minOrSecond(e.load(cells, i), carried[0])};
      })[0];
  return e.compare(arith::CmpFPredicate::OEQ, least, e.scalar(1));
}

Value polyattn::attn::emitMomentCheck(Emitter &e,
                                      const TargetDescription &target,
                                      CheckBoundOp op, Value query, Value key,
                                      Value weights) {
  return MomentCheck(e, target, op, query, key, weights).emit();
}
