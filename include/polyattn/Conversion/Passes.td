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
    Lowers `attn.attention` and `attn.tensor_attention` (in their chosen evaluation order), `attn.check_bound`,
    `attn.center_keys` and the `attn.state_*` ops on tensors to `scf.parallel` loops
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

def AttnFuseElementwise : Pass<"attn-fuse-elementwise", "::mlir::ModuleOp"> {
  let summary = "fuse linalg ops that work element by element, and keep contractions what they are";
  let description = [{
    Upstream's fusion of linalg ops on tensors, with another choice of what to fuse:

    - into a contraction (a sum of products) only transpositions, so that `attn-lower-contractions` still knows it;
    - into other ops what they alone use; also what many use if reading its inputs takes no longer than reading its result
      (conversions to wider types, transpositions);
    - no exponential, division or the like into an op that would compute it many times over, unless it stays the same along
      the innermost loop, where vector code computes it once.

    Named ops other than `linalg.fill` become `linalg.generic`; constants that are one number move into bodies; reshapes
    move out of the way where loops can be joined.
  }];
  let dependentDialects = [
    "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect", "::mlir::affine::AffineDialect",
    "::mlir::math::MathDialect", "::mlir::arith::ArithDialect"
  ];
}

def AttnLowerContractions : Pass<"attn-lower-contractions", "::mlir::ModuleOp"> {
  let summary = "write matrix products as parallel loops of register-blocked vector code";
  let description = [{
    Takes every linalg op on tensors that is a sum of products of two inputs: `linalg.matmul`, `linalg.batch_matmul`,
    `linalg.generic` with operands transposed in any way, with several batch, row, column or summed dimensions, of static
    or dynamic sizes; f32, or f16 and bf16, which are multiplied and summed in f32 and rounded once at the end.

    The operand that has the result's innermost dimension is read in panels as wide as a register block. Constants (a
    model's weights) are put into panels by the compiler; other operands at run time, if more than a few rows use them;
    with few rows, as in decoding, the operand is read where it lies. An op that works element by element on the result,
    and is its only user, becomes part of the loops: bias, activation, residual.

    Sums are formed in another order than one by one, products are not rounded before they are added. What the pass does
    not take stays, with a missed remark that says why; what it takes has an analysis remark.
  }];
  let options = [
    Option<"target", "target", "std::string", "\"auto\"",
           "Target description, which sets vector width and blocking: auto, host, amx, avx512, avx2, neon or generic">
  ];
  let dependentDialects = [
    "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect", "::mlir::affine::AffineDialect",
    "::mlir::bufferization::BufferizationDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect", "::mlir::math::MathDialect", "::mlir::arith::ArithDialect"
  ];
}

def AttnLinalgToVector : Pass<"attn-linalg-to-vector", "::mlir::ModuleOp"> {
  let summary = "write linalg ops on memrefs as parallel loops of vector code";
  let description = [{
    One loop of each op runs over lanes: the one along which most operands are adjacent in memory. It is the innermost
    loop; what is the same in all its lanes is computed before it. Other parallel loops are shared among threads where
    there is enough work. Gathers, indices, assertions, dynamic sizes, narrow and wide types are all taken; elements that
    are not adjacent are read one by one.

    A loop that sums (or takes products, maxima, minima, conjunctions, ...) may run over lanes, too: the order of sums
    then changes. exp, expm1, erf, tanh, log and log1p on f32 become upstream's polynomial approximations.

    Ops whose body branches, or reduces by an operation whose order matters, stay for `convert-linalg-to-loops`, with a
    missed remark; others have an analysis remark.
  }];
  let options = [
    Option<"target", "target", "std::string", "\"auto\"",
           "Target description, which sets the vector width: auto, host, amx, avx512, avx2, neon or generic">
  ];
  let dependentDialects = [
    "::mlir::linalg::LinalgDialect", "::mlir::affine::AffineDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::cf::ControlFlowDialect", "::mlir::vector::VectorDialect", "::mlir::math::MathDialect", "::mlir::arith::ArithDialect"
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

def AttnOutlineLoops : Pass<"attn-outline-loops", "::mlir::ModuleOp"> {
  let summary = "make a private function of every parallel loop";
  let description = [{
    An `scf.parallel` becomes a function whose arguments are the values that it uses, but for constants, and a call of it.
    The layers of a model run the same loops on other weights: `duplicate-function-elimination` after this pass leaves one
    of each, and a model of many layers takes hardly longer to compile than one of them.
  }];
  let dependentDialects = ["::mlir::func::FuncDialect"];
}

def AttnCopiesToLoops : Pass<"attn-copies-to-loops"> {
  let summary = "copy memory with strides by loops, not by a call";
  let description = [{
    A `memref.copy` between memories that are not contiguous would become a call of a library function, `memrefCopy`,
    which machine code on its own does not have. It becomes a `linalg.generic` instead. Other copies stay: LLVM has
    memcpy. A view with a negative stride is an error: what follows would read elsewhere.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

#endif
