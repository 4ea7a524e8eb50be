// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Between ops and the plain C++ certificates. The pass that writes certificates
// and the pass that checks them ask here, so they cannot disagree.

#ifndef POLYATTN_LIB_TRANSFORMS_CERTIFICATION_H
#define POLYATTN_LIB_TRANSFORMS_CERTIFICATION_H

#include "polyattn/Approximation/Certificate.h"
#include "polyattn/Dialect/Attn/Attn.h"

namespace polyattn::attn {

/// Proves the error of evaluating `op` with this polynomial for exp over at
/// most `maxKeys` keys; nothing if nothing useful can be proved.
std::optional<ErrorBudget> certify(ApproximableOpInterface op,
                                   llvm::ArrayRef<double> coefficients,
                                   double scoreBound, int64_t maxKeys);

/// The same for a moment certificate.
std::optional<ErrorBudget>
certifyMoments(ApproximableOpInterface op, llvm::ArrayRef<double> coefficients,
               double scoreBound, const MomentClaim &claim, int64_t maxKeys);

/// The largest norm of a query or key at which a kernel of this degree neither
/// overflows nor underflows; 0 if there is none.
double normLimit(ApproximableOpInterface op, unsigned degree, double scoreBound,
                 int64_t maxKeys);

} // namespace polyattn::attn

#endif // POLYATTN_LIB_TRANSFORMS_CERTIFICATION_H
