// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// attn-instrument: a record op before every op that a profile is about.

#include "OpRemarks.h"
#include "ProfileKey.h"
#include "polyattn/Transforms/Passes.h"
#include "llvm/ADT/StringSet.h"

namespace polyattn::attn {
#define GEN_PASS_DEF_ATTNINSTRUMENT
#include "polyattn/Transforms/Passes.h.inc"
} // namespace polyattn::attn

using namespace mlir;
using namespace polyattn::attn;

static constexpr llvm::StringLiteral passName = "attn-instrument";

namespace {
struct InstrumentPass
    : polyattn::attn::impl::AttnInstrumentBase<InstrumentPass> {
  using AttnInstrumentBase::AttnInstrumentBase;

  void runOnOperation() override {
    llvm::StringSet<> recorded;
    getOperation().walk(
        [&](RecordOp op) { recorded.insert(op.getKeyString()); });
    for (auto &[key, op] : findProfiledOps(getOperation())) {
      if (recorded.contains(key))
        continue;
      OpBuilder builder(op);
      op.emitRecord(builder, key);
      emitPassed(op, passName, OpRemark("Instrumented", "recorded as " + key));
    }
    getOperation().walk([](ApproximableOpInterface op) {
      if (op.getKernel().getPolynomial())
        emitMissed(op, passName,
                   OpRemark("Polynomial", "its kernel is a polynomial already, "
                                          "which needs no score bound"));
      else if (std::string reason = op.whyNoRecord(); !reason.empty())
        emitMissed(op, passName, OpRemark("NoRecord", reason));
    });
  }
};
} // namespace
