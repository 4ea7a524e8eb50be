// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Named pipelines. They use upstream passes for everything that is not
// attention.

#include "mlir/Conversion/Passes.h"
#include "mlir/Conversion/TosaToArith/TosaToArith.h"
#include "mlir/Conversion/TosaToLinalg/TosaToLinalg.h"
#include "mlir/Conversion/TosaToTensor/TosaToTensor.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "polyattn/Conversion/Passes.h"
#include "polyattn/Transforms/Passes.h"

using namespace mlir;
using namespace polyattn::attn;

/// Tensors to memrefs; whoever calls a function owns the memrefs it returns.
static void addBufferization(OpPassManager &pm) {
  pm.addPass(bufferization::createEmptyTensorEliminationPass());
  bufferization::OneShotBufferizePassOptions options;
  options.bufferizeFunctionBoundaries = true;
  // What a loop carries may have got memory of its own by fusion.
  options.allowReturnAllocsFromLoops = true;
  options.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  pm.addPass(bufferization::createOneShotBufferizePass(options));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  bufferization::buildBufferDeallocationPipeline(
      pm, bufferization::BufferDeallocationPipelineOptions());
  pm.addPass(createConvertBufferizationToMemRefPass());
}

/// Models' linalg on tensors, but for attention: products as vector code, the
/// rest in few ops that read and write large arrays.
static void addTensorLowering(OpPassManager &pm, const std::string &target) {
  pm.addPass(createConvertElementwiseToLinalgPass());
  pm.addPass(createLinalgFoldUnitExtentDimsPass());
  pm.addPass(createAttnFuseElementwise());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createAttnLowerContractions({target}));
  // Sums that started from fills start in registers now.
  pm.addPass(createCanonicalizerPass());
}

/// Loops and vectors on memrefs to the LLVM dialect.
static void addLLVMLowering(OpPassManager &pm, const std::string &target,
                            bool threads) {
  pm.addPass(createAttnCopiesToLoops());
  pm.addPass(createAttnLinalgToVector({target}));
  pm.addPass(createConvertLinalgToLoopsPass());
  pm.addPass(createConvertVectorToSCFPass());
  pm.addPass(createAttnOutlineLoops());
  pm.addPass(func::createDuplicateFunctionEliminationPass());
  if (threads) {
    pm.addPass(createConvertSCFToOpenMPPass());
    // Buffers inside a parallel region must stay inside it.
    pm.addPass(createCanonicalizerPass());
    pm.addPass(createAttnOpenMPTeams());
  }
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createSCFToControlFlowPass());
  ConvertVectorToLLVMPassOptions vectors;
  vectors.amx = true;
  pm.addPass(createConvertVectorToLLVMPass(vectors));
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createConvertMathToLibmPass());
  pm.addPass(arith::createArithExpandOpsPass());
  pm.addPass(createConvertToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void polyattn::attn::buildToLLVMPipeline(OpPassManager &pm,
                                         const ToLLVMPipelineOptions &options) {
  pm.addPass(createAttnLowerToVector({options.target}));
  pm.addPass(createAttnLowerToReference());
  addTensorLowering(pm, options.target);
  addBufferization(pm);
  addLLVMLowering(pm, options.target, options.threads);
}

void polyattn::attn::buildImportPipeline(OpPassManager &pm) {
  OpPassManager &functions = pm.nest<func::FuncOp>();
  functions.addPass(tosa::createTosaToLinalgNamed());
  functions.addPass(tosa::createTosaToLinalg());
  functions.addPass(createTosaToArithPass());
  functions.addPass(createTosaToTensorPass());
  pm.addPass(createInlinerPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createAttnRaise());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void polyattn::attn::buildPreparePipeline(OpPassManager &pm,
                                          const std::string &target) {
  buildImportPipeline(pm);
  // Before bounds: what is merged now has other ones than two matrices.
  AttnOptimizeLoraOptions lora;
  lora.target = target;
  pm.addPass(createAttnOptimizeLora(lora));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createAttnInferBounds());
}

void polyattn::attn::buildDecidePipeline(
    OpPassManager &pm, const CompilePipelineOptions &options) {
  AttnApproximateOptions approximate;
  approximate.rtol = options.rtol;
  approximate.target = options.target;
  pm.addPass(createAttnApproximate(approximate));
  pm.addPass(createAttnVerifyCertificates());
  pm.addPass(createAttnSchedule({options.target}));
}

void polyattn::attn::buildCompilePipeline(
    OpPassManager &pm, const CompilePipelineOptions &options) {
  buildPreparePipeline(pm, options.target);
  buildDecidePipeline(pm, options);
  buildToLLVMPipeline(pm, options);
}

void polyattn::attn::registerAttnPipelines() {
  PassPipelineRegistration<>(
      "attn-import",
      "Lower TOSA to linalg, inline, and find attention (attn-raise)",
      buildImportPipeline);
  PassPipelineRegistration<ToLLVMPipelineOptions>(
      "attn-to-llvm",
      "Lower attention and the upstream dialects around it to LLVM",
      buildToLLVMPipeline);
  PassPipelineRegistration<CompilePipelineOptions>(
      "attn-compile",
      "Find attention (attn-import), bound scores, approximate where "
      "certified and profitable, verify, schedule, and lower to LLVM",
      buildCompilePipeline);
}
