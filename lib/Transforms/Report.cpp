// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "polyattn/Transforms/Report.h"
#include "CertificateText.h"
#include "Certification.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "polyattn/Analysis/CostModel.h"
#include "polyattn/Approximation/ExpPolynomial.h"

#include <cmath>

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;
namespace json = llvm::json;

/// Curves end here if the op is not longer itself.
static constexpr int64_t longestOfCurve = int64_t(1) << 17;
static constexpr int64_t shortestOfCurve = 64;
/// Where break-even is looked for.
static constexpr int64_t longestLength = int64_t(1) << 40;
/// At d = 16 the rank of degree 5 is 20,349: a state of more never pays.
static constexpr unsigned highestDegreeOfCurve = 5;
/// The polynomial of the least score bound that is approximated.
static constexpr double leastBound = 1e-6;

static json::Value sizeOrNull(int64_t size) {
  return ShapedType::isDynamic(size) ? json::Value(nullptr) : json::Value(size);
}

template <typename T> static json::Value orNull(const std::optional<T> &value) {
  return value ? json::Value(*value) : json::Value(nullptr);
}

/// As the attribute stands in an op: without "#attn.".
static std::string plainText(Attribute attribute) {
  std::string text;
  llvm::raw_string_ostream(text) << attribute;
  StringRef plain = text;
  plain.consume_front("#attn.");
  return plain.str();
}

//===----------------------------------------------------------------------===//
// What an op is
//===----------------------------------------------------------------------===//

static json::Object describeSizes(const AttentionSizes &sizes) {
  return json::Object{{"queryHeads", sizeOrNull(sizes.queryHeads)},
                      {"keyHeads", sizeOrNull(sizes.keyHeads)},
                      {"numQueries", sizeOrNull(sizes.numQueries)},
                      {"numKeys", sizeOrNull(sizes.numKeys)},
                      {"headDim", sizeOrNull(sizes.headDim)},
                      {"valueDim", sizeOrNull(sizes.valueDim)}};
}

static json::Value describeBound(BoundAttr bound) {
  if (!bound)
    return nullptr;
  json::Object object{{"value", double(bound.getValue())},
                      {"source", stringifyBoundSource(bound.getSource())}};
  if (MomentsAttr moments = bound.getMoments())
    object["moments"] =
        json::Object{{"centredBound", double(moments.getCentredBound())},
                     {"secondMoment", double(moments.getSecondMoment())}};
  return object;
}

/// The query tensor; its dimension before the rows counts heads.
static Value queryOf(ApproximableOpInterface op) {
  return op.getNumQueriesDim().tensor;
}

/// Query heads of one batch; kDynamic if that is not known.
static int64_t headsOfBatch(ApproximableOpInterface op) {
  auto type = cast<RankedTensorType>(queryOf(op).getType());
  return type.getRank() < 3 ? 1 : type.getDimSize(type.getRank() - 3);
}

static json::Object describeHeads(ApproximableOpInterface op, int64_t first,
                                  int64_t count, BoundAttr bound,
                                  double tolerance) {
  json::Object heads{{"first", first},
                     {"count", sizeOrNull(count)},
                     {"bound", describeBound(bound)}};
  int64_t headDim = op.getSizes().headDim;
  if (!bound || !isa<ExpKernelAttr>(op.getKernel()) ||
      ShapedType::isDynamic(headDim))
    return heads;
  std::optional<ExpPolynomial> fit = fitExpToError(
      std::max<double>(bound.getValue(), leastBound), tolerance, MaxDegree);
  if (fit) {
    heads["degree"] = fit->degree();
    heads["rank"] = std::round(featureCount(headDim, fit->degree()));
  }
  return heads;
}

static json::Array describeAllHeads(ApproximableOpInterface op,
                                    double tolerance) {
  BoundAttr bound = op.getBound().value_or(BoundAttr());
  std::optional<ArrayAttr> each = op.getHeadBounds();
  if (!each)
    return json::Array{
        describeHeads(op, 0, headsOfBatch(op), bound, tolerance)};
  json::Array heads;
  for (size_t first = 0, last; first < each->size(); first = last) {
    for (last = first + 1;
         last < each->size() && (*each)[last] == (*each)[first]; ++last)
      ;
    heads.push_back(describeHeads(op, int64_t(first), int64_t(last - first),
                                  cast<BoundAttr>((*each)[first]), tolerance));
  }
  return heads;
}

