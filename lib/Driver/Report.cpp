// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "polyattn/Driver/Report.h"
#include "polyattn/Conversion/Passes.h"
#include "polyattn/Transforms/Passes.h"
#include "polyattn/Transforms/Report.h"

#include <map>
#include <set>

using namespace mlir;
using namespace polyattn;
using namespace polyattn::driver;
using attn::ApproximableOpInterface;
namespace json = llvm::json;

/// Starts the names that tell attentions apart while passes copy and move them:
/// places in files need not be different.
static constexpr llvm::StringLiteral labelPrefix = "polyattn-report#";

/// The number in such a name.
static std::optional<size_t> numberOf(llvm::StringRef label) {
  size_t number;
  if (label.consume_front(labelPrefix) && !label.getAsInteger(10, number))
    return number;
  return std::nullopt;
}

static std::optional<size_t> numberOf(ApproximableOpInterface op) {
  return numberOf(locationLabel(op.getLoc()));
}

/// The name that the model gave to a location, or nothing.
static std::string nameOf(Location loc) {
  std::string name;
  loc->walk([&](Location part) {
    auto named = dyn_cast<NameLoc>(part);
    if (!named || named.getName().getValue().starts_with(labelPrefix))
      return WalkResult::advance();
    name = named.getName().str();
    return WalkResult::interrupt();
  });
  return name;
}

static json::Object describe(const TargetDescription &target) {
  return json::Object{{"name", target.name},
                      {"cores", target.cores},
                      {"vectorBits", target.vectorBits},
                      {"flopsPerCycle", target.flopsPerCycle()}};
}

static json::Object describe(const Remark &remark) {
  json::Object metrics;
  std::string text;
  for (const auto &[key, value] : remark.args) {
    if (key == "Remark")
      text = value;
    else
      metrics[key] = value;
  }
  return json::Object{{"kind", remark.kind},
                      {"name", remark.name},
                      {"pass", remark.category},
                      {"location", remark.location},
                      {"text", text},
                      {"metrics", std::move(metrics)}};
}

namespace {
/// The report while it is made.
class Reporter {
public:
  Reporter(Session &session, ModuleOp module, const ReportOptions &options)
      : session(session), module(module), options(options) {}

  llvm::Expected<json::Value> run();

private:
  void numberAttentions();
  void describeAttentions(const TargetDescription &target);
  void addVersions();
  void addRemarks();
  json::Array &remarksFor(const Remark &remark);

  struct Attention {
    json::Object facts;
    int64_t headOffset;
    json::Array remarks, versions;
  };

  Session &session;
  ModuleOp module;
  const ReportOptions &options;
  size_t numbers = 0;
  /// By number, and their order in the module.
  std::map<size_t, Attention> attentions;
  std::vector<size_t> order;
  /// The attention at each place; nothing where there are several.
  std::map<std::string, std::optional<size_t>> byPlace;
  json::Array otherRemarks;
};
} // namespace

/// Gives a number to each attention that has none, or that of another.
void Reporter::numberAttentions() {
  std::set<size_t> seen;
  module->walk([&](ApproximableOpInterface op) {
    std::optional<size_t> number = numberOf(op);
    if (number && seen.insert(*number).second)
      return;
    op->setLoc(NameLoc::get(
        StringAttr::get(op.getContext(), labelPrefix + Twine(numbers)),
        op.getLoc()));
    seen.insert(numbers++);
  });
}

void Reporter::describeAttentions(const TargetDescription &target) {
  module->walk([&](ApproximableOpInterface op) {
    size_t number = *numberOf(op);
    std::string place = locationText(op.getLoc());
    json::Object facts = attn::describeAttention(op, options.rtol);
    facts["location"] = place;
    facts["name"] = nameOf(op.getLoc());
    facts["costs"] =
        attn::describeCosts(op, target, attn::AttnApproximateOptions().maxKeys);
    attentions[number].facts = std::move(facts);
    attentions[number].headOffset = attn::headOffset(op);
    order.push_back(number);
    auto [entry, isNew] = byPlace.try_emplace(place, number);
    if (!isNew)
      entry->second = std::nullopt;
  });
}

void Reporter::addVersions() {
  module->walk([&](ApproximableOpInterface op) {
    auto entry = attentions.find(numberOf(op).value_or(numbers));
    if (entry != attentions.end())
      entry->second.versions.push_back(
          attn::describeVersion(op, entry->second.headOffset));
  });
}

/// What a pass said about an op that was no attention yet is known by place.
json::Array &Reporter::remarksFor(const Remark &remark) {
  std::optional<size_t> number = numberOf(remark.label);
  if (!number)
    if (auto entry = byPlace.find(remark.location); entry != byPlace.end())
      number = entry->second;
  auto entry = attentions.find(number.value_or(numbers));
  return entry == attentions.end() ? otherRemarks : entry->second.remarks;
}

void Reporter::addRemarks() {
  for (const Remark &remark : session.takeRemarks())
    remarksFor(remark).push_back(describe(remark));
}

llvm::Expected<json::Value> Reporter::run() {
  session.takeRemarks();
  numberAttentions();
  if (llvm::Error error = session.runPipeline(module, options.before))
    return error;
  auto prepare = [&](OpPassManager &pm) {
    attn::buildPreparePipeline(pm, options.target);
  };
  if (llvm::Error error =
          session.runPasses(module, "preparing the module", prepare))
    return error;
  FailureOr<TargetDescription> target = resolveTarget(module, options.target);
  if (failed(target))
    return session.makeError("no target to predict costs for");
  numberAttentions();
  describeAttentions(*target);

  attn::CompilePipelineOptions decide;
  decide.rtol = options.rtol;
  decide.target = options.target;
  if (llvm::Error error = session.runPasses(
          module, "deciding about attention", [&](OpPassManager &manager) {
            attn::buildDecidePipeline(manager, decide);
          }))
    return error;
  addVersions();
  addRemarks();

  json::Array list;
  for (size_t number : order) {
    Attention &attention = attentions[number];
    attention.facts["remarks"] = std::move(attention.remarks);
    attention.facts["versions"] = std::move(attention.versions);
    list.push_back(std::move(attention.facts));
  }
  return json::Object{{"rtol", options.rtol},
                      {"target", describe(*target)},
                      {"attentions", std::move(list)},
                      {"remarks", std::move(otherRemarks)}};
}

llvm::Expected<json::Value>
polyattn::driver::makeReport(Session &session, ModuleOp module,
                             const ReportOptions &options) {
  OwningOpRef<ModuleOp> copy = module.clone();
  return Reporter(session, *copy, options).run();
}
