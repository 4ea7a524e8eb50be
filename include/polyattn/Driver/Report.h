// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// What is decided about every attention of a module, and why, as data.

#ifndef POLYATTN_DRIVER_REPORT_H
#define POLYATTN_DRIVER_REPORT_H

#include "polyattn/Driver/Session.h"
#include "llvm/Support/JSON.h"

namespace polyattn::driver {

struct ReportOptions {
  /// Passes to run first, such as one that finds attention; may be empty.
  std::string before;
  /// As options of `attn-compile`.
  double rtol = 1e-2;
  std::string target = "auto";
};

/// Decides about a copy of `module` as `attn-compile` does, and reports:
///
///   rtol: number; target: {name, cores, vectorBits, flopsPerCycle}
///   attentions: [{location, name, facts..., costs, remarks, versions}]
///   remarks: those that belong to no attention of the list
///
/// `facts`, `costs` and `versions` are those of polyattn/Transforms/Report.h; a
/// remark is {kind, name, pass, location, text, metrics: {key: text}}.
/// Attentions come in the order of the module. Fails as the passes do.
llvm::Expected<llvm::json::Value> makeReport(Session &session,
                                             mlir::ModuleOp module,
                                             const ReportOptions &options);

} // namespace polyattn::driver

#endif // POLYATTN_DRIVER_REPORT_H
