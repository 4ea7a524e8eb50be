// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "StateStream.h"
#include "AttentionEmitter.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

/// Enough that states are moved seldom, few enough that features stay in cache.
static constexpr int64_t mostTokens = 16;
static constexpr int64_t mostRunsInCode = 192;

//===----------------------------------------------------------------------===//
// Layout
//===----------------------------------------------------------------------===//

StreamEmitter::StreamEmitter(Emitter &e, const TargetDescription &target,
                             Operation *op, unsigned headDim, unsigned degree,
                             ArrayRef<Set> sets)
    : e(e), op(op), space(headDim, degree), sets(sets),
      keyHeads(e.dim(sets[0].state, 0)) {
  auto type = cast<MemRefType>(sets[0].state.getType());
  element = cast<FloatType>(type.getElementType());
  columns = type.getDimSize(1);
  layOutFeatures();
  chooseParts(target);
  chooseBlocking(target);
}

/// Parts are whole vectors of columns, all of the same length.
void StreamEmitter::chooseParts(const TargetDescription &target) {
  int64_t heads = cast<MemRefType>(sets[0].state.getType()).getDimSize(0);
  parts = 1;
  if (ShapedType::isDynamic(heads) || heads < 1 || heads >= target.cores)
    return;
  for (parts = (target.cores + heads - 1) / heads; parts > 1; --parts)
    if ((columns - 1) % (parts * e.lanes) == 0)
      return;
}

/// A row of features holds the monomials of exactly 1, 2, .., g factors one
/// after another, each in lexicographic order. Those with t factors are runs:
/// one with t - 1 factors, times every entry from its last factor on. Runs are
/// made of whole vectors; what one writes too much, the next one overwrites.
void StreamEmitter::layOutFeatures() {
  int64_t lanes = e.lanes, entries = int64_t(space.dim()) + 1;
  int64_t before = 0, end = attn::roundUp(entries, lanes) + lanes;
  SmallVector<int32_t> last;
  for (int64_t a = 0; a < entries; ++a)
    last.push_back(int32_t(a));
  for (unsigned t = 2; t <= space.degree(); ++t) {
    int64_t target = end;
    SmallVector<int32_t> next;
    for (auto [source, from] : llvm::enumerate(last)) {
      for (int64_t a = from; a < entries; a += lanes)
        runs.append({int32_t(before + int64_t(source)), int32_t(a),
                     int32_t(target + a - from)});
      target += entries - from;
      for (int64_t a = from; a < entries; ++a)
        next.push_back(int32_t(a));
    }
    before = end;
    end += attn::roundUp(int64_t(next.size()), lanes) + lanes;
    last = std::move(next);
  }
  featuresAt = before;
  rowLength = end;
}

/// Registers hold rows of each state, features of one key of each set and of
/// one query, and two numbers in passing. The rows are so many that few are
/// left over.
void StreamEmitter::chooseBlocking(const TargetDescription &target) {
  blockTokens = mostTokens;
  int64_t registers = target.vectorRegisters / (element.isF64() ? 2 : 1);
  int64_t order = int64_t(sets.size());
  stripVectors = registers >= 32 && order <= 2 ? 4 : order <= 2 ? 2 : 1;
  int64_t most =
      (registers - stripVectors * (order + 1) - 2) / (stripVectors * order);
  int64_t total = parts > 1 ? (columns - 1) / parts : columns;
  most = std::clamp<int64_t>(most, 1, total);
  auto cost = [&](int64_t rows) {
    int64_t groups = total / rows, rest = total % rows;
    // Features are loaded anew for each group.
    return groups * (rows + 2) + (rest ? rest + 2 : 0);
  };
  stripRows = most;
  for (int64_t rows = most; rows > most / 2; --rows)
    if (cost(rows) < cost(stripRows))
      stripRows = rows;
}

/// [rows][shape...], of as many rows as the run says.
Value StreamEmitter::rowsBuffer(Value rows, ArrayRef<int64_t> shape,
                                Type type) {
  SmallVector<int64_t> full{ShapedType::kDynamic};
  std::optional<int64_t> known = getConstantIntValue(rows);
  if (known)
    full[0] = *known;
  llvm::append_range(full, shape);
  return memref::AllocOp::create(e.b, e.loc, MemRefType::get(full, type),
                                 known ? ValueRange() : ValueRange(rows),
                                 e.b.getI64IntegerAttr(cacheLineBytes));
}

//===----------------------------------------------------------------------===//
// Numbers in the type of the states
//===----------------------------------------------------------------------===//

