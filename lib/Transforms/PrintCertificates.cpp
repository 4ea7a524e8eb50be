// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// attn-print-certificates: what is promised, to read.

#include "CertificateText.h"
#include "polyattn/Transforms/Passes.h"

namespace polyattn::attn {
#define GEN_PASS_DEF_ATTNPRINTCERTIFICATES
#include "polyattn/Transforms/Passes.h.inc"
} // namespace polyattn::attn

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

/// "model.mlir:3:7", with its name if it has one, as diagnostics print it.
static void printLocation(Location loc, raw_ostream &os) {
  if (auto name = loc->findInstanceOf<NameLoc>())
    os << '"' << name.getName().getValue() << "\" at ";
  if (auto place = loc->findInstanceOf<FileLineColLoc>())
    os << place.getFilename().getValue() << ":" << place.getLine() << ":"
       << place.getColumn();
  else
    os << "an unknown place";
}

static void print(ApproximableOpInterface op, raw_ostream &os) {
  CertificateText text = describeCertificate(op);
  printLocation(op.getLoc(), os);
  os << ": certified " << describeOp(op) << "\n  promises: " << text.promises
     << "\n  assumes: " << text.assumes << "\n  kept by: " << text.keptBy
     << "\n";
}

namespace {
struct PrintCertificatesPass
    : polyattn::attn::impl::AttnPrintCertificatesBase<PrintCertificatesPass> {
  void runOnOperation() override {
    // Printed at once: passes on other functions may be printing too.
    std::string text;
    llvm::raw_string_ostream os(text);
    getOperation()->walk([&](ApproximableOpInterface op) {
      if (op.getCertificate())
        print(op, os);
    });
    llvm::errs() << (text.empty() ? "no certificates\n" : text);
    markAllAnalysesPreserved();
  }
};
} // namespace
