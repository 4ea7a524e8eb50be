# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""IREE's CPU compiler: its attention op, and two products with a softmax between them."""

import importlib.metadata

import iree.compiler
import iree.runtime
import ml_dtypes
import numpy as np

from contenders import base

FLAGS = ["--iree-llvmcpu-target-cpu=host", "--iree-opt-level=O3"]
TYPES = {"f32": np.float32, "bf16": ml_dtypes.bfloat16}


class Contender(base.Contender):
    label = "IREE"
    version = importlib.metadata.version("iree-base-compiler")

    def __init__(self, threads):
        iree.runtime.flags.parse_flags(f"--task_topology_group_count={threads}")
        self.config = iree.runtime.Config("local-task")

    def variants(self, case, q, k, v):
        base.needs_all_scores(case)
        arrays = [x.astype(TYPES[case.dtype]) for x in (q, k, v)]
        mask = [np.tril(np.ones((case.n, case.keys), bool))] if case.causal else []
        return {
            "products and softmax": lambda: self.build(decomposed_text(case), arrays),
            "attention": lambda: self.build(attention_text(case), arrays + mask),
        }

    def build(self, text, arrays):
        code = iree.compiler.compile_str(text, target_backends=["llvm-cpu"], extra_args=FLAGS)
        context = iree.runtime.SystemContext(config=self.config)
        context.add_vm_module(iree.runtime.VmModule.copy_buffer(context.instance, code))
        main = context.modules.module.main
        arguments = [iree.runtime.asdevicearray(self.config.device, x) for x in arrays]
        return base.Runner(lambda: main(*arguments), lambda result: result.to_host().astype(np.float32))


def types(case):
    """MLIR types of queries and output, keys and values, scores in f32."""
    return (f"tensor<{case.heads}x{case.n}x{case.d}x{case.dtype}>",
            f"tensor<{case.heads}x{case.keys}x{case.d}x{case.dtype}>", f"tensor<{case.heads}x{case.n}x{case.keys}xf32>")


def attention_text(case):
    """A mask is an operand here: true where a key is seen."""
    query, key, _ = types(case)
    parameter = operand = operand_type = mask_map = ""
    if case.causal:
        mask = f"tensor<{case.n}x{case.keys}xi1>"
        parameter, operand, operand_type = f", %mask: {mask}", ", %mask", f", {mask}"
        mask_map = "affine_map<(h, i, e, a, j) -> (i, j)>,"
    return f"""
func.func @main(%q: {query}, %k: {key}, %v: {key}{parameter}) -> {query} {{
  %scale = arith.constant {case.scale!r} : {case.dtype}
  %empty = tensor.empty() : {query}
  %o = iree_linalg_ext.attention <{{indexing_maps = [
      affine_map<(h, i, e, a, j) -> (h, i, a)>, affine_map<(h, i, e, a, j) -> (h, j, a)>,
      affine_map<(h, i, e, a, j) -> (h, j, e)>, affine_map<(h, i, e, a, j) -> ()>, {mask_map}
      affine_map<(h, i, e, a, j) -> (h, i, e)>]}}>
      ins(%q, %k, %v, %scale{operand} : {query}, {key}, {key}, {case.dtype}{operand_type}) outs(%empty : {query}) {{
  ^bb0(%score: f32):
    iree_linalg_ext.yield %score : f32
  }} -> {query}
  return %o : {query}
}}"""


def decomposed_text(case):
    """Scores, weights, sums and output in f32, whatever the inputs are."""
    query, key, scores = types(case)
    result = query.replace(case.dtype, "f32")
    same = "affine_map<(h, i, j) -> (h, i, j)>"
    masked = """
    %i = linalg.index 1 : index
    %j = linalg.index 2 : index
    %seen = arith.cmpi ule, %j, %i : index
    %minus_infinity = arith.constant 0xFF800000 : f32
    %score = arith.select %seen, %scaled, %minus_infinity : f32""" if case.causal else ""
    return f"""
func.func @main(%q: {query}, %k: {key}, %v: {key}) -> {result} {{
  %zero = arith.constant 0.0 : f32
  %scale = arith.constant {case.scale!r} : f32
  %empty = tensor.empty() : {scores}
  %zeros = linalg.fill ins(%zero : f32) outs(%empty : {scores}) -> {scores}
  %products = linalg.batch_matmul indexing_maps = [affine_map<(h, i, j, a) -> (h, i, a)>,
      affine_map<(h, i, j, a) -> (h, j, a)>, affine_map<(h, i, j, a) -> (h, i, j)>]
      ins(%q, %k : {query}, {key}) outs(%zeros : {scores}) -> {scores}
  %s = linalg.generic {{indexing_maps = [{same}, {same}], iterator_types = ["parallel", "parallel", "parallel"]}}
      ins(%products : {scores}) outs(%empty : {scores}) {{
  ^bb0(%x: f32, %_: f32):
    %scaled = arith.mulf %x, %scale : f32{masked}
    linalg.yield {'%score' if masked else '%scaled'} : f32
  }} -> {scores}
  %weights = linalg.softmax dimension(2) ins(%s : {scores}) outs(%empty : {scores}) -> {scores}
  %result_empty = tensor.empty() : {result}
  %result_zeros = linalg.fill ins(%zero : f32) outs(%result_empty : {result}) -> {result}
  %o = linalg.batch_matmul ins(%weights, %v : {scores}, {key}) outs(%result_zeros : {result}) -> {result}
  return %o : {result}
}}"""