VectorType StreamEmitter::wideType() const { return e.vectorType(element); }

Value StreamEmitter::zero() {
  return arith::ConstantOp::create(e.b, e.loc, e.b.getZeroAttr(wideType()));
}

Value StreamEmitter::wide(Value x) {
  if (getElementTypeOrSelf(x) == element)
    return x;
  Type type = isa<VectorType>(x.getType()) ? Type(wideType()) : element;
  return arith::ExtFOp::create(e.b, e.loc, type, x);
}

Value StreamEmitter::loadFeatures(Value buffer, Value row, const Strip &strip,
                                  int64_t v) {
  Value at = e.add(strip.first, featuresAt + v * e.lanes);
  return wide(e.vload(buffer, {row, at}));
}

/// The lanes of a vector of the strip that there are; null if all.
static Value partOf(Emitter &e, int64_t vectors, int64_t rest, int64_t v) {
  if (v + 1 < vectors || rest == e.lanes)
    return {};
  return vector::CreateMaskOp::create(e.b, e.loc, e.vectorType(e.b.getI1Type()),
                                      e.index(rest));
}

Value StreamEmitter::loadState(const Place &place, const Strip &strip,
                               int64_t v) {
  Values at = {place.head, place.row, e.add(strip.first, v * e.lanes)};
  if (Value mask = partOf(e, strip.vectors, strip.rest, v))
    return vector::MaskedLoadOp::create(e.b, e.loc, wideType(), place.memory,
                                        at, mask, zero());
  return vector::LoadOp::create(e.b, e.loc, wideType(), place.memory, at);
}

void StreamEmitter::storeState(Value x, const Place &place, const Strip &strip,
                               int64_t v) {
  Values at = {place.head, place.row, e.add(strip.first, v * e.lanes)};
  if (Value mask = partOf(e, strip.vectors, strip.rest, v))
    vector::MaskedStoreOp::create(e.b, e.loc, place.memory, at, mask, x);
  else
    e.vstore(x, place.memory, at);
}

//===----------------------------------------------------------------------===//
// Blocks of tokens
//===----------------------------------------------------------------------===//

/// How many query heads share a key head, and what each feature weighs in their
/// kernel.
void StreamEmitter::openReaders(const Readers &readers) {
  group = e.div(e.dim(readers.query, 0), e.max(keyHeads, e.index(1)));
  std::vector<float> weights;
  for (double w : space.weights(readers.coefficients.vec(), readers.scale))
    weights.push_back(float(w));
  weights.resize(attn::roundUp(int64_t(weights.size()), e.lanes));
  auto type = RankedTensorType::get({int64_t(weights.size())}, e.f32());
  featureWeights = constantTable(
      e, op, "attn_weights", DenseElementsAttr::get(type, ArrayRef(weights)));
}

/// Multiply-adds, and what it takes to move the states once for each block: as
/// long as some 16 flops for each number.
Value StreamEmitter::flops(Value count, bool writes) {
  int64_t numbers = columns * int64_t(space.rank() * sets.size());
  Value products = e.mul(count, e.add(group, e.index(writes)));
  Value moves = e.mul(e.ceilDiv(count, blockTokens), 8);
  return e.mul(e.mul(keyHeads, e.add(products, moves)), 2 * numbers);
}

void StreamEmitter::emit(const Readers *readers) {
  bool writes = bool(sets[0].key);
  Value count = e.dim(writes ? sets[0].key : readers->query, 1);
  group = e.index(0);
  if (readers)
    openReaders(*readers);
  // A stream of nothing leaves the states as they are.
  if (writes)
    e.when(e.lessEqual(count, e.index(0)), [&] {
      for (const Set &set : sets)
        if (set.state != set.updated)
          memref::CopyOp::create(e.b, e.loc, set.state, set.updated);
    });
  Block shared;
  if (writes && parts > 1)
    openWeightRows(shared);
  // One thread takes all parts of a head together.
  Value work = flops(count, writes), shares = e.index(1);
  if (parts > 1)
    shares = e.select(e.less(e.index(e.flopsWorthThreads), work),
                      e.index(parts), shares);
  e.parallel({keyHeads, shares}, work, [&](ValueRange at) {
    Block block = allocateBlock(e.min(e.index(blockTokens), count), readers);
    block.head = at[0];
    block.share = at[1];
    block.columns = e.div(e.index(columns - 1), shares);
    block.firstColumn = e.mul(block.share, block.columns);
    block.weightRows = shared.weightRows;
    e.loop(e.index(0), count, blockTokens, [&](Value first) {
      block.first = first;
      block.count = e.min(e.index(blockTokens), e.sub(count, first));
      chooseSources(block, writes);
      emitBlock(block, readers);
    });
  });
  if (writes && parts > 1)
    closeWeightRows(shared);
}

