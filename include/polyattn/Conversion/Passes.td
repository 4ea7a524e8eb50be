// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Passes that leave the attn dialect.

#ifndef POLYATTN_CONVERSION_PASSES_TD
#define POLYATTN_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def AttnLowerToReference : Pass<"attn-lower-to-reference"> {
  let summary = "write every attn op as plain linalg, arith and math";
  let description = [{
    The meaning of every op, spelled out on tensors without regard to speed: scores, mask, kernel, sums, one division.
    It is the oracle of the tests (`compute-type=f64`) and the fallback for what no fast path takes.

    `attn.record` becomes a call of `polyattn_record`; to declare it, the pass must run on the module.
  }];
  let options = [
    Option<"computeType", "compute-type", "std::string", "\"auto\"",
           "Type of all arithmetic: auto (f32, or f64 for f64 inputs), f32 or f64">
  ];
  let dependentDialects = [
    "::polyattn::attn::AttnDialect", "::mlir::cf::ControlFlowDialect", "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect",
    "::mlir::math::MathDialect", "::mlir::arith::ArithDialect", "::mlir::bufferization::BufferizationDialect",
    "::mlir::func::FuncDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"
  ];
}

def AttnLowerToVector : Pass<"attn-lower-to-vector", "::mlir::ModuleOp"> {
  let summary = "write attention as parallel tile loops of register-blocked vector code";
  let description = [{
    Lowers `attn.attention` (in its chosen evaluation order) and `attn.check_bound` on tensors to `scf.parallel` loops
    over memrefs, with `vector.fma` register blocks, or `amx` tiles for direct evaluation of bf16 where the target has
    them (weights are then rounded to bf16). Nothing of size n x m or r x n is ever stored. What the pass does
    not take (f64, a dynamic head dimension) stays, with a missed remark that says why;
    `attn-lower-to-reference` takes the rest.
  }];
  let options = [
    Option<"target", "target", "std::string", "\"auto\"",
           "Target description, which sets vector width and blocking: auto (that of the module, see docs/cost-model.md, or this machine), host, amx, avx512, avx2, neon or generic">
  ];
  let dependentDialects = [
    "::polyattn::attn::AttnDialect", "::mlir::amx::AMXDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::cf::ControlFlowDialect", "::mlir::linalg::LinalgDialect", "::mlir::bufferization::BufferizationDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect", "::mlir::tensor::TensorDialect",
    "::mlir::math::MathDialect", "::mlir::arith::ArithDialect"
  ];
}

def AttnOpenMPTeams : Pass<"attn-openmp-teams"> {
  let summary = "start threads only for loops of several iterations, and hand iterations out one by one";
  let description = [{
    Refines what `convert-scf-to-openmp` makes of `scf.parallel` loops from 0 with step 1: `omp.parallel` gets an `if`
    clause that is false where its loop has a single iteration, and the loop gets `schedule(dynamic)`, so that a core
    which others slow down takes fewer of them. Other loops stay as they are.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::omp::OpenMPDialect"];
}

def AttnCopiesToLoops : Pass<"attn-copies-to-loops"> {
  let summary = "copy memory with strides by loops, not by a call";
  let description = [{
    A `memref.copy` between memories that are not contiguous would become a call of a library function, `memrefCopy`,
    which machine code on its own does not have. It becomes a `linalg.generic` instead. Other copies stay: LLVM has
    memcpy.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

#endif
