// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "HeadRuns.h"
#include "Versioning.h"

using namespace mlir;
using namespace polyattn::attn;

static double larger(double a, double b) { return std::max(a, b); }

/// What covers both. Without moments of one of them nothing is known of both;
/// and a bound is only as good as the weaker source.
static BoundAttr join(BoundAttr a, BoundAttr b) {
  if (!a || !b)
    return a ? a : b;
  MomentsAttr moments;
  if (a.getMoments() && b.getMoments())
    moments = MomentsAttr::get(a.getContext(),
                               larger(a.getMoments().getCentredBound(),
                                      b.getMoments().getCentredBound()),
                               larger(a.getMoments().getSecondMoment(),
                                      b.getMoments().getSecondMoment()));
  return BoundAttr::get(a.getContext(), larger(a.getValue(), b.getValue()),
                        std::max(a.getSource(), b.getSource()), moments);
}

/// Query heads that share keys.
static int64_t headsOfGroup(ApproximableOpInterface op) {
  AttentionSizes sizes = op.getSizes();
  if (ShapedType::isDynamic(sizes.queryHeads) ||
      ShapedType::isDynamic(sizes.keyHeads) || sizes.keyHeads == 0)
    return 1;
  return sizes.queryHeads / sizes.keyHeads;
}

SmallVector<HeadRun>
polyattn::attn::runsOfHeads(ApproximableOpInterface op,
                            function_ref<std::string(BoundAttr)> decide) {
  std::optional<ArrayAttr> bounds = op.getHeadBounds();
  if (!bounds)
    return {};
  int64_t group = headsOfGroup(op), heads = bounds->size();
  SmallVector<HeadRun> runs;
  std::string last;
  for (int64_t head = 0; head < heads; head += group) {
    BoundAttr bound;
    int64_t end = std::min(head + group, heads);
    for (int64_t i = head; i < end; ++i)
      bound = join(bound, cast<BoundAttr>((*bounds)[i]));
    std::string decision = decide(bound);
    if (!runs.empty() && decision == last) {
      runs.back().to = end;
      runs.back().bound = join(runs.back().bound, bound);
    } else {
      runs.push_back({head, end, bound});
    }
    last = std::move(decision);
  }
  return runs;
}

SmallVector<ApproximableOpInterface>
polyattn::attn::splitIntoRuns(ApproximableOpInterface op,
                              ArrayRef<HeadRun> runs) {
  OpBuilder builder(op);
  SmallVector<ApproximableOpInterface> parts;
  SmallVector<Value> pieces;
  for (const HeadRun &run : runs) {
    Operation *part = op.emitHeads(builder, run.from, run.to);
    if (!part) {
      for (ApproximableOpInterface made : parts)
        made->erase();
      return {};
    }
    parts.push_back(cast<ApproximableOpInterface>(part));
    parts.back().setBound(run.bound, {});
    pieces.push_back(part->getResult(0));
  }
  int64_t heads =
      cast<RankedTensorType>(op->getResult(0).getType()).getRank() - 3;
  op->replaceAllUsesWith(ValueRange(emitJoined(builder, op, heads, pieces)));
  op->erase();
  return parts;
}