/// The first block reads the states given, the others what it left.
void StreamEmitter::chooseSources(Block &block, bool writes) {
  Value isFirst = e.lessEqual(block.first, e.index(0));
  block.sources.clear();
  for (const Set &set : sets)
    block.sources.push_back(writes && set.state != set.updated
                                ? e.select(isFirst, set.state, set.updated)
                                : set.state);
}

/// Each part's own sums of weights, before any part writes.
void StreamEmitter::openWeightRows(Block &shared) {
  for (const Set &set : sets) {
    Value rows = rowsBuffer(keyHeads, {parts, int64_t(space.rank())}, element);
    shared.weightRows.push_back(rows);
    e.loop(e.index(0), keyHeads, 1, [&](Value head) {
      e.loop(e.index(0), e.index(parts), 1, [&](Value part) {
        copyRow({set.state, head, e.index(columns - 1)}, {rows, head, part});
      });
    });
  }
}

/// They are all the same.
void StreamEmitter::closeWeightRows(Block &shared) {
  for (auto [set, rows] : llvm::zip_equal(sets, shared.weightRows))
    e.loop(e.index(0), keyHeads, 1, [&, set = set, rows = rows](Value head) {
      copyRow({rows, head, e.index(0)},
              {set.updated, head, e.index(columns - 1)});
    });
}

void StreamEmitter::copyRow(const Place &from, const Place &to) {
  forStrips([&](const Strip &strip) {
    for (int64_t v = 0; v < strip.vectors; ++v)
      storeState(loadState(from, strip, v), to, strip, v);
  });
}

/// No larger than it must be: memory for one token is used again and again,
/// more of it would go back to the system after each call.
StreamEmitter::Block StreamEmitter::allocateBlock(Value most,
                                                  const Readers *readers) {
  Block block;
  for (const Set &set : sets) {
    if (!set.key)
      break;
    block.keyFeatures.push_back(rowsBuffer(most, {rowLength}, e.f32()));
    block.values.push_back(rowsBuffer(most, {columns}, element));
  }
  if (!readers)
    return block;
  Value rows = e.mul(group, most);
  block.queryFeatures = rowsBuffer(rows, {rowLength}, e.f32());
  // Sums of lanes are taken for `lanes` columns at a time.
  int64_t padded = std::max(attn::roundUp(columns - 1, e.lanes), columns);
  block.outputs = rowsBuffer(rows, {padded, e.lanes}, element);
  return block;
}

void StreamEmitter::emitBlock(Block &block, const Readers *readers) {
  if (sets[0].key)
    packKeys(block);
  if (readers) {
    packQueries(block, *readers);
    clearOutputs(block);
  }
  forRows(block, [&](const Rows &rows) {
    forStrips(
        [&](const Strip &strip) { addRows(block, strip, rows, readers); });
  });
  if (readers)
    closeBlock(block, *readers);
}

/// The rows of the block's share, a few at a time, the sum of weights among
/// them.
void StreamEmitter::forRows(Block &block,
                            function_ref<void(const Rows &)> body) {
  if (parts == 1)
    return forRowGroups(e, columns, stripRows,
                        [&](Value row, int64_t rows) { body({row, rows}); });
  int64_t width = (columns - 1) / parts;
  e.loop(e.index(0), block.columns, width, [&](Value part) {
    forRowGroups(e, width, stripRows, [&](Value row, int64_t rows) {
      body({e.add(e.add(block.firstColumn, part), row), rows});
    });
  });
  body({e.index(columns - 1), 1, /*ofWeights=*/true});
}

StreamEmitter::Place StreamEmitter::placeOf(Block &block, size_t set,
                                            const Rows &rows, int64_t row,
                                            bool toWrite) {
  if (rows.ofWeights && !block.weightRows.empty())
    return {block.weightRows[set], block.head, block.share};
  return {toWrite ? sets[set].updated : block.sources[set], block.head,
          e.add(rows.first, row)};
}

//===----------------------------------------------------------------------===//
// Features
//===----------------------------------------------------------------------===//

