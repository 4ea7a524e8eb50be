// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// A sparse forward dataflow analysis that bounds elements and norms of tensors.
// docs/bounds.md describes it.

#ifndef POLYATTN_ANALYSIS_BOUNDANALYSIS_H
#define POLYATTN_ANALYSIS_BOUNDANALYSIS_H

#include "mlir/Analysis/DataFlow/SparseAnalysis.h"
#include "polyattn/Analysis/BoundFact.h"

namespace polyattn::attn {

/// A fact, or none as long as no execution is known to reach the value.
struct BoundValue {
  std::shared_ptr<const BoundFact> fact;
  /// How often it has grown: loops must come to an end.
  unsigned changes = 0;

  bool operator==(const BoundValue &other) const {
    return fact == other.fact || (fact && other.fact && *fact == *other.fact);
  }
  static BoundValue join(const BoundValue &a, const BoundValue &b);
  void print(llvm::raw_ostream &os) const;
};

struct BoundLattice : mlir::dataflow::Lattice<BoundValue> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(BoundLattice)
  using Lattice::Lattice;
};

class BoundAnalysis
    : public mlir::dataflow::SparseForwardDataFlowAnalysis<BoundLattice> {
public:
  /// `inputMagnitude`: what is assumed of every element of the arguments of
  /// functions that anyone may call; infinity assumes nothing.
  BoundAnalysis(mlir::DataFlowSolver &solver, double inputMagnitude)
      : SparseForwardDataFlowAnalysis(solver), inputMagnitude(inputMagnitude) {}

  mlir::LogicalResult
  visitOperation(mlir::Operation *op,
                 llvm::ArrayRef<const BoundLattice *> operands,
                 llvm::ArrayRef<BoundLattice *> results) override;
  void setToEntryState(BoundLattice *lattice) override;

private:
  BoundFact transfer(mlir::Operation *op, llvm::ArrayRef<BoundFact> in,
                     unsigned resultNumber);

  double inputMagnitude;
};

/// Answers of a finished analysis.
class Bounds {
public:
  /// Analyses everything in `root`; failure only if the solver fails.
  static mlir::FailureOr<Bounds> compute(mlir::Operation *root,
                                         double inputMagnitude);
  /// Null where nothing reaches the value.
  const BoundFact *of(mlir::Value value) const;
  /// In words, the value furthest up that no bound is known of although one
  /// would be needed for `value`.
  std::string whyUnbounded(mlir::Value value) const;

private:
  std::shared_ptr<mlir::DataFlowSolver> solver;
};

} // namespace polyattn::attn

#endif // POLYATTN_ANALYSIS_BOUNDANALYSIS_H
