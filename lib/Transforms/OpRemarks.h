// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Remarks about one op: a line to read and numbers for tools.

#ifndef POLYATTN_LIB_TRANSFORMS_OPREMARKS_H
#define POLYATTN_LIB_TRANSFORMS_OPREMARKS_H

#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/Support/Format.h"

#include <cmath>
#include <string>

namespace polyattn::attn {

/// Three significant digits, or a whole number up to a million in full. For
/// people; metrics carry every digit.
inline std::string readable(double number) {
  bool isWhole = std::fabs(number) < 1e6 && number == std::trunc(number);
  std::string text;
  llvm::raw_string_ostream(text)
      << llvm::format(isWhole ? "%.0f" : "%.3g", number);
  return text;
}

struct OpRemark {
  llvm::StringRef name;
  std::string text;
  llvm::SmallVector<std::pair<llvm::StringRef, std::string>> metrics;

  OpRemark() = default;
  OpRemark(llvm::StringRef name, const llvm::Twine &text)
      : name(name), text(text.str()) {}

  OpRemark &metric(llvm::StringRef key, double number) {
    std::string digits;
    llvm::raw_string_ostream(digits) << llvm::format("%.17g", number);
    metrics.emplace_back(key, std::move(digits));
    return *this;
  }

  /// Category polyattn, subcategory the pass. Costs nothing where remarks are
  /// off.
  mlir::remark::RemarkOpts options(mlir::Operation *op,
                                   llvm::StringRef pass) const {
    llvm::StringRef function;
    if (auto parent = op->getParentOfType<mlir::FunctionOpInterface>())
      function = parent.getName();
    return mlir::remark::RemarkOpts::name(name)
        .category("polyattn")
        .subCategory(pass)
        .function(function);
  }

  void addTo(mlir::remark::detail::InFlightRemark remark) const {
    if (!remark)
      return;
    remark << llvm::StringRef(text);
    for (const auto &[key, digits] : metrics)
      remark << mlir::remark::metric(key, digits);
  }
};

inline void emitPassed(mlir::Operation *op, llvm::StringRef pass,
                       const OpRemark &remark) {
  remark.addTo(mlir::remark::passed(op->getLoc(), remark.options(op, pass)));
}
inline void emitMissed(mlir::Operation *op, llvm::StringRef pass,
                       const OpRemark &remark) {
  remark.addTo(mlir::remark::missed(op->getLoc(), remark.options(op, pass)));
}
inline void emitAnalysis(mlir::Operation *op, llvm::StringRef pass,
                         const OpRemark &remark) {
  remark.addTo(mlir::remark::analysis(op->getLoc(), remark.options(op, pass)));
}

/// Is anybody listening? Asked before anything costly is computed for a remark.
inline bool wantsRemarks(mlir::Operation *op) {
  return op->getContext()->getRemarkEngine() != nullptr;
}

} // namespace polyattn::attn

#endif // POLYATTN_LIB_TRANSFORMS_OPREMARKS_H