/// target[row] = the features of source[head][token], or of zeros where the
/// weight is 0 (null: it is not), whatever the source holds.
void StreamEmitter::packRow(Value source, Value head, Value token, Value weight,
                            Value target, Value row) {
  int64_t entries = int64_t(space.dim()) + 1;
  int64_t padded = attn::roundUp(entries, e.lanes) + e.lanes;
  for (int64_t at = std::max<int64_t>(0, padded - 2 * e.lanes); at < padded;
       at += e.lanes)
    e.vstore(e.splat(0), target, {row, e.index(at)});
  Value left;
  if (weight)
    left = e.compare(arith::CmpFPredicate::OEQ, weight, e.scalar(0));
  forColumns(e, entries - 1, [&](Value c, int64_t count) {
    Value x = loadPart(e, source, {head, token, c}, count);
    if (left)
      x = e.select(left, e.splat(0), x);
    e.vstore(x, target, {row, e.add(c, 1)});
  });
  e.store(e.scalar(1), target, {row, e.index(0)});
  multiplyRuns(target, row);
  // No vector that is read holds anything behind the last feature.
  e.vstore(e.splat(0), target,
           {row, e.index(featuresAt + int64_t(space.rank()))});
}

/// Straight-line code for as many runs as degree 2 has at d = 64; a table for
/// more.
void StreamEmitter::multiplyRuns(Value target, Value row) {
  auto multiply = [&](Value source, Value entries, Value to) {
    Value factor = e.broadcast(e.load(target, {row, source}));
    Value product = e.mulf(factor, e.vload(target, {row, entries}));
    e.vstore(product, target, {row, to});
  };
  int64_t numChunks = int64_t(runs.size()) / 3;
  if (numChunks <= mostRunsInCode) {
    for (ArrayRef<int32_t> left = runs; !left.empty();
         left = left.drop_front(3))
      multiply(e.index(left[0]), e.index(left[1]), e.index(left[2]));
    return;
  }
  auto type = RankedTensorType::get({numChunks, 3}, e.b.getI32Type());
  Value table = constantTable(e, op, "attn_monomial_runs",
                              DenseElementsAttr::get(type, ArrayRef(runs)));
  e.loop(e.index(0), e.index(numChunks), 1, [&](Value chunk) {
    auto entry = [&](int64_t which) {
      Value at = memref::LoadOp::create(e.b, e.loc, table,
                                        ValueRange{chunk, e.index(which)});
      return arith::IndexCastUIOp::create(e.b, e.loc, e.b.getIndexType(), at);
    };
    multiply(entry(0), entry(1), entry(2));
  });
}

void StreamEmitter::packKeys(Block &block) {
  for (auto [t, set] : llvm::enumerate(sets))
    e.loop(e.index(0), block.count, 1, [&, t = t, set = set](Value i) {
      Value token = e.add(block.first, i);
      Value weight =
          set.weights ? e.load(set.weights, {block.head, token}) : Value();
      packRow(set.key, block.head, token, weight, block.keyFeatures[t], i);
      packValues(block, t, i, token, weight);
    });
}

void StreamEmitter::packValues(Block &block, size_t set, Value i, Value token,
                               Value weight) {
  Value values = block.values[set];
  Value left;
  if (weight)
    left = e.compare(arith::CmpFPredicate::OEQ, weight, e.scalar(0));
  forColumns(e, columns - 1, [&](Value c, int64_t count) {
    Value x = loadPart(e, sets[set].value, {block.head, token, c}, count);
    if (weight)
      x = e.select(left, e.splat(0), e.mulf(x, e.broadcast(weight)));
    storePart(e, wide(x), values, {i, c}, count);
  });
  e.store(wide(weight ? weight : e.scalar(1)), values,
          {i, e.index(columns - 1)});
}

void StreamEmitter::packQueries(Block &block, const Readers &readers) {
  int64_t padded = attn::roundUp(int64_t(space.rank()), e.lanes);
  e.loop(e.index(0), block.count, 1, [&](Value i) {
    e.loop(e.index(0), group, 1, [&](Value g) {
      Value row = e.add(e.mul(i, group), g);
      Value head = e.add(e.mul(block.head, group), g);
      packRow(readers.query, head, e.add(block.first, i), {},
              block.queryFeatures, row);
      e.loop(e.index(0), e.index(padded), e.lanes, [&](Value f) {
        Values at = {row, e.add(f, featuresAt)};
        Value weighed = e.mulf(e.vload(block.queryFeatures, at),
                               e.vload(featureWeights, f));
        e.vstore(weighed, block.queryFeatures, at);
      });
    });
  });
}
