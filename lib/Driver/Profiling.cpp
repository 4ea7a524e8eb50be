// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "polyattn/Driver/Profiling.h"
#include "polyattn/Runtime/ProfileFile.h"
#include "polyattn/Runtime/Record.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using namespace polyattn;

std::string polyattn::driver::profilingPipeline(StringRef pipeline) {
  if (pipeline.empty())
    pipeline = "attn-schedule,attn-to-llvm";
  if (pipeline.contains("attn-instrument"))
    return pipeline.str();
  StringRef anchor = "builtin.module(";
  bool anchored = pipeline.consume_front(anchor);
  // attn-compile begins with attn-import too, so that keys are the same.
  return ((anchored ? anchor : "") + "attn-import,attn-instrument," + pipeline)
      .str();
}

Error polyattn::driver::collectProfile(profile::Profile &profile,
                                       StringRef source) {
  profile::Recorded recorded = profile::takeRecorded();
  std::string in = source.empty() ? "" : ("'" + source + "': ").str();
  if (!recorded.problem.empty())
    return createStringError(in + "cannot be profiled: " + recorded.problem);
  if (Error error = profile::mergeProfile(profile, recorded.profile))
    return createStringError(
        in + "cannot be profiled: " + toString(std::move(error)) +
        " inputs; a profile is about one number of heads");
  return Error::success();
}

Error polyattn::driver::checkProfileFile(StringRef path, bool merge) {
  if (merge && sys::fs::exists(path))
    if (auto known = profile::readProfile(path); !known)
      return known.takeError();
  StringRef folder = sys::path::parent_path(path);
  if (std::error_code code = sys::fs::access(folder.empty() ? "." : folder,
                                             sys::fs::AccessMode::Write))
    return createStringError("'" + path + "': cannot write: " + code.message());
  return Error::success();
}
