// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// attn-verify-certificates: are the numbers proved, and is what they assume
// established around the op?

#include "Certification.h"
#include "OpRemarks.h"
#include "Versioning.h"
#include "polyattn/Approximation/Interval.h"
#include "polyattn/Transforms/Passes.h"

namespace polyattn::attn {
#define GEN_PASS_DEF_ATTNVERIFYCERTIFICATES
#include "polyattn/Transforms/Passes.h.inc"
} // namespace polyattn::attn

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

/// All digits: claims are compared to the last bit.
static std::string exactly(double number) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.17g", number);
  return text;
}

/// An error unless `claimed` is at least `proved`.
static LogicalResult checkClaim(Operation *op, StringRef what, double claimed,
                                double proved) {
  if (claimed >= proved)
    return success();
  InFlightDiagnostic diag = op->emitOpError("certificate claims less ")
                            << what << " than can be proved";
  diag.attachNote() << "claimed " << exactly(claimed) << ", proved "
                    << exactly(proved)
                    << "; run attn-approximate on the exact op to get a "
                       "certificate that holds";
  return diag;
}

static std::optional<MomentClaim> claimOf(CertificateAttr certificate) {
  MomentClaimAttr claim = certificate.getMoments();
  if (!claim)
    return std::nullopt;
  return MomentClaim{claim.getSecondMoment(), claim.getMean(),
                     claim.getQuadratic()};
}

static std::optional<ErrorBudget> prove(ApproximableOpInterface op,
                                        CertificateAttr certificate) {
  ArrayRef<double> coefficients = *op.getKernel().getPolynomial();
  double bound = certificate.getScoreBound();
  int64_t maxKeys = certificate.getMaxKeys();
  if (auto claim = claimOf(certificate))
    return attn::certifyMoments(op, coefficients, bound, *claim, maxKeys);
  return attn::certify(op, coefficients, bound, maxKeys);
}

static LogicalResult checkNumbers(ApproximableOpInterface op,
                                  CertificateAttr certificate) {
  std::optional<ErrorBudget> proved = prove(op, certificate);
  if (!proved)
    return op.emitOpError("certificate cannot be proved: this polynomial is "
                          "not known to stand for exp within score_bound ")
           << readable(certificate.getScoreBound()) << " and "
           << certificate.getMaxKeys() << " keys";
  double kernelError = certificate.getKernelError();
  auto claim = claimOf(certificate);
  double weightChangeOfClaim = claim ? momentWeightChange(kernelError, *claim)
                                     : weightChange(kernelError);
  double sum =
      nextUp(certificate.getWeightChange() + certificate.getRoundingError());
  return failure(
      failed(checkClaim(op, "kernel_error", certificate.getKernelError(),
                        proved->KernelError)) ||
      failed(checkClaim(op, "weight_change", certificate.getWeightChange(),
                        weightChangeOfClaim)) ||
      failed(checkClaim(op, "rounding_error", certificate.getRoundingError(),
                        proved->RoundingError)) ||
      failed(
          checkClaim(op, "output_error", certificate.getOutputError(), sum)));
}

static LogicalResult checkScoreBound(ApproximableOpInterface op,
                                     CertificateAttr certificate) {
  std::optional<BoundAttr> bound = op.getBound();
  if (!bound)
    return op.emitOpError("has a certificate that assumes score_bound ")
           << readable(certificate.getScoreBound())
           << " but no bound; state it with `bound <B, ...>`";
  if (bound->getValue() > certificate.getScoreBound())
    return op.emitOpError("has score bound ")
           << exactly(bound->getValue()) << " but its certificate covers only "
           << exactly(certificate.getScoreBound());
  return success();
}

