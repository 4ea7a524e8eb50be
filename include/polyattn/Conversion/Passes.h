// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#ifndef POLYATTN_CONVERSION_PASSES_H
#define POLYATTN_CONVERSION_PASSES_H

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassOptions.h"
#include "polyattn/Dialect/Attn/Attn.h"

namespace polyattn::attn {
using namespace mlir;
#define GEN_PASS_DECL
#include "polyattn/Conversion/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "polyattn/Conversion/Passes.h.inc"

/// Options of the `attn-to-llvm` pipeline.
struct ToLLVMPipelineOptions : PassPipelineOptions<ToLLVMPipelineOptions> {
  Option<std::string> target{*this, "target",
                             llvm::cl::desc("Target description: auto, host, "
                                            "amx, avx512, avx2, neon or "
                                            "generic"),
                             llvm::cl::init("auto")};
  Option<bool> threads{*this, "threads",
                       llvm::cl::desc("Run parallel loops on OpenMP threads"),
                       llvm::cl::init(true)};
};

/// Options of the `attn-compile` pipeline.
struct CompilePipelineOptions : ToLLVMPipelineOptions {
  Option<double> rtol{*this, "rtol",
                      llvm::cl::desc("Largest certified output error, relative "
                                     "to max|value|"),
                      llvm::cl::init(1e-2)};
};

/// Everything from attn and upstream dialects on tensors to the LLVM dialect.
void buildToLLVMPipeline(OpPassManager &pm,
                         const ToLLVMPipelineOptions &options);
/// TOSA to linalg, calls inlined, attention found: `attn-import`.
void buildImportPipeline(mlir::OpPassManager &pm);

/// The first part of `attn-compile`: what makes attention known to the passes
/// that decide about it.
void buildPreparePipeline(OpPassManager &pm,
                          const std::string &target = "auto");
/// The second part: approximate, verify, schedule. Lowering is the third.
void buildDecidePipeline(OpPassManager &pm,
                         const CompilePipelineOptions &options);
/// The whole job: prepare, decide, lower.
void buildCompilePipeline(OpPassManager &pm,
                          const CompilePipelineOptions &options);
void registerAttnPipelines();

/// Asserts, in front of a LoRA op, that the adapter of each row exists; nothing
/// for other ops. Lowerings do so, too: this is for who wants to know of it
/// before.
void emitAdapterCheck(OpBuilder &builder, Operation *op);
} // namespace polyattn::attn

#endif // POLYATTN_CONVERSION_PASSES_H