/// One for all sets of keys where they agree.
static std::string masksText(ApproximableOpInterface op) {
  SmallVector<KeyAxis, 2> axes = op.getKeyAxes();
  bool same = llvm::all_of(
      axes, [&](const KeyAxis &axis) { return axis.mask == axes[0].mask; });
  std::string text;
  for (const KeyAxis &axis : ArrayRef(axes).take_front(same ? 1 : axes.size()))
    text += (text.empty() ? "" : ", ") + plainText(axis.mask);
  return text;
}

json::Object polyattn::attn::describeAttention(ApproximableOpInterface op,
                                               double tolerance) {
  std::string function;
  if (auto parent = op->getParentOfType<FunctionOpInterface>())
    function = parent.getName().str();
  return json::Object{
      {"op", op->getName().getStringRef()},
      {"function", std::move(function)},
      {"elementType", plainText(TypeAttr::get(op.getElementType()))},
      {"mask", masksText(op)},
      {"scale", op.getScale().convertToDouble()},
      {"kernel", plainText(op.getKernel())},
      {"sizes", describeSizes(op.getSizes())},
      {"whyNoState", op.whyNoState()},
      {"heads", describeAllHeads(op, tolerance)}};
}

//===----------------------------------------------------------------------===//
// What it would cost
//===----------------------------------------------------------------------===//

namespace {
/// Costs of one op, each length of which may be the curve's or its own.
class Curves {
public:
  Curves(ApproximableOpInterface op, const TargetDescription &target,
         int64_t maxKeys)
      : op(op), target(target), maxKeys(maxKeys), work(AttentionWork::of(op)),
        varying(work.atAnyLength()) {
    // A few new queries against many keys stay a few.
    int64_t n = work.sizes.numQueries;
    keepsQueries = !ShapedType::isDynamic(n) && n != work.sizes.numKeys;
    if (keepsQueries)
      varying.sizes.numQueries = n;
    if (auto polynomial = op.getKernel().getPolynomial())
      directDegree = unsigned(polynomial->size() - 1);
  }

  json::Object describe();

private:
  json::Object describeDegree(unsigned degree, ArrayRef<int64_t> lengths);
  SmallVector<int64_t> lengths() const;
  std::optional<double> certifiedError(unsigned degree);
  SmallVector<unsigned> degrees();

  ApproximableOpInterface op;
  const TargetDescription &target;
  int64_t maxKeys;
  AttentionWork work, varying;
  bool keepsQueries;
  /// 0 for exp.
  unsigned directDegree = 0;
};
} // namespace

/// Half octaves.
SmallVector<int64_t> Curves::lengths() const {
  int64_t own = work.sizes.numKeys;
  int64_t last = longestOfCurve;
  if (!ShapedType::isDynamic(own))
    last = std::max(last, 2 * own);
  SmallVector<int64_t> lengths;
  for (int64_t n = shortestOfCurve; n <= last; n *= 2) {
    lengths.push_back(n);
    if (2 * n <= last)
      lengths.push_back(int64_t(std::lround(double(n) * std::sqrt(2.0))));
  }
  return lengths;
}

SmallVector<unsigned> Curves::degrees() {
  if (!op.whyNoState().empty())
    return {};
  if (directDegree)
    return whyNoNativeState(work, directDegree).empty()
               ? SmallVector<unsigned>{directDegree}
               : SmallVector<unsigned>();
  SmallVector<unsigned> degrees;
  for (unsigned degree = 1;
       degree <= highestDegreeOfCurve && whyNoNativeState(work, degree).empty();
       ++degree)
    degrees.push_back(degree);
  return degrees;
}

/// Of the polynomial that a rewrite would take, at the op's own bound.
std::optional<double> Curves::certifiedError(unsigned degree) {
  std::optional<BoundAttr> bound = op.getBound();
  if (!bound || directDegree)
    return std::nullopt;
  double value = std::max<double>(bound->getValue(), leastBound);
  std::optional<ExpPolynomial> fit = fitExp(value, degree);
  if (!fit)
    return std::nullopt;
  std::optional<ErrorBudget> budget =
      attn::certify(op, fit->Coefficients, value, op.getMostKeys(maxKeys));
  if (!budget)
    return std::nullopt;
  return budget->OutputError;
}

json::Object Curves::describeDegree(unsigned degree,
                                    ArrayRef<int64_t> lengths) {
  json::Array cycles;
  for (int64_t n : lengths)
    cycles.push_back(
        compareCosts(varying.at(n), directDegree, degree, target).state);
  std::optional<double> now, gain;
  if (work.isStatic()) {
    CostComparison costs =
        compareCosts(work.at(1), directDegree, degree, target);
    now = costs.state;
    gain = costs.gain();
  }
  return json::Object{
      {"degree", degree},
      {"rank", std::round(featureCount(work.sizes.headDim, degree))},
      {"stateBytes", stateBytes(work, degree)},
      {"cycles", std::move(cycles)},
      {"now", orNull(now)},
      {"gain", orNull(gain)},
      {"breakEven", orNull(breakEvenLength(varying, directDegree, degree,
                                           target, longestLength))},
      {"certifiedError", orNull(certifiedError(degree))}};
}