static LogicalResult checkGuard(ApproximableOpInterface op,
                                CertificateAttr certificate,
                                ArrayRef<Value> conditions) {
  size_t degree = op.getKernel().getPolynomial()->size() - 1;
  double bound = certificate.getScoreBound();
  double norm = normLimit(op, degree, bound, certificate.getMaxKeys());
  InputLimits limits{bound, norm, {}};
  if (auto claim = claimOf(certificate))
    limits.moments = MomentLimits{claim->SecondMoment, claim->Mean};
  if (llvm::any_of(conditions, [&](Value condition) {
        return op.isBoundCheck(condition, limits);
      }))
    return success();
  InFlightDiagnostic diag =
      op.emitOpError("has a certificate that assumes a run-time check, but "
                     "is not in the then-region of an scf.if on "
                     "attn.check_bound of its own inputs with bound at most ")
      << exactly(bound) << " and max_norm at most " << readable(norm);
  if (limits.moments)
    diag << ", second_moment at most " << exactly(limits.moments->secondMoment)
         << " and mean at most " << exactly(limits.moments->mean);
  return diag;
}

static LogicalResult checkAssumption(ApproximableOpInterface op,
                                     CertificateAttr certificate,
                                     ArrayRef<Value> conditions) {
  switch (certificate.getAssumption()) {
  case Assumption::Trusted:
    return success();
  case Assumption::Guarded:
    return checkGuard(op, certificate, conditions);
  case Assumption::Proved:
    if (op.getBound()->getSource() == BoundSource::Proved)
      return success();
    return op.emitOpError("has a certificate that assumes a proved bound, but "
                          "its bound is only ")
           << stringifyBoundSource(op.getBound()->getSource())
           << "; guard the op, or say `assumption = trusted`";
  }
  llvm_unreachable("no other assumption");
}

static LogicalResult checkKeys(ApproximableOpInterface op, const KeyAxis &axis,
                               CertificateAttr certificate,
                               ArrayRef<Value> conditions) {
  int64_t numKeys = axis.numKeys, covered = certificate.getMaxKeys();
  if (!ShapedType::isDynamic(numKeys)) {
    if (numKeys <= covered)
      return success();
    return op.emitOpError("has ")
           << numKeys << " keys but its certificate covers only " << covered;
  }
  if (certificate.getAssumption() == Assumption::Trusted)
    return success();
  if (llvm::any_of(conditions, [&](Value condition) {
        return impliesAtMost(condition, axis.length, covered);
      }))
    return success();
  return op.emitOpError("has a dynamic number of keys, but is not in the "
                        "then-region of an scf.if that checks that there are "
                        "at most ")
         << covered << ", as its certificate assumes";
}

namespace {
struct VerifyCertificatesPass
    : polyattn::attn::impl::AttnVerifyCertificatesBase<VerifyCertificatesPass> {
  using AttnVerifyCertificatesBase::AttnVerifyCertificatesBase;

  void runOnOperation() override {
    if (maxKeys < 0) {
      getOperation()->emitError("attn-verify-certificates: max-keys must be at "
                                "least 0, found ")
          << int64_t(maxKeys);
      return signalPassFailure();
    }
    // Every bad certificate is reported, not just the first.
    getOperation()->walk([&](ApproximableOpInterface op) {
      if (std::optional<CertificateAttr> certificate = op.getCertificate())
        if (failed(check(op, *certificate)))
          signalPassFailure();
    });
    markAllAnalysesPreserved();
  }

private:
  LogicalResult check(ApproximableOpInterface op, CertificateAttr certificate) {
    SmallVector<Value> conditions = conditionsAround(op);
    if (failed(checkNumbers(op, certificate)) ||
        failed(checkScoreBound(op, certificate)) ||
        failed(checkAssumption(op, certificate, conditions)))
      return failure();
    for (const KeyAxis &axis : op.getKeyAxes())
      if (failed(checkKeys(op, axis, certificate, conditions)))
        return failure();
    if (maxKeys != 0 && certificate.getMaxKeys() < maxKeys)
      return op.emitOpError("certificate covers ")
             << certificate.getMaxKeys() << " keys, fewer than the "
             << int64_t(maxKeys) << " that max-keys asks for";
    return success();
  }
};
} // namespace
