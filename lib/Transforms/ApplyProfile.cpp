// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// attn-apply-profile: score bounds and moments from a profile.

#include "OpRemarks.h"
#include "ProfileKey.h"
#include "polyattn/Runtime/ProfileFile.h"
#include "polyattn/Transforms/Passes.h"

namespace polyattn::attn {
#define GEN_PASS_DEF_ATTNAPPLYPROFILE
#include "polyattn/Transforms/Passes.h.inc"
} // namespace polyattn::attn

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;
using profile::HeadStatistics;
using profile::OpStatistics;

static constexpr llvm::StringLiteral passName = "attn-apply-profile";

using ProfiledOps =
    std::vector<std::pair<std::string, ApproximableOpInterface>>;

/// The one of `names` that takes the fewest edits to become `name`; empty if
/// there is none.
template <typename Names>
static std::string nearest(StringRef name, const Names &names) {
  std::string best;
  unsigned least = ~0u;
  for (const auto &entry : names) {
    unsigned distance = name.edit_distance(entry.first);
    if (distance < least)
      std::tie(least, best) = std::pair(distance, std::string(entry.first));
  }
  return best;
}

namespace {

/// What the profile says of one op, as attributes.
class Annotation {
public:
  Annotation(ApproximableOpInterface op, const OpStatistics &statistics,
             double margin, bool replaceProved)
      : op(op), statistics(statistics), margin(margin),
        replaceProved(replaceProved) {}

  /// Fails where an attribute would not be valid.
  LogicalResult apply();
  OpRemark describe();

private:
  /// Null after an error.
  BoundAttr profiled(double bound, double centredBound, double secondMoment);
  /// A proved bound, which needs no check, unless the profile's is smaller.
  BoundAttr choose(BoundAttr known, BoundAttr profiled) const;
  ArrayAttr headBounds(BoundAttr known);
  /// The largest of any head.
  double largest(function_ref<double(const HeadStatistics &)> of) const;

  ApproximableOpInterface op;
  const OpStatistics &statistics;
  double margin;
  bool replaceProved;
  /// What the profile says of all heads, margin included.
  BoundAttr seenByAll;
  bool keptProved = false;
};

} // namespace

BoundAttr Annotation::profiled(double bound, double centredBound,
                               double secondMoment) {
  auto error = [&] { return op.emitError("attn-apply-profile: "); };
  MLIRContext *context = op.getContext();
  // Scores of other inputs may be `margin` times as large, so squares of
  // scores margin^2 times.
  auto moments =
      MomentsAttr::getChecked(error, context, Real(margin * centredBound),
                              Real(margin * margin * secondMoment));
  if (!moments)
    return {};
  return BoundAttr::getChecked(error, context, Real(margin * bound),
                               BoundSource::Profiled, moments);
}

BoundAttr Annotation::choose(BoundAttr known, BoundAttr profiled) const {
  bool keep = known && known.getSource() == BoundSource::Proved &&
              known.getValue() <= profiled.getValue() && !replaceProved;
  return keep ? known : profiled;
}

double
Annotation::largest(function_ref<double(const HeadStatistics &)> of) const {
  double most = 0;
  for (const HeadStatistics &head : statistics.heads)
    most = std::max(most, of(head));
  return most;
}

/// Null after an error.
ArrayAttr Annotation::headBounds(BoundAttr known) {
  std::optional<ArrayAttr> knownHeads = op.getHeadBounds();
  SmallVector<Attribute> bounds;
  for (auto [i, head] : llvm::enumerate(statistics.heads)) {
    BoundAttr seen =
        profiled(head.bound, head.centredBound, head.secondMoment());
    if (!seen)
      return {};
    auto ofHead = knownHeads ? cast<BoundAttr>((*knownHeads)[i]) : known;
    bounds.push_back(choose(ofHead, seen));
  }
  return ArrayAttr::get(op.getContext(), bounds);
}

