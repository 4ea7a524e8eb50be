// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "CertificateText.h"
#include "Certification.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "polyattn/Approximation/Monomials.h"
#include "llvm/Support/Format.h"

#include <cmath>
#include <cstdlib>

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

/// Whole numbers up to a million stay whole.
static std::string fourDigits(double number) {
  bool isWhole = std::fabs(number) < 1e6 && number == std::trunc(number);
  std::string text;
  llvm::raw_string_ostream(text)
      << llvm::format(isWhole ? "%.0f" : "%.4g", number);
  return text;
}

/// The four digits next to `number` on the side of `direction` (1 or -1), or
/// `number` itself if it has no more. What counts is the number that a reader
/// gets back from the text.
static std::string roundedTo(double number, int direction) {
  auto isWrong = [&](const std::string &text) {
    return direction * (std::strtod(text.c_str(), nullptr) - number) < 0;
  };
  std::string text = fourDigits(number);
  if (isWrong(text)) {
    double digit = std::pow(10.0, std::floor(std::log10(number)) - 3);
    text = fourDigits(number + direction * digit);
  }
  return text;
}

std::string polyattn::attn::roundedUp(double number) {
  return roundedTo(number, 1);
}
std::string polyattn::attn::roundedDown(double number) {
  return roundedTo(number, -1);
}

//===----------------------------------------------------------------------===//
// Sentences
//===----------------------------------------------------------------------===//

static std::string sizeText(int64_t size) {
  return ShapedType::isDynamic(size) ? "?" : std::to_string(size);
}

/// "1 head", "? heads".
static std::string countText(int64_t count, StringRef one, StringRef many) {
  return sizeText(count) + " " + (count == 1 ? one : many).str();
}

std::string polyattn::attn::describeOp(ApproximableOpInterface op) {
  AttentionSizes sizes = op.getSizes();
  std::string text = op->getName().stripDialect().str();
  llvm::raw_string_ostream os(text);
  if (auto function = op->getParentOfType<FunctionOpInterface>())
    os << " in @" << function.getName();
  os << ": " << countText(sizes.queryHeads, "head", "heads") << ", "
     << countText(sizes.numQueries, "query", "queries") << ", ";
  llvm::interleave(
      op.getKeyAxes(), os,
      [&](const KeyAxis &axis) { os << sizeText(axis.numKeys); }, " x ");
  os << (op.getKeyAxes().size() == 1 && sizes.numKeys == 1 ? " key" : " keys")
     << ", d = " << sizeText(sizes.headDim) << ", " << op.getElementType();
  return text;
}

static std::string describePromise(ApproximableOpInterface op,
                                   CertificateAttr certificate) {
  size_t degree = op.getKernel().getPolynomial()->size() - 1;
  int64_t headDim = op.getSizes().headDim;
  std::string text = "every entry is within " +
                     roundedUp(certificate.getOutputError()) +
                     " * max|value| of exact softmax attention: " +
                     roundedUp(certificate.getWeightChange()) +
                     " from the polynomial of degree " + std::to_string(degree);
  if (!ShapedType::isDynamic(headDim))
    text += " (rank " +
            std::to_string(monomialCount(uint64_t(headDim), unsigned(degree))) +
            ")";
  return text + ", " + roundedUp(certificate.getRoundingError()) +
         " from rounding; max|value| is that of the entry's column" +
         (op.getKeyAxes().size() > 1 ? ", of products of a value of each set"
                                     : "");
}

static std::string describeAssumptions(ApproximableOpInterface op,
                                       CertificateAttr certificate) {
  size_t degree = op.getKernel().getPolynomial()->size() - 1;
  double bound = certificate.getScoreBound();
  bool several = op.getKeyAxes().size() > 1;
  std::string text =
      several ? "|scale| times the product of the l" +
                    std::to_string(op.getKeyAxes().size() + 1) +
                    " norms of a query and a key of each set at most " +
                    roundedDown(bound) + " for all of a head"
              : "|scale| * |q| * |k| at most " + roundedDown(bound) +
                    " for every query q and key k of a head";
  if (MomentClaimAttr moments = certificate.getMoments())
    text += "; for each query, over the keys that it sees, a mean of s^2 of at "
            "most " +
            roundedDown(moments.getSecondMoment()) +
            " and a mean of s of at least -" + roundedDown(moments.getMean()) +
            ", where s = scale * q.k";
  if (!ShapedType::isDynamic(op.getSizes().headDim))
    text += "; |q| and |k| at most " +
            roundedDown(normLimit(op, degree, bound, certificate.getMaxKeys()));
  return text + "; at most " + std::to_string(certificate.getMaxKeys()) +
         (several ? " keys in each set" : " keys");
}

static StringRef describe(Assumption assumption) {
  switch (assumption) {
  case Assumption::Proved:
    return "the program: the bound is proved";
  case Assumption::Guarded:
    return "a run-time check; inputs that fail it take the exact version";
  case Assumption::Trusted:
    return "nobody: the bound is trusted and never checked";
  }
  llvm_unreachable("no other assumption");
}

CertificateText
polyattn::attn::describeCertificate(ApproximableOpInterface op) {
  CertificateAttr certificate = *op.getCertificate();
  return {describePromise(op, certificate),
          describeAssumptions(op, certificate),
          describe(certificate.getAssumption()).str()};
}
