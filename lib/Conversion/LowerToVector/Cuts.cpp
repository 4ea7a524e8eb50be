// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Where rows and keys are cut: into pieces of equal length or, under a mask
// with steps, where a StepTiling says. Its positions are constants; lengths,
// and where row 0 stands, may be known to the run alone.

#include "AttentionEmitter.h"
#include "mlir/IR/SymbolTable.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

Value polyattn::attn::constantTable(Emitter &e, Operation *op, StringRef name,
                                    DenseElementsAttr contents) {
  auto module = op->getParentOfType<ModuleOp>();
  auto type =
      MemRefType::get(contents.getType().getShape(), contents.getElementType());
  SymbolTable symbols(module);
  memref::GlobalOp global;
  for (auto candidate : module.getOps<memref::GlobalOp>())
    if (candidate.getInitialValue() == Attribute(contents))
      global = candidate;
  if (!global) {
    OpBuilder::InsertionGuard guard(e.b);
    e.b.setInsertionPointToStart(module.getBody());
    global = memref::GlobalOp::create(
        e.b, e.loc, name, e.b.getStringAttr("private"), type, contents,
        /*constant=*/true, e.b.getI64IntegerAttr(64));
    symbols.insert(global);
  }
  return memref::GetGlobalOp::create(e.b, e.loc, type, global.getSymName());
}

AttentionEmitter::Cuts AttentionEmitter::evenCuts(Value length, Value limit) {
  Cuts cuts;
  cuts.length = length;
  cuts.limit = limit;
  cuts.count = e.ceilDiv(limit, length);
  return cuts;
}

/// `entries` are the table's rows, the position first.
AttentionEmitter::Cuts AttentionEmitter::stepCuts(StringRef name,
                                                  ArrayRef<int64_t> entries,
                                                  int64_t columns, Value length,
                                                  Value limit, bool ofRows) {
  Cuts cuts;
  cuts.length = length;
  cuts.limit = limit;
  cuts.known = int64_t(entries.size()) / columns;
  cuts.last = entries[entries.size() - columns];
  auto type = RankedTensorType::get({cuts.known, columns}, e.b.getI64Type());
  cuts.table =
      constantTable(e, op, name, DenseElementsAttr::get(type, entries));
  Value zero = e.index(0);
  cuts.shift =
      ofRows ? mask.emitFirstPosition(e.b, e.loc, numQueries, numKeys) : zero;
  // A first piece that begins long before is the only one there.
  bool isOpen = entries.front() < 0;
  cuts.before = !ofRows || isOpen
                    ? zero
                    : e.ceilDiv(e.max(e.sub(zero, cuts.shift), zero), length);
  Value behind = e.sub(e.add(limit, cuts.shift), e.index(cuts.last));
  cuts.count = e.add(e.add(cuts.before, cuts.known - 1),
                     e.ceilDiv(e.max(behind, zero), length));
  // Empty pieces behind all others are none: what they would see is unknown.
  if (isOpen)
    cuts.count = e.loop(
        zero, e.index(cuts.known), 1, {zero}, [&](Value i, ValueRange carried) {
          Value isPiece = e.less(cutAt(cuts, i), limit);
          return Values{e.select(isPiece, e.add(i, 1), carried[0])};
        })[0];
  return cuts;
}

/// Tiles of rows; of `queryTile` rows each if the mask has no steps.
AttentionEmitter::Cuts
AttentionEmitter::tileCuts(const std::optional<StepTiling> &steps) {
  if (!steps)
    return evenCuts(e.index(queryTile), numQueries);
  SmallVector<int64_t> entries;
  for (const StepTiling::Tile &tile : steps->tiles)
    entries.append({tile.first, tile.chunk});
  return stepCuts("attn_tiles", entries, 2, e.index(steps->tile), numQueries,
                  /*ofRows=*/true);
}

/// What the table says of a piece, those beside it being like the nearest one.
Value AttentionEmitter::entryOf(const Cuts &cuts, Value piece, int64_t column) {
  Value at = e.sub(piece, cuts.before);
  at = e.min(e.max(at, e.index(0)), e.index(cuts.known - 1));
  Value entry = memref::LoadOp::create(e.b, e.loc, cuts.table,
                                       ValueRange{at, e.index(column)});
  return arith::IndexCastOp::create(e.b, e.loc, e.b.getIndexType(), entry);
}

/// Where a piece begins, which is where the one before it ends.
Value AttentionEmitter::cutAt(const Cuts &cuts, Value piece) {
  if (!cuts.table) {
    Value at = e.mul(piece, cuts.length);
    return cuts.limit ? e.min(at, cuts.limit) : at;
  }
  Value inTable = e.sub(piece, cuts.before);
  Value behind = e.sub(inTable, e.index(cuts.known - 1));
  Value position =
      e.select(e.less(inTable, e.index(cuts.known)), entryOf(cuts, piece, 0),
               e.add(e.index(cuts.last), e.mul(behind, cuts.length)));
  Value at = e.select(e.less(piece, cuts.before), e.mul(piece, cuts.length),
                      e.sub(position, cuts.shift));
  return e.max(e.min(at, cuts.limit), e.index(0));
}