json::Object Curves::describe() {
  SmallVector<int64_t> lengths = this->lengths();
  json::Array direct, degreesOut;
  for (int64_t n : lengths)
    direct.push_back(directCycles(varying.at(n), directDegree, target));
  for (unsigned degree : degrees())
    degreesOut.push_back(describeDegree(degree, lengths));
  std::optional<double> now;
  if (work.isStatic())
    now = directCycles(work.at(1), directDegree, target);
  return json::Object{{"varies", keepsQueries ? "keys" : "queries and keys"},
                      {"lengths", json::Array(lengths)},
                      {"direct", std::move(direct)},
                      {"directNow", orNull(now)},
                      {"degrees", std::move(degreesOut)}};
}

json::Object polyattn::attn::describeCosts(ApproximableOpInterface op,
                                           const TargetDescription &target,
                                           int64_t maxKeys) {
  // Costs are per column: without their number there are none, nor where
  // nothing is to be computed.
  AttentionSizes sizes = op.getSizes();
  if (ShapedType::isDynamic(sizes.headDim) ||
      ShapedType::isDynamic(sizes.valueDim) || AttentionWork::of(op).isEmpty())
    return {};
  return Curves(op, target, maxKeys).describe();
}

//===----------------------------------------------------------------------===//
// What became of it
//===----------------------------------------------------------------------===//

int64_t polyattn::attn::headOffset(ApproximableOpInterface op) {
  int64_t offset = 0;
  Value query = queryOf(op);
  while (auto slice = query.getDefiningOp<tensor::ExtractSliceOp>()) {
    int64_t dim = slice.getType().getRank() - 3;
    if (dim < 0 || slice.getSourceType().getRank() != slice.getType().getRank())
      return ShapedType::kDynamic;
    int64_t here = slice.getStaticOffset(unsigned(dim));
    if (ShapedType::isDynamic(here) ||
        slice.getStaticStride(unsigned(dim)) != 1)
      return ShapedType::kDynamic;
    offset += here;
    query = slice.getSource();
  }
  return offset;
}

/// Does it stand where a condition failed?
static bool isFallback(Operation *op) {
  for (; op; op = op->getParentOp()) {
    auto ifOp = dyn_cast_or_null<scf::IfOp>(op->getParentOp());
    if (ifOp && op->getParentRegion() == &ifOp.getElseRegion())
      return true;
  }
  return false;
}

static json::Value describeCertificateOf(ApproximableOpInterface op) {
  std::optional<CertificateAttr> certificate = op.getCertificate();
  if (!certificate)
    return nullptr;
  CertificateText text = describeCertificate(op);
  return json::Object{
      {"outputError", double(certificate->getOutputError())},
      {"weightChange", double(certificate->getWeightChange())},
      {"roundingError", double(certificate->getRoundingError())},
      {"scoreBound", double(certificate->getScoreBound())},
      {"maxKeys", certificate->getMaxKeys()},
      {"assumption", stringifyAssumption(certificate->getAssumption())},
      {"promises", text.promises},
      {"assumes", text.assumes},
      {"keptBy", text.keptBy}};
}

json::Object polyattn::attn::describeVersion(ApproximableOpInterface op,
                                             int64_t offset) {
  int64_t first = headOffset(op);
  if (ShapedType::isDynamic(first) || ShapedType::isDynamic(offset))
    first = ShapedType::kDynamic;
  else
    first -= offset;
  json::Object version{{"first", sizeOrNull(first)},
                       {"count", sizeOrNull(headsOfBatch(op))},
                       {"evaluation", nullptr},
                       {"degree", nullptr},
                       {"rank", nullptr},
                       {"certificate", describeCertificateOf(op)},
                       {"fallback", isFallback(op)}};
  if (std::optional<Evaluation> evaluation = op.getEvaluation())
    version["evaluation"] = stringifyEvaluation(*evaluation);
  if (auto polynomial = op.getKernel().getPolynomial()) {
    unsigned degree = unsigned(polynomial->size() - 1);
    version["degree"] = degree;
    if (int64_t d = op.getSizes().headDim; !ShapedType::isDynamic(d))
      version["rank"] = std::round(featureCount(d, degree));
  }
  return version;
}