LogicalResult Annotation::apply() {
  int64_t heads = op.getNumHeads(), seen = statistics.heads.size();
  if (!ShapedType::isDynamic(heads) && heads != seen)
    return op.emitError("attn-apply-profile: the op has ")
           << heads << " query heads but the profile has " << seen;
  BoundAttr known = op.getBound().value_or(BoundAttr());
  seenByAll = profiled(largest([](auto &head) { return head.bound; }),
                       largest([](auto &head) { return head.centredBound; }),
                       largest([](auto &head) { return head.secondMoment(); }));
  if (!seenByAll)
    return failure();
  ArrayAttr perHead;
  if (!ShapedType::isDynamic(heads) && !(perHead = headBounds(known)))
    return failure();
  BoundAttr chosen = choose(known, seenByAll);
  keptProved = chosen != seenByAll;
  op.setBound(chosen, perHead);
  return success();
}

OpRemark Annotation::describe() {
  BoundAttr bound = *op.getBound();
  MomentsAttr moments = seenByAll.getMoments();
  OpRemark remark("Annotated", "");
  llvm::raw_string_ostream text(remark.text);
  text << "score bound " << readable(bound.getValue());
  if (keptProved)
    text << " (proved, kept: the profile says "
         << readable(seenByAll.getValue()) << ")";
  else
    text << " (profiled), of centred keys "
         << readable(moments.getCentredBound()) << ", second moment "
         << readable(moments.getSecondMoment());
  text << ", from " << statistics.calls
       << (statistics.calls == 1 ? " call" : " calls") << " with up to "
       << statistics.longest << " keys, margin " << readable(margin);
  remark.metric("ScoreBound", bound.getValue())
      .metric("CentredBound", moments.getCentredBound())
      .metric("SecondMoment", moments.getSecondMoment())
      .metric("Calls", double(statistics.calls));
  return remark;
}

namespace {
struct ApplyProfilePass
    : polyattn::attn::impl::AttnApplyProfileBase<ApplyProfilePass> {
  using AttnApplyProfileBase::AttnApplyProfileBase;

  void runOnOperation() override {
    if (failed(checkOptions()))
      return signalPassFailure();
    llvm::Expected<profile::Profile> known = profile::readProfile(file);
    if (!known) {
      getOperation().emitError("attn-apply-profile: ")
          << llvm::toString(known.takeError());
      return signalPassFailure();
    }
    ProfiledOps ops = findProfiledOps(getOperation());
    if (failed(checkMatch(ops, *known)))
      return signalPassFailure();
    for (auto &[key, op] : ops)
      if (auto entry = known->find(key); entry != known->end())
        if (failed(annotate(op, entry->second)))
          return signalPassFailure();
  }

private:
  LogicalResult annotate(ApproximableOpInterface op,
                         const OpStatistics &statistics) {
    Annotation annotation(op, statistics, margin, replaceProved);
    if (failed(annotation.apply()))
      return failure();
    emitPassed(op, passName, annotation.describe());
    return success();
  }

  LogicalResult checkOptions() {
    if (file.empty())
      return getOperation().emitError(
          "attn-apply-profile: needs file=..., a profile as polyattn-run "
          "--profile-out writes it");
    // Written so that NaN fails too.
    if (!(margin >= 1) || !std::isfinite(margin))
      return getOperation().emitError(
                 "attn-apply-profile: margin must be at least 1, found ")
             << readable(margin);
    return success();
  }

  /// Every op has an entry and every entry an op; all that do not are named.
  LogicalResult checkMatch(ProfiledOps &ops, const profile::Profile &known) {
    bool matches = true;
    std::map<std::string, bool> keys;
    for (auto &[key, op] : ops) {
      keys[key] = true;
      if (known.count(key))
        continue;
      std::string text =
          "the profile '" + file + "' has no entry '" + key + "' for this op";
      if (allowMissing) {
        emitMissed(op, passName, OpRemark("NoEntry", text));
        continue;
      }
      matches = false;
      op.emitError("attn-apply-profile: ")
          << text << hint("; the nearest entry is ", nearest(key, known))
          << "; profile again, or use allow-missing to leave it as it is";
    }
    for (const auto &[key, statistics] : known)
      if (!keys.count(key) && !allowUnused) {
        matches = false;
        getOperation().emitError("attn-apply-profile: no op fits the entry '")
            << key << "' of the profile '" << file << "'"
            << hint("; the nearest op is ", nearest(key, keys))
            << "; was it made from another program, or at another point of "
               "the pipeline? allow-unused ignores such entries";
      }
    return success(matches);
  }

  static std::string hint(StringRef text, const std::string &name) {
    return name.empty() ? "" : (text + "'" + name + "'").str();
  }
};
} // namespace
